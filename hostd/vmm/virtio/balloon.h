/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-balloon for one purpose: free page reporting (virtio 1.2 §5.5.6.8).
 *
 * The guest names large ranges that it does not use, the host takes their pages back; a later touch
 * gets a fresh one. The balloon itself is never inflated: the host asks for nothing, so memory that a
 * pod was promised stays promised.
 */
#ifndef VMM_VIRTIO_BALLOON_H
#define VMM_VIRTIO_BALLOON_H

#include <linux/virtio_balloon.h>

#include "vmm/virtio/mmio.h"

struct balloon {
	struct vdev dev;
	struct virtio_balloon_config config; /* all zero: nothing is wanted */
	struct vq_chain chain;
	uint64_t given_back_bytes; /* to the host */
};

/* Queues, in the order in which Linux numbers those that exist; the first two are never used. */
enum balloon_queue {
	BALLOON_INFLATE,
	BALLOON_DEFLATE,
	BALLOON_REPORTING,
	BALLOON_QUEUES,
};

/** balloon_init() - Set up */
void balloon_init(struct balloon *b, const struct gmem *m);

/** balloon_serve() - Take back what was reported, if the device is active. The device's thread */
void balloon_serve(struct balloon *b);

/** balloon_fd() - Readable (eventfd) when there is something to serve */
int balloon_fd(const struct balloon *b);

#endif
