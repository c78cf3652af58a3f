// SPDX-License-Identifier: Apache-2.0
/* Enrolment: who gets a certificate, and that a token is good once. Requests are written with mbedTLS. */
#include <errno.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_csr.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "enrol/internal.h"

#define CSRS "certificatesigningrequests"

static int rng(void *arg, unsigned char *out, size_t len)
{
	(void)arg;
	return getrandom(out, len, 0) == (ssize_t)len ? 0 : -1;
}

/* A PEM request of @key_pem for @name, with one IP address in it unless that is NULL. */
static void make_csr(const char *key_pem, const char *name, const unsigned char *ip, char *pem,
		     size_t size)
{
	mbedtls_x509_san_list san = {.node = {.type = MBEDTLS_X509_SAN_IP_ADDRESS}};
	mbedtls_x509write_csr csr;
	mbedtls_pk_context pk;

	mbedtls_pk_init(&pk);
	mbedtls_x509write_csr_init(&csr);
	assert_int_equal(mbedtls_pk_parse_key(&pk, (const unsigned char *)key_pem,
					      strlen(key_pem) + 1, NULL, 0, rng, NULL),
			 0);
	mbedtls_x509write_csr_set_key(&csr, &pk);
	mbedtls_x509write_csr_set_md_alg(&csr, MBEDTLS_MD_SHA256);
	assert_int_equal(mbedtls_x509write_csr_set_subject_name(&csr, name), 0);
	if (ip) {
		san.node.san.unstructured_name.p = (unsigned char *)(uintptr_t)ip;
		san.node.san.unstructured_name.len = 4;
		assert_int_equal(mbedtls_x509write_csr_set_subject_alternative_name(&csr, &san), 0);
	}
	assert_int_equal(mbedtls_x509write_csr_pem(&csr, (unsigned char *)pem, size, rng, NULL), 0);
	mbedtls_x509write_csr_free(&csr);
	mbedtls_pk_free(&pk);
}

struct world {
	char dir[40];
	struct store *store;
	struct enrol *enrol;
	struct buf key;
	int csrs;
};

static int set_up(void **state)
{
	struct store_config sc = {.path = NULL};
	struct world *w = mem_alloc(sizeof(*w));
	struct enrol_config ec = {.dir = w->dir};
	struct err e = ERR_INIT;

	str_copy(w->dir, sizeof(w->dir), "/tmp/test-enrol-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	assert_int_equal(store_open(NULL, &sc, &w->store, &e), 0);
	if (enrol_new(NULL, w->store, &ec, &w->enrol, &e) < 0)
		fail_msg("%s", err_msg(&e));
	assert_int_equal(x509_key_new(&w->key, &e), 0);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	enrol_free(w->enrol);
	store_close(w->store);
	file_remove_tree(-100, w->dir);
	buf_done(&w->key);
	free(w);
	return 0;
}

/* Ask as @user; the name of the request object. */
static const char *ask(struct world *w, const char *user, const char *signer, const char *usage,
		       const char *pem)
{
	static char name[32];
	struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc), *spec, *usages;
	struct buf b = BUF_INIT(0);

	snprintf(name, sizeof(name), "csr-%d", w->csrs++);
	json_set_root(doc, root);
	json_put_str(doc, json_obj_of(doc, root, "metadata"), "name", name);
	spec = json_obj_of(doc, root, "spec");
	json_put_str(doc, spec, "username", user);
	json_put_str(doc, spec, "signerName", signer);
	usages = json_arr_of(doc, spec, "usages");
	json_push(doc, usages, json_new_str(doc, "digital signature"));
	json_push(doc, usages, json_new_str(doc, usage));
	base64_encode(&b, pem, strlen(pem));
	json_put_str(doc, spec, "request", buf_str(&b));
	buf_done(&b);
	assert_int_equal(store_create(w->store, CSRS, "", name, doc, NULL, NULL), 0);
	store_dispatch(w->store);
	return name;
}

static const char *client_signer = "kubernetes.io/kube-apiserver-client-kubelet";
static const char *serving_signer = "kubernetes.io/kubelet-serving";

static const struct json *object(struct world *w, const char *name)
{
	struct store_object *o = store_get(w->store, CSRS, "", name);

	assert_non_null(o);
	return json_root(o->doc);
}

static const char *denied(struct world *w, const char *name)
{
	return json_str(json_get(store_condition(object(w, name), "Denied"), "message"), "");
}

/* The issued certificate's subject; its end in *not_after. */
static bool issued(struct world *w, const char *name, struct x509_subject *s, int64_t *not_after)
{
	struct buf pem = BUF_INIT(0);
	bool there = base64_decode(&pem,
				   json_str(json_at(object(w, name), "status", "certificate", NULL),
					    "")) == 0 &&
		     pem.len && x509_cert_read(buf_str(&pem), s, not_after, NULL) == 0;

	buf_done(&pem);
	return there;
}

