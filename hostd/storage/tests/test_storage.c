// SPDX-License-Identifier: Apache-2.0
/* Which disk is used, and hostd's side of it: a hostd-disk that answers well, badly, late, or finds nothing. */
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
#include "storage/storage.h"

#define FLEET "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define GIB   "1073741824"

/* ---- which ---- */

static void assert_choice(const char *disks, const char *data, const char *name, const char *why)
{
	struct storage_choice choice;
	struct json_doc *doc;

	assert_int_equal(json_parse(disks, strlen(disks), &doc, NULL), 0);
	storage_choose(doc, json_root(doc), data, &choice);
	assert_string_equal(choice.name, name);
	assert_string_equal(choice.why, why);
	json_doc_free(doc);
}

#define DISK(name, state, more) "{\"name\":\"" name "\",\"state\":\"" state "\"" more "}"
#define SIZE(n)			",\"sizeBytes\":" n
#define TURNS			",\"rotational\":true"
#define NO_AUTO			"auto: no disk is empty or ours, built in, and has a GiB"

static void test_auto(void **state)
{
	(void)state;
	assert_choice("[]", "auto", "", NO_AUTO);
	assert_choice("[" DISK("sda", "empty", SIZE(GIB)) "]", "none", "", "");
	assert_choice("[" DISK("sda", "empty", SIZE(GIB)) "]", "auto", "sda", "");
	assert_choice("[" DISK("sda", "ours", SIZE(GIB)) "]", "auto", "sda", "");
	/* The larger; one that does not turn before one that does */
	assert_choice("[" DISK("sda", "empty", SIZE(GIB)) "," DISK("sdb", "empty",
								   SIZE("2073741824")) "]",
		      "auto", "sdb", "");
	assert_choice("[" DISK("sda", "empty", TURNS SIZE("9073741824")) "," DISK("sdb", "empty",
										  SIZE(GIB)) "]",
		      "auto", "sdb", "");
	/* What is never taken */
	assert_choice(
		"[" DISK("sda", "foreign", SIZE(GIB)) "," DISK("sdb", "other-fleet", SIZE(GIB)) "," DISK("sdc", "unreadable", SIZE(GIB)) "," DISK("sdd", "", SIZE(GIB)) "," DISK(
			"sde", "empty",
			SIZE(GIB) ",\"removable\":true") "," DISK("sdf", "empty",
								  SIZE(GIB) ",\"readOnly\":true") "," DISK("sdg",
													   "empty",
													   SIZE(GIB) ",\"transport\":\"usb\"") "," DISK("sdh",
																			"empty",
																			SIZE("1073741823")) "," DISK("sdi",
																						     "empty",
																						     SIZE(GIB) ",\"error\":\"it broke\"") ",7,null]",
		"auto", "", NO_AUTO);
}

static void test_named(void **state)
{
	static const char disks[] =
		"[" DISK("sda", "foreign", ",\"holds\":\"xfs\",\"serial\":\"A1\"") "," DISK("sdb", "empty", ",\"serial\":\"B2\",\"wwid\":\"naa.5000c500\",\"transport\":\"usb\"") "," DISK(
			"sdc", "ours",
			",\"serial\":\"TWIN\",\"pci\":\"0000:00:12.0\"") "," DISK("sdd", "empty",
										  ",\"serial\":\"TWIN\"") "]";

	(void)state;
	assert_choice(disks, "sdb", "sdb", "");
	assert_choice(disks, "/dev/sdb", "sdb", "");
	assert_choice(disks, "B2", "sdb", "");
	assert_choice(disks, "5000c500", "sdb", "");
	assert_choice(disks, "naa.5000c500", "sdb", "");
	assert_choice(disks, "pci-0000:00:12.0", "sdc", "");
	assert_choice(disks, "A1", "", "A1: xfs");
	assert_choice(disks, "TWIN", "", "TWIN: several disks are called so");
	assert_choice(disks, "sd", "", "sd: there is no such disk");
	/* The first that may be used */
	assert_choice(disks, "sda,nothing,sdd,sdb", "sdd", "");
	assert_choice(disks, "sda,nothing", "", "sda: xfs; nothing: there is no such disk");
}

/* ---- hostd's side ---- */

static struct loop loop;
static struct storage *st;
static char dir[64], program[96], locks[96], report[4096], events[512], failed[128];
static int reports, settled;
static uint64_t settled_bytes;

