/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a process gives up what it does not need. hostd starts its workers as root, since only root
 * can make the namespaces; each worker takes these steps itself, in this order, before it looks at
 * anything foreign.
 */
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * sandbox_empty_root() - Make an empty, read-only folder the only one that can be seen
 *
 * The caller must be in a mount namespace of its own (unshare(CLONE_NEWNS)). Open descriptors go on
 * working.
 *
 * Return: 0 or -errno.
 */
int sandbox_empty_root(void);

/* A file or folder that stays to be seen, under its own path */
struct sandbox_bind {
	const char *path; /* absolute */
	bool writable;
	bool optional; /* may be missing */
};

/**
 * sandbox_root() - Make a root folder in which there is nothing but @binds
 *
 * As sandbox_empty_root(); symbolic links in the paths are followed before.
 *
 * Return: 0 or -errno.
 */
int sandbox_root(const struct sandbox_bind *binds, size_t count);

/**
 * sandbox_identity() - Become @uid and @gid for ever
 *
 * No supplementary groups, no capabilities (bounding and ambient set too), no new privileges by exec.
 *
 * Return: 0 or -errno, then the process must end.
 */
int sandbox_identity(uid_t uid, gid_t gid);

/**
 * sandbox_landlock() - Open no path, use no TCP port, signal nobody outside, for ever
 *
 * For the calling thread and what it starts later; what is open stays so. Needs no_new_privs. A kernel
 * without Landlock, or with less of it, does less: this is a second wall, not the first.
 *
 * Return: 0 or -errno.
 * Source: Linux Documentation/userspace-api/landlock.rst, up to ABI 6.
 */
int sandbox_landlock(void);

/** sandbox_limit() - Set both limits of a resource (RLIMIT_…). Return: 0 or -errno */
int sandbox_limit(int resource, unsigned long value);

#endif
