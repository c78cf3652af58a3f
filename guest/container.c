// SPDX-License-Identifier: Apache-2.0
/*
 * A run has two possible ends: the process said through its report pipe why it could not become the
 * container, or it was executed and then ended. The report is read before the exit status is
 * judged, whichever event comes first.
 */
#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "cgroup.h"
#include "life.h"
#include "rootfs.h"
#include "signame.h"

#define CONTAINER_MOD "container"

/* PID 1 has one pod: the call back is the same for all its containers. */
static void (*container_changed)(void);

static void container_restart(struct timer *t)
{
	struct container *c = container_of(t, struct container, backoff);

	c->restart_count++;
	container_start(c);
}

static void container_kill_now(struct timer *t);

void container_init(struct container *c, struct loop *l, const struct guest_run *run,
		    uint16_t index, int pids_fd, void (*changed)(void))
{
	container_changed = changed;
	c->run = run;
	c->spec = &run->containers[index];
	c->index = index;
	c->pids_fd = pids_fd;
	c->state = c->spec->over ? CONTAINER_ENDED : CONTAINER_NEW;
	c->stdin_fds[0] = c->stdin_fds[1] = -1;
	timer_init(l, &c->backoff, container_restart);
	timer_init(l, &c->kill, container_kill_now);
	for (int i = 0; i < 2; i++)
		output_init(&c->out[i], l, changed);
}

/* Return: whether the policy has it started again after this end */
static bool container_again(const struct container *c)
{
	enum guest_restart policy = c->run->restart;
	bool ok = !c->end.failed && c->end.code == 0;

	if (c->final)
		return false;
	if (c->spec->sidecar)
		return true;
	if (c->by_probe)
		return policy != GUEST_RESTART_NEVER;
	if (c->spec->init)
		return !ok && policy != GUEST_RESTART_NEVER;
	return policy == GUEST_RESTART_ALWAYS || (policy == GUEST_RESTART_ON_FAILURE && !ok);
}

/* Kubernetes restarts at once after the first failure, then after 10 s, 20 s ... 5 min. */
static void container_plan_restart(struct container *c)
{
	bool again = container_again(c);

	c->by_probe = false;
	if (!again) {
		c->state = CONTAINER_ENDED;
		c->end.backoff_ms = GUEST_BACKOFF_NEVER;
		return;
	}
	if (c->started_ms && clock_mono_ms() - c->started_ms >= CONTAINER_BACKOFF_RESET_MS)
		c->next_backoff_ms = 0;
	c->state = CONTAINER_WAITING;
	c->end.backoff_ms = c->next_backoff_ms;
	c->next_backoff_ms =
		c->next_backoff_ms ? MIN(c->next_backoff_ms * 2, (uint32_t)CONTAINER_BACKOFF_MAX_MS)
				   : CONTAINER_BACKOFF_MIN_MS;
	timer_set(&c->backoff, c->end.backoff_ms);
}

static void container_record_end(struct container *c, const struct child_report *why, uint8_t code)
{
	free(c->end.termination);
	c->end = (struct container_end){
		.ended = true,
		.failed = why != NULL,
		.code = code,
		.started_ns = c->started_ns,
		.finished_ns = clock_real_ns(),
		.restart_count = c->restart_count,
	};
	if (why) {
		memcpy(c->end.reason, why->reason, sizeof(c->end.reason));
		memcpy(c->end.message, why->message, sizeof(c->end.message));
	}
}

static void container_ended(struct container *c)
{
	c->pid = 0;
	container_plan_restart(c);
	c->tell_end = true;
	if (c->end.failed)
		log_warn(CONTAINER_MOD, "ev=container_failed name=%s reason=%s msg=\"%s\"",
			 c->spec->name, c->end.reason, c->end.message);
	else
		log_info(CONTAINER_MOD, "ev=container_exit name=%s code=%u signal=%u oom=%d",
			 c->spec->name, c->end.code, c->end.signal, c->end.oom);
	container_changed();
}

/* Takes the report if it is there. A process that died before saying anything reported nothing. */
static void container_take_report(struct container *c)
{
	struct child_report report;
	int r;

	if (c->state != CONTAINER_STARTING)
		return;
	r = child_report_take(&c->report, &report);
	if (r == -EAGAIN)
		return;
	c->state = CONTAINER_RUNNING;
	if (r == 1) {
		container_record_end(c, &report, CHILD_EXIT_START_ERROR);
		return; /* its exit follows */
	}
	c->end.ended = false;
	c->tell_end = false;
	log_info(CONTAINER_MOD, "ev=container_started name=%s pid=%d", c->spec->name, c->pid);
	life_begin(c);
}

void container_announce(struct container *c)
{
	c->announced = c->tell_start = true;
	container_changed();
}

void container_tell(void)
{
	container_changed();
}

