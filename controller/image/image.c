// SPDX-License-Identifier: Apache-2.0
/* The images there are, and which of them is the default. */
#include "image/image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

#define DEFAULT_FILE ".default" /* the version that was the default last */
#define COPY_DIR     ".copy"

struct image *images_find(const struct images *s, const char *version)
{
	struct image *i;

	list_for_each(i, &s->all, node)
		if (str_eq(i->info.version, version))
			return i;
	return NULL;
}

static void image_free(struct image *i)
{
	list_del(&i->node);
	for (size_t f = 0; f < i->info.file_count; f++)
		fd_close(i->fds[f]);
	free(i);
}

int images_place(const struct images *s, const char *name, const char *version, struct err *e)
{
	(void)file_remove_tree(s->dirfd, version);
	if (renameat(s->dirfd, name, s->dirfd, version) < 0)
		return err_sys(e, -errno, "rename to %s", version);
	return fsync(s->dirfd) < 0 ? err_sys(e, -errno, "sync %s", s->dir) : 0;
}

/* In the order of versions */
static void insert(struct images *s, struct image *new)
{
	struct image *i;

	list_for_each(i, &s->all, node)
		if (strcmp(i->info.version, new->info.version) > 0)
			break;
	list_add(&i->node, &new->node); /* in front of it, or at the end */
}

int images_add(struct images *s, int dirfd, const char *name, const struct image_info *info,
	       struct err *e)
{
	struct image *i = mem_alloc(sizeof(*i));
	int r = 0;

	i->info = *info;
	list_init(&i->node);
	for (size_t f = 0; f < info->file_count; f++) {
		_cleanup_free_ char *path = mem_printf("%s/%s", name, info->files[f].name);

		i->fds[f] = r < 0 ? -1 : openat(dirfd, path, O_RDONLY | O_CLOEXEC);
		if (r == 0 && i->fds[f] < 0)
			r = err_sys(e, -errno, "open %s", path);
	}
	if (r < 0) {
		image_free(i);
		return r;
	}
	insert(s, i);
	log_info("image", "ev=image version=%s bytes=%llu", info->version,
		 (unsigned long long)image_bytes(info));
	return 0;
}

static void load_one(struct images *s, const char *name)
{
	struct image_info info = {.file_count = 0};
	struct err e = ERR_INIT;
	int r;

	if (!image_version_valid(name) || images_find(s, name))
		return;
	(void)str_copy(info.version, sizeof(info.version), name);
	r = list_count(&s->all) < IMAGES_MAX
		    ? 0
		    : err_set(&e, -E2BIG, "more than %d images", IMAGES_MAX);
	if (r == 0)
		r = folder_read(s->dirfd, name, &info, &e);
	if (r == 0)
		r = folder_check(s->dirfd, name, &info, &e);
	if (r == 0)
		r = images_add(s, s->dirfd, name, &info, &e);
	if (r < 0)
		log_error("image", "ev=image_bad version=%s error=\"%s\"", name, err_msg(&e));
}

