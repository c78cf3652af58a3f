// SPDX-License-Identifier: Apache-2.0
#include "base/retry.h"

#include <sys/random.h>

#include "base/mem.h"

uint32_t retry_random(void)
{
	uint32_t v = 0;

	/* Only spreads load: if the pool is not ready yet, no jitter is fine. */
	if (getrandom(&v, sizeof(v), GRND_NONBLOCK) != (ssize_t)sizeof(v))
		v = 0;
	return v;
}

void retry_init(struct loop *loop, struct retry *r, uint32_t base_ms, uint32_t max_ms,
		void (*fn)(struct timer *t))
{
	*r = (struct retry){.base_ms = base_ms, .max_ms = max_ms};
	timer_init(loop, &r->timer, fn);
}

void retry_ok(struct retry *r)
{
	r->attempt = 0;
}

uint32_t retry_delay(const struct retry *r, uint32_t random)
{
	uint64_t ms = (uint64_t)r->base_ms << MIN(r->attempt, 20U);

	ms = MIN(ms, r->max_ms);
	return (uint32_t)(ms / 2 + random % (ms / 2 + 1));
}

uint32_t retry_arm(struct retry *r, int at_least_ms)
{
	uint32_t ms = retry_delay(r, retry_random());

	if (at_least_ms > 0 && ms < (uint32_t)at_least_ms)
		ms = (uint32_t)at_least_ms + ms / 4;
	r->attempt++;
	timer_set(&r->timer, ms);
	return ms;
}

uint32_t retry_jitter(uint32_t ms, unsigned int percent)
{
	uint32_t span = (uint32_t)((uint64_t)ms * percent / 100);

	return ms - span + retry_random() % (2 * span + 1);
}
