/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast a VM may use its disks: token buckets for bytes and for requests, shared by all of its disks.
 *
 * A request is served when it comes and paid for afterwards, so the account may go below zero; the thread
 * that overdrew it then waits until it is balanced. So a large request needs no bucket of its size, and on
 * the average the limit holds.
 */
#ifndef VMM_VIRTIO_LIMIT_H
#define VMM_VIRTIO_LIMIT_H

#include <pthread.h>
#include <stdint.h>

struct limit_bucket {
	uint64_t per_s; /* 0: unlimited */
	uint64_t free_ns; /* the account is balanced at this time */
};

struct limit {
	pthread_mutex_t lock;
	struct limit_bucket bytes, ops;
};

/** limit_init() - @bytes_per_s, @ops_per_s: 0 for no limit */
void limit_init(struct limit *l, uint64_t bytes_per_s, uint64_t ops_per_s);

/**
 * limit_take() - Pay for one request
 * @bytes:  that it moved
 * @now_ns: clock_mono_ns()
 *
 * Context: any thread.
 * Return: nanoseconds to wait before the next request, 0 for none.
 */
uint64_t limit_take(struct limit *l, uint64_t bytes, uint64_t now_ns);

#endif
