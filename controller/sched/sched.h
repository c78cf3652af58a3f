/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scheduler and the hosts' life, as watchers of the store: they see what any client of the API
 * would see and write through the same store calls.
 */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "base/err.h"
#include "base/loop.h"
#include "store/store.h"

struct sched;

/** sched_new() - Start: binds pending pods, follows leases. Return: 0 or -errno */
int sched_new(struct loop *loop, struct store *store, struct sched **sched, struct err *e);

/** sched_free() - Stop. Return: NULL */
struct sched *sched_free(struct sched *sched);

#endif