bool container_started(const struct container *c)
{
	return c->state == CONTAINER_RUNNING && c->announced && life_started(c);
}

static void container_report_event(struct watch *w, uint32_t events)
{
	(void)events;
	container_take_report(container_of(w, struct container, report));
}

static int container_stdin(struct container *c, struct err *e)
{
	int fd;

	if (!c->spec->open_stdin) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return fd < 0 ? err_sys(e, -errno, "open /dev/null") : fd;
	}
	/* Our writing end keeps it open, from one client to the next and over restarts. */
	if (c->stdin_fds[1] < 0) {
		c->stdin_fds[0] = fd_close(c->stdin_fds[0]);
		fd = fd_pipe(&c->stdin_fds[1], &c->stdin_fds[0], true);
		if (fd < 0)
			return err_sys(e, fd, "standard input");
	}
	fd = fcntl(c->stdin_fds[0], F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? err_sys(e, -errno, "standard input") : fd;
}

static int container_spawn(struct container *c, struct err *e)
{
	_cleanup_fd_ int cgroup = -1, tty = -1, in = -1, report_r = -1, report_w = -1;
	struct child_spec spec = {.run = c->run,
				  .index = c->index,
				  .args = &c->spec->args,
				  .tty = c->spec->tty,
				  .join_fd = -1,
				  .pids_fd = c->pids_fd,
				  .pts = -1};
	int r;

	if (c->spec->tty) {
		tty = output_terminal(&c->out[0], &spec.pts, e);
		spec.fds[0] = spec.fds[1] = spec.fds[2] = tty;
	} else {
		in = container_stdin(c, e);
		spec.fds[0] = in;
		spec.fds[1] = output_pipe(&c->out[0], e);
		spec.fds[2] = output_pipe(&c->out[1], e);
	}
	if (MIN(spec.fds[0], MIN(spec.fds[1], spec.fds[2])) < 0)
		return -EIO;
	cgroup = cgroup_make(c->index, c->spec, e);
	if (cgroup < 0)
		return cgroup;
	r = fd_pipe(&report_r, &report_w, false);
	spec.cgroup_fd = cgroup;
	spec.report_fd = report_w;
	if (r == 0)
		r = watch_add(c->backoff.loop, &c->report, report_r, EPOLLIN,
			      container_report_event);
	if (r < 0)
		return err_sys(e, r, "watch a container");
	c->pid = child_start(&spec, e);
	if (c->pid < 0) {
		watch_del(&c->report);
		return c->pid;
	}
	take_fd(&report_r);
	return 0;
}

void container_start(struct container *c)
{
	struct child_report report = {.reason = "StartError"};
	struct err e = ERR_INIT;

	c->started_ns = clock_real_ns();
	c->started_ms = clock_mono_ms();
	c->state = CONTAINER_STARTING;
	c->stop = CONTAINER_STOP_NONE;
	c->announced = false;
	if (container_spawn(c, &e) == 0)
		return;
	str_copy(report.message, sizeof(report.message), err_msg(&e));
	container_record_end(c, &report, CHILD_EXIT_START_ERROR);
	container_ended(c);
}

static void container_take_termination(struct container *c)
{
	uint32_t max =
		MIN(GUEST_TERMINATION_MAX, GUEST_TERMINATION_POD_MAX / c->run->container_count);

	if (c->spec->life.termination_path[0])
		c->end.termination =
			rootfs_read_termination(c->index, max, &c->end.termination_len);
}

void container_reaped(struct container *c, int status)
{
	bool oom;

	container_take_report(c);
	if (c->state == CONTAINER_STARTING) {
		/* Killed while others still hold the pipe: cannot be, but must not confuse us. */
		watch_del(&c->report);
		c->report.fd = fd_close(c->report.fd);
		c->state = CONTAINER_RUNNING;
		c->end.ended = false;
	}
	timer_cancel(&c->kill);
	life_end(c);
	oom = cgroup_end(c->index);
	if (!c->end.ended) {
		uint8_t signo = WIFSIGNALED(status) ? (uint8_t)WTERMSIG(status) : 0;

		container_record_end(c, NULL,
				     signo ? (uint8_t)(128 + signo) : (uint8_t)WEXITSTATUS(status));
		c->end.signal = signo;
		c->end.oom = oom;
		container_take_termination(c);
	}
	container_ended(c);
}

/* ---- the way to its end ---- */

void container_signal(struct container *c)
{
	int signo = c->spec->stop_signal[0] ? signame_parse(c->spec->stop_signal) : SIGTERM;

	c->stop = CONTAINER_STOP_SIGNALLED;
	if (c->state == CONTAINER_RUNNING && c->pid > 0)
		kill(c->pid, signo < 0 ? SIGKILL : signo);
}

