// SPDX-License-Identifier: Apache-2.0
#include "pod.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "action.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "container.h"
#include "exec.h"
#include "files.h"
#include "link.h"
#include "pause.h"
#include "stats.h"
#include "system.h"

#define POD_MOD "pod"

static struct {
	struct loop *loop;
	enum guest_state state;
	bool broken; /* pod-wide failure, in reason and message */
	bool tell_broken; /* the host is to be told */
	bool stopping; /* the host asked for the end */
	bool closing; /* no container that counts runs or will: its sidecars are to end, too */
	bool done_sent; /* on this connection */
	uint32_t window; /* of log bytes, from WELCOME */
	uint32_t log_turn; /* the container whose output is sent next */
	uint64_t failed_ns;
	struct timer kill_timer; /* the grace period, while stopping or closing */
	pid_t pause; /* PID 1 of a shared pid namespace; 0: there is none */
	int pause_fd; /* its pidfd */
	struct timer off_timer; /* how long a stopped pod waits for the host */
	char reason[GUEST_REASON_MAX + 1];
	char message[GUEST_MESSAGE_MAX + 1];
	size_t run_len;
	uint8_t run_data[GUEST_RUN_MAX];
	struct guest_run run;
	struct container containers[GUEST_CONTAINERS_MAX];
} pod;

static void pod_off(struct timer *t)
{
	(void)t;
	log_info(POD_MOD, "ev=power_off");
	system_power_off();
}

/* Starts what can be started: init containers one after the other, then all others. */
static void pod_advance(void)
{
	uint32_t count = pod.run.container_count;

	if (pod.stopping || pod.closing)
		return;
	for (uint32_t i = 0; i < count; i++) {
		struct container *c = &pod.containers[i];

		if (!c->spec->init || container_succeeded(c))
			continue;
		if (c->state == CONTAINER_NEW)
			container_start(c);
		if (!container_succeeded(c) && !(c->spec->sidecar && container_started(c)))
			return;
	}
	for (uint32_t i = 0; i < count; i++)
		if (!pod.containers[i].spec->init && pod.containers[i].state == CONTAINER_NEW)
			container_start(&pod.containers[i]);
}

/* Whether nothing is left that sidecars are there for. */
static bool pod_over(void)
{
	bool over = true;

	for (uint32_t i = 0; i < pod.run.container_count; i++) {
		const struct container *c = &pod.containers[i];

		if (c->spec->sidecar)
			continue;
		if (container_active(c))
			return false;
		if (c->spec->init && c->state == CONTAINER_ENDED && !container_succeeded(c))
			return true; /* the others will never start */
		over = over && c->state == CONTAINER_ENDED;
	}
	return over || pod.stopping;
}

static uint32_t pod_grace_left(void)
{
	uint64_t now_ms = clock_mono_ms();
	bool in_time = timer_armed(&pod.kill_timer) && pod.kill_timer.due_ms > now_ms;

	return in_time ? (uint32_t)(pod.kill_timer.due_ms - now_ms) : 0;
}

/* Sidecars end after all others, the last one first; each gets what is left of the grace. */
static void pod_end_sidecars(void)
{
	if (!pod_over())
		return;
	if (!pod.closing && !pod.stopping)
		timer_set(&pod.kill_timer, pod.run.grace_ms);
	pod.closing = true;
	for (uint32_t i = pod.run.container_count; i > 0; i--) {
		struct container *c = &pod.containers[i - 1];

		if (!c->spec->sidecar || !container_active(c))
			continue;
		container_stop(c, MAX(pod_grace_left(), (uint32_t)CONTAINER_STOP_MIN_MS));
		if (container_active(c))
			return;
	}
}

static void pod_check_end(void)
{
	if (pod.state != GUEST_STATE_RUNNING)
		return;
	for (uint32_t i = 0; i < pod.run.container_count && !pod.broken; i++)
		if (container_active(&pod.containers[i]))
			return;
	pod.state = GUEST_STATE_ENDED;
	timer_cancel(&pod.kill_timer);
	log_info(POD_MOD, "ev=pod_ended");
	if (pod.stopping)
		timer_set(&pod.off_timer, GUEST_DONE_WAIT_MS);
}

/* Runs from the loop, not from within a container's own functions: they may end in turn. */
static void pod_step(struct defer *d)
{
	(void)d;
	if (pod.state == GUEST_STATE_RUNNING && !pod.broken) {
		pod_advance();
		pod_end_sidecars();
	}
	pod_check_end();
	link_pump();
}

