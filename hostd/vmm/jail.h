/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that hypervm gives up, in stages.
 *
 * The guest is hostile from its first instruction, and one day it will own this process. What it finds
 * then: no file system, no network, no identity, no capability, no new descriptor, and per thread a
 * short list of system calls.
 *
 * 1. before us: hostd starts the process in a cgroup and as the first of a PID namespace of its own
 * 2. jail_enter() as soon as the descriptors are here, before a byte of guest data is looked at:
 *    a. namespaces  mount, network, IPC, UTS of its own
 *    b. root        an empty read-only tmpfs, the old root detached
 *    c. identity    the pod's uid and gid, no supplementary groups, no capabilities, no_new_privs
 *    d. limits      no core dumps, no locked memory, no file longer than it has to be
 *    e. Landlock    where the kernel has it: no path, no TCP port, no signal to others
 * 3. jail_seal() when the machine is built: no more descriptors, no more memory
 * 4. jail_filter() in each thread, before any vCPU runs: seccomp, an allow-list; anything else kills
 *
 * Each wall stands by itself: hostd/vmm/tests/jail_probe.c tries what an intruder would, with the filters
 * and without them. There is no user namespace: it would give the process capabilities over something
 * instead of none over anything, and without CONFIG_USER_NS nothing on the host can make one.
 */
#ifndef VMM_JAIL_H
#define VMM_JAIL_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct jail {
	uid_t uid; /* this VM's alone */
	gid_t gid;
	uint64_t memory_bytes; /* the guest's RAM */
	uint64_t file_bytes; /* the longest that a file may become by our writing */
};

/** jail_enter() - Stage 2; needs root. Return: 0 or -errno, the step in @e */
int jail_enter(const struct jail *j, struct err *e);

/** jail_seal() - Stage 3. Return: 0 or -errno */
int jail_seal(const struct jail *j, struct err *e);

enum jail_thread {
	JAIL_MAIN,
	JAIL_VCPU,
	JAIL_DISK,
};

/** jail_filter() - Stage 4, for the calling thread. Return: 0 or -errno */
int jail_filter(enum jail_thread kind, struct err *e);

#endif