static void on_report(const char *text, void *arg)
{
	(void)arg;
	reports++;
	snprintf(report, sizeof(report), "%s", text);
}

static void on_settled(uint64_t bytes, void *arg)
{
	(void)arg;
	settled++;
	settled_bytes = bytes;
}

static void on_event(const char *type, const char *reason, const char *message, void *arg)
{
	size_t n = strlen(events);

	(void)arg;
	snprintf(events + n, sizeof(events) - n, "%s %s %s\n", type, reason, message);
}

static void on_failed(const char *why, void *arg)
{
	(void)arg;
	snprintf(failed, sizeof(failed), "%s", why);
}

/* What hostd-disk does: a shell script with a function for each verb */
static void worker(const char *script)
{
	char *whole = mem_printf("#!/bin/sh\ncd %s\n%s\n\"$@\"\n", dir, script);

	assert_int_equal(file_write(AT_FDCWD, program, whole, strlen(whole), 0755, NULL), 0);
	free(whole);
}

static void begin(const char *data)
{
	const struct storage_config config = {
		.loop = &loop,
		.program = program,
		.lock_dir = locks,
		.store = dir,
		.data = data,
		.fleet = FLEET,
		.on_report = on_report,
		.on_settled = on_settled,
		.on_event = on_event,
		.on_failed = on_failed,
		.settle_ms = 20,
		.gap_ms = 100,
		.wait_ms = 1500,
		.look_ms = 3000,
		.prepare_ms = 1000,
	};

	st = storage_new(&config);
}

static void run_until(const int *what, int value)
{
	uint64_t end_ms = clock_mono_ms() + 15000;

	while (*what < value && clock_mono_ms() < end_ms)
		assert_int_equal(loop_once(&loop, 10), 0);
	assert_int_equal(*what, value);
}

