// SPDX-License-Identifier: Apache-2.0
#include "volume.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "disk.h"
#include "mnt.h"
#include "path.h"

#define VOLUME_MODE	  0777 /* as an emptyDir's */
#define VOLUME_GROUP_MODE (S_ISGID | 0770)

char *volume_path(uint32_t volume, char path[VOLUME_PATH_MAX])
{
	snprintf(path, VOLUME_PATH_MAX, VOLUME_DIR "/%u", volume);
	return path;
}

static int volume_dir(void)
{
	return mkdir(VOLUME_DIR, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int volume_make_files(uint32_t volume, struct err *e)
{
	static const char *const options[] = {"mode=0755", NULL};
	char path[VOLUME_PATH_MAX];
	int fd, r = volume_dir();

	if (r < 0)
		return err_sys(e, r, "make " VOLUME_DIR);
	if (access(volume_path(volume, path), F_OK) < 0)
		r = mnt_new_at(path, "tmpfs", options, MOUNT_ATTR_NODEV, e);
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, -errno, "open %s", path) : fd;
}

static int volume_make_memory(const char *path, uint64_t size_bytes, struct err *e)
{
	char size[32];
	const char *const options[] = {size, NULL};

	snprintf(size, sizeof(size), "size=%llu", (unsigned long long)size_bytes);
	return mnt_new_at(path, "tmpfs", size_bytes ? options : NULL, MOUNT_ATTR_NODEV, e);
}

static int volume_make_disk(uint32_t i, const struct guest_volume *v, const char *path,
			    struct err *e)
{
	char folder[VOLUME_PATH_MAX];
	int copy;

	if (v->size_bytes)
		return disk_mount_volume(i, path, e);
	snprintf(folder, sizeof(folder), DISK_SCRATCH "/v%u", i);
	if (mkdir(folder, 0700) < 0 || mkdir(path, 0700) < 0)
		return err_sys(e, -errno, "make %s", folder);
	copy = mnt_clone(AT_FDCWD, folder, e);
	return mnt_attach(copy, AT_FDCWD, path, e);
}

static int volume_own(const char *path, uint32_t group)
{
	bool grouped = group != GUEST_NO_ID;

	if (grouped && chown(path, (uid_t)-1, group) < 0)
		return -errno;
	return chmod(path, grouped ? VOLUME_MODE | VOLUME_GROUP_MODE : VOLUME_MODE) < 0 ? -errno
											: 0;
}

static int volume_make(const struct guest_run *run, uint32_t i, struct err *e)
{
	const struct guest_volume *v = &run->volumes[i];
	char path[VOLUME_PATH_MAX];
	int r = 0;

	volume_path(i, path);
	switch (v->kind) {
	case GUEST_VOLUME_FILES:
		r = volume_make_files(i, e);
		fd_close(r);
		return MIN(r, 0);
	case GUEST_VOLUME_MEMORY:
		r = volume_make_memory(path, v->size_bytes, e);
		break;
	case GUEST_VOLUME_DISK:
		r = volume_make_disk(i, v, path, e);
		break;
	}
	if (r < 0)
		return r;
	r = volume_own(path, run->fs_group);
	return r < 0 ? err_sys(e, r, "change %s", path) : 0;
}

int volume_set_up(const struct guest_run *run, struct err *e)
{
	int r = run->volume_count ? volume_dir() : 0;

	for (uint32_t i = 0; i < run->volume_count && r == 0; i++)
		r = volume_make(run, i, e);
	return r < 0 ? err_wrap(e, r, "volumes") : 0;
}

bool volume_mounted(const struct guest_container *c, const char *path)
{
	for (uint32_t i = 0; i < c->mount_count; i++)
		if (str_eq(c->mounts[i].path, path))
			return true;
	return false;
}

/* What of the volume is mounted: a folder or a file. What is missing becomes a folder as the volume is one. */
static int volume_source(const struct guest_mount *m, struct err *e)
{
	char path[VOLUME_PATH_MAX];
	_cleanup_fd_ int root =
		open(volume_path(m->volume, path), O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int fd;

	if (root < 0 || fstat(root, &st) < 0)
		return err_sys(e, -errno, "open %s", path);
	if (!m->sub_path[0])
		return take_fd(&root);
	fd = path_open(root, m->sub_path, PATH_BENEATH, O_PATH);
	if (fd == -ENOENT)
		fd = path_dir(root, m->sub_path, PATH_BENEATH, st.st_mode & 07777, NULL);
	if (fd == -EXDEV)
		return err_set(e, fd, "subPath %s leads out of the volume", m->sub_path);
	return fd < 0 ? err_sys(e, fd, "subPath %s", m->sub_path) : fd;
}

/* Where it is mounted. What is there already must be of the same kind, as the OCI runtimes have it. */
static int volume_target(int root, const char *path, bool is_dir, struct err *e)
{
	_cleanup_fd_ int fd = -1;
	struct stat st;

	if (is_dir)
		return path_dir(root, path, PATH_IN_ROOT, 0755, e);
	fd = path_open(root, path, PATH_IN_ROOT, O_PATH);
	if (fd < 0)
		return path_file(root, path, e);
	if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode))
		return err_set(e, -EISDIR, "a file of the volume cannot be mounted on a folder");
	return take_fd(&fd);
}

/* A link of the image may lead there: what is masked in it must stay so. */
static bool volume_in_proc(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) < 0 || fs.f_type == PROC_SUPER_MAGIC;
}

static int volume_mount(int root, const struct guest_mount *m, int *kept, struct err *e)
{
	_cleanup_fd_ int source = volume_source(m, e), target = -1, copy = -1;
	struct stat st;

	if (source < 0)
		return source;
	if (fstat(source, &st) < 0)
		return err_sys(e, -errno, "stat");
	target = volume_target(root, m->path, S_ISDIR(st.st_mode), e);
	if (target < 0)
		return target;
	if (volume_in_proc(target))
		return err_set(e, -EPERM, "nothing can be mounted in /proc");
	copy = mnt_clone(source, "", e);
	if (copy < 0)
		return copy;
	*kept = fcntl(copy, F_DUPFD_CLOEXEC, 3);
	if (*kept < 0)
		return err_sys(e, -errno, "keep a mount");
	return mnt_attach(take_fd(&copy), target, "", e);
}

int volume_mount_all(int root, const struct guest_container *c, int *fds, struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; i < c->mount_count && r == 0; i++) {
		r = volume_mount(root, &c->mounts[i], &fds[i], e);
		if (r < 0)
			err_wrap(e, r, "mount at %s", c->mounts[i].path);
	}
	return r;
}

int volume_protect(const struct guest_container *c, const int *fds, struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; i < c->mount_count && r == 0; i++)
		if (c->mounts[i].read_only)
			r = mnt_set_attrs(fds[i], MOUNT_ATTR_RDONLY, e);
	return r;
}
