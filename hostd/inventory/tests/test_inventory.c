// SPDX-License-Identifier: Apache-2.0
/* hostd's side: a process that answers well, nonsense, too much, or not at all. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "inventory/inventory.h"

#define GOOD "echo '{\"labels\":{\"a\":\"1\",\"b\":null},\"inventory\":{\"n\":7}}'\n"

#define SETTLE_MS 100
#define GAP_MS	  1000

static struct loop loop;
static struct inventory *inv;
static char dir[64], program[96];
static int told;
static char text[128];

static void on_facts(const struct json *labels, const char *document, void *arg)
{
	(void)arg;
	told++;
	assert_int_equal(json_count(labels), 2);
	snprintf(text, sizeof(text), "%s", document);
}

/* How often the process has run */
static int runs(void)
{
	struct buf b = BUF_INIT(4096);
	char path[96];
	int n;

	snprintf(path, sizeof(path), "%s/runs", dir);
	n = file_read(AT_FDCWD, path, &b, NULL) < 0 ? 0 : (int)b.len;
	buf_done(&b);
	return n;
}

static void worker(const char *script)
{
	char *whole = mem_printf("#!/bin/sh\nprintf x >>%s/runs\n%s", dir, script);

	assert_int_equal(file_write(AT_FDCWD, program, whole, strlen(whole), 0755, NULL), 0);
	free(whole);
}

static void run_ms(uint64_t ms)
{
	uint64_t end_ms = clock_mono_ms() + ms;

	while (clock_mono_ms() < end_ms)
		assert_int_equal(loop_once(&loop, 10), 0);
}

static int set_up(void **state)
{
	const struct inventory_config config = {
		.loop = &loop,
		.program = program,
		.lock_dir = dir,
		.lldp_dir = dir,
		.boot_mac = "",
		.on_facts = on_facts,
		.settle_ms = SETTLE_MS,
		.gap_ms = GAP_MS,
		.deadline_ms = 400,
	};

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test-inventory-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(program, sizeof(program), "%s/worker", dir);
	told = 0;
	text[0] = '\0';
	assert_int_equal(loop_init(&loop), 0);
	inv = inventory_new(&config);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	inv = inventory_free(inv);
	loop_done(&loop);
	return file_remove_tree(AT_FDCWD, dir);
}

/* A burst of changes is one look; the same answer is not told twice; looks keep their distance */
static void test_coalesced(void **state)
{
	(void)state;
	worker(GOOD);
	run_ms(SETTLE_MS + 200);
	assert_int_equal(runs(), 0);
	for (int i = 0; i < 100; i++)
		inventory_changed(inv);
	run_ms(SETTLE_MS + 400);
	assert_int_equal(runs(), 1);
	assert_int_equal(told, 1);
	assert_string_equal(text, "{\"n\":7}");
	inventory_changed(inv);
	run_ms(SETTLE_MS + 400);
	assert_int_equal(runs(), 1);
	run_ms(GAP_MS - SETTLE_MS);
	assert_int_equal(runs(), 2);
	assert_int_equal(told, 1);
}

static void refused(const char *script)
{
	worker(script);
	inventory_changed(inv);
	run_ms(SETTLE_MS + 600);
	assert_int_equal(runs(), 1);
	assert_int_equal(told, 0);
}

static void test_fails(void **state)
{
	(void)state;
	refused(GOOD "exit 3\n");
}

static void test_nonsense(void **state)
{
	(void)state;
	refused("echo '{\"labels\":[]}'\n");
}

static void test_no_json(void **state)
{
	(void)state;
	refused("echo '{'\n");
}

static void test_too_much(void **state)
{
	(void)state;
	refused("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done\n");
}

static void test_late(void **state)
{
	(void)state;
	refused(GOOD "exec sleep 100\n");
}

static void test_missing(void **state)
{
	(void)state;
	inventory_changed(inv);
	run_ms(SETTLE_MS + 300);
	assert_int_equal(told, 0);
}

/* Whoever holds the other end of the pipe, it is the process that counts */
static void test_child_left_behind(void **state)
{
	(void)state;
	worker("sleep 1 &\n" GOOD);
	inventory_changed(inv);
	run_ms(SETTLE_MS + 400);
	assert_int_equal(told, 1);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_coalesced), T(test_fails), T(test_nonsense), T(test_no_json),
		T(test_too_much),  T(test_late),  T(test_missing),  T(test_child_left_behind),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
