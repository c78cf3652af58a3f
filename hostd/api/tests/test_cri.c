// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "api/cri.h"
#include "base/mem.h"

#define LOG                                               \
	"2026-01-02T03:04:05.000000001Z stdout F one\n"   \
	"2026-01-02T03:04:06.000000002Z stderr P two-\n"  \
	"2026-01-02T03:04:06.000000003Z stderr F three\n" \
	"2026-01-02T03:04:07.000000004Z stdout F \n"      \
	"2026-01-02T03:04:08.000000005Z stdout F four\n"

static const struct cri_options all = {.want_stdout = true, .want_stderr = true, .tail_lines = -1};

static void assert_filtered(struct cri_options o, const char *wanted)
{
	/* Whatever the size of the pieces, the answer is the same. */
	for (size_t step = 1; step < sizeof(LOG); step += 7) {
		struct buf out = BUF_INIT(0);
		struct cri_filter f;

		cri_filter_init(&f, &o);
		for (size_t i = 0; i < sizeof(LOG) - 1; i += step)
			assert_int_equal(cri_filter_feed(&f, LOG + i,
							 MIN(step, sizeof(LOG) - 1 - i), &out),
					 0);
		assert_string_equal(buf_str(&out), wanted);
		cri_filter_done(&f);
		buf_done(&out);
	}
}

static void test_filter(void **state)
{
	struct cri_options o = all;

	(void)state;
	assert_filtered(o, "one\ntwo-three\n\nfour\n");
	o.timestamps = true;
	assert_filtered(o, "2026-01-02T03:04:05.000000001Z one\n"
			   "2026-01-02T03:04:06.000000002Z two-three\n"
			   "2026-01-02T03:04:07.000000004Z \n"
			   "2026-01-02T03:04:08.000000005Z four\n");
	o = all;
	o.want_stdout = false;
	assert_filtered(o, "two-three\n");
	o = all;
	o.since_ns = 1767323047ULL * 1000000000; /* 03:04:07 */
	assert_filtered(o, "\nfour\n");
	o = all;
	o.limited = true;
	o.limit_bytes = 6;
	assert_filtered(o, "one\ntw");
}

static void test_bad_lines(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		"2026-01-02T03:04:05Z",
		"2026-01-02T03:04:05Z stdin F x",
		"2026-01-02T03:04:05Z stdout X x",
		"yesterday stdout F x",
		"2026-01-02T03:04:05.0000000000000000000000000000000000Z stdout F x"};
	struct cri_line line;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(cri_parse(bad[i], strlen(bad[i]), &line), -EBADMSG);
}

static void test_long_line_is_dropped_and_the_next_one_kept(void **state)
{
	size_t len = CRI_LINE_MAX + 100;
	_cleanup_free_ char *text = mem_alloc(len);
	struct buf out = BUF_INIT(0);
	struct cri_filter f;

	(void)state;
	memset(text, 'x', len);
	text[len - 1] = '\n';
	cri_filter_init(&f, &all);
	assert_int_equal(cri_filter_feed(&f, text, len, &out), 0);
	assert_int_equal(cri_filter_feed(&f, LOG, 44, &out), 0);
	assert_string_equal(buf_str(&out), "one\n");
	cri_filter_done(&f);
	buf_done(&out);
}

struct pair {
	const char *key, *value;
};

static const char *get_pair(const char *key, const void *arg)
{
	const struct pair *p = arg;

	for (; p->key; p++)
		if (strcmp(p->key, key) == 0)
			return p->value;
	return NULL;
}

static void test_options(void **state)
{
	const struct pair good[] = {{"follow", "true"},
				    {"timestamps", "false"},
				    {"tailLines", "12"},
				    {"sinceSeconds", "10"},
				    {"limitBytes", "1024"},
				    {"stream", "Stderr"},
				    {NULL, NULL}};
	const struct pair bad[][3] = {{{"tailLines", "-1"}},
				      {{"stream", "Both"}},
				      {{"sinceTime", "2026-01-02T03:04:05Z"},
				       {"sinceSeconds", "1"}}};
	struct cri_options o;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(cri_options_parse(get_pair, good, 30000000000ULL, &o, &e), 0);
	assert_true(o.follow && !o.timestamps && o.limited && o.want_stderr && !o.want_stdout);
	assert_int_equal(o.tail_lines, 12);
	assert_int_equal(o.since_ns, 20000000000ULL);
	assert_int_equal(o.limit_bytes, 1024);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(cri_options_parse(get_pair, bad[i], 1, &o, &e), -EINVAL);
}

#define PART                                           \
	"2026-01-02T03:04:09.000000006Z stdout P go\n" \
	"2026-01-02T03:04:10.000000007Z stdou"

static long tail(int fd, struct cri_options o, int64_t lines)
{
	int64_t found;
	long offset;

	o.tail_lines = lines;
	offset = (long)cri_tail_offset(fd, &o, &found);
	assert_true(found <= lines);
	return offset;
}

/* Where the entry of that time begins */
static long at(const char *time)
{
	return strstr(LOG, time) - LOG - (long)strlen("2026-01-02T03:04:");
}

static void test_tail(void **state)
{
	int fd = memfd_create("log", 0);
	struct cri_options o = all;

	(void)state;
	assert_int_equal(tail(fd, all, 1), 0); /* of an empty file */
	assert_int_equal(write(fd, LOG, sizeof(LOG) - 1), sizeof(LOG) - 1);
	assert_int_equal(tail(fd, all, 0), sizeof(LOG) - 1);
	assert_int_equal(tail(fd, all, 1), at("08.000000005"));
	assert_int_equal(tail(fd, all, 2), at("07.000000004"));
	/* A line is all that its container wrote before its newline. */
	assert_int_equal(tail(fd, all, 3), at("06.000000002"));
	assert_int_equal(tail(fd, all, 4), 0);
	assert_int_equal(tail(fd, all, 500), 0);
	/* Of one stream only its lines count. */
	o.want_stdout = false;
	assert_int_equal(tail(fd, o, 1), 0);
	assert_int_equal(write(fd, LOG, sizeof(LOG) - 1), sizeof(LOG) - 1);
	assert_int_equal(tail(fd, o, 1), at("07.000000004"));
	for (int i = 0; i < 4999; i++)
		assert_int_equal(write(fd, LOG, sizeof(LOG) - 1), sizeof(LOG) - 1);
	assert_int_equal(tail(fd, all, 4 * 4000), 1001 * (long)(sizeof(LOG) - 1));
	/* The last line has no end yet, or is being written. */
	assert_int_equal(write(fd, PART, sizeof(PART) - 1), sizeof(PART) - 1);
	assert_int_equal(tail(fd, all, 1), 5001 * (long)(sizeof(LOG) - 1));
	assert_int_equal(tail(fd, all, 2), 5000 * (long)(sizeof(LOG) - 1) + at("08.000000005"));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_long_line_is_dropped_and_the_next_one_kept),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_tail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
