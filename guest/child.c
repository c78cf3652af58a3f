// SPDX-License-Identifier: Apache-2.0
/*
 * The child is a copy of PID 1 in new mount and pid namespaces, so it is the container's PID 1. It
 * builds its root, looks its user up in the image's own files, and gives up what it has in the order
 * in which each step needs what the next one takes away. Network, host name and IPC are the pod's.
 *
 * A process that joins a container (exec) is born in its pid namespace and control group and goes into the
 * rest; a container of a pod that shares its processes is born in the pod's. From then on containers' processes see it, while its memory is still a copy of PID 1's: so
 * it is not dumpable, which keeps them from tracing it, and holds no descriptor but its own.
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "confine.h"
#include "rootfs.h"
#include "user.h"

#define CHILD_PATH	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define CHILD_ENV_ADDED 4 /* PATH, HOSTNAME, HOME, TERM */

/* Too large for a stack; only the child touches them. */
static char child_passwd[USER_FILE_MAX + 1], child_group[USER_FILE_MAX + 1];
static const char *child_envp[GUEST_STRINGS_MAX + CHILD_ENV_ADDED + 1];
static const char *child_argv[GUEST_STRINGS_MAX + 1];

/* A file of the image: it may be missing, a device, a fifo. */
static void child_read_text(const char *path, char *text)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	size_t len = 0;
	struct stat st;
	ssize_t n = 1;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		while (len < USER_FILE_MAX && n > 0) {
			n = read(fd, text + len, USER_FILE_MAX - len);
			len += n > 0 ? (size_t)n : 0;
		}
	text[len] = '\0';
}

static int child_user(const struct guest_container *c, struct user *u, struct err *e)
{
	int r;

	child_read_text("/etc/passwd", child_passwd);
	child_read_text("/etc/group", child_group);
	r = user_resolve(child_passwd, child_group, c->user, u, e);
	for (uint32_t i = 0; i < c->group_count && r == 0; i++)
		if (user_add_group(u, c->groups[i]) < 0)
			r = err_set(e, -E2BIG, "too many groups");
	return r;
}

static int child_terminal(const struct child_spec *spec, struct err *e)
{
	int fds[3] = {-1, -1, -1};

	setsid();
	if (spec->tty && ioctl(spec->fds[0], TIOCSCTTY, 0) < 0)
		return err_sys(e, -errno, "take the terminal");
	for (int i = 0; i < 3; i++) {
		fds[i] = fcntl(spec->fds[i], F_DUPFD_CLOEXEC, 3);
		if (fds[i] < 0)
			return err_sys(e, -errno, "standard descriptors");
	}
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) < 0)
			return err_sys(e, -errno, "standard descriptors");
	return 0;
}

/* Opening /dev/stdout must work for the container's user, who didn't make the pipe. */
static void child_own_streams(const struct user *u)
{
	struct stat st;

	for (int i = 0; i < 3; i++)
		if (fstat(i, &st) == 0 && (S_ISFIFO(st.st_mode) || isatty(i)) &&
		    fchown(i, u->uid, isatty(i) ? (gid_t)-1 : u->gid) < 0)
			return;
}

static const char *env_get(const struct guest_strings *env, const char *name)
{
	const char *value = NULL;
	size_t len = strlen(name);

	for (uint32_t i = 0; i < env->count; i++)
		if (strncmp(env->at[i], name, len) == 0 && env->at[i][len] == '=')
			value = env->at[i] + len + 1;
	return value;
}

static void child_environment(const struct child_spec *spec, const struct user *u)
{
	static char home[sizeof("HOME=") + USER_HOME_MAX];
	static char host[sizeof("HOSTNAME=") + GUEST_NAME_MAX];
	const struct guest_container *c = &spec->run->containers[spec->index];
	size_t n = 0;

	if (!env_get(&c->env, "PATH"))
		child_envp[n++] = CHILD_PATH;
	if (!env_get(&c->env, "HOSTNAME")) {
		snprintf(host, sizeof(host), "HOSTNAME=%s", spec->run->hostname);
		child_envp[n++] = host;
	}
	if (!env_get(&c->env, "HOME")) {
		snprintf(home, sizeof(home), "HOME=%s", u->home);
		child_envp[n++] = home;
	}
	if (spec->tty && !env_get(&c->env, "TERM"))
		child_envp[n++] = "TERM=xterm";
	for (uint32_t i = 0; i < c->env.count; i++)
		child_envp[n++] = c->env.at[i];
	child_envp[n] = NULL;
	for (n = 0; n < spec->args->count; n++)
		child_argv[n] = spec->args->at[n];
	child_argv[n] = NULL;
}

static void child_execve(const char *path)
{
	execve(path, (char *const *)(size_t)child_argv, (char *const *)(size_t)child_envp);
}

/* Searches the container's PATH. Return: -errno of the attempt that says most. */
static int child_exec_path(const char *name, const char *path)
{
	char file[GUEST_PATH_LEN_MAX + 1];
	int result = -ENOENT;

	while (*path) {
		size_t len = strcspn(path, ":");
		int n = snprintf(file, sizeof(file), "%.*s/%s", (int)MIN(len, sizeof(file)), path,
				 name);

		if (len && n < (int)sizeof(file)) {
			child_execve(file);
			if (errno != ENOENT && errno != ENOTDIR)
				result = -errno;
		}
		path += len + (path[len] == ':');
	}
	return result;
}

