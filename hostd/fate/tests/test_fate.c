// SPDX-License-Identifier: Apache-2.0
/* Traces that a boot leaves, and what is made of them. */
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

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "fate/fate.h"

static char dir[64];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_fate.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return file_remove_tree(AT_FDCWD, dir);
}

static void put_file(const char *name, const char *text)
{
	_cleanup_free_ char *path = mem_printf("%s/%s", dir, name);

	assert_int_equal(file_write(AT_FDCWD, path, text, strlen(text), 0600, NULL), 0);
}

static void test_head(void **state)
{
	static const struct {
		const char *text;
		int r;
		bool panic;
		unsigned int count, part;
	} cases[] = {
		{"Panic#2 Part1\n<0>x", 14, true, 2, 1},
		{"Oops#1 Part12\n", 14, false, 1, 12},
		{"Panic#2 Part1", -22, false, 0, 0},
		{"Panic#2 Part1 \n", -22, false, 0, 0},
		{"Emergency#2 Part1\n", -22, false, 0, 0},
		{"Restart#2 Part1\n", -22, false, 0, 0},
		{"Panic#99999999 Part1\n", -22, false, 0, 0},
		{"", -22, false, 0, 0},
		{"\n", -22, false, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned int count = 0, part = 0;
		bool panic = false;
		int r = fate_record_head(cases[i].text, strlen(cases[i].text), &panic, &count,
					 &part);

		assert_int_equal(r, cases[i].r);
		if (r < 0)
			continue;
		assert_int_equal(panic, cases[i].panic);
		assert_int_equal(count, cases[i].count);
		assert_int_equal(part, cases[i].part);
	}
}

/* Small records: the parts in their order; the panic, not the oops before it */
static void test_parts(void **state)
{
	struct fate_records r;

	(void)state;
	put_file("dmesg-efi-3",
		 "Panic#2 Part1\n<0>[    2.3] Kernel panic - not syncing: Fatal \x1b[7m\n"
		 "<4>[    2.4] CPU: 0\n");
	put_file("dmesg-efi-4", "Panic#2 Part2\n<6>[    2.1] first\n<6>[    2.2] second\n");
	put_file("dmesg-efi-1", "Oops#1 Part1\n<1>[    1.9] BUG: kernel NULL pointer\n");
	put_file("console-ramoops-0", "hello\n");
	put_file("unknown", "x");
	assert_int_equal(fate_records_read(dir, &r, NULL), 0);
	assert_true(r.panic && !r.oops && r.console);
	assert_int_equal(r.count, 5);
	assert_string_equal(r.headline, "Kernel panic - not syncing: Fatal ?[7m");
	assert_string_equal(r.lines, "[    2.1] first\n[    2.2] second\n[    2.3] Kernel panic - "
				     "not syncing: Fatal ?[7m\n[    2.4] CPU: 0");
	fate_records_remove(dir, &r);
	assert_int_equal(fate_records_read(dir, &r, NULL), 0);
	assert_int_equal(r.count, 0);
	assert_string_equal(r.lines, "");
}

/* A console alone tells its last lines; much of it is cut */
static void test_bounds(void **state)
{
	_cleanup_free_ char *big = mem_alloc(100001);
	struct fate_records r;
	char name[32];

	(void)state;
	memset(big, 'x', 100000);
	for (int i = 0; i < 100000; i += 61)
		big[i] = '\n';
	for (int i = 0; i < FATE_FILES_MAX + 8; i++) {
		snprintf(name, sizeof(name), "console-ramoops-%d", i);
		put_file(name, big);
	}
	assert_int_equal(fate_records_read(dir, &r, NULL), 0);
	assert_int_equal(r.count, FATE_FILES_MAX);
	assert_true(r.console && !r.panic && strlen(r.lines) > 600);
	fate_records_remove(dir, &r);
	assert_int_equal(fate_records_read(dir, &r, NULL), 0);
	assert_int_equal(r.count, 8);
	assert_int_equal(fate_records_read("/nonexistent", &r, NULL), -2);
}

#define NODE(boot, more)                                                                          \
	"{\"metadata\":{\"annotations\":{" more "}},\"status\":{\"nodeInfo\":{\"bootID\":\"" boot \
	"\",\"osImage\":\"HyperMetal 1\"},\"conditions\":[]}}"
#define LEAVING                                                                                       \
	"{\"status\":{\"nodeInfo\":{\"bootID\":\"a\"},\"conditions\":[{\"type\":\"UnexpectedReset\"," \
	"\"reason\":\"Leaving\",\"message\":\"the power button was pressed\"}]}}"
#define ASKED(boot) "\"hypermetal.io/reboot\":\"" boot "\""

static void test_judge(void **state)
{
	static const struct {
		const char *node; /* NULL: there was none */
		const char *dump; /* "Panic#1 Part1\n…", NULL none */
		bool bit, watchdog, store;
		bool judged, unexpected;
		const char *reason, *message; /* which begins so */
	} cases[] = {
		{NULL, NULL, false, false, false, true, false, "FirstBoot", "no host of this name"},
		{NODE("b", ""), NULL, true, true, true, false, false, NULL, NULL},
		{NODE("a", ASKED("a")), NULL, false, true, true, true, false, "Requested",
		 "an operator asked for a reboot (from HyperMetal 1)"},
		{NODE("a", ASKED("0")), NULL, false, true, true, true, true, "PowerLoss",
		 "no trace: it lost its power"},
		{LEAVING, NULL, false, false, false, true, false, "Requested",
		 "the power button was pressed (from an unknown image)"},
		{LEAVING, NULL, true, true, false, true, true, "Watchdog",
		 "the hardware watchdog: hostd or the kernel did not answer in time, while it was "
		 "leaving: the power button"},
		{NODE("a", ""), NULL, false, false, false, true, true, "Unknown",
		 "no trace; this machine has no hardware watchdog that would tell and no place for a "
		 "kernel's last lines"},
		{NODE("a", ""), NULL, false, true, false, true, true, "Unknown",
		 "no trace; this machine has no place for a kernel's last lines"},
		{NODE("a", ""), "Panic#1 Part1\nKernel panic - not syncing: x\n", true, true, true,
		 true, true, "KernelPanic", "Kernel panic - not syncing: x\n"},
		{NULL, "Oops#1 Part1\nOops: general protection\n", false, true, true, true, true,
		 "KernelPanic", "Oops: general protection\n"},
		{NODE("a", ""),
		 "Panic#1 Part1\n<2>[3] hypermetal: hostd ended 9 times within 301 s\n<6>sysrq: x\n"
		 "Kernel panic - not syncing: sysrq triggered crash\n",
		 false, true, true, true, true, "HostdFailed",
		 "hostd ended 9 times within 301 s\n"},
		{NODE("a", ""),
		 "Panic#1 Part1\nKernel panic - not syncing: Software Watchdog Timer expired\n",
		 false, false, true, true, true, "Watchdog", "the kernel's software watchdog"},
		{"{\"status\":7}", NULL, false, true, true, true, true, "PowerLoss", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fate_evidence ev = {.boot_id = "b",
					   .watchdog = cases[i].watchdog,
					   .watchdog_bit = cases[i].bit};
		_cleanup_json_ struct json_doc *doc = NULL;
		struct fate_verdict v = {.reason = NULL};

		if (cases[i].store)
			(void)str_copy(ev.store, sizeof(ev.store), "erst");
		if (cases[i].dump) {
			put_file("dmesg-erst-1", cases[i].dump);
			assert_int_equal(fate_records_read(dir, &ev.records, NULL), 0);
		}
		if (cases[i].node)
			assert_int_equal(
				json_parse(cases[i].node, strlen(cases[i].node), &doc, NULL), 0);
		assert_int_equal(fate_judge(&ev, json_root(doc), &v), cases[i].judged);
		if (!cases[i].judged)
			continue;
		assert_string_equal(v.reason, cases[i].reason);
		assert_int_equal(v.unexpected, cases[i].unexpected);
		assert_non_null(str_starts(v.message, cases[i].message));
	}
}

static void test_times(void **state)
{
	_cleanup_free_ char *path = mem_printf("%s/times", dir), *boot = mem_printf("%s/boot", dir),
			    *loader = mem_printf("%s/loader", dir);
	char text[FATE_TIMES_BYTES];
	struct fate_times t;

	(void)state;
	fate_times_load(&t, path);
	assert_int_equal(fate_times_text(&t, "b", text), 0);
	assert_string_equal(text, "{\"bootID\":\"b\"}");
	put_file("times", "kernel 800\nearly 860\nodd\nother 7\nnetwork -1\n");
	fate_times_load(&t, path);
	fate_times_mark(&t, FATE_INIT, 1000);
	fate_times_mark(&t, FATE_INIT, 7000); /* of a later hostd */
	fate_times_mark(&t, FATE_DEVICES, 1300);
	fate_times_load(&t, path);
	fate_times_mark(&t, FATE_ENROL, 1900); /* nobody knows when the network was there */
	fate_times_mark(&t, FATE_READY, 2000);
	fate_times_before(&t, dir, loader);
	assert_int_equal(fate_times_text(&t, "b", text), 0);
	assert_string_equal(text,
			    "{\"bootID\":\"b\",\"kernelMs\":800,\"earlyMs\":60,\"initMs\":140,"
			    "\"devicesMs\":300,\"readyMs\":100,\"totalMs\":2000}");
	assert_int_equal(file_mkdirs(boot, 0700), 0);
	put_file("boot/bootloader_launch_ns", "12345678901\n");
	put_file("boot/exitbootservice_end_ns", "20345678901\n");
	put_file("loader", "fetch_ms=1834\n");
	fate_times_before(&t, dir, loader);
	assert_int_equal(t.firmware_ms, 12345);
	assert_int_equal(t.loader_ms, 8000);
	assert_int_equal(t.fetch_ms, 1834);
	put_file("boot/exitbootservice_end_ns", "0\n"); /* a firmware that does not fill it in */
	put_file("boot/bootloader_launch_ns", "99999999999999999999999\n");
	put_file("loader", "fetch_ms=99999999999\n");
	fate_times_before(&t, dir, loader);
	assert_int_equal(t.firmware_ms + t.loader_ms + t.fetch_ms, 0);
}

static void test_starts(void **state)
{
	_cleanup_free_ char *path = mem_printf("%s/starts", dir);
	char words[128] = "";

	(void)state;
	for (uint64_t s = 0; s < FATE_ROW_S; s += 10)
		assert_false(fate_starts_note(path, 100 + s, words));
	assert_true(fate_starts_note(path, 100 + FATE_ROW_S, words));
	assert_string_equal(words, "hostd ended 30 times within 300 s");
	assert_int_equal(unlink(path), 0); /* it was calm */
	assert_false(fate_starts_note(path, 1000, words));
	assert_false(fate_starts_note(path, 5000, words)); /* long, but not often */
	put_file("starts", "rubbish");
	assert_false(fate_starts_note(path, 5000, words));
	put_file("starts", "9999 99\n"); /* of the future */
	assert_false(fate_starts_note(path, 5000, words));
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_head),  T(test_parts), T(test_bounds),
		T(test_judge), T(test_times), T(test_starts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
