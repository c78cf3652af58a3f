// SPDX-License-Identifier: Apache-2.0
/* What a client of an exec says, byte by byte and at once; what must be refused; what we say. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http/spdy.h"

/* Streams 1, 3, 5 with their types packed as clients pack them, a ping, data and its end, settings, a reset, the end. */
static const char client[] =
	"\x80\x03\x00\x01\x00\x00\x00\x28\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x78\xf9\xe3\xc6\xa7"
	"\xc2\x02\xa6\x23\x46\x70\x3a\x2b\x29\x4a\x4d\xcc\x85\x16\x25\xac\xa9\xa0\x80\x06\x00\x00\x00"
	"\xff\xff\x80\x03\x00\x01\x00\x00\x00\x17\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\xc2\x2e\x55"
	"\x5c\x02\xcc\x2e\x00\x00\x00\x00\xff\xff\x80\x03\x00\x01\x00\x00\x00\x19\x00\x00\x00\x05\x00"
	"\x00\x00\x00\x00\x00\xc2\x2a\x05\x4c\xe7\x29\xf9\xa5\x25\x00\x00\x00\x00\xff\xff\x80\x03\x00"
	"\x06\x00\x00\x00\x04\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00\x05\x68\x65\x6c\x6c\x6f\x00"
	"\x00\x00\x03\x01\x00\x00\x00\x80\x03\x00\x04\x00\x00\x00\x04\x00\x00\x00\x00\x80\x03\x00\x03"
	"\x00\x00\x00\x08\x00\x00\x00\x05\x00\x00\x00\x05\x80\x03\x00\x07\x00\x00\x00\x08\x00\x00\x00"
	"\x00\x00\x00\x00\x00";

struct seen {
	char types[64], data[64];
	uint32_t end, reset, ping;
	int goaway;
};

static int feed(const char *text, size_t size, size_t step, struct seen *seen)
{
	const uint8_t *data = (const uint8_t *)text;
	struct spdy *s = spdy_new();
	size_t have = step < size ? step : size, pos = 0, used;
	struct spdy_piece p;
	char type[32];
	int r;

	memset(seen, 0, sizeof(*seen));
	while ((r = spdy_read(s, data + pos, have - pos, 4, &used, &p)) == 1 || have < size) {
		pos += used;
		if (r < 0)
			break;
		if (r == 0)
			have += step < size - have ? step : size - have;
		if (r == 1 && p.kind == SPDY_OPEN) {
			assert_true(spdy_header(s, "streamtype", type, sizeof(type)));
			assert_false(spdy_header(s, "streamtype", type, 3));
			assert_false(spdy_header(s, "nothing", type, sizeof(type)));
			assert_true(spdy_header(s, "streamtype", type, sizeof(type)));
			strcat(strcat(seen->types, type), " ");
		} else if (r == 1 && p.kind == SPDY_DATA) {
			assert_in_range(p.len, 1, 4);
			strncat(seen->data, (const char *)p.data, p.len);
		} else if (r == 1 && p.kind == SPDY_END) {
			seen->end = p.stream;
		} else if (r == 1 && p.kind == SPDY_RESET) {
			seen->reset = p.stream;
		} else if (r == 1 && p.kind == SPDY_PING) {
			seen->ping = p.stream;
		} else if (r == 1 && p.kind == SPDY_GOAWAY) {
			seen->goaway++;
		}
	}
	spdy_free(s);
	return r;
}

static void test_client(void **state)
{
	struct seen seen;

	(void)state;
	for (size_t step = 1; step < sizeof(client); step += 7) {
		assert_int_equal(feed(client, sizeof(client) - 1, step, &seen), 0);
		assert_string_equal(seen.types, "error stdin stdout ");
		assert_string_equal(seen.data, "hello");
		assert_int_equal(seen.end, 3);
		assert_int_equal(seen.reset, 5);
		assert_int_equal(seen.ping, 1);
		assert_int_equal(seen.goaway, 1);
	}
}

static int refused(const char *text, size_t len)
{
	struct seen seen;

	return feed(text, len, len, &seen);
}

static void test_refused(void **state)
{
	char twice[96];

	(void)state;
	/* version 2; a control frame of 16 MiB; a stream without its ten bytes; of an even number */
	assert_int_equal(refused("\x80\x02\0\1\0\0\0\0", 8), -EPROTO);
	assert_int_equal(refused("\x80\x03\0\1\0\xff\xff\xff", 8), -EPROTO);
	assert_int_equal(refused("\x80\x03\0\1\0\0\0\4\0\0\0\1", 12), -EPROTO);
	assert_int_equal(refused("\x80\x03\0\1\0\0\0\x0a\0\0\0\2\0\0\0\0\0\0", 18), -EPROTO);
	/* headers that are not zlib's */
	assert_int_equal(refused("\x80\x03\0\1\0\0\0\x0e\0\0\0\1\0\0\0\0\0\0\1\2\3\4", 22),
			 -EPROTO);
	/* one stream twice */
	memcpy(twice, client, 48);
	memcpy(twice + 48, client + 48, 31);
	twice[48 + 11] = 1;
	assert_int_equal(refused(twice, 48 + 31), -EPROTO);
}

static void test_frames(void **state)
{
	static const uint8_t reply[] = {0x80, 3,    0, 2, 0,	0,    0,    24,
					0,    0,    0, 5, 0x78, 0x20, 0xe3, 0xc6,
					0xa7, 0xc2, 0, 4, 0,	0xfb, 0xff, 0,
					0,    0,    0, 0, 0,	0,    0xff, 0xff};
	struct spdy *s = spdy_new();
	uint8_t out[SPDY_REPLY_MAX];

	(void)state;
	assert_int_equal(spdy_reply(s, out, 5), sizeof(reply));
	assert_memory_equal(out, reply, sizeof(reply));
	assert_int_equal(spdy_reply(s, out, 7), sizeof(reply) - 6);
	assert_int_equal(spdy_data(out, 5, 0x1234, true), 8);
	assert_memory_equal(out, "\0\0\0\5\1\0\x12\x34", 8);
	assert_int_equal(spdy_ping(out, 9), 12);
	assert_memory_equal(out, "\x80\3\0\6\0\0\0\4\0\0\0\x9", 12);
	assert_int_equal(spdy_goaway(out, 5), 16);
	spdy_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_client),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_frames),
	};

	return cmocka_run_group_tests_name("spdy", tests, NULL, NULL);
}
