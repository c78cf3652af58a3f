// SPDX-License-Identifier: Apache-2.0
/* Probes, hooks and termination messages, as a pod's status and events show them. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake_parts.h"
#include "pod_harness.h"

#define PROBES                                                \
	",\"startupProbe\":{\"exec\":{\"command\":[\"a\"]}}," \
	"\"readinessProbe\":{\"httpGet\":{\"port\":80}},"     \
	"\"livenessProbe\":{\"tcpSocket\":{\"port\":80}}"
#define NOT_READY "\"Ready\",\"status\":\"False\",\"reason\":\"ContainersNotReady\""

static void start(const char *restart, const char *container)
{
	list_pods("[]");
	apply("u1", restart, "", container, "");
	fake_pulled(NULL);
	run_ms(10);
	fake_hello(GUEST_STATE_WAITING);
	run_ms(10);
	guest_started(0);
	settle();
}

static void probed(uint32_t restarts, bool started, bool ready, enum guest_probed_event event,
		   enum guest_probe_kind kind, const char *message)
{
	const struct guest_probed m = {0, restarts, started, ready, event, kind, message};

	fake.events->on_probed(fake.pod, &m);
}

static void test_probes(void **state)
{
	(void)state;
	start("Always", PROBES);
	assert_true(status_has(NOT_READY));
	assert_true(status_has("\"ready\":false,\"started\":false"));
	probed(0, true, false, GUEST_PROBED_STATE, GUEST_PROBE_STARTUP, "");
	settle();
	assert_true(status_has("\"ready\":false,\"started\":true"));
	assert_true(status_has("containers with unready status: [c]"));
	probed(0, true, false, GUEST_PROBED_FAILED, GUEST_PROBE_READINESS, "HTTP 503");
	probed(0, true, true, GUEST_PROBED_STATE, GUEST_PROBE_READINESS, "");
	settle();
	assert_true(status_has("\"ready\":true,\"started\":true"));
	assert_true(status_has("\"ContainersReady\",\"status\":\"True\""));
	statuses = 0;
	probed(0, true, true, GUEST_PROBED_STATE, GUEST_PROBE_READINESS, "");
	settle();
	assert_int_equal(statuses, 0); /* told twice is no news */
	probed(0, true, true, GUEST_PROBED_FAILED, GUEST_PROBE_LIVENESS, "refused");
	probed(0, true, true, GUEST_PROBED_KILLING, GUEST_PROBE_LIVENESS, "");
	guest_exit(137, 0, 0);
	settle();
	assert_true(status_has(NOT_READY));
	assert_true(status_has("\"ready\":false,\"started\":false"));
	/* Late words about the run that is over, and about one that never was */
	probed(0, true, true, GUEST_PROBED_STATE, GUEST_PROBE_READINESS, "");
	guest_started(1);
	probed(0, true, true, GUEST_PROBED_STATE, GUEST_PROBE_READINESS, "");
	probed(7, true, true, GUEST_PROBED_STATE, GUEST_PROBE_READINESS, "");
	settle();
	assert_true(status_has("\"ready\":false,\"started\":false"));
	/* Ready without having started is a lie */
	probed(1, false, true, GUEST_PROBED_STATE, GUEST_PROBE_READINESS, "");
	settle();
	assert_true(status_has("\"ready\":false,\"started\":false"));
	assert_string_equal(trail, "Pulling Pulled Started Unhealthy Unhealthy Killing Started ");
}

/* A pod's events are limited, whatever its guest says. */
static void test_event_flood(void **state)
{
	const char *p = trail;
	int count = 0;

	(void)state;
	start("Always", PROBES);
	for (int i = 0; i < 1000; i++)
		probed(0, true, false, GUEST_PROBED_FAILED, GUEST_PROBE_READINESS, "x\nev=y \xff");
	while ((p = strstr(p, "Unhealthy"))) {
		p++;
		count++;
	}
	assert_in_range(count, 10, 12);
}

/* Its failures have used up their share: that the container is ended is still told. */
static void test_killing_is_told(void **state)
{
	(void)state;
	start("OnFailure", PROBES);
	for (int i = 0; i < 20; i++)
		probed(0, true, false, GUEST_PROBED_FAILED, GUEST_PROBE_LIVENESS, "x");
	probed(0, true, false, GUEST_PROBED_KILLING, GUEST_PROBE_LIVENESS, "");
	assert_non_null(strstr(trail, "Killing"));
	/* To the API a success under OnFailure would be the end. */
	guest_exit(0, 0, 0);
	settle();
	assert_true(status_has("\"state\":{\"waiting\":{\"reason\":\"ContainerCreating\""));
	assert_true(status_has("\"lastState\":{\"terminated\":{\"exitCode\":0"));
	guest_started(1);
	settle();
	assert_true(status_has("\"state\":{\"running\""));
	assert_true(status_has("\"restartCount\":1"));
}

/* hostd forgets nothing that the guest will not say again. */
static void test_ready_survives(void **state)
{
	(void)state;
	start("Always", PROBES);
	probed(0, true, true, GUEST_PROBED_STATE, GUEST_PROBE_READINESS, "");
	settle();
	pods = pods_free(pods);
	fake.adoptable = true;
	pods_start();
	settle();
	assert_true(status_has("\"ready\":true,\"started\":true"));
}

static void test_hooks(void **state)
{
	(void)state;
	start("Never", "");
	probed(0, false, false, GUEST_PROBED_POST_START_FAILED, GUEST_PROBE_STARTUP, "no");
	probed(0, false, false, GUEST_PROBED_PRE_STOP_FAILED, GUEST_PROBE_STARTUP, "no");
	assert_string_equal(
		trail, "Pulling Pulled Started FailedPostStartHook Killing FailedPreStopHook ");
}

