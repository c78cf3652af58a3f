// SPDX-License-Identifier: Apache-2.0
/* Watches over a fake of the server's streams: what a client would read, line by line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api_world.h"
#include "api/stream.h"
#include "base/mem.h"

/* The fake: a stream is a buffer. */
struct http_request {
	struct buf text;
	bool begun, ended;
	size_t room; /* bytes before -ENOBUFS */
	void (*on_close)(struct http_request *r, void *arg);
	void *arg;
};

void http_request_on_close(struct http_request *r, void (*fn)(struct http_request *r, void *arg),
			   void *arg)
{
	r->on_close = fn;
	r->arg = arg;
}

void http_stream_begin(struct http_request *r, int status, const char *content_type)
{
	assert_int_equal(status, 200);
	assert_string_equal(content_type, "application/json");
	r->begun = true;
}

int http_stream_write(struct http_request *r, const void *data, size_t len)
{
	assert_true(r->begun && !r->ended);
	if (r->text.len + len > r->room)
		return -ENOBUFS;
	return buf_append(&r->text, data, len);
}

void http_stream_end(struct http_request *r)
{
	r->ended = true;
}

struct client {
	struct http_request r;
	struct api api;
	struct loop loop;
};

/* Return: 0, or the status of the refusal. */
static int start(struct world *w, struct client *cl, const char *path, const char *query)
{
	struct api_call *c = mem_alloc(sizeof(*c));
	int status = 0;

	memset(cl, 0, sizeof(*cl));
	cl->r.room = 1 << 20;
	assert_int_equal(loop_init(&cl->loop), 0);
	list_init(&cl->api.watches);
	cl->api.loop = &cl->loop;
	cl->api.store = c->store = w->store;
	c->api = &cl->api;
	c->method = "GET";
	c->path = path;
	c->accept = w->accept ? w->accept : "";
	c->content_type = "";
	c->user = &w->user;
	assert_int_equal(query_parse(&c->query, query), 0);
	rest_handle(c);
	assert_true(c->reply.stream);
	if (!watch_start(c, &cl->r))
		status = c->reply.status;
	query_done(&c->query);
	buf_done(&c->reply.body);
	buf_done(&c->reply.headers);
	free(c);
	return status;
}

static void stop(struct client *cl)
{
	if (cl->r.on_close)
		cl->r.on_close(&cl->r, cl->r.arg);
	buf_done(&cl->r.text);
	loop_done(&cl->loop);
}

/* "ADDED a,MODIFIED a,": types and names of what came, then forget it. */
static const char *seen(struct world *w, struct client *cl)
{
	static char out[1000];
	char *line, *rest = cl->r.text.data;

	out[0] = '\0';
	store_dispatch(w->store);
	rest = cl->r.text.len ? cl->r.text.data : NULL;
	while (rest && (line = strsep(&rest, "\n")) && *line) {
		_cleanup_json_ struct json_doc *doc = NULL;
		struct json *o;
		size_t n = strlen(out);

		assert_int_equal(json_parse(line, strlen(line), &doc, NULL), 0);
		o = json_get(json_root(doc), "object");
		if (str_eq(json_str(json_get(o, "kind"), ""), "Table"))
			o = json_get(json_item(json_get(o, "rows"), 0), "object");
		snprintf(out + n, sizeof(out) - n, "%s %s,",
			 json_str(json_get(json_root(doc), "type"), ""),
			 json_str(json_at(o, "metadata", "name", NULL), ""));
	}
	buf_clear(&cl->r.text);
	return out;
}

static void label(struct world *w, const char *name, const char *value)
{
	char path[200], body[100];

	snprintf(path, sizeof(path), PODS "/%s", name);
	snprintf(body, sizeof(body), "{\"metadata\":{\"labels\":{\"app\":\"%s\"}}}", value);
	w->type = "application/merge-patch+json";
	assert_int_equal(ask(w, "PATCH", path, "", body), 200);
	w->type = NULL;
}

