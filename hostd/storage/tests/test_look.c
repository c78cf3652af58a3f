// SPDX-License-Identifier: Apache-2.0
/* What is on a disk: the label that we write is read again, whatever is there besides counts as somebody's. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "storage/label.h"
#include "storage/look.h"
#include "storage/prepare.h"

#define FLEET	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define ANOTHER "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SIZE	((uint64_t)300 << 20)

static char path[64];
static int fd = -1;

static int set_up(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "/tmp/test-look-XXXXXX");
	fd = mkstemp(path);
	return fd < 0 || ftruncate(fd, SIZE) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(fd);
	return unlink(path);
}

static void fresh(void)
{
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(ftruncate(fd, SIZE), 0);
}

static void put(int64_t at, const void *data, size_t len)
{
	off_t from = at < 0 ? (off_t)SIZE + at : at;

	assert_int_equal(pwrite(fd, data, len, from), (ssize_t)len);
}

static void assert_look(uint32_t sector, enum look_state state, const char *holds)
{
	struct look l;

	look_at(fd, SIZE, sector, FLEET, &l);
	assert_string_equal(l.holds, holds);
	assert_string_equal(look_name(l.state), look_name(state));
}

static void test_empty(void **state)
{
	(void)state;
	assert_look(512, LOOK_EMPTY, "");
	assert_look(4096, LOOK_EMPTY, "");
}

/* One byte anywhere at head or tail, or where samples are taken */
static void test_not_empty(void **state)
{
	static const int64_t places[] = {0, 4095, (4 << 20) - 1, -1, -(4 << 20), SIZE / 64 * 32};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		fresh();
		put(places[i] == SIZE / 64 * 32 ? places[i] / 4096 * 4096 : places[i], "x", 1);
		assert_look(512, LOOK_FOREIGN, "data that nobody here knows");
	}
}

static void test_label(void **state)
{
	static const uint32_t sectors[] = {512, 4096};
	struct err e = ERR_INIT;
	struct look l;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sectors); i++) {
		fresh();
		assert_int_equal(label_write(fd, SIZE, sectors[i], FLEET, &e), 0);
		look_at(fd, SIZE, sectors[i], FLEET, &l);
		assert_string_equal(l.holds, "hypermetal-00112233445566778899");
		assert_int_equal(l.state, LOOK_OURS);
		assert_int_equal(l.part_offset_bytes, 1 << 20);
		assert_int_equal(l.part_bytes, SIZE - (2 << 20));
		look_at(fd, SIZE, sectors[i], ANOTHER, &l);
		assert_int_equal(l.state, LOOK_OTHER_FLEET);
		assert_string_equal(l.holds, "hypermetal-00112233445566778899");
		/* A table that is damaged is no label */
		put(sectors[i], "EFI PAST", 8);
		put((int64_t)SIZE - sectors[i], "EFI PAST", 8);
		look_at(fd, SIZE, sectors[i], FLEET, &l);
		assert_int_equal(l.state, LOOK_FOREIGN);
	}
	assert_int_equal(label_write(fd, LABEL_DISK_MIN - 1, 512, FLEET, &e), -EINVAL);
	assert_int_equal(label_write(fd, SIZE, 520, FLEET, &e), -EINVAL);
}

/* Partition tools agree, and the file system that we make is sound */
static void test_others_agree(void **state)
{
	struct err e = ERR_INIT;
	char command[256], uuid[LABEL_UUID_MAX];
	uint64_t from = 1 << 20, size = SIZE - (2 << 20);
	char *part, *data;
	int file;

	(void)state;
	assert_int_equal(label_write(fd, SIZE, 512, FLEET, &e), 0);
	snprintf(command, sizeof(command), "sfdisk --verify %s >/dev/null", path);
	assert_int_equal(system(command), 0);
	part = mem_printf("%s.part", path);
	snprintf(command, sizeof(command), "truncate -s %llu %s", (unsigned long long)size, part);
	assert_int_equal(system(command), 0);
	assert_int_equal(prepare_mkfs(part, size, label_uuid(FLEET, uuid), &e), 0);
	snprintf(command, sizeof(command), "e2fsck -fn %s >/dev/null 2>&1", part);
	assert_int_equal(system(command), 0);
	/* Behind our label it is ours, but not with another's name */
	data = mem_alloc(size);
	file = open(part, O_RDONLY);
	assert_int_equal(pread(file, data, size, 0), (ssize_t)size);
	close(file);
	put((int64_t)from, data, size);
	assert_look(512, LOOK_OURS, "hypermetal-00112233445566778899");
	put((int64_t)from + 1024 + 104, "0123456789abcdef", 16);
	assert_look(512, LOOK_FOREIGN, "gpt: ext4");
	unlink(part);
	free(part);
	free(data);
}

