// SPDX-License-Identifier: Apache-2.0
/*
 * The child is made by clone3(), so that it is born in its cgroup and with a pidfd. An exec that
 * fails is reported through a pipe that closes on exec. Between clone and exec only
 * async-signal-safe calls are made.
 */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define PROC_FD_MAX	  64
#define PROC_DEFAULT_PATH "PATH=/usr/sbin:/usr/bin:/sbin:/bin"

void proc_reset_signals(void)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		sigaction(s, &sa, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Moves fds[i] to i. Two passes, since a source may lie on another's target. */
static int proc_place_fds(const struct proc_spec *spec, int report)
{
	int high[PROC_FD_MAX], keep, null = open("/dev/null", O_RDWR | O_CLOEXEC);
	size_t count = MAX(spec->fd_count, 3);

	if (null < 0)
		return -errno;
	for (size_t i = 0; i < count; i++) {
		int fd = i < spec->fd_count && spec->fds[i] >= 0 ? spec->fds[i] : null;

		high[i] = fcntl(fd, F_DUPFD_CLOEXEC, PROC_FD_MAX);
		if (high[i] < 0)
			return -errno;
	}
	keep = fcntl(report, F_DUPFD_CLOEXEC, PROC_FD_MAX);
	if (keep < 0)
		return -errno;
	for (size_t i = 0; i < count; i++)
		if (dup2(high[i], (int)i) < 0)
			return -errno;
	if (syscall(SYS_close_range, (unsigned int)count, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */) < 0)
		return -errno;
	return keep;
}

static _Noreturn void proc_child(const struct proc_spec *spec, int report)
{
	static const char *const default_env[] = {PROC_DEFAULT_PATH, NULL};
	const char *const *envp = spec->envp ? spec->envp : default_env;
	int r, to = report;

	proc_reset_signals();
	setsid();
	r = spec->cwd && chdir(spec->cwd) < 0 ? -errno : 0;
	if (r == 0) {
		r = proc_place_fds(spec, report);
		if (r >= 0) {
			to = r;
			execve(spec->argv[0], (char *const *)(size_t)spec->argv,
			       (char *const *)(size_t)envp);
			r = -errno;
		}
	}
	if (write(to, &r, sizeof(r)) < 0)
		_exit(126);
	_exit(127);
}

int proc_spawn(const struct proc_spec *spec, struct proc *p, struct err *e)
{
	struct clone_args args = {.flags = CLONE_PIDFD, .exit_signal = SIGCHLD};
	int report[2], pidfd = -1, failed = 0;
	long pid;

	if (spec->fd_count > PROC_FD_MAX)
		return err_set(e, -EINVAL, "start %s: too many descriptors", spec->argv[0]);
	if (pipe2(report, O_CLOEXEC) < 0)
		return err_sys(e, -errno, "start %s", spec->argv[0]);
	args.flags |= spec->namespaces;
	args.pidfd = (uint64_t)(uintptr_t)&pidfd;
	if (spec->cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)spec->cgroup_fd;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		proc_child(spec, report[1]);
	failed = pid < 0 ? -errno : 0;
	fd_close(report[1]);
	if (pid > 0 && fd_read_full(report[0], &failed, sizeof(failed)) == -ENODATA)
		failed = 0;
	fd_close(report[0]);
	if (failed < 0) {
		if (pid > 0)
			waitpid((pid_t)pid, NULL, 0);
		fd_close(pidfd);
		return err_sys(e, failed, "start %s", spec->argv[0]);
	}
	*p = (struct proc){.pid = (pid_t)pid, .pidfd = pidfd};
	return 0;
}

int proc_reap(struct proc *p, int *exit_code)
{
	int status;
	pid_t pid = waitpid(p->pid, &status, WNOHANG);

	if (pid < 0)
		return -errno;
	if (pid == 0)
		return 0;
	*exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return 1;
}

int proc_kill(const struct proc *p, int signo)
{
	return syscall(SYS_pidfd_send_signal, p->pidfd, signo, NULL, 0) < 0 ? -errno : 0;
}

int proc_start_time(pid_t pid, uint64_t *ticks)
{
	char path[32], *p;
	struct buf b = BUF_INIT(4096);
	int r;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	r = file_read(AT_FDCWD, path, &b, NULL);
	/* The command name may hold anything: fields are counted from the last parenthesis. */
	p = r < 0 ? NULL : strrchr(buf_str(&b), ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (p) {
		p[1 + strcspn(p + 1, " \n")] = '\0';
		r = str_u64(p + 1, UINT64_MAX, ticks);
	} else if (r == 0) {
		r = -EINVAL;
	}
	buf_done(&b);
	return r == -ENOENT ? -ESRCH : r;
}

int proc_adopt(pid_t pid, uint64_t ticks, struct proc *p)
{
	uint64_t now_ticks;
	int r, pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0)
		return -errno;
	r = proc_start_time(pid, &now_ticks);
	if (r == 0 && now_ticks != ticks)
		r = -ESRCH;
	if (r < 0) {
		fd_close(pidfd);
		return r;
	}
	*p = (struct proc){.pid = pid, .pidfd = pidfd};
	return 0;
}