static struct defer pod_step_later;

static void pod_changed(void)
{
	loop_defer(pod.loop, &pod_step_later, pod_step);
}

void pod_fail(const char *reason, const char *message)
{
	log_error(POD_MOD, "ev=pod_failed reason=%s msg=\"%s\"", reason, message);
	str_copy(pod.reason, sizeof(pod.reason), reason);
	str_copy(pod.message, sizeof(pod.message), message);
	pod.failed_ns = clock_real_ns();
	pod.broken = pod.tell_broken = true;
	pod.state = GUEST_STATE_RUNNING; /* pod_check_end() does the rest */
}

static int pod_share_pids(struct err *e)
{
	pod.pause_fd = -1;
	if (!pod.run.share_pids)
		return 0;
	pod.pause = pause_start(&pod.pause_fd, e);
	return MIN(pod.pause, 0);
}

static void pod_run(void)
{
	struct err e = ERR_INIT;

	if (guest_run_decode(pod.run_data, pod.run_len, &pod.run, &e) < 0) {
		pod.run.layer_count = pod.run.container_count = 0;
		pod_fail("InvalidPod", err_msg(&e));
	} else if (system_set_up(&pod.run, &e) < 0 || pod_share_pids(&e) < 0) {
		pod.run.container_count = 0;
		pod_fail("PodSetUpFailed", err_msg(&e));
	} else {
		pod.state = GUEST_STATE_RUNNING;
		for (uint32_t i = 0; i < pod.run.container_count; i++)
			container_init(&pod.containers[i], pod.loop, &pod.run, (uint16_t)i,
				       pod.pause_fd, pod_changed);
		log_info(POD_MOD, "ev=pod_run containers=%u layers=%u", pod.run.container_count,
			 pod.run.layer_count);
	}
	pod_changed();
}

static void pod_run_part(const struct guest_frame *f)
{
	if (pod.state != GUEST_STATE_WAITING) {
		log_warn(POD_MOD, "msg=\"a second RUN is ignored\"");
		return;
	}
	if (f->len > sizeof(pod.run_data) - pod.run_len) {
		pod_fail("InvalidPod", "pod description exceeds its limit");
		pod_changed();
		return;
	}
	memcpy(pod.run_data + pod.run_len, f->payload, f->len);
	pod.run_len += f->len;
	if (!f->stream)
		pod_run();
}

static void pod_files(const struct guest_frame *f)
{
	struct err e = ERR_INIT;

	if (files_frame(f, &e) == 0)
		return;
	if (pod.state == GUEST_STATE_WAITING) {
		pod_fail("PodSetUpFailed", err_msg(&e));
		pod_changed();
	} else {
		log_warn(POD_MOD, "ev=files_failed msg=\"%s\"", err_msg(&e));
	}
}

/* The grace is over. What was not even asked to end, sidecars that waited for others, still gets its signal. */
static void pod_kill_all(struct timer *t)
{
	(void)t;
	for (uint32_t i = 0; i < pod.run.container_count; i++) {
		struct container *c = &pod.containers[i];

		if (c->spec->sidecar && c->stop == CONTAINER_STOP_NONE)
			container_stop(c, CONTAINER_STOP_MIN_MS);
	}
}

static void pod_stop(const struct guest_frame *f)
{
	struct guest_stop m;

	if (guest_stop_decode(f, &m) < 0)
		return;
	log_info(POD_MOD, "ev=stop grace_ms=%u done_seen=%d", m.grace_ms, m.done_seen);
	if (pod.state == GUEST_STATE_WAITING || (m.done_seen && pod.done_sent))
		pod_off(NULL);
	/* A shorter grace than before counts; a longer one is too late. */
	if (!timer_armed(&pod.kill_timer) || clock_mono_ms() + m.grace_ms < pod.kill_timer.due_ms)
		timer_set(&pod.kill_timer, m.grace_ms);
	for (uint32_t i = 0; i < pod.run.container_count; i++) {
		struct container *c = &pod.containers[i];

		if (!c->spec->sidecar || c->stop != CONTAINER_STOP_NONE)
			container_stop(c, pod_grace_left());
	}
	if (!pod.stopping && pod.state == GUEST_STATE_ENDED)
		timer_set(&pod.off_timer, GUEST_DONE_WAIT_MS);
	pod.stopping = true;
	pod_changed();
}

