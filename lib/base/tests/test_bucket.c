// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bucket.h"

static int take_all(struct bucket *b, uint64_t now_ms)
{
	int n = 0;

	while (n < 100 && bucket_take(b, 10, 200, now_ms))
		n++;
	return n;
}

static void refills(void **state)
{
	struct bucket b = {0};

	(void)state;
	assert_int_equal(take_all(&b, 1), 10);
	assert_int_equal(take_all(&b, 200), 0);
	assert_int_equal(take_all(&b, 201), 1);
	assert_int_equal(take_all(&b, 900), 3);
	assert_int_equal(take_all(&b, 1000), 0); /* 199 ms after one came */
	assert_int_equal(take_all(&b, 1001), 1);
	assert_int_equal(take_all(&b, 1000000), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refills),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
