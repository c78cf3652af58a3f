// SPDX-License-Identifier: Apache-2.0
/*
 * The outbox: tokens and events of the store go to the server, in the order in which they were made,
 * one at a time; an answer of the server's own ends a task, silence does not.
 *
 * What the server must allow: create and delete secrets in kube-system; list and watch signing
 * requests, leases and nodes; update certificatesigningrequests/approval and approve for the two
 * kubelet signers; create events; patch nodes, to say on them which image failed.
 */
#include "remote/remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

#define CSR_PATH	"/apis/certificates.k8s.io/v1/certificatesigningrequests"
#define LEASE_PATH	"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
#define TASK_TIMEOUT_MS 15000
#define TOKEN_PREFIX	"bootstrap-token-"

uint64_t remote_backoff_ms(unsigned int failures)
{
	return failures < 6 ? (uint64_t)500 << failures : 30000;
}

struct http_call *remote_call(struct remote *r, const char *method, const char *path,
			      const char *body, int timeout_ms, const struct http_call_ops *ops,
			      void *arg, struct err *e)
{
	_cleanup_free_ char *url = mem_printf("%s%s", r->url, path);
	const struct http_header headers[] = {
		{"Accept", "application/json"},
		{"Content-Type",
		 str_eq(method, "PATCH") ? "application/merge-patch+json" : "application/json"},
		{r->authorization ? "Authorization" : NULL, r->authorization},
		{NULL, NULL},
	};
	const struct http_call_spec spec = {
		.method = method,
		.url = url,
		.headers = headers,
		.body = body,
		.body_len = body ? strlen(body) : 0,
		.reply_cap = (size_t)64 << 20,
		.timeout_ms = timeout_ms,
	};

	return http_call_start(r->client, &spec, ops, arg, e);
}

static void task_free(struct task *t)
{
	list_del(&t->node);
	mem_free_secret(t->body);
	free(t->path);
	free(t);
}

static void next_task(struct remote *r);

static void on_retry(struct timer *t)
{
	next_task(container_of(t, struct remote, retry));
}

static bool answered(int status)
{
	return status >= 200 && status < 500 && status != 429 && status != 408 && status != 401;
}

static void on_done(struct http_call *call, const struct http_reply *reply, const struct err *e,
		    void *arg)
{
	struct remote *r = arg;
	struct task *t = list_entry(r->tasks.next, struct task, node);
	int status = reply->status;

	(void)call;
	r->call = NULL;
	if (!answered(status)) {
		if (!r->failures++)
			log_warn("remote",
				 "ev=remote_silent method=%s path=%s status=%d msg=\"%s\"",
				 t->method, t->path, status, e ? err_msg(e) : "");
		timer_set(&r->retry, remote_backoff_ms(r->failures));
		return;
	}
	r->failures = 0;
	if (status < 300)
		log_debug("remote", "method=%s path=%s status=%d", t->method, t->path, status);
	else if (status != 404 && status != 409) /* gone, or there already: as wanted */
		log_warn("remote", "ev=remote_refused method=%s path=%s status=%d body=\"%.200s\"",
			 t->method, t->path, status, buf_str(&reply->body));
	task_free(t);
	next_task(r);
}

static void next_task(struct remote *r)
{
	static const struct http_call_ops ops = {.on_done = on_done};
	struct task *t;
	struct err e = ERR_INIT;

	if (r->call || list_empty(&r->tasks) || timer_armed(&r->retry))
		return;
	t = list_entry(r->tasks.next, struct task, node);
	r->call = remote_call(r, t->method, t->path, t->body, TASK_TIMEOUT_MS, &ops, r, &e);
	if (!r->call) {
		log_warn("remote", "method=%s path=%s msg=\"%s\"", t->method, t->path, err_msg(&e));
		timer_set(&r->retry, remote_backoff_ms(++r->failures));
	}
}

/* @body NULL: none. What the store adds for itself is taken out. */
static void send(struct remote *r, const char *method, const char *path, const struct json *body,
		 bool keep_version)
{
	struct task *t = mem_alloc(sizeof(*t));
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct buf text = BUF_INIT(0);
	struct json *root, *meta;

	t->method = method;
	t->path = mem_strdup(path);
	if (body) {
		root = json_copy(doc, body);
		meta = json_obj_of(doc, root, "metadata");
		json_put(doc, meta, "resourceVersion",
			 keep_version ? json_copy(doc, json_get(root, REMOTE_REV_KEY)) : NULL);
		json_remove(root, REMOTE_REV_KEY);
		if (!keep_version)
			json_remove(meta, "uid");
		if (json_write(root, &text) < 0)
			abort();
		t->body = buf_take(&text);
	}
	list_add(&r->tasks, &t->node);
	next_task(r);
}

