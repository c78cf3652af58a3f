// SPDX-License-Identifier: Apache-2.0
/*
 * Which hosts are asked for a Summary, and when answers go out. The test is both ends of HTTP: it
 * sees the calls that begin, ends them in the order that it wants, and gets the answers.
 */
#include <stdio.h>
#include <unistd.h>

#include "api/stream.h"
#include "api_world.h"
#include "base/mem.h"

#define CALLS_MAX 8
#define STALE_US  5200000 /* a Summary is kept for five seconds */

struct http_call {
	struct http_call_ops ops;
	void *arg;
	char url[64];
};

struct http_request {
	void (*on_close)(struct http_request *r, void *arg);
	void *arg;
	int status;
	struct json_doc *answer;
};

static struct http_call *calls[CALLS_MAX];
static size_t begun, cancelled;

struct http_call *http_call_start(struct http_client *client, const struct http_call_spec *spec,
				  const struct http_call_ops *ops, void *arg, struct err *e)
{
	struct http_call *call = mem_alloc(sizeof(*call));

	(void)client;
	(void)e;
	assert_true(begun < CALLS_MAX);
	*call = (struct http_call){.ops = *ops, .arg = arg};
	str_copy(call->url, sizeof(call->url), spec->url);
	calls[begun++] = call;
	return call;
}

void http_call_cancel(struct http_call *call)
{
	cancelled++;
	free(call);
}

void http_request_on_close(struct http_request *r, void (*fn)(struct http_request *r, void *arg),
			   void *arg)
{
	r->on_close = fn;
	r->arg = arg;
}

void http_reply(struct http_request *r, int status, const char *content_type, const void *data,
		size_t len, const char *headers)
{
	(void)headers;
	assert_string_equal(content_type, "application/json");
	assert_int_equal(r->status, 0);
	r->status = status;
	assert_int_equal(json_parse(data, len, &r->answer, NULL), 0);
}

/* Ends a call as a host would; 0: it does not answer. */
static void end_call(size_t n, int status)
{
	static const char text[] =
		"{\"node\":{\"cpu\":{\"time\":\"2026-01-02T03:04:05Z\",\"usageNanoCores\":1},"
		"\"memory\":{\"workingSetBytes\":1024}}}";
	struct http_reply reply = {.status = status, .body = BUF_INIT(0)};
	struct err e = ERR_INIT;

	if (status)
		buf_puts(&reply.body, text);
	else
		err_set(&e, -1, "gone");
	calls[n]->ops.on_done(calls[n], &reply, status ? NULL : &e, calls[n]->arg);
	buf_done(&reply.body);
	free(calls[n]);
	calls[n] = NULL;
}

/* An API of two hosts. */
struct place {
	struct loop loop;
	struct api api;
};

static void place_init(struct place *p, struct world *w)
{
	static const char *const names[] = {"h1", "h2"};
	char body[200];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(body, sizeof(body),
			 "{\"metadata\":{\"name\":\"%s\"},\"status\":{\"addresses\":["
			 "{\"type\":\"InternalIP\",\"address\":\"10.0.0.%zu\"}]}}",
			 names[i], i + 1);
		assert_int_equal(ask(w, "POST", "/api/v1/nodes", "", body), 201);
	}
	begun = cancelled = 0;
	assert_int_equal(loop_init(&p->loop), 0);
	p->api = (struct api){.loop = &p->loop, .store = w->store};
	p->api.measures = measures_new(&p->api);
}

static void place_done(struct place *p)
{
	measures_free(p->api.measures);
	loop_done(&p->loop);
}

static void run(struct place *p)
{
	assert_int_equal(loop_once(&p->loop, 0), 0);
}

static void want_nodes(struct place *p, struct http_request *r)
{
	struct api_call *c = mem_alloc(sizeof(*c));

	*r = (struct http_request){.status = 0};
	c->api = &p->api;
	c->store = p->api.store;
	c->kind = kind_find("metrics.k8s.io", "v1beta1", "nodes");
	assert_int_equal(query_parse(&c->query, ""), 0);
	assert_true(measure_start(c, r));
	query_done(&c->query);
	free(c);
	run(p);
}

/* Answered, with so many hosts. */
static void assert_answer(struct http_request *r, size_t hosts)
{
	assert_int_equal(r->status, 200);
	assert_int_equal(json_count(json_get(json_root(r->answer), "items")), hosts);
	assert_null(r->on_close);
	r->answer = json_doc_free(r->answer);
}

static void test_shared(void **state)
{
	struct http_request first, second, third;
	struct place p;

	place_init(&p, *state);
	want_nodes(&p, &first);
	assert_int_equal(begun, 2);
	assert_string_equal(calls[0]->url, "https://10.0.0.1:10250/stats/summary");
	want_nodes(&p, &second);
	assert_int_equal(begun, 2);
	end_call(0, 200);
	run(&p);
	assert_int_equal(first.status, 0);
	end_call(1, 0);
	run(&p);
	assert_answer(&first, 1); /* without the one that is silent */
	assert_answer(&second, 1);
	want_nodes(&p, &third); /* neither is asked again so soon */
	assert_int_equal(begun, 2);
	assert_answer(&third, 1);
	place_done(&p);
	assert_int_equal(cancelled, 0);
}

static void test_close(void **state)
{
	struct http_request first, second;
	struct place p;

	place_init(&p, *state);
	want_nodes(&p, &first);
	want_nodes(&p, &second);
	first.on_close(&first, first.arg);
	end_call(1, 200);
	run(&p);
	place_done(&p);
	assert_int_equal(first.status, 0);
	assert_int_equal(second.status, 0);
	assert_null(second.on_close);
	assert_int_equal(cancelled, 1);
}

/* What others ask for later holds nobody up. */
static void test_not_starved(void **state)
{
	struct http_request first, second;
	struct place p;

	place_init(&p, *state);
	want_nodes(&p, &first);
	end_call(0, 200);
	run(&p);
	usleep(STALE_US);
	want_nodes(&p, &second);
	assert_int_equal(begun, 3); /* the first host once more */
	end_call(1, 200);
	run(&p);
	assert_answer(&first, 2);
	assert_int_equal(second.status, 0);
	end_call(2, 200);
	run(&p);
	assert_answer(&second, 2);
	place_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_shared),
		WORLD_TEST(test_close),
		WORLD_TEST(test_not_starved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
