// SPDX-License-Identifier: Apache-2.0
/*
 * Each thread kind has its own list of system calls on top of what ending a VM needs; any other kills
 * the process. A musl or compiler update that brings in another call shows in the QEMU scenarios, which
 * run with the filters on.
 */
#include "base/seccomp.h"

#include <errno.h>
#include <linux/falloc.h>
#include <linux/futex.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <linux/vhost.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/mem.h"
#include "proto/vm_spec.h"
#include "vmm/jail.h"

/* vm_end() and log lines: every thread may end the VM */
static const int seccomp_common[] = {
	SYS_write,	   SYS_pwrite64,     SYS_exit_group,	  SYS_pause,
	SYS_clock_gettime, SYS_rt_sigreturn, SYS_restart_syscall,
};

/* Locks and the gate; the one socket that was passed */
static const uint32_t seccomp_futex[] = {FUTEX_WAIT_PRIVATE, FUTEX_WAKE_PRIVATE};
static const uint32_t seccomp_sockets[] = {VM_CONTROL_FD};

static const int seccomp_main[] = {SYS_poll, SYS_read};
static const uint32_t seccomp_advice[] = {MADV_DONTNEED};

static const int seccomp_disk[] = {SYS_read, SYS_preadv, SYS_pwritev, SYS_fdatasync,
				   SYS_clock_nanosleep};
static const uint32_t seccomp_fallocate[] = {FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE};

/* What a vCPU thread asks of KVM and, when a driver starts or resets a device, of vhost and tap */
static const uint32_t seccomp_vcpu_ioctls[] = {
	KVM_RUN,
	VHOST_SET_FEATURES,
	VHOST_SET_VRING_NUM,
	VHOST_SET_VRING_BASE,
	VHOST_SET_VRING_ADDR,
	VHOST_SET_VRING_KICK,
	VHOST_SET_VRING_CALL,
	VHOST_NET_SET_BACKEND,
	VHOST_VSOCK_SET_RUNNING,
	TUNSETVNETHDRSZ,
	TUNSETOFFLOAD,
};

int jail_filter(enum jail_thread kind, struct err *e)
{
	struct seccomp s;
	int r;

	seccomp_begin(&s, SECCOMP_RET_KILL_PROCESS);
	if (kind == JAIL_VCPU) /* First, since it is the one call that matters for speed */
		seccomp_allow_if(&s, SYS_ioctl, 1, seccomp_vcpu_ioctls,
				 ARRAY_SIZE(seccomp_vcpu_ioctls));
	seccomp_allow(&s, seccomp_common, ARRAY_SIZE(seccomp_common));
	if (kind == JAIL_MAIN) {
		seccomp_allow(&s, seccomp_main, ARRAY_SIZE(seccomp_main));
		seccomp_allow_if(&s, SYS_madvise, 2, seccomp_advice, ARRAY_SIZE(seccomp_advice));
	}
	if (kind == JAIL_DISK) {
		seccomp_allow(&s, seccomp_disk, ARRAY_SIZE(seccomp_disk));
		seccomp_allow_if(&s, SYS_fallocate, 1, seccomp_fallocate,
				 ARRAY_SIZE(seccomp_fallocate));
	}
	seccomp_allow_if(&s, SYS_futex, 1, seccomp_futex, ARRAY_SIZE(seccomp_futex));
	seccomp_allow_if(&s, SYS_sendto, 0, seccomp_sockets, ARRAY_SIZE(seccomp_sockets));
	r = seccomp_apply(&s);
	return r < 0 ? err_sys(e, r, "jail: seccomp") : 0;
}
