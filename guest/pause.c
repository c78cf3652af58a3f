// SPDX-License-Identifier: Apache-2.0
/*
 * All the pod's containers see this process, and one with CAP_SYS_PTRACE may look into it. So it is nothing of
 * PID 1's: executed anew, as nobody, in an empty root of its own, without capabilities or descriptors.
 * As PID 1 of the namespace no signal from within reaches it.
 */
#include "pause.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "mnt.h"

#define PAUSE_ROOT "/pause"
#define PAUSE_ID   65534

static int pause_empty_root(struct err *e)
{
	static const char *const options[] = {"size=0", "nr_inodes=2", NULL};
	int r = mnt_new_at(PAUSE_ROOT, "tmpfs", options, MNT_SAFE | MOUNT_ATTR_RDONLY, e);

	if (r == 0 && chdir(PAUSE_ROOT) < 0)
		r = err_sys(e, -errno, "enter the pause process's root");
	return r == 0 ? mnt_pivot(e) : r;
}

static _Noreturn void pause_child(void)
{
	static char name[] = PAUSE_NAME;
	char *const argv[] = {name, NULL}, *const envp[] = {NULL};
	int exe = open("/proc/self/exe", O_PATH | O_CLOEXEC);

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || exe < 0 || pause_empty_root(NULL) < 0)
		_exit(1);
	for (int cap = 0; prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0;)
		cap++;
	syscall(SYS_close_range, 0, exe - 1, 0);
	syscall(SYS_close_range, exe + 1, ~0U, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_setgroups, 0, NULL) < 0 ||
	    setresgid(PAUSE_ID, PAUSE_ID, PAUSE_ID) < 0 ||
	    setresuid(PAUSE_ID, PAUSE_ID, PAUSE_ID) < 0)
		_exit(2);
	syscall(SYS_execveat, exe, "", argv, envp, AT_EMPTY_PATH);
	_exit(3);
}

pid_t pause_start(int *pidfd, struct err *e)
{
	struct clone_args args = {
		.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_PIDFD,
		.exit_signal = SIGCHLD,
		.pidfd = (uint64_t)(uintptr_t)pidfd,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		pause_child();
	return pid < 0 ? err_sys(e, -errno, "start the pause process") : (pid_t)pid;
}

_Noreturn void pause_main(void)
{
	sigset_t children;

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_NAME, PAUSE_NAME, 0, 0, 0);
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_BLOCK, &children, NULL);
	for (;;) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		sigwaitinfo(&children, NULL);
	}
}
