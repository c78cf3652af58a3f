// SPDX-License-Identifier: Apache-2.0
/*
 * Every boot begins with a new file system: what a host had there is scratch of pods that are gone, and images that it would have
 * to trust although somebody else may have had the disk in hand. So no file system is ever read that this boot did not
 * make, none needs a check, and none a journal.
 */
#include "storage/prepare.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "storage/label.h"
#include "storage/look.h"

#define PREPARE_HEAD	   ((size_t)1 << 20) /* of the partition: zeros, where superblocks would be */
#define PREPARE_DISCARD	   ((uint64_t)64 << 30)
#define PREPARE_DISCARD_MS 20000
#define PREPARE_FLAGS	   (MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME)

int prepare_measure(int fd, struct prepare_disk *d, struct err *e)
{
	int sector = 0;

	if (ioctl(fd, BLKGETSIZE64, &d->size_bytes) < 0 || ioctl(fd, BLKSSZGET, &sector) < 0)
		return err_sys(e, -errno, "measure it");
	d->sector_bytes = (uint32_t)sector;
	return 0;
}

int prepare_open(const char *disk, struct err *e)
{
	char path[PREPARE_PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", disk);
	fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC);
	if (fd < 0 && errno == EBUSY)
		return err_set(e, -EBUSY, "it is in use");
	return fd < 0 ? err_sys(e, -errno, "open %s", path) : fd;
}

/* The kernel's name of a disk's only partition */
static int prepare_part_name(const char *disk, char *name, size_t size, struct err *e)
{
	_cleanup_free_ char *path = mem_printf("/sys/class/block/%s", disk);
	const struct dirent *entry;
	DIR *dir = opendir(path);
	int r = -ENOENT;

	if (!dir)
		return err_sys(e, -errno, "%s", path);
	while (r < 0 && (entry = readdir(dir)))
		if (str_starts(entry->d_name, disk) && entry->d_name[strlen(disk)])
			r = str_copy(name, size, entry->d_name);
	closedir(dir);
	return r < 0 ? err_set(e, r, "the kernel does not see its partition") : 0;
}

/* Makes sure that the disk has our label. Return: 0 or -errno */
static int prepare_label(const struct prepare_config *c, struct err *e)
{
	_cleanup_fd_ int fd = prepare_open(c->disk, e);
	struct prepare_disk d;
	struct look look;
	int r = fd < 0 ? fd : prepare_measure(fd, &d, e);

	if (r < 0)
		return r;
	look_at(fd, d.size_bytes, d.sector_bytes, c->fleet, &look);
	if (look.state == LOOK_OURS)
		return 0;
	if (look.state != LOOK_EMPTY)
		return err_set(e, look.state == LOOK_UNREADABLE ? -EIO : -EPERM, "%s: %s",
			       look_name(look.state), look.holds);
	r = label_write(fd, d.size_bytes, d.sector_bytes, c->fleet, e);
	if (r == 0 && ioctl(fd, BLKRRPART) < 0)
		r = err_sys(e, -errno, "have the kernel read its label");
	return r;
}

/* Nothing at the beginning of a partition tells of an earlier life */
static int prepare_clear(int fd, struct err *e)
{
	_cleanup_free_ char *zeros = mem_alloc(PREPARE_HEAD);
	ssize_t n = pwrite(fd, zeros, PREPARE_HEAD, 0);

	if (n < 0 || fsync(fd) < 0)
		return err_sys(e, -errno, "write to it");
	return n == (ssize_t)PREPARE_HEAD ? 0
					  : err_set(e, -EIO, "write to it: only a part was taken");
}

static int prepare_bind(const char *store, const char *part, mode_t mode, struct err *e)
{
	_cleanup_free_ char *from = mem_printf("%s/data/%s", store, part);
	_cleanup_free_ char *to = mem_printf("%s/%s", store, part);

	if (mkdir(from, mode) < 0 || chmod(from, mode) < 0)
		return err_sys(e, -errno, "make %s", from);
	if (file_mkdirs(to, mode) < 0 || mount(from, to, NULL, MS_BIND, NULL) < 0)
		return err_sys(e, -errno, "mount %s", to);
	/* A bind mount's flags are its own */
	if (mount(NULL, to, NULL, MS_BIND | MS_REMOUNT | PREPARE_FLAGS, NULL) < 0)
		return err_sys(e, -errno, "mount %s", to);
	return 0;
}

