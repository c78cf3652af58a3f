// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fake_parts.h"
#include "pod_harness.h"

static const struct guest_stats told = {
	.memory_bytes = 128 << 20,
	.memory_available_bytes = 100 << 20,
	.scratch_bytes = 1000,
	.scratch_free_bytes = 400,
	.scratch_inodes = 10,
	.scratch_inodes_free = 11, /* a guest may say what it likes */
	.container_count = 1,
	.containers = {{.container = 0,
			.started_ns = 1767323045000000000,
			.cpu_ns = 123456789,
			.memory_bytes = 5000,
			.working_set_bytes = 4000,
			.rss_bytes = UINT64_MAX,
			.pids = 3}},
};

static void answer(uint32_t ask)
{
	struct guest_stats m = told;

	m.ask = ask;
	fake.events->on_stats(fake.pod, &m);
}

/* The one pod of the last measurement */
static const struct json *stats(void)
{
	assert_int_equal(json_count(measured_pods), 1);
	return json_item(measured_pods, 0);
}

static void guest_answers(void **state)
{
	const struct json *pod, *c;

	(void)state;
	to_running("u1", "Always");
	fake.counters.vcpus[0].mmio = 40;
	fake.counters.vcpus[VM_VCPUS_MAX - 1].mmio = 2;
	fake.counters.disks[1].written_bytes = 512;
	fake.counters.given_back_bytes = UINT64_MAX;
	pods_measure(pods);
	assert_int_equal(fake.stats_asked, 1);
	run_ms(20);
	assert_int_equal(measured, 0);
	pods_measure(pods); /* joins the one that goes on */
	assert_int_equal(fake.stats_asked, 1);
	answer(fake.stats_ask);
	run_ms(20);
	assert_int_equal(measured, 1);
	pod = stats();
	assert_string_equal(json_str(json_at(pod, "podRef", "uid", NULL), ""), "u1");
	c = json_item(json_get(pod, "containers"), 0);
	assert_string_equal(json_str(json_get(c, "name"), ""), "c");
	assert_string_equal(json_str(json_get(c, "startTime"), ""),
			    "2026-01-02T03:04:05.000000000Z");
	assert_int_equal(json_int(json_at(c, "cpu", "usageCoreNanoSeconds", NULL), 0), 123456789);
	assert_int_equal(json_int(json_at(c, "memory", "workingSetBytes", NULL), 0), 4000);
	assert_int_equal(json_int(json_at(c, "memory", "rssBytes", NULL), 0), INT64_MAX);
	assert_int_equal(json_int(json_at(c, "hyper", "processes", NULL), 0), 3);
	assert_int_equal(json_int(json_at(pod, "ephemeral-storage", "usedBytes", NULL), 0), 600);
	assert_int_equal(json_int(json_at(pod, "ephemeral-storage", "inodesUsed", NULL), -1), 0);
	assert_int_equal(json_int(json_at(pod, "hyper", "exits", "mmio", NULL), 0), 42);
	assert_int_equal(json_int(json_at(pod, "hyper", "disk", "writtenBytes", NULL), 0), 512);
	assert_int_equal(json_int(json_at(pod, "hyper", "givenBackBytes", NULL), 0), INT64_MAX);
	/* By the host's count, seen from the guest (the fake's interface is lo) */
	assert_true(json_int(json_at(pod, "network", "rxBytes", NULL), -1) >= 0);
}

static void silent_guest_costs_two_seconds(void **state)
{
	uint64_t start_ms;

	(void)state;
	to_running("u1", "Always");
	start_ms = clock_mono_ms();
	pods_measure(pods);
	while (!measured && clock_mono_ms() < start_ms + 5000)
		run_ms(20);
	assert_int_equal(measured, 1);
	assert_in_range(clock_mono_ms() - start_ms, 1900, 3500);
	assert_int_equal(json_count(json_get(stats(), "containers")), 0);
	answer(fake.stats_ask); /* too late */
	run_ms(20);
	assert_int_equal(measured, 1);
	pods_measure(pods);
	answer(fake.stats_ask - 1); /* to the last question */
	run_ms(20);
	assert_int_equal(measured, 1);
	answer(fake.stats_ask);
	run_ms(20);
	assert_int_equal(measured, 2);
}

/* One that goes away while it is asked is not waited for. */
static void lost_guest_is_not_waited_for(void **state)
{
	uint64_t start_ms;

	(void)state;
	to_running("u1", "Always");
	start_ms = clock_mono_ms();
	pods_measure(pods);
	fake_close();
	while (!measured && clock_mono_ms() < start_ms + 5000)
		run_ms(20);
	assert_int_equal(measured, 1);
	assert_true(clock_mono_ms() - start_ms < 800);
}

static void nothing_runs(void **state)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *states = json_new_obj(doc);

	(void)state;
	pods_measure(pods);
	run_ms(20);
	assert_int_equal(measured, 1);
	assert_int_equal(json_count(measured_pods), 0);
	pods_states(pods, doc, states);
	assert_int_equal(json_int(json_get(states, "run"), -1), 0);
	assert_int_equal(json_int(json_get(states, "gone"), -1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(guest_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(silent_guest_costs_two_seconds, setup, teardown),
		cmocka_unit_test_setup_teardown(lost_guest_is_not_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_runs, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
