// SPDX-License-Identifier: Apache-2.0
/* Makes system calls in ways that do no harm, and says how the kernel took each: "ok", or the error's name. */
#include <errno.h>
#include <linux/sched.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

#define NAME(number) [number] = #number

/* What these calls may be answered; musl has no strerrorname_np() */
static const char *const names[] = {
	NAME(EPERM),  NAME(EBADF),  NAME(ENOMEM),     NAME(EACCES),	  NAME(EFAULT),
	NAME(EINVAL), NAME(ENOSYS), NAME(EOPNOTSUPP), NAME(EAFNOSUPPORT),
};

static void say(const char *call, long result)
{
	int number = errno;
	const char *name = (size_t)number < ARRAY_SIZE(names) ? names[number] : NULL;

	if (result >= 0)
		printf("%s ok\n", call);
	else if (name)
		printf("%s %s\n", call, name);
	else
		printf("%s errno=%d\n", call, number);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* None of them gets as far as doing anything: flags and descriptors are wrong. */
	say("unshare", syscall(SYS_unshare, 0));
	say("setns", syscall(SYS_setns, -1, 0));
	say("keyctl", syscall(SYS_keyctl, 0x7fff, 0, 0, 0, 0));
	say("add_key", syscall(SYS_add_key, NULL, NULL, NULL, 0, 0));
	say("userfaultfd", syscall(SYS_userfaultfd, -1));
	say("bpf", syscall(SYS_bpf, -1, NULL, 0));
	say("fsopen", syscall(SYS_fsopen, NULL, -1));
	say("clone3", syscall(SYS_clone3, NULL, 0));
	say("clone",
	    syscall(SYS_clone, 0x20000000 | 0x11000000, 0, 0, 0, 0)); /* NEWPID with a bad flag */
	say("personality", syscall(SYS_personality, 0x0400000));
	say("personality-daily", syscall(SYS_personality, 0xffffffff));
	say("kcmp", syscall(SYS_kcmp, getpid(), getpid(), 99, 0, 0));
	say("open_by_handle_at", syscall(SYS_open_by_handle_at, -1, NULL, 0));
	say("io_uring", syscall(SYS_io_uring_setup, 0, NULL));
	say("chroot", syscall(SYS_chroot, "/"));
	say("ptrace", syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0));
	say("socket", socket(AF_INET, SOCK_STREAM, 0));
	say("vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
	return 0;
}
