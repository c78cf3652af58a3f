/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts by descriptor (fsopen(2), move_mount(2), open_tree(2)): options are passed one by one, so
 * 127 layers need no page-sized string, and a target inside a container's tree is a descriptor that was
 * resolved with the container's root as the limit, never a path that a link could lead elsewhere.
 */
#ifndef GUEST_MNT_H
#define GUEST_MNT_H

#include <fcntl.h>
#include <linux/mount.h>

#include "base/err.h"

#define MNT_SAFE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/** mnt_open() - fsopen(). Return: a file system context or -errno */
int mnt_open(const char *fstype, struct err *e);

/** mnt_set() - Set an option; @value NULL for a flag. Return: 0 or -errno */
int mnt_set(int ctx, const char *key, const char *value, struct err *e);

/**
 * mnt_finish() - Make the mount
 * @ctx:   closed in any case
 * @attrs: MOUNT_ATTR_*
 * Return: a detached mount or -errno; @e has the kernel's own words if it said any.
 */
int mnt_finish(int ctx, unsigned int attrs, struct err *e);

/**
 * mnt_new() - The three above in one
 * @options: "key=value" or "flag", NULL-terminated; or NULL. "source=" comes first if at all, else it
 *           is the type's name
 */
int mnt_new(const char *fstype, const char *const *options, unsigned int attrs, struct err *e);

/** mnt_clone() - A detached bind mount of @path; "" is @dirfd itself. Return: mount or -errno */
int mnt_clone(int dirfd, const char *path, struct err *e);

/** mnt_set_attrs() - Add MOUNT_ATTR_* to a mount. Return: 0 or -errno */
int mnt_set_attrs(int mount_fd, unsigned int attrs, struct err *e);

/**
 * mnt_attach() - Put a detached mount onto @path under @dirfd; "" is @dirfd itself
 * @mount_fd: closed in any case; a negative one is passed on, so that calls can be nested
 * Return: 0 or -errno.
 */
int mnt_attach(int mount_fd, int dirfd, const char *path, struct err *e);

/** mnt_new_at() - mnt_new(), then mnt_attach() to an absolute @path that is made if need be */
int mnt_new_at(const char *path, const char *fstype, const char *const *options, unsigned int attrs,
	       struct err *e);

/** mnt_pivot() - Make the working directory the root and drop the old one. Return: 0 or -errno */
int mnt_pivot(struct err *e);

#endif
