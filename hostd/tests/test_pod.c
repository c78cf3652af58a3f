// SPDX-License-Identifier: Apache-2.0
/* The state table against fakes of what lies below it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/log.h"
#include "fake_parts.h"
#include "pod_harness.h"

static void test_whole_life(void **state)
{
	(void)state;
	list_pods("[]");
	apply("u1", "Never", "",
	      ",\"args\":[\"$(A)\"],\"env\":[{\"name\":\"A\",\"value\":\"pod\"}],"
	      "\"resources\":{\"limits\":{\"memory\":\"64Mi\",\"cpu\":\"2\"}}",
	      "");
	settle();
	golden("status_pulling");
	assert_string_equal(fake.names[0], "nginx");
	fake_pulled(NULL);
	run_ms(10);
	assert_int_equal(fake.started, 1);
	assert_int_equal(fake.vm_vcpus, 2);
	assert_int_equal(fake.vm_memory, (64 + 32 + 64 / 64) << 20);
	assert_int_equal(fake.attached, 1);
	fake_hello(GUEST_STATE_WAITING);
	run_ms(10);
	assert_string_equal(fake.run_args, "/entry|pod");
	assert_string_equal(fake.run_env, "PATH=/bin|A=pod");
	assert_string_equal(fake.run_user, "nginx");
	assert_string_equal(fake.run_dns, "10.0.2.3");
	guest_started(0);
	settle();
	golden("status_running");
	guest_exit(0, 0, GUEST_BACKOFF_NEVER);
	fake.events->on_done(fake.pod);
	run_ms(10);
	assert_int_equal(fake.stop_sent, 1);
	fake_vm_exit(VM_REASON_POWEROFF);
	settle();
	golden("status_succeeded");
	assert_int_equal(fake.attached, 0);
	assert_int_equal(fake.killed, 0);
	assert_int_equal(deleted, 0);
	apply("u1", "Never", DELETED("30"), "", "");
	settle();
	assert_int_equal(deleted, 1);
	assert_int_equal(fake.started, 1);
	assert_string_equal(trail, "Pulling Pulled Started ");
}

static void test_replays(void **state)
{
	(void)state;
	to_running("u1", "Always");
	statuses = 0;
	for (int i = 0; i < 3; i++) {
		apply("u1", "Always", "", "", "");
		guest_started(0);
	}
	fake_close();
	run_ms(10);
	fake_hello(GUEST_STATE_RUNNING);
	guest_started(0);
	settle();
	assert_int_equal(fake.started, 1);
	assert_int_equal(fake.run_sent, 1);
	assert_int_equal(statuses, 0);
	assert_true(status_has("\"restartCount\":0"));
	assert_string_equal(trail, "Pulling Pulled Started ");
}

/* An exec goes to the pod's guest, unless there is nobody to execute it. */
static void test_exec(void **state)
{
	struct guest_exec m = {.container = 99};
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(pods_exec(pods, "default", "web", "c", &m, &e), -ENOENT);
	assert_string_equal(err_msg(&e), "pod \"web\" not found");
	to_running("u1", "Never");
	assert_int_equal(pods_exec(pods, "default", "web", "other", &m, &e), -ENOENT);
	assert_int_equal(pods_exec(pods, "other", "web", "c", &m, &e), -ENOENT);
	fake.exec_result = 42;
	assert_int_equal(pods_exec(pods, "default", "web", "c", &m, &e), 42);
	assert_int_equal(fake.exec_container, 0);
	fake.exec_result = -EBUSY;
	assert_int_equal(pods_exec(pods, "default", "web", "c", &m, &e), -EBUSY);
	fake_close();
	assert_int_equal(pods_exec(pods, "default", "web", "c", &m, &e), -ENOTCONN);
	fake_hello(GUEST_STATE_RUNNING);
	guest_exit(0, 0, GUEST_BACKOFF_NEVER);
	settle();
	assert_int_equal(pods_exec(pods, "default", "web", "c", &m, &e), -EAGAIN);
}

