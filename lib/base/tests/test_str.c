// SPDX-License-Identifier: Apache-2.0
/* Query strings and what is percent-encoded in them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"

static void test_percent(void **state)
{
	static const char *const bad[] = {"%", "%4", "a%4", "%g1", "%1g", "a%00b", "%%41"};
	char text[32];

	(void)state;
	str_copy(text, sizeof(text), "a%2Fb%2f+%c3%A4");
	assert_int_equal(str_percent_decode(text, false), 0);
	assert_string_equal(text, "a/b/+\xc3\xa4");
	str_copy(text, sizeof(text), "a+b%2B");
	assert_int_equal(str_percent_decode(text, true), 0);
	assert_string_equal(text, "a b+");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		str_copy(text, sizeof(text), bad[i]);
		assert_int_equal(str_percent_decode(text, true), -EINVAL);
	}
}

static void test_query_flag(void **state)
{
	static const char *const set[] = {"", "1", "true", "True", "yes", "00"};
	static const char *const not_set[] = {NULL, "0", "false", "False", "FALSE"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(set); i++)
		assert_true(str_query_flag(set[i]));
	for (size_t i = 0; i < ARRAY_SIZE(not_set); i++)
		assert_false(str_query_flag(not_set[i]));
}

static void test_query(void **state)
{
	static const struct {
		const char *key, *value;
	} pairs[] = {{"a", "1"}, {"b", ""}, {"c", ""}, {"d&", "x=y z"}, {"a", "2"}};
	char text[] = "&a=1&b&c=&&d%26=x=y+z&a=2&";
	const char *key, *value;
	char *rest = text;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		assert_int_equal(str_query_next(&rest, &key, &value), 1);
		assert_string_equal(key, pairs[i].key);
		assert_string_equal(value, pairs[i].value);
	}
	assert_int_equal(str_query_next(&rest, &key, &value), 0);
	assert_int_equal(str_query_next(&rest, &key, &value), 0);

	str_copy(text, sizeof(text), "");
	rest = text;
	assert_int_equal(str_query_next(&rest, &key, &value), 0);
	str_copy(text, sizeof(text), "a=1&b=%zz");
	rest = text;
	assert_int_equal(str_query_next(&rest, &key, &value), 1);
	assert_int_equal(str_query_next(&rest, &key, &value), -EINVAL);
}

static void test_words(void **state)
{
	static const char line[] = "console=ttyS0 BOOTIF=01-52 quiet\n";

	(void)state;
	assert_string_equal(str_word(line, "BOOTIF="), "01-52 quiet\n");
	assert_null(str_word(line, "OOTIF="));
	assert_null(str_word("", "a"));
	assert_null(str_word(" \n", "a"));
	assert_true(str_has_word(line, "quiet"));
	assert_false(str_has_word(line, "qui"));
	assert_false(str_has_word(line, "console"));
	assert_true(str_has_word("svm_lock svm", "svm"));
	assert_false(str_has_word("svm_lock vsvm", "svm"));
	assert_false(str_has_word("", "svm"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_percent),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_query_flag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
