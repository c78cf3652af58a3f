// SPDX-License-Identifier: Apache-2.0
/*
 * The default of container runtimes is a list of some 350 allowed system calls. Its complement on x86-64
 * is short, and the kernel is our own, so there are no calls that we have not heard of: the complement is
 * what is written here. A call that the list gives to holders of a capability is refused without it.
 */
#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>

#include "base/mem.h"
#include "base/seccomp.h"
#include "confine.h"

#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif

#define CALLS_NEVER 0xff /* for no capability */

/* New namespaces: CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET */
#define CALLS_CLONE_FLAGS 0x7e020000U

/* Refused, but for holders of one of two capabilities */
static const struct {
	uint16_t call;
	uint8_t cap, or_cap;
} calls[] = {
	/* keys are the kernel's for all containers */
	{SYS_add_key, CALLS_NEVER, CALLS_NEVER},
	{SYS_request_key, CALLS_NEVER, CALLS_NEVER},
	{SYS_keyctl, CALLS_NEVER, CALLS_NEVER},
	/* ways around, or into, the kernel */
	{SYS_io_uring_setup, CALLS_NEVER, CALLS_NEVER},
	{SYS_io_uring_enter, CALLS_NEVER, CALLS_NEVER},
	{SYS_io_uring_register, CALLS_NEVER, CALLS_NEVER},
	{SYS_userfaultfd, CALLS_NEVER, CALLS_NEVER},
	{SYS_kexec_load, CALLS_NEVER, CALLS_NEVER},
	{SYS_kexec_file_load, CALLS_NEVER, CALLS_NEVER},
	{SYS_pivot_root, CALLS_NEVER, CALLS_NEVER},
	{SYS_swapon, CALLS_NEVER, CALLS_NEVER},
	{SYS_swapoff, CALLS_NEVER, CALLS_NEVER},
	{SYS_move_pages, CALLS_NEVER, CALLS_NEVER},
	{SYS_migrate_pages, CALLS_NEVER, CALLS_NEVER},
	/* from other times */
	{SYS_uselib, CALLS_NEVER, CALLS_NEVER},
	{SYS_ustat, CALLS_NEVER, CALLS_NEVER},
	{SYS_sysfs, CALLS_NEVER, CALLS_NEVER},
	{SYS__sysctl, CALLS_NEVER, CALLS_NEVER},
	{SYS_create_module, CALLS_NEVER, CALLS_NEVER},
	{SYS_get_kernel_syms, CALLS_NEVER, CALLS_NEVER},
	{SYS_query_module, CALLS_NEVER, CALLS_NEVER},
	{SYS_nfsservctl, CALLS_NEVER, CALLS_NEVER},
	/* for capabilities */
	{SYS_open_by_handle_at, CAP_DAC_READ_SEARCH, CALLS_NEVER},
	{SYS_bpf, CAP_SYS_ADMIN, CAP_BPF},
	{SYS_perf_event_open, CAP_SYS_ADMIN, CAP_PERFMON},
	{SYS_syslog, CAP_SYS_ADMIN, CAP_SYSLOG},
	{SYS_fanotify_init, CAP_SYS_ADMIN, CALLS_NEVER},
	{SYS_fsconfig, CAP_SYS_ADMIN, CALLS_NEVER},
	{SYS_fsmount, CAP_SYS_ADMIN, CALLS_NEVER},
	{SYS_fsopen, CAP_SYS_ADMIN, CALLS_NEVER},
	{SYS_fspick, CAP_SYS_ADMIN, CALLS_NEVER},
	{SYS_lookup_dcookie, CAP_SYS_ADMIN, CALLS_NEVER},
	{SYS_mount, CAP_SYS_ADMIN, CALLS_NEVER},
	{SYS_mount_setattr, CAP_SYS_ADMIN, CALLS_NEVER},
	{SYS_move_mount, CAP_SYS_ADMIN, CALLS_NEVER},
	{SYS_open_tree, CAP_SYS_ADMIN, CALLS_NEVER},
	{SYS_quotactl, CAP_SYS_ADMIN, CALLS_NEVER},
	{SYS_quotactl_fd, CAP_SYS_ADMIN, CALLS_NEVER},
	{SYS_setdomainname, CAP_SYS_ADMIN, CALLS_NEVER},
	{SYS_sethostname, CAP_SYS_ADMIN, CALLS_NEVER},
	{SYS_setns, CAP_SYS_ADMIN, CALLS_NEVER},
	{SYS_umount2, CAP_SYS_ADMIN, CALLS_NEVER},
	{SYS_unshare, CAP_SYS_ADMIN, CALLS_NEVER},
	{SYS_reboot, CAP_SYS_BOOT, CALLS_NEVER},
	{SYS_chroot, CAP_SYS_CHROOT, CALLS_NEVER},
	{SYS_delete_module, CAP_SYS_MODULE, CALLS_NEVER},
	{SYS_init_module, CAP_SYS_MODULE, CALLS_NEVER},
	{SYS_finit_module, CAP_SYS_MODULE, CALLS_NEVER},
	{SYS_acct, CAP_SYS_PACCT, CALLS_NEVER},
	{SYS_kcmp, CAP_SYS_PTRACE, CALLS_NEVER},
	{SYS_pidfd_getfd, CAP_SYS_PTRACE, CALLS_NEVER},
	{SYS_process_madvise, CAP_SYS_PTRACE, CALLS_NEVER},
	{SYS_iopl, CAP_SYS_RAWIO, CALLS_NEVER},
	{SYS_ioperm, CAP_SYS_RAWIO, CALLS_NEVER},
	{SYS_settimeofday, CAP_SYS_TIME, CALLS_NEVER},
	{SYS_clock_settime, CAP_SYS_TIME, CALLS_NEVER},
	{SYS_vhangup, CAP_SYS_TTY_CONFIG, CALLS_NEVER},
	{SYS_get_mempolicy, CAP_SYS_NICE, CALLS_NEVER},
	{SYS_set_mempolicy, CAP_SYS_NICE, CALLS_NEVER},
	{SYS_mbind, CAP_SYS_NICE, CALLS_NEVER},
};

/* personality(2) is for compatibility with other systems, which weakens a process: only what is asked for daily */
static const uint32_t calls_personalities[] = {0, 0x8, 0x20000, 0x20008, 0xffffffff};

static bool calls_has(uint64_t caps, uint8_t cap)
{
	return cap != CALLS_NEVER && caps & (uint64_t)1 << cap;
}

int confine_default_calls(uint64_t caps, struct err *e)
{
	static const int clone3 = SYS_clone3;
	struct seccomp s;
	int r;

	seccomp_begin(&s, SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (!calls_has(caps, calls[i].cap) && !calls_has(caps, calls[i].or_cap))
			seccomp_refuse(&s, (int[]){calls[i].call}, 1, SECCOMP_RET_ERRNO | EPERM);
	if (!calls_has(caps, CAP_SYS_ADMIN)) {
		seccomp_refuse_bits(&s, SYS_clone, 0, CALLS_CLONE_FLAGS, SECCOMP_RET_ERRNO | EPERM);
		/* Its flags lie in memory, where no filter sees them; without it libc takes clone(2). */
		seccomp_refuse(&s, &clone3, 1, SECCOMP_RET_ERRNO | ENOSYS);
	}
	seccomp_refuse_unless(&s, SYS_personality, 0, calls_personalities,
			      ARRAY_SIZE(calls_personalities), SECCOMP_RET_ERRNO | EPERM);
	r = seccomp_apply(&s);
	return r < 0 ? err_sys(e, r, "set the default system call filter") : 0;
}