/* What a crash, an upload or a removal has left; and all images */
static void load_all(struct images *s, bool tidy)
{
	int again = openat(s->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = again < 0 ? NULL : fdopendir(again);
	const struct dirent *ent;

	while (list && (ent = readdir(list))) {
		if (str_eq(ent->d_name, ".") || str_eq(ent->d_name, "..") ||
		    str_eq(ent->d_name, DEFAULT_FILE))
			continue;
		if (ent->d_name[0] != '.')
			load_one(s, ent->d_name);
		else if (tidy)
			(void)file_remove_tree(s->dirfd, ent->d_name);
	}
	if (list)
		closedir(list);
	else
		log_error("image", "ev=images_unreadable dir=%s errno=%d", s->dir, errno);
}

/*
 * What the image in the folder calls itself; made of its checksums when it does not, or when it is another
 * than the one that we have of this version (somebody built again without a commit).
 */
static const struct image *name_version(const struct images *s, int dir, struct image_info *info)
{
	struct buf text = BUF_INIT(256);
	int r = file_read(dir, VERSION_FILE, &text, NULL);
	const struct image *there = NULL;

	if (r == 0)
		r = image_version_parse(buf_str(&text), info->version);
	buf_done(&text);
	if (r == 0)
		there = images_find(s, info->version);
	if (r == 0 && (!there || image_same(&there->info, info)))
		return there;
	snprintf(info->version, sizeof(info->version), IMAGE_NAMELESS "%.6s%.6s",
		 image_file(info, IMAGE_KERNEL)->sha256, image_file(info, IMAGE_INITRAMFS)->sha256);
	return images_find(s, info->version);
}

static int copy_default(struct images *s, const struct image_info *info, struct err *e)
{
	int r;

	(void)file_remove_tree(s->dirfd, COPY_DIR);
	r = folder_copy(AT_FDCWD, s->from_dir, s->dirfd, COPY_DIR, info, e);
	if (r == 0)
		r = folder_seal(s->dirfd, COPY_DIR, info, e);
	if (r == 0)
		r = images_place(s, COPY_DIR, info->version, e);
	if (r < 0)
		(void)file_remove_tree(s->dirfd, COPY_DIR);
	return r;
}

/*
 * The default image becomes one of ours, so that it can be served unchanged when its folder is written
 * to, or gone. Return: 0 or -errno
 */
static int take_default(struct images *s, struct err *e)
{
	_cleanup_fd_ int dir = open(s->from_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct image_info info = {.file_count = 0};
	const struct image *there;
	struct err why = ERR_INIT;
	int r;

	if (dir < 0)
		return err_sys(e, -errno, "open %s", s->from_dir);
	r = folder_read(dir, ".", &info, e);
	if (r == 0)
		r = folder_check(dir, ".", &info, e);
	if (r < 0)
		return err_wrap(e, r, "%s", s->from_dir);
	there = name_version(s, dir, &info);
	if (!there && copy_default(s, &info, &why) < 0) {
		log_error("image", "ev=image_not_kept version=%s error=\"%s\"", info.version,
			  err_msg(&why));
		r = images_add(s, dir, ".", &info, e);
	} else if (!there) {
		r = images_add(s, s->dirfd, info.version, &info, e);
	}
	if (r == 0)
		(void)str_copy(s->standard, sizeof(s->standard), info.version);
	return r;
}

static void remembered_default(struct images *s)
{
	struct buf text = BUF_INIT(256);
	char version[IMAGE_VERSION_MAX];

	if (file_read(s->dirfd, DEFAULT_FILE, &text, NULL) == 0 &&
	    image_version_parse(buf_str(&text), version) == 0 && images_find(s, version))
		(void)str_copy(s->standard, sizeof(s->standard), version);
	buf_done(&text);
}

static void choose_default(struct images *s)
{
	struct err e = ERR_INIT;

	if (!*s->standard)
		remembered_default(s);
	if (s->from_dir && take_default(s, &e) < 0)
		log_error("image", "ev=image_bad dir=%s default=%s error=\"%s\"", s->from_dir,
			  *s->standard ? s->standard : "none", err_msg(&e));
	else if (*s->standard)
		(void)file_write(s->dirfd, DEFAULT_FILE, s->standard, strlen(s->standard), 0600,
				 NULL);
	log_info("image", "ev=image_default version=%s", *s->standard ? s->standard : "none");
}

int images_new(struct loop *loop, const char *dir, const char *from_dir, struct images **out,
	       struct err *e)
{
	struct images *s;
	int fd, r = file_mkdirs(dir, 0700);

	if (r < 0)
		return err_sys(e, r, "make %s", dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, -errno, "open %s", dir);
	s = mem_alloc(sizeof(*s));
	s->loop = loop;
	s->dirfd = fd;
	s->dir = mem_strdup(dir);
	s->from_dir = from_dir ? mem_strdup(from_dir) : NULL;
	list_init(&s->all);
	list_init(&s->uploads);
	load_all(s, true);
	choose_default(s);
	*out = s;
	return 0;
}

struct images *images_free(struct images *s)
{
	struct image *i, *tmp;

	if (!s)
		return NULL;
	uploads_free(s);
	list_for_each_safe(i, tmp, &s->all, node)
		image_free(i);
	fd_close(s->dirfd);
	free(s->dir);
	free(s->from_dir);
	free(s);
	return NULL;
}

void images_reload(struct images *s)
{
	load_all(s, false);
	choose_default(s);
}

const char *images_default(const struct images *s)
{
	return s->standard;
}

/* The descriptor stands for the file whatever has become of its name; each reader gets a place of its own. */
static int reopen(int fd)
{
	char path[40];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY | O_CLOEXEC);
	return again < 0 ? -errno : again;
}

bool images_usable(const struct images *s, const char *version)
{
	const struct image *i = images_find(s, version);

	for (size_t p = 0; i && p < IMAGE_PARTS; p++) {
		const struct image_file *f = image_file(&i->info, image_parts[p]);
		int fd = i->fds[f - i->info.files];
		char byte;

		/* As long as at the beginning, and both ends can be read */
		if (pread(fd, &byte, 1, 0) != 1 ||
		    pread(fd, &byte, 1, (off_t)f->size_bytes - 1) != 1 ||
		    pread(fd, &byte, 1, (off_t)f->size_bytes) != 0)
			return false;
	}
	return i != NULL;
}

const char *images_any(const struct images *s)
{
	const struct image *i;

	list_for_each(i, &s->all, node)
		if (images_usable(s, i->info.version))
			return i->info.version;
	return "";
}

static int open_of(const struct image *i, const char *name)
{
	const struct image_file *f = i ? image_file(&i->info, name) : NULL;

	return f ? reopen(i->fds[f - i->info.files]) : -ENOENT;
}

int images_open_file(const struct images *s, const char *version, const char *name)
{
	int fd = open_of(images_find(s, *version ? version : s->standard), name);
	const struct image *i;

	if (fd >= 0 || *version)
		return fd;
	list_for_each(i, &s->all, node)
		if (fd < 0)
			fd = open_of(i, name);
	return fd;
}

const struct image_info *images_next(const struct images *s, const char *version)
{
	const struct image *i;

	list_for_each(i, &s->all, node)
		if (!version || strcmp(i->info.version, version) > 0)
			return &i->info;
	return NULL;
}

int images_remove(struct images *s, const char *version, struct err *e)
{
	struct image *i = images_find(s, version);
	_cleanup_free_ char *gone = mem_printf(".gone-%s", version);

	if (!i)
		return err_set(e, -ENOENT, "there is no image %s", version);
	if (str_eq(version, s->standard))
		return err_set(e, -EBUSY, "%s is the default image", version);
	(void)file_remove_tree(s->dirfd, gone);
	if (renameat(s->dirfd, version, s->dirfd, gone) < 0 && errno != ENOENT)
		return err_sys(e, -errno, "remove %s", version);
	image_free(i);
	(void)fsync(s->dirfd);
	(void)file_remove_tree(s->dirfd, gone);
	log_info("image", "ev=image_removed version=%s", version);
	return 0;
}
