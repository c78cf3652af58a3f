// SPDX-License-Identifier: Apache-2.0
/* The server over plain HTTP: with our own client, and with bytes that no good client sends. */
#include "http_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

static const struct http_client_config plain_client;

static int start(void **state)
{
	static struct fixture f;
	struct http_server_config config = {
		.body_cap = 100000,
		.stream_cap = 65536,
		.connections_max = 8,
		.idle_timeout_s = 1,
	};

	fixture_start(&f, &config, &plain_client);
	*state = &f;
	return 0;
}

static int stop(void **state)
{
	fixture_stop(*state);
	return 0;
}

static void test_echo(void **state)
{
	struct fixture *f = *state;

	fixture_call(f, "GET", "/a%20b/c?q=1%2b1&q=+&p=9&q", NULL, 0);
	assert_int_equal(f->status, 200);
	assert_string_equal(f->body.data,
			    "GET /a b/c from 127.0.0.1\nq=1+1\nq= \nq=\nx-test: a  b\n");
	assert_string_equal(f->content_type, "text/plain");
	fixture_call(f, "PATCH", "/p", "body", 4);
	assert_string_equal(f->body.data, "PATCH /p from 127.0.0.1\nx-test: a  b\nbody");
	fixture_call(f, "HEAD", "/p", NULL, 0);
	assert_int_equal(f->status, 200);
	assert_int_equal(f->body.len, 0);
	fixture_call(f, "DELETE", "/none", NULL, 0);
	assert_int_equal(f->status, 204);
	fixture_call(f, "GET", "/missing", NULL, 0);
	assert_int_equal(f->status, 404);
	assert_string_equal(f->body.data, "nothing at /missing");
	assert_false(f->peer.verified);
}

static void test_large_bodies(void **state)
{
	struct fixture *f = *state;
	char *body = mem_alloc(200000);

	memset(body, 'x', 200000);
	fixture_call(f, "POST", "/p", body, 100000);
	assert_int_equal(f->status, 200);
	assert_true(f->body.len > 100000);
	/* libcurl may be in the middle of sending: the answer or a broken connection, no handler */
	fixture_call(f, "POST", "/p", body, 100001);
	assert_true(f->status == 413 || f->error.code);
	assert_int_equal(f->requests, 1);
	free(body);
}

static void test_stream(void **state)
{
	struct fixture *f = *state;
	size_t total = 3000000;

	f->stream_left = total;
	fixture_call(f, "GET", "/stream", NULL, 0);
	assert_int_equal(f->status, 200);
	assert_int_equal(f->error.code, 0);
	assert_int_equal(f->streamed, total);
	for (size_t i = 0; i < total; i++)
		assert_int_equal((unsigned char)f->body.data[i], (total - i) % 251);
	assert_true(f->refused_room);
}

struct paused {
	struct http_call *call;
	size_t seen;
	bool begun, done;
};

static int pause_data(struct http_call *call, const void *data, size_t len, void *arg)
{
	struct paused *p = arg;

	(void)data;
	if (!p->seen)
		http_call_pause(call, true);
	p->begun = true;
	p->seen += len;
	return 0;
}

static void pause_done(struct http_call *call, const struct http_reply *reply, const struct err *e,
		       void *arg)
{
	struct paused *p = arg;

	(void)call;
	assert_null(e);
	assert_int_equal(reply->status, 200);
	p->done = true;
}

static void test_pause(void **state)
{
	static const struct http_call_ops ops = {.on_data = pause_data, .on_done = pause_done};
	struct fixture *f = *state;
	_cleanup_free_ char *url = mem_printf("%s/stream", f->base);
	struct http_call_spec spec = {.method = "GET", .url = url};
	struct paused p = {.call = NULL};
	size_t before;

	f->stream_left = 30000000; /* more than sockets hold */
	p.call = http_call_start(f->client, &spec, &ops, &p, NULL);
	assert_non_null(p.call);
	assert_true(fixture_run_until(f, &p.begun, 10000));
	fixture_run(f, 300);
	before = p.seen;
	assert_in_range(before, 1, 10000000);
	fixture_run(f, 200);
	assert_int_equal(p.seen, before);
	http_call_pause(p.call, false);
	assert_true(fixture_run_until(f, &p.done, 20000));
	assert_int_equal(p.seen, 30000000);
}

static void test_file(void **state)
{
	struct fixture *f = *state;

	fixture_call(f, "GET", "/file", NULL, 0);
	assert_int_equal(f->streamed, 3000000);
	assert_memory_equal(f->body.data + 2999997, "end", 3);
	assert_string_equal(f->content_type, "application/x-file");
	fixture_call(f, "HEAD", "/file", NULL, 0);
	assert_int_equal(f->status, 200);
	assert_int_equal(f->streamed, 0);
}

