// SPDX-License-Identifier: Apache-2.0
/* Random bytes: all that was asked for, nothing beside it, never the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/random.h"

#define MUCH ((size_t)1 << 20) /* getrandom(2) promises 256 bytes in one piece */

static void test_fill(void **state)
{
	static const unsigned char none[32];
	unsigned char *a = mem_alloc(MUCH + 1), *b = mem_alloc(MUCH);

	(void)state;
	random_fill(a, MUCH);
	assert_int_equal(random_feed(NULL, b, MUCH), 0);
	assert_int_equal(a[MUCH], 0);
	for (size_t i = 0; i < MUCH; i += sizeof(none)) {
		assert_memory_not_equal(a + i, none, sizeof(none));
		assert_memory_not_equal(b + i, none, sizeof(none));
		assert_memory_not_equal(a + i, b + i, sizeof(none));
	}
	free(a);
	free(b);
}

static void test_nothing(void **state)
{
	unsigned char byte = 7;

	(void)state;
	random_fill(&byte, 0);
	assert_int_equal(byte, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