static void test_unsupported(void **state)
{
	struct json_doc *doc;
	static const char text[] =
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"web\",\"uid\":\"u1\"},\"spec\":"
		"{\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"/\"}}],\"containers\":[]}}";

	(void)state;
	list_pods("[]");
	assert_int_equal(json_parse(text, strlen(text), &doc, NULL), 0);
	pod_apply(pods, json_root(doc));
	json_doc_free(doc);
	settle();
	golden("status_unsupported");
	assert_int_equal(fake.started, 0);
	apply("u1", "Never", DELETED("30"), "", "");
	settle();
	assert_int_equal(deleted, 1);
}

/* A class whose kernel the host's image lacks. */
static void test_no_kernel(void **state)
{
	static const char text[] =
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"web\",\"uid\":\"u1\"},\"spec\":"
		"{\"runtimeClassName\":\"hypervm-full\",\"containers\":[{\"name\":\"c\","
		"\"image\":\"i\"}]}}";
	struct json_doc *doc;

	(void)state;
	list_pods("[]");
	assert_int_equal(json_parse(text, strlen(text), &doc, NULL), 0);
	pod_apply(pods, json_root(doc));
	json_doc_free(doc);
	settle();
	assert_non_null(strstr(last_status, "UnsupportedPod"));
	assert_non_null(strstr(last_status, "spec.runtimeClassName: this host has no kernel"));
	assert_int_equal(fake.started, 0);
}

static void test_pull_backoff(void **state)
{
	(void)state;
	list_pods("[]");
	apply("u1", "Always", "", "", "");
	fake_pulled("nginx: manifest unknown");
	run_ms(BACKOFF_MS / 2);
	assert_int_equal(fake.wait_count, 0);
	settle();
	assert_true(
		status_has("\"reason\":\"ErrImagePull\",\"message\":\"nginx: manifest unknown\""));
	assert_int_equal(fake.wait_count, 1); /* tried again meanwhile */
	fake_pulled("nginx: manifest unknown");
	run_ms(BACKOFF_MS);
	assert_int_equal(fake.wait_count, 0); /* waits twice as long */
	run_ms(2 * BACKOFF_MS);
	assert_int_equal(fake.wait_count, 1);
	fake_pulled(NULL);
	settle();
	assert_int_equal(fake.started, 1);
	assert_true(status_has("\"reason\":\"ContainerCreating\""));
	assert_false(status_has("manifest unknown"));
}

static void test_delete_with_grace(void **state)
{
	(void)state;
	to_running("u1", "Always");
	apply("u1", "Always", DELETED("7"), "", "");
	assert_int_equal(fake.stop_sent, 1);
	assert_int_equal(fake.stop_grace_ms, 7000);
	guest_exit(0, 0, GUEST_BACKOFF_NEVER);
	run_ms(10);
	assert_int_equal(deleted, 0);
	fake.events->on_done(fake.pod);
	fake_vm_exit(VM_REASON_POWEROFF);
	settle();
	settle();
	assert_int_equal(deleted, 1);
	assert_int_equal(fake.killed, 0);
	golden("status_deleted");
}

/* The host is restarted: the pod gets its grace, and the API hears nothing of its end. */
static void test_leave(void **state)
{
	(void)state;
	to_running("u1", "Always");
	statuses = 0;
	pods_leave(pods, 600);
	run_ms(10);
	assert_int_equal(fake.stop_sent, 1);
	assert_int_equal(fake.stop_grace_ms, 30000);
	assert_false(pods_left(pods));
	guest_exit(0, 0, GUEST_BACKOFF_NEVER);
	fake.events->on_done(fake.pod);
	fake_vm_exit(VM_REASON_POWEROFF);
	settle();
	assert_true(pods_left(pods));
	assert_int_equal(statuses, 0);
	assert_int_equal(deleted, 0);
	/* What comes now waits for the next boot; what is deleted goes. */
	apply("u2", "Always", "", "", "");
	settle();
	assert_int_equal(statuses, 0);
	assert_true(pods_left(pods));
	apply("u1", "Always", DELETED("7"), "", "");
	settle();
	settle();
	assert_int_equal(deleted, 1);
}

