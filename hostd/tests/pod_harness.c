// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "fake_parts.h"
#include "pod_harness.h"

#define DATA "hostd/tests/data/"

struct pods *pods;
struct json *measured_pods;
static struct json_doc *measured_doc;
char logs_dir[96];
char pods_dir[96], last_status[8192], trail[4096];
int statuses, deleted, measured, asked;
#define WANTS_MAX 16
static struct pod_want *wants[WANTS_MAX];
static int want_count;
const char *api_host;
uint32_t guest_patience_ms;
static struct loop loop;
static char dir[64], resolv[96];

/* ---- what pods tell ---- */

static void on_status(const struct pod_ref *pod, const struct json *status, void *arg)
{
	struct buf b = BUF_INIT(0);

	(void)arg;
	assert_string_equal(pod->ns, "default");
	assert_int_equal(json_write(status, &b), 0);
	assert_true(b.len < sizeof(last_status));
	memcpy(last_status, b.data, b.len + 1);
	buf_done(&b);
	statuses++;
}

static void on_deleted(const struct pod_ref *pod, void *arg)
{
	(void)pod;
	(void)arg;
	deleted++;
	/* The server must have seen a terminal phase before. */
	assert_true(strstr(last_status, "\"phase\":\"Failed\"") ||
		    strstr(last_status, "\"phase\":\"Succeeded\""));
}

static void on_event(const struct pod_ref *pod, const char *type, const char *reason,
		     const char *message, void *arg)
{
	(void)pod;
	(void)type;
	(void)message;
	(void)arg;
	snprintf(trail + strlen(trail), sizeof(trail) - strlen(trail), "%s ", reason);
}

static void on_measured(struct json_doc *doc, struct json *list, void *arg)
{
	(void)doc;
	(void)arg;
	measured++;
	json_doc_free(measured_doc);
	measured_doc = json_doc_new();
	measured_pods = json_copy(measured_doc, list);
}

static void on_fetch(struct pod_want *want, void *arg)
{
	(void)arg;
	assert_true(want_count < WANTS_MAX);
	wants[want_count++] = want;
	asked++;
}

static void on_cancel(struct pod_want *want, void *arg)
{
	(void)arg;
	for (int i = 0; i < want_count; i++)
		if (wants[i] == want) {
			wants[i] = wants[--want_count];
			return;
		}
	fail_msg("cancelled what was not asked for");
}

bool api_answer(const char *name, const char *text)
{
	struct pod_fetched f = {.absent = !text, .message = "no such thing", .retry_after_ms = -1};
	struct pod_want *want = NULL;
	struct json_doc *doc = NULL;
	struct err e = ERR_INIT;

	for (int i = 0; i < want_count; i++)
		if (str_eq(wants[i]->name, name))
			want = wants[i];
	if (!want)
		return false;
	on_cancel(want, NULL);
	if (text && *text == '{' && json_parse(text, strlen(text), &doc, &e) < 0)
		fail_msg("%s", err_msg(&e));
	f.object = json_root(doc);
	if (text && !doc)
		f.message = text;
	pods_fetched(want, &f);
	json_doc_free(doc);
	run_ms(10);
	return true;
}

/* ---- driving ---- */

void run_ms(uint64_t ms)
{
	uint64_t end_ms = clock_mono_ms() + ms;

	do
		assert_int_equal(loop_once(&loop, 5), 0);
	while (clock_mono_ms() < end_ms);
}

/* Lets everything that is due happen, reports too. */
void settle(void)
{
	run_ms(130);
}

void pods_start(void)
{
	const struct pods_config config = {
		.loop = &loop,
		.net = (struct net *)dir, /* only its presence counts */
		.dir = pods_dir,
		.scratch_dir = pods_dir,
		.log_dir = logs_dir,
		.cgroup_dir = "",
		.node_name = "h1",
		.host_ip = "192.0.2.1",
		.resolv_conf = resolv,
		.hypervm = "/bin/hypervm",
		.kernel = "/dev/null", /* any file that is there */
		.kernel_full = "/nonexistent/hyperkernel-full",
		.initrd = "/i",
		.cpus = 4,
		.pods_max = 10,
		.memory_bytes = (uint64_t)1 << 30,
		.scratch_bytes = DISK_SCRATCH_MIN,
		.backoff_ms = BACKOFF_MS,
		.slack_ms = SLACK_MS,
		.guest_ms = guest_patience_ms,
		.refresh_ms = REFRESH_MS,
		.api_host = api_host,
		.api_port = "6443",
	};
	static const struct pods_ops ops = {on_status,	 on_deleted, on_event,
					    on_measured, on_fetch,   on_cancel};
	struct err e = ERR_INIT;

	assert_int_equal(pods_new(&config, &ops, NULL, &pods, &e), 0);
}

