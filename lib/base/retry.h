/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Back-off with jitter: a timer that is armed with a delay that doubles from try to try. The jitter is
 * half of the delay, so a rack that was switched on at once spreads out.
 */
#ifndef BASE_RETRY_H
#define BASE_RETRY_H

#include <stdint.h>

#include "base/loop.h"

struct retry {
	struct timer timer;
	uint32_t base_ms, max_ms;
	unsigned int attempt;
};

/** retry_init() - @fn is called when it is time to try again */
void retry_init(struct loop *loop, struct retry *r, uint32_t base_ms, uint32_t max_ms,
		void (*fn)(struct timer *t));

/** retry_ok() - It worked: the next failure starts from the beginning */
void retry_ok(struct retry *r);

/**
 * retry_arm() - Try again later
 * @at_least_ms: what the server asked for (Retry-After), or -1
 * Return: the delay chosen.
 */
uint32_t retry_arm(struct retry *r, int at_least_ms);

/** retry_delay() - The delay for an attempt, without arming; @random is any 32 bits */
uint32_t retry_delay(const struct retry *r, uint32_t random);

/** retry_jitter() - @ms plus or minus @percent of it */
uint32_t retry_jitter(uint32_t ms, unsigned int percent);

/** retry_random() - 32 random bits */
uint32_t retry_random(void);

#endif