static void bootstrap_user(struct world *w, const struct enrol_host *host, char *user, size_t size)
{
	char token[ENROL_TOKEN_SIZE];
	struct err e = ERR_INIT;

	if (enrol_mint(w->enrol, host, token, &e) < 0)
		fail_msg("%s", err_msg(&e));
	assert_int_equal(strlen(token), 23);
	snprintf(user, size, "system:bootstrap:%.6s", token);
}

static void test_token_once(void **state)
{
	struct world *w = *state;
	struct enrol_host host = {.node_name = "h1", .mac = "52:54:00:00:00:01"};
	char pem[4096], other[4096], user[40];
	struct x509_subject s;
	struct buf key2 = BUF_INIT(0);
	struct json_doc *doc;
	int64_t end = 0;
	const char *name;

	bootstrap_user(w, &host, user, sizeof(user));
	make_csr(buf_str(&w->key), "O=system:nodes,CN=system:node:h1", NULL, pem, sizeof(pem));
	name = ask(w, user, client_signer, "client auth", pem);
	assert_true(issued(w, name, &s, &end));
	assert_string_equal(s.common_name, "system:node:h1");
	assert_true(x509_names_has(&s.orgs, "system:nodes"));
	assert_in_range(end - time(NULL), 86000, 86400);

	/* the same key may ask again: its answer was lost; another key is a thief */
	assert_true(issued(w, ask(w, user, client_signer, "client auth", pem), &s, &end));
	x509_key_new(&key2, NULL);
	make_csr(buf_str(&key2), "O=system:nodes,CN=system:node:h1", NULL, other, sizeof(other));
	name = ask(w, user, client_signer, "client auth", other);
	assert_non_null(strstr(denied(w, name), "already used with another key"));
	assert_int_equal(store_count(w->store, "events"), 1);

	/* the first lease burns it */
	doc = json_doc_new();
	json_set_root(doc, json_new_obj(doc));
	assert_int_equal(store_count(w->store, "secrets"), 1);
	assert_int_equal(store_create(w->store, "leases", "kube-node-lease", "h1", doc, NULL, NULL),
			 0);
	store_dispatch(w->store);
	assert_int_equal(store_count(w->store, "secrets"), 0);
	name = ask(w, user, client_signer, "client auth", pem);
	assert_non_null(strstr(denied(w, name), "not known any more"));
	buf_done(&key2);
}

static void test_refusals(void **state)
{
	static const unsigned char ip[4] = {10, 0, 0, 1};
	struct world *w = *state;
	struct enrol_host host = {.node_name = "h1", .mac = "52:54:00:00:00:01"};
	char pem[4096], user[40];

	bootstrap_user(w, &host, user, sizeof(user));
	make_csr(buf_str(&w->key), "O=system:nodes,CN=system:node:h2", NULL, pem, sizeof(pem));
	assert_non_null(strstr(denied(w, ask(w, user, client_signer, "client auth", pem)),
			       "was made for node h1"));
	make_csr(buf_str(&w->key), "O=system:masters,CN=system:node:h1", NULL, pem, sizeof(pem));
	assert_non_null(
		strstr(denied(w, ask(w, user, client_signer, "client auth", pem)), "organization"));
	make_csr(buf_str(&w->key), "O=system:nodes,O=system:masters,CN=system:node:h1", NULL, pem,
		 sizeof(pem));
	assert_non_null(
		strstr(denied(w, ask(w, user, client_signer, "client auth", pem)), "organization"));
	make_csr(buf_str(&w->key), "O=system:nodes,CN=system:node:h1", ip, pem, sizeof(pem));
	assert_non_null(
		strstr(denied(w, ask(w, user, client_signer, "client auth", pem)), "not allowed"));
	assert_non_null(strstr(denied(w, ask(w, user, serving_signer, "server auth", pem)),
			       "client certificate only"));
	make_csr(buf_str(&w->key), "O=system:nodes,CN=system:node:h1", NULL, pem, sizeof(pem));
	assert_non_null(
		strstr(denied(w, ask(w, user, client_signer, "server auth", pem)), "usages"));
	assert_non_null(
		strstr(denied(w, ask(w, "system:node:h2", client_signer, "client auth", pem)),
		       "may not ask"));
	pem[strlen(pem) / 2] ^= 1; /* the signature or the coding is broken */
	assert_true(*denied(w, ask(w, user, client_signer, "client auth", pem)));
}