/* A pod's grace may be longer than a restart waits. */
static void test_leave_bounded(void **state)
{
	(void)state;
	to_running("u1", "Never");
	pods_leave(pods, 2);
	run_ms(10);
	assert_int_equal(fake.stop_grace_ms, 2000);
	fake_vm_exit(VM_REASON_POWEROFF);
	settle();
	assert_true(pods_left(pods));
	assert_false(status_has("\"phase\":\"Failed\""));
}

static void test_delete_ignored_by_guest(void **state)
{
	(void)state;
	to_running("u1", "Always");
	apply("u1", "Always", DELETED("0"), "", "");
	assert_int_equal(fake.killed, 0);
	run_ms(SLACK_MS + 100);
	assert_int_equal(fake.killed, 1);
	settle();
	settle();
	assert_true(status_has("\"exitCode\":137"));
	assert_true(status_has("\"phase\":\"Failed\""));
	assert_int_equal(deleted, 1);
}

static void test_shorter_grace(void **state)
{
	(void)state;
	to_running("u1", "Always");
	apply("u1", "Always", DELETED("30"), "", "");
	apply("u1", "Always", DELETED("30"), "", "");
	assert_int_equal(fake.stop_sent, 1);
	apply("u1", "Always", DELETED("2"), "", "");
	assert_int_equal(fake.stop_sent, 2);
	assert_int_equal(fake.stop_grace_ms, 2000);
	/* The connection breaks: the guest that comes back is told again. */
	fake_close();
	run_ms(10);
	fake_hello(GUEST_STATE_RUNNING);
	run_ms(10);
	assert_int_equal(fake.stop_sent, 3);
	assert_true(fake.stop_grace_ms <= 2000 && fake.stop_grace_ms > 1500);
}

static void test_removed_by_force(void **state)
{
	struct json_doc *doc = pod_json("u1", "Always", "", "", "");
	char path[PATH_MAX];

	(void)state;
	to_running("u1", "Always");
	snprintf(path, sizeof(path), "%s/u1/pod.json", pods_dir);
	assert_int_equal(access(path, F_OK), 0);
	pod_remove(pods, json_root(doc));
	pod_remove(pods, json_root(doc));
	json_doc_free(doc);
	settle();
	assert_int_equal(fake.killed, 1);
	assert_int_equal(deleted, 0);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(fake.attached, 0);
}

/* The host runs short: the pod ends, once, and says why. */
static void test_evicted(void **state)
{
	static const char data[8192] = "data";
	char path[PATH_MAX];
	int fd;

	(void)state;
	to_running("u1", "Always");
	pods_evict(pods, PODS_SCRATCH, 1 << 20, 2 << 20);
	settle();
	assert_true(status_has("\"phase\":\"Running\"")); /* it holds nothing */
	snprintf(path, sizeof(path), "%s/u1.img", pods_dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, data, sizeof(data)), sizeof(data));
	close(fd);
	pods_evict(pods, PODS_SCRATCH, 1 << 20, 2 << 20);
	pods_evict(pods, PODS_SCRATCH, 1 << 20, 2 << 20);
	settle();
	assert_true(status_has("\"phase\":\"Failed\",\"reason\":\"Evicted\""));
	assert_true(status_has("low on resource: ephemeral-storage. Threshold quantity: 2048Ki, "
			       "available: 1024Ki. The pod was using 8Ki, request is 0Ki."));
	assert_int_equal(fake.stop_sent, 1);
	assert_int_equal(fake.stop_grace_ms, 0);
}

static void test_deleted_before_boot(void **state)
{
	(void)state;
	list_pods("[]");
	apply("u1", "Always", "", "", "");
	assert_int_equal(fake.wait_count, 1);
	apply("u1", "Always", DELETED("30"), "", "");
	settle();
	settle();
	assert_int_equal(fake.wait_count, 0);
	assert_int_equal(fake.started, 0);
	assert_int_equal(deleted, 1);
	assert_true(status_has("\"reason\":\"ContainerStatusUnknown\""));
}

