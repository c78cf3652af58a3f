// SPDX-License-Identifier: Apache-2.0
/* What outlives hostd, or the host: records, adoption, logs. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/log.h"
#include "fake_parts.h"
#include "pod_harness.h"

static void test_restart_of_hostd(void **state)
{
	(void)state;
	to_running("u1", "Always");
	guest_log(GUEST_STREAM_STDOUT, 0, "one\n");
	pods = pods_free(pods);
	fake.adoptable = true;
	fake.run_sent = fake.started = statuses = 0;
	fake.vm = NULL;
	pods_start();
	assert_non_null(fake.vm);
	assert_int_equal(fake.adopted, 1);
	assert_int_equal(fake.synced, 2);
	settle();
	/* Nobody has asked the API yet: it runs on. */
	assert_int_equal(fake.killed, 0);
	fake_hello(GUEST_STATE_RUNNING);
	guest_started(0);
	guest_log(GUEST_STREAM_STDOUT, 0, "one\ntwo\n"); /* the first line again */
	list_pods("[{\"metadata\":{\"namespace\":\"default\",\"name\":\"web\",\"uid\":\"u1\"},"
		  "\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"nginx\"}]},"
		  "\"status\":{\"phase\":\"Running\"}}]");
	settle();
	assert_int_equal(fake.started + fake.run_sent + fake.killed, 0);
	assert_true(status_has("\"podIP\":\"10.88.0.2\""));
	assert_true(status_has("\"restartCount\":0"));
	{
		struct buf b = BUF_INIT(0);

		log_text(".log", &b);
		assert_string_equal(buf_str(&b), "2026-01-02T03:04:05.123456789Z stdout F one\n"
						 "2026-01-02T03:04:05.123456789Z stdout F two\n");
		buf_done(&b);
	}
	/* A list without it ends it. */
	list_pods("[]");
	settle();
	assert_int_equal(fake.killed, 1);
}

static void test_vm_ended_meanwhile(void **state)
{
	(void)state;
	to_running("u1", "Never");
	guest_exit(0, 0, GUEST_BACKOFF_NEVER);
	fake.events->on_done(fake.pod);
	pods = pods_free(pods);
	fake.adoptable = false; /* vm_adopt() finds it ended */
	pods_start();
	settle();
	assert_true(status_has("\"phase\":\"Succeeded\""));
	assert_true(status_has("\"exitCode\":0"));
}

static void killed_before_orders(const char *restart)
{
	list_pods("[]");
	apply("u1", restart, "", "", "");
	fake_pulled(NULL);
	run_ms(10);
	assert_non_null(fake.vm);
	pods = pods_free(pods);
	fake.adoptable = true;
	pods_start();
	fake_hello(GUEST_STATE_WAITING);
	run_ms(10);
	/* The orders died with the first hostd: this VM ends, the next one gets them. */
	assert_int_equal(fake.killed, 1);
	assert_int_equal(fake.run_sent, 0);
	list_pods("[{\"metadata\":{\"namespace\":\"default\",\"name\":\"web\",\"uid\":\"u1\"},"
		  "\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"nginx\"}]}}]");
	run_ms(2 * BACKOFF_MS);
	assert_int_equal(fake.wait_count, 1);
}

static void test_killed_before_orders(void **state)
{
	(void)state;
	killed_before_orders("Always");
}

/* Nothing of it ever ran: to begin again is no restart. */
static void test_never_killed_before_orders(void **state)
{
	(void)state;
	killed_before_orders("Never");
}

static void test_host_was_restarted(void **state)
{
	static const char status[] =
		",\"status\":{\"phase\":\"Running\",\"startTime\":\"2026-01-02T03:00:00Z\","
		"\"containerStatuses\":[{\"name\":\"c\",\"restartCount\":4,\"state\":{\"running\":"
		"{\"startedAt\":\"2026-01-02T03:00:01Z\"}}}]}";

	(void)state;
	list_pods("[]");
	apply("u1", "Always", "", "", status);
	fake_pulled(NULL);
	run_ms(10);
	fake_hello(GUEST_STATE_WAITING);
	guest_started(0);
	settle();
	assert_true(status_has("\"restartCount\":5"));
	assert_true(status_has("\"reason\":\"HostRestarted\""));
	assert_true(status_has("\"startTime\":\"2026-01-02T03:00:00Z\""));
	apply("u2", "Never", "", "", status);
	settle();
	assert_true(status_has("\"phase\":\"Failed\",\"reason\":\"HostRestarted\""));
	/* One that had ended before is not spoken of. */
	statuses = 0;
	apply("u3", "Never", "", "", ",\"status\":{\"phase\":\"Succeeded\"}");
	settle();
	assert_int_equal(statuses, 0);
}

