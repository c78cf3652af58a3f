/* SPDX-License-Identifier: Apache-2.0 */
/* What the containers use, told to the host when it asks and never else. */
#ifndef GUEST_STATS_H
#define GUEST_STATS_H

#include "container.h"

/** stats_ask() - The host asks (STATS_ASK) */
void stats_ask(const struct guest_frame *f);

/** stats_next() - The answer, if one is due, as link.h's next(). @count containers; 0 before the pod is set up */
long stats_next(const struct guest_run *run, const struct container *containers, uint32_t count,
		void *out, size_t size);

/** stats_down() - The connection has gone, and its question with it */
void stats_down(void);

#endif
