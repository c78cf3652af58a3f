/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pod's volumes, each at VOLUME_DIR/N in PID 1's view, and their mounts in the containers.
 *
 * A volume outlives its containers' restarts. What a container gets is a bind mount, nodev but as a
 * kubelet's neither nosuid nor noexec. Contents are the containers' own: a subPath is resolved with the volume as
 * its limit, and each time anew when a container starts, so that no link that another one put there leads out.
 */
#ifndef GUEST_VOLUME_H
#define GUEST_VOLUME_H

#include "base/err.h"
#include "proto/guest_msg.h"

#define VOLUME_DIR	"/volumes"
#define VOLUME_PATH_MAX 32

/** volume_set_up() - Make all volumes of the pod; disks are mounted already. Return: 0 or -errno */
int volume_set_up(const struct guest_run *run, struct err *e);

/** volume_make_files() - Mount the tmpfs of a FILES volume unless it is there. Return: an open folder or -errno */
int volume_make_files(uint32_t volume, struct err *e);

/** volume_path() - Where a volume is mounted in PID 1's view. Return: @path */
char *volume_path(uint32_t volume, char path[VOLUME_PATH_MAX]);

/** volume_mounted() - Whether a container mounts a volume at exactly @path */
bool volume_mounted(const struct guest_container *c, const char *path);

/**
 * volume_mount_all() - Mount a container's volumes below @root, all of them still writable
 * @fds: room for c->mount_count descriptors, for volume_protect(); the caller initialises them to -1 and closes them
 * Context: the container's process in its own mount namespace.
 * Return: 0 or -errno.
 */
int volume_mount_all(int root, const struct guest_container *c, int *fds, struct err *e);

/** volume_protect() - Make those read-only that are to be, when nothing is to be made in them any more */
int volume_protect(const struct guest_container *c, const int *fds, struct err *e);

#endif
