// SPDX-License-Identifier: Apache-2.0
/*
 * Nodes of its own, not devtmpfs itself: there is only one of that, and what a container makes or removes
 * in its /dev is no other's business. As with any engine, devices that come later are not seen.
 */
#include "devices.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

static int devices_copy_folder(const char *from, int to, struct err *e)
{
	DIR *dir = opendir(from);
	const struct dirent *d;
	struct stat st;
	int r = 0;

	if (!dir)
		return errno == ENOENT ? 0 : err_sys(e, -errno, "open %s", from);
	while (r == 0 && (d = readdir(dir))) {
		if (str_eq(d->d_name, "ptmx") || /* the container has its own terminals */
		    fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !(S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
			continue;
		if (mknodat(to, d->d_name, st.st_mode, st.st_rdev) < 0 ||
		    fchmodat(to, d->d_name, st.st_mode & 07777, 0) < 0)
			r = err_sys(e, -errno, "make %s/%s", from, d->d_name);
	}
	closedir(dir);
	return r;
}

int devices_copy(int to, struct err *e)
{
	static const char *const folders[][2] = {{"/dev/net", "net"}, {"/dev/mapper", "mapper"}};
	int r = devices_copy_folder("/dev", to, e);

	for (size_t i = 0; i < ARRAY_SIZE(folders) && r == 0; i++) {
		_cleanup_fd_ int sub = -1;

		if (access(folders[i][0], F_OK) < 0)
			continue;
		if (mkdirat(to, folders[i][1], 0755) == 0)
			sub = openat(to, folders[i][1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (sub < 0)
			return err_sys(e, -errno, "make %s", folders[i][0]);
		r = devices_copy_folder(folders[i][0], sub, e);
	}
	return r;
}
