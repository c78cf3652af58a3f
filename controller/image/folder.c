// SPDX-License-Identifier: Apache-2.0
/*
 * One image in a folder. Only files that have a checksum beside them belong to it; a folder that
 * somebody filled by hand may lack the checksums of kernel and initramfs, which are then made.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

#define SUM_MAX	   512
#define COPY_BYTES ((size_t)256 << 10)

static int open_dir(int dirfd, const char *name, struct err *e)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, -errno, "open %s", name) : fd;
}

static int open_file(int dir, const char *name, uint64_t *size_bytes)
{
	_cleanup_fd_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0)
		return -EINVAL;
	if ((uint64_t)st.st_size > IMAGE_BYTES_MAX)
		return -EFBIG;
	*size_bytes = (uint64_t)st.st_size;
	return take_fd(&fd);
}

static int add_file(int dir, const char *name, struct image_info *info, struct err *e)
{
	struct image_file *f = &info->files[info->file_count];
	struct buf sum = BUF_INIT(SUM_MAX);
	char path[IMAGE_NAME_MAX + 16];
	int fd, r;

	if (image_file(info, name))
		return 0;
	if (info->file_count == IMAGE_FILES_MAX)
		return err_set(e, -E2BIG, "more than %d files", IMAGE_FILES_MAX);
	*f = (struct image_file){.size_bytes = 0};
	(void)str_copy(f->name, sizeof(f->name), name);
	fd = open_file(dir, name, &f->size_bytes);
	if (fd < 0)
		return err_sys(e, fd, "%s", name);
	fd_close(fd);
	snprintf(path, sizeof(path), "%s" SUM_SUFFIX, name);
	r = file_read(dir, path, &sum, NULL);
	if (r == 0 && image_sum_parse(buf_str(&sum), name, f->sha256) < 0)
		r = err_set(e, -EBADMSG, "%s is not as sha256sum writes it", path);
	else if (r < 0 && r != -ENOENT)
		err_sys(e, r, "%s", path);
	buf_done(&sum);
	if (r < 0 && r != -ENOENT)
		return r;
	info->file_count++;
	return 0;
}

int folder_read(int dirfd, const char *name, struct image_info *info, struct err *e)
{
	_cleanup_fd_ int dir = open_dir(dirfd, name, e);
	const struct dirent *ent;
	struct stat st;
	int r = 0, again;
	DIR *list;

	if (dir < 0)
		return dir;
	info->file_count = 0;
	info->added_s = fstat(dir, &st) == 0 ? (uint64_t)st.st_mtime : 0;
	for (size_t i = 0; i < IMAGE_PARTS && r == 0; i++)
		r = add_file(dir, image_parts[i], info, e);
	again = r < 0 ? -1 : dup(dir);
	list = again < 0 ? NULL : fdopendir(again);
	while (list && r == 0 && (ent = readdir(list))) {
		char file[IMAGE_NAME_MAX];

		if (!str_ends(ent->d_name, SUM_SUFFIX) ||
		    str_copy(file, sizeof(file), ent->d_name) < 0)
			continue;
		file[strlen(file) - strlen(SUM_SUFFIX)] = '\0';
		if (image_name_valid(file) && !str_starts(file, IMAGE_MEDIA))
			r = add_file(dir, file, info, e);
	}
	if (list)
		closedir(list);
	if (r == 0 && image_bytes(info) > IMAGE_BYTES_MAX)
		r = err_set(e, -EFBIG, "larger than %llu bytes",
			    (unsigned long long)IMAGE_BYTES_MAX);
	return r;
}

/* Reads a file whole, checks it, and writes it to @to unless that is -1. */
static int pass_file(int from, int to, const char *name, char sha256[65], uint64_t size_bytes,
		     struct err *e)
{
	_cleanup_free_ char *piece = mem_alloc(COPY_BYTES);
	struct digest *d = digest_new();
	uint64_t done = 0;
	char hex[65];
	int r = 0;

	while (r == 0) {
		ssize_t n = read(from, piece, COPY_BYTES);

		if (n <= 0) {
			r = n < 0 ? -errno : 0;
			break;
		}
		done += (uint64_t)n;
		digest_add(d, piece, (size_t)n);
		if (done > size_bytes) /* somebody writes to it */
			r = -EAGAIN;
		else if (to >= 0)
			r = fd_write_full(to, piece, (size_t)n);
	}
	digest_end(d, hex);
	digest_free(d);
	if (r == 0 && to >= 0 && fsync(to) < 0)
		r = -errno;
	if (r < 0)
		return err_sys(e, r, "%s", name);
	if (*sha256 && !str_eq(hex, sha256))
		return err_set(e, -EBADMSG, "%s: the checksum is %s, not %s", name, hex, sha256);
	memcpy(sha256, hex, sizeof(hex));
	return 0;
}

int folder_check(int dirfd, const char *name, struct image_info *info, struct err *e)
{
	_cleanup_fd_ int dir = open_dir(dirfd, name, e);
	int r = dir < 0 ? dir : 0;

	for (size_t i = 0; i < info->file_count && r == 0; i++) {
		struct image_file *f = &info->files[i];
		_cleanup_fd_ int fd = open_file(dir, f->name, &f->size_bytes);

		r = fd < 0 ? err_sys(e, fd, "%s", f->name)
			   : pass_file(fd, -1, f->name, f->sha256, f->size_bytes, e);
	}
	return r;
}

int folder_copy(int from_dirfd, const char *from, int to_dirfd, const char *to,
		const struct image_info *info, struct err *e)
{
	_cleanup_fd_ int dir = open_dir(from_dirfd, from, e), out = -1;
	int r = dir < 0 ? dir : 0;

	if (r == 0 && mkdirat(to_dirfd, to, 0700) < 0)
		r = err_sys(e, -errno, "make %s", to);
	if (r == 0)
		r = out = open_dir(to_dirfd, to, e);
	for (size_t i = 0; i < info->file_count && r >= 0; i++) {
		struct image_file f = info->files[i];
		_cleanup_fd_ int in = open_file(dir, f.name, &f.size_bytes);
		_cleanup_fd_ int copy =
			openat(out, f.name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

		if (in < 0 || copy < 0)
			r = err_sys(e, in < 0 ? in : -errno, "copy %s", f.name);
		else
			r = pass_file(in, copy, f.name, f.sha256, f.size_bytes, e);
	}
	return r < 0 ? r : 0;
}

int folder_seal(int dirfd, const char *name, const struct image_info *info, struct err *e)
{
	_cleanup_fd_ int dir = open_dir(dirfd, name, e);
	int r = dir < 0 ? dir : 0;

	for (size_t i = 0; i < info->file_count && r == 0; i++) {
		const struct image_file *f = &info->files[i];
		char path[IMAGE_NAME_MAX + 16], line[IMAGE_NAME_MAX + 80];
		int n = snprintf(line, sizeof(line), "%s  %s\n", f->sha256, f->name);

		snprintf(path, sizeof(path), "%s" SUM_SUFFIX, f->name);
		r = file_write(dir, path, line, (size_t)n, 0600, e);
	}
	if (r == 0 && fsync(dir) < 0)
		r = err_sys(e, -errno, "sync %s", name);
	return r;
}
