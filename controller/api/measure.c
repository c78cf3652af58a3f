// SPDX-License-Identifier: Apache-2.0
/*
 * Summaries of hosts, for metrics.k8s.io: fetched when somebody asks, from all hosts that are needed at the
 * same time, and kept for some seconds. A host that does not answer is left out, and for a while not asked again:
 * the others' figures do not wait for it each time.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "stream.h"

#define MEASURE_FRESH_MS  5000
#define MEASURE_FAILED_MS 10000
#define MEASURE_FORGET_MS 60000
/* A host takes two measurements a second apart, and waits two for each */
#define MEASURE_TIMEOUT_MS 8000
#define MEASURE_REPLY_MAX  ((size_t)8 << 20)

/* A host's last Summary */
struct measure {
	struct list node;
	struct measures *measures;
	char name[API_NAME_MAX];
	struct http_call *call; /* under way */
	struct json_doc *doc; /* NULL: none, or it failed */
	uint64_t at_ms; /* when the call began; when it ended if none is under way; 0 never */
};

struct measures {
	struct api *api;
	struct list hosts;
	struct list requests;
	struct defer check;
};

struct measure_request {
	struct list node;
	struct measures *measures;
	struct http_request *r;
	struct metrics_ask ask;
	uint64_t since_ms; /* what began later is for others */
};

static void measure_free(struct measure *h)
{
	if (h->call)
		http_call_cancel(h->call);
	list_del(&h->node);
	json_doc_free(h->doc);
	free(h);
}

static void request_free(struct measure_request *q)
{
	list_del(&q->node);
	metrics_ask_done(&q->ask);
	free(q);
}

static struct measure *measure_find(struct measures *m, const char *name)
{
	struct measure *h;

	list_for_each(h, &m->hosts, node)
		if (str_eq(h->name, name))
			return h;
	return NULL;
}

static void measures_check(struct defer *d);

static void on_done(struct http_call *call, const struct http_reply *reply, const struct err *why,
		    void *arg)
{
	struct measure *h = arg;
	struct err e = ERR_INIT;

	(void)call;
	h->call = NULL;
	h->at_ms = clock_mono_ms();
	h->doc = json_doc_free(h->doc);
	if (why || reply->status != 200)
		log_warn("api", "ev=no_summary node=%s status=%d error=\"%s\"", h->name,
			 reply->status, why ? err_msg(why) : "");
	else if (json_parse(buf_str(&reply->body), reply->body.len, &h->doc, &e) < 0)
		log_warn("api", "ev=no_summary node=%s error=\"%s\"", h->name, err_msg(&e));
	/* What waits for it is answered from the loop. */
	loop_defer(h->measures->api->loop, &h->measures->check, measures_check);
}

static bool measure_old(const struct measure *h)
{
	return !h->at_ms ||
	       clock_mono_ms() - h->at_ms > (h->doc ? MEASURE_FRESH_MS : MEASURE_FAILED_MS);
}

/* Begins to fetch a host's Summary unless there is a fresh one. */
static void measure_want(const char *node, void *arg)
{
	static const struct http_call_ops ops = {.on_done = on_done};
	struct measures *m = arg;
	struct measure *h = measure_find(m, node);
	struct http_call_spec spec = {
		.method = "GET", .timeout_ms = MEASURE_TIMEOUT_MS, .reply_cap = MEASURE_REPLY_MAX};
	struct buf url = BUF_INIT(4096);

	if (!h) {
		h = mem_alloc(sizeof(*h));
		h->measures = m;
		str_copy(h->name, sizeof(h->name), node);
		list_add(&m->hosts, &h->node);
	}
	if (h->call || !measure_old(h))
		return;
	h->at_ms = clock_mono_ms();
	if (host_address(m->api->store, node, &url) == 0 && buf_puts(&url, "/stats/summary") == 0) {
		spec.url = buf_str(&url);
		h->call = http_call_start(m->api->hosts, &spec, &ops, h, NULL);
	}
	if (!h->call)
		h->doc = json_doc_free(h->doc);
	buf_done(&url);
}

static void measure_busy(const char *node, void *arg)
{
	struct measure_request *q = *(struct measure_request **)arg;
	const struct measure *h = q ? measure_find(q->measures, node) : NULL;

	if (h && h->call && h->at_ms <= q->since_ms)
		*(struct measure_request **)arg = NULL;
}

static const struct json *measure_summary(const char *node, void *arg)
{
	const struct measure *h = measure_find(arg, node);

	return h && h->doc ? json_root(h->doc) : NULL;
}

/*
 * Answers if nothing is under way that it waits for. That is only what was when it asked: where many
 * ask, some host is always asked again, and its last Summary stays until the next is there.
 */
static void request_try(struct measure_request *q)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct measure_request *ready = q;
	struct measures *m = q->measures;
	struct buf text = BUF_INIT(0);
	int status;

	metrics_hosts(&q->ask, m->api->store, measure_busy, &ready);
	if (!ready)
		return;
	doc = json_doc_new();
	status = metrics_make(&q->ask, m->api->store, measure_summary, m, doc);
	json_write(json_root(doc), &text);
	buf_puts(&text, "\n");
	http_request_on_close(q->r, NULL, NULL);
	http_reply(q->r, status, "application/json", text.data, text.len, NULL);
	buf_done(&text);
	request_free(q);
}

static void measures_check(struct defer *d)
{
	struct measures *m = container_of(d, struct measures, check);
	struct measure_request *q, *tmp;
	struct measure *h, *next;

	list_for_each_safe(q, tmp, &m->requests, node)
		request_try(q);
	list_for_each_safe(h, next, &m->hosts, node)
		if (!h->call && clock_mono_ms() - h->at_ms > MEASURE_FORGET_MS)
			measure_free(h);
}

static void on_close(struct http_request *r, void *arg)
{
	(void)r;
	request_free(arg);
}

bool measure_start(struct api_call *c, struct http_request *r)
{
	struct measures *m = c->api->measures;
	struct measure_request *q = mem_alloc(sizeof(*q));

	q->measures = m;
	q->r = r;
	list_add(&m->requests, &q->node);
	if (!metrics_ask_init(&q->ask, c)) {
		request_free(q);
		return false;
	}
	metrics_hosts(&q->ask, c->store, measure_want, m);
	q->since_ms = clock_mono_ms();
	http_request_on_close(r, on_close, q);
	loop_defer(c->api->loop, &m->check, measures_check);
	return true;
}

struct measures *measures_new(struct api *a)
{
	struct measures *m = mem_alloc(sizeof(*m));

	m->api = a;
	list_init(&m->hosts);
	list_init(&m->requests);
	return m;
}

void measures_free(struct measures *m)
{
	struct measure_request *q, *tmp;
	struct measure *h, *next;

	if (!m)
		return;
	defer_cancel(&m->check);
	list_for_each_safe(q, tmp, &m->requests, node) {
		http_request_on_close(q->r, NULL, NULL);
		request_free(q);
	}
	list_for_each_safe(h, next, &m->hosts, node)
		measure_free(h);
	free(m);
}
