/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths inside of what is not ours: a container's root, a volume. Every component is resolved by the
 * kernel with the tree as its limit (openat2(2)), so that neither a link nor a rename that happens
 * meanwhile leads elsewhere; what comes back is a descriptor, which cannot be exchanged any more.
 */
#ifndef GUEST_PATH_H
#define GUEST_PATH_H

#include <linux/openat2.h>
#include <sys/types.h>

#include "base/err.h"

enum path_scope {
	PATH_IN_ROOT = RESOLVE_IN_ROOT, /* the tree is "/" for the links in it */
	PATH_BENEATH = RESOLVE_BENEATH, /* a link that leads out of the tree is an error: -EXDEV */
};

/** path_open() - Open below @root. Return: a descriptor or -errno */
int path_open(int root, const char *path, enum path_scope scope, int flags);

/**
 * path_dir() - Open a folder below @root, making what is missing of the path
 * @mode: of folders that are made, whatever the umask is
 * Context: a process of one thread.
 * Return: an O_PATH descriptor or -errno.
 */
int path_dir(int root, const char *path, enum path_scope scope, mode_t mode, struct err *e);

/**
 * path_file() - Open a file of a container's root to mount upon
 * @path: absolute; folders are made, and anything else that has the file's name is replaced by a file
 * Return: a descriptor or -errno.
 */
int path_file(int root, const char *path, struct err *e);

#endif