/* Return: 0; -EBUSY, or -errno of the first that could not be */
static int prepare_unmount(const char *store, int flags)
{
	static const char *const parts[] = {"images", "scratch", "data"};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		_cleanup_free_ char *path = mem_printf("%s/%s", store, parts[i]);
		_cleanup_free_ char *data = mem_printf("%s/data", store);
		struct stat top, a, b;

		/* Only what is of the disk: tmpfs lies below */
		if (stat(store, &top) == 0 && stat(path, &a) == 0 && stat(data, &b) == 0 &&
		    a.st_dev == b.st_dev && a.st_dev != top.st_dev && umount2(path, flags) < 0)
			return -errno;
	}
	return 0;
}

int prepare_release(const char *store, struct err *e)
{
	int r = prepare_unmount(store, 0);

	if (r < 0)
		return err_sys(e, r, "take it out of use");
	prepare_crypt_remove();
	return 0;
}

static int prepare_mount(const char *device, const char *store, uint64_t *bytes, struct err *e)
{
	_cleanup_free_ char *data = mem_printf("%s/data", store);
	struct statvfs room;
	int r;

	if (file_mkdirs(data, 0700) < 0 ||
	    mount(device, data, "ext4", PREPARE_FLAGS, "errors=remount-ro") < 0)
		return err_sys(e, -errno, "mount %s", data);
	r = prepare_bind(store, "scratch", 0700, e);
	if (r == 0)
		r = prepare_bind(store, "images", 0755, e);
	if (r == 0 && statvfs(data, &room) < 0)
		r = err_sys(e, -errno, "%s", data);
	if (r < 0) {
		(void)prepare_unmount(store, MNT_DETACH);
		return r;
	}
	*bytes = (uint64_t)room.f_bavail * room.f_frsize;
	return 0;
}

/*
 * Tells the disk that nothing on it is needed. It may refuse, and it may be slow: what has not been told within a while is
 * left.
 */
static void prepare_discard(int fd, uint64_t size)
{
	uint64_t end_ms = clock_mono_ms() + PREPARE_DISCARD_MS;

	for (uint64_t at = 0; at < size && clock_mono_ms() < end_ms; at += PREPARE_DISCARD) {
		uint64_t range[2] = {at, MIN(size - at, PREPARE_DISCARD)};

		if (ioctl(fd, BLKDISCARD, range) < 0)
			return;
	}
}

int prepare_run(const struct prepare_config *c, uint64_t *bytes, struct err *e)
{
	char name[PREPARE_NAME_MAX], path[PREPARE_PATH_MAX], device[PREPARE_PATH_MAX];
	char uuid[LABEL_UUID_MAX];
	_cleanup_fd_ int fd = -1;
	struct prepare_disk d;
	int r = prepare_label(c, e);

	if (r == 0)
		r = prepare_part_name(c->disk, name, sizeof(name), e);
	if (r < 0)
		return r;
	fd = prepare_open(name, e);
	r = fd < 0 ? fd : prepare_measure(fd, &d, e);
	if (r < 0)
		return r;
	prepare_discard(fd, d.size_bytes);
	r = prepare_clear(fd, e);
	if (r < 0)
		return r;
	fd_close(take_fd(&fd)); /* what comes takes it for itself */
	snprintf(path, sizeof(path), "/dev/%s", name);
	(void)str_copy(device, sizeof(device), path);
	if (c->encrypt) {
		d.size_bytes -= PREPARE_HEAD;
		r = prepare_crypt(path, PREPARE_HEAD, d.size_bytes, device, e);
	}
	if (r == 0)
		r = prepare_mkfs(device, d.size_bytes, label_uuid(c->fleet, uuid), e);
	if (r == 0)
		r = prepare_mount(device, c->store, bytes, e);
	if (r < 0 && c->encrypt)
		prepare_crypt_remove();
	return r;
}
