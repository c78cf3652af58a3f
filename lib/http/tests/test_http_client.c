// SPDX-License-Identifier: Apache-2.0
/* The client: what its users may do from its callbacks, and what it makes of answers. */
#include "http_fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

static const struct http_client_config plain_client = {.user_agent = "test"};

static int start(void **state)
{
	static struct fixture f;
	const struct http_server_config config = {.stream_cap = 65536};

	fixture_start(&f, &config, &plain_client);
	*state = &f;
	return 0;
}

static int stop(void **state)
{
	fixture_stop(*state);
	return 0;
}

/* One call and what came of it */
struct call {
	struct fixture *f;
	struct http_call *call;
	int status, code, heads, ended;
	char text[256], location[64];
	int retry_after_s;
	bool done;
	void (*in_head)(struct call *c);
	void (*in_done)(struct call *c);
	struct call *other;
};

static void on_head(struct http_call *call, const struct http_reply *reply, void *arg)
{
	struct call *c = arg;

	(void)call;
	c->heads++;
	assert_true(reply->status >= 200);
	if (c->in_head)
		c->in_head(c);
}

static void on_done(struct http_call *call, const struct http_reply *reply, const struct err *e,
		    void *arg)
{
	struct call *c = arg;

	assert_ptr_equal(call, c->call);
	c->done = true;
	c->ended++;
	c->status = reply->status;
	c->code = e ? e->code : 0;
	snprintf(c->text, sizeof(c->text), "%s", e ? err_msg(e) : buf_str(&reply->body));
	snprintf(c->location, sizeof(c->location), "%s", reply->location);
	c->retry_after_s = reply->retry_after_s;
	if (c->in_done)
		c->in_done(c);
}

static void begin(struct fixture *f, struct call *c, const char *path, struct http_call_spec spec)
{
	static const struct http_call_ops ops = {.on_head = on_head, .on_done = on_done};
	_cleanup_free_ char *url = mem_printf("%s%s", f->base, path);
	struct err e = ERR_INIT;

	c->f = f;
	spec.method = spec.method ? spec.method : "GET";
	spec.url = url;
	c->call = http_call_start(f->client, &spec, &ops, c, &e);
	if (!c->call)
		fail_msg("%s", err_msg(&e));
	assert_false(c->done);
}

static struct call run(struct fixture *f, const char *path, struct http_call_spec spec)
{
	static struct call c;

	c = (struct call){0};
	begin(f, &c, path, spec);
	assert_true(fixture_run_until(f, &c.done, 5000));
	assert_int_equal(c.ended, 1);
	return c;
}

static void test_answers(void **state)
{
	struct fixture *f = *state;
	struct call c = run(f, "/redirect", (struct http_call_spec){0});

	assert_int_equal(c.status, 302);
	assert_string_equal(c.location, "/x");
	c = run(f, "/redirect", (struct http_call_spec){.follow_redirects = true});
	assert_int_equal(c.status, 200);
	assert_int_equal(c.heads, 1);
	assert_non_null(strstr(c.text, "GET /x from"));
	c = run(f, "/file", (struct http_call_spec){.reply_cap = 1000});
	assert_int_equal(c.code, -E2BIG);
	assert_non_null(strstr(c.text, "larger than 1000 bytes"));
	c = run(f, "/wait", (struct http_call_spec){.timeout_ms = 100});
	assert_int_equal(c.code, -ETIMEDOUT);
	assert_int_equal(c.status, 0);
	/* the secret in a query is not told */
	c = run(f, "/wait?token=secret", (struct http_call_spec){.timeout_ms = 100});
	assert_null(strstr(c.text, "secret"));
	assert_non_null(strstr(c.text, "/wait"));
	/* a watch that stalls */
	c = run(f, "/watch", (struct http_call_spec){.timeout_ms = -1, .stall_s = 1});
	assert_int_equal(c.code, -ETIMEDOUT);
	assert_int_equal(c.status, 200);
	c = run(f, "/empty", (struct http_call_spec){.method = "POST"});
	assert_int_equal(c.status, 200);
}

static void test_refused(void **state)
{
	static const struct http_call_ops ops = {.on_done = on_done};
	static const struct http_header split[] = {{"A", "b\r\nC: d"}, {NULL, NULL}};
	const struct http_call_spec specs[] = {
		{.method = "GET", .url = "ftp://127.0.0.1/"},
		{.method = "GET", .url = "http://a b/"},
		{.method = "GET", .url = ""},
		{.method = "G T", .url = "http://127.0.0.1/"},
		{.method = "GET", .url = "http://127.0.0.1/", .headers = split},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		struct err e = ERR_INIT;

		assert_null(http_call_start(f->client, &specs[i], &ops, NULL, &e));
		assert_int_equal(e.code, -EINVAL);
	}
	struct call c = {0};
	struct http_call_spec spec = {.method = "GET", .url = "http://127.0.0.1:1/"};

	c.call = http_call_start(f->client, &spec, &ops, &c, NULL);
	assert_true(fixture_run_until(f, &c.done, 5000));
	assert_int_equal(c.code, -ECONNREFUSED);
}

