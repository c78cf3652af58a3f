// SPDX-License-Identifier: Apache-2.0
#include "vmm/virtio/mmio.h"

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/log.h"
#include "base/mem.h"

#define VDEV_MAGIC	     0x74726976U /* "virt" */
#define VDEV_VENDOR	     0x4d525948U /* "HYRM" */
#define VDEV_VERSION	     2
#define VDEV_FAILURES_LOGGED 4
#define VDEV_SHM_BASE	     0x0b0 /* SHMLenLow..SHMBaseHigh: all ones, there is no shared memory */
#define VDEV_SHM_END	     0x0c0

void vdev_init(struct vdev *d, const struct gmem *m)
{
	d->mem = m;
	d->features |= 1ULL << VIRTIO_F_VERSION_1;
	pthread_mutex_init(&d->lock, NULL);
}

void vdev_interrupt(struct vdev *d)
{
	__atomic_or_fetch(&d->isr, VIRTIO_MMIO_INT_VRING, __ATOMIC_SEQ_CST);
	eventfd_write(d->irq_fd, 1);
}

void vdev_fail(struct vdev *d, const char *why)
{
	if (d->status & VIRTIO_CONFIG_S_NEEDS_RESET)
		return;
	/* A guest must not be able to fill the host's log. */
	if (d->failures++ < VDEV_FAILURES_LOGGED)
		log_warn("vmm", "ev=vm_device_failed device=%s why=\"%s\"", d->name, why);
	d->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	if (d->status & VIRTIO_CONFIG_S_DRIVER_OK) {
		__atomic_or_fetch(&d->isr, VIRTIO_MMIO_INT_CONFIG, __ATOMIC_SEQ_CST);
		eventfd_write(d->irq_fd, 1);
	}
}

static void vdev_reset(struct vdev *d)
{
	if (d->active)
		d->ops->reset(d);
	d->active = false;
	for (unsigned int i = 0; i < d->queue_count; i++)
		vq_reset(&d->queues[i]);
	d->status = 0;
	d->driver_features = 0;
	d->device_features_sel = d->driver_features_sel = d->queue_sel = 0;
	__atomic_store_n(&d->isr, 0, __ATOMIC_SEQ_CST);
}

static void vdev_activate(struct vdev *d)
{
	if (d->active || !(d->status & VIRTIO_CONFIG_S_FEATURES_OK) ||
	    (d->status & VIRTIO_CONFIG_S_NEEDS_RESET))
		return;
	d->active = d->ops->activate(d) == 0;
	if (d->active)
		return;
	d->ops->reset(d); /* a part of it may have started */
	vdev_fail(d, "cannot start");
}

/* Bits are only ever added, but by a reset (§3.1). */
static void vdev_set_status(struct vdev *d, uint32_t value)
{
	uint32_t added = value & ~d->status & 0xff;

	if (value == 0) {
		vdev_reset(d);
		return;
	}
	if ((added & VIRTIO_CONFIG_S_FEATURES_OK) &&
	    ((d->driver_features & ~d->features) || !vdev_has(d, VIRTIO_F_VERSION_1)))
		added &= ~(uint32_t)VIRTIO_CONFIG_S_FEATURES_OK;
	d->status |= added & ~(uint32_t)VIRTIO_CONFIG_S_NEEDS_RESET;
	if (added & VIRTIO_CONFIG_S_DRIVER_OK)
		vdev_activate(d);
}

static void vdev_set_ready(struct vdev *d, struct vq *q, uint32_t value)
{
	if (!(value & 1)) {
		q->ready = false;
		return;
	}
	if (q->ready)
		return;
	if (vq_enable(q, d->mem, d->driver_features) < 0)
		vdev_fail(d, "bad queue address");
}

static void vdev_half(uint64_t *field, bool high, uint32_t value)
{
	unsigned int shift = high ? 32 : 0;

	*field = (*field & ~(0xffffffffULL << shift)) | (uint64_t)value << shift;
}

static uint32_t vdev_get_queue(const struct vdev *d, uint32_t offset)
{
	bool there = d->queue_sel < d->queue_count;

	if (offset == VIRTIO_MMIO_QUEUE_NUM_MAX)
		return there ? d->queue_size : 0;
	return there && d->queues[d->queue_sel].ready;
}