static void run_ms(uint64_t ms)
{
	uint64_t end_ms = clock_mono_ms() + ms;

	while (clock_mono_ms() < end_ms)
		assert_int_equal(loop_once(&loop, 10), 0);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test-storage-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(program, sizeof(program), "%s/worker", dir);
	snprintf(locks, sizeof(locks), "%s/locks", dir);
	report[0] = events[0] = failed[0] = '\0';
	reports = settled = 0;
	settled_bytes = 0;
	assert_int_equal(loop_init(&loop), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	st = storage_free(st);
	loop_done(&loop);
	return file_remove_tree(AT_FDCWD, dir);
}

#define LOOK                                                                                       \
	"look() { echo '{\"disks\":[{\"name\":\"sda\",\"state\":\"empty\",\"sizeBytes\":" GIB "}," \
	"{\"name\":\"sdb\",\"state\":\"empty\",\"sizeBytes\":" GIB ",\"rotational\":true}]}'; }\n"
#define PREPARE(answer) "prepare() { echo \"$@\" >>prepared; " answer "; }\n"

static void assert_prepared(const char *lines)
{
	struct buf b = BUF_INIT(4096);
	char path[96];

	snprintf(path, sizeof(path), "%s/prepared", dir);
	(void)file_read(AT_FDCWD, path, &b, NULL);
	assert_string_equal(buf_str(&b), lines);
	buf_done(&b);
}

static char *prepared_line(const char *disk)
{
	static char line[256];

	snprintf(line, sizeof(line), "--fleet " FLEET " --store %s --encrypt no %s\n", dir, disk);
	return line;
}

static void test_none(void **state)
{
	(void)state;
	worker(LOOK PREPARE("echo '{\"bytes\":7}'"));
	begin("none");
	assert_false(storage_waits(st));
	run_ms(200);
	assert_int_equal(reports, 0);
	for (int i = 0; i < 50; i++)
		storage_changed(st);
	run_until(&reports, 1);
	assert_non_null(strstr(report, "{\"data\":\"none\",\"disks\":[{\"name\":\"sda\","));
	assert_non_null(strstr(report, "\"use\":\"spare\""));
	storage_changed(st);
	run_ms(400);
	assert_int_equal(reports, 1); /* the same is not told again */
	assert_int_equal(settled, 0);
	assert_prepared("");
}

static void test_used(void **state)
{
	(void)state;
	worker(LOOK PREPARE("echo '{\"bytes\":4096}'"));
	begin("auto");
	assert_true(storage_waits(st));
	run_until(&settled, 1);
	assert_int_equal(settled_bytes, 4096);
	assert_prepared(prepared_line("sda"));
	assert_string_equal(events, "Normal DataDisk sda\n");
	run_until(&reports, 2); /* that it is chosen, and that it is used */
	assert_non_null(strstr(report, "\"device\":\"sda\""));
	/* The next hostd of this boot leaves it at that. Without a mount that means RAM */
	st = storage_free(st);
	begin("auto");
	assert_false(storage_waits(st));
	run_ms(300);
	assert_prepared(prepared_line("sda"));
}

/* A disk that fails is passed over; when all have, the host goes on in RAM */
static void test_bad_disks(void **state)
{
	char both[512];

	(void)state;
	worker(LOOK PREPARE("echo '{\"error\":\"write the label: Input/output error\"}'"));
	begin("auto");
	run_until(&settled, 1);
	assert_int_equal(settled_bytes, 0);
	snprintf(both, sizeof(both), "%s", prepared_line("sda"));
	snprintf(both + strlen(both), sizeof(both) - strlen(both), "%s", prepared_line("sdb"));
	assert_prepared(both);
	assert_non_null(strstr(events,
			       "Warning DataDiskFailed sda cannot be used: write the label: "
			       "Input/output error\nWarning DataDiskFailed sdb"));
	assert_non_null(strstr(events, "Warning NoDataDisk auto: no disk is empty or ours"));
	run_ms(300);
	assert_non_null(strstr(report, "\"error\":\"write the label: Input/output error\""));
}

static void test_hangs(void **state)
{
	(void)state;
	worker(LOOK PREPARE("exec sleep 20"));
	begin("sda");
	run_until(&settled, 1);
	assert_int_equal(settled_bytes, 0);
	assert_non_null(strstr(events, "sda cannot be used: it took too long"));
}

static void test_nonsense(void **state)
{
	static const char *const answers[] = {
		"look() { echo nonsense; }\n", "look() { exit 3; }\n",
		"look() { yes; }\n",	       "look() { echo '{\"disks\":7}'; }\n",
		"look() { echo '{}'; }\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		worker(answers[i]);
		settled = 0;
		events[0] = '\0';
		begin("auto");
		run_until(&settled, 1);
		assert_int_equal(settled_bytes, 0);
		assert_non_null(strstr(events, "NoDataDisk"));
		st = storage_free(st);
		assert_int_equal(file_remove_tree(AT_FDCWD, locks), 0);
	}
}

/* A disk that appears while it is waited for; one that does so later is not used in this boot */
static void test_late_disk(void **state)
{
	char path[96];

	(void)state;
	worker("look() { if [ -e there ]; then echo '{\"disks\":[{\"name\":\"sda\",\"state\":\"empty\"}]}'; "
	       "else echo '{\"disks\":[]}'; fi; }\n" PREPARE("echo '{\"bytes\":4096}'"));
	begin("sda");
	run_until(&reports, 1);
	assert_int_equal(settled, 0);
	snprintf(path, sizeof(path), "%s/there", dir);
	assert_int_equal(file_write(AT_FDCWD, path, "", 0, 0644, NULL), 0);
	storage_changed(st);
	run_until(&settled, 1);
	assert_int_equal(settled_bytes, 4096);
}

static void test_too_late(void **state)
{
	char path[96];

	(void)state;
	worker("look() { if [ -e there ]; then echo '{\"disks\":[{\"name\":\"sda\",\"state\":\"empty\"}]}'; "
	       "else echo '{\"disks\":[]}'; fi; }\n" PREPARE("echo '{\"bytes\":4096}'"));
	begin("sda");
	run_until(&settled, 1);
	assert_int_equal(settled_bytes, 0);
	assert_string_equal(events, "Warning NoDataDisk sda: there is no such disk\n");
	snprintf(path, sizeof(path), "%s/there", dir);
	assert_int_equal(file_write(AT_FDCWD, path, "", 0, 0644, NULL), 0);
	storage_changed(st);
	run_ms(600);
	assert_prepared("");
	assert_non_null(strstr(report, "\"use\":\"spare\""));
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_auto),
		cmocka_unit_test(test_named),
		T(test_none),
		T(test_used),
		T(test_bad_disks),
		T(test_hangs),
		T(test_nonsense),
		T(test_late_disk),
		T(test_too_late),
	};

	log_init("test");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
