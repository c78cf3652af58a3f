// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "kube/log_query.h"

struct pair {
	const char *key, *value;
};

static const char *get(const char *key, const void *arg)
{
	const struct pair *p = arg;

	for (; p->key; p++)
		if (strcmp(p->key, key) == 0)
			return p->value;
	return NULL;
}

static void good(void **state)
{
	static const struct pair pairs[] = {
		{"follow", "true"},	  {"timestamps", "False"}, {"previous", ""},
		{"tailLines", "+12"},	  {"limitBytes", "1024"},  {"stream", "Stderr"},
		{"sinceSeconds", "3600"}, {"sinceTime", ""},	   {NULL, NULL}};
	static const struct pair none[] = {{NULL, NULL}};
	static const struct pair time[] = {
		{"sinceTime", "2026-01-02T03:04:05.5+01:00"}, {"tailLines", "0"}, {NULL, NULL}};
	struct log_query q;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(log_query_parse(get, pairs, &q, &e), 0);
	assert_true(q.follow && !q.timestamps && q.previous);
	assert_true(q.want_stderr && !q.want_stdout);
	assert_true(q.tail_lines == 12 && q.limit_bytes == 1024 && q.since_seconds == 3600);
	assert_int_equal(log_query_parse(get, none, &q, &e), 0);
	assert_true(!q.follow && !q.previous && q.want_stdout && q.want_stderr);
	assert_true(q.tail_lines == -1 && q.limit_bytes == 0 && q.since_ns == 0);
	assert_int_equal(log_query_parse(get, time, &q, &e), 0);
	assert_true(q.since_ns == 1767319445500000000ULL && q.tail_lines == 0);
}

/* Refused in the words of the real server */
static void bad(void **state)
{
	static const struct {
		struct pair pairs[3];
		int code;
		const char *words;
	} cases[] = {
		{{{"tailLines", "abc"}},
		 -EBADMSG,
		 "strconv.ParseInt: parsing \"abc\": invalid syntax"},
		{{{"tailLines", ""}}, -EBADMSG, "strconv.ParseInt: parsing \"\": invalid syntax"},
		{{{"limitBytes", "1k"}},
		 -EBADMSG,
		 "strconv.ParseInt: parsing \"1k\": invalid syntax"},
		{{{"limitBytes", "99999999999999999999"}},
		 -EBADMSG,
		 "strconv.ParseInt: parsing \"99999999999999999999\": value out of range"},
		{{{"tailLines", "-1"}},
		 -EINVAL,
		 "tailLines: Invalid value: -1: must be greater than or equal to 0"},
		{{{"limitBytes", "0"}},
		 -EINVAL,
		 "limitBytes: Invalid value: 0: must be greater than 0"},
		{{{"sinceSeconds", "0"}},
		 -EINVAL,
		 "sinceSeconds: Invalid value: 0: must be greater than 0"},
		{{{"sinceTime", "noon"}},
		 -EBADMSG,
		 "parsing time \"noon\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"noon\" as "
		 "\"2006\""},
		{{{"sinceTime", "2026-01-02T03:04:05Z"}, {"sinceSeconds", "1"}},
		 -EINVAL,
		 ": Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"},
		{{{"stream", "Both"}},
		 -EINVAL,
		 "stream: Unsupported value: \"Both\": supported values: \"All\", \"Stderr\", "
		 "\"Stdout\""},
	};
	struct log_query q;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(log_query_parse(get, cases[i].pairs, &q, &e), cases[i].code);
		assert_string_equal(err_msg(&e), cases[i].words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(good), cmocka_unit_test(bad)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
