// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "image/image.h"

#define LOADER_SUM "6425a1e1b4525c507f169241384a4393702be021f57dddb1fca48a58099f6f86"
#define ANY_SUM	   "0000000000000000000000000000000000000000000000000000000000000000"

struct world {
	char dir[32], from[64], ours[64];
	struct images *images;
};

static void put(const char *dir, const char *name, const char *text)
{
	_cleanup_free_ char *path = mem_printf("%s/%s", dir, name);

	assert_int_equal(file_write(AT_FDCWD, path, text, strlen(text), 0644, NULL), 0);
}

static void unlink_in(const char *dir, const char *name)
{
	_cleanup_free_ char *path = mem_printf("%s/%s", dir, name);

	assert_int_equal(unlink(path), 0);
}

static void start(struct world *w)
{
	struct err e = ERR_INIT;

	if (images_new(NULL, w->ours, w->from, &w->images, &e) < 0)
		fail_msg("%s", err_msg(&e));
}

static void again(struct world *w)
{
	images_free(w->images);
	start(w);
}

static int set_up(void **state)
{
	struct world *w = mem_alloc(sizeof(*w));

	str_copy(w->dir, sizeof(w->dir), "/tmp/test_image.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->from, sizeof(w->from), "%s/from", w->dir);
	snprintf(w->ours, sizeof(w->ours), "%s/ours", w->dir);
	mkdir(w->from, 0755);
	put(w->from, "bzImage", "kernel");
	put(w->from, "initramfs", "initramfs");
	put(w->from, "version", "v1\n");
	start(w);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	images_free(w->images);
	file_remove_tree(AT_FDCWD, w->dir);
	free(w);
	return 0;
}

static void assert_part(struct world *w, const char *version, const char *part, const char *wanted)
{
	_cleanup_fd_ int fd = images_open_file(w->images, version, part);
	char text[64] = "";

	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, sizeof(text) - 1), strlen(wanted));
	assert_string_equal(text, wanted);
}

static bool there(const struct world *w, const char *name)
{
	_cleanup_free_ char *path = mem_printf("%s/%s", w->ours, name);

	return access(path, F_OK) == 0;
}

/* ---- the default ---- */

static void test_default(void **state)
{
	struct world *w = *state;

	assert_string_equal(images_default(w->images), "v1");
	assert_true(there(w, "v1/bzImage"));
	assert_part(w, "v1", IMAGE_KERNEL, "kernel");
	assert_part(w, "", IMAGE_INITRAMFS, "initramfs");
	assert_int_equal(images_open_file(w->images, "v2", IMAGE_KERNEL), -ENOENT);
	assert_int_equal(images_open_file(w->images, "..", IMAGE_KERNEL), -ENOENT);
	assert_int_equal(images_open_file(w->images, "v1", "../v1/bzImage"), -ENOENT);
}

/* Whatever becomes of the folders, what was read is served. */
static void test_folders_gone(void **state)
{
	struct world *w = *state;

	put(w->from, "bzImage", "KERNEL");
	assert_part(w, "", IMAGE_KERNEL, "kernel");
	file_remove_tree(AT_FDCWD, w->from);
	images_reload(w->images);
	assert_string_equal(images_default(w->images), "v1");
	again(w); /* a controller that starts without it */
	assert_string_equal(images_default(w->images), "v1");
	assert_part(w, "", IMAGE_KERNEL, "kernel");
	file_remove_tree(AT_FDCWD, w->ours);
	assert_true(images_usable(w->images, "v1"));
	assert_part(w, "v1", IMAGE_INITRAMFS, "initramfs");
	images_reload(w->images);
	assert_part(w, "", IMAGE_KERNEL, "kernel");
}

/* Another build of the same version, and one that has none */
static void test_nameless(void **state)
{
	struct world *w = *state;

	put(w->from, "bzImage", "another");
	again(w);
	assert_memory_equal(images_default(w->images), IMAGE_NAMELESS, strlen(IMAGE_NAMELESS));
	assert_part(w, "", IMAGE_KERNEL, "another");
	assert_part(w, "v1", IMAGE_KERNEL, "kernel");
	put(w->from, "version", "../x");
	put(w->from, "bzImage", "third");
	again(w);
	assert_part(w, "", IMAGE_KERNEL, "third");
}

static void test_default_bad(void **state)
{
	struct world *w = *state;

	put(w->from, "version", "v2");
	put(w->from, "bzImage.sha256", ANY_SUM "  bzImage\n");
	again(w);
	assert_string_equal(images_default(w->images), "v1");
	assert_false(images_usable(w->images, "v2"));
	put(w->from, "bzImage.sha256", "nonsense");
	again(w);
	assert_string_equal(images_default(w->images), "v1");
	/* A copy that has rotted is not served. */
	put(w->ours, "v1/bzImage", "kernle");
	again(w);
	assert_string_equal(images_default(w->images), "");
	assert_false(images_usable(w->images, "v1"));
	/* It is made anew as soon as that can be. */
	unlink_in(w->from, "bzImage.sha256");
	put(w->from, "version", "v1");
	images_reload(w->images);
	assert_string_equal(images_default(w->images), "v1");
	assert_part(w, "v1", IMAGE_KERNEL, "kernel");
	again(w);
	assert_part(w, "v1", IMAGE_KERNEL, "kernel");
}

