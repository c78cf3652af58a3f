// SPDX-License-Identifier: Apache-2.0
/*
 * Device nodes are only usable on mounts without nodev. The container gets six of them, bound one by
 * one from a tmpfs that it cannot reach, and every mount that it can reach has nodev: so CAP_MKNOD,
 * which images expect to have, opens no disk. A privileged container gets what the VM has (devices.h).
 */
#include "rootfs.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "devices.h"
#include "disk.h"
#include "mnt.h"
#include "path.h"
#include "volume.h"

#define ROOTFS_AT    "/rootfs"
#define ROOTFS_NODES "/run/nodes"

struct node {
	const char *name;
	unsigned int major, minor;
};

static const struct node nodes[] = {
	{"null", 1, 3},	  {"zero", 1, 5},    {"full", 1, 7},
	{"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0},
};

static int mount_in(int root, const char *path, int mount_fd, struct err *e)
{
	_cleanup_fd_ int at = -1;

	if (mount_fd < 0)
		return mount_fd;
	at = path_dir(root, path, PATH_IN_ROOT, 0755, e);
	if (at < 0) {
		fd_close(mount_fd);
		return at;
	}
	return mnt_attach(mount_fd, at, "", e);
}

static int bind_file(int root, const char *path, const char *source, struct err *e)
{
	_cleanup_fd_ int at = path_file(root, path, e);

	return at < 0 ? at : mnt_attach(mnt_clone(AT_FDCWD, source, e), at, "", e);
}

/* Whether a higher layer of the list is the same: the lower one then changes nothing. */
static bool layer_repeated(const struct guest_container *c, uint32_t i)
{
	for (uint32_t j = i + 1; j < c->layer_count; j++)
		if (c->layers[j] == c->layers[i])
			return true;
	return false;
}

/* The root folder's owner and mode are those of the upper layer, which takes them from the image. */
static int make_upper(uint32_t index, const struct guest_container *c, char *upper, char *work,
		      size_t size, struct err *e)
{
	char dir[64], top[64];
	struct stat st;
	int r;

	snprintf(dir, sizeof(dir), DISK_SCRATCH "/c%u", index);
	snprintf(upper, size, "%s/upper", dir);
	snprintf(work, size, "%s/work", dir);
	snprintf(top, sizeof(top), DISK_LAYERS "/%u", c->layers[c->layer_count - 1]);
	r = file_remove_tree(AT_FDCWD, dir);
	if (r < 0)
		return err_sys(e, r, "clear %s", dir);
	if (mkdir(dir, 0700) < 0 || mkdir(upper, 0755) < 0 || mkdir(work, 0700) < 0 ||
	    stat(top, &st) < 0 || chown(upper, st.st_uid, st.st_gid) < 0 ||
	    chmod(upper, st.st_mode & 07777) < 0)
		return err_sys(e, -errno, "make %s", upper);
	return 0;
}

static int mount_overlay(uint32_t index, const struct guest_container *c, struct err *e)
{
	char upper[80], work[80], lower[64];
	int ctx, r = make_upper(index, c, upper, work, sizeof(upper), e);

	if (r < 0)
		return r;
	ctx = mnt_open("overlay", e);
	if (ctx < 0)
		return ctx;
	r = mnt_set(ctx, "source", "overlay", e);
	for (uint32_t i = c->layer_count; i > 0 && r == 0; i--) {
		if (layer_repeated(c, i - 1))
			continue;
		snprintf(lower, sizeof(lower), DISK_LAYERS "/%u", c->layers[i - 1]);
		r = mnt_set(ctx, "lowerdir+", lower, e);
	}
	if (r == 0)
		r = mnt_set(ctx, "upperdir", upper, e);
	if (r == 0)
		r = mnt_set(ctx, "workdir", work, e);
	/* The upper layer ends with the container: there is nothing to make durable. */
	if (r == 0)
		r = mnt_set(ctx, "volatile", NULL, e);
	if (r < 0) {
		fd_close(ctx);
		return r;
	}
	mkdir(ROOTFS_AT, 0700);
	return mnt_attach(mnt_finish(ctx, c->privileged ? 0 : MOUNT_ATTR_NODEV, e), AT_FDCWD,
			  ROOTFS_AT, e);
}

static int make_nodes(struct err *e)
{
	static const char *const options[] = {"mode=0755", "size=64k", NULL};
	int r = mnt_new_at(ROOTFS_NODES, "tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
			   e);
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(nodes) && r == 0; i++) {
		snprintf(path, sizeof(path), ROOTFS_NODES "/%s", nodes[i].name);
		if (mknod(path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) < 0 ||
		    chmod(path, 0666) < 0)
			r = err_sys(e, -errno, "make %s", path);
	}
	return r;
}

