// SPDX-License-Identifier: Apache-2.0
/* Enrolment: who gets a certificate, and that a token is good once. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "enrol/internal.h"

#define CSRS "certificatesigningrequests"

/* By openssl, for what our own code does not write: O=system:nodes,O=system:masters,CN=system:node:h1 */
static const char two_organizations[] =
	"-----BEGIN CERTIFICATE REQUEST-----\n"
	"MIIBAzCBqwIBADBJMRUwEwYDVQQKDAxzeXN0ZW06bm9kZXMxFzAVBgNVBAoMDnN5\n"
	"c3RlbTptYXN0ZXJzMRcwFQYDVQQDDA5zeXN0ZW06bm9kZTpoMTBZMBMGByqGSM49\n"
	"AgEGCCqGSM49AwEHA0IABGIsZbyXT7ykDdt9zJqVUyrNMsoPcZaZTj1Ow99d/c1U\n"
	"iHvY9mG5cx3zRhtYgSS3HPHAfTAW0kQG8sxnwhVuxU6gADAKBggqhkjOPQQDAgNH\n"
	"ADBEAiBxifqZZuawY9qyMj1FpI+pvMgqeTkk/tvJ5Y5MrlHtpwIgZvU1T6Jjh1xl\n"
	"acasfWdngw+yiRz5QNGLJtQSMATYbgw=\n"
	"-----END CERTIFICATE REQUEST-----\n";

static void write_csr(const char *key_pem, const struct x509_subject *subject, char *pem,
		      size_t size)
{
	struct buf b = BUF_INIT(0);

	assert_int_equal(x509_csr_new(key_pem, subject, &b, NULL), 0);
	assert_int_equal(str_copy(pem, size, buf_str(&b)), 0);
	buf_done(&b);
}

static struct x509_subject node_subject(const char *node, const char *org)
{
	struct x509_subject s = {.common_name = ""};

	snprintf(s.common_name, sizeof(s.common_name), "system:node:%s", node);
	assert_int_equal(x509_names_add(&s.orgs, org), 0);
	return s;
}

