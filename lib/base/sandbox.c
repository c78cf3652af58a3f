// SPDX-License-Identifier: Apache-2.0
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

#define SANDBOX_BINDS_MAX   16
#define SANDBOX_MOUNT_POINT "/tmp" /* any folder; covered only in our own mount namespace */

/* Makes an empty file or folder at @path below the mount point, with its parents */
static int sandbox_make_target(char *path, bool folder)
{
	size_t skip = strlen(SANDBOX_MOUNT_POINT) + 1;
	int fd;

	for (char *slash = strchr(path + skip, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	if (folder)
		return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : close(fd);
}

/* @source: O_PATH, opened before the mount point covered what may have been there */
static int sandbox_bind(const struct sandbox_bind *bind, int source)
{
	char from[32], to[PATH_MAX];
	unsigned long flags = MS_BIND | MS_REMOUNT | MS_NOSUID | (bind->writable ? 0 : MS_RDONLY);
	struct stat st;
	int r;

	if (fstat(source, &st) < 0)
		return -errno;
	snprintf(from, sizeof(from), "/proc/self/fd/%d", source);
	if (snprintf(to, sizeof(to), SANDBOX_MOUNT_POINT "%s", bind->path) >= (int)sizeof(to))
		return -ENAMETOOLONG;
	r = sandbox_make_target(to, S_ISDIR(st.st_mode));
	if (r < 0)
		return r;
	if (!S_ISCHR(st.st_mode))
		flags |= MS_NODEV;
	if (mount(from, to, NULL, MS_BIND, NULL) < 0 || mount(NULL, to, NULL, flags, NULL) < 0)
		return -errno;
	return 0;
}

int sandbox_root(const struct sandbox_bind *binds, size_t count)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	int sources[SANDBOX_BINDS_MAX], r = 0;

	if (count > SANDBOX_BINDS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < count; i++) {
		sources[i] = open(binds[i].path, O_PATH | O_CLOEXEC);
		if (sources[i] < 0 && !(binds[i].optional && errno == ENOENT))
			return -errno; /* the process ends: nothing is closed here */
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("root", SANDBOX_MOUNT_POINT, "tmpfs", flags, "size=64k,nr_inodes=128,mode=0755") <
		    0)
		return -errno;
	for (size_t i = 0; i < count && r == 0; i++)
		if (sources[i] >= 0)
			r = sandbox_bind(&binds[i], sources[i]);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		if (sources[i] >= 0)
			close(sources[i]);
	if (mount(NULL, SANDBOX_MOUNT_POINT, NULL, MS_REMOUNT | MS_RDONLY | flags, NULL) < 0)
		return -errno;
	/* The new root is stacked on the old one and then uncovered by taking that away. */
	if (chdir(SANDBOX_MOUNT_POINT) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}

int sandbox_empty_root(void)
{
	return sandbox_root(NULL, 0);
}

int sandbox_identity(uid_t uid, gid_t gid)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}, {0}};

	for (unsigned long cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL)
			return -errno;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	if (syscall(SYS_capset, &head, none) < 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

/* As the newest kernel has it; an older one takes the part that it knows. */
struct sandbox_ruleset {
	uint64_t fs, net, scoped;
};

int sandbox_landlock(void)
{
	/* Rights to paths by ABI: 13, and «refer», «truncate», «ioctl» */
	static const uint8_t fs_bits[] = {0, 13, 14, 15, 15, 16, 16};
	struct sandbox_ruleset rules = {0};
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1U /* ask for the ABI */);
	size_t size = sizeof(rules.fs);
	int fd, r;

	if (abi < 1)
		return abi == 0 || errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	rules.fs = (1ULL << fs_bits[MIN((size_t)abi, ARRAY_SIZE(fs_bits) - 1)]) - 1;
	if (abi >= 4) {
		rules.net = 3; /* bind, connect */
		size = offsetof(struct sandbox_ruleset, scoped);
	}
	if (abi >= 6) {
		rules.scoped = 3; /* abstract UNIX sockets, signals */
		size = sizeof(rules);
	}
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0U);
	if (fd < 0)
		return -errno;
	r = syscall(SYS_landlock_restrict_self, fd, 0U) < 0 ? -errno : 0;
	close(fd);
	return r;
}

int sandbox_limit(int resource, unsigned long value)
{
	const struct rlimit limit = {.rlim_cur = value, .rlim_max = value};

	return setrlimit(resource, &limit) < 0 ? -errno : 0;
}