static int mount_dev(int root, const struct guest_container *c, int pts, struct err *e)
{
	static const char *const dev[] = {"mode=0755", "size=64k", NULL};
	static const char *const devpts[] = {"newinstance", "ptmxmode=0666", "mode=0620", "gid=5",
					     NULL};
	static const char *const links[][2] = {
		{"/proc/self/fd", "fd"},       {"/proc/self/fd/0", "stdin"},
		{"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"},
		{"pts/ptmx", "ptmx"},
	};
	_cleanup_fd_ int at = -1;
	char path[64], source[64];
	unsigned int attrs = MOUNT_ATTR_NOSUID | (c->privileged ? 0 : MOUNT_ATTR_NODEV);
	int r = mount_in(root, "/dev", mnt_new("tmpfs", dev, attrs, e), e);

	if (r == 0 && c->privileged) {
		_cleanup_fd_ int all = path_dir(root, "/dev", PATH_IN_ROOT, 0755, e);

		r = all < 0 ? all : devices_copy(all, e);
	}
	for (size_t i = 0; i < ARRAY_SIZE(nodes) && r == 0 && !c->privileged; i++) {
		snprintf(source, sizeof(source), ROOTFS_NODES "/%s", nodes[i].name);
		snprintf(path, sizeof(path), "/dev/%s", nodes[i].name);
		r = bind_file(root, path, source, e);
	}
	if (r == 0)
		r = mount_in(root, "/dev/pts",
			     mnt_new("devpts", devpts, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, e),
			     e);
	if (r == 0)
		r = mount_in(root, "/dev/mqueue", mnt_new("mqueue", NULL, MNT_SAFE, e), e);
	if (r == 0)
		r = mount_in(root, "/dev/shm", mnt_clone(AT_FDCWD, ROOTFS_SHM, e), e);
	if (r == 0 && pts >= 0) {
		snprintf(source, sizeof(source), "/dev/pts/%d", pts);
		r = bind_file(root, "/dev/console", source, e);
	}
	if (r < 0)
		return r;
	at = path_dir(root, "/dev", PATH_IN_ROOT, 0755, e);
	if (at < 0)
		return at;
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlinkat(links[i][0], at, links[i][1]) < 0)
			return err_sys(e, -errno, "link /dev/%s", links[i][1]);
	return 0;
}

/* As in the OCI runtimes' defaults: kernel internals are not for containers to read... */
static int mask_path(int root, const char *path, struct err *e)
{
	static const char *const options[] = {"size=0", "nr_inodes=2", NULL};
	_cleanup_fd_ int at = path_open(root, path, PATH_IN_ROOT, O_PATH | O_NOFOLLOW);
	struct stat st;

	if (at < 0 || fstat(at, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		return mnt_attach(mnt_new("tmpfs", options, MNT_SAFE | MOUNT_ATTR_RDONLY, e), at,
				  "", e);
	return mnt_attach(mnt_clone(AT_FDCWD, ROOTFS_NODES "/null", e), at, "", e);
}

/* ... and its settings not for them to write. */
static int protect_path(int root, const char *path, struct err *e)
{
	_cleanup_fd_ int at = path_open(root, path, PATH_IN_ROOT, O_PATH | O_NOFOLLOW);
	int copy, r;

	if (at < 0)
		return 0;
	copy = mnt_clone(at, "", e);
	if (copy < 0)
		return copy;
	r = mnt_set_attrs(copy, MNT_SAFE | MOUNT_ATTR_RDONLY, e);
	if (r < 0) {
		fd_close(copy);
		return r;
	}
	return mnt_attach(copy, at, "", e);
}

static int mount_kernel(int root, const struct guest_container *c, struct err *e)
{
	static const char *const masked[] = {
		"/proc/acpi",	    "/proc/asound",	 "/proc/interrupts",
		"/proc/kcore",	    "/proc/keys",	 "/proc/latency_stats",
		"/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
		"/proc/scsi",	    "/sys/firmware",	 "/sys/devices/virtual/powercap",
	};
	static const char *const protect[] = {
		"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
	};
	unsigned int attrs = MNT_SAFE | (c->privileged ? 0 : MOUNT_ATTR_RDONLY);
	int r = mount_in(root, "/proc", mnt_new("proc", NULL, MNT_SAFE, e), e);

	if (r == 0)
		r = mount_in(root, "/sys", mnt_new("sysfs", NULL, attrs, e), e);
	if (r == 0)
		r = mount_in(root, "/sys/fs/cgroup", mnt_new("cgroup2", NULL, attrs, e), e);
	if (c->privileged)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(masked) && r == 0; i++)
		r = mask_path(root, masked[i], e);
	for (size_t i = 0; i < ARRAY_SIZE(protect) && r == 0; i++)
		r = protect_path(root, protect[i], e);
	return r;
}

/* A container may have one of them from a volume. */
static int mount_etc(int root, const struct guest_container *c, struct err *e)
{
	static const char *const files[] = {"hosts", "hostname", "resolv.conf"};
	char path[64], source[64];
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(files) && r == 0; i++) {
		snprintf(path, sizeof(path), "/etc/%s", files[i]);
		if (volume_mounted(c, path))
			continue;
		snprintf(source, sizeof(source), ROOTFS_ETC "/%s", files[i]);
		r = bind_file(root, path, source, e);
	}
	return r;
}

