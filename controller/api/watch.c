// SPDX-License-Identifier: Apache-2.0
/*
 * watch: the events of a resource as lines of JSON, for as long as the client listens.
 *
 * A selector sees objects come and go: an object that begins to match is ADDED, one that ceases to
 * is DELETED. A bookmark tells the number that the client has seen everything up to. A client that
 * is too slow is cut off: it lists again, as after every break.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "stream.h"

#define TIMEOUT_DEFAULT_S 1800
#define TIMEOUT_MAX_S	  3600
#define BOOKMARK_MS	  60000

struct watch_stream {
	struct list node;
	struct api *api;
	struct http_request *r;
	const struct api_kind *kind;
	struct store_sub sub;
	struct selector *sel;
	char namespace[API_NAME_MAX]; /* "": all */
	char name[API_NAME_MAX]; /* "": all */
	char include[16];
	bool table, head_sent, bookmarks, ended;
	struct timer bookmark, end;
};

static void watch_free(struct watch_stream *w)
{
	list_del(&w->node);
	store_unsubscribe(&w->sub);
	timer_cancel(&w->bookmark);
	timer_cancel(&w->end);
	selector_free(w->sel);
	free(w);
}

static void on_close(struct http_request *r, void *arg)
{
	(void)r;
	watch_free(arg);
}

/* Nothing more is sent; freed when the connection has taken it. */
static void finish(struct watch_stream *w)
{
	if (w->ended)
		return;
	w->ended = true;
	store_unsubscribe(&w->sub);
	timer_cancel(&w->bookmark);
	timer_cancel(&w->end);
	http_stream_end(w->r);
}

static void send_line(struct watch_stream *w, const char *type, const char *object, size_t len)
{
	struct buf line = BUF_INIT(0);
	int r = buf_printf(&line, "{\"type\":\"%s\",\"object\":", type);

	if (r == 0)
		r = buf_append(&line, object, len);
	if (r == 0)
		r = buf_puts(&line, "}\n");
	if (r == 0)
		r = http_stream_write(w->r, line.data, line.len);
	buf_done(&line);
	if (r < 0) {
		log_info("api", "ev=watch_cut resource=%s err=%s", w->kind->plural, strerror(-r));
		finish(w);
	}
}

static void send_object(struct watch_stream *w, const char *type, const struct store_object *o)
{
	const struct json *root = json_root(o->doc);
	_cleanup_json_ struct json_doc *doc = NULL;
	struct buf text = BUF_INIT(0);

	if (!w->table) {
		send_line(w, type, o->text, o->len);
		return;
	}
	doc = json_doc_new();
	table_make(doc, w->kind, &root, 1, !w->head_sent, *w->include ? w->include : NULL);
	w->head_sent = true;
	if (json_write(json_root(doc), &text) == 0)
		send_line(w, type, text.data, text.len);
	buf_done(&text);
}

