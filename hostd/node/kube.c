// SPDX-License-Identifier: Apache-2.0
/*
 * An origin is one HTTP client: a CA, an identity, connections. Changing the identity retires the
 * present origin; it is freed when its last call has ended.
 */
#include "node/kube.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "http/client.h"

#define KUBE_CONNECT_MS 5000
#define KUBE_CALL_MS	20000

struct kube_origin {
	struct kube *kube;
	struct http_client *http;
	char *authorization; /* header value, or NULL */
	struct list calls;
	struct defer release;
	struct list node; /* in kube->retired */
};

struct kube {
	struct loop *loop;
	char *api, *ca_pem;
	struct kube_origin *origin; /* NULL before an identity is set */
	struct list retired;
	void (*on_date)(const char *date, void *arg);
	void *date_arg;
	struct kube_counts counts;
};

struct kube_call {
	struct kube *kube;
	struct kube_origin *origin; /* NULL when it could not even start */
	struct http_call *http;
	struct list node;
	struct defer failed;
	struct err start_err;
	int (*on_data)(void *arg, const void *data, size_t len);
	void (*done)(void *arg, const struct kube_result *result);
	void *arg;
	int status; /* of a stream, from its head */
	struct buf refusal; /* body of a stream that is not 200 */
	uint64_t started_ms; /* clock_mono_ms() */
};

#define KUBE_REFUSAL_MAX 65536

struct kube *kube_new(struct loop *loop, const char *api, const char *ca_pem)
{
	struct kube *k = mem_alloc(sizeof(*k));

	k->loop = loop;
	k->api = mem_strdup(api);
	k->ca_pem = mem_strdup(ca_pem);
	list_init(&k->retired);
	return k;
}

static void kube_origin_free(struct kube_origin *o)
{
	struct kube_call *c, *tmp;

	if (!o)
		return;
	list_for_each_safe(c, tmp, &o->calls, node)
		kube_cancel(c);
	defer_cancel(&o->release);
	list_del(&o->node);
	http_client_free(o->http);
	mem_free_secret(o->authorization);
	free(o);
}

static void kube_origin_release(struct defer *d)
{
	kube_origin_free(container_of(d, struct kube_origin, release));
}

/* The HTTP client must not be freed inside one of its callbacks. */
static void kube_origin_unused(struct kube_origin *o)
{
	if (o != o->kube->origin && list_empty(&o->calls))
		loop_defer(o->kube->loop, &o->release, kube_origin_release);
}

struct kube *kube_free(struct kube *k)
{
	if (!k)
		return NULL;
	kube_origin_free(k->origin);
	while (!list_empty(&k->retired))
		kube_origin_free(list_entry(k->retired.next, struct kube_origin, node));
	free(k->api);
	free(k->ca_pem);
	free(k);
	return NULL;
}

void kube_on_date(struct kube *k, void (*fn)(const char *date, void *arg), void *arg)
{
	k->on_date = fn;
	k->date_arg = arg;
}

static int kube_set_origin(struct kube *k, const char *cert_pem, const char *key_pem,
			   const char *token, struct err *e)
{
	const struct http_client_config config = {
		.user_agent = "hostd/0.1",
		.ca_pem = k->ca_pem,
		.cert_pem = cert_pem,
		.key_pem = key_pem,
		.connect_timeout_ms = KUBE_CONNECT_MS,
	};
	struct kube_origin *o = mem_alloc(sizeof(*o)), *old = k->origin;
	int r = http_client_new(k->loop, &config, &o->http, e);

	if (r < 0) {
		free(o);
		return r;
	}
	o->kube = k;
	list_init(&o->calls);
	list_init(&o->node);
	if (token)
		o->authorization = mem_printf("Bearer %s", token);
	k->origin = o;
	if (old) {
		list_add(&k->retired, &old->node);
		kube_origin_unused(old);
	}
	return 0;
}

int kube_set_token(struct kube *k, const char *token, struct err *e)
{
	return kube_set_origin(k, NULL, NULL, token, e);
}

int kube_set_identity(struct kube *k, const char *cert_pem, const char *key_pem, struct err *e)
{
	return kube_set_origin(k, cert_pem, key_pem, NULL, e);
}

static void kube_call_free(struct kube_call *c)
{
	struct kube_origin *o = c->origin;

	defer_cancel(&c->failed);
	list_del(&c->node);
	buf_done(&c->refusal);
	free(c);
	if (o)
		kube_origin_unused(o);
}

struct kube_call *kube_cancel(struct kube_call *c)
{
	if (!c)
		return NULL;
	if (c->http)
		http_call_cancel(c->http);
	kube_call_free(c);
	return NULL;
}

static void kube_finish(struct kube_call *c, struct kube_result *result)
{
	void (*done)(void *, const struct kube_result *) = c->done;
	void *arg = c->arg;

	c->http = NULL;
	kube_call_free(c);
	done(arg, result);
}

static void kube_failed(struct defer *d)
{
	struct kube_call *c = container_of(d, struct kube_call, failed);
	struct err e = c->start_err;
	struct kube_result result = {.reason = "", .message = err_msg(&e), .retry_after_ms = -1};

	kube_finish(c, &result);
}

