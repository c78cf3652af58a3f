// SPDX-License-Identifier: Apache-2.0
/* An exec over SPDY: streams become channels; what is around it (server, hostd) is recorded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/exec_part.h"
#include "base/mem.h"
#include "base/str.h"

/* Streams 1, 3, 5 for error, stdin and stdout, as a client packs them; see lib/http/tests/test_spdy.c */
static const char opening[] =
	"\x80\x03\x00\x01\x00\x00\x00\x28\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x78\xf9\xe3\xc6\xa7"
	"\xc2\x02\xa6\x23\x46\x70\x3a\x2b\x29\x4a\x4d\xcc\x85\x16\x25\xac\xa9\xa0\x80\x06\x00\x00\x00"
	"\xff\xff\x80\x03\x00\x01\x00\x00\x00\x17\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\xc2\x2e\x55"
	"\x5c\x02\xcc\x2e\x00\x00\x00\x00\xff\xff\x80\x03\x00\x01\x00\x00\x00\x19\x00\x00\x00\x05\x00"
	"\x00\x00\x00\x00\x00\xc2\x2a\x05\x4c\xe7\x29\xf9\xa5\x25\x00\x00\x00\x00\xff\xff";

static struct loop loop;
static struct execs execs = {.loop = &loop};
static const char *offered[3];
static struct buf said; /* to the client */
static char packets[256]; /* for hostd: "KIND:bytes " */
static int finished, watched;
static size_t pending;

const char *http_request_header_nth(const struct http_request *r, const char *name, size_t n)
{
	(void)r;
	assert_string_equal(name, "x-stream-protocol-version");
	return n < ARRAY_SIZE(offered) ? offered[n] : NULL;
}

int http_stream_write(struct http_request *r, const void *data, size_t len)
{
	(void)r;
	return buf_append(&said, data, len);
}

size_t http_stream_pending(const struct http_request *r)
{
	(void)r;
	return pending;
}

void exec_put_packet(struct exec_request *q, enum exec_pipe_kind kind, const void *data, size_t len)
{
	size_t n = strlen(packets);

	(void)q;
	snprintf(packets + n, sizeof(packets) - n, "%d:%.*s ", (int)kind, (int)len,
		 (const char *)data);
}

void exec_put_resize(struct exec_request *q, const char *text, size_t len)
{
	exec_put_packet(q, EXEC_PIPE_RESIZE, text, len);
}

void exec_finish(struct exec_request *q, bool error)
{
	(void)q;
	finished += error ? 100 : 1;
}

void exec_watch(struct exec_request *q)
{
	(void)q;
	watched++;
}

static int feed(struct exec_request *q, const char *data, size_t len)
{
	size_t used = 0, pos = 0;
	int r;

	do {
		r = exec_spdy.take(q, (uint8_t *)(uintptr_t)data + pos, len - pos, &used);
		pos += used;
	} while (r == 1);
	assert_int_equal(r < 0 ? len : pos, len);
	return r;
}

static struct exec_request *begin(void)
{
	struct exec_request *q = mem_alloc(sizeof(*q));

	offered[0] = "v4.channel.k8s.io";
	offered[1] = "v3.channel.k8s.io";
	q->execs = &execs;
	q->want_in = q->want_out = true;
	packets[0] = '\0';
	finished = watched = 0;
	pending = 0;
	buf_clear(&said);
	assert_null(exec_spdy.greet(q));
	return q;
}

static void end(struct exec_request *q)
{
	exec_spdy.done(q);
	free(q);
}

static void test_greeting(void **state)
{
	struct exec_request *q = begin();

	(void)state;
	assert_non_null(strstr(q->headers, "Upgrade: SPDY/3.1\r\n"));
	assert_non_null(strstr(q->headers, "X-Stream-Protocol-Version: v4.channel.k8s.io\r\n"));
	end(q);
	q = mem_alloc(sizeof(*q));
	offered[0] = "channel.k8s.io";
	assert_non_null(exec_spdy.greet(q));
	end(q);
}