static void test_follow(void **state)
{
	struct world *w = *state;
	struct client all, one, sel;
	char query[100];

	add_pod(w, POD("a"));
	snprintf(query, sizeof(query), "watch=true&resourceVersion=%llu",
		 (unsigned long long)store_rev(w->store));
	assert_int_equal(start(w, &all, PODS, query), 0);
	strcat(query, "&fieldSelector=metadata.name%3Db");
	assert_int_equal(start(w, &one, "/api/v1/pods", query), 0);
	assert_int_equal(start(w, &sel, PODS, "watch=1&labelSelector=app%3Da"), 0);
	assert_string_equal(seen(w, &sel), "ADDED a,");
	add_pod(w, POD("b"));
	label(w, "a", "x");
	label(w, "b", "a");
	label(w, "b", "y");
	assert_int_equal(ask(w, "DELETE", PODS "/b", "", ""), 200);
	assert_string_equal(seen(w, &all), "ADDED b,MODIFIED a,MODIFIED b,MODIFIED b,DELETED b,");
	assert_string_equal(seen(w, &one), "ADDED b,MODIFIED b,MODIFIED b,DELETED b,");
	/* coming under the selector is ADDED, leaving it is DELETED */
	assert_string_equal(seen(w, &sel), "DELETED a,ADDED b,DELETED b,");
	stop(&all);
	stop(&one);
	stop(&sel);
	add_pod(w, POD("c"));
	store_dispatch(w->store);
}

static void test_initial_events(void **state)
{
	struct world *w = *state;
	struct client cl;

	add_pod(w, POD("a"));
	assert_int_equal(start(w, &cl, PODS, "watch=true&sendInitialEvents=true"), 422);
	stop(&cl);
	assert_int_equal(
		start(w, &cl, PODS,
		      "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"),
		0);
	assert_non_null(strstr(buf_str(&cl.r.text), "\"k8s.io/initial-events-end\":\"true\""));
	assert_string_equal(seen(w, &cl), "ADDED a,BOOKMARK ,");
	add_pod(w, POD("b"));
	assert_string_equal(seen(w, &cl), "ADDED b,");
	stop(&cl);
}

static void test_too_old(void **state)
{
	struct world *w = *state;
	struct client cl;

	add_pod(w, POD("a"));
	for (int i = 0; i < 5000; i++) /* more than the ring holds */
		label(w, "a", i % 2 ? "x" : "y");
	assert_int_equal(start(w, &cl, PODS, "watch=true&resourceVersion=3"), 410);
	stop(&cl);
	assert_int_equal(start(w, &cl, PODS, "watch=true&resourceVersion=x"), 400);
	stop(&cl);
}

static void test_slow_client(void **state)
{
	struct world *w = *state;
	struct client cl;

	assert_int_equal(start(w, &cl, PODS, "watch=true"), 0);
	cl.r.room = 100;
	add_pod(w, POD("a"));
	store_dispatch(w->store);
	assert_true(cl.r.ended);
	add_pod(w, POD("b")); /* nothing is written any more */
	store_dispatch(w->store);
	stop(&cl);
}

static void test_table_watch(void **state)
{
	struct world *w = *state;
	struct client cl;

	w->accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
	assert_int_equal(start(w, &cl, PODS, "watch=true"), 0);
	w->accept = NULL;
	add_pod(w, POD("a"));
	add_pod(w, POD("b"));
	store_dispatch(w->store);
	assert_non_null(strstr(buf_str(&cl.r.text), "\"name\":\"Restarts\""));
	assert_string_equal(seen(w, &cl), "ADDED a,ADDED b,");
	stop(&cl);
}

static void test_end_of_time(void **state)
{
	struct world *w = *state;
	struct client cl;

	assert_int_equal(
		start(w, &cl, PODS, "watch=true&timeoutSeconds=1&allowWatchBookmarks=true"), 0);
	for (int i = 0; i < 30 && !cl.r.ended; i++)
		loop_once(&cl.loop, 100);
	assert_true(cl.r.ended);
	assert_string_equal(seen(w, &cl), "BOOKMARK ,");
	stop(&cl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_follow),      WORLD_TEST(test_initial_events),
		WORLD_TEST(test_too_old),     WORLD_TEST(test_slow_client),
		WORLD_TEST(test_table_watch), WORLD_TEST(test_end_of_time),
	};

	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