/* Volumes come before what is mounted into /etc, in case that is one; they are protected when all is made. */
static int mount_volumes(int root, const struct guest_container *c, struct err *e)
{
	int *fds = mem_array(MAX(c->mount_count, 1U), sizeof(*fds)), r;

	for (uint32_t i = 0; i < c->mount_count; i++)
		fds[i] = -1;
	r = volume_mount_all(root, c, fds, e);
	if (r == 0)
		r = mount_etc(root, c, e);
	if (r == 0)
		r = volume_protect(c, fds, e);
	for (uint32_t i = 0; i < c->mount_count; i++)
		fd_close(fds[i]);
	free(fds);
	return r;
}

/*
 * The file lies beside the upper folder, where the container reaches nothing but it by this mount: so it can
 * be read when the container has gone, and a link in it leads nowhere.
 */
static void termination_path(uint32_t index, char *path, size_t size)
{
	snprintf(path, size, DISK_SCRATCH "/c%u/termination", index);
}

static int mount_termination(int root, uint32_t index, const char *at, struct err *e)
{
	_cleanup_fd_ int fd = -1;
	char source[64];

	if (at[strlen(at) - 1] == '/')
		return err_set(e, -EINVAL, "termination message path %s is a folder", at);
	termination_path(index, source, sizeof(source));
	fd = open(source, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	/* whoever the container's user is */
	if (fd < 0 || fchmod(fd, 0666) < 0)
		return err_sys(e, -errno, "make %s", source);
	return bind_file(root, at, source, e);
}

void *rootfs_read_termination(uint32_t index, uint32_t max, uint32_t *len)
{
	_cleanup_fd_ int fd = -1;
	char path[64];
	void *data;
	ssize_t n;

	*len = 0;
	termination_path(index, path, sizeof(path));
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	data = fd >= 0 ? malloc(max) : NULL;
	n = data ? pread(fd, data, max, 0) : 0;
	if (n <= 0) {
		free(data);
		return NULL;
	}
	*len = (uint32_t)n;
	return data;
}

int rootfs_enter(const struct guest_run *run, uint32_t index, int pts, struct err *e)
{
	const struct guest_container *c = &run->containers[index];
	_cleanup_fd_ int root = -1, cwd = -1;
	int r = mount_overlay(index, c, e);

	if (r < 0)
		return r;
	root = open(ROOTFS_AT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, -errno, "open the root");
	r = make_nodes(e);
	if (r == 0)
		r = mount_dev(root, c, pts, e);
	if (r == 0)
		r = mount_kernel(root, c, e);
	if (r == 0)
		r = mount_volumes(root, c, e);
	if (r == 0 && c->life.termination_path[0])
		r = mount_termination(root, index, c->life.termination_path, e);
	if (r < 0)
		return r;
	cwd = path_dir(root, c->cwd[0] ? c->cwd : "/", PATH_IN_ROOT, 0755, e);
	if (cwd < 0)
		return err_wrap(e, cwd, "working directory");
	if (c->read_only_root)
		r = mnt_set_attrs(root, MOUNT_ATTR_RDONLY, e);
	if (r == 0 && fchdir(root) < 0)
		return err_sys(e, -errno, "enter the root");
	if (r == 0)
		r = mnt_pivot(e);
	if (r == 0 && fchdir(cwd) < 0)
		r = err_sys(e, -errno, "enter the working directory");
	return r;
}

int rootfs_open_ptmx(pid_t pid, struct err *e)
{
	_cleanup_fd_ int root = -1, place = -1;
	char path[64];
	struct statfs fs;
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, -errno, "open the container's root");
	place = path_open(root, "/dev/pts/ptmx", PATH_IN_ROOT, O_PATH | O_NOFOLLOW);
	if (place < 0)
		return err_sys(e, place, "open the container's /dev/pts/ptmx");
	if (fstatfs(place, &fs) < 0 || fstat(place, &st) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC ||
	    !S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2))
		return err_set(e, -ENODEV, "the container's /dev/pts/ptmx is no terminal");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", place);
	fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? err_sys(e, -errno, "open a terminal of the container") : fd;
}
