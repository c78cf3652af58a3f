/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that hypervm gives up, in stages.
 *
 * The guest is hostile from its first instruction, and one day it will own this process. What it finds
 * then: no file system, no network, no identity, no capability, no new descriptor, and per thread a
 * short list of system calls.
 *
 * 1. cgroup      before us: hostd starts the process in its own
 * 2. jail_enter() as soon as the descriptors are here, before a byte of guest data is looked at:
 *    a. namespaces  mount, network, IPC, UTS of its own
 *    b. root        an empty read-only tmpfs, the old root detached
 *    c. identity    the pod's uid and gid, no supplementary groups, no capabilities, no_new_privs
 *    d. limits      no core dumps
 * 3. jail_seal() when the machine is built: no more descriptors
 * 4. jail_filter() in each thread, before any vCPU runs: seccomp, an allow-list; anything else kills
 *
 * There is no PID namespace: entering one takes a fork, KVM ties a VM to the process that made it, and
 * the filters leave no call that names a process.
 */
#ifndef VMM_JAIL_H
#define VMM_JAIL_H

#include <sys/types.h>

#include "base/err.h"

/** jail_enter() - Stage 2; needs root. Return: 0 or -errno, the step in @e */
int jail_enter(uid_t uid, gid_t gid, struct err *e);

/** jail_seal() - Stage 3. Return: 0 or -errno */
int jail_seal(struct err *e);

enum jail_thread {
	JAIL_MAIN,
	JAIL_VCPU,
	JAIL_DISK,
};

/** jail_filter() - Stage 4, for the calling thread. Return: 0 or -errno */
int jail_filter(enum jail_thread kind, struct err *e);

#endif