/* A watch ends when its reader goes; so does a request that nobody has answered */
static void test_peer_goes(void **state)
{
	static const char *const requests[] = {
		"GET /watch HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		int fd = fixture_connect(f);

		fixture_send(f, fd, requests[i], strlen(requests[i]));
		/* longer than the idle time: a handler may take its time */
		fixture_run(f, 1300);
		assert_non_null(f->pending);
		close(fd);
		fixture_run(f, 100);
		assert_null(f->pending);
	}
	assert_int_equal(f->closed, 2);
}

#define CHUNKED	    "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
#define TEN_HEADERS "A:1\r\nA:1\r\nA:1\r\nA:1\r\nA:1\r\nA:1\r\nA:1\r\nA:1\r\nA:1\r\nA:1\r\n"

static const struct {
	const char *text, *reply; /* what must be in the answer */
} exchanges[] = {
	{"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\n"},
	{"GET / HTTP/1.0\r\n\r\n", "Connection: close\r\n\r\nGET / from 127.0.0.1"},
	{"\r\nGET / HTTP/1.1\nHost: x\nConnection: Keep-Alive, Close\n\n", "200 OK"},
	/* pipelined */
	{"GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	 "GET /2 from"},
	{CHUNKED
	 "3\r\nabc\r\n0a;ext\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nGET /n HTTP/1.0\r\n\r\n",
	 "abc0123456789HTTP/1.1 200 OK"},
	{CHUNKED "zz\r\n", "400 Bad Request"},
	{CHUNKED "3\r\nabcX", "400 Bad Request"},
	{CHUNKED "fffffffffffffffff\r\n", "400 Bad Request"},
	{"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
	 "HTTP/1.1 100 Continue\r\n\r\n"},
	{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n", "413 "},
	{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", "413 "},
	{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400 "},
	{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", "400 "},
	{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
	 "400 "},
	{"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "501 "},
	{"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400 "},
	{"GET / HTTP/1.1\r\n\r\n", "400 "},
	{"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400 "},
	{"GET / HTTP/1.1\r\nHost : x\r\n\r\n", "400 "},
	{"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", "400 "},
	{"GET / HTTP/1.1\r\nHost: x\r\nA: b\001c\r\n\r\n", "400 "},
	{"GET /../etc HTTP/1.1\r\nHost: x\r\n\r\n", "400 "},
	{"GET /a/%2e%2E HTTP/1.1\r\nHost: x\r\n\r\n", "400 "},
	{"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", "400 "},
	{"GET /%4 HTTP/1.1\r\nHost: x\r\n\r\n", "400 "},
	{"GET /?%zz HTTP/1.1\r\nHost: x\r\n\r\n", "400 "},
	{"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", "400 "},
	{"GET / HTTP/2.0\r\nHost: x\r\n\r\n", "400 "},
	{"GET / HTTP/1.2\r\nHost: x\r\n\r\n", "505 "},
	{"G(T / HTTP/1.1\r\nHost: x\r\n\r\n", "400 "},
	{"GETGETGETGETGETGET / HTTP/1.1\r\nHost: x\r\n\r\n", "501 "},
	{"GET / HTTP/1.1\r\nHost: x\r\nExpect: miracle\r\n\r\n", "417 "},
	{"GET / HTTP/1.1\r\nHost: x\r\n" TEN_HEADERS TEN_HEADERS TEN_HEADERS TEN_HEADERS TEN_HEADERS
		 TEN_HEADERS TEN_HEADERS "\r\n",
	 "431 "},
	{"\x16\x03\x01\x02", "400 "},
	/* half a head and half a body: the time runs out */
	{"GET / HTT", "408 "},
	{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc", "408 "},
};

static void test_exchanges(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(exchanges); i++) {
		struct buf b = BUF_INIT(0);
		int fd = fixture_connect(f);

		fixture_send(f, fd, exchanges[i].text, strlen(exchanges[i].text));
		fixture_read(f, fd, &b, exchanges[i].reply, 2500);
		if (!strstr(buf_str(&b), exchanges[i].reply))
			fail_msg("%s\nwas answered with\n%s", exchanges[i].text, buf_str(&b));
		close(fd);
		buf_done(&b);
	}
}

static void test_split_anywhere(void **state)
{
	static const char text[] = CHUNKED "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
	struct fixture *f = *state;

	for (size_t cut = 1; cut < sizeof(text) - 1; cut++) {
		struct buf b = BUF_INIT(0);
		int fd = fixture_connect(f);

		fixture_send(f, fd, text, cut);
		fixture_run(f, 1);
		fixture_send(f, fd, text + cut, sizeof(text) - 1 - cut);
		fixture_read(f, fd, &b, "abcde", 2000);
		assert_non_null(strstr(buf_str(&b), "abcde"));
		close(fd);
		buf_done(&b);
	}
}

static void test_head_too_long(void **state)
{
	struct fixture *f = *state;
	struct buf b = BUF_INIT(0);
	char *text = mem_alloc(70001);
	int fd = fixture_connect(f);

	memset(text, 'a', 70000);
	snprintf(text, 70001, "GET /");
	text[5] = 'a';
	fixture_send(f, fd, text, 70000);
	assert_true(fixture_read(f, fd, &b, "431 ", 2000) || strstr(buf_str(&b), "431 "));
	assert_non_null(strstr(buf_str(&b), "431 "));
	close(fd);
	buf_done(&b);
	free(text);
}

static void test_chunks_of_nothing(void **state)
{
	struct fixture *f = *state;
	struct buf b = BUF_INIT(0);
	int fd = fixture_connect(f);

	fixture_send(f, fd, CHUNKED, strlen(CHUNKED));
	/* Extensions cost the sender nothing and must not cost us memory */
	for (int i = 0; i < 1000; i++) {
		char piece[1001];

		snprintf(piece, sizeof(piece), "1;%0993d\r\nx\r\n", 0);
		fixture_send(f, fd, piece, strlen(piece));
	}
	fixture_read(f, fd, &b, "413 ", 2000);
	assert_int_equal(f->requests, 0);
	close(fd);
	buf_done(&b);
}

/* A body behind a status that has none would be read as the next answer. */
static void test_no_body(void **state)
{
	static const char request[] = "GET /none HTTP/1.1\r\nHost: x\r\n\r\n"
				      "GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
	struct fixture *f = *state;
	struct buf b = BUF_INIT(0);
	int fd = fixture_connect(f);

	fixture_send(f, fd, request, sizeof(request) - 1);
	fixture_read(f, fd, &b, NULL, 2000);
	assert_non_null(strstr(b.data, "204 No Content\r\n"));
	assert_null(strstr(b.data, "no body here"));
	close(fd);
	buf_done(&b);
}

static void test_raw(void **state)
{
	static const char request[] =
		"GET /raw HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly ";
	struct fixture *f = *state;
	struct buf b = BUF_INIT(0);
	int fd = fixture_connect(f);

	fixture_send(f, fd, request, sizeof(request) - 1);
	fixture_read(f, fd, &b, "early ", 2000);
	assert_non_null(strstr(b.data, "101 Switching Protocols\r\n"));
	assert_non_null(strstr(b.data, "\r\n\r\nearly "));
	fixture_send(f, fd, "late.", 5);
	assert_true(fixture_read(f, fd, &b, NULL, 1000));
	assert_non_null(strstr(b.data, "early late."));
	close(fd);
	buf_done(&b);
}

static void test_crowd(void **state)
{
	struct fixture *f = *state;
	int fds[20];

	/* Silent connections give way to one that has something to say. */
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = fixture_connect(f);
	fixture_run(f, 50);
	fixture_call(f, "GET", "/", NULL, 0);
	assert_int_equal(f->status, 200);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	fixture_run(f, 1200);
	/* Busy ones do not: the ninth waits until one of them goes. */
	for (size_t i = 0; i < 8; i++) {
		fds[i] = fixture_connect(f);
		fixture_send(f, fds[i], "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n", 32);
	}
	fixture_run(f, 50);
	assert_int_equal(f->requests, 9);
	fds[8] = fixture_connect(f);
	fixture_send(f, fds[8], "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n", 32);
	fixture_run(f, 100);
	assert_int_equal(f->requests, 9);
	close(fds[0]);
	fixture_run(f, 100);
	assert_int_equal(f->requests, 10);
	for (size_t i = 1; i < 9; i++)
		close(fds[i]);
	fixture_run(f, 50);
}

/* An answer that is never read must not hold its connection for ever */
static void test_reader_sleeps(void **state)
{
	struct fixture *f = *state;
	int fd = fixture_connect(f);

	f->stream_left = 100000000;
	fixture_send(f, fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n", 34);
	fixture_run(f, 2500);
	assert_int_equal(f->closed, 1);
	assert_true(f->refused_room);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_echo, start, stop),
		cmocka_unit_test_setup_teardown(test_large_bodies, start, stop),
		cmocka_unit_test_setup_teardown(test_stream, start, stop),
		cmocka_unit_test_setup_teardown(test_pause, start, stop),
		cmocka_unit_test_setup_teardown(test_file, start, stop),
		cmocka_unit_test_setup_teardown(test_peer_goes, start, stop),
		cmocka_unit_test_setup_teardown(test_exchanges, start, stop),
		cmocka_unit_test_setup_teardown(test_split_anywhere, start, stop),
		cmocka_unit_test_setup_teardown(test_head_too_long, start, stop),
		cmocka_unit_test_setup_teardown(test_chunks_of_nothing, start, stop),
		cmocka_unit_test_setup_teardown(test_no_body, start, stop),
		cmocka_unit_test_setup_teardown(test_raw, start, stop),
		cmocka_unit_test_setup_teardown(test_crowd, start, stop),
		cmocka_unit_test_setup_teardown(test_reader_sleeps, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
