// SPDX-License-Identifier: Apache-2.0
#include "path.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "proto/guest_msg.h"

#define PATH_TRIES 64 /* the kernel gives up when others rename within the tree at the same time */

int path_open(int root, const char *path, enum path_scope scope, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = (uint64_t)scope | RESOLVE_NO_MAGICLINKS,
	};
	int fd = -1;

	for (int i = 0; i < PATH_TRIES; i++) {
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd < 0 ? -errno : fd;
}

static int path_mkdir(int dir, const char *name, mode_t mode)
{
	mode_t old = umask(0);
	int r = mkdirat(dir, name, mode) < 0 ? -errno : 0;

	umask(old);
	return r;
}

int path_dir(int root, const char *path, enum path_scope scope, mode_t mode, struct err *e)
{
	_cleanup_fd_ int dir = path_open(root, ".", scope, O_PATH | O_DIRECTORY);
	char prefix[GUEST_PATH_LEN_MAX + 1];
	const char *p = path;
	int fd = dir;

	while (*p && fd >= 0) {
		const char *name = p + strspn(p, "/");
		size_t end;

		p = name + strcspn(name, "/");
		end = (size_t)(p - path);
		if (name == p)
			break;
		if (end >= sizeof(prefix))
			return err_sys(e, -ENAMETOOLONG, "%s", path);
		memcpy(prefix, path, end);
		prefix[end] = '\0';
		fd = path_open(root, prefix, scope, O_PATH | O_DIRECTORY);
		if (fd == -ENOENT && path_mkdir(dir, prefix + (name - path), mode) == 0)
			fd = path_open(root, prefix, scope, O_PATH | O_DIRECTORY);
		if (fd >= 0) {
			fd_close(dir);
			dir = fd;
		}
	}
	return fd < 0 ? err_sys(e, fd, "%s", path) : take_fd(&dir);
}

int path_file(int root, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char dir[GUEST_PATH_LEN_MAX + 1];
	_cleanup_fd_ int parent = -1, fd = -1;
	size_t len = (size_t)(name - path);
	struct stat st;

	if (len >= sizeof(dir))
		return err_sys(e, -ENAMETOOLONG, "%s", path);
	memcpy(dir, path, len);
	dir[len] = '\0';
	parent = path_dir(root, dir, PATH_IN_ROOT, 0755, e);
	if (parent < 0)
		return parent;
	fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return take_fd(&fd);
	fd = fd_close(fd);
	if (unlinkat(parent, name, 0) < 0 && errno != ENOENT)
		return err_sys(e, -errno, "replace %s", path);
	fd = openat(parent, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return fd < 0 ? err_sys(e, -errno, "make %s", path) : take_fd(&fd);
}
