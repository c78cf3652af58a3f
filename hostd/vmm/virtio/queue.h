/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device side of a split virtqueue (virtio 1.2 §2.7).
 *
 * The driver is hostile until proven otherwise, and stays able to change ring and descriptors while
 * we look: an index or descriptor is read once into a local, checked, and only then used. A chain is
 * no longer than the table that it lies in, which ends loops, and has at most VQ_CHAIN_MAX buffers of
 * 4 GiB together. A ring that breaks the rules makes vq_pop() fail; the device then asks for a reset.
 */
#ifndef VMM_VIRTIO_QUEUE_H
#define VMM_VIRTIO_QUEUE_H

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "vmm/mem.h"

#define VQ_SIZE_MAX  256U
#define VQ_CHAIN_MAX 130

struct vq {
	/* set by the driver through the transport */
	uint32_t size;
	uint64_t desc_gpa, avail_gpa, used_gpa;
	bool ready;

	/* valid while ready */
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	bool event_idx, indirect;
	uint16_t next_avail, next_used;
	uint16_t signalled; /* next_used at the last interrupt decision */
};

/* One request: buffers that the device reads, then buffers that it writes. */
struct vq_chain {
	uint16_t head;
	unsigned int read_count, write_count;
	uint64_t total_bytes;
	struct iovec iov[VQ_CHAIN_MAX]; /* read_count readable ones, then the writable ones */
};

/**
 * vq_enable() - Check size and addresses and start at index 0
 * @features: what was negotiated; VIRTIO_RING_F_EVENT_IDX and _INDIRECT_DESC count
 * Return: 0; -EINVAL for a size that is no power of two in 1..VQ_SIZE_MAX or a misaligned part;
 *         -EFAULT for parts outside RAM.
 */
int vq_enable(struct vq *q, const struct gmem *m, uint64_t features);

/** vq_reset() - Forget all that the driver set */
void vq_reset(struct vq *q);

/**
 * vq_pop() - Take the next available chain
 * @c: filled in when 1 is returned
 * Return: 1; 0 when there is none; -EBADMSG when the driver broke the rules.
 */
int vq_pop(struct vq *q, const struct gmem *m, struct vq_chain *c);

/** vq_unpop() - The chain popped last is to come again: nothing of it was pushed */
void vq_unpop(struct vq *q);

/** vq_push() - Give a chain back; @written: bytes written from the first writable buffer on */
void vq_push(struct vq *q, uint16_t head, uint32_t written);

/** vq_wants_interrupt() - After pushes: whether the driver wants to hear of them */
bool vq_wants_interrupt(struct vq *q);

/**
 * vq_suppress() - Ask the driver for no notifications while the queue is being worked off
 * vq_rearm()    - Ask for them again; true: more came meanwhile, go on
 */
void vq_suppress(struct vq *q);
bool vq_rearm(struct vq *q);

#endif
