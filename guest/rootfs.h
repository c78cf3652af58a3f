/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's file system, built by the container's own process in its own mount namespace: the
 * image's layers below a fresh upper layer, what the OCI runtime specification wants mounted
 * (config-linux.md, "Default Filesystems"), and the pod's files in /etc.
 *
 * The layers come from an image: every path inside is resolved with openat2(RESOLVE_IN_ROOT), so that
 * a link in the image leads nowhere but into the image.
 */
#ifndef GUEST_ROOTFS_H
#define GUEST_ROOTFS_H

#include <sys/types.h>

#include "base/err.h"
#include "proto/guest_msg.h"

#define ROOTFS_ETC "/run/etc" /* hosts, hostname, resolv.conf of the pod */
#define ROOTFS_SHM "/run/shm" /* /dev/shm of all its containers */

/**
 * rootfs_enter() - Build the file system of container @index and make it this process's root
 * @pts: number of the terminal in /dev/pts that becomes /dev/console, or -1
 * Context: the container's process in new mount and pid namespaces, still root.
 * Return: 0 or -errno; the working directory is then the container's.
 */
int rootfs_enter(const struct guest_run *run, uint32_t index, int pts, struct err *e);

/**
 * rootfs_read_termination() - What the container @index left in its termination message file
 * @len: set to the bytes of it, at most @max
 * Context: PID 1, when the container has ended.
 * Return: to be freed; NULL when there is nothing.
 */
void *rootfs_read_termination(uint32_t index, uint32_t max, uint32_t *len);

/**
 * rootfs_open_ptmx() - Open a new terminal of a container's own /dev/pts
 * @pid: a process of the container
 * Return: the end for us, non-blocking; -errno. What is there instead of it is never opened.
 */
int rootfs_open_ptmx(pid_t pid, struct err *e);

#endif