static void send_bookmark(struct watch_stream *w, bool initial_end)
{
	struct buf b = BUF_INIT(0);
	char version[64];

	buf_printf(
		&b,
		"{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":{\"resourceVersion\":\"%llu\"",
		w->table ? "Table" : w->kind->kind,
		w->table ? "meta.k8s.io/v1" : kind_api_version(w->kind, version, sizeof(version)),
		(unsigned long long)store_rev(w->api->store));
	if (initial_end)
		buf_puts(&b, ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}");
	buf_puts(&b, w->table ? "},\"columnDefinitions\":[],\"rows\":[]}"
			      : ",\"creationTimestamp\":null}}");
	send_line(w, "BOOKMARK", b.data, b.len);
	buf_done(&b);
}

static bool matches(const struct watch_stream *w, const struct store_object *o)
{
	if (*w->namespace && !str_eq(o->namespace, w->namespace))
		return false;
	if (*w->name && !str_eq(o->name, w->name))
		return false;
	return selector_matches(w->sel, json_root(o->doc));
}

static void on_event(struct store_sub *sub, const struct store_event *ev)
{
	struct watch_stream *w = container_of(sub, struct watch_stream, sub);
	bool now = ev->type != STORE_DELETED && matches(w, ev->object);
	bool before = ev->old && matches(w, ev->old);

	if (now)
		send_object(w, before ? "MODIFIED" : "ADDED", ev->object);
	else if (before)
		send_object(w, "DELETED", ev->object);
}

static void on_bookmark(struct timer *t)
{
	struct watch_stream *w = container_of(t, struct watch_stream, bookmark);

	store_dispatch(w->api->store); /* the number must not run ahead of what was sent */
	if (w->ended)
		return;
	send_bookmark(w, false);
	if (!w->ended)
		timer_set(&w->bookmark, BOOKMARK_MS);
}

static void on_end(struct timer *t)
{
	struct watch_stream *w = container_of(t, struct watch_stream, end);

	store_dispatch(w->api->store);
	if (w->bookmarks && !w->ended)
		send_bookmark(w, false);
	finish(w);
}

/* What is there at the start, as ADDED. */
static void send_initial(struct watch_stream *w)
{
	struct store *s = w->api->store;
	const char *only = *w->namespace ? w->namespace : NULL, *ns = NULL, *name = NULL;
	struct store_object *o;

	for (; !w->ended && (o = store_next(s, w->kind->plural, only, ns, name));
	     ns = o->namespace, name = o->name) {
		if (matches(w, o))
			send_object(w, "ADDED", o);
	}
}

static uint64_t timeout_ms(const struct api_call *c)
{
	const char *text = query_get(&c->query, "timeoutSeconds");
	uint64_t s = 0;

	if (!text || str_u64(text, TIMEOUT_MAX_S, &s) < 0 || !s)
		s = text && str_u64(text, UINT64_MAX, &s) == 0 && s ? TIMEOUT_MAX_S
								    : TIMEOUT_DEFAULT_S;
	return s * 1000;
}

/* Return: false when it answered. */
static bool read_params(struct api_call *c, struct watch_stream *w, uint64_t *rev, bool *initial)
{
	const char *text = query_get(&c->query, "resourceVersion");
	const char *match = query_get(&c->query, "resourceVersionMatch");
	const char *include = query_get(&c->query, "includeObject");
	bool send = query_bool(&c->query, "sendInitialEvents");
	struct err e = ERR_INIT;

	*rev = 0;
	if (text && *text && str_u64(text, UINT64_MAX, rev) < 0) {
		reply_fail(c, 400, "BadRequest", "Invalid value: \"%.40s\": resourceVersion", text);
		return false;
	}
	if (send && (!match || !str_eq(match, "NotOlderThan"))) {
		reply_fail(
			c, 422, "Invalid",
			"ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: "
			"sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
		return false;
	}
	*initial = send || (!*rev && !query_get(&c->query, "sendInitialEvents"));
	if (*initial || !*rev)
		*rev = store_rev(c->store);
	if (selector_new(query_get(&c->query, "labelSelector"),
			 query_get(&c->query, "fieldSelector"), c->kind, &w->sel, &e) < 0) {
		reply_fail(c, 400, "BadRequest", "%s", err_msg(&e));
		return false;
	}
	str_copy(w->include, sizeof(w->include), include ? include : "");
	w->bookmarks = query_bool(&c->query, "allowWatchBookmarks");
	w->table = table_wanted(c->accept);
	return true;
}

bool watch_start(struct api_call *c, struct http_request *r)
{
	struct watch_stream *w = mem_alloc(sizeof(*w));
	bool initial;
	uint64_t rev;

	w->api = c->api;
	w->r = r;
	w->kind = c->kind;
	list_init(&w->node);
	str_copy(w->namespace, sizeof(w->namespace), c->namespace);
	str_copy(w->name, sizeof(w->name), c->name);
	if (!read_params(c, w, &rev, &initial)) {
		watch_free(w);
		return false;
	}
	if (store_subscribe(c->store, &w->sub, c->kind->plural, rev, on_event) < 0) {
		reply_fail(c, 410, "Expired", "too old resource version: %llu (%llu)",
			   (unsigned long long)rev, (unsigned long long)store_rev(c->store));
		watch_free(w);
		return false;
	}
	list_add(&c->api->watches, &w->node);
	c->reply.status = 200;
	timer_init(c->api->loop, &w->bookmark, on_bookmark);
	timer_init(c->api->loop, &w->end, on_end);
	http_request_on_close(r, on_close, w);
	http_stream_begin(r, 200, "application/json");
	if (initial)
		send_initial(w);
	if (query_bool(&c->query, "sendInitialEvents") && !w->ended)
		send_bookmark(w, true);
	if (!w->ended) {
		timer_set(&w->end, timeout_ms(c));
		if (w->bookmarks)
			timer_set(&w->bookmark, BOOKMARK_MS);
	}
	return true;
}

void watch_free_all(struct api *a)
{
	struct watch_stream *w, *tmp;

	list_for_each_safe(w, tmp, &a->watches, node) {
		http_request_on_close(w->r, NULL, NULL);
		watch_free(w);
	}
}
