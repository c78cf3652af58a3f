// SPDX-License-Identifier: Apache-2.0
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "mnt.h"

#define DISK_LAYERS_DEVICE  "/dev/vda"
#define DISK_SCRATCH_DEVICE "/dev/vdb"

/* Partitions of the second disk, when it has any */
#define DISK_SCRATCH_PART   1
#define DISK_VOLUME_PART(i) ((i) + 2)

static int disk_add_partition(int disk, uint32_t number, uint64_t offset_bytes, uint64_t size_bytes,
			      struct err *e)
{
	struct blkpg_partition part = {
		.start = (long long)offset_bytes,
		.length = (long long)size_bytes,
		.pno = (int)number,
	};
	struct blkpg_ioctl_arg arg = {
		.op = BLKPG_ADD_PARTITION,
		.datalen = sizeof(part),
		.data = &part,
	};

	if (ioctl(disk, BLKPG, &arg) < 0)
		return err_sys(e, -errno, "make partition %u", number);
	return 0;
}

static int disk_mount_layer(uint32_t i, struct err *e)
{
	char source[64], path[64];
	const char *const options[] = {source, "ro", NULL};
	int r;

	snprintf(source, sizeof(source), "source=" DISK_LAYERS_DEVICE "%u", i + 1);
	snprintf(path, sizeof(path), DISK_LAYERS "/%u", i);
	r = mnt_new_at(path, "erofs", options, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, e);
	return r < 0 ? err_wrap(e, r, "layer %u", i) : 0;
}

static int disk_mount_ext4(const char *device, const char *path, struct err *e)
{
	char source[64];
	const char *const options[] = {source, NULL};

	snprintf(source, sizeof(source), "source=%s", device);
	return mnt_new_at(path, "ext4", options, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME, e);
}

/* A partition keeps the whole disk from being mounted: with the first volume, scratch is one, too. */
static int disk_divide(const struct guest_run *run, bool *divided, struct err *e)
{
	uint64_t scratch_bytes = UINT64_MAX;
	_cleanup_fd_ int disk = -1;
	int r = 0;

	for (uint32_t i = 0; i < run->volume_count && r == 0; i++) {
		const struct guest_volume *v = &run->volumes[i];

		if (v->kind != GUEST_VOLUME_DISK || !v->size_bytes)
			continue;
		if (disk < 0)
			disk = open(DISK_SCRATCH_DEVICE, O_RDONLY | O_CLOEXEC);
		if (disk < 0)
			return err_sys(e, -errno, "open " DISK_SCRATCH_DEVICE);
		scratch_bytes = MIN(scratch_bytes, v->offset_bytes);
		r = disk_add_partition(disk, DISK_VOLUME_PART(i), v->offset_bytes, v->size_bytes,
				       e);
		if (r < 0)
			return err_wrap(e, r, "volume %u", i);
	}
	*divided = disk >= 0;
	return *divided ? disk_add_partition(disk, DISK_SCRATCH_PART, 0, scratch_bytes, e) : 0;
}

static int disk_mount_scratch(const struct guest_run *run, struct err *e)
{
	static const char *const memory[] = {"mode=0700", NULL};
	bool divided = false;
	int r = disk_divide(run, &divided, e);

	if (r < 0)
		return r;
	if (access(DISK_SCRATCH_DEVICE, F_OK) < 0)
		return mnt_new_at(DISK_SCRATCH, "tmpfs", memory, MOUNT_ATTR_NODEV, e);
	return disk_mount_ext4(divided ? DISK_SCRATCH_DEVICE "1" : DISK_SCRATCH_DEVICE,
			       DISK_SCRATCH, e);
}

int disk_mount_volume(uint32_t volume, const char *path, struct err *e)
{
	char device[64];

	snprintf(device, sizeof(device), DISK_SCRATCH_DEVICE "%u", DISK_VOLUME_PART(volume));
	return disk_mount_ext4(device, path, e);
}

int disk_mount(const struct guest_run *run, struct err *e)
{
	_cleanup_fd_ int disk = -1;
	int r = 0;

	if (mkdir(DISK_LAYERS, 0700) < 0 && errno != EEXIST)
		return err_sys(e, -errno, "make " DISK_LAYERS);
	disk = open(DISK_LAYERS_DEVICE, O_RDONLY | O_CLOEXEC);
	if (disk < 0)
		return err_sys(e, -errno, "open " DISK_LAYERS_DEVICE);
	for (uint32_t i = 0; i < run->layer_count && r == 0; i++) {
		r = disk_add_partition(disk, i + 1, run->layers[i].offset_bytes,
				       run->layers[i].size_bytes, e);
		if (r < 0)
			return err_wrap(e, r, "layer %u", i);
		r = disk_mount_layer(i, e);
	}
	return r < 0 ? r : disk_mount_scratch(run, e);
}
