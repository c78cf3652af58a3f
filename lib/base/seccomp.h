/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seccomp filters as lists of what is allowed: is it x86-64 (else the process dies), is it one of these
 * numbers, and for some calls, is it one of these arguments; whatever is not gets one verdict. Where only
 * little is refused that verdict is SECCOMP_RET_ALLOW, and the list is of what is not allowed.
 */
#ifndef BASE_SECCOMP_H
#define BASE_SECCOMP_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

#define SECCOMP_STEPS_MAX 288

/* A filter under construction */
struct seccomp {
	struct sock_filter code[SECCOMP_STEPS_MAX];
	size_t len; /* beyond SECCOMP_STEPS_MAX: it did not fit */
	uint32_t otherwise;
};

/**
 * seccomp_begin() - An empty list
 * @otherwise: the verdict on what is not allowed: SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ERRNO | ENOSYS…
 */
void seccomp_begin(struct seccomp *s, uint32_t otherwise);

/** seccomp_allow() - Allow @calls (SYS_…), whatever their arguments. Checked in the order of adding */
void seccomp_allow(struct seccomp *s, const int *calls, size_t count);

/**
 * seccomp_allow_if() - Allow a call if the low 32 bits of one argument are one of @values
 * @arg:   0..5; a number, for a filter cannot see what a pointer leads to
 * @count: up to 100
 */
void seccomp_allow_if(struct seccomp *s, int call, unsigned int arg, const uint32_t *values,
		      size_t count);

/** seccomp_refuse() - Give @calls this verdict, whatever their arguments */
void seccomp_refuse(struct seccomp *s, const int *calls, size_t count, uint32_t verdict);

/** seccomp_refuse_bits() - Refuse a call when the low 32 bits of one argument have one of @bits, else allow it */
void seccomp_refuse_bits(struct seccomp *s, int call, unsigned int arg, uint32_t bits,
			 uint32_t verdict);

/** seccomp_refuse_unless() - As seccomp_allow_if(), with a verdict of its own for other values */
void seccomp_refuse_unless(struct seccomp *s, int call, unsigned int arg, const uint32_t *values,
			   size_t count, uint32_t verdict);

/**
 * seccomp_apply() - Put the calling thread, and what it starts, under the filter for ever
 *
 * Needs no_new_privs (sandbox_identity() sets it) or root.
 * Return: 0; -E2BIG when the list is too long; -errno.
 */
int seccomp_apply(struct seccomp *s);

#endif
