/* SPDX-License-Identifier: Apache-2.0 */
/* Files and descriptors: whole reads and writes, atomic replacement, passing descriptors. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

#define FD_PASS_MAX 253 /* SCM_MAX_FD of Linux */

/** fd_close() - Close unless negative; keeps errno; always returns -1: `x->fd = fd_close(x->fd)` */
int fd_close(int fd);

/** fd_nonblock() - Set O_NONBLOCK. Return: 0 or -errno */
int fd_nonblock(int fd);

/**
 * fd_pipe() - A pipe between us and a process: our end does not block; close-on-exec both
 * @we_write: ours is the end to write to
 * Return: 0; -errno, and nothing is changed.
 */
int fd_pipe(int *ours, int *theirs, bool we_write);

/** fd_read_full() - Read exactly @len bytes. Return: 0; -ENODATA at an early end; -errno */
int fd_read_full(int fd, void *data, size_t len);

/** fd_write_full() - Write all @len bytes to a blocking descriptor. Return: 0 or -errno */
int fd_write_full(int fd, const void *data, size_t len);

/**
 * file_read() - Append a whole file to @b, up to the buffer's cap
 * @dirfd: folder that @path is relative to, or AT_FDCWD
 * Return: 0; -E2BIG beyond the cap; -errno, the path in @e.
 */
int file_read(int dirfd, const char *path, struct buf *b, struct err *e);

/**
 * file_write() - Replace a file's content atomically (temporary file, fsync, rename)
 * @mode: permission bits of the new file
 * Return: 0 or -errno, the path in @e.
 */
int file_write(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
	       struct err *e);

/** file_mkdirs() - Make a folder and its parents; an existing one is fine. Return: 0 or -errno */
int file_mkdirs(const char *path, mode_t mode);

/**
 * file_remove_tree() - Remove a folder or file and all below it; follows no link, crosses no mount
 * Return: 0, also when nothing was there; -errno.
 */
int file_remove_tree(int dirfd, const char *path);

/**
 * fd_send() - Send one message with descriptors over a UNIX socket (SCM_RIGHTS)
 * @count: 0..FD_PASS_MAX
 * Return: 0 or -errno; nothing is closed.
 */
int fd_send(int sock, const void *data, size_t len, const int *fds, size_t count);

/**
 * fd_recv() - Receive one message and its descriptors (CLOEXEC)
 * @fds:   room for @max descriptors; surplus ones are closed and -EPROTO is returned
 * @count: set to the number received
 * Return: bytes received, 0 at end of stream, or -errno (-EMSGSIZE when it was cut).
 */
ssize_t fd_recv(int sock, void *data, size_t size, int *fds, size_t max, size_t *count);

#endif