static void ended(const char *text, size_t len, uint8_t code, uint32_t restarts,
		  uint32_t backoff_ms)
{
	const struct guest_exit m = {
		.code = code,
		.started_ns = 1767323045000000000ULL,
		.finished_ns = 1767323046000000000ULL + restarts,
		.restart_count = restarts,
		.backoff_ms = backoff_ms,
		.message = text,
		.message_len = (uint32_t)len,
	};

	fake.events->on_exit(fake.pod, &m);
	settle();
}

static void test_termination(void **state)
{
	char big[GUEST_TERMINATION_MAX];

	(void)state;
	start("Always", "");
	ended("say \"it\"\n\0\xff!", 12, 1, 0, 10000);
	assert_true(status_has("\"lastState\":{\"terminated\":{\"exitCode\":1,\"reason\":\"Error\","
			       "\"message\":\"say \\\"it\\\"\\n ?!"));
	assert_true(status_has("CrashLoopBackOff"));
	guest_started(1);
	ended("", 0, 0, 1, GUEST_BACKOFF_NEVER);
	assert_true(status_has("\"reason\":\"Completed\",\"startedAt\""));
	memset(big, 'x', sizeof(big));
	guest_started(2);
	ended(big, sizeof(big), 3, 2, GUEST_BACKOFF_NEVER);
	assert_true(status_has("xxxx\",\"startedAt\""));
}

/* The last of the log, wherever it comes from: before the end, or after it. */
static void test_termination_from_log(void **state)
{
	char line[64];

	(void)state;
	start("Never", ",\"terminationMessagePolicy\":\"FallbackToLogsOnError\"");
	for (uint64_t at = 0; at < 90 * 10; at += 10) {
		snprintf(line, sizeof(line), "line %04u\n", (unsigned int)at / 10);
		guest_log(GUEST_STREAM_STDOUT, at, line);
	}
	ended("", 0, 1, 0, GUEST_BACKOFF_NEVER);
	assert_true(status_has("\"message\":\"line 0010\\nline 0011\\n"));
	assert_true(status_has("line 0089\\n\",\"startedAt\""));
	guest_log(GUEST_STREAM_STDERR, 0, "too ");
	guest_log(GUEST_STREAM_STDERR, 4, "late\n");
	settle();
	assert_true(status_has("line 0089\\ntoo late\\n\",\"startedAt\""));
	assert_true(status_has("\"message\":\"line 0011\\n"));
}

static void test_termination_no_log(void **state)
{
	(void)state;
	start("Never", ",\"terminationMessagePolicy\":\"FallbackToLogsOnError\"");
	guest_log(GUEST_STREAM_STDOUT, 0, "fine\n");
	ended("", 0, 0, 0, GUEST_BACKOFF_NEVER);
	assert_false(status_has("fine"));
}

/* Under OnFailure what has succeeded is over, also for the VM after one that was lost. */
static void test_success_outlives_vm(void **state)
{
	static const char text[] =
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"web\",\"uid\":\"u1\"},\"spec\":{"
		"\"restartPolicy\":\"OnFailure\",\"containers\":[{\"name\":\"c\",\"image\":\"nginx\"},"
		"{\"name\":\"d\",\"image\":\"nginx\"}]}}";
	const struct guest_started d = {1, 8, 1767323045000000000ULL, 0};
	struct json_doc *doc;

	(void)state;
	list_pods("[]");
	assert_int_equal(json_parse(text, strlen(text), &doc, NULL), 0);
	pod_apply(pods, json_root(doc));
	json_doc_free(doc);
	run_ms(10);
	fake_pulled(NULL);
	fake_pulled(NULL);
	run_ms(10);
	fake_hello(GUEST_STATE_WAITING);
	run_ms(10);
	assert_false(fake.run_over[0] || fake.run_over[1]);
	guest_started(0);
	fake.events->on_started(fake.pod, &d);
	ended("", 0, 0, 0, GUEST_BACKOFF_NEVER);
	fake_vm_exit(VM_REASON_PANIC);
	run_ms(BACKOFF_MS + 100);
	fake_pulled(NULL);
	fake_pulled(NULL);
	run_ms(10);
	fake_hello(GUEST_STATE_WAITING);
	run_ms(10);
	assert_true(fake.run_over[0]);
	assert_false(fake.run_over[1]);
	settle();
	assert_true(status_has("\"state\":{\"terminated\":{\"exitCode\":0"));
	assert_true(status_has("\"state\":{\"waiting\":{\"reason\":\"ContainerCreating\""));
}

/* activeDeadlineSeconds: the containers are stopped within their grace, the pod has failed. */
static void test_deadline(void **state)
{
	(void)state;
	start("Always\",\"activeDeadlineSeconds\":1,\"terminationGracePeriodSeconds\":7,\"x\":\"",
	      "");
	assert_true(status_has("\"phase\":\"Running\""));
	assert_int_equal(fake.stop_sent, 0);
	run_ms(1100);
	settle();
	assert_int_equal(fake.stop_sent, 1);
	assert_in_range(fake.stop_grace_ms, 6900, 7000);
	ended("", 0, 143, 0, GUEST_BACKOFF_NEVER);
	fake.events->on_done(fake.pod);
	fake_vm_exit(VM_REASON_POWEROFF);
	settle();
	assert_true(status_has("\"phase\":\"Failed\",\"reason\":\"DeadlineExceeded\""));
	assert_true(status_has("\"exitCode\":143"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_probes),
		T(test_event_flood),
		T(test_killing_is_told),
		T(test_ready_survives),
		T(test_hooks),
		T(test_termination),
		T(test_termination_from_log),
		T(test_termination_no_log),
		T(test_deadline),
		T(test_success_outlives_vm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
