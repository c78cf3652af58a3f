// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "disk/disk.h"

static char dir[] = "/tmp/test_disk.XXXXXX";

static char *in_dir(const char *name)
{
	return mem_printf("%s/%s", dir, name);
}

static void write_layer(const char *path, size_t size, uint8_t first_magic_byte)
{
	_cleanup_free_ uint8_t *data = mem_alloc(size);

	data[1024] = first_magic_byte;
	data[1025] = 0xe1;
	data[1026] = 0xf5;
	data[1027] = 0xe0;
	assert_int_equal(file_write(AT_FDCWD, path, data, size, 0644, NULL), 0);
}

/* e2fsck is the judge: it exits with 0 only for a file system without a fault. */
static void test_scratch_is_sound(void **state)
{
	struct disk_scratch s;

	static const uint64_t sizes[] = {DISK_SCRATCH_MIN, 100 << 20, (uint64_t)1 << 30,
					 ((uint64_t)5 << 30) + 12345};
	_cleanup_free_ char *path = in_dir("scratch");
	_cleanup_free_ char *command = mem_printf("e2fsck -fn %s >/dev/null 2>&1", path);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct err e = ERR_INIT;
		struct stat st;

		assert_int_equal(disk_scratch_layout(sizes[i], NULL, 0, &s, &e), 0);
		assert_int_equal(disk_scratch_create(path, &s, &e), 0);
		assert_int_equal(system(command), 0);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_size, (off_t)(sizes[i] / DISK_ALIGN * DISK_ALIGN));
		/* Sparse: nothing but a few tables is stored. */
		assert_true(st.st_blocks * 512 < 256 << 10);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
}

static void dump(const char *path, const struct disk_part *part, uint64_t *free_blocks,
		 uint64_t *reserved)
{
	_cleanup_free_ char *command = mem_printf(
		"set -e; at='%s?offset=%llu'; e2fsck -fn \"$at\" >/dev/null 2>&1;"
		"dumpe2fs -h \"$at\" 2>/dev/null | sed -n 's/^Free blocks: *//p;"
		"s/^Reserved block count: *//p;s/^Reserved blocks uid: *\\([0-9]*\\).*/\\1/p'",
		path, (unsigned long long)part->offset_bytes);
	FILE *f = popen(command, "r");
	int uid = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%" SCNu64 " %" SCNu64 " %d", reserved, free_blocks, &uid), 3);
	assert_int_equal(pclose(f), 0);
	assert_int_equal(uid, 65535);
}

/* Each volume is a sound file system in which exactly its limit can be written. */
static void test_volumes_are_sound(void **state)
{
	static const uint64_t limits[] = {
		1, 0, 1 << 20, (uint64_t)100 << 20, (uint64_t)2 << 30, UINT64_MAX};
	static const uint64_t scratch_bytes = (uint64_t)3 << 30;
	_cleanup_free_ char *path = in_dir("volumes");
	struct err e = ERR_INIT;
	struct disk_scratch s;
	struct stat st;
	uint64_t end;

	(void)state;
	assert_int_equal(disk_scratch_layout(scratch_bytes, limits, ARRAY_SIZE(limits), &s, &e), 0);
	assert_int_equal(disk_scratch_create(path, &s, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, (off_t)s.size_bytes);
	assert_true(st.st_blocks * 512 < 2 << 20);
	assert_int_equal(s.volumes[1].size_bytes, 0);
	end = s.scratch.size_bytes;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		const struct disk_part *part = &s.volumes[i];
		uint64_t blocks = part->size_bytes / DISK_ALIGN, free_blocks, reserved;

		if (!limits[i])
			continue;
		assert_int_equal(part->offset_bytes, end);
		end += part->size_bytes;
		dump(path, part, &free_blocks, &reserved);
		assert_int_equal((free_blocks - reserved - MIN(blocks / 50, 4096U)) * DISK_ALIGN,
				 part->limit_bytes);
		assert_true(part->limit_bytes - MIN(limits[i], scratch_bytes) < DISK_ALIGN);
	}
	assert_int_equal(s.size_bytes, end);
}

static void test_scratch_refuses(void **state)
{
	struct disk_scratch s;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(disk_scratch_layout(DISK_SCRATCH_MIN, NULL, 0, &s, &e), 0);
	assert_int_equal(disk_scratch_create("/nonexistent/scratch", &s, &e), -ENOENT);
	assert_non_null(strstr(err_msg(&e), "/nonexistent/scratch"));
	assert_int_equal(disk_scratch_layout(DISK_SCRATCH_MIN - 1, NULL, 0, &s, &e), -EINVAL);
	assert_int_equal(disk_scratch_layout(DISK_SCRATCH_MAX + 1, NULL, 0, &s, &e), -EINVAL);
	assert_int_equal(disk_scratch_layout(DISK_SCRATCH_MIN, NULL, DISK_VOLUMES_MAX + 1, &s, &e),
			 -E2BIG);
}

static void test_plan_places_layers(void **state)
{
	_cleanup_free_ char *a = in_dir("a"), *b = in_dir("b"), *scratch = in_dir("s");
	const char *layers[] = {a, b, a};
	struct err e = ERR_INIT;
	struct disk_scratch s;
	struct disk_plan plan;

	(void)state;
	write_layer(a, 4096, 0xe2);
	write_layer(b, 5000, 0xe2);
	assert_int_equal(disk_scratch_layout(DISK_SCRATCH_MIN, NULL, 0, &s, &e), 0);
	assert_int_equal(disk_scratch_create(scratch, &s, &e), 0);
	assert_int_equal(disk_plan_open(layers, 3, scratch, &plan, &e), 0);
	assert_int_equal(plan.layer_count, 3);
	assert_int_equal(plan.layers[0].offset_bytes, 0);
	assert_int_equal(plan.layers[0].size_bytes, 4096);
	assert_int_equal(plan.layers[1].offset_bytes, 4096);
	assert_int_equal(plan.layers[1].size_bytes, 8192);
	assert_int_equal(plan.layers[2].offset_bytes, 4096 + 8192);
	assert_int_equal(plan.scratch_bytes, DISK_SCRATCH_MIN);
	/* Layers cannot be written through what is passed on. */
	assert_int_equal(write(plan.layers[0].fd, "x", 1), -1);
	disk_plan_done(&plan);
	disk_plan_done(&plan);
}

static void test_plan_refuses(void **state)
{
	_cleanup_free_ char *bad = in_dir("bad"), *link = in_dir("link"), *scratch = in_dir("s");
	const char *layers[1] = {bad};
	struct err e = ERR_INIT;
	struct disk_plan plan;

	(void)state;
	write_layer(bad, 4096, 0);
	assert_int_equal(disk_plan_open(layers, 1, scratch, &plan, &e), -EBADMSG);
	assert_int_equal(disk_plan_open(layers, 0, scratch, &plan, &e), -E2BIG);
	assert_int_equal(symlink(bad, link), 0);
	layers[0] = link;
	assert_int_equal(disk_plan_open(layers, 1, scratch, &plan, &e), -ELOOP);
	layers[0] = dir;
	assert_int_equal(disk_plan_open(layers, 1, scratch, &plan, &e), -EINVAL);
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return file_remove_tree(AT_FDCWD, dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scratch_is_sound), cmocka_unit_test(test_volumes_are_sound),
		cmocka_unit_test(test_scratch_refuses),	 cmocka_unit_test(test_plan_places_layers),
		cmocka_unit_test(test_plan_refuses),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
