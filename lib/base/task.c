// SPDX-License-Identifier: Apache-2.0
#include "base/task.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

#define TASK_PIECE 4096

static void task_close(struct task *t)
{
	watch_del(&t->out);
	t->fd = fd_close(t->fd);
}

static void task_read(struct task *t)
{
	char data[TASK_PIECE];
	ssize_t n;

	while ((n = read(t->fd, data, sizeof(data))) > 0) {
		if (buf_append(&t->reply, data, (size_t)n) == 0)
			continue;
		t->long_winded = true;
		(void)proc_kill(&t->proc, SIGKILL);
		n = 0;
		break;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		task_close(t);
}

static void task_readable(struct watch *w, uint32_t events)
{
	struct task *t = container_of(w, struct task, out);

	(void)events;
	task_read(t);
	if (t->on_output)
		t->on_output(t);
}

static void task_ended(struct watch *w, uint32_t events)
{
	struct task *t = container_of(w, struct task, ended);
	int code = -1;

	(void)events;
	if (proc_reap(&t->proc, &code) == 0)
		return;
	watch_del(&t->ended);
	t->proc.pidfd = fd_close(t->proc.pidfd);
	timer_cancel(&t->deadline);
	if (t->fd >= 0)
		task_read(t);
	task_close(t);
	t->on_end(t, code);
}

static void task_late(struct timer *timer)
{
	struct task *t = container_of(timer, struct task, deadline);

	t->late = true;
	(void)proc_kill(&t->proc, SIGKILL);
}

void task_init(struct task *t, struct loop *loop, size_t cap,
	       void (*on_end)(struct task *t, int code))
{
	*t = (struct task){.loop = loop, .proc.pidfd = -1, .fd = -1, .on_end = on_end};
	buf_init(&t->reply, cap);
	timer_init(loop, &t->deadline, task_late);
}

int task_start(struct task *t, const char *const *argv, int deadline_ms, struct err *e)
{
	_cleanup_fd_ int theirs = -1;
	int r, fds[] = {-1, -1, STDERR_FILENO};
	const struct proc_spec spec = {
		.argv = argv,
		.fds = fds,
		.fd_count = ARRAY_SIZE(fds),
		.cgroup_fd = -1,
	};

	if (task_running(t))
		return err_set(e, -EBUSY, "the last one still runs");
	buf_clear(&t->reply);
	t->late = t->long_winded = false;
	r = fd_pipe(&t->fd, &theirs, false);
	if (r < 0)
		return err_sys(e, r, "pipe");
	fds[1] = theirs;
	r = proc_spawn(&spec, &t->proc, e);
	if (r == 0) {
		r = watch_add(t->loop, &t->ended, t->proc.pidfd, EPOLLIN, task_ended);
		if (r == 0)
			r = watch_add(t->loop, &t->out, t->fd, EPOLLIN, task_readable);
		if (r < 0)
			err_sys(e, r, "watch it");
	}
	if (r < 0) {
		task_stop(t);
		return r;
	}
	if (deadline_ms)
		timer_set(&t->deadline, (uint64_t)deadline_ms);
	return 0;
}

bool task_running(const struct task *t)
{
	return t->proc.pidfd >= 0;
}

int task_why(const struct task *t, int code, struct err *e)
{
	if (t->late)
		return err_set(e, -EIO, "it took too long");
	if (t->long_winded)
		return err_set(e, -EIO, "it said more than it may");
	return err_set(e, -EIO, "it ended with code %d", code);
}

void task_stop(struct task *t)
{
	int code;

	task_close(t);
	watch_del(&t->ended);
	timer_cancel(&t->deadline);
	buf_done(&t->reply);
	if (t->proc.pidfd < 0)
		return;
	(void)proc_kill(&t->proc, SIGKILL);
	(void)proc_reap(&t->proc, &code);
	t->proc.pidfd = fd_close(t->proc.pidfd);
}
