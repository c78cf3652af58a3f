// SPDX-License-Identifier: Apache-2.0
/* What one handler decides holds for the events that wait behind it in the same batch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"

#define PAIRS 2

static struct loop loop;
static struct watch watches[PAIRS];
static int far_ends[PAIRS];
static uint32_t seen[PAIRS];
static void (*then)(struct watch *other);

static void on_event(struct watch *w, uint32_t events)
{
	size_t i = (size_t)(w - watches);

	seen[i] |= events;
	if (then)
		then(&watches[1 - i]);
	then = NULL; /* only whoever comes first acts */
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(loop_init(&loop), 0);
	for (int i = 0; i < PAIRS; i++) {
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		assert_int_equal(watch_add(&loop, &watches[i], pair[0], EPOLLIN, on_event), 0);
		far_ends[i] = pair[1];
		assert_int_equal(write(pair[1], "x", 1), 1);
		seen[i] = 0;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < PAIRS; i++) {
		watch_del(&watches[i]);
		close(watches[i].fd);
		close(far_ends[i]);
	}
	loop_done(&loop);
	return 0;
}

static void pause_other(struct watch *other)
{
	assert_int_equal(watch_mod(other, 0), 0);
}

static void drop_other(struct watch *other)
{
	watch_del(other);
}

static void write_only(struct watch *other)
{
	assert_int_equal(watch_mod(other, EPOLLOUT), 0);
}

/* Return: the one that was acted on */
static size_t run_once(void (*act)(struct watch *other))
{
	then = act;
	assert_int_equal(loop_once(&loop, 1000), 0);
	assert_true((seen[0] == EPOLLIN) != (seen[1] == EPOLLIN));
	return seen[0] ? 1 : 0;
}

static void test_paused(void **state)
{
	size_t other = run_once(pause_other);

	(void)state;
	assert_int_equal(seen[other], 0);
	/* nothing is lost: it comes when it is wanted again */
	assert_int_equal(watch_mod(&watches[other], EPOLLIN), 0);
	assert_int_equal(loop_once(&loop, 1000), 0);
	assert_int_equal(seen[other], EPOLLIN);
}

static void test_other_direction(void **state)
{
	size_t other = run_once(write_only);

	(void)state;
	assert_int_equal(loop_once(&loop, 1000), 0);
	assert_int_equal(seen[other], EPOLLOUT);
}

static void test_dropped(void **state)
{
	size_t other = run_once(drop_other);

	(void)state;
	assert_int_equal(loop_once(&loop, 0), 0);
	assert_int_equal(seen[other], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_paused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_direction, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dropped, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