static void container_kill_now(struct timer *t)
{
	struct container *c = container_of(t, struct container, kill);

	if (c->stop == CONTAINER_STOP_HOOK) {
		life_pre_stop_over(c);
		container_signal(c);
		timer_set(&c->kill, CONTAINER_STOP_MIN_MS);
	} else if (c->pid > 0) {
		kill(c->pid, SIGKILL);
	}
}

static void container_end_run(struct container *c, uint32_t grace_ms)
{
	if (c->stop != CONTAINER_STOP_NONE) {
		if (grace_ms == 0)
			c->stop = CONTAINER_STOP_SIGNALLED;
		if (timer_armed(&c->kill) && clock_mono_ms() + grace_ms < c->kill.due_ms)
			timer_set(&c->kill, grace_ms);
		return;
	}
	life_stopping(c);
	timer_set(&c->kill, grace_ms);
	c->stop = CONTAINER_STOP_HOOK;
	if (grace_ms == 0 || !life_pre_stop(c))
		container_signal(c);
}

void container_kill(struct container *c, uint32_t grace_ms)
{
	if (c->state != CONTAINER_RUNNING)
		return;
	c->by_probe = true;
	container_end_run(c, grace_ms);
}

void container_stop(struct container *c, uint32_t grace_ms)
{
	c->final = true;
	switch (c->state) {
	case CONTAINER_NEW:
	case CONTAINER_ENDED:
		break;
	case CONTAINER_WAITING:
		timer_cancel(&c->backoff);
		c->state = CONTAINER_ENDED;
		c->end.backoff_ms = GUEST_BACKOFF_NEVER;
		c->tell_end = true;
		break;
	case CONTAINER_STARTING:
		/* Until it is executed it has our blocked signals: only SIGKILL ends it. */
		kill(c->pid, SIGKILL);
		break;
	case CONTAINER_RUNNING:
		container_end_run(c, grace_ms);
		break;
	}
}

bool container_succeeded(const struct container *c)
{
	return c->state == CONTAINER_ENDED && c->end.ended && !c->end.failed && c->end.code == 0;
}

bool container_active(const struct container *c)
{
	return c->state != CONTAINER_NEW && c->state != CONTAINER_ENDED;
}

void container_replay(struct container *c)
{
	c->tell_start = c->state == CONTAINER_RUNNING && !c->end.ended && c->announced;
	c->tell_end = c->end.ended && !c->tell_start;
	life_replay(c);
	for (int i = 0; i < 2; i++)
		ring_rewind(&c->out[i].ring);
}

long container_next(struct container *c, void *out, size_t size)
{
	const struct container_end *end = &c->end;
	long n;

	if (c->tell_start) {
		struct guest_started m = {
			.container = c->index,
			.pid = (uint32_t)c->pid,
			.started_ns = c->started_ns,
			.restart_count = c->restart_count,
		};

		c->tell_start = false;
		return guest_started_encode(&m, out, size);
	}
	n = life_next(c, out, size);
	if (n || !c->tell_end)
		return n;
	c->tell_end = false;
	if (end->failed) {
		struct guest_failed m = {
			.container = c->index,
			.code = end->code,
			.finished_ns = end->finished_ns,
			.restart_count = end->restart_count,
			.backoff_ms = end->backoff_ms,
			.reason = end->reason,
			.message = end->message,
		};

		return guest_failed_encode(&m, out, size);
	}
	return guest_exit_encode(
		&(struct guest_exit){
			.container = c->index,
			.code = end->code,
			.signal = end->signal,
			.oom = end->oom,
			.started_ns = end->started_ns,
			.finished_ns = end->finished_ns,
			.restart_count = end->restart_count,
			.backoff_ms = end->backoff_ms,
			.message = end->termination,
			.message_len = end->termination_len,
		},
		out, size);
}

long container_log(struct container *c, uint32_t window, void *out, size_t size)
{
	static uint8_t data[GUEST_LOG_DATA_MAX];

	for (int i = 0; i < 2; i++) {
		struct ring_record rec;

		if (!ring_next(&c->out[i].ring, window, &rec, data, sizeof(data)))
			continue;
		return guest_log_encode(
			&(struct guest_log){
				.container = c->index,
				.stream = i ? GUEST_STREAM_STDERR : GUEST_STREAM_STDOUT,
				.offset = rec.offset,
				.time_ns = rec.time_ns,
				.data = data,
				.len = (uint32_t)rec.len,
			},
			out, size);
	}
	return 0;
}

int container_input(const struct container *c)
{
	int fd = c->spec->tty ? c->out[0].fd : c->stdin_fds[1];

	return c->spec->open_stdin && fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
}

void container_input_end(struct container *c)
{
	if (c->spec->stdin_once && !c->spec->tty)
		c->stdin_fds[1] = fd_close(c->stdin_fds[1]);
}

bool container_drained(const struct container *c)
{
	return output_drained(&c->out[0]) && output_drained(&c->out[1]);
}