static void test_vm_crash_restarts(void **state)
{
	(void)state;
	to_running("u1", "Always");
	guest_exit(1, 0, 0);
	guest_started(1);
	fake_vm_exit(VM_REASON_PANIC);
	run_ms(2 * BACKOFF_MS);
	assert_int_equal(fake.attached, 0);
	assert_int_equal(fake.wait_count, 1);
	fake_pulled(NULL);
	run_ms(10);
	assert_int_equal(fake.started, 2);
	fake_hello(GUEST_STATE_WAITING);
	guest_started(0);
	settle();
	golden("status_restarted");
}

static void test_vm_crash_never(void **state)
{
	(void)state;
	to_running("u1", "Never");
	fake_vm_exit(VM_REASON_PANIC);
	settle();
	assert_true(status_has("\"phase\":\"Failed\""));
	assert_true(status_has("the VM ended: panic"));
	settle();
	assert_int_equal(fake.started, 1);
}

static void test_crash_loop(void **state)
{
	(void)state;
	to_running("u1", "Always");
	guest_exit(3, 0, 10000);
	settle();
	assert_true(status_has("\"reason\":\"CrashLoopBackOff\""));
	assert_true(status_has("\"phase\":\"Running\""));
	assert_true(status_has("\"exitCode\":3"));
	guest_started(1);
	settle();
	assert_true(status_has("\"restartCount\":1"));
	assert_true(status_has("\"Ready\",\"status\":\"True\""));
}

static void test_start_error(void **state)
{
	const struct guest_failed m = {
		.container = 0,
		.code = 128,
		.finished_ns = 1767323046000000000ULL,
		.backoff_ms = GUEST_BACKOFF_NEVER,
		.reason = "StartError ev=x", /* of a guest that wants to write log lines */
		.message = "exec /no: not found",
	};

	(void)state;
	list_pods("[]");
	apply("u1", "Never", "", "", "");
	fake_pulled(NULL);
	run_ms(10);
	fake_hello(GUEST_STATE_WAITING);
	run_ms(10);
	fake.events->on_failed(fake.pod, &m);
	fake.events->on_done(fake.pod);
	fake_vm_exit(VM_REASON_POWEROFF);
	settle();
	assert_true(status_has(
		"\"exitCode\":128,\"reason\":\"StartError_ev_x\",\"message\":\"exec /no: not found\""));
	assert_true(status_has("\"phase\":\"Failed\""));
}

static void test_no_room(void **state)
{
	(void)state;
	list_pods("[]");
	apply("u1", "Never", "", ",\"resources\":{\"requests\":{\"memory\":\"800Mi\"}}", "");
	apply("u2", "Never", "", ",\"resources\":{\"requests\":{\"memory\":\"300Mi\"}}", "");
	settle();
	assert_true(status_has("\"reason\":\"OutOfmemory\""));
	assert_true(status_has("requested: 314572800, used: 838860800, capacity: 1073741824"));
	assert_int_equal(fake.wait_count, 1);
	assert_non_null(strstr(trail, "OutOfmemory"));
}

static void test_port_taken(void **state)
{
	(void)state;
	fake.attach_result = -EADDRINUSE;
	list_pods("[]");
	apply("u1", "Always", "", "", "");
	fake_pulled(NULL);
	settle();
	assert_true(status_has("\"reason\":\"NodePorts\",\"message\":\"host port 8080 is taken\""));
	assert_int_equal(fake.started, 0);
}

static void test_trouble_passes(void **state)
{
	(void)state;
	fake.disk_result = -ENOSPC;
	list_pods("[]");
	apply("u1", "Always", "", "", "");
	fake_pulled(NULL);
	settle();
	assert_true(status_has("no space for the scratch disk"));
	assert_true(status_has("\"phase\":\"Pending\""));
	fake.disk_result = 0;
	run_ms(2100);
	assert_int_equal(fake.started, 1);
	assert_false(status_has("no space"));
}

