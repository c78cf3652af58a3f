/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMBIOS tables (DMTF DSP0134 3.7): structure after structure, each a formatted area and its
 * strings.
 *
 * The table is what firmware left in memory, so every length in it is a claim. Nothing outside of
 * the given bytes is ever read: an iterator gives out structures that lie in the table as a whole,
 * and the getters give the caller's default for what lies behind a structure's own end (which is
 * also how a table of an older version looks). Nothing is allocated.
 */
#ifndef INVENTORY_SMBIOS_H
#define INVENTORY_SMBIOS_H

#include <stddef.h>
#include <stdint.h>

#define SMBIOS_STRUCTURES_MAX 8192 /* a big machine has a thousand */
#define SMBIOS_TEXT_MAX	      128 /* longer strings are cut */
#define SMBIOS_UUID_MAX	      37

struct smbios {
	const uint8_t *data;
	size_t len, at;
	unsigned int count;
};

struct smbios_part {
	uint8_t type;
	uint16_t handle;
	const uint8_t *data; /* formatted area, its header included */
	size_t len;
	const char *strings; /* up to and with the last string's NUL */
	size_t strings_len;
};

/** smbios_start() - Begin at the first structure of a table of @len bytes */
struct smbios smbios_start(const void *table, size_t len);

/**
 * smbios_next() - The next structure
 * Return: 1; 0 at the end (type 127, or no more bytes); -EBADMSG when what follows is no structure:
 *         what came before is good. -E2BIG after SMBIOS_STRUCTURES_MAX.
 * Source: DSP0134 §6.1.2 (header), §6.1.3 (strings).
 */
int smbios_next(struct smbios *s, struct smbios_part *part);

/** smbios_u8() ... - Number at @offset of the formatted area, little-endian; @otherwise when it is not there */
uint8_t smbios_u8(const struct smbios_part *p, size_t offset, uint8_t otherwise);
uint16_t smbios_u16(const struct smbios_part *p, size_t offset, uint16_t otherwise);
uint32_t smbios_u32(const struct smbios_part *p, size_t offset, uint32_t otherwise);

/**
 * smbios_text() - The string whose number stands at @offset
 * @out: SMBIOS_TEXT_MAX bytes: trimmed, in printable ASCII with '?' for all else; "" when there is none
 * Return: @out.
 */
char *smbios_text(const struct smbios_part *p, size_t offset, char *out);

/**
 * smbios_uuid() - The UUID at @offset
 * @version: of the table, major << 8 | minor: before 2.6 the bytes stand as they are written
 * @out:     SMBIOS_UUID_MAX bytes, lower case; "" when it is not there
 * Return: @out.
 * Source: DSP0134 §7.2.1.
 */
char *smbios_uuid(const struct smbios_part *p, size_t offset, uint16_t version, char *out);

/**
 * smbios_version() - Version that an entry point tells
 * Return: major << 8 | minor; 0 when it is none.
 * Source: DSP0134 §5.2.1, §5.2.2.
 */
uint16_t smbios_version(const void *entry, size_t len);

/**
 * smbios_dimm_bytes() - Size of a memory device (type 17)
 * Return: bytes; 0 for an empty slot; -1 unknown.
 * Source: DSP0134 §7.18.4, §7.18.5.
 */
int64_t smbios_dimm_bytes(const struct smbios_part *p);

#endif