static void test_serving(void **state)
{
	static const unsigned char mine[4] = {192, 0, 2, 7}, foreign[4] = {192, 0, 2, 8};
	struct world *w = *state;
	struct enrol_host host = {
		.node_name = "h1", .mac = "52:54:00:00:00:01", .address = "192.0.2.7"};
	char pem[4096], user[40];
	struct x509_subject s;
	int64_t end = 0;

	bootstrap_user(w, &host, user, sizeof(user));
	make_csr(buf_str(&w->key), "O=system:nodes,CN=system:node:h1", mine, pem, sizeof(pem));
	assert_true(
		issued(w, ask(w, "system:node:h1", serving_signer, "server auth", pem), &s, &end));
	assert_true(x509_names_has(&s.ips, "192.0.2.7"));
	make_csr(buf_str(&w->key), "O=system:nodes,CN=system:node:h1", foreign, pem, sizeof(pem));
	assert_non_null(
		strstr(denied(w, ask(w, "system:node:h1", serving_signer, "server auth", pem)),
		       "192.0.2.8 is no address"));
	/* renewal by the node itself */
	make_csr(buf_str(&w->key), "O=system:nodes,CN=system:node:h1", NULL, pem, sizeof(pem));
	assert_true(
		issued(w, ask(w, "system:node:h1", client_signer, "client auth", pem), &s, &end));
}

static void test_manual(void **state)
{
	struct world *w = *state;
	struct enrol_host host = {.node_name = "h9", .mac = "52:54:00:00:00:09"};
	char pem[4096], user[40];
	struct x509_subject s;
	struct json_doc *doc;
	const char *name;
	int64_t end = 0;

	w->enrol->config.manual = true;
	bootstrap_user(w, &host, user, sizeof(user));
	make_csr(buf_str(&w->key), "O=system:nodes,CN=system:node:h9", NULL, pem, sizeof(pem));
	name = ask(w, user, client_signer, "client auth", pem);
	assert_false(issued(w, name, &s, &end));
	assert_string_equal(denied(w, name), "");
	doc = json_doc_new(); /* kubectl certificate approve */
	json_set_root(doc, json_copy(doc, object(w, name)));
	store_set_condition(doc, json_root(doc), "Approved", "True", "KubectlApprove", "");
	assert_int_equal(store_update(w->store, CSRS, "", name, 0, doc, NULL, NULL), 0);
	store_dispatch(w->store);
	assert_true(issued(w, name, &s, &end));
	/* the next boot needs no one */
	bootstrap_user(w, &host, user, sizeof(user));
	assert_true(issued(w, ask(w, user, client_signer, "client auth", pem), &s, &end));
}

static void test_records(void **state)
{
	struct world *w = *state;
	struct enrol_host host = {.node_name = "h1",
				  .mac = "52:54:00:00:00:01",
				  .uuid = "12345678-1234-1234-1234-123456789abc"};
	char token[ENROL_TOKEN_SIZE], second[ENROL_TOKEN_SIZE];
	struct err e = ERR_INIT;

	assert_int_equal(enrol_mint(w->enrol, &host, token, &e), 0);
	assert_int_equal(enrol_mint(w->enrol, &host, second, &e), 0);
	assert_string_not_equal(token, second);
	assert_int_equal(store_count(w->store, "secrets"), 1); /* the first was revoked */
	host.mac = "52:54:00:00:00:02"; /* another card of the same machine */
	assert_int_equal(enrol_mint(w->enrol, &host, token, &e), 0);
	host.uuid = "ffffffff-ffff-ffff-ffff-ffffffffffff";
	host.mac = "52:54:00:00:00:03";
	assert_int_equal(enrol_mint(w->enrol, &host, token, &e), -EEXIST);
}

static void test_ca(void **state)
{
	struct world *w = *state;
	struct enrol_config ec = {.dir = w->dir};
	const char *names[] = {"localhost", "127.0.0.1", "::1", NULL};
	struct enrol_pair pair = {.cert = BUF_INIT(0)};
	struct x509_subject s;
	struct enrol *again;
	struct err e = ERR_INIT;
	int64_t end = 0;

	assert_int_equal(enrol_issue_server(w->enrol, "api", names, &pair, &e), 0);
	assert_int_equal(x509_cert_read(buf_str(&pair.cert), &s, &end, &e), 0);
	assert_true(x509_names_has(&s.dns, "localhost"));
	assert_true(x509_names_has(&s.ips, "::1"));
	enrol_pair_done(&pair);
	assert_int_equal(enrol_new(NULL, w->store, &ec, &again, &e), 0);
	assert_string_equal(enrol_ca_pem(again), enrol_ca_pem(w->enrol));
	enrol_free(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_token_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_serving, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_manual, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_records, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ca, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("enrol", tests, NULL, NULL);
}
