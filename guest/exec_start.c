// SPDX-License-Identifier: Apache-2.0
/*
 * From EXEC to a process: its standard descriptors, pipes or a terminal of the container's own, and the
 * container that it joins (child.c does that in the child).
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cgroup.h"
#include "exec_impl.h"
#include "output.h"
#include "rootfs.h"

static int exec_open_pipes(struct exec *x, int fds[3], struct err *e)
{
	int r = 0;

	if (x->in) {
		r = fd_pipe(&x->in_fd, &fds[0], true);
	} else {
		fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (fds[0] < 0)
			r = -errno;
	}
	for (int i = 0; i < 2 && r == 0; i++)
		r = fd_pipe(&x->out[i].fd, &fds[i + 1], false);
	return r < 0 ? err_sys(e, r, "make its standard streams") : 0;
}

static int exec_open_terminal(struct exec *x, const struct guest_exec *m, int fds[3], struct err *e)
{
	x->out[0].fd = rootfs_open_ptmx(x->container->pid, e);
	if (x->out[0].fd < 0)
		return x->out[0].fd;
	fds[0] = terminal_open(x->out[0].fd, NULL, e);
	if (fds[0] < 0)
		return fds[0];
	terminal_resize(x->out[0].fd, m->cols, m->rows);
	if (x->in)
		x->in_fd = fcntl(x->out[0].fd, F_DUPFD_CLOEXEC, 3);
	return 0;
}

pid_t exec_spawn(const struct container *c, const struct guest_strings *args, const int fds[3],
		 bool tty, int *report_fd, struct err *e)
{
	_cleanup_fd_ int cgroup = cgroup_open(c->index, e), report = -1;
	_cleanup_fd_ int pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	struct child_spec spec = {
		.run = c->run,
		.index = c->index,
		.args = args,
		.join_fd = pidfd,
		.pids_fd = -1,
		.fds = {fds[0], fds[1], fds[2]},
		.tty = tty,
		.pts = -1,
		.cgroup_fd = cgroup,
	};
	int r;

	if (cgroup < 0)
		return cgroup;
	if (pidfd < 0)
		return err_sys(e, -errno, "find the container's process");
	r = fd_pipe(report_fd, &report, false);
	if (r < 0)
		return err_sys(e, r, "make a pipe");
	spec.report_fd = report;
	return child_start(&spec, e);
}

static int exec_run(struct loop *l, struct exec *x, const struct guest_exec *m, const int fds[3],
		    struct err *e)
{
	const int all[3] = {fds[0], x->tty ? fds[0] : fds[1], x->tty ? fds[0] : fds[2]};
	int r = 0;

	for (int i = 0; i < 2 && r == 0; i++)
		if (x->out[i].fd >= 0)
			r = exec_watch_out(&x->out[i], e);
	if (r < 0)
		return r;
	r = exec_spawn(x->container, &m->args, all, x->tty, &x->report.fd, e);
	if (r < 0)
		return r;
	x->pid = r;
	/* Not watched, its end is still seen when the process is reaped. */
	(void)watch_add(l, &x->report, x->report.fd, EPOLLIN, exec_report_event);
	return 0;
}

int exec_start(struct loop *l, struct exec *x, const struct guest_exec *m, struct err *e)
{
	int fds[3] = {-1, -1, -1};
	int r = x->tty ? exec_open_terminal(x, m, fds, e) : exec_open_pipes(x, fds, e);

	if (r == 0)
		r = exec_run(l, x, m, fds, e);
	for (int i = 0; i < 3; i++)
		fd_close(fds[i]);
	return r;
}
