/* SPDX-License-Identifier: Apache-2.0 */
/* One cgroup (v2) per container, made anew for each start, so that its counters are of that start. */
#ifndef GUEST_CGROUP_H
#define GUEST_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/guest_msg.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/** cgroup_init() - Let containers' groups have controllers. Return: 0 or -errno */
int cgroup_init(struct err *e);

/**
 * cgroup_make() - A fresh group with the container's limits
 * Return: the folder's descriptor, for CLONE_INTO_CGROUP; -errno.
 */
int cgroup_make(uint32_t index, const struct guest_container *c, struct err *e);

/** cgroup_open() - The group of a container that runs. Return: as cgroup_make() */
int cgroup_open(uint32_t index, struct err *e);

/** cgroup_ooms() - How many processes of the group @dir the kernel killed for want of memory */
uint64_t cgroup_ooms(int dir);

/** cgroup_end() - Kill what is left and remove the group. Return: whether memory ran out in it */
bool cgroup_end(uint32_t index);

#endif
