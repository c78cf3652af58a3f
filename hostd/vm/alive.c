// SPDX-License-Identifier: Apache-2.0
/*
 * Whether a guest that somebody waits for still lives.
 *
 * A process that is executed may say nothing for hours, and a guest that hangs says nothing either. So while it has
 * execs, one that was silent for a while is asked for its figures, which hyperstart tells whatever its containers do;
 * one that says nothing even then is hung up on, which ends its execs with a reason. Pods that nobody waits
 * for are left asleep.
 */
#include <errno.h>
#include <stdio.h>

#include "vm/session_impl.h"

#define ALIVE_ASK 0 /* no STATS_ASK of the owner has this number, so its answer is nobody's */

static void alive_look(struct timer *t)
{
	struct session *s = container_of(t, struct session, alive_timer);
	char what[64];

	if (list_empty(&s->execs))
		return;
	if (s->heard) {
		s->asked = false;
	} else if (!s->asked) {
		s->asked = true;
		if (session_ask_stats(s, ALIVE_ASK) < 0)
			return;
	} else {
		snprintf(what, sizeof(what), "guest has not answered for %u s",
			 2 * s->srv->alive_ms / 1000);
		session_fail(s, -ETIMEDOUT, what);
		return;
	}
	s->heard = false;
	timer_set(t, s->srv->alive_ms);
}

void alive_init(struct session *s)
{
	timer_init(s->srv->loop, &s->alive_timer, alive_look);
}

void alive_watch(struct session *s)
{
	if (timer_armed(&s->alive_timer))
		return;
	s->heard = s->asked = false;
	timer_set(&s->alive_timer, s->srv->alive_ms);
}
