// SPDX-License-Identifier: Apache-2.0
/*
 * List, then watch, as client-go's reflector: the store's copy of a collection follows the server's.
 * Whatever breaks, the next list puts it right. Writes to the store keep its own numbers; the
 * server's resourceVersion is kept beside, for the writes that go back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

#define LIST_CAP	 ((size_t)64 << 20)
#define LINE_CAP	 ((size_t)4 << 20)
#define WATCH_S		 300
#define WATCH_TIMEOUT_MS ((WATCH_S + 30) * 1000)
#define LIST_TIMEOUT_MS	 60000
#define AGAIN_MS	 200

static void go(struct mirror *m);

static void on_retry(struct timer *t)
{
	go(container_of(t, struct mirror, retry));
}

static const char *text_at(const struct json *object, const char *key)
{
	return json_str(json_at(object, "metadata", key, NULL), "");
}

static void put(struct mirror *m, const struct json *object)
{
	struct store *s = m->remote->store;
	const char *ns = text_at(object, "namespace"), *name = text_at(object, "name");
	struct store_object *old;
	struct json_doc *doc;
	struct json *root;
	struct err e = ERR_INIT;
	int r;

	if (!*name)
		return;
	doc = json_doc_new();
	root = json_copy(doc, object);
	json_set_root(doc, root);
	json_put_str(doc, root, "kind", m->kind);
	json_put_str(doc, root, "apiVersion", m->api_version);
	json_put_str(doc, root, REMOTE_REV_KEY, text_at(object, "resourceVersion"));
	old = store_get(s, m->resource, ns, name);
	if (old && !str_eq(text_at(json_root(old->doc), "uid"), text_at(object, "uid"))) {
		store_delete(s, m->resource, ns, name, 0, NULL); /* another of the same name */
		old = NULL;
	}
	r = old ? store_update(s, m->resource, ns, name, 0, doc, NULL, &e)
		: store_create(s, m->resource, ns, name, doc, NULL, &e);
	if (r < 0)
		log_warn("remote", "resource=%s name=%s msg=\"%s\"", m->resource, name,
			 err_msg(&e));
}

static bool in_list(const struct json *items, const struct store_object *o)
{
	struct json_iter it = json_iter(items);

	while (json_next(&it)) {
		if (str_eq(text_at(it.value, "name"), o->name) &&
		    str_eq(text_at(it.value, "namespace"), o->namespace))
			return true;
	}
	return false;
}

static void replace_all(struct mirror *m, const struct json *items)
{
	struct store *s = m->remote->store;
	struct json_iter it = json_iter(items);
	char ns[256] = "", name[256] = "";
	struct store_object *o;

	while ((o = store_next(s, m->resource, NULL, ns, name))) {
		str_copy(ns, sizeof(ns), o->namespace);
		str_copy(name, sizeof(name), o->name);
		if (!in_list(items, o))
			store_delete(s, m->resource, ns, name, 0, NULL);
	}
	while (json_next(&it))
		put(m, it.value);
}

/* One line of the watch. Return: 0; -ESTALE: list again */
static int take_event(struct mirror *m, const char *line, size_t len)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	const struct json *object;
	const char *type;

	if (json_parse(line, len, &doc, NULL) < 0)
		return -ESTALE;
	type = json_str(json_get(json_root(doc), "type"), "");
	object = json_get(json_root(doc), "object");
	if (str_eq(type, "ERROR"))
		return -ESTALE;
	if (str_eq(type, "ADDED") || str_eq(type, "MODIFIED"))
		put(m, object);
	else if (str_eq(type, "DELETED"))
		store_delete(m->remote->store, m->resource, text_at(object, "namespace"),
			     text_at(object, "name"), 0, NULL);
	str_copy(m->rev, sizeof(m->rev), text_at(object, "resourceVersion"));
	return 0;
}

static int on_data(struct http_call *call, const void *data, size_t len, void *arg)
{
	struct mirror *m = arg;
	const char *nl;
	int r = buf_append(&m->line, data, len);

	(void)call;
	while (r == 0 && m->line.len && (nl = memchr(m->line.data, '\n', m->line.len))) {
		size_t n = (size_t)(nl - m->line.data);

		r = n ? take_event(m, m->line.data, n) : 0;
		buf_consume(&m->line, n + 1);
	}
	if (r < 0)
		m->rev[0] = '\0';
	return r;
}

/* A list has come, or a watch has ended. */
static void on_done(struct http_call *call, const struct http_reply *reply, const struct err *e,
		    void *arg)
{
	struct mirror *m = arg;
	_cleanup_json_ struct json_doc *doc = NULL;
	bool ok = reply->status == 200 && !e;

	(void)call;
	m->call = NULL;
	if (m->watching && reply->status == 410)
		m->rev[0] = '\0';
	if (!m->watching && ok)
		ok = json_parse(reply->body.data, reply->body.len, &doc, NULL) == 0;
	if (!m->watching && ok) {
		if (m->failures)
			log_info("remote", "ev=remote_back resource=%s", m->resource);
		replace_all(m, json_get(json_root(doc), "items"));
		str_copy(m->rev, sizeof(m->rev), text_at(json_root(doc), "resourceVersion"));
	}
	if (ok) {
		m->failures = 0;
	} else if (!m->watching || reply->status != 200) {
		if (!m->failures++)
			log_warn("remote", "ev=remote_lost resource=%s status=%d msg=\"%s\"",
				 m->resource, reply->status, e ? err_msg(e) : "");
	}
	timer_set(&m->retry, m->failures ? remote_backoff_ms(m->failures) : AGAIN_MS);
	if (m->failures)
		m->rev[0] = '\0';
}

static void go(struct mirror *m)
{
	static const struct http_call_ops list = {.on_done = on_done};
	static const struct http_call_ops watch = {.on_data = on_data, .on_done = on_done};
	_cleanup_free_ char *path = NULL;
	struct err e = ERR_INIT;

	m->watching = *m->rev;
	buf_clear(&m->line);
	path = m->watching
		       ? mem_printf(
				 "%s?watch=true&allowWatchBookmarks=true&timeoutSeconds=%d&resourceVersion=%s",
				 m->path, WATCH_S, m->rev)
		       : mem_strdup(m->path);
	m->call = remote_call(m->remote, "GET", path, NULL,
			      m->watching ? WATCH_TIMEOUT_MS : LIST_TIMEOUT_MS,
			      m->watching ? &watch : &list, m, &e);
	if (!m->call) {
		log_warn("remote", "resource=%s msg=\"%s\"", m->resource, err_msg(&e));
		timer_set(&m->retry, remote_backoff_ms(++m->failures));
	}
}

void mirror_start(struct remote *r, struct mirror *m)
{
	m->remote = r;
	buf_init(&m->line, LINE_CAP);
	timer_init(r->loop, &m->retry, on_retry);
	timer_set(&m->retry, 0);
}

void mirror_stop(struct mirror *m)
{
	if (m->call)
		http_call_cancel(m->call);
	timer_cancel(&m->retry);
	buf_done(&m->line);
}
