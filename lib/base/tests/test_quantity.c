// SPDX-License-Identifier: Apache-2.0
/* Quantities and base64. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/quantity.h"
#include "base/str.h"

static void test_quantity(void **state)
{
	static const struct {
		const char *text;
		unsigned int scale;
		int64_t value;
	} ok[] = {
		{"1", QUANTITY_UNITS, 1},
		{"250m", QUANTITY_MILLI, 250},
		{"0.5", QUANTITY_MILLI, 500},
		{"2", QUANTITY_MILLI, 2000},
		{"100u", QUANTITY_MILLI, 1},
		{"1.5Gi", QUANTITY_UNITS, 1610612736},
		{"128Mi", QUANTITY_UNITS, 134217728},
		{"1G", QUANTITY_UNITS, 1000000000},
		{"1e3", QUANTITY_UNITS, 1000},
		{"5E-1", QUANTITY_MILLI, 500},
		{"1E", QUANTITY_UNITS, 1000000000000000000},
		{"1500m", QUANTITY_UNITS, 2},
		{"-1", QUANTITY_UNITS, -1},
		{"+.5", QUANTITY_MILLI, 500},
		{"0", QUANTITY_UNITS, 0},
		{"99999999999999999Ei", QUANTITY_MILLI, INT64_MAX},
		{"1e999", QUANTITY_UNITS, INT64_MAX},
		{"1e-999", QUANTITY_UNITS, 1},
	};
	static const char *const bad[] = {"",	"-",  ".",     "1 ",   "1KB",
					  "Gi", "1e", "1.2.3", "0x10", "1mi"};
	int64_t v;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ok); i++) {
		v = -99;
		assert_int_equal(quantity_parse(ok[i].text, ok[i].scale, &v), 0);
		if (v != ok[i].value)
			fail_msg("%s: %lld", ok[i].text, (long long)v);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(quantity_parse(bad[i], 1, &v), -EINVAL);
}

static void test_base64(void **state)
{
	static const char *const pairs[][2] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
	};
	static const char *const bad[] = {"Z", "Zg", "Zg=", "Zg===", "Z=g=", "Zm9*", "===="};
	struct buf b = BUF_INIT(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		buf_clear(&b);
		assert_int_equal(base64_encode(&b, pairs[i][0], strlen(pairs[i][0])), 0);
		assert_string_equal(buf_str(&b), pairs[i][1]);
		buf_clear(&b);
		assert_int_equal(base64_decode(&b, pairs[i][1]), 0);
		assert_string_equal(buf_str(&b), pairs[i][0]);
	}
	buf_clear(&b);
	assert_int_equal(base64_decode(&b, "Zm9v\nYmFy\n"), 0);
	assert_string_equal(buf_str(&b), "foobar");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(base64_decode(&b, bad[i]), -EBADMSG);
	buf_done(&b);
}

static void test_add(void **state)
{
	(void)state;
	assert_int_equal(quantity_add(2, 3), 5);
	assert_int_equal(quantity_add(2, -3), -1);
	assert_int_equal(quantity_add(INT64_MAX, 0), INT64_MAX);
	assert_int_equal(quantity_add(INT64_MAX, 1), INT64_MAX);
	assert_int_equal(quantity_add(INT64_MAX, INT64_MIN), -1);
	assert_int_equal(quantity_add(-1, INT64_MIN), INT64_MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quantity),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_base64),
	};

	return cmocka_run_group_tests_name("quantity", tests, NULL, NULL);
}