static void test_reload(void **state)
{
	struct world *w = *state;

	put(w->from, "version", "v2");
	put(w->from, "initramfs", "another");
	assert_part(w, "", IMAGE_INITRAMFS, "initramfs");
	images_reload(w->images);
	assert_string_equal(images_default(w->images), "v2");
	assert_part(w, "", IMAGE_INITRAMFS, "another");
	assert_part(w, "v1", IMAGE_INITRAMFS, "initramfs");
}

/* A loader that the default does not bring may come from another one. */
static void test_loader(void **state)
{
	struct world *w = *state;

	assert_int_equal(images_open_file(w->images, "", "loader"), -ENOENT);
	put(w->from, "loader", "iPXE");
	put(w->from, "loader.sha256", LOADER_SUM "  loader\n");
	put(w->from, "version", "v0");
	again(w);
	assert_part(w, "", "loader", "iPXE");
	assert_part(w, "v0", "loader", "iPXE");
	unlink_in(w->from, "loader.sha256");
	put(w->from, "version", "v1");
	again(w);
	assert_string_equal(images_default(w->images), "v1");
	assert_int_equal(images_open_file(w->images, "v1", "loader"), -ENOENT);
	assert_part(w, "", "loader", "iPXE");
}

/* What a crash leaves is gone at the next start. */
/* Media that were made of an image lie beside it; they are no part of it. */
static void test_media(void **state)
{
	static const char sum[] =
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  hypermetal.raw.zst\n";
	struct world *w = *state;
	const struct image_info *info;

	put(w->from, "hypermetal.raw.zst", "x");
	put(w->from, "hypermetal.raw.zst.sha256", sum); /* another's: nobody looks */
	put(w->from, "version", "v2\n");
	images_reload(w->images);
	assert_string_equal(images_default(w->images), "v2");
	info = images_next(w->images, "v1");
	assert_string_equal(info->version, "v2");
	assert_int_equal(info->file_count, 2);
	assert_false(there(w, "v2/hypermetal.raw.zst"));
}

static void test_tidy(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *left = mem_printf("%s/.upload-v9", w->ours);
	_cleanup_free_ char *half = mem_printf("%s/v9", w->ours);

	mkdir(left, 0700);
	put(left, "bzImage", "k");
	mkdir(half, 0700);
	put(half, "bzImage", "k");
	again(w);
	assert_false(there(w, ".upload-v9"));
	assert_false(images_usable(w->images, "v9"));
}

/* ---- uploads ---- */

struct sums {
	char kernel[65], initramfs[65];
};

/* Taken from an image that was made of the same files */
static void sums_of(struct world *w, struct sums *s)
{
	const struct image_info *info = images_next(w->images, NULL);

	for (size_t i = 0; i < info->file_count; i++)
		str_copy(str_eq(info->files[i].name, "bzImage") ? s->kernel : s->initramfs, 65,
			 info->files[i].sha256);
}

static int begin(struct world *w, const char *version, const char *kernel, const char *initramfs)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	_cleanup_free_ char *text =
		mem_printf("{\"files\":[{\"name\":\"bzImage\",\"sha256\":\"%s\",\"sizeBytes\":6},"
			   "{\"name\":\"initramfs\",\"sha256\":\"%s\",\"sizeBytes\":9}]}",
			   kernel, initramfs);
	struct image_info info;
	struct err e = ERR_INIT;

	assert_int_equal(json_parse(text, strlen(text), &doc, NULL), 0);
	if (image_manifest_read(version, json_root(doc), &info, &e) < 0)
		fail_msg("%s", err_msg(&e));
	return images_begin(w->images, &info, NULL);
}

static int piece(struct world *w, const char *name, uint64_t offset, const char *text, bool *done)
{
	return images_write(w->images, "v2", name, offset, text, strlen(text), done, NULL);
}

