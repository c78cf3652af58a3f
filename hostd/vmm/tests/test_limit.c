// SPDX-License-Identifier: Apache-2.0
/* The buckets by their own clock: what passes in a simulated time is what the limit says. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/mem.h"
#include "vmm/virtio/limit.h"

#define SECOND 1000000000ULL

/* Requests of @bytes, each as soon as it may be. Return: how many in @seconds */
static unsigned int requests(struct limit *l, uint64_t bytes, unsigned int seconds)
{
	uint64_t start = 1000 * SECOND, now = start;
	unsigned int n = 0;

	while (now < start + seconds * SECOND && n < 1000000) {
		now += limit_take(l, bytes, now);
		n++;
	}
	return n;
}

static void test_unlimited(void **state)
{
	struct limit l;

	(void)state;
	limit_init(&l, 0, 0);
	assert_int_equal(limit_take(&l, UINT32_MAX, 5 * SECOND), 0);
}

static void test_rates(void **state)
{
	static const struct {
		uint64_t bytes_per_s, ops_per_s, request;
		unsigned int low, high; /* in ten seconds */
	} cases[] = {
		{0, 100, 4096, 1000, 1015},
		{1 << 20, 0, 4096, 2560, 2600},
		{1 << 20, 100, 4096, 1000, 1015}, /* the tighter one counts */
		{1 << 20, 10000, 65536, 160, 165},
		{0, 1, 512, 10, 12},
		{(uint64_t)100 << 20, 0, 1 << 20, 1000, 1015},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct limit l;

		limit_init(&l, cases[i].bytes_per_s, cases[i].ops_per_s);
		assert_in_range(requests(&l, cases[i].request, 10), cases[i].low, cases[i].high);
	}
}

static void test_idle_time_is_not_saved_up(void **state)
{
	struct limit l;
	uint64_t now = 1000 * SECOND;
	unsigned int at_once = 0;

	(void)state;
	limit_init(&l, 0, 100);
	limit_take(&l, 0, now);
	now += 3600 * SECOND;
	while (limit_take(&l, 0, now) == 0)
		at_once++;
	assert_in_range(at_once, 9, 11);
}

static void test_debt_has_an_end(void **state)
{
	struct limit l;
	uint64_t wait;

	(void)state;
	limit_init(&l, 1000, 0);
	wait = limit_take(&l, UINT32_MAX, 1000 * SECOND);
	assert_in_range(wait, 9 * SECOND, 10 * SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unlimited),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_idle_time_is_not_saved_up),
		cmocka_unit_test(test_debt_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