static void kube_on_head(struct http_call *http, const struct http_reply *reply, void *arg)
{
	struct kube_call *c = arg;

	(void)http;
	c->status = reply->status;
}

static int kube_stream_data(struct http_call *http, const void *data, size_t len, void *arg)
{
	struct kube_call *c = arg;

	(void)http;
	if (c->status == 200)
		return c->on_data(c->arg, data, len);
	return buf_append(&c->refusal, data, len);
}

static void kube_count(const struct kube_call *c, int status)
{
	struct kube_counts *n = &c->kube->counts;

	if (c->on_data)
		return;
	n->calls++;
	n->failures += !status || status == 429 || status >= 500;
	n->total_ms += clock_mono_ms() - c->started_ms;
}

struct kube_counts kube_counts(const struct kube *k)
{
	return k->counts;
}

static void kube_on_done(struct http_call *http, const struct http_reply *reply,
			 const struct err *e, void *arg)
{
	struct kube_call *c = arg;
	const struct buf *text = c->on_data ? &c->refusal : &reply->body;
	struct kube_result result = {.status = e ? 0 : reply->status, .reason = "", .message = ""};
	_cleanup_json_ struct json_doc *doc = NULL;
	struct err bad = ERR_INIT, transport = e ? *e : (struct err)ERR_INIT;
	char *own = NULL;

	(void)http;
	kube_count(c, result.status);
	result.retry_after_ms = reply->retry_after_s >= 0 ? MIN(reply->retry_after_s, 3600) * 1000
							  : -1;
	if (result.status && *reply->date && c->kube->on_date)
		c->kube->on_date(reply->date, c->kube->date_arg);
	if (!result.status) {
		result.message = err_msg(&transport);
	} else if (text->len && json_parse(text->data, text->len, &doc, &bad) == 0) {
		result.body = json_root(doc);
	} else if (result.status < 300 && !c->on_data) {
		result.status = 0; /* a proxy's page, a cut answer: as good as none */
		result.message = text->len ? err_msg(&bad) : "an empty answer";
	}
	if (result.status >= 300) {
		own = mem_printf("HTTP status %d", result.status);
		result.reason = json_str(json_get(result.body, "reason"), "");
		result.message = json_str(json_get(result.body, "message"), own);
	}
	kube_finish(c, &result);
	free(own);
}

struct kube_call *kube_call(struct kube *k, const struct kube_request *rq)
{
	static const struct http_call_ops collect = {.on_done = kube_on_done};
	static const struct http_call_ops stream = {
		.on_head = kube_on_head,
		.on_data = kube_stream_data,
		.on_done = kube_on_done,
	};
	struct http_header headers[] = {
		{"Accept", "application/json"},
		{"Content-Type", rq->content_type ? rq->content_type : "application/json"},
		{NULL, NULL},
		{NULL, NULL},
	};
	struct kube_call *c = mem_alloc(sizeof(*c));
	struct buf body = BUF_INIT(KUBE_BODY_MAX);
	struct http_call_spec spec = {
		.method = rq->method,
		.headers = headers,
		.reply_cap = rq->reply_cap ? rq->reply_cap : KUBE_BODY_MAX,
		.secret = true, /* any object may be one */
		.timeout_ms = rq->timeout_ms ? rq->timeout_ms : KUBE_CALL_MS,
	};
	char *url = mem_printf("%s%s", k->api, rq->path);

	*c = (struct kube_call){.kube = k,
				.on_data = rq->on_data,
				.done = rq->done,
				.arg = rq->arg,
				.started_ms = clock_mono_ms()};
	list_init(&c->node);
	buf_init(&c->refusal, KUBE_REFUSAL_MAX);
	spec.url = url;
	if (rq->body && json_write(rq->body, &body) == 0) {
		spec.body = body.data;
		spec.body_len = body.len;
	}
	if (k->origin) {
		if (k->origin->authorization)
			headers[2] =
				(struct http_header){"Authorization", k->origin->authorization};
		c->http = http_call_start(k->origin->http, &spec, rq->on_data ? &stream : &collect,
					  c, &c->start_err);
	} else {
		err_set(&c->start_err, -ENOKEY, "no identity yet");
	}
	if (c->http && k->origin) {
		c->origin = k->origin;
		list_add(&c->origin->calls, &c->node);
	} else {
		loop_defer(k->loop, &c->failed, kube_failed);
	}
	buf_done(&body);
	free(url);
	return c;
}

struct kube_call *kube_patch(struct kube *k, const struct json *body,
			     void (*done)(void *arg, const struct kube_result *result), void *arg,
			     const char *path, ...)
{
	char text[KUBE_PATH_MAX];
	const struct kube_request rq = {
		.method = "PATCH",
		.path = text,
		.content_type = "application/strategic-merge-patch+json",
		.body = body,
		.done = done,
		.arg = arg,
	};
	va_list ap;

	va_start(ap, path);
	vsnprintf(text, sizeof(text), path, ap);
	va_end(ap);
	return kube_call(k, &rq);
}

bool kube_transient(const struct kube_result *r)
{
	return r->status == 0 || r->status == 429 || r->status == 408 || r->status >= 500;
}
