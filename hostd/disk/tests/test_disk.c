// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
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
	static const uint64_t sizes[] = {DISK_SCRATCH_MIN, 100 << 20, (uint64_t)1 << 30,
					 ((uint64_t)5 << 30) + 12345};
	_cleanup_free_ char *path = in_dir("scratch");
	_cleanup_free_ char *command = mem_printf("e2fsck -fn %s >/dev/null 2>&1", path);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct err e = ERR_INIT;
		struct stat st;

		assert_int_equal(disk_scratch_create(path, sizes[i], &e), 0);
		assert_int_equal(system(command), 0);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_size, (off_t)sizes[i]);
		/* Sparse: nothing but a few tables is stored. */
		assert_true(st.st_blocks * 512 < 256 << 10);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
}

static void test_scratch_refuses(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(disk_scratch_create("/nonexistent/scratch", DISK_SCRATCH_MIN, &e),
			 -ENOENT);
	assert_non_null(strstr(err_msg(&e), "/nonexistent/scratch"));
	assert_int_equal(disk_scratch_create("/tmp/x", DISK_SCRATCH_MIN - 1, &e), -EINVAL);
	assert_int_equal(access("/tmp/x", F_OK), -1);
}

static void test_plan_places_layers(void **state)
{
	_cleanup_free_ char *a = in_dir("a"), *b = in_dir("b"), *scratch = in_dir("s");
	const char *layers[] = {a, b, a};
	struct err e = ERR_INIT;
	struct disk_plan plan;

	(void)state;
	write_layer(a, 4096, 0xe2);
	write_layer(b, 5000, 0xe2);
	assert_int_equal(disk_scratch_create(scratch, DISK_SCRATCH_MIN, &e), 0);
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
		cmocka_unit_test(test_scratch_is_sound),
		cmocka_unit_test(test_scratch_refuses),
		cmocka_unit_test(test_plan_places_layers),
		cmocka_unit_test(test_plan_refuses),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
