/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pod: what runs, what ran, what is to run again, and what the host is told of it.
 *
 * A pod is WAITING until its RUN, then RUNNING until no container runs or will be restarted, then
 * ENDED until the host lets it go. A container:
 *
 *	NEW       not started yet (an init container before it has not succeeded)
 *	STARTING  its process exists and builds its world; report pipe open
 *	RUNNING   executed
 *	WAITING   ended, will be started again when its back-off is over
 *	ENDED     ended for good
 *
 * What the host must be told is not queued: each container has a flag for its start and one for its
 * last end, and a new connection sets the one that fits its state.
 */
#ifndef GUEST_POD_H
#define GUEST_POD_H

#include "base/loop.h"

/** pod_start() - Connect to the host and wait for the pod. @device: as in link_start() */
void pod_start(struct loop *l, const char *device);

/** pod_reap() - Children have ended (SIGCHLD) */
void pod_reap(void);

/** pod_fail() - The machine could not be set up: say so to the host when it asks */
void pod_fail(const char *reason, const char *message);

#endif