/* Queues are set up between FEATURES_OK, which settles their layout, and DRIVER_OK (§3.1.1). */
static void vdev_set_queue(struct vdev *d, uint32_t offset, uint32_t value)
{
	struct vq *q;

	if (d->queue_sel >= d->queue_count || !(d->status & VIRTIO_CONFIG_S_FEATURES_OK) ||
	    (d->status & VIRTIO_CONFIG_S_DRIVER_OK))
		return;
	q = &d->queues[d->queue_sel];
	if (offset == VIRTIO_MMIO_QUEUE_READY) {
		vdev_set_ready(d, q, value);
		return;
	}
	if (q->ready)
		return;
	switch (offset) {
	case VIRTIO_MMIO_QUEUE_NUM:
		q->size = value <= d->queue_size ? value : 0;
		break;
	case VIRTIO_MMIO_QUEUE_DESC_LOW:
	case VIRTIO_MMIO_QUEUE_DESC_HIGH:
		vdev_half(&q->desc_gpa, offset == VIRTIO_MMIO_QUEUE_DESC_HIGH, value);
		break;
	case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
	case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
		vdev_half(&q->avail_gpa, offset == VIRTIO_MMIO_QUEUE_AVAIL_HIGH, value);
		break;
	case VIRTIO_MMIO_QUEUE_USED_LOW:
	case VIRTIO_MMIO_QUEUE_USED_HIGH:
		vdev_half(&q->used_gpa, offset == VIRTIO_MMIO_QUEUE_USED_HIGH, value);
		break;
	}
}

static uint32_t vdev_get(struct vdev *d, uint32_t offset)
{
	switch (offset) {
	case VIRTIO_MMIO_MAGIC_VALUE:
		return VDEV_MAGIC;
	case VIRTIO_MMIO_VERSION:
		return VDEV_VERSION;
	case VIRTIO_MMIO_DEVICE_ID:
		return d->id;
	case VIRTIO_MMIO_VENDOR_ID:
		return VDEV_VENDOR;
	case VIRTIO_MMIO_DEVICE_FEATURES:
		return d->device_features_sel > 1
			       ? 0
			       : (uint32_t)(d->features >> (32 * d->device_features_sel));
	case VIRTIO_MMIO_QUEUE_NUM_MAX:
	case VIRTIO_MMIO_QUEUE_READY:
		return vdev_get_queue(d, offset);
	case VIRTIO_MMIO_STATUS:
		return d->status;
	case VIRTIO_MMIO_CONFIG_GENERATION:
		return 0; /* no configuration ever changes */
	}
	return offset >= VDEV_SHM_BASE && offset < VDEV_SHM_END ? UINT32_MAX : 0;
}

static void vdev_set(struct vdev *d, uint32_t offset, uint32_t value)
{
	switch (offset) {
	case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
		d->device_features_sel = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
		d->driver_features_sel = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES:
		if (!(d->status & VIRTIO_CONFIG_S_FEATURES_OK) && d->driver_features_sel < 2)
			vdev_half(&d->driver_features, d->driver_features_sel == 1, value);
		break;
	case VIRTIO_MMIO_QUEUE_SEL:
		d->queue_sel = value;
		break;
	case VIRTIO_MMIO_STATUS:
		vdev_set_status(d, value);
		break;
	default:
		vdev_set_queue(d, offset, value);
		break;
	}
}

void vdev_read(struct vdev *d, uint32_t offset, void *data, uint32_t len)
{
	uint32_t value;

	memset(data, 0, len);
	if (offset >= VIRTIO_MMIO_CONFIG) {
		offset -= VIRTIO_MMIO_CONFIG;
		if (offset < d->config_bytes)
			memcpy(data, (const uint8_t *)d->config + offset,
			       MIN(len, d->config_bytes - offset));
		return;
	}
	if (len != sizeof(value) || offset % sizeof(value))
		return;
	if (offset == VIRTIO_MMIO_INTERRUPT_STATUS) {
		value = __atomic_load_n(&d->isr, __ATOMIC_SEQ_CST);
		if (d->always_used)
			value |= VIRTIO_MMIO_INT_VRING;
	} else {
		pthread_mutex_lock(&d->lock);
		value = vdev_get(d, offset);
		pthread_mutex_unlock(&d->lock);
	}
	memcpy(data, &value, sizeof(value));
}

void vdev_write(struct vdev *d, uint32_t offset, const void *data, uint32_t len)
{
	uint32_t value;

	if (offset >= VIRTIO_MMIO_CONFIG || len != sizeof(value) || offset % sizeof(value))
		return;
	memcpy(&value, data, sizeof(value));
	if (offset == VIRTIO_MMIO_INTERRUPT_ACK) {
		__atomic_and_fetch(&d->isr, ~value, __ATOMIC_SEQ_CST);
		return;
	}
	if (offset == VIRTIO_MMIO_QUEUE_NOTIFY) {
		/* The ioeventfd took it, unless the value names no queue. */
		if (value < d->queue_count)
			eventfd_write(d->kick_fds[value], 1);
		return;
	}
	pthread_mutex_lock(&d->lock);
	vdev_set(d, offset, value);
	pthread_mutex_unlock(&d->lock);
}