int setup(void **state)
{
	(void)state;
	(void)str_copy(dir, sizeof(dir), "/tmp/test_pod.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(pods_dir, sizeof(pods_dir), "%s/pods", dir);
	snprintf(logs_dir, sizeof(logs_dir), "%s/logs", dir);
	snprintf(resolv, sizeof(resolv), "%s/resolv.conf", dir);
	assert_int_equal(file_write(AT_FDCWD, resolv, "nameserver 127.0.0.1\nnameserver 10.0.2.3\n",
				    42, 0644, NULL),
			 0);
	assert_int_equal(loop_init(&loop), 0);
	fake_reset(&loop);
	last_status[0] = trail[0] = '\0';
	statuses = deleted = measured = asked = want_count = 0;
	api_host = "";
	pods_start();
	return 0;
}

int teardown(void **state)
{
	(void)state;
	pods = pods_free(pods);
	measured_doc = json_doc_free(measured_doc);
	measured_pods = NULL;
	assert_int_equal(want_count, 0);
	assert_int_equal(fake.image_refs, 0);
	assert_int_equal(fake.plan_open, 0);
	loop_done(&loop);
	assert_int_equal(file_remove_tree(AT_FDCWD, dir), 0);
	return 0;
}

/* A pod with one container; @more goes into the spec, @meta behind the uid, @container into it. */
struct json_doc *pod_json(const char *uid, const char *restart, const char *meta,
			  const char *container, const char *rest)
{
	struct buf b = BUF_INIT(0);
	struct json_doc *doc;
	struct err e = ERR_INIT;

	buf_printf(
		&b,
		"{\"metadata\":{\"namespace\":\"default\",\"name\":\"web\",\"uid\":\"%s\"%s},"
		"\"spec\":{\"restartPolicy\":\"%s\",\"containers\":[{\"name\":\"c\",\"image\":\"nginx\"%s}]}%s}",
		uid, meta, restart, container, rest);
	if (json_parse(b.data, b.len, &doc, &e) < 0)
		fail_msg("%s", err_msg(&e));
	buf_done(&b);
	return doc;
}

void apply(const char *uid, const char *restart, const char *meta, const char *container,
	   const char *rest)
{
	struct json_doc *doc = pod_json(uid, restart, meta, container, rest);

	pod_apply(pods, json_root(doc));
	json_doc_free(doc);
	run_ms(10);
}

void list_pods(const char *text)
{
	struct json_doc *doc;

	assert_int_equal(json_parse(text, strlen(text), &doc, NULL), 0);
	pods_sync(pods, json_root(doc));
	json_doc_free(doc);
	run_ms(10);
}

void guest_started(uint32_t restarts)
{
	const struct guest_started m = {0, 7, 1767323045000000000ULL, restarts};

	fake.events->on_started(fake.pod, &m);
}

void guest_exit(uint8_t code, uint32_t restarts, uint32_t backoff_ms)
{
	const struct guest_exit m = {
		.code = code,
		.started_ns = 1767323045000000000ULL,
		.finished_ns = 1767323046000000000ULL + restarts * 1000000000ULL,
		.restart_count = restarts,
		.backoff_ms = backoff_ms,
	};

	fake.events->on_exit(fake.pod, &m);
}

void guest_log(enum guest_stream stream, uint64_t offset, const char *text)
{
	const struct guest_log m = {
		0, stream, offset, 1767323045123456789ULL, text, (uint32_t)strlen(text)};

	assert_true(fake.events->on_log(fake.pod, &m));
}

void to_running(const char *uid, const char *restart)
{
	list_pods("[]");
	apply(uid, restart, "", "", "");
	assert_int_equal(fake.wait_count, 1);
	fake_pulled(NULL);
	run_ms(10);
	assert_non_null(fake.vm);
	fake_hello(GUEST_STATE_WAITING);
	run_ms(10);
	assert_int_equal(fake.run_sent, 1);
	guest_started(0);
	settle();
}

bool status_has(const char *text)
{
	return strstr(last_status, text) != NULL;
}

/* Compares the last status with a golden file; times and folders vary. */
void golden(const char *name)
{
	char path[128], now[sizeof(last_status)];
	struct buf b = BUF_INIT(0), text = BUF_INIT(0);
	struct json_doc *doc;
	size_t n = 0;

	assert_int_equal(json_parse(last_status, strlen(last_status), &doc, NULL), 0);
	assert_int_equal(json_write_pretty(json_root(doc), &text), 0);
	json_doc_free(doc);
	for (const char *s = text.data; *s; s++) {
		/* "2026-01-02T03:04:05Z", but the guest's own times stay */
		if (s[0] == '"' && s[5] == '-' && s[11] == 'T' && s[20] == 'Z' &&
		    strncmp(s, "\"2026-01-02T", 12) != 0) {
			n += (size_t)snprintf(now + n, sizeof(now) - n, "\"NOW\"");
			s += 21;
			continue;
		}
		now[n++] = *s;
	}
	now[n++] = '\n';
	now[n] = '\0';
	snprintf(path, sizeof(path), DATA "%s.json", name);
	if (getenv("GOLDEN_UPDATE"))
		assert_int_equal(file_write(AT_FDCWD, path, now, n, 0644, NULL), 0);
	assert_int_equal(file_read(AT_FDCWD, path, &b, NULL), 0);
	assert_string_equal(now, buf_str(&b));
	buf_done(&b);
	buf_done(&text);
}

void log_text(const char *suffix, struct buf *b)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/u1/c%s", logs_dir, suffix);
	buf_clear(b);
	if (file_read(AT_FDCWD, path, b, NULL) < 0)
		buf_puts(b, "none");
}