static void pod_credit(const struct guest_frame *f)
{
	struct output *o;
	uint16_t stream;
	uint32_t bytes;

	if (guest_credit_decode(f, &stream, &bytes) < 0)
		return;
	if (stream >= GUEST_STREAMS_MAX)
		exec_frame(f, pod.containers, pod.run.container_count);
	if (stream / 2 >= (int)pod.run.container_count)
		return;
	o = &pod.containers[stream / 2].out[stream % 2];
	ring_credit(&o->ring, bytes);
	output_resume(o);
}

static void pod_frame(const struct guest_frame *f)
{
	switch (f->type) {
	case GUEST_MSG_RUN:
		pod_run_part(f);
		break;
	case GUEST_MSG_FILES:
		pod_files(f);
		break;
	case GUEST_MSG_STOP:
		pod_stop(f);
		break;
	case GUEST_MSG_CREDIT:
		pod_credit(f);
		break;
	case GUEST_MSG_STATS_ASK:
		stats_ask(f);
		break;
	default: /* of an exec, or from a later version */
		if (pod.state != GUEST_STATE_WAITING)
			exec_frame(f, pod.containers, pod.run.container_count);
		break;
	}
}

static void pod_hello(struct guest_hello *m)
{
	m->state = pod.state;
	if (pod.state == GUEST_STATE_WAITING)
		pod.run_len = 0; /* half a RUN of the last connection */
	files_reset();
}

static void pod_up(const struct guest_welcome *m)
{
	pod.window = MAX(m->log_window, (uint32_t)GUEST_LOG_DATA_MAX);
	pod.done_sent = false;
	pod.tell_broken = pod.broken;
	for (uint32_t i = 0; i < pod.run.container_count && pod.state != GUEST_STATE_WAITING; i++)
		container_replay(&pod.containers[i]);
}

static void pod_down(void)
{
	exec_orphan_all();
	stats_down();
}

static long pod_next_failed(void *out, size_t size)
{
	struct guest_failed m = {
		.container = GUEST_POD,
		.code = CHILD_EXIT_START_ERROR,
		.finished_ns = pod.failed_ns,
		.backoff_ms = GUEST_BACKOFF_NEVER,
		.reason = pod.reason,
		.message = pod.message,
	};

	pod.tell_broken = false;
	return guest_failed_encode(&m, out, size);
}

static long pod_next(void *out, size_t size)
{
	uint32_t count = pod.state == GUEST_STATE_WAITING ? 0 : pod.run.container_count;
	bool drained = true;
	long n;

	if (pod.tell_broken)
		return pod_next_failed(out, size);
	for (uint32_t i = 0; i < count; i++) {
		n = container_next(&pod.containers[i], out, size);
		if (n)
			return n;
	}
	n = stats_next(&pod.run, pod.containers, count, out, size);
	if (n)
		return n;
	for (uint32_t i = 0; i < count; i++) {
		struct container *c = &pod.containers[pod.log_turn++ % count];

		n = container_log(c, pod.window, out, size);
		if (n)
			return n;
		drained = drained && container_drained(c);
	}
	n = exec_next(out, size);
	if (n)
		return n;
	if (pod.state != GUEST_STATE_ENDED || !drained || pod.done_sent)
		return 0;
	pod.done_sent = true;
	return guest_done_encode(out, size);
}

void pod_reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (exec_reaped(pid, status) || action_reaped(pid, status))
			continue;
		if (pid == pod.pause) {
			pod.pause = 0;
			pod_fail("PauseEnded",
				 "the process that holds the pod's pid namespace ended");
			pod_changed();
		}
		for (uint32_t i = 0; i < pod.run.container_count; i++)
			if (pod.containers[i].pid == pid)
				container_reaped(&pod.containers[i], status);
	}
}

void pod_start(struct loop *l, const char *device)
{
	static const struct link_events events = {
		.hello = pod_hello,
		.up = pod_up,
		.down = pod_down,
		.frame = pod_frame,
		.next = pod_next,
	};

	pod.loop = l;
	exec_init(l, pod_changed);
	timer_init(l, &pod.kill_timer, pod_kill_all);
	timer_init(l, &pod.off_timer, pod_off);
	pod_changed(); /* if pod_fail() was called before */
	link_start(l, &events, device);
}
