// SPDX-License-Identifier: Apache-2.0
/* A tunnel to our own server: what both ends of an upgraded connection promise each other. */
#include "http_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "http/tunnel.h"

/* What the owner of the tunnel saw */
struct seen {
	bool open, over, room;
	int status, code;
	char head[1024], body[256];
	struct buf data;
	bool pause; /* from the first byte on */
	bool free_on_data;
	struct http_tunnel *t;
};

static void on_open(struct http_tunnel *t, const char *head, void *arg)
{
	struct seen *s = arg;

	(void)t;
	s->open = true;
	str_copy(s->head, sizeof(s->head), head);
}

static void on_data(struct http_tunnel *t, const void *data, size_t len, void *arg)
{
	struct seen *s = arg;

	buf_append(&s->data, data, len);
	if (s->pause)
		http_tunnel_pause(t, true);
	if (s->free_on_data) {
		s->t = http_tunnel_free(t);
		s->over = true;
	}
}

static void on_room(struct http_tunnel *t, void *arg)
{
	(void)t;
	((struct seen *)arg)->room = true;
}

static void on_refused(struct http_tunnel *t, int status, const char *body, void *arg)
{
	struct seen *s = arg;

	(void)t;
	s->status = status;
	s->over = true;
	str_copy(s->body, sizeof(s->body), body);
}

static void on_closed(struct http_tunnel *t, const struct err *e, void *arg)
{
	struct seen *s = arg;

	(void)t;
	s->code = e ? e->code : 0;
	s->over = true;
}

static const struct http_tunnel_ops ops = {.on_open = on_open,
					   .on_data = on_data,
					   .on_room = on_room,
					   .on_refused = on_refused,
					   .on_closed = on_closed};

static int start(void **state)
{
	const struct http_server_config config = {.address = "127.0.0.1",
						  .listen_fd = -1,
						  .stream_cap = 4 << 20,
						  .idle_timeout_s = 1};
	const struct http_client_config client = {.user_agent = "test"};
	struct fixture *f = mem_alloc(sizeof(*f));

	fixture_start(f, &config, &client);
	*state = f;
	return 0;
}

static int stop(void **state)
{
	fixture_stop(*state);
	free(*state);
	return 0;
}

static void begin(struct fixture *f, struct seen *s, const char *path)
{
	static const struct http_header headers[] = {
		{"Upgrade", "echo"}, {"X-Left-Out", NULL}, {NULL, NULL}};
	const struct http_client_config config = {.connect_timeout_ms = 2000};
	_cleanup_free_ char *url = mem_printf("%s%s", f->base, path);
	const struct http_tunnel_spec spec = {.method = "GET", .url = url, .headers = headers};
	struct err e = ERR_INIT;

	assert_int_equal(http_tunnel_new(&f->loop, &config, &spec, &ops, s, &s->t, &e), 0);
}

static void test_echo(void **state)
{
	struct fixture *f = *state;
	struct seen s = {0};
	char value[16];

	begin(f, &s, "/raw");
	assert_int_equal(http_tunnel_write(s.t, "x", 1), -EPIPE); /* not open yet */
	assert_true(fixture_run_until(f, &s.open, 2000));
	assert_string_equal(http_tunnel_header(s.head, "upgrade", value, sizeof(value)), "echo");
	assert_null(http_tunnel_header(s.head, "x-none", value, sizeof(value)));
	assert_null(http_tunnel_header(s.head, "upgrade", value, 4));
	assert_int_equal(http_tunnel_write(s.t, "hello ", 6), 0);
	/* The idle limit is for those who ask, not for those who talk. */
	fixture_run(f, 1500);
	assert_false(s.over);
	assert_int_equal(http_tunnel_write(s.t, "end.", 4), 0);
	assert_true(fixture_run_until(f, &s.over, 2000));
	assert_int_equal(s.code, 0);
	assert_string_equal(buf_str(&s.data), "hello end.");
	http_tunnel_free(s.t);
	buf_done(&s.data);
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	struct seen s = {0};

	begin(f, &s, "/missing");
	assert_true(fixture_run_until(f, &s.over, 2000));
	assert_int_equal(s.status, 404);
	assert_string_equal(s.body, "nothing at /missing");
	assert_false(s.open);
	http_tunnel_free(s.t);
}

static void test_nobody_there(void **state)
{
	const struct http_client_config config = {.connect_timeout_ms = 2000};
	struct http_tunnel_spec spec = {.method = "GET", .url = "http://127.0.0.1:1/"};
	const struct http_header broken[] = {{"X", "a\r\nY: b"}, {NULL, NULL}};
	struct fixture *f = *state;
	struct seen s = {0};
	struct err e = ERR_INIT;

	assert_int_equal(http_tunnel_new(&f->loop, &config, &spec, &ops, &s, &s.t, &e), 0);
	assert_true(fixture_run_until(f, &s.over, 2000));
	assert_int_equal(s.code, -ECONNREFUSED);
	http_tunnel_free(s.t);
	spec.headers = broken;
	assert_int_equal(http_tunnel_new(&f->loop, &config, &spec, &ops, &s, &s.t, &e), -EINVAL);
	spec.headers = NULL;
	spec.url = "ftp://127.0.0.1/";
	assert_int_equal(http_tunnel_new(&f->loop, &config, &spec, &ops, &s, &s.t, &e), -EINVAL);
}

/* 2 MB each way, while the owner takes nothing for a time */
static void test_much(void **state)
{
	static char piece[16384];
	struct fixture *f = *state;
	struct seen s = {.pause = true};
	size_t sent = 0;

	begin(f, &s, "/raw");
	assert_true(fixture_run_until(f, &s.open, 2000));
	for (size_t i = 0; i < 128; i++) {
		memset(piece, 'a' + (int)(i % 26), sizeof(piece));
		assert_int_equal(http_tunnel_write(s.t, piece, sizeof(piece)), 0);
		sent += sizeof(piece);
	}
	assert_true(http_tunnel_pending(s.t) > HTTP_TUNNEL_ROOM);
	fixture_run(f, 300);
	assert_true(s.data.len < sent);
	s.pause = false;
	http_tunnel_pause(s.t, false);
	for (int i = 0; i < 200 && s.data.len < sent; i++)
		fixture_run(f, 10);
	assert_int_equal(s.data.len, sent);
	assert_true(s.room);
	for (size_t i = 0; i < sent; i++)
		if (s.data.data[i] != 'a' + (char)(i / sizeof(piece) % 26))
			fail_msg("byte %zu differs", i);
	http_tunnel_free(s.t);
	buf_done(&s.data);
}

static void test_freed_in_a_callback(void **state)
{
	struct fixture *f = *state;
	struct seen s = {.free_on_data = true};

	begin(f, &s, "/raw");
	assert_true(fixture_run_until(f, &s.open, 2000));
	assert_int_equal(http_tunnel_write(s.t, "x", 1), 0);
	assert_true(fixture_run_until(f, &s.over, 2000));
	fixture_run(f, 50);
	assert_int_equal(f->closed, 1);
	buf_done(&s.data);
	/* and one that never got anywhere */
	begin(f, &s, "/wait");
	fixture_run(f, 50);
	http_tunnel_free(s.t);
	fixture_run(f, 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_echo, start, stop),
		cmocka_unit_test_setup_teardown(test_refused, start, stop),
		cmocka_unit_test_setup_teardown(test_nobody_there, start, stop),
		cmocka_unit_test_setup_teardown(test_much, start, stop),
		cmocka_unit_test_setup_teardown(test_freed_in_a_callback, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