struct bytes {
	int64_t at;
	const void *data;
	size_t len;
};

static void assert_holds(const char *holds, const struct bytes *parts, size_t count)
{
	fresh();
	for (size_t i = 0; i < count; i++)
		put(parts[i].at, parts[i].data, parts[i].len);
	assert_look(512, LOOK_FOREIGN, holds);
}

static size_t zfs_pair(uint8_t *at, const char *name, uint8_t value)
{
	size_t padded = (strlen(name) + 3) / 4 * 4, size = 12 + padded + 16;

	at[3] = (uint8_t)size;
	at[11] = (uint8_t)strlen(name);
	memcpy(at + 12, name, strlen(name));
	at[12 + padded + 3] = 8; /* an uint64 */
	at[12 + padded + 7] = 1;
	at[size - 1] = value;
	return size;
}

/* The list of a vdev's label: big-endian pairs behind a header of 12 bytes. Return: its size */
static size_t zfs_label(uint8_t *out)
{
	size_t n = 12;

	memset(out, 0, 256);
	out[0] = out[1] = 1;
	n += zfs_pair(out + n, "state", 0);
	n += zfs_pair(out + n, "txg", 4);
	n += zfs_pair(out + n, "guid", 7);
	return n;
}

/* Signatures as the formats' documents have them. What is damaged keeps its name, or has none; it is never empty */
static void test_signatures(void **state)
{
	static const uint8_t luks1[] = {'L', 'U', 'K', 'S', 0xba, 0xbe, 0, 1};
	static const uint8_t md[] = {0xfc, 0x4e, 0x2b, 0xa9, 1};
	static const uint8_t md_place[] = {8}; /* in sectors: version 1.2 */
	static const uint8_t md_old[] = {0xfc, 0x4e, 0x2b, 0xa9, 0, 0, 0, 0, 90};
	uint8_t zfs[256];

	(void)state;
	assert_holds("LVM2_member",
		     &(struct bytes){512, "LABELONE\1\0\0\0\0\0\0\0\0\0\0\0\40\0\0\0LVM2 001", 32},
		     1);
	assert_holds("crypto_LUKS", &(struct bytes){0, luks1, sizeof(luks1)}, 1);
	assert_holds("ceph_bluestore", &(struct bytes){0, "bluestore block device\n", 23}, 1);
	assert_holds("swap",
		     (struct bytes[]){{4086, "SWAPSPACE2", 10}, {1024, "\1\0\0\0\377\0\0", 8}}, 2);
	assert_holds("linux_raid_member",
		     (struct bytes[]){{4096, md, sizeof(md)}, {4096 + 144, md_place, 1}}, 2);
	assert_holds("linux_raid_member", &(struct bytes){-65536, md_old, sizeof(md_old)}, 1);
	assert_holds("iso9660", &(struct bytes){32768, "\1CD001\1", 7}, 1);
	assert_holds("zfs_member", &(struct bytes){16384, zfs, zfs_label(zfs)}, 1);
	assert_holds("data that nobody here knows", &(struct bytes){0, "XFSB", 4}, 1);
	/* Several lives of one disk */
	assert_holds(
		"LVM2_member, iso9660",
		(struct bytes[]){{512, "LABELONE\1\0\0\0\0\0\0\0\0\0\0\0\40\0\0\0LVM2 001", 32},
				 {32768, "\1CD001\1", 7}},
		2);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_empty),	      T(test_not_empty),  T(test_label),
		T(test_others_agree), T(test_signatures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
