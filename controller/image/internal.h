/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of image/ share. */
#ifndef IMAGE_INTERNAL_H
#define IMAGE_INTERNAL_H

#include "base/list.h"
#include "image/image.h"

/* ---- digest.c ---- */

struct digest;
struct digest *digest_new(void);
struct digest *digest_free(struct digest *d);
void digest_add(struct digest *d, const void *data, size_t len);
/* Write the hex digits; nothing can be added after it */
void digest_end(struct digest *d, char hex[65]);

/* ---- manifest.c: names, and files named NAME.sha256 ---- */

#define SUM_SUFFIX   ".sha256"
#define VERSION_FILE "version" /* what the image calls itself */

/* What an image cannot be without */
extern const char *const image_parts[];
#define IMAGE_PARTS 2

bool image_name_valid(const char *name);
/* The digest of a line as sha256sum writes it, for the file @name. Return: 0 or -EINVAL */
int image_sum_parse(const char *text, const char *name, char hex[65]);
/* The first word of the text. Return: 0; -EINVAL when it is no version */
int image_version_parse(const char *text, char version[IMAGE_VERSION_MAX]);
const struct image_file *image_file(const struct image_info *info, const char *name);
/* Whether both have the same files */
bool image_same(const struct image_info *a, const struct image_info *b);
uint64_t image_bytes(const struct image_info *info);

/* ---- folder.c: an image as it lies in a folder ---- */

/*
 * Read what files there are, and their checksums where they are written down.
 * Return: 0; -ENOENT without a kernel or initramfs; -errno.
 */
int folder_read(int dirfd, const char *name, struct image_info *info, struct err *e);
/* Compare all files with their checksums; those without get theirs. Return: 0; -EBADMSG; -errno */
int folder_check(int dirfd, const char *name, struct image_info *info, struct err *e);
/* Copy an image, checking it, into the new folder @to. Return: 0; -EBADMSG; -errno */
int folder_copy(int from_dirfd, const char *from, int to_dirfd, const char *to,
		const struct image_info *info, struct err *e);
/* Write NAME.sha256 for all files and bring the folder to disk. Return: 0 or -errno */
int folder_seal(int dirfd, const char *name, const struct image_info *info, struct err *e);

/* ---- image.c ---- */

struct image {
	struct list node; /* in images->all, by version */
	struct image_info info;
	int fds[IMAGE_FILES_MAX]; /* of info.files */
};

struct images {
	struct loop *loop;
	int dirfd;
	char *dir, *from_dir; /* from_dir NULL: none */
	char standard[IMAGE_VERSION_MAX]; /* the default's version */
	struct list all, uploads;
};

struct image *images_find(const struct images *s, const char *version);
/* A checked image begins to be there. Return: 0 or -errno */
int images_add(struct images *s, int dirfd, const char *name, const struct image_info *info,
	       struct err *e);
/*
 * A whole and sealed folder becomes that of a version, in the place of one that was found to be
 * broken. Return: 0 or -errno
 */
int images_place(const struct images *s, const char *name, const char *version, struct err *e);

/* ---- upload.c ---- */
void uploads_free(struct images *s);

#endif