static void test_upload(void **state)
{
	struct world *w = *state;
	struct sums s;
	bool done;

	sums_of(w, &s);
	assert_int_equal(piece(w, "bzImage", 0, "ker", &done), -ENOENT);
	assert_int_equal(begin(w, "v2", s.kernel, s.initramfs), 0);
	assert_int_equal(piece(w, "bzImage", 0, "ker", &done), 0);
	assert_int_equal(piece(w, "bzImage", 0, "ker", &done), -ESPIPE);
	assert_int_equal(piece(w, "bzImage", 6, "ker", &done), -ESPIPE);
	assert_int_equal(piece(w, "bzImage", 3, "nels", &done), -E2BIG);
	assert_int_equal(piece(w, "bzImage", 3, "", &done), -E2BIG);
	assert_int_equal(piece(w, "other", 0, "x", &done), -ENOENT);
	assert_int_equal(piece(w, "../v1/bzImage", 0, "x", &done), -ENOENT);
	assert_int_equal(piece(w, "bzImage", 3, "nel", &done), 0);
	assert_false(done);
	assert_false(images_usable(w->images, "v2"));
	assert_int_equal(piece(w, "initramfs", 0, "initramfs", &done), 0);
	assert_true(done);
	assert_true(images_usable(w->images, "v2"));
	assert_part(w, "v2", IMAGE_INITRAMFS, "initramfs");
	assert_true(there(w, "v2/bzImage.sha256"));
	assert_false(there(w, ".upload-v2"));
	/* Once more: it is there; another of that version is refused. */
	assert_int_equal(begin(w, "v2", s.kernel, s.initramfs), -EEXIST);
	assert_int_equal(begin(w, "v2", s.initramfs, s.kernel), -ENOTUNIQ);
	again(w);
	assert_true(images_usable(w->images, "v2"));
	assert_int_equal(images_remove(w->images, "v1", NULL), -EBUSY);
	assert_int_equal(images_remove(w->images, "v2", NULL), 0);
	assert_int_equal(images_remove(w->images, "v2", NULL), -ENOENT);
	assert_false(there(w, "v2"));
	assert_false(there(w, ".gone-v2"));
}

static void test_upload_broken(void **state)
{
	static const char *const more[] = {"v3", "v4", "v5"};
	struct world *w = *state;
	struct sums s;
	bool done;

	sums_of(w, &s);
	assert_int_equal(begin(w, "v2", s.kernel, s.initramfs), 0);
	assert_int_equal(piece(w, "bzImage", 0, "kernle", &done), -EBADMSG);
	assert_false(there(w, ".upload-v2"));
	assert_int_equal(piece(w, "initramfs", 0, "initramfs", &done), -ENOENT);
	/* Begun again, in the middle */
	assert_int_equal(begin(w, "v2", s.kernel, s.initramfs), 0);
	assert_int_equal(piece(w, "bzImage", 0, "ker", &done), 0);
	assert_int_equal(begin(w, "v2", s.kernel, s.initramfs), 0);
	assert_int_equal(piece(w, "bzImage", 0, "kernel", &done), 0);
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		assert_int_equal(begin(w, more[i], s.kernel, s.initramfs), 0);
	assert_int_equal(begin(w, "v6", s.kernel, s.initramfs), -EBUSY);
}

static int manifest(const char *version, const char *text)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct image_info info;

	if (json_parse(text, strlen(text), &doc, NULL) < 0)
		fail_msg("%s", text);
	return image_manifest_read(version, json_root(doc), &info, NULL);
}

#define LONG	      "0123456789012345678901234567890123456789012345678901234567890123"
#define F(name, size) "{\"name\":\"" name "\",\"sha256\":\"" ANY_SUM "\",\"sizeBytes\":" size "}"

static void test_manifest(void **state)
{
	static const char *const bad[] = {
		"{}",
		"[]",
		"{\"files\":{}}",
		"{\"files\":[]}",
		"{\"files\":[" F("bzImage", "1") "]}",
		"{\"files\":[" F("bzImage", "1") "," F("bzImage", "1") "]}",
		"{\"files\":[" F("bzImage", "0") "," F("initramfs", "1") "]}",
		"{\"files\":[" F("bzImage", "-1") "," F("initramfs", "1") "]}",
		"{\"files\":[" F("bzImage", "1073741824") "," F("initramfs", "1") "]}",
		"{\"files\":[" F("bzImage", "1") "," F("initramfs", "1") "," F("../x", "1") "]}",
		"{\"files\":[" F("bzImage", "1") "," F("initramfs", "1") "," F("a/b", "1") "]}",
		"{\"files\":[" F("bzImage", "1") "," F("initramfs", "1") "," F("x.sha256",
									       "1") "]}",
		"{\"files\":[" F("bzImage", "1") "," F("initramfs", "1") ",{\"name\":\"x\"}]}",
	};
	static const char good[] = "{\"files\":[" F("bzImage", "1") "," F("initramfs", "1") "]}";
	static const char *const versions[] = {"",   ".",   "..",  "a/b", ".a",
					       "-a", "a b", "a\n", "ä",	  LONG};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (manifest("v", bad[i]) != -EINVAL)
			fail_msg("%s", bad[i]);
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		assert_int_equal(manifest(versions[i], good), -EINVAL);
	assert_int_equal(manifest("80883c368326", good), 0);
	assert_int_equal(manifest("v1.2-3_x", good), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_default, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_folders_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nameless, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_default_bad, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reload, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_loader, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_media, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tidy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_upload, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_upload_broken, set_up, tear_down),
		cmocka_unit_test(test_manifest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
