// SPDX-License-Identifier: Apache-2.0
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#define FILE_CHUNK     16384
#define FILE_DEPTH_MAX 128

int fd_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return -1;
}

int fd_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

int fd_pipe(int *ours, int *theirs, bool we_write)
{
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	r = fd_nonblock(fds[we_write]);
	if (r < 0) {
		fd_close(fds[0]);
		fd_close(fds[1]);
		return r;
	}
	*ours = fds[we_write];
	*theirs = fds[!we_write];
	return 0;
}

int fd_read_full(int fd, void *data, size_t len)
{
	char *p = data;

	while (len) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int fd_write_full(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int file_read(int dirfd, const char *path, struct buf *b, struct err *e)
{
	_cleanup_fd_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int r;

	if (fd < 0)
		return err_sys(e, -errno, "open %s", path);
	do {
		r = buf_reserve(b, FILE_CHUNK);
		if (r == -E2BIG)
			r = buf_reserve(b, 1);
		if (r < 0)
			return err_sys(e, r, "read %s", path);
		n = read(fd, b->data + b->len, MIN(b->size - b->len - 1, (size_t)FILE_CHUNK));
		if (n < 0 && errno != EINTR)
			return err_sys(e, -errno, "read %s", path);
		if (n > 0)
			b->len += (size_t)n;
		b->data[b->len] = '\0';
	} while (n);
	return 0;
}

static int file_write_temp(int dirfd, const char *temp, const void *data, size_t len, mode_t mode)
{
	_cleanup_fd_ int fd = -1;
	int r;

	fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	if (fchmod(fd, mode) < 0)
		return -errno;
	r = fd_write_full(fd, data, len);
	if (r < 0)
		return r;
	return fsync(fd) < 0 ? -errno : 0;
}

int file_write(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
	       struct err *e)
{
	char temp[PATH_MAX];
	int r;

	if (snprintf(temp, sizeof(temp), "%s.tmp", path) >= (int)sizeof(temp))
		return err_set(e, -ENAMETOOLONG, "write %s", path);
	r = file_write_temp(dirfd, temp, data, len, mode);
	if (r == 0 && renameat(dirfd, temp, dirfd, path) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dirfd, temp, 0);
		return err_sys(e, r, "write %s", path);
	}
	return 0;
}

int file_mkdirs(const char *path, mode_t mode)
{
	char part[PATH_MAX];

	if (str_copy(part, sizeof(part), path) < 0)
		return -ENAMETOOLONG;
	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(part, mode) < 0 && errno != EEXIST && errno != EROFS)
			return -errno;
		*p = '/';
	}
	if (mkdir(part, mode) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

static int file_remove_at(int dirfd, const char *path, dev_t dev, int depth);

static int file_remove_children(int fd, dev_t dev, int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *ent;
	int r = 0, first = 0;

	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	while ((ent = readdir(dir))) {
		if (str_eq(ent->d_name, ".") || str_eq(ent->d_name, ".."))
			continue;
		r = file_remove_at(fd, ent->d_name, dev, depth + 1);
		if (r < 0 && !first)
			first = r;
	}
	closedir(dir);
	return first;
}

static int file_remove_at(int dirfd, const char *path, dev_t dev, int depth)
{
	struct stat st;
	int fd, r;

	if (depth > FILE_DEPTH_MAX)
		return -ELOOP;
	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(st.st_mode))
		return unlinkat(dirfd, path, 0) < 0 && errno != ENOENT ? -errno : 0;
	if (depth > 0 && st.st_dev != dev)
		return -EXDEV;
	fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = file_remove_children(fd, st.st_dev, depth);
	if (unlinkat(dirfd, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return r < 0 ? r : -errno;
	return 0;
}

int file_remove_tree(int dirfd, const char *path)
{
	return file_remove_at(dirfd, path, 0, 0);
}

int fd_send(int sock, const void *data, size_t len, const int *fds, size_t count)
{
	union {
		struct cmsghdr align;
		char data[CMSG_SPACE(sizeof(int) * FD_PASS_MAX)];
	} control = {0};
	struct iovec iov = {.iov_base = (void *)(size_t)data, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (count > FD_PASS_MAX)
		return -EINVAL;
	if (count) {
		struct cmsghdr *c;

		msg.msg_control = control.data;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * count);
	}
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EMSGSIZE;
}

static int fd_recv_rights(struct msghdr *msg, int *fds, size_t max, size_t *count)
{
	int surplus = 0;

	*count = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (*count < max)
				fds[(*count)++] = fd;
			else
				surplus = -fd_close(fd);
		}
	}
	return surplus || (msg->msg_flags & MSG_CTRUNC) ? -EPROTO : 0;
}

ssize_t fd_recv(int sock, void *data, size_t size, int *fds, size_t max, size_t *count)
{
	union {
		struct cmsghdr align;
		char data[CMSG_SPACE(sizeof(int) * FD_PASS_MAX)];
	} control;
	struct iovec iov = {.iov_base = data, .iov_len = size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.data};
	ssize_t n;
	int r;

	msg.msg_controllen = sizeof(control.data);
	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		*count = 0;
		return -errno;
	}
	r = fd_recv_rights(&msg, fds, max, count);
	if (r == 0 && (msg.msg_flags & MSG_TRUNC))
		r = -EMSGSIZE;
	if (r < 0) {
		while (*count)
			fd_close(fds[--*count]);
		return r;
	}
	return n;
}
