// SPDX-License-Identifier: Apache-2.0
/* musl has no wrappers for the newer mount calls, so they are made by number. */
#include "mnt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

#define MNT_OPTION_MAX	256
#define MNT_DETACH_FLAG 2 /* MNT_DETACH of umount2(2) */
#define MNT_AT_EMPTY	0x1000 /* AT_EMPTY_PATH */

int mnt_open(const char *fstype, struct err *e)
{
	int fd = (int)syscall(SYS_fsopen, fstype, FSOPEN_CLOEXEC);

	return fd < 0 ? err_sys(e, -errno, "mount %s", fstype) : fd;
}

/* The kernel queues messages like "e overlay: ..." on the context. */
static int mnt_fail(int ctx, int code, const char *what, struct err *e)
{
	char msg[ERR_MSG_MAX];
	ssize_t n = read(ctx, msg, sizeof(msg) - 1);

	if (n <= 2)
		return err_sys(e, code, "mount: %s", what);
	msg[n] = '\0';
	return err_sys(e, code, "mount: %s: %s", what, str_trim(msg + 2));
}

int mnt_set(int ctx, const char *key, const char *value, struct err *e)
{
	int cmd = value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

	if (syscall(SYS_fsconfig, ctx, cmd, key, value, 0) < 0)
		return mnt_fail(ctx, -errno, key, e);
	return 0;
}

int mnt_finish(int ctx, unsigned int attrs, struct err *e)
{
	int fd, r = 0;

	if (syscall(SYS_fsconfig, ctx, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		r = mnt_fail(ctx, -errno, "create", e);
	fd = r < 0 ? -1 : (int)syscall(SYS_fsmount, ctx, FSMOUNT_CLOEXEC, attrs);
	if (r == 0 && fd < 0)
		r = mnt_fail(ctx, -errno, "fsmount", e);
	fd_close(ctx);
	return r < 0 ? r : fd;
}

int mnt_new(const char *fstype, const char *const *options, unsigned int attrs, struct err *e)
{
	int ctx = mnt_open(fstype, e), r = ctx < 0 ? ctx : 0;

	if (r == 0 && !(options && *options && str_starts(*options, "source=")))
		r = mnt_set(ctx, "source", fstype, e);
	for (; r == 0 && options && *options; options++) {
		char key[MNT_OPTION_MAX], *value;

		r = str_copy(key, sizeof(key), *options);
		value = strchr(key, '=');
		if (value)
			*value++ = '\0';
		if (r == 0)
			r = mnt_set(ctx, key, value, e);
	}
	if (r == 0)
		r = mnt_finish(ctx, attrs, e);
	else
		fd_close(ctx);
	return r < 0 ? err_wrap(e, r, "%s", fstype) : r;
}

int mnt_clone(int dirfd, const char *path, struct err *e)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (path[0] ? 0 : MNT_AT_EMPTY);
	int fd = (int)syscall(SYS_open_tree, dirfd, path, flags);

	return fd < 0 ? err_sys(e, -errno, "bind %s", path) : fd;
}

int mnt_set_attrs(int mount_fd, unsigned int attrs, struct err *e)
{
	struct mount_attr attr = {.attr_set = attrs};

	if (syscall(SYS_mount_setattr, mount_fd, "", MNT_AT_EMPTY, &attr, sizeof(attr)) < 0)
		return err_sys(e, -errno, "change a mount");
	return 0;
}

int mnt_attach(int mount_fd, int dirfd, const char *path, struct err *e)
{
	unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH | (path[0] ? 0 : MOVE_MOUNT_T_EMPTY_PATH);
	int r = mount_fd;

	if (mount_fd < 0)
		return r;
	r = syscall(SYS_move_mount, mount_fd, "", dirfd, path, flags) < 0 ? -errno : 0;
	fd_close(mount_fd);
	return r < 0 ? err_sys(e, r, "mount onto %s", path[0] ? path : "a folder") : 0;
}

int mnt_new_at(const char *path, const char *fstype, const char *const *options, unsigned int attrs,
	       struct err *e)
{
	int r;

	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_sys(e, -errno, "make %s", path);
	r = mnt_attach(mnt_new(fstype, options, attrs, e), AT_FDCWD, path, e);
	return r < 0 ? err_wrap(e, r, "%s", path) : 0;
}

int mnt_pivot(struct err *e)
{
	/* With "." twice the old root lies on top of the new one and is then taken off. */
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return err_sys(e, -errno, "change the root");
	if (syscall(SYS_umount2, ".", MNT_DETACH_FLAG) < 0)
		return err_sys(e, -errno, "drop the old root");
	return chdir("/") < 0 ? err_sys(e, -errno, "enter the new root") : 0;
}
