// SPDX-License-Identifier: Apache-2.0
/* Guests that say nothing when it is their turn: each is ended, and the pod goes on as its policy says. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake_parts.h"
#include "pod_harness.h"

#define PATIENCE_MS 400

static int setup_impatient(void **state)
{
	guest_patience_ms = PATIENCE_MS;
	return setup(state);
}

static void start(void)
{
	list_pods("[]");
	apply("u1", "Always", "", "", "");
	fake_pulled(NULL);
	run_ms(10);
	assert_int_equal(fake.started, 1);
}

static void test_no_hello(void **state)
{
	(void)state;
	start();
	run_ms(PATIENCE_MS / 2);
	assert_int_equal(fake.killed, 0);
	run_ms(PATIENCE_MS);
	assert_int_equal(fake.killed, 1);
	assert_non_null(strstr(trail, "BackOff"));
}

static void test_no_answer(void **state)
{
	(void)state;
	start();
	fake_hello(GUEST_STATE_WAITING);
	run_ms(10);
	assert_int_equal(fake.run_sent, 1);
	run_ms(PATIENCE_MS / 2);
	assert_int_equal(fake.killed, 0);
	run_ms(PATIENCE_MS);
	assert_int_equal(fake.killed, 1);
	assert_non_null(strstr(trail, "BackOff"));
}

static void test_no_done(void **state)
{
	(void)state;
	start();
	fake_hello(GUEST_STATE_WAITING);
	run_ms(10);
	guest_started(0);
	run_ms(2 * PATIENCE_MS);
	assert_int_equal(fake.killed, 0); /* it runs: there is nothing to say */
	guest_exit(0, 0, GUEST_BACKOFF_NEVER);
	run_ms(PATIENCE_MS / 2);
	assert_int_equal(fake.killed, 0);
	run_ms(PATIENCE_MS);
	assert_int_equal(fake.killed, 1);
}

/* A back-off is no end: the guest owes nothing until the next start. */
static void test_backoff_is_no_silence(void **state)
{
	(void)state;
	start();
	fake_hello(GUEST_STATE_WAITING);
	run_ms(10);
	guest_started(0);
	guest_exit(1, 0, 10000);
	run_ms(3 * PATIENCE_MS);
	assert_int_equal(fake.killed, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup_impatient, teardown)
	const struct CMUnitTest tests[] = {
		T(test_no_hello),
		T(test_no_answer),
		T(test_no_done),
		T(test_backoff_is_no_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
