/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the hostile guest share. */
#ifndef VMM_HOSTILE_H
#define VMM_HOSTILE_H

#include <stdbool.h>
#include <stdint.h>

#define HOSTILE_CPUS_MAX 8
#define HOSTILE_DEVS_MAX 19
#define HOSTILE_BASE	 0xd0000000U /* of the virtio-mmio pages, as on HyperKernel's command line */
#define HOSTILE_ARENA	 0x1000000U /* all that devices may write to; below it is ourselves */

struct rng {
	uint64_t state;
};

/* Counted by each processor for itself, printed by the first */
struct tally {
	uint64_t ops, starts, used, broken;
};

struct attacker {
	struct rng rng;
	struct tally tally;
};

struct machine {
	uint64_t ram_end; /* below the hole */
	uint32_t dev_count;
	uint32_t dev_ids[HOSTILE_DEVS_MAX];
	volatile uint32_t target; /* the device that all processors work on */
	volatile uint32_t race; /* 0: the others rest … 3: they also reset it */
};

extern struct machine machine;

static inline uint64_t rnd(struct rng *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return r->state * 0x2545f4914f6cdd1dULL;
}

/* 0..n-1 */
static inline uint32_t below(struct rng *r, uint32_t n)
{
	return (uint32_t)((rnd(r) >> 33) % n);
}

/** attack_step() - One move of the processor that sets devices up */
void attack_step(struct attacker *a);

/** race_step() - One move of a processor that works against the first, on the same rings */
void race_step(struct attacker *a);

#endif
