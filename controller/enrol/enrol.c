// SPDX-License-Identifier: Apache-2.0
/* Enrolment's connections: signing requests to decide, leases that prove a certificate in use. */
#include "enrol/enrol.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

#define CSRS	       "certificatesigningrequests"
#define TIDY_MS	       60000
#define CSR_KEEP_S     3600
#define CSR_WAIT_S     86400
#define OWN_LIFETIME_S (365LL * 86400)

static void on_csr(struct store_sub *sub, const struct store_event *ev)
{
	struct enrol *n = container_of(sub, struct enrol, csrs);
	struct store_object *now;

	if (ev->type == STORE_DELETED)
		return;
	now = store_get(n->store, CSRS, "", ev->object->name);
	if (now != ev->object)
		return; /* a newer event is on its way */
	approve_step(n, store_ref(now));
	store_unref(now);
}

static void on_lease(struct store_sub *sub, const struct store_event *ev)
{
	struct enrol *n = container_of(sub, struct enrol, leases);

	if (ev->type != STORE_DELETED && str_eq(ev->object->namespace, "kube-node-lease"))
		token_burn(n->store, ev->object->name, true);
}

/* Requests that were answered an hour ago, or waited a day for an answer */
static void tidy_csrs(struct enrol *n)
{
	char at[256] = "";
	struct store_object *o;

	while ((o = store_next(n->store, CSRS, NULL, "", *at ? at : NULL))) {
		const struct json *root = json_root(o->doc);
		bool answered = json_count(json_at(root, "status", "conditions", NULL)) > 0;
		uint64_t made;

		str_copy(at, sizeof(at), o->name);
		if (clock_parse_rfc3339(
			    json_str(json_at(root, "metadata", "creationTimestamp", NULL), ""),
			    &made) < 0)
			continue;
		if (made / 1000000000 + (answered ? CSR_KEEP_S : CSR_WAIT_S) < (uint64_t)time(NULL))
			store_delete(n->store, CSRS, "", at, 0, NULL);
	}
}

void enrol_tidy(struct enrol *n)
{
	tidy_csrs(n);
	token_expire(n->store);
	/* The Nodes of another API server are not here before its first list is. */
	if (!n->config.decide)
		host_tidy(n->store);
}

static void on_tidy(struct timer *t)
{
	enrol_tidy(container_of(t, struct enrol, tidy));
	timer_set(t, TIDY_MS);
}

/* What came while nobody looked. */
static void catch_up(struct enrol *n)
{
	struct store_object *o;
	char at[256] = "";

	while ((o = store_next(n->store, CSRS, NULL, "", *at ? at : NULL))) {
		str_copy(at, sizeof(at), o->name);
		approve_step(n, store_ref(o));
		store_unref(o);
	}
}

int enrol_new(struct loop *loop, struct store *store, const struct enrol_config *config,
	      struct enrol **out, struct err *e)
{
	struct enrol *n = mem_alloc(sizeof(*n));
	uint64_t rev = store_rev(store);
	int r;

	n->loop = loop;
	n->store = store;
	n->config = *config;
	r = config->decide ? 0 : pki_open(&n->pki, config->dir, e);
	if (r == 0)
		r = store_subscribe(store, &n->csrs, CSRS, rev, on_csr);
	if (r == 0)
		r = store_subscribe(store, &n->leases, "leases", rev, on_lease);
	if (r < 0) {
		enrol_free(n);
		return r;
	}
	if (loop) {
		timer_init(loop, &n->tidy, on_tidy);
		timer_set(&n->tidy, TIDY_MS);
	}
	catch_up(n);
	*out = n;
	return 0;
}

struct enrol *enrol_free(struct enrol *n)
{
	if (!n)
		return NULL;
	store_unsubscribe(&n->csrs);
	store_unsubscribe(&n->leases);
	timer_cancel(&n->tidy);
	pki_done(&n->pki);
	free(n);
	return NULL;
}

const char *enrol_ca_pem(const struct enrol *n)
{
	return buf_str(&n->pki.ca_cert);
}

const char *enrol_token_key_pem(const struct enrol *n)
{
	return buf_str(&n->pki.token_key);
}

int enrol_issue_client(const struct enrol *n, const char *common_name, const char *org,
		       struct enrol_pair *out, struct err *e)
{
	struct x509_subject s = {.common_name = ""};

	str_copy(s.common_name, sizeof(s.common_name), common_name);
	x509_names_add(&s.orgs, org);
	return pki_issue(&n->pki, &s, X509_CLIENT, OWN_LIFETIME_S, out, e);
}

int enrol_issue_server(const struct enrol *n, const char *common_name, const char *const *names,
		       struct enrol_pair *out, struct err *e)
{
	struct x509_subject s = {.common_name = ""};
	unsigned char ip[16];

	str_copy(s.common_name, sizeof(s.common_name), common_name);
	for (; *names; names++) {
		bool numeric = inet_pton(AF_INET, *names, ip) == 1 ||
			       inet_pton(AF_INET6, *names, ip) == 1;

		if (x509_names_add(numeric ? &s.ips : &s.dns, *names) < 0)
			return err_set(e, -E2BIG, "too many names for a certificate");
	}
	return pki_issue(&n->pki, &s, X509_SERVER, OWN_LIFETIME_S, out, e);
}

static void put_base64(struct buf *b, const char *key, const struct buf *pem)
{
	buf_printf(b, "    %s: ", key);
	base64_encode(b, pem->data, pem->len);
	buf_puts(b, "\n");
}

int enrol_write_kubeconfig(const struct enrol *n, const char *api_url, const char *path,
			   struct err *e)
{
	struct buf b = BUF_INIT(0);
	struct enrol_pair admin;
	int r = enrol_issue_client(n, "hypermetal-admin", "system:masters", &admin, e);

	if (r < 0)
		return r;
	buf_puts(&b, "apiVersion: v1\nkind: Config\nclusters:\n- name: hypermetal\n  cluster:\n");
	buf_printf(&b, "    server: %s\n", api_url);
	put_base64(&b, "certificate-authority-data", &n->pki.ca_cert);
	buf_puts(&b, "users:\n- name: hypermetal-admin\n  user:\n");
	put_base64(&b, "client-certificate-data", &admin.cert);
	put_base64(&b, "client-key-data", &admin.key);
	buf_puts(&b, "contexts:\n- name: hypermetal\n  context:\n    cluster: hypermetal\n"
		     "    user: hypermetal-admin\ncurrent-context: hypermetal\n");
	r = file_write(AT_FDCWD, path, b.data, b.len, 0600, e);
	mem_wipe(b.data, b.len);
	buf_done(&b);
	enrol_pair_done(&admin);
	return r;
}