static void post_secret(struct remote *r, const struct store_object *o)
{
	send(r, "POST", "/api/v1/namespaces/kube-system/secrets", json_root(o->doc), false);
}

static void on_secret(struct store_sub *sub, const struct store_event *ev)
{
	struct remote *r = container_of(sub, struct remote, secrets);
	_cleanup_free_ char *path = NULL;

	if (!str_starts(ev->object->name, TOKEN_PREFIX))
		return;
	if (ev->type == STORE_ADDED)
		post_secret(r, ev->object);
	if (ev->type != STORE_DELETED)
		return; /* what a token was spent on stays here */
	path = mem_printf("/api/v1/namespaces/kube-system/secrets/%s", ev->object->name);
	send(r, "DELETE", path, NULL, false);
}

static void on_event(struct store_sub *sub, const struct store_event *ev)
{
	struct remote *r = container_of(sub, struct remote, events);
	_cleanup_free_ char *path = NULL;

	if (ev->type != STORE_ADDED)
		return;
	path = mem_printf("/api/v1/namespaces/%s/events", ev->object->namespace);
	send(r, "POST", path, json_root(ev->object->doc), false);
}

void remote_decide(struct remote *r, const struct store_object *csr, const char *type,
		   const char *reason, const char *message)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	_cleanup_free_ char *path = mem_printf(CSR_PATH "/%s/approval", csr->name);
	struct json *root = json_copy(doc, json_root(csr->doc));

	json_set_root(doc, root);
	store_set_condition(doc, root, type, "True", reason, message);
	send(r, "PUT", path, root, true);
}

void remote_annotate(struct remote *r, const char *node, const char *key, const char *value)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	_cleanup_free_ char *path = mem_printf("/api/v1/nodes/%s", node);
	struct json *root = json_new_obj(doc), *notes;

	notes = json_obj_of(doc, json_obj_of(doc, root, "metadata"), "annotations");
	json_put(doc, notes, key, value ? json_new_str(doc, value) : json_new_null(doc));
	send(r, "PATCH", path, root, false);
}

/* Tokens that were minted before a restart may not have arrived. */
static void catch_up(struct remote *r)
{
	struct store_object *o = NULL;
	char at[256] = TOKEN_PREFIX;

	while ((o = store_next(r->store, "secrets", "kube-system", "kube-system", at)) &&
	       str_starts(o->name, TOKEN_PREFIX)) {
		str_copy(at, sizeof(at), o->name);
		post_secret(r, o);
	}
}

int remote_new(struct loop *loop, struct store *store, const struct remote_config *config,
	       struct remote **out, struct err *e)
{
	static const struct mirror mirrors[MIRROR_COUNT] = {
		{.resource = "certificatesigningrequests",
		 .path = CSR_PATH,
		 .kind = "CertificateSigningRequest",
		 .api_version = "certificates.k8s.io/v1"},
		{.resource = "leases",
		 .path = LEASE_PATH,
		 .kind = "Lease",
		 .api_version = "coordination.k8s.io/v1"},
		{.resource = "nodes", .path = "/api/v1/nodes", .kind = "Node", .api_version = "v1"},
	};
	struct http_client_config client = {.user_agent = "hypermetal-controller",
					    .ca_pem = config->ca_pem,
					    .cert_pem = config->cert_pem,
					    .key_pem = config->key_pem};
	struct remote *r = mem_alloc(sizeof(*r));
	uint64_t rev = store_rev(store);
	int rc;

	r->loop = loop;
	r->store = store;
	r->url = mem_strdup(config->url);
	r->authorization = config->token ? mem_printf("Bearer %s", config->token) : NULL;
	list_init(&r->tasks);
	timer_init(loop, &r->retry, on_retry);
	memcpy(r->mirrors, mirrors, sizeof(mirrors));
	for (size_t i = 0; i < MIRROR_COUNT; i++)
		mirror_start(r, &r->mirrors[i]);
	rc = http_client_new(loop, &client, &r->client, e);
	if (rc == 0)
		rc = store_subscribe(store, &r->secrets, "secrets", rev, on_secret);
	if (rc == 0)
		rc = store_subscribe(store, &r->events, "events", rev, on_event);
	if (rc < 0) {
		remote_free(r);
		return rc;
	}
	catch_up(r);
	*out = r;
	return 0;
}

struct remote *remote_free(struct remote *r)
{
	struct task *t, *tmp;

	if (!r)
		return NULL;
	store_unsubscribe(&r->secrets);
	store_unsubscribe(&r->events);
	timer_cancel(&r->retry);
	for (size_t i = 0; i < MIRROR_COUNT; i++)
		mirror_stop(&r->mirrors[i]);
	if (r->call)
		http_call_cancel(r->call);
	list_for_each_safe(t, tmp, &r->tasks, node)
		task_free(t);
	http_client_free(r->client);
	free(r->url);
	free(r->authorization);
	free(r);
	return NULL;
}
