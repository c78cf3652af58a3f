// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http/ws.h"

static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};

/* Every frame of RFC 6455 §5.7 that is short enough to write down */
static void reads_the_examples(void **state)
{
	uint8_t hello[] = {0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f};
	uint8_t masked[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};
	uint8_t parts[] = {0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f};
	uint8_t ping[] = {0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f};
	struct ws_reader server = {.from_client = false}, client = {.from_client = true};
	struct ws_piece p;

	(void)state;
	assert_int_equal(ws_read(&server, hello, sizeof(hello), 100, &p), sizeof(hello));
	assert_true(p.op == WS_TEXT && p.first && p.last && p.len == 5);
	assert_memory_equal(p.data, "Hello", 5);
	assert_int_equal(ws_read(&client, masked, sizeof(masked), 100, &p), sizeof(masked));
	assert_true(p.op == WS_TEXT && p.first && p.last && p.len == 5);
	assert_memory_equal(p.data, "Hello", 5);
	assert_int_equal(ws_read(&server, parts, sizeof(parts), 100, &p), 5);
	assert_true(p.op == WS_TEXT && p.first && !p.last && p.len == 3);
	/* A control frame may come between two fragments. */
	assert_int_equal(ws_read(&server, ping, sizeof(ping), 100, &p), sizeof(ping));
	assert_true(p.op == WS_PING && p.first && p.last && p.len == 5);
	assert_int_equal(ws_read(&server, parts + 5, 4, 100, &p), 4);
	assert_true(p.op == WS_TEXT && !p.first && p.last && p.len == 2);
	assert_memory_equal(p.data, "lo", 2);
}

/* However a message is cut, by the network or by @max, its bytes are the same. */
static void cuts_do_not_matter(void **state)
{
	uint8_t data[1000], frame[1100], out[1000], head[WS_HEAD_MAX];
	size_t n = ws_head(head, WS_BINARY, sizeof(data), mask);

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	for (size_t step = 1; step < 50; step++) {
		struct ws_reader r = {.from_client = true};
		size_t have = 0, used = 0, got = 0, total = n + sizeof(data);
		bool first = false, last = false;

		memcpy(frame, head, n);
		memcpy(frame + n, data, sizeof(data));
		ws_mask(frame + n, sizeof(data), mask);
		while (!last) {
			struct ws_piece p;
			long taken = ws_read(&r, frame + used, have - used, 13, &p);

			assert_true(taken >= 0);
			if (!taken) {
				assert_true(have < total);
				have = MIN(have + step, total);
				continue;
			}
			used += (size_t)taken;
			assert_true(p.len <= 13 && p.op == WS_BINARY);
			first |= p.first;
			last = p.last;
			memcpy(out + got, p.data, p.len);
			got += p.len;
		}
		assert_true(first);
		assert_int_equal(got, sizeof(data));
		assert_memory_equal(out, data, sizeof(data));
		assert_int_equal(used, total);
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *what;
		bool from_client;
		uint8_t data[10];
	} cases[] = {
		{"a reserved bit", false, {0xc1, 0x00}},
		{"an unknown opcode", false, {0x83, 0x00}},
		{"an unknown control opcode", false, {0x8b, 0x00}},
		{"a client without mask", true, {0x81, 0x00}},
		{"a server with one", false, {0x81, 0x80}},
		{"a ping in parts", false, {0x09, 0x00}},
		{"a long ping", false, {0x89, 0x7e, 0x00, 0x80}},
		{"a continuation of nothing", false, {0x80, 0x00}},
		{"a length beyond 63 bits", false, {0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0}},
	};
	uint8_t open[] = {0x01, 0x00}, again[] = {0x81, 0x00};
	struct ws_reader r = {.from_client = false};
	struct ws_piece p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ws_reader fresh = {.from_client = cases[i].from_client};
		uint8_t data[10];

		memcpy(data, cases[i].data, sizeof(data));
		if (ws_read(&fresh, data, sizeof(data), 100, &p) != -EPROTO)
			fail_msg("%s is taken", cases[i].what);
	}
	/* A new message within another */
	assert_int_equal(ws_read(&r, open, sizeof(open), 100, &p), 2);
	assert_true(p.first && !p.last && !p.len);
	assert_int_equal(ws_read(&r, again, sizeof(again), 100, &p), -EPROTO);
}

static void heads_have_three_sizes(void **state)
{
	static const struct {
		uint64_t len;
		size_t head;
	} cases[] = {{0, 2}, {125, 2}, {126, 4}, {65535, 4}, {65536, 10}, {1ULL << 40, 10}};
	uint8_t head[WS_HEAD_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ws_reader r = {.from_client = true};
		struct ws_piece p;

		assert_int_equal(ws_head(head, WS_BINARY, cases[i].len, NULL), cases[i].head);
		assert_int_equal(ws_head(head, WS_BINARY, cases[i].len, mask), cases[i].head + 4);
		assert_int_equal(ws_read(&r, head, cases[i].head + 4, 100, &p), cases[i].head + 4);
		assert_int_equal(r.left_, cases[i].len);
	}
}

static void handshake(void **state)
{
	char accept[WS_ACCEPT_MAX], key[WS_KEY_MAX], other[WS_KEY_MAX];

	(void)state;
	assert_string_equal(ws_accept(accept, "dGhlIHNhbXBsZSBub25jZQ=="),
			    "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	assert_null(ws_accept(accept, NULL));
	assert_null(ws_accept(accept, ""));
	assert_null(ws_accept(accept, "dGhlIHNhbXBsZSBub25jZQ=?"));
	assert_null(ws_accept(accept, "dGhlIHNhbXBsZSBub25jZTEyMzQ1"));
	assert_non_null(ws_accept(accept, ws_key(key)));
	assert_string_not_equal(key, ws_key(other));
	assert_true(ws_has_token("keep-alive, Upgrade", "upgrade"));
	assert_true(ws_has_token("v5.channel.k8s.io,v4.channel.k8s.io", "v4.channel.k8s.io"));
	assert_false(ws_has_token("v5.channel.k8s.io", "v5"));
	assert_false(ws_has_token(NULL, "v5"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_examples),
		cmocka_unit_test(cuts_do_not_matter),
		cmocka_unit_test(refuses),
		cmocka_unit_test(heads_have_three_sizes),
		cmocka_unit_test(handshake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