static void cancel_other(struct call *c)
{
	http_call_cancel(c->other->call);
}

static void cancel_self(struct call *c)
{
	http_call_cancel(c->call);
}

static void start_other(struct call *c)
{
	begin(c->f, c->other, "/started", (struct http_call_spec){0});
}

static void free_client(struct call *c)
{
	c->f->client = http_client_free(c->f->client);
}

static void test_cancel(void **state)
{
	struct fixture *f = *state;
	struct call waits = {0}, ends = {.in_head = cancel_other, .other = &waits};
	struct call self = {.in_head = cancel_self}, early = {0};

	begin(f, &waits, "/wait", (struct http_call_spec){0});
	fixture_run(f, 50);
	begin(f, &ends, "/a", (struct http_call_spec){0});
	begin(f, &early, "/early", (struct http_call_spec){0});
	http_call_cancel(early.call); /* before it has begun */
	begin(f, &self, "/b", (struct http_call_spec){0});
	assert_true(fixture_run_until(f, &ends.done, 5000));
	fixture_run(f, 100);
	assert_false(waits.done);
	assert_false(self.done);
	assert_false(early.done);
	assert_int_equal(self.heads, 1);
	assert_int_equal(f->requests, 3);
}

static void test_start_inside(void **state)
{
	struct fixture *f = *state;
	struct call second = {0}, first = {.in_head = start_other, .other = &second};
	struct call fourth = {0}, third = {.in_done = start_other, .other = &fourth};

	begin(f, &first, "/first", (struct http_call_spec){0});
	begin(f, &third, "/third", (struct http_call_spec){0});
	assert_true(fixture_run_until(f, &second.done, 5000));
	assert_true(fixture_run_until(f, &fourth.done, 5000));
	assert_int_equal(first.ended + second.ended + third.ended + fourth.ended, 4);
}

static void test_free_inside(void **state)
{
	struct fixture *f = *state;
	struct call waits = {0}, ends = {.in_done = free_client}, head = {.in_head = free_client};

	begin(f, &waits, "/wait", (struct http_call_spec){0});
	begin(f, &ends, "/x", (struct http_call_spec){0});
	assert_true(fixture_run_until(f, &ends.done, 5000));
	assert_null(f->client);
	assert_int_equal(http_client_new(&f->loop, &plain_client, &f->client, NULL), 0);
	begin(f, &head, "/x", (struct http_call_spec){0});
	fixture_run(f, 200);
	assert_null(f->client);
	assert_false(waits.done);
	assert_false(head.done);
}

static int count_data(struct http_call *call, const void *data, size_t len, void *arg)
{
	size_t *left = arg;

	(void)call;
	(void)data;
	if (len > *left)
		return -ENOSPC;
	*left -= len;
	return 0;
}

static void test_blocking(void **state)
{
	static const struct http_call_ops ops = {.on_data = count_data};
	struct fixture *f = *state;
	_cleanup_free_ char *file = mem_printf("%s/file", f->base),
			    *echo = mem_printf("%s/e", f->base);
	struct http_call_spec spec = {.method = "GET", .url = file};
	struct http_client *client;
	struct http_reply reply;
	struct err e = ERR_INIT;
	size_t left = 3000000;
	pid_t pid = fork();

	if (pid == 0) {
		fixture_run(f, 20000);
		_exit(0);
	}
	assert_int_equal(http_client_new(NULL, &plain_client, &client, &e), 0);
	assert_int_equal(http_client_do(client, &spec, &ops, &left, &reply, &e), 0);
	assert_int_equal(left, 0);
	http_reply_done(&reply);
	/* the sink's own code comes back */
	left = 5;
	assert_int_equal(http_client_do(client, &spec, &ops, &left, &reply, &e), -ENOSPC);
	http_reply_done(&reply);
	spec = (struct http_call_spec){.method = "PUT", .url = echo, .body = "abc", .body_len = 3};
	assert_int_equal(http_client_do(client, &spec, NULL, NULL, &reply, &e), 0);
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.content_type, "text/plain");
	assert_true(strlen(reply.date) == strlen("Sun, 22 Nov 2026 00:00:00 GMT"));
	assert_non_null(strstr(reply.body.data, "abc"));
	http_reply_done(&reply);
	/* a loop's call is not for a client without one */
	assert_null(http_call_start(client, &spec, &ops, &left, &e));
	assert_null(http_client_free(client));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers, start, stop),
		cmocka_unit_test_setup_teardown(test_refused, start, stop),
		cmocka_unit_test_setup_teardown(test_cancel, start, stop),
		cmocka_unit_test_setup_teardown(test_start_inside, start, stop),
		cmocka_unit_test_setup_teardown(test_free_inside, start, stop),
		cmocka_unit_test_setup_teardown(test_blocking, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
