// SPDX-License-Identifier: Apache-2.0
#include "storage/label.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/str.h"

#define LABEL_ENTRIES	 128
#define LABEL_ENTRY_SIZE 128
#define LABEL_TABLE_SIZE (LABEL_ENTRIES * LABEL_ENTRY_SIZE)
#define LABEL_HEADER	 92 /* bytes that its checksum is over */
#define LABEL_SECTOR_MAX 4096

static void put16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)v;
	at[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *at, uint32_t v)
{
	put16(at, (uint16_t)v);
	put16(at + 2, (uint16_t)(v >> 16));
}

static void put64(uint8_t *at, uint64_t v)
{
	put32(at, (uint32_t)v);
	put32(at + 4, (uint32_t)(v >> 32));
}

/* A GUID's first three fields are little-endian; UEFI 2.10 appendix A */
static void put_guid(uint8_t *at, const uint8_t raw[16])
{
	static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

	for (int i = 0; i < 16; i++)
		at[i] = raw[order[i]];
}

static void put_guid_text(uint8_t *at, const char *text)
{
	char hex[33];
	uint8_t raw[16] = {0};
	size_t n = 0;

	for (; *text && n < sizeof(hex) - 1; text++)
		if (*text != '-')
			hex[n++] = *text;
	hex[n] = '\0';
	(void)str_unhex(raw, sizeof(raw), hex);
	put_guid(at, raw);
}

static void put_guid_random(uint8_t *at)
{
	uint8_t raw[16];

	random_fill(raw, sizeof(raw));
	raw[6] = (raw[6] & 0x0f) | 0x40; /* version 4; RFC 9562 §5.4 */
	raw[8] = (raw[8] & 0x3f) | 0x80;
	put_guid(at, raw);
}

char *label_name(const char *fleet, char out[LABEL_NAME_MAX])
{
	snprintf(out, LABEL_NAME_MAX, "hypermetal-%.20s", fleet);
	return out;
}

char *label_uuid(const char *fleet, char out[LABEL_UUID_MAX])
{
	snprintf(out, LABEL_UUID_MAX, "%.8s-%.4s-%.4s-%.4s-%.12s", fleet, fleet + 8, fleet + 12,
		 fleet + 16, fleet + 20);
	return out;
}

struct label_plan {
	uint32_t sector;
	uint64_t last, first_usable, last_usable; /* blocks */
	uint64_t table_blocks;
	uint8_t disk_guid[16];
	uint32_t table_crc;
};

static void label_header(const struct label_plan *p, uint8_t *block, uint64_t mine, uint64_t other,
			 uint64_t table)
{
	memset(block, 0, p->sector);
	memcpy(block, "EFI PART", 8);
	put32(block + 8, 0x00010000);
	put32(block + 12, LABEL_HEADER);
	put64(block + 24, mine);
	put64(block + 32, other);
	put64(block + 40, p->first_usable);
	put64(block + 48, p->last_usable);
	memcpy(block + 56, p->disk_guid, 16);
	put64(block + 72, table);
	put32(block + 80, LABEL_ENTRIES);
	put32(block + 84, LABEL_ENTRY_SIZE);
	put32(block + 88, p->table_crc);
	put32(block + 16, (uint32_t)crc32(0, block, LABEL_HEADER));
}

/* For programs that know no GPT: all is taken. UEFI 2.10 §5.2.3 */
static void label_protect(const struct label_plan *p, uint8_t *block)
{
	memset(block, 0, p->sector);
	block[446 + 2] = 0x02; /* head 0, sector 2 */
	block[446 + 4] = 0xee;
	memset(block + 446 + 5, 0xff, 3);
	put32(block + 446 + 8, 1);
	put32(block + 446 + 12, p->last > UINT32_MAX ? UINT32_MAX : (uint32_t)p->last);
	block[510] = 0x55;
	block[511] = 0xaa;
}

static void label_entry(const struct label_plan *p, uint8_t *entry, const char *fleet)
{
	uint64_t align = LABEL_ALIGN / p->sector;
	char name[LABEL_NAME_MAX];

	put_guid_text(entry, LABEL_TYPE);
	put_guid_random(entry + 16);
	put64(entry + 32, align);
	put64(entry + 40, (p->last_usable + 1) / align * align - 1);
	label_name(fleet, name);
	for (size_t i = 0; name[i]; i++)
		put16(entry + 56 + 2 * i, (uint8_t)name[i]);
}

static int label_put(int fd, const struct label_plan *p, uint64_t block, const void *data,
		     size_t len, struct err *e)
{
	ssize_t n = pwrite(fd, data, len, (off_t)(block * p->sector));

	if (n < 0)
		return err_sys(e, -errno, "write the label");
	return (size_t)n == len ? 0 : err_set(e, -EIO, "write the label: only a part was taken");
}

int label_write(int fd, uint64_t size, uint32_t sector, const char *fleet, struct err *e)
{
	_cleanup_free_ uint8_t *table = mem_alloc(LABEL_TABLE_SIZE);
	uint8_t block[LABEL_SECTOR_MAX];
	struct label_plan p = {.sector = sector};
	int r;

	if ((sector != 512 && sector != 4096) || size < LABEL_DISK_MIN)
		return err_set(e, -EINVAL, "a disk with %u-byte blocks and %llu bytes is not used",
			       sector, (unsigned long long)size);
	p.last = size / sector - 1;
	p.table_blocks = LABEL_TABLE_SIZE / sector;
	p.first_usable = 2 + p.table_blocks;
	p.last_usable = p.last - 1 - p.table_blocks;
	put_guid_random(p.disk_guid);
	label_entry(&p, table, fleet);
	p.table_crc = (uint32_t)crc32(0, table, LABEL_TABLE_SIZE);
	r = label_put(fd, &p, p.last - p.table_blocks, table, LABEL_TABLE_SIZE, e);
	if (r == 0) {
		label_header(&p, block, p.last, 1, p.last - p.table_blocks);
		r = label_put(fd, &p, p.last, block, sector, e);
	}
	if (r == 0)
		r = label_put(fd, &p, 2, table, LABEL_TABLE_SIZE, e);
	if (r == 0) {
		label_header(&p, block, 1, p.last, 2);
		r = label_put(fd, &p, 1, block, sector, e);
	}
	if (r == 0) {
		label_protect(&p, block);
		r = label_put(fd, &p, 0, block, sector, e);
	}
	if (r == 0 && fsync(fd) < 0)
		r = err_sys(e, -errno, "write the label");
	return r;
}
