/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The images that machines boot, kept by the controller: a folder with one folder per version, each
 * as `make images` leaves it,
 *
 *	VERSION/bzImage, initramfs, version, …	and for each of them NAME.sha256 as sha256sum writes it
 *
 * An image is there from the rename() that follows its last checked byte, and never changes. What
 * begins with a dot is unfinished or on its way out, and is removed at the next start. All files are held
 * open: what was read once can be served when its folder cannot be read any more.
 */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "json/json.h"

#define IMAGE_VERSION_MAX 64
#define IMAGE_NAME_MAX	  64
#define IMAGE_FILES_MAX	  16
#define IMAGE_BYTES_MAX	  ((uint64_t)1 << 30) /* of all files of one image */
#define IMAGE_PIECE_MAX	  ((size_t)1 << 20) /* of one images_write() */
#define IMAGES_MAX	  64
#define IMAGE_NAMELESS \
	"sha256-" /* begins the version of a default image that has none of its own */

/* Media that were made of an image begin so: they are no part of it */
#define IMAGE_MEDIA "hypermetal."

#define IMAGE_KERNEL	"bzImage"
#define IMAGE_INITRAMFS "initramfs"

struct image_file {
	char name[IMAGE_NAME_MAX];
	char sha256[65]; /* lower-case hex */
	uint64_t size_bytes;
};

struct image_info {
	char version[IMAGE_VERSION_MAX];
	uint64_t added_s; /* since the epoch */
	size_t file_count;
	struct image_file files[IMAGE_FILES_MAX];
};

struct images;

/**
 * images_new() - Open the folder, check what is in it, and copy the default image there
 * @loop:     for the time limit of uploads; NULL: none (tests)
 * @dir:      the folder; made if need be
 * @from_dir: of the default image (--images), or NULL
 *
 * Where nothing can be copied the default image is served from @from_dir; where that cannot be read,
 * the default is what it was last. Reads and hashes all images: to be called before the loop runs.
 *
 * Return: 0, also without any image; -errno when @dir cannot be made.
 */
int images_new(struct loop *loop, const char *dir, const char *from_dir, struct images **out,
	       struct err *e);
struct images *images_free(struct images *s);

/** images_reload() - Look again at both folders; what is held stays */
void images_reload(struct images *s);

/** images_default() - Version that hosts boot without an assignment, or "" */
const char *images_default(const struct images *s);

/** images_usable() - Whether an image is there and can be read */
bool images_usable(const struct images *s, const char *version);

/** images_any() - A version that can be read, or "" */
const char *images_any(const struct images *s);

/**
 * images_open_file() - Open a file of an image
 * @version: "": the default or, when that has no such file, any
 * Return: a descriptor; -ENOENT; -errno.
 */
int images_open_file(const struct images *s, const char *version, const char *name);

/** images_next() - The image behind @version in the order of versions, NULL: the first. Return: borrowed, or NULL */
const struct image_info *images_next(const struct images *s, const char *version);

/** image_version_valid() - 1 to 63 of A-Z a-z 0-9 . _ -, the first of them a letter or digit */
bool image_version_valid(const char *version);

/**
 * image_manifest_read() - Read what an upload says that it will be
 * @json: {"files":[{"name","sha256","sizeBytes"}…]}; kernel and initramfs must be among them
 * Return: 0; -EINVAL with the reason in @e.
 */
int image_manifest_read(const char *version, const struct json *json, struct image_info *info,
			struct err *e);

/**
 * images_begin() - Start an upload; one of the same version that is going on begins anew
 * Return: 0; -EEXIST: the same image is there; -ENOTUNIQ: another one of that version is;
 *	   -EBUSY: too many at a time; -ENOSPC; -errno.
 */
int images_begin(struct images *s, const struct image_info *info, struct err *e);

/**
 * images_write() - The next bytes of a file of an upload
 * @offset: where they belong: right behind those before
 * @len:    1 to IMAGE_PIECE_MAX
 * @done:   set when these were the last ones and the image is there now
 * Return: 0; -ENOENT: no such upload or file; -ESPIPE: another offset is due; -E2BIG; -EBADMSG: the
 *	   checksum is another, and the upload is over; -errno.
 */
int images_write(struct images *s, const char *version, const char *name, uint64_t offset,
		 const void *data, size_t len, bool *done, struct err *e);

/** images_remove() - Return: 0; -ENOENT; -EBUSY for the default; -errno */
int images_remove(struct images *s, const char *version, struct err *e);

#endif
