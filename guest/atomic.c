// SPDX-License-Identifier: Apache-2.0
/*
 * The generation is the folder's name, so the state is in the folder alone. A write that failed leaves
 * at most a folder behind that nothing points to; the next write of that generation removes it.
 */
#include "atomic.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define ATOMIC_DATA	"..data"
#define ATOMIC_NEW	"..data_tmp"
#define ATOMIC_NAME_MAX 32

#define ATOMIC_DIR_MODE	 0755
#define ATOMIC_DIR_GROUP (S_ISGID | 0550)
#define ATOMIC_GROUP	 0440

/* @mode without the group's bits, which are added where there is one. */
static int atomic_own(int fd, uint32_t uid, uint32_t group, mode_t mode, mode_t group_mode)
{
	bool grouped = group != GUEST_NO_ID;

	if ((uid || grouped) && fchown(fd, uid, grouped ? group : (gid_t)-1) < 0)
		return -errno;
	return fchmod(fd, grouped ? mode | group_mode : mode) < 0 ? -errno : 0;
}

static int atomic_own_dir(int dir, const char *path, uint32_t group)
{
	_cleanup_fd_ int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : atomic_own(fd, 0, group, ATOMIC_DIR_MODE, ATOMIC_DIR_GROUP);
}

static int atomic_make_parents(int dir, const char *path, uint32_t group)
{
	char prefix[GUEST_PATH_LEN_MAX + 1];

	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		int r;

		memcpy(prefix, path, (size_t)(p - path));
		prefix[p - path] = '\0';
		if (mkdirat(dir, prefix, ATOMIC_DIR_MODE) < 0) {
			if (errno != EEXIST)
				return -errno;
			continue;
		}
		r = atomic_own_dir(dir, prefix, group);
		if (r < 0)
			return r;
	}
	return 0;
}

static int atomic_write_file(int dir, const struct guest_file *f, uint32_t group)
{
	_cleanup_fd_ int fd = -1;
	int r = atomic_make_parents(dir, f->path, group);

	if (r < 0)
		return r;
	fd = openat(dir, f->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = fd_write_full(fd, f->data, f->len);
	return r < 0 ? r : atomic_own(fd, f->uid, group, f->mode, ATOMIC_GROUP);
}

static int atomic_fill(int dir, const char *name, const struct guest_files *m, struct err *e)
{
	_cleanup_fd_ int fd = -1;
	int r = file_remove_tree(dir, name);

	if (r == 0 && mkdirat(dir, name, ATOMIC_DIR_MODE) < 0)
		r = -errno;
	if (r == 0)
		r = atomic_own_dir(dir, name, m->group);
	if (r < 0)
		return err_sys(e, r, "make %s", name);
	fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, -errno, "open %s", name);
	for (uint32_t i = 0; i < m->count; i++) {
		r = atomic_write_file(fd, &m->files[i], m->group);
		if (r < 0)
			return err_sys(e, r, "write %s", m->files[i].path);
	}
	return 0;
}

/* Whether a name in the folder is the first component of a file's path */
static bool atomic_is_top(const struct guest_files *m, const char *name)
{
	size_t len = strlen(name);

	for (uint32_t i = 0; i < m->count; i++)
		if (strncmp(m->files[i].path, name, len) == 0 &&
		    (!m->files[i].path[len] || m->files[i].path[len] == '/'))
			return true;
	return false;
}

/* What users see: a link for each first component. One that is there points to ..data already. */
static int atomic_link(int dir, const struct guest_files *m)
{
	char name[GUEST_NAME_MAX + 1], target[GUEST_NAME_MAX + sizeof(ATOMIC_DATA "/")];

	for (uint32_t i = 0; i < m->count; i++) {
		size_t len = strcspn(m->files[i].path, "/");

		memcpy(name, m->files[i].path, len);
		name[len] = '\0';
		snprintf(target, sizeof(target), ATOMIC_DATA "/%s", name);
		if (symlinkat(target, dir, name) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static void atomic_unlink_stale(int dir, const struct guest_files *m)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!d) {
		fd_close(fd);
		return;
	}
	/* A folder that is no link is the place of another mount. */
	while ((entry = readdir(d)))
		if (entry->d_type == DT_LNK && !str_starts(entry->d_name, "..") &&
		    !atomic_is_top(m, entry->d_name))
			unlinkat(dir, entry->d_name, 0);
	closedir(d);
}

static int atomic_switch(int dir, const char *name)
{
	if (unlinkat(dir, ATOMIC_NEW, 0) < 0 && errno != ENOENT)
		return -errno;
	if (symlinkat(name, dir, ATOMIC_NEW) < 0)
		return -errno;
	return renameat(dir, ATOMIC_NEW, dir, ATOMIC_DATA) < 0 ? -errno : 0;
}

int atomic_write(int dir, const struct guest_files *files, struct err *e)
{
	char name[ATOMIC_NAME_MAX], old[ATOMIC_NAME_MAX];
	ssize_t n = readlinkat(dir, ATOMIC_DATA, old, sizeof(old) - 1);
	int r;

	old[MAX(n, 0)] = '\0';
	snprintf(name, sizeof(name), "..%016llx", (unsigned long long)files->generation);
	if (str_eq(name, old))
		return 0;
	r = atomic_own_dir(dir, ".", files->group);
	if (r < 0)
		return err_sys(e, r, "change a volume's folder");
	r = atomic_fill(dir, name, files, e);
	if (r == 0) {
		r = atomic_switch(dir, name);
		if (r < 0)
			err_sys(e, r, "exchange a volume's files");
	}
	if (r < 0) {
		file_remove_tree(dir, name);
		return r;
	}
	r = atomic_link(dir, files);
	atomic_unlink_stale(dir, files);
	if (*old)
		file_remove_tree(dir, old);
	return r < 0 ? err_sys(e, r, "link a volume's files") : 0;
}
