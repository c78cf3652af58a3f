// SPDX-License-Identifier: Apache-2.0
/*
 * Every ten seconds, and every second when it is near: does the host run short of memory or of room for scratch disks?
 * Then tell the API, and evict. Without the closer look one pod that takes memory fast gets from plenty to nothing
 * unseen, and a host that has nothing left spends its time on getting its own programs back into memory.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "hostd.h"

#define PRESSURE_LOOK_MS 10000
#define PRESSURE_NEAR_MS 1000
#define PRESSURE_NEAR	 10 /* times the least */
#define PRESSURE_STAY_MS 60000 /* it is said for so long after it has passed: no to and fro */

static void pressure_judge(struct hostd *h, const struct host_room *room, enum pods_resource what,
			   enum node_pressure kind)
{
	uint64_t now_ms = clock_mono_ms(), *until_ms = &h->pressure_until_ms[kind];

	if (room->left_bytes < room->least_bytes) {
		if (*until_ms <= now_ms)
			log_warn("main", "ev=pressure kind=%s left_kib=%llu least_kib=%llu",
				 kind == NODE_PRESSURE_MEMORY ? "memory" : "scratch",
				 (unsigned long long)room->left_bytes >> 10,
				 (unsigned long long)room->least_bytes >> 10);
		*until_ms = now_ms + PRESSURE_STAY_MS;
		pods_evict(h->pods, what, room->left_bytes, room->least_bytes);
	}
	if (h->node)
		node_set_pressure(h->node, kind, *until_ms > now_ms);
}

static bool pressure_is_near(const struct host_room *room)
{
	return room->left_bytes / PRESSURE_NEAR < room->least_bytes;
}

static void pressure_look(struct timer *t)
{
	struct hostd *h = container_of(t, struct hostd, pressure_look);
	struct host_pressure p;
	int r;

	storage_check(h->storage);
	r = host_pressure_read(h->scratch_dir, h->inventory.memory_bytes, &p);

	timer_set(t, r == 0 && pressure_is_near(&p.memory) ? PRESSURE_NEAR_MS : PRESSURE_LOOK_MS);
	if (r < 0) {
		log_debug("main", "ev=no_pressure error=\"%s\"", strerror(-r));
		return;
	}
	pressure_judge(h, &p.memory, PODS_MEMORY, NODE_PRESSURE_MEMORY);
	pressure_judge(h, &p.scratch, PODS_SCRATCH, NODE_PRESSURE_DISK);
}

void pressure_start(struct hostd *h)
{
	timer_init(&h->loop, &h->pressure_look, pressure_look);
	timer_set(&h->pressure_look, PRESSURE_LOOK_MS);
}
