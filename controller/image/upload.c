// SPDX-License-Identifier: Apache-2.0
/*
 * Uploads come in pieces, each a request of its own: no more than one is in memory, and whoever
 * stops in the middle costs disk until his ten minutes are over. Each piece goes to disk at
 * once, so that the end has little left to wait for.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

#define UPLOADS_MAX	 4
#define UPLOAD_SILENT_MS 600000
#define UPLOAD_PREFIX	 ".upload-"

struct upload {
	struct list node;
	struct images *images;
	struct image_info info;
	char dir[IMAGE_VERSION_MAX + 16];
	struct {
		int fd;
		uint64_t done_bytes;
		struct digest *digest;
	} files[IMAGE_FILES_MAX];
	size_t done_files;
	struct timer silence;
};

static struct upload *find(struct images *s, const char *version)
{
	struct upload *u;

	list_for_each(u, &s->uploads, node)
		if (str_eq(u->info.version, version))
			return u;
	return NULL;
}

/* Ends an upload; what is left of it on disk goes. */
static void upload_free(struct upload *u)
{
	for (size_t i = 0; i < u->info.file_count; i++) {
		fd_close(u->files[i].fd);
		digest_free(u->files[i].digest);
	}
	(void)file_remove_tree(u->images->dirfd, u->dir);
	timer_cancel(&u->silence);
	list_del(&u->node);
	free(u);
}

void uploads_free(struct images *s)
{
	while (!list_empty(&s->uploads))
		upload_free(list_entry(s->uploads.next, struct upload, node));
}

static void silent(struct timer *t)
{
	struct upload *u = container_of(t, struct upload, silence);

	log_warn("image", "ev=upload_given_up version=%s", u->info.version);
	upload_free(u);
}

static int open_files(struct upload *u, struct err *e)
{
	if (mkdirat(u->images->dirfd, u->dir, 0700) < 0)
		return err_sys(e, -errno, "make %s", u->dir);
	for (size_t i = 0; i < u->info.file_count; i++) {
		_cleanup_free_ char *path = mem_printf("%s/%s", u->dir, u->info.files[i].name);

		u->files[i].fd =
			openat(u->images->dirfd, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (u->files[i].fd < 0)
			return err_sys(e, -errno, "make %s", path);
	}
	return 0;
}

int images_begin(struct images *s, const struct image_info *info, struct err *e)
{
	const struct image *there = images_find(s, info->version);
	struct upload *u = find(s, info->version);
	int r;

	if (there)
		return image_same(&there->info, info)
			       ? err_set(e, -EEXIST, "%s is there already", info->version)
			       : err_set(e, -ENOTUNIQ,
					 "there is another image of version %s already",
					 info->version);
	if (u)
		upload_free(u);
	if (list_count(&s->all) >= IMAGES_MAX)
		return err_set(e, -EBUSY, "there are %d images already: remove some", IMAGES_MAX);
	if (list_count(&s->uploads) >= UPLOADS_MAX)
		return err_set(e, -EBUSY, "%d images are being added at the moment", UPLOADS_MAX);
	u = mem_alloc(sizeof(*u));
	u->images = s;
	u->info = *info;
	snprintf(u->dir, sizeof(u->dir), UPLOAD_PREFIX "%s", info->version);
	for (size_t i = 0; i < info->file_count; i++) {
		u->files[i].fd = -1;
		u->files[i].digest = digest_new();
	}
	list_init(&u->node);
	list_add(&s->uploads, &u->node);
	(void)file_remove_tree(s->dirfd, u->dir);
	r = open_files(u, e);
	if (r < 0) {
		upload_free(u);
		return r;
	}
	if (s->loop) {
		timer_init(s->loop, &u->silence, silent);
		timer_set(&u->silence, UPLOAD_SILENT_MS);
	}
	return 0;
}

/* An image that says of itself that it is another would be taken for that one when it runs. */
static int check_version(const struct upload *u, struct err *e)
{
	const struct image_file *f = image_file(&u->info, VERSION_FILE);
	char text[IMAGE_VERSION_MAX + 8], version[IMAGE_VERSION_MAX];
	ssize_t n;

	if (!f)
		return 0;
	n = pread(u->files[f - u->info.files].fd, text, sizeof(text) - 1, 0);
	if (n < 0)
		return err_sys(e, -errno, "read " VERSION_FILE);
	text[n] = '\0';
	if (strlen(text) != (size_t)n || f->size_bytes >= sizeof(text) ||
	    image_version_parse(text, version) < 0 || !str_eq(version, u->info.version))
		return err_set(e, -EBADMSG, "the image does not call itself %s", u->info.version);
	return 0;
}

static int finish(struct upload *u, struct err *e)
{
	struct images *s = u->images;
	int r = check_version(u, e);

	if (r == 0)
		r = folder_seal(s->dirfd, u->dir, &u->info, e);
	if (r == 0)
		r = images_place(s, u->dir, u->info.version, e);
	u->info.added_s = (uint64_t)time(NULL);
	if (r == 0)
		r = images_add(s, s->dirfd, u->info.version, &u->info, e);
	return r;
}

static int write_at(int fd, const char *data, size_t len, uint64_t offset)
{
	while (len) {
		ssize_t n = pwrite(fd, data, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		data += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return fdatasync(fd) < 0 ? -errno : 0;
}

int images_write(struct images *s, const char *version, const char *name, uint64_t offset,
		 const void *data, size_t len, bool *done, struct err *e)
{
	struct upload *u = find(s, version);
	const struct image_file *f = u ? image_file(&u->info, name) : NULL;
	char hex[65];
	size_t i;
	int r;

	*done = false;
	if (!f)
		return err_set(e, -ENOENT, "no such file of an image is being added");
	i = (size_t)(f - u->info.files);
	if (offset != u->files[i].done_bytes)
		return err_set(e, -ESPIPE, "%s: %llu bytes are there", f->name,
			       (unsigned long long)u->files[i].done_bytes);
	if (!len || len > IMAGE_PIECE_MAX || len > f->size_bytes - offset)
		return err_set(e, -E2BIG, "%s: too many bytes, or none", f->name);
	if (s->loop)
		timer_set(&u->silence, UPLOAD_SILENT_MS);
	r = write_at(u->files[i].fd, data, len, offset);
	if (r < 0)
		return err_sys(e, r, "write %s", f->name);
	digest_add(u->files[i].digest, data, len);
	u->files[i].done_bytes += len;
	if (u->files[i].done_bytes < f->size_bytes)
		return 0;
	digest_end(u->files[i].digest, hex);
	if (!str_eq(hex, f->sha256))
		r = err_set(e, -EBADMSG, "%s: the checksum is %s, not %s", f->name, hex, f->sha256);
	else if (++u->done_files == u->info.file_count) {
		r = finish(u, e);
		*done = r == 0;
	}
	if (r < 0 || *done)
		upload_free(u);
	return r;
}
