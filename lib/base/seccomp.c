// SPDX-License-Identifier: Apache-2.0
/*
 * The program is a straight list. The number stays loaded all the way; what looks at an argument loads
 * that instead, but decides then and there.
 */
#include "base/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <sys/syscall.h>
#include <unistd.h>

static void seccomp_emit(struct seccomp *s, struct sock_filter f)
{
	if (s->len < SECCOMP_STEPS_MAX)
		s->code[s->len] = f;
	s->len++;
}

static void seccomp_load(struct seccomp *s, size_t offset)
{
	seccomp_emit(s, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void seccomp_return(struct seccomp *s, uint32_t verdict)
{
	seccomp_emit(s, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict));
}

static void seccomp_allow_value(struct seccomp *s, uint32_t value)
{
	seccomp_emit(s, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
	seccomp_return(s, SECCOMP_RET_ALLOW);
}

void seccomp_begin(struct seccomp *s, uint32_t otherwise)
{
	s->len = 0;
	s->otherwise = otherwise;
	seccomp_load(s, offsetof(struct seccomp_data, arch));
	seccomp_emit(s, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64,
						     1, 0));
	seccomp_return(s, SECCOMP_RET_KILL_PROCESS);
	seccomp_load(s, offsetof(struct seccomp_data, nr));
}

void seccomp_allow(struct seccomp *s, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		seccomp_allow_value(s, (uint32_t)calls[i]);
}

void seccomp_refuse(struct seccomp *s, const int *calls, size_t count, uint32_t verdict)
{
	for (size_t i = 0; i < count; i++) {
		seccomp_emit(s, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							     (uint32_t)calls[i], 0, 1));
		seccomp_return(s, verdict);
	}
}

static void seccomp_load_arg(struct seccomp *s, unsigned int arg)
{
	seccomp_load(s, offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t));
}

void seccomp_refuse_bits(struct seccomp *s, int call, unsigned int arg, uint32_t bits,
			 uint32_t verdict)
{
	seccomp_emit(s,
		     (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 4));
	seccomp_load_arg(s, arg);
	seccomp_emit(s, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1));
	seccomp_return(s, verdict);
	seccomp_return(s, SECCOMP_RET_ALLOW);
}

void seccomp_refuse_unless(struct seccomp *s, int call, unsigned int arg, const uint32_t *values,
			   size_t count, uint32_t verdict)
{
	/* Over the argument's load, two steps a value, and the verdict */
	uint8_t skip = (uint8_t)(2 * count + 2);

	seccomp_emit(s, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0,
						     skip));
	seccomp_load_arg(s, arg);
	for (size_t i = 0; i < count; i++)
		seccomp_allow_value(s, values[i]);
	seccomp_return(s, verdict);
}

void seccomp_allow_if(struct seccomp *s, int call, unsigned int arg, const uint32_t *values,
		      size_t count)
{
	seccomp_refuse_unless(s, call, arg, values, count, s->otherwise);
}

int seccomp_apply(struct seccomp *s)
{
	struct sock_fprog prog = {.filter = s->code};

	seccomp_return(s, s->otherwise);
	if (s->len > SECCOMP_STEPS_MAX)
		return -E2BIG;
	prog.len = (unsigned short)s->len;
	/* Speculation stays as it was: the mitigations of the kernel's command line decide. */
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		       &prog) < 0
		       ? -errno
		       : 0;
}
