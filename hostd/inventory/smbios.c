// SPDX-License-Identifier: Apache-2.0
#include "inventory/smbios.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define SMBIOS_HEADER_SIZE 4
#define SMBIOS_TYPE_END	   127
#define SMBIOS_LEN_OFFSET  1
#define SMBIOS_HANDLE	   2

struct smbios smbios_start(const void *table, size_t len)
{
	return (struct smbios){.data = table, .len = len};
}

/* Where the two NULs begin that end a structure's strings, or @len. */
static size_t smbios_strings_end(const uint8_t *data, size_t at, size_t len)
{
	for (; len - at >= 2; at++)
		if (!data[at] && !data[at + 1])
			return at;
	return len;
}

int smbios_next(struct smbios *s, struct smbios_part *part)
{
	const uint8_t *p = s->data + s->at;
	size_t left = s->len - s->at, end;

	if (!left)
		return 0;
	if (s->count == SMBIOS_STRUCTURES_MAX)
		return -E2BIG;
	if (left < SMBIOS_HEADER_SIZE || p[SMBIOS_LEN_OFFSET] < SMBIOS_HEADER_SIZE ||
	    p[SMBIOS_LEN_OFFSET] > left)
		return -EBADMSG;
	if (p[0] == SMBIOS_TYPE_END)
		return 0;
	*part = (struct smbios_part){.type = p[0], .data = p, .len = p[SMBIOS_LEN_OFFSET]};
	part->handle = smbios_u16(part, SMBIOS_HANDLE, 0);
	end = smbios_strings_end(s->data, s->at + part->len, s->len);
	if (end == s->len)
		return -EBADMSG;
	part->strings = (const char *)p + part->len;
	part->strings_len = end + 1 - (s->at + part->len);
	s->at = end + 2;
	s->count++;
	return 1;
}

uint8_t smbios_u8(const struct smbios_part *p, size_t offset, uint8_t otherwise)
{
	return offset < p->len ? p->data[offset] : otherwise;
}

uint16_t smbios_u16(const struct smbios_part *p, size_t offset, uint16_t otherwise)
{
	if (p->len < 2 || offset > p->len - 2)
		return otherwise;
	return (uint16_t)(p->data[offset] | p->data[offset + 1] << 8);
}

uint32_t smbios_u32(const struct smbios_part *p, size_t offset, uint32_t otherwise)
{
	if (p->len < 4 || offset > p->len - 4)
		return otherwise;
	return smbios_u16(p, offset, 0) | (uint32_t)smbios_u16(p, offset + 2, 0) << 16;
}

char *smbios_text(const struct smbios_part *p, size_t offset, char *out)
{
	const char *s = p->strings, *end = p->strings + p->strings_len;
	char text[SMBIOS_TEXT_MAX];
	size_t n = 0;

	out[0] = '\0';
	/* The strings' numbers begin with 1; the part ends with a NUL, so each has its end inside of it. */
	for (uint8_t number = smbios_u8(p, offset, 0); number != 1; number--) {
		if (!number)
			return out;
		s += strnlen(s, (size_t)(end - s)) + 1;
		if (s >= end)
			return out;
	}
	for (; s < end && *s && n < sizeof(text) - 1; s++)
		text[n++] = *s >= ' ' && *s <= '~' ? *s : '?';
	text[n] = '\0';
	(void)str_copy(out, SMBIOS_TEXT_MAX, str_trim(text));
	return out;
}

char *smbios_uuid(const struct smbios_part *p, size_t offset, uint16_t version, char *out)
{
	static const uint8_t swapped[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
	size_t n = 0;

	out[0] = '\0';
	if (p->len < 16 || offset > p->len - 16)
		return out;
	for (size_t i = 0; i < 16; i++) {
		uint8_t byte = p->data[offset + (version < 0x0206 ? i : swapped[i])];

		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[n++] = '-';
		snprintf(out + n, SMBIOS_UUID_MAX - n, "%02x", byte);
		n += 2;
	}
	return out;
}

uint16_t smbios_version(const void *entry, size_t len)
{
	const uint8_t *p = entry;

	if (len >= 9 && memcmp(p, "_SM3_", 5) == 0)
		return (uint16_t)(p[7] << 8 | p[8]);
	if (len >= 8 && memcmp(p, "_SM_", 4) == 0)
		return (uint16_t)(p[6] << 8 | p[7]);
	return 0;
}

int64_t smbios_dimm_bytes(const struct smbios_part *p)
{
	uint16_t size = smbios_u16(p, 0x0c, 0xffff);

	if (size == 0xffff)
		return -1;
	/* In the field that came with 2.7, in MiB; its highest bit is reserved */
	if (size == 0x7fff)
		return (int64_t)(smbios_u32(p, 0x1c, 0) & 0x7fffffff) << 20;
	return (int64_t)(size & 0x7fff) << (size & 0x8000 ? 10 : 20);
}
