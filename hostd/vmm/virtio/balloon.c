// SPDX-License-Identifier: Apache-2.0
#include "vmm/virtio/balloon.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "base/mem.h"

#define BALLOON_QUEUE_SIZE 32U /* as many ranges as Linux reports at once */

/*
 * Buffers are pages that the driver gave up until it gets the chain back. Only whole pages of ours
 * are dropped; what lay over RAM from a file comes back as the file's bytes, which is as good as
 * any: the content of a reported page is undefined.
 */
static void balloon_drop(struct balloon *b, const struct vq_chain *c)
{
	for (unsigned int i = c->read_count; i < c->read_count + c->write_count; i++) {
		uintptr_t start = (uintptr_t)c->iov[i].iov_base, end = start + c->iov[i].iov_len;

		start = (start + GMEM_PAGE - 1) & ~(uintptr_t)(GMEM_PAGE - 1);
		end &= ~(uintptr_t)(GMEM_PAGE - 1);
		if (start >= end)
			continue;
		madvise((void *)start, end - start, MADV_DONTNEED);
		b->given_back_bytes += end - start;
	}
}

void balloon_serve(struct balloon *b)
{
	struct vdev *d = &b->dev;
	struct vq *q = &d->queues[BALLOON_REPORTING];
	/* Then the thread looks at its signals: a driver that reports for ever must not keep it. */
	unsigned int left = BALLOON_QUEUE_SIZE;
	int r = 0;

	pthread_mutex_lock(&d->lock);
	while (left && d->active && q->ready && (r = vq_pop(q, d->mem, &b->chain)) > 0) {
		left--;
		balloon_drop(b, &b->chain);
		vq_push(q, b->chain.head, 0);
		if (vq_wants_interrupt(q))
			vdev_interrupt(d);
	}
	if (r > 0)
		eventfd_write(d->kick_fds[BALLOON_REPORTING], 1);
	if (r < 0) {
		d->active = false;
		vdev_fail(d, "bad report");
	}
	pthread_mutex_unlock(&d->lock);
}

int balloon_fd(const struct balloon *b)
{
	return b->dev.kick_fds[BALLOON_REPORTING];
}

static int balloon_activate(struct vdev *d)
{
	(void)d; /* a driver that takes no reporting leaves the third queue alone */
	return 0;
}

static void balloon_reset(struct vdev *d)
{
	(void)d; /* the lock is held: nothing is in hand */
}

static const struct vdev_ops balloon_ops = {.activate = balloon_activate, .reset = balloon_reset};

void balloon_init(struct balloon *b, const struct gmem *m)
{
	struct vdev *d = &b->dev;

	d->ops = &balloon_ops;
	d->name = "balloon";
	d->id = VIRTIO_ID_BALLOON;
	d->features = 1ULL << VIRTIO_BALLOON_F_REPORTING | 1ULL << VIRTIO_RING_F_INDIRECT_DESC;
	d->config = &b->config;
	d->config_bytes = sizeof(b->config);
	d->queue_count = BALLOON_QUEUES;
	d->queue_size = BALLOON_QUEUE_SIZE;
	vdev_init(d, m);
}