static int child_exec(const struct guest_container *c, const char *name, struct err *e)
{
	const char *path = env_get(&c->env, "PATH");
	char shown[128];
	int r;

	str_printable(shown, sizeof(shown), name);
	if (strchr(name, '/')) {
		child_execve(name);
		r = -errno;
	} else {
		r = child_exec_path(name, path ? path : strchr(CHILD_PATH, '=') + 1);
		if (r == -ENOENT)
			return err_set(e, r, "exec: \"%s\": executable file not found in $PATH",
				       shown);
	}
	return err_sys(e, r, "exec: \"%s\"", shown);
}

static void child_close_others(int one, int other)
{
	int low = MIN(one, other), high = MAX(one, other);

	syscall(SYS_close_range, 3, low - 1, 0);
	syscall(SYS_close_range, low + 1, high - 1, 0);
	syscall(SYS_close_range, high + 1, ~0U, 0);
}

/* What other containers' processes can see while it is still a copy of PID 1. */
static int child_hide(const struct child_spec *spec, struct err *e)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, -errno, "become untraceable");
	child_close_others(MAX(spec->join_fd, spec->pids_fd), spec->report_fd);
	return 0;
}

static int child_join(const struct child_spec *spec, struct err *e)
{
	const struct guest_container *c = &spec->run->containers[spec->index];

	if (setns(spec->join_fd, CLONE_NEWNS | CLONE_NEWCGROUP) < 0)
		return err_sys(e, -errno, "join the container");
	if (chdir(c->cwd[0] ? c->cwd : "/") < 0)
		return err_sys(e, -errno, "working directory: %s", c->cwd);
	return 0;
}

static int child_make_world(const struct child_spec *spec, struct err *e)
{
	if (unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(e, -errno, "cgroup namespace");
	return rootfs_enter(spec->run, spec->index, spec->pts, e);
}

static int child_become(const struct child_spec *spec, const char **reason, struct err *e)
{
	const struct guest_container *c = &spec->run->containers[spec->index];
	struct user u = {.uid = 0};
	int fd, r;

	/* PID 1 is spared by the OOM killer, its containers are not. */
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "0", 1) < 0)
		return err_sys(e, -errno, "set oom_score_adj");
	fd_close(fd);
	r = child_terminal(spec, e);
	if (r < 0)
		return r;
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	if (spec->join_fd >= 0 || spec->pids_fd >= 0)
		r = child_hide(spec, e);
	if (r < 0)
		return r;
	r = spec->join_fd >= 0 ? child_join(spec, e) : child_make_world(spec, e);
	if (r == 0)
		r = child_user(c, &u, e);
	if (r < 0)
		return r;
	if (c->must_not_be_root && u.uid == 0) {
		*reason = "CreateContainerConfigError";
		return err_set(e, -EPERM, "container has runAsNonRoot and image will run as root");
	}
	child_own_streams(&u);
	child_environment(spec, &u);
	umask(022);
	r = confine_apply(c, &u, e);
	if (r < 0)
		return r;
	proc_reset_signals();
	return child_exec(c, spec->args->at[0], e);
}

static _Noreturn void child_main(const struct child_spec *from)
{
	struct child_report report = {0};
	struct child_spec spec = *from;
	const char *reason = "StartError";
	struct err e = ERR_INIT;

	/* Out of the way of the standard descriptors */
	spec.report_fd = fcntl(from->report_fd, F_DUPFD_CLOEXEC, 16);
	report.error = child_become(&spec, &reason, &e);
	str_copy(report.reason, sizeof(report.reason), reason);
	str_copy(report.message, sizeof(report.message), err_msg(&e));
	if (write(spec.report_fd, &report, sizeof(report)) < 0)
		_exit(127);
	_exit(CHILD_EXIT_START_ERROR);
}

/* Makes children be born in the pid namespace of another process. Return: the way back, or -errno */
static int child_enter_pids(int pidfd, struct err *e)
{
	int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

	if (own < 0)
		return err_sys(e, -errno, "open the pid namespace");
	if (setns(pidfd, CLONE_NEWPID) < 0) {
		fd_close(own);
		return err_sys(e, -errno, "join the container's processes");
	}
	return own;
}

pid_t child_start(const struct child_spec *spec, struct err *e)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)spec->cgroup_fd,
	};
	int pids_fd = MAX(spec->join_fd, spec->pids_fd);
	_cleanup_fd_ int own = -1;
	long pid;

	if (spec->join_fd < 0)
		args.flags |= CLONE_NEWNS;
	if (pids_fd < 0) {
		args.flags |= CLONE_NEWPID;
	} else {
		own = child_enter_pids(pids_fd, e);
		if (own < 0)
			return own;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		child_main(spec);
	if (pid < 0)
		pid = err_sys(e, -errno, "start a process");
	/* Nothing may ever be started in the wrong one. */
	while (own >= 0 && setns(own, CLONE_NEWPID) < 0)
		usleep(1000);
	return (pid_t)pid;
}

static int child_report_read(int fd, struct child_report *r)
{
	ssize_t n = read(fd, r, sizeof(*r));

	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(*r))
		return -EPROTO;
	r->reason[sizeof(r->reason) - 1] = '\0';
	r->message[sizeof(r->message) - 1] = '\0';
	return 1;
}

int child_report_take(struct watch *w, struct child_report *report)
{
	int r = child_report_read(w->fd, report);

	if (r != -EAGAIN) {
		watch_del(w);
		w->fd = fd_close(w->fd);
	}
	return r;
}
