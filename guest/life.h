/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What accompanies a container's run: hooks and probes, with a kubelet's semantics.
 *
 *	executed ─► postStart ─► announced ─► startup probe ─► started ─► readiness and liveness probes
 *
 * There is no readiness before the first success, no restart before failureThreshold failures, and after
 * a startup or liveness probe has had a container ended nothing but its readiness is looked at. A
 * container that has none of them has no struct life and no timer.
 */
#ifndef GUEST_LIFE_H
#define GUEST_LIFE_H

#include <stdbool.h>
#include <stddef.h>

struct container;

/** life_begin() - It was executed; container_announce() follows, now or after its hook */
void life_begin(struct container *c);

/** life_end() - Its process has ended */
void life_end(struct container *c);

/** life_pre_stop() - Run the hook; container_signal() follows. Return: false when there is none */
bool life_pre_stop(struct container *c);

/** life_pre_stop_over() - There is no more time for it */
void life_pre_stop_over(struct container *c);

/** life_stopping() - It is being stopped: only its readiness still counts */
void life_stopping(struct container *c);

/** life_started() - Whether its startup probe, if it has one, has succeeded */
bool life_started(const struct container *c);

/** life_replay() - On a new connection: tell the state */
void life_replay(struct container *c);

/** life_next() - The next message for the host, as link.h's next() */
long life_next(struct container *c, void *out, size_t size);

#endif
