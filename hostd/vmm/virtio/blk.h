/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-blk over a list of files (virtio 1.2 §5.2).
 *
 * One thread a disk sleeps on the queue's eventfd and serves requests in order with preadv/pwritev,
 * so reads of shared layers come straight from the host's page cache into the guest. Offsets inside
 * an extent that lie behind the file's end read as zeros.
 *
 * A write for which the host has no room is left in the queue and tried again, for BLK_FULL_MAX_NS at most: hostd
 * makes room meanwhile, and a guest that waits loses nothing.
 */
#ifndef VMM_VIRTIO_BLK_H
#define VMM_VIRTIO_BLK_H

#include <linux/virtio_blk.h>

#include "proto/vm_counters.h"
#include "proto/vm_spec.h"
#include "vmm/virtio/limit.h"
#include "vmm/virtio/mmio.h"

#define BLK_FULL_WAIT_NS ((uint64_t)200 * 1000 * 1000)
#define BLK_FULL_MAX_NS	 ((uint64_t)60 * 1000 * 1000 * 1000)

struct blk_extent {
	int fd;
	uint64_t start_bytes; /* place on the disk */
	uint64_t file_bytes;
};

struct blk {
	struct vdev dev;
	struct virtio_blk_config config;
	bool readonly;
	char serial[VM_SERIAL_MAX];
	uint64_t size_bytes;
	unsigned int extent_count;
	const struct blk_extent *extents; /* ascending, without gaps but for the alignment */
	struct limit *limit; /* NULL: none */
	struct vq_chain chain; /* the request in hand */
	uint64_t full_since_ns; /* monotonic: since when the host has no room for a write; 0: it has */
	struct vm_counters_disk *counters, own; /* @own unless somebody wants to see them */
};

/**
 * blk_init() - Set up from a checked specification
 * @disk:    one of spec->disks
 * @extents: room for disk->extent_count, kept while the device lives
 * @fds:     the passed descriptors
 */
void blk_init(struct blk *b, const struct gmem *m, const struct vm_spec *spec,
	      const struct vm_disk *disk, struct blk_extent *extents, const int *fds);

/**
 * blk_serve() - Serve what is in the queue, if the device is active. The device's thread
 * Return: nanoseconds to wait before the next call, as the limit or a full host says
 */
uint64_t blk_serve(struct blk *b);

/** blk_run() - The device thread's body: wait, serve, for ever */
_Noreturn void blk_run(struct blk *b);

#endif
