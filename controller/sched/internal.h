/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of sched/ share. */
#ifndef SCHED_INTERNAL_H
#define SCHED_INTERNAL_H

#include "sched/sched.h"

#define SCHED_PODS   "pods"
#define SCHED_NODES  "nodes"
#define SCHED_LEASES "leases"

struct lifecycle;

/* lifecycle.c: leases and taints of hosts, pods of hosts that are gone */
int lifecycle_new(struct loop *loop, struct store *store, struct lifecycle **l, struct err *e);
struct lifecycle *lifecycle_free(struct lifecycle *l);

/* A changeable copy of a stored object */
struct json_doc *sched_copy(const struct store_object *o);

#endif
