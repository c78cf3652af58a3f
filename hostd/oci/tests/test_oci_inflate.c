// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "oci/inflate.h"

/* "hello zstd\n" by zstd -1 --no-check */
static const unsigned char zstd_frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x48, 0x59,
					   0x00, 0x00, 0x68, 0x65, 0x6c, 0x6c, 0x6f,
					   0x20, 0x7a, 0x73, 0x74, 0x64, 0x0a};

static int sink(void *arg, const void *data, size_t len)
{
	return buf_append(arg, data, len);
}

static int refuse(void *arg, const void *data, size_t len)
{
	(void)arg;
	(void)data;
	(void)len;
	return -EIO;
}

/* Feeds @data in pieces of @piece bytes. Return: the first failure */
static int unpack(const void *data, size_t len, size_t piece, uint64_t max, struct buf *out)
{
	struct oci_inflate *f = oci_inflate_new(max, sink, out);
	struct err e = ERR_INIT;
	int r = 0;

	for (size_t at = 0; at < len && r == 0; at += piece)
		r = oci_inflate_add(f, (const char *)data + at, MIN(piece, len - at), &e);
	if (r == 0)
		r = oci_inflate_end(f, &e);
	assert_int_equal(r, e.code);
	oci_inflate_free(f);
	return r;
}

static void gzip(struct buf *out, const void *data, size_t len)
{
	z_stream z = {0};

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(buf_reserve(out, deflateBound(&z, len)), 0);
	z.next_in = (unsigned char *)(uintptr_t)data;
	z.avail_in = (uInt)len;
	z.next_out = (unsigned char *)out->data + out->len;
	z.avail_out = (uInt)deflateBound(&z, len);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	out->len += z.total_out;
	deflateEnd(&z);
}

static const size_t pieces[] = {1, 2, 3, 7, 4096, 1 << 20};

static void test_good(void **state)
{
	struct buf in = BUF_INIT(0), out = BUF_INIT(0);
	char *text = mem_alloc(500000);

	(void)state;
	for (size_t i = 0; i < 500000; i++)
		text[i] = (char)(i * i >> 7);
	for (size_t p = 0; p < ARRAY_SIZE(pieces); p++) {
		/* two members after each other are one stream */
		buf_clear(&in);
		buf_clear(&out);
		gzip(&in, text, 300000);
		gzip(&in, text + 300000, 200000);
		assert_int_equal(unpack(in.data, in.len, pieces[p], 500000, &out), 0);
		assert_int_equal(out.len, 500000);
		assert_memory_equal(out.data, text, 500000);
		buf_clear(&out);
		assert_int_equal(unpack(text, 500000, pieces[p], 500000, &out), 0);
		assert_memory_equal(out.data, text, 500000);
		buf_clear(&in);
		buf_append(&in, zstd_frame, sizeof(zstd_frame));
		buf_append(&in, zstd_frame, sizeof(zstd_frame));
		buf_clear(&out);
		assert_int_equal(unpack(in.data, in.len, pieces[p], 1000, &out), 0);
		assert_string_equal(out.data, "hello zstd\nhello zstd\n");
	}
	/* shorter than any magic */
	buf_clear(&out);
	assert_int_equal(unpack("ab", 2, 1, 10, &out), 0);
	assert_int_equal(unpack("", 0, 1, 10, &out), 0);
	assert_string_equal(out.data, "ab");
	buf_done(&in);
	buf_done(&out);
	free(text);
}

static void test_bad(void **state)
{
	struct buf in = BUF_INIT(0), out = BUF_INIT(0);
	char text[5000] = "text";

	(void)state;
	gzip(&in, text, sizeof(text));
	for (size_t len = 4; len < in.len; len++)
		assert_int_equal(unpack(in.data, len, 100, 10000, &out), -EBADMSG);
	buf_append(&in, "rest", 4);
	assert_int_equal(unpack(in.data, in.len, 100, 10000, &out), -EBADMSG);
	in.data[in.len - 8] ^= 1; /* its checksum */
	assert_int_equal(unpack(in.data, in.len, 100, 10000, &out), -EBADMSG);
	for (size_t len = 4; len < sizeof(zstd_frame); len++)
		assert_int_equal(unpack(zstd_frame, len, 100, 10000, &out), -EBADMSG);
	assert_int_equal(unpack("\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff", 9, 100, 10000, &out),
			 -EBADMSG);
	buf_done(&in);
	buf_done(&out);
}

static void test_bomb(void **state)
{
	struct buf in = BUF_INIT(0), out = BUF_INIT(0);
	char *zeros = mem_alloc(50000000);

	(void)state;
	gzip(&in, zeros, 50000000);
	assert_true(in.len < 60000);
	assert_int_equal(unpack(in.data, in.len, 4096, 1000000, &out), -ENOSPC);
	assert_true(out.len <= 1000000);
	assert_int_equal(unpack(zeros, 1000, 10, 999, &out), -ENOSPC);
	buf_done(&in);
	buf_done(&out);
	free(zeros);
}

static void test_sink_fails(void **state)
{
	struct oci_inflate *f = oci_inflate_new(1000, refuse, NULL);
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(oci_inflate_add(f, "plain text", 10, &e), -EIO);
	assert_int_equal(e.code, 0);
	oci_inflate_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bomb),
		cmocka_unit_test(test_sink_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