static void test_streams(void **state)
{
	struct exec_request *q = begin();

	(void)state;
	assert_true(timer_armed(&q->patience));
	feed(q, opening, 48); /* the first two are not enough */
	assert_false(exec_spdy.ready(q));
	feed(q, opening + 48, sizeof(opening) - 1 - 48);
	assert_true(exec_spdy.ready(q));
	assert_int_equal(watched, 1);
	assert_false(timer_armed(&q->patience));
	assert_int_equal(said.len, 32 + 26 + 26); /* three replies */

	buf_clear(&said);
	assert_int_equal(exec_spdy.say(q, CHANNEL_STDOUT, "hello", 5), 0);
	assert_int_equal(exec_spdy.say(q, CHANNEL_STDERR, "nobody", 6), 0);
	assert_int_equal(exec_spdy.say(q, CHANNEL_STATUS, "{}", 2), 0);
	assert_int_equal(said.len, 8 + 5 + 8 + 2);
	assert_memory_equal(said.data, "\0\0\0\5\0\0\0\5hello\0\0\0\1\0\0\0\2{}", said.len);

	buf_clear(&said);
	exec_spdy.leave(q, false);
	assert_int_equal(said.len, 8 + 8 + 16); /* the end of stdout and of error, and all of it */
	assert_memory_equal(said.data, "\0\0\0\5\1\0\0\0\0\0\0\1\1\0\0\0\x80\3\0\7", 20);
	end(q);
}

static void test_client(void **state)
{
	struct exec_request *q = begin();

	(void)state;
	feed(q, opening, sizeof(opening) - 1);
	feed(q, "\0\0\0\3\0\0\0\2ab\0\0\0\3\1\0\0\1c", 19);
	assert_string_equal(packets, "0:ab 0:c 5: ");
	feed(q, "\0\0\0\7\0\0\0\1x", 9); /* a stream that nobody opened */
	assert_string_equal(packets, "0:ab 0:c 5: ");

	packets[0] = '\0';
	q->streams[CHANNEL_RESIZE] = 9;
	feed(q, "\0\0\0\x9\0\0\0\4{1}\n\0\0\0\x9\0\0\0\2{2\0\0\0\x9\0\0\0\2}\n", 32);
	assert_string_equal(packets, "4:{1} 4:{2} ");

	buf_clear(&said);
	feed(q, "\x80\3\0\6\0\0\0\4\0\0\0\1\x80\3\0\6\0\0\0\4\0\0\0\2", 24);
	assert_int_equal(said.len, 12); /* pings of the client's own numbers only */
	pending = EXEC_PENDING_MAX + 1;
	feed(q, "\x80\3\0\6\0\0\0\4\0\0\0\3", 12);
	assert_int_equal(said.len, 12); /* and not for one that does not read */
	pending = 0;

	feed(q, "\x80\3\0\3\0\0\0\x8\0\0\0\5\0\0\0\5", 16); /* wants no more output */
	assert_true(exec_spdy.ready(q));
	assert_int_equal(exec_spdy.say(q, CHANNEL_STDOUT, "hello", 5), 0);
	assert_int_equal(said.len, 12);
	feed(q, "\x80\3\0\7\0\0\0\x8\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(finished, 1);
	assert_true(feed(q, "\x80\x02\0\1\0\0\0\0", 8) < 0);
	end(q);
}

static void test_patience(void **state)
{
	struct exec_request *q = begin();

	(void)state;
	q->patience.fn(&q->patience);
	assert_int_equal(finished, 100);
	end(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_greeting),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_client),
		cmocka_unit_test(test_patience),
	};
	int r;

	if (loop_init(&loop) < 0)
		return 1;
	r = cmocka_run_group_tests_name("exec_spdy", tests, NULL, NULL);
	loop_done(&loop);
	buf_done(&said);
	return r;
}
