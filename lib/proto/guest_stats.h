/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a guest tells of the resources that its containers use: the messages STATS_ASK and STATS of
 * guest_msg.h.
 *
 * Nothing is measured unless the host asks. Each STATS carries the number of the question, so that a late
 * answer is not taken for that to the next. Counters are of a container's present run: a restart
 * begins at zero, and started_ns tells.
 */
#ifndef PROTO_GUEST_STATS_H
#define PROTO_GUEST_STATS_H

#include "proto/guest_msg.h"

/* A container that runs, from its cgroup. */
struct guest_stats_container {
	uint16_t container;
	uint64_t started_ns; /* since the epoch, the guest's clock */
	uint64_t cpu_ns, cpu_user_ns, cpu_system_ns;
	uint64_t throttled_ns; /* that it waited at its limit of the processor */
	uint64_t throttled; /* periods in which it did */
	uint64_t memory_bytes; /* all that is charged to it */
	uint64_t working_set_bytes; /* without the file pages that nobody used lately */
	uint64_t rss_bytes; /* anonymous memory */
	uint64_t faults, major_faults;
	uint32_t pids;
	uint32_t oom_kills;
};

struct guest_stats_net {
	uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped;
	uint64_t tx_bytes, tx_packets, tx_errors, tx_dropped;
};

/* A volume with a file system of its own. */
struct guest_stats_volume {
	uint16_t volume; /* index into guest_run.volumes */
	uint64_t bytes, free_bytes, inodes, inodes_free;
};

struct guest_stats {
	uint32_t ask;
	uint64_t memory_bytes, memory_available_bytes; /* of the guest as a whole */
	struct guest_stats_net net; /* of eth0; zero without */
	uint64_t scratch_bytes, scratch_free_bytes; /* the disk below all containers and volumes */
	uint64_t scratch_inodes, scratch_inodes_free;
	uint32_t container_count;
	struct guest_stats_container containers[GUEST_CONTAINERS_MAX];
	uint32_t volume_count;
	struct guest_stats_volume volumes[GUEST_VOLUMES_MAX];
};

/** guest_stats_ask_encode(), guest_stats_encode() - As guest_*_encode() of guest_msg.h */
long guest_stats_ask_encode(uint32_t ask, void *out, size_t size);
long guest_stats_encode(const struct guest_stats *m, void *out, size_t size);

/** guest_stats_ask_decode(), guest_stats_decode() - As guest_*_decode() */
int guest_stats_ask_decode(const struct guest_frame *f, uint32_t *ask);
int guest_stats_decode(const struct guest_frame *f, struct guest_stats *m);

#endif