static int log_mode(const char *suffix)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/u1/c%s", logs_dir, suffix);
	return stat(path, &st) < 0 ? -errno : (int)(st.st_mode & 07777);
}

static void test_logs(void **state)
{
	struct buf b = BUF_INIT(0), big = BUF_INIT(0);
	char path[PATH_MAX];
	struct err e = ERR_INIT;
	uint64_t offset = 0;

	(void)state;
	list_pods("[]");
	apply("u1", "Always", "", "", "");
	assert_int_equal(pods_log_path(pods, "default", "web", "c", false, path, &e), -EAGAIN);
	assert_string_equal(err_msg(&e), "container \"c\" in pod \"web\" is waiting to start: "
					 "ContainerCreating");
	assert_int_equal(pods_log_path(pods, "default", "web", "x", false, path, &e), -ENOENT);
	assert_int_equal(pods_log_path(pods, "other", "web", "c", false, path, &e), -ENOENT);
	fake_pulled(NULL);
	run_ms(10);
	fake_hello(GUEST_STATE_WAITING);
	guest_started(0);
	assert_int_equal(pods_log_path(pods, "default", "web", "c", false, path, &e), 0);
	guest_log(GUEST_STREAM_STDOUT, 0, "half ");
	guest_log(GUEST_STREAM_STDERR, 0, "oops\n");
	guest_log(GUEST_STREAM_STDOUT, 5, "line\n\nlast");
	log_text(".log", &b);
	assert_string_equal(buf_str(&b), "2026-01-02T03:04:05.123456789Z stdout P half \n"
					 "2026-01-02T03:04:05.123456789Z stderr F oops\n"
					 "2026-01-02T03:04:05.123456789Z stdout F line\n"
					 "2026-01-02T03:04:05.123456789Z stdout F \n"
					 "2026-01-02T03:04:05.123456789Z stdout P last\n");
	/* The container starts again: its first log is the previous one, and complete. */
	assert_int_equal(pods_log_path(pods, "default", "web", "c", true, path, &e), -ENOENT);
	guest_exit(1, 0, 0);
	guest_started(1);
	assert_int_equal(pods_log_path(pods, "default", "web", "c", true, path, &e), 0);
	log_text(".prev.log", &b);
	assert_non_null(strstr(buf_str(&b), "P last\n"));
	log_text(".log", &b);
	assert_string_equal(buf_str(&b), "");
	/* The most that a frame can become: entries of nothing */
	for (int i = 0; i < 60000; i++)
		buf_puts(&big, "\n");
	guest_log(GUEST_STREAM_STDERR, 5, big.data);
	log_text(".log", &b);
	assert_int_equal(b.len, 60000 * strlen("2026-01-02T03:04:05.123456789Z stderr F \n"));
	buf_clear(&big);
	/* Ten MiB, then one older file is kept. */
	for (int i = 0; i < 1000; i++)
		buf_puts(&big, "0123456\n");
	for (int i = 0; i < 1000; i++) {
		guest_log(GUEST_STREAM_STDOUT, 15 + offset, big.data);
		offset += big.len;
	}
	log_text(".log.1", &b);
	assert_true(b.len >= 10 << 20 && b.len < 11 << 20);
	/* Who follows finds the new one there, and neither says that it was the end. */
	assert_int_equal(log_mode(".log.1"), 0640);
	assert_int_equal(log_mode(".log"), 0640);
	buf_done(&b);
	buf_done(&big);
}

/* A log is complete soon after its container's end, and open again for what comes late. */
static void test_log_ends(void **state)
{
	struct buf b = BUF_INIT(0);

	(void)state;
	to_running("u1", "Never");
	guest_log(GUEST_STREAM_STDOUT, 0, "one\n");
	guest_exit(0, 0, GUEST_BACKOFF_NEVER);
	guest_log(GUEST_STREAM_STDOUT, 4, "two\n");
	run_ms(50);
	assert_int_equal(log_mode(".log"), 0640);
	run_ms(800);
	assert_int_equal(log_mode(".log"), 0440);
	guest_log(GUEST_STREAM_STDOUT, 8, "three\n");
	assert_int_equal(log_mode(".log"), 0640);
	run_ms(800);
	assert_int_equal(log_mode(".log"), 0440);
	log_text(".log", &b);
	assert_non_null(strstr(buf_str(&b), "F three\n"));
	buf_done(&b);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_restart_of_hostd),
		T(test_vm_ended_meanwhile),
		T(test_killed_before_orders),
		T(test_never_killed_before_orders),
		T(test_host_was_restarted),
		T(test_logs),
		T(test_log_ends),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