/* Behind the container: the pod's volumes, and a list that is open as the containers' was */
#define VOLUMES                                                                        \
	"}],\"volumes\":[{\"name\":\"a\",\"emptyDir\":{}},"                            \
	"{\"name\":\"b\",\"emptyDir\":{\"sizeLimit\":\"1Mi\"}},"                       \
	"{\"name\":\"c\",\"emptyDir\":{\"medium\":\"Memory\",\"sizeLimit\":\"2Mi\"}}," \
	"{\"name\":\"d\",\"emptyDir\":{\"sizeLimit\":\"1Gi\"}}],\"tolerations\":[{"

/* What has a limit lies behind the scratch file system and can hold no more than that. */
static void test_volumes(void **state)
{
	(void)state;
	list_pods("[]");
	apply("u1", "Never", "",
	      ",\"env\":[{\"name\":\"A\",\"value\":\"x\"}],\"volumeMounts\":["
	      "{\"name\":\"b\",\"mountPath\":\"/b/c\",\"readOnly\":true},"
	      "{\"name\":\"a\",\"mountPath\":\"/a\",\"subPathExpr\":\"$(A)/$(A)\"}]" VOLUMES,
	      "");
	settle();
	fake_pulled(NULL);
	run_ms(10);
	fake_hello(GUEST_STATE_WAITING);
	run_ms(10);
	assert_string_equal(fake.run_volumes, "0:0+0 0:16777216+1638400 1:0+2097152 "
					      "0:18415616+18350080 ");
	assert_string_equal(fake.run_mounts, "0:/a:x/x:0 1:/b/c::1 ");
}

static void test_no_disk_space(void **state)
{
	static const char half[] =
		",\"resources\":{\"limits\":{\"ephemeral-storage\":\"9Mi\"}}"; /* of 16 */

	(void)state;
	list_pods("[]");
	apply("u1", "Never", "", half, "");
	settle();
	assert_true(status_has("\"phase\":\"Pending\""));
	apply("u2", "Never", "", half, "");
	settle();
	assert_true(status_has("\"reason\":\"OutOfephemeral-storage\""));
	assert_true(status_has("requested: 9437184, used: 9437184, capacity: 16777216"));
}

static void test_bad_expression(void **state)
{
	static const char *const bad[] = {"$(B)", "$(UP)", "a/$(UP)/b", "$(ROOT)", "$(EMPTY)"};

	(void)state;
	list_pods("[]");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char uid[8], container[800];

		snprintf(uid, sizeof(uid), "u%zu", i);
		snprintf(container, sizeof(container),
			 ",\"env\":[{\"name\":\"UP\",\"value\":\"..\"},{\"name\":\"EMPTY\"},"
			 "{\"name\":\"ROOT\",\"value\":\"/\"}],\"volumeMounts\":[{\"name\":\"a\","
			 "\"mountPath\":\"/a\",\"subPathExpr\":\"%s\"}]" VOLUMES,
			 bad[i]);
		apply(uid, "Never", "", container, "");
		settle();
		fake_pulled(NULL);
		run_ms(10);
		fake_hello(GUEST_STATE_WAITING);
		settle();
		assert_int_equal(fake.run_sent, 0);
		assert_true(status_has("is not a path inside of the volume"));
		apply(uid, "Never", DELETED("0"), container, "");
		fake_vm_exit(VM_REASON_POWEROFF);
		settle();
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_whole_life),
		T(test_replays),
		T(test_unsupported),
		T(test_no_kernel),
		T(test_pull_backoff),
		T(test_delete_with_grace),
		T(test_leave),
		T(test_leave_bounded),
		T(test_delete_ignored_by_guest),
		T(test_shorter_grace),
		T(test_removed_by_force),
		T(test_evicted),
		T(test_deleted_before_boot),
		T(test_vm_crash_restarts),
		T(test_vm_crash_never),
		T(test_crash_loop),
		T(test_start_error),
		T(test_no_room),
		T(test_port_taken),
		T(test_trouble_passes),
		T(test_exec),
		T(test_volumes),
		T(test_bad_expression),
		T(test_no_disk_space),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
