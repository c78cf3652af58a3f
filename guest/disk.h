/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pod's disks: layers on the first, read-only and one behind the other; scratch on the second, and behind
 * it the volumes that have a limit, each a file system of its own.
 *
 * The kernel has no parser for this: every layer is made a partition by ioctl and is mounted as EROFS
 * at DISK_LAYERS/N. A pod without a second disk keeps its changes in memory.
 */
#ifndef GUEST_DISK_H
#define GUEST_DISK_H

#include "base/err.h"
#include "proto/guest_msg.h"

#define DISK_LAYERS  "/layers"
#define DISK_SCRATCH "/scratch"

/** disk_mount() - Mount all layers and the scratch disk. Return: 0 or -errno */
int disk_mount(const struct guest_run *run, struct err *e);

/** disk_mount_volume() - Mount the volume of that number, which has an extent of its own. Return: 0 or -errno */
int disk_mount_volume(uint32_t volume, const char *path, struct err *e);

#endif