/* A node's request as it should be, with one IP address in it unless that is NULL. */
static void make_csr(const char *key_pem, const char *node, const char *ip, char *pem, size_t size)
{
	struct x509_subject s = node_subject(node, "system:nodes");

	if (ip)
		assert_int_equal(x509_names_add(&s.ips, ip), 0);
	write_csr(key_pem, &s, pem, size);
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

/* Whether a certificate was issued, and what it says. */
static bool issued(struct world *w, const char *name, struct x509_cert *cert)
{
	struct buf pem = BUF_INIT(0);
	bool there = base64_decode(&pem,
				   json_str(json_at(object(w, name), "status", "certificate", NULL),
					    "")) == 0 &&
		     pem.len && x509_cert_read(buf_str(&pem), NULL, cert, NULL) == 0;

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
	struct x509_cert cert;
	struct buf key2 = BUF_INIT(0);
	struct json_doc *doc;
	const char *name;

	bootstrap_user(w, &host, user, sizeof(user));
	make_csr(buf_str(&w->key), "h1", NULL, pem, sizeof(pem));
	name = ask(w, user, client_signer, "client auth", pem);
	assert_true(issued(w, name, &cert));
	assert_string_equal(cert.subject.common_name, "system:node:h1");
	assert_true(x509_names_has(&cert.subject.orgs, "system:nodes"));
	assert_in_range(cert.not_after_s - time(NULL), 86000, 86400);

	/* the same key may ask again: its answer was lost; another key is a thief */
	assert_true(issued(w, ask(w, user, client_signer, "client auth", pem), &cert));
	x509_key_new(&key2, NULL);
	make_csr(buf_str(&key2), "h1", NULL, other, sizeof(other));
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
	struct world *w = *state;
	struct enrol_host host = {.node_name = "h1", .mac = "52:54:00:00:00:01"};
	char pem[4096], user[40];
	struct x509_subject s;

	bootstrap_user(w, &host, user, sizeof(user));
	make_csr(buf_str(&w->key), "h2", NULL, pem, sizeof(pem));
	assert_non_null(strstr(denied(w, ask(w, user, client_signer, "client auth", pem)),
			       "was made for node h1"));
	s = node_subject("h1", "system:masters");
	write_csr(buf_str(&w->key), &s, pem, sizeof(pem));
	assert_non_null(
		strstr(denied(w, ask(w, user, client_signer, "client auth", pem)), "organization"));
	assert_non_null(
		strstr(denied(w, ask(w, user, client_signer, "client auth", two_organizations)),
		       "organization"));
	make_csr(buf_str(&w->key), "h1", "10.0.0.1", pem, sizeof(pem));
	assert_non_null(
		strstr(denied(w, ask(w, user, client_signer, "client auth", pem)), "not allowed"));
	assert_non_null(strstr(denied(w, ask(w, user, serving_signer, "server auth", pem)),
			       "client certificate only"));
	make_csr(buf_str(&w->key), "h1", NULL, pem, sizeof(pem));
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
	struct world *w = *state;
	struct enrol_host host = {
		.node_name = "h1", .mac = "52:54:00:00:00:01", .address = "192.0.2.7"};
	char pem[4096], user[40];
	struct x509_cert cert;

	bootstrap_user(w, &host, user, sizeof(user));
	make_csr(buf_str(&w->key), "h1", "192.0.2.7", pem, sizeof(pem));
	assert_true(issued(w, ask(w, "system:node:h1", serving_signer, "server auth", pem), &cert));
	assert_true(x509_names_has(&cert.subject.ips, "192.0.2.7"));
	make_csr(buf_str(&w->key), "h1", "192.0.2.8", pem, sizeof(pem));
	assert_non_null(
		strstr(denied(w, ask(w, "system:node:h1", serving_signer, "server auth", pem)),
		       "192.0.2.8 is no address"));
	/* renewal by the node itself */
	make_csr(buf_str(&w->key), "h1", NULL, pem, sizeof(pem));
	assert_true(issued(w, ask(w, "system:node:h1", client_signer, "client auth", pem), &cert));
}

static void test_manual(void **state)
{
	struct world *w = *state;
	struct enrol_host host = {.node_name = "h9", .mac = "52:54:00:00:00:09"};
	char pem[4096], user[40];
	struct x509_cert cert;
	struct json_doc *doc;
	const char *name;

	w->enrol->config.manual = true;
	bootstrap_user(w, &host, user, sizeof(user));
	make_csr(buf_str(&w->key), "h9", NULL, pem, sizeof(pem));
	name = ask(w, user, client_signer, "client auth", pem);
	assert_false(issued(w, name, &cert));
	assert_string_equal(denied(w, name), "");
	doc = json_doc_new(); /* kubectl certificate approve */
	json_set_root(doc, json_copy(doc, object(w, name)));
	store_set_condition(doc, json_root(doc), "Approved", "True", "KubectlApprove", "");
	assert_int_equal(store_update(w->store, CSRS, "", name, 0, doc, NULL, NULL), 0);
	store_dispatch(w->store);
	assert_true(issued(w, name, &cert));
	/* the next boot needs no one */
	bootstrap_user(w, &host, user, sizeof(user));
	assert_true(issued(w, ask(w, user, client_signer, "client auth", pem), &cert));
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
	struct x509_cert cert;
	struct enrol *again;
	struct err e = ERR_INIT;

	assert_int_equal(enrol_issue_server(w->enrol, "api", names, &pair, &e), 0);
	assert_int_equal(x509_cert_read(buf_str(&pair.cert), buf_str(&pair.key), &cert, &e), 0);
	assert_true(x509_names_has(&cert.subject.dns, "localhost"));
	assert_true(x509_names_has(&cert.subject.ips, "::1"));
	enrol_pair_done(&pair);
	assert_int_equal(enrol_new(NULL, w->store, &ec, &again, &e), 0);
	assert_string_equal(enrol_ca_pem(again), enrol_ca_pem(w->enrol));
	enrol_free(again);
}

static void put_made(struct world *w, const char *resource, const char *name, const char *made)
{
	struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc);

	json_set_root(doc, root);
	json_put_str(doc, json_obj_of(doc, root, "metadata"), "creationTimestamp", made);
	assert_int_equal(store_create(w->store, resource, "", name, doc, NULL, NULL), 0);
}

/* Whoever is on the boot network can make records: what nobody became is forgotten. */
static void test_tidy(void **state)
{
	struct world *w = *state;
	struct enrol_host host = {.node_name = "fresh", .mac = "52:54:00:00:00:01"};
	char token[ENROL_TOKEN_SIZE];

	put_made(w, ENROL_HOSTS, "stranger", "2020-01-01T00:00:00Z");
	put_made(w, ENROL_HOSTS, "member", "2020-01-01T00:00:00Z");
	put_made(w, ENROL_HOSTS, "booting", "2020-01-01T00:00:00Z");
	put_made(w, "nodes", "member", "2020-01-01T00:00:00Z");
	put_made(w, CSRS, "waits", "2020-01-01T00:00:00Z");
	assert_int_equal(token_mint(w->store, "booting", token, NULL), 0);
	assert_int_equal(enrol_mint(w->enrol, &host, token, NULL), 0);
	enrol_tidy(w->enrol);
	assert_null(store_get(w->store, ENROL_HOSTS, "", "stranger"));
	assert_non_null(store_get(w->store, ENROL_HOSTS, "", "member"));
	assert_non_null(store_get(w->store, ENROL_HOSTS, "", "booting"));
	assert_non_null(store_get(w->store, ENROL_HOSTS, "", "fresh"));
	assert_null(store_get(w->store, CSRS, "", "waits"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_token_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_serving, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_manual, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_records, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tidy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ca, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("enrol", tests, NULL, NULL);
}
