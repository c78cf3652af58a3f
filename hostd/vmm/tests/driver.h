/* SPDX-License-Identifier: Apache-2.0 */
/* The driver's side of a virtqueue in fake guest memory, for tests that play the guest. */
#ifndef VMM_TESTS_DRIVER_H
#define VMM_TESTS_DRIVER_H

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "vmm/virtio/mmio.h"
#include "vmm/virtio/queue.h"

#define DRIVER_MEM_BYTES  (1U << 20)
#define DRIVER_QUEUE_SIZE 8U
#define DRIVER_DESC	  0x1000U
#define DRIVER_AVAIL	  0x2000U
#define DRIVER_USED	  0x3000U
#define DRIVER_INDIRECT	  0x4000U
#define DRIVER_DATA	  0x10000U

struct driver {
	struct gmem mem;
	uint16_t avail_idx;
};

static inline void *driver_at(const struct driver *d, uint64_t gpa)
{
	return d->mem.regions[0].hva + gpa;
}

static inline struct vring_desc *driver_desc(const struct driver *d)
{
	return driver_at(d, DRIVER_DESC);
}

static inline struct vring_avail *driver_avail(const struct driver *d)
{
	return driver_at(d, DRIVER_AVAIL);
}

static inline struct vring_used *driver_used(const struct driver *d)
{
	return driver_at(d, DRIVER_USED);
}

static inline int driver_init(struct driver *d)
{
	*d = (struct driver){.avail_idx = 0};
	return gmem_init(&d->mem, DRIVER_MEM_BYTES, NULL);
}

static inline void driver_set(const struct driver *d, unsigned int i, uint64_t addr, uint32_t len,
			      unsigned int flags, unsigned int next)
{
	driver_desc(d)[i] = (struct vring_desc){
		.addr = addr, .len = len, .flags = (uint16_t)flags, .next = (uint16_t)next};
}

static inline void driver_offer(struct driver *d, uint16_t head)
{
	driver_avail(d)->ring[d->avail_idx % DRIVER_QUEUE_SIZE] = head;
	driver_avail(d)->idx = ++d->avail_idx;
}

static inline struct vq driver_queue(void)
{
	return (struct vq){.size = DRIVER_QUEUE_SIZE,
			   .desc_gpa = DRIVER_DESC,
			   .avail_gpa = DRIVER_AVAIL,
			   .used_gpa = DRIVER_USED};
}

static inline uint32_t driver_get(struct vdev *v, uint32_t reg)
{
	uint32_t value;

	vdev_read(v, reg, &value, sizeof(value));
	return value;
}

static inline void driver_put(struct vdev *v, uint32_t reg, uint32_t value)
{
	vdev_write(v, reg, &value, sizeof(value));
}

/* virtio 1.2 §3.1.1, steps 1 to 6. Return: the status that the device shows then */
static inline uint32_t driver_negotiate(struct vdev *v, uint32_t features)
{
	driver_put(v, VIRTIO_MMIO_STATUS, 0);
	driver_put(v, VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	driver_put(v, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	driver_put(v, VIRTIO_MMIO_DRIVER_FEATURES, features);
	driver_put(v, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	driver_put(v, VIRTIO_MMIO_DRIVER_FEATURES, 1U << (VIRTIO_F_VERSION_1 - 32));
	driver_put(v, VIRTIO_MMIO_STATUS,
		   driver_get(v, VIRTIO_MMIO_STATUS) | VIRTIO_CONFIG_S_FEATURES_OK);
	return driver_get(v, VIRTIO_MMIO_STATUS);
}

static inline void driver_set_queue(struct vdev *v, uint32_t queue)
{
	driver_put(v, VIRTIO_MMIO_QUEUE_SEL, queue);
	driver_put(v, VIRTIO_MMIO_QUEUE_NUM, DRIVER_QUEUE_SIZE);
	driver_put(v, VIRTIO_MMIO_QUEUE_DESC_LOW, DRIVER_DESC);
	driver_put(v, VIRTIO_MMIO_QUEUE_AVAIL_LOW, DRIVER_AVAIL);
	driver_put(v, VIRTIO_MMIO_QUEUE_USED_LOW, DRIVER_USED);
	driver_put(v, VIRTIO_MMIO_QUEUE_READY, 1);
}

/* All steps, with one queue. Return: the status that the device shows at the end */
static inline uint32_t driver_start(struct driver *d, struct vdev *v, uint32_t queue,
				    uint32_t features)
{
	driver_negotiate(v, features);
	driver_set_queue(v, queue);
	driver_put(v, VIRTIO_MMIO_STATUS,
		   driver_get(v, VIRTIO_MMIO_STATUS) | VIRTIO_CONFIG_S_DRIVER_OK);
	d->avail_idx = 0;
	return driver_get(v, VIRTIO_MMIO_STATUS);
}

#endif
