// SPDX-License-Identifier: Apache-2.0
#include "vmm/virtio/limit.h"

#include "base/mem.h"

#define LIMIT_BURST_NS 100000000ULL /* what was not used may be caught up with for so long */
#define LIMIT_WAIT_NS  10000000000ULL /* no request waits longer: a driver gives up after 30 s */
#define LIMIT_S_NS     1000000000ULL

void limit_init(struct limit *l, uint64_t bytes_per_s, uint64_t ops_per_s)
{
	pthread_mutex_init(&l->lock, NULL);
	l->bytes = (struct limit_bucket){.per_s = bytes_per_s};
	l->ops = (struct limit_bucket){.per_s = ops_per_s};
}

/* A bucket is the time at which it is full again: cheap, and no fractions are lost. */
static uint64_t limit_pay(struct limit_bucket *b, uint64_t count, uint64_t now_ns)
{
	uint64_t earliest = now_ns > LIMIT_BURST_NS ? now_ns - LIMIT_BURST_NS : 0, cost;

	if (!b->per_s)
		return 0;
	/* count is below 2^33 (a chain's length), so this fits */
	cost = count * LIMIT_S_NS / b->per_s;
	b->free_ns = MAX(b->free_ns, earliest) + cost;
	/* The rest of a debt beyond that is forgiven. */
	b->free_ns = MIN(b->free_ns, now_ns + LIMIT_WAIT_NS);
	return b->free_ns > now_ns ? b->free_ns - now_ns : 0;
}

uint64_t limit_take(struct limit *l, uint64_t bytes, uint64_t now_ns)
{
	uint64_t a, b;

	if (!l->bytes.per_s && !l->ops.per_s)
		return 0;
	pthread_mutex_lock(&l->lock);
	a = limit_pay(&l->bytes, bytes, now_ns);
	b = limit_pay(&l->ops, 1, now_ns);
	pthread_mutex_unlock(&l->lock);
	return MAX(a, b);
}
