// SPDX-License-Identifier: Apache-2.0
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "mnt.h"

#define DISK_LAYERS_DEVICE  "/dev/vda"
#define DISK_SCRATCH_DEVICE "/dev/vdb"

static int disk_add_partition(int disk, uint32_t i, const struct guest_layer *l, struct err *e)
{
	struct blkpg_partition part = {
		.start = (long long)l->offset_bytes,
		.length = (long long)l->size_bytes,
		.pno = (int)i + 1,
	};
	struct blkpg_ioctl_arg arg = {
		.op = BLKPG_ADD_PARTITION,
		.datalen = sizeof(part),
		.data = &part,
	};

	if (ioctl(disk, BLKPG, &arg) < 0)
		return err_sys(e, -errno, "layer %u: make a partition", i);
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

static int disk_mount_scratch(struct err *e)
{
	static const char *const ext4[] = {"source=" DISK_SCRATCH_DEVICE, NULL};
	static const char *const memory[] = {"mode=0700", NULL};

	if (access(DISK_SCRATCH_DEVICE, F_OK) < 0)
		return mnt_new_at(DISK_SCRATCH, "tmpfs", memory, MOUNT_ATTR_NODEV, e);
	return mnt_new_at(DISK_SCRATCH, "ext4", ext4, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME, e);
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
		r = disk_add_partition(disk, i, &run->layers[i], e);
		if (r == 0)
			r = disk_mount_layer(i, e);
	}
	return r < 0 ? r : disk_mount_scratch(e);
}

void disk_unmount(const struct guest_run *run)
{
	char path[64];

	sync();
	mnt_detach(DISK_SCRATCH);
	for (uint32_t i = 0; i < run->layer_count; i++) {
		snprintf(path, sizeof(path), DISK_LAYERS "/%u", i);
		mnt_detach(path);
	}
	sync();
}
