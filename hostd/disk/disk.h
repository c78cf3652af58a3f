/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pod's disks: one read-only disk whose extents are the image's layers, one private scratch disk, and behind
 * the scratch file system, on the same disk, one for each volume that has a limit of its own.
 *
 * Layers are EROFS files made elsewhere (oci/); here they are only opened and measured, so that the
 * VMM gets descriptors and never a path. The scratch disk is a sparse file with an ext4 file system
 * on it, made by libext2fs: what the guest never writes costs nothing.
 */
#ifndef DISK_DISK_H
#define DISK_DISK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DISK_LAYERS_MAX	 256 /* of all images of one pod together */
#define DISK_VOLUMES_MAX 64
#define DISK_ALIGN	 4096
#define DISK_SCRATCH_MIN ((uint64_t)16 << 20)
#define DISK_SCRATCH_MAX ((uint64_t)1 << 40)

struct disk_extent {
	int fd;
	uint64_t offset_bytes; /* where it begins on the disk; a multiple of DISK_ALIGN */
	uint64_t size_bytes; /* of the file rounded up to DISK_ALIGN; reads behind the file's end give zeros */
};

struct disk_plan {
	struct disk_extent layers[DISK_LAYERS_MAX];
	size_t layer_count;
	int scratch_fd; /* read-write */
	uint64_t scratch_bytes;
};

/* One ext4 file system; size 0: there is none */
struct disk_part {
	uint64_t offset_bytes, size_bytes;
	uint64_t limit_bytes; /* how much can be written; 0: all that fits */
};

struct disk_scratch {
	struct disk_part scratch; /* offset 0 */
	struct disk_part volumes[DISK_VOLUMES_MAX];
	size_t count;
	uint64_t size_bytes; /* of the whole disk */
};

/**
 * disk_scratch_layout() - Where everything lies on the private disk
 * @scratch_bytes: DISK_SCRATCH_MIN to DISK_SCRATCH_MAX, rounded down to DISK_ALIGN
 * @limits:        of @count volumes, bytes; 0: no file system of its own. More than @scratch_bytes is as much
 * Return: 0; -EINVAL; -E2BIG for more than DISK_VOLUMES_MAX.
 */
int disk_scratch_layout(uint64_t scratch_bytes, const uint64_t *limits, size_t count,
			struct disk_scratch *s, struct err *e);

/**
 * disk_scratch_create() - Make the private disk of a pod
 * @path: file that is made or replaced; lies on a file system that can do sparse files
 *
 * The file systems have no journal: they die with the pod.
 *
 * Return: 0; -errno, nothing is left behind.
 */
int disk_scratch_create(const char *path, const struct disk_scratch *s, struct err *e);

/**
 * disk_plan_open() - Open what a pod's VM needs
 * @layers: paths of EROFS files, in the order in which the guest numbers them
 * @count:  1..DISK_LAYERS_MAX
 * @plan:   filled in on success; release with disk_plan_done()
 *
 * Return: 0; -EBADMSG when a layer has no EROFS superblock; -errno with the path.
 */
int disk_plan_open(const char *const *layers, size_t count, const char *scratch,
		   struct disk_plan *plan, struct err *e);

/** disk_plan_done() - Close all descriptors; may be repeated */
void disk_plan_done(struct disk_plan *plan);

#endif
