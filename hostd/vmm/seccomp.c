// SPDX-License-Identifier: Apache-2.0
/*
 * A seccomp filter is a straight list: is it x86-64, is it one of these numbers, and for ioctl is it
 * one of these requests; else the process dies. Each thread kind has its own list on top of what
 * ending a VM needs. A musl or compiler update that brings in another call shows in the QEMU
 * scenarios, which run with the filters on.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <linux/vhost.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "vmm/jail.h"

#define SECCOMP_PROGRAM_MAX 96

/* vm_end() and log lines: every thread may end the VM */
static const int seccomp_common[] = {
	SYS_write, SYS_pwrite64,      SYS_sendto,	SYS_exit_group,	     SYS_futex,
	SYS_pause, SYS_clock_gettime, SYS_rt_sigreturn, SYS_restart_syscall,
};

static const int seccomp_main[] = {SYS_poll, SYS_read, SYS_madvise};

static const int seccomp_disk[] = {SYS_read, SYS_preadv, SYS_pwritev, SYS_fallocate, SYS_fdatasync};

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

struct seccomp_program {
	struct sock_filter code[SECCOMP_PROGRAM_MAX];
	unsigned short len;
};

static void seccomp_emit(struct seccomp_program *p, struct sock_filter f)
{
	if (p->len < SECCOMP_PROGRAM_MAX)
		p->code[p->len] = f;
	p->len++;
}

static void seccomp_load(struct seccomp_program *p, size_t offset)
{
	seccomp_emit(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

/* if (loaded == value) return @verdict; */
static void seccomp_return_if(struct seccomp_program *p, uint32_t value, uint32_t verdict)
{
	seccomp_emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
	seccomp_emit(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict));
}

static void seccomp_allow(struct seccomp_program *p, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		seccomp_return_if(p, (uint32_t)calls[i], SECCOMP_RET_ALLOW);
}

static void seccomp_build(struct seccomp_program *p, enum jail_thread kind)
{
	struct sock_filter kill = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);

	seccomp_load(p, offsetof(struct seccomp_data, arch));
	seccomp_emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64,
						     1, 0));
	seccomp_emit(p, kill);
	seccomp_load(p, offsetof(struct seccomp_data, nr));
	if (kind == JAIL_VCPU) {
		size_t requests = ARRAY_SIZE(seccomp_vcpu_ioctls);

		/* First, since it is the one call that matters for speed */
		seccomp_emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl,
							     0, (uint8_t)(2 * requests + 2)));
		seccomp_load(p, offsetof(struct seccomp_data, args[1]));
		for (size_t i = 0; i < requests; i++)
			seccomp_return_if(p, seccomp_vcpu_ioctls[i], SECCOMP_RET_ALLOW);
		seccomp_emit(p, kill);
	}
	seccomp_allow(p, seccomp_common, ARRAY_SIZE(seccomp_common));
	if (kind == JAIL_MAIN)
		seccomp_allow(p, seccomp_main, ARRAY_SIZE(seccomp_main));
	if (kind == JAIL_DISK)
		seccomp_allow(p, seccomp_disk, ARRAY_SIZE(seccomp_disk));
	seccomp_emit(p, kill);
}

int jail_filter(enum jail_thread kind, struct err *e)
{
	struct seccomp_program p = {.len = 0};
	struct sock_fprog prog = {.filter = p.code};

	seccomp_build(&p, kind);
	if (p.len > SECCOMP_PROGRAM_MAX)
		return err_set(e, -E2BIG, "seccomp program of %u steps", p.len);
	prog.len = p.len;
	/* Speculation stays as it was: the mitigations of the kernel's command line decide. */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &prog) <
	    0)
		return err_sys(e, -errno, "jail: seccomp");
	return 0;
}
