// SPDX-License-Identifier: Apache-2.0
/* What an image may be called, and what is said of it: foreign input, all of it. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

const char *const image_parts[IMAGE_PARTS] = {IMAGE_KERNEL, IMAGE_INITRAMFS};

/* Good as a file's name, in a URL, in an annotation: no blanks, no slashes, no dot in front. */
static bool plain(const char *s, size_t size)
{
	size_t len = strlen(s);

	if (!len || len >= size || strchr("._-", s[0]))
		return false;
	return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
	       len;
}

bool image_version_valid(const char *version)
{
	return plain(version, IMAGE_VERSION_MAX);
}

bool image_name_valid(const char *name)
{
	return plain(name, IMAGE_NAME_MAX - strlen(SUM_SUFFIX)) && !str_ends(name, SUM_SUFFIX);
}

static bool hex_valid(const char *hex)
{
	return strlen(hex) == 64 && strspn(hex, "0123456789abcdef") == 64;
}

int image_sum_parse(const char *text, const char *name, char hex[65])
{
	const char *rest;

	if (strlen(text) < 66)
		return -EINVAL;
	memcpy(hex, text, 64);
	hex[64] = '\0';
	/* "HEX  NAME" or, of a binary file, "HEX *NAME" */
	rest = str_starts(text + 66, name);
	if (!hex_valid(hex) || text[64] != ' ' || (text[65] != ' ' && text[65] != '*') || !rest ||
	    (*rest && !str_eq(rest, "\n")))
		return -EINVAL;
	return 0;
}

int image_version_parse(const char *text, char version[IMAGE_VERSION_MAX])
{
	size_t len = strcspn(text, " \t\r\n");

	if (len >= IMAGE_VERSION_MAX || text[len + strspn(text + len, " \t\r\n")])
		return -EINVAL;
	memcpy(version, text, len);
	version[len] = '\0';
	return image_version_valid(version) ? 0 : -EINVAL;
}

const struct image_file *image_file(const struct image_info *info, const char *name)
{
	for (size_t i = 0; i < info->file_count; i++)
		if (str_eq(info->files[i].name, name))
			return &info->files[i];
	return NULL;
}

bool image_same(const struct image_info *a, const struct image_info *b)
{
	if (a->file_count != b->file_count)
		return false;
	for (size_t i = 0; i < a->file_count; i++) {
		const struct image_file *f = image_file(b, a->files[i].name);

		if (!f || f->size_bytes != a->files[i].size_bytes ||
		    !str_eq(f->sha256, a->files[i].sha256))
			return false;
	}
	return true;
}

uint64_t image_bytes(const struct image_info *info)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < info->file_count; i++)
		sum += info->files[i].size_bytes;
	return sum;
}

static int read_file(const struct json *json, struct image_info *info, struct err *e)
{
	const char *name = json_str(json_get(json, "name"), "");
	const char *sha256 = json_str(json_get(json, "sha256"), "");
	int64_t size = json_int(json_get(json, "sizeBytes"), -1);
	struct image_file *f = &info->files[info->file_count];
	char safe[80];

	if (!image_name_valid(name))
		return err_set(e, -EINVAL, "\"%s\" is no name for a file of an image",
			       str_printable(safe, sizeof(safe), name));
	if (image_file(info, name))
		return err_set(e, -EINVAL, "%s is named twice", name);
	if (!hex_valid(sha256))
		return err_set(e, -EINVAL, "%s: sha256 is not 64 lower-case hex digits", name);
	if (size < 1 || (uint64_t)size > IMAGE_BYTES_MAX)
		return err_set(e, -EINVAL, "%s: sizeBytes is not 1 to %llu", name,
			       (unsigned long long)IMAGE_BYTES_MAX);
	(void)str_copy(f->name, sizeof(f->name), name);
	(void)str_copy(f->sha256, sizeof(f->sha256), sha256);
	f->size_bytes = (uint64_t)size;
	info->file_count++;
	return 0;
}

int image_manifest_read(const char *version, const struct json *json, struct image_info *info,
			struct err *e)
{
	struct json_iter it = json_iter(json_get(json, "files"));
	char safe[80];
	int r;

	*info = (struct image_info){.file_count = 0};
	if (!image_version_valid(version))
		return err_set(e, -EINVAL, "\"%s\" is no version of an image",
			       str_printable(safe, sizeof(safe), version));
	(void)str_copy(info->version, sizeof(info->version), version);
	if (!json_is_arr(json_get(json, "files")))
		return err_set(e, -EINVAL, "files is missing");
	while (json_next(&it)) {
		if (info->file_count == IMAGE_FILES_MAX)
			return err_set(e, -EINVAL, "more than %d files", IMAGE_FILES_MAX);
		r = read_file(it.value, info, e);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < IMAGE_PARTS; i++)
		if (!image_file(info, image_parts[i]))
			return err_set(e, -EINVAL, "%s is missing", image_parts[i]);
	if (image_bytes(info) > IMAGE_BYTES_MAX)
		return err_set(e, -EINVAL, "larger than %llu bytes",
			       (unsigned long long)IMAGE_BYTES_MAX);
	return 0;
}
