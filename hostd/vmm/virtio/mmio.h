/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtio device and its register page (virtio 1.2 §4.2, version 2 only).
 *
 * Registers are read and written by vCPU threads, the queues are worked by the device's own thread or
 * by vhost. The device's lock covers all but the interrupt status; a device thread holds it while it
 * works, so a reset waits for the request in hand and nothing runs behind a driver's back.
 * Queue notifications do not come this way: an ioeventfd catches them in the kernel.
 */
#ifndef VMM_VIRTIO_MMIO_H
#define VMM_VIRTIO_MMIO_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "vmm/mem.h"
#include "vmm/virtio/queue.h"

#define VDEV_QUEUES_MAX 3
#define VDEV_PAGE_BYTES 0x1000U

struct vdev;

struct vdev_ops {
	/* The driver is ready: start. Under the lock. 0, or -errno: it is stopped and needs a reset */
	int (*activate)(struct vdev *d);
	/* Stop, also what is half started; the queues are cleared after it. Under the lock */
	void (*reset)(struct vdev *d);
};

struct vdev {
	const struct vdev_ops *ops;
	const char *name; /* for log lines */
	uint32_t id; /* VIRTIO_ID_* */
	uint64_t features;
	const void *config;
	uint32_t config_bytes;
	unsigned int queue_count;
	uint32_t queue_size; /* QueueNumMax of every queue */
	const struct gmem *mem;
	int irq_fd; /* eventfd tied to the interrupt line */
	int kick_fds[VDEV_QUEUES_MAX]; /* eventfds tied to QueueNotify */
	bool always_used; /* vhost raises the line itself: every interrupt counts as «used buffers» */

	pthread_mutex_t lock;
	uint32_t isr; /* atomic */
	uint32_t status;
	uint64_t driver_features;
	uint32_t device_features_sel, driver_features_sel, queue_sel;
	bool active;
	unsigned int failures;
	struct vq queues[VDEV_QUEUES_MAX];
};

/** vdev_init() - Fields that do not depend on the kind of device; the rest is the caller's, before */
void vdev_init(struct vdev *d, const struct gmem *m);

/**
 * vdev_read() - A load from the register page
 * @offset: 0..VDEV_PAGE_BYTES - 1
 * @data:   receives @len bytes (1, 2, 4 or 8); zeros where there is nothing
 */
void vdev_read(struct vdev *d, uint32_t offset, void *data, uint32_t len);

/** vdev_write() - A store to the register page; what the driver may not do is ignored */
void vdev_write(struct vdev *d, uint32_t offset, const void *data, uint32_t len);

/** vdev_interrupt() - Tell the driver of used buffers. Any thread */
void vdev_interrupt(struct vdev *d);

/** vdev_fail() - The driver broke the rules: DEVICE_NEEDS_RESET until it resets. Under the lock */
void vdev_fail(struct vdev *d, const char *why);

/** vdev_has() - Whether a feature bit was negotiated */
static inline bool vdev_has(const struct vdev *d, unsigned int bit)
{
	return d->driver_features >> bit & 1;
}

#endif
