// SPDX-License-Identifier: Apache-2.0
/* SMBIOS tables: one of QEMU's as a host read it, and odd ones made by hand. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "inventory/gather.h"
#include "inventory/smbios.h"

#define DATA  "hostd/inventory/tests/data/"
#define ENTRY "_SM_\0\x1f\x02\x08"

/* A structure: type, length, handle, and what else is in its formatted area */
#define PART(type, len, ...) type, len, 0x01, 0x02, __VA_ARGS__
#define END		     127, 4, 0, 0, 0, 0

static struct buf table;

/* In memory of its very size, so that a byte too far is seen */
static struct smbios_part first(const uint8_t *data, size_t len, int want)
{
	static uint8_t *copy;
	struct smbios_part p = {0};
	struct smbios s;

	free(copy);
	copy = malloc(len ? len : 1);
	assert_non_null(copy);
	memcpy(copy, data, len);
	s = smbios_start(copy, len);
	assert_int_equal(smbios_next(&s, &p), want);
	return p;
}

static void read_table(void)
{
	buf_init(&table, 65536);
	assert_int_equal(file_read(AT_FDCWD, DATA "qemu-7.2.dmi", &table, NULL), 0);
}

/* The document that a table makes; json_write() of it, to be freed */
static char *document(const void *data, size_t len)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct gather g = {.doc = doc, .root = json_new_obj(doc)};
	const struct gather_firmware f = {ENTRY, data, sizeof(ENTRY) - 1, len};
	struct buf out = BUF_INIT(0);

	gather_firmware(&g, &f);
	assert_int_equal(json_write(g.root, &out), 0);
	return buf_take(&out);
}

static void test_real(void **state)
{
	_cleanup_free_ char *text = NULL;

	(void)state;
	read_table();
	text = document(table.data, table.len);
	assert_string_equal(
		text,
		"{\"bios\":{\"vendor\":\"Hyper-Firmware\",\"version\":\"1.2.3\",\"date\":\"02/03/2026\","
		"\"release\":\"4.5\"},\"system\":{\"vendor\":\"Acme\",\"product\":\"Rack-9000\","
		"\"version\":\"rev-B\",\"serial\":\"HM-0\",\"sku\":\"R9-2S\",\"family\":\"Nines\","
		"\"uuid\":\"5df2f770-6b9d-43ab-8f1b-154d51f94cb9\"},\"board\":{\"vendor\":\"Acme\","
		"\"product\":\"Board-7\",\"serial\":\"BRD-0042\"},\"blank\":[\"board.version\","
		"\"board.assetTag\"],\"chassis\":{\"vendor\":\"Acme\",\"version\":\"2U\","
		"\"serial\":\"CHS-0007\",\"assetTag\":\"row7/rack12\"},\"memory\":{\"slots\":1,"
		"\"errorCorrection\":\"multi-bit\",\"dimms\":[{\"slot\":\"DIMM_A 0\","
		"\"sizeBytes\":1073741824,\"type\":\"RAM\",\"ratedMTs\":2400,\"speedMTs\":2400,"
		"\"bank\":\"BANK_0\",\"vendor\":\"Rambus\",\"part\":\"R-2400\",\"serial\":\"MEM-55\"}]},"
		"\"bmc\":{\"present\":true,\"interface\":\"KCS\",\"ipmi\":\"2.0\"},"
		"\"smbios\":{\"version\":\"2.8\",\"structures\":10}}");
	buf_done(&table);
}

static void test_cut_anywhere(void **state)
{
	(void)state;
	read_table();
	for (size_t len = 0; len <= table.len; len++) {
		char *copy = malloc(len ? len : 1);

		assert_non_null(copy);
		memcpy(copy, table.data, len);
		free(document(copy, len));
		free(copy);
	}
	buf_done(&table);
}

/* Every byte of it turned into others: lengths, numbers of strings, ends */
static void test_changed_anywhere(void **state)
{
	static const uint8_t values[] = {0, 1, 4, 127, 255};

	(void)state;
	read_table();
	for (size_t at = 0; at < table.len; at++) {
		char before = table.data[at];

		for (size_t i = 0; i < sizeof(values); i++) {
			table.data[at] = (char)values[i];
			free(document(table.data, table.len));
		}
		table.data[at] = before;
	}
	buf_done(&table);
}

static void test_malformed(void **state)
{
	static const uint8_t short_header[] = {1, 4, 0}, short_length[] = {PART(1, 3, 0, 0)},
			     long_length[] = {PART(1, 200, 0, 0)}, no_strings[] = {PART(1, 5, 7)},
			     one_nul[] = {PART(1, 5, 7, 0)},
			     no_end[] = {PART(1, 5, 1, 'a', 'b', 0)}, end[] = {END},
			     bare_end[] = {127, 4, 0, 0};

	(void)state;
	first(short_header, sizeof(short_header), -EBADMSG);
	first(short_length, sizeof(short_length), -EBADMSG);
	first(long_length, sizeof(long_length), -EBADMSG);
	first(no_strings, sizeof(no_strings), -EBADMSG);
	first(one_nul, sizeof(one_nul), -EBADMSG);
	first(no_end, sizeof(no_end), -EBADMSG);
	first(end, sizeof(end), 0);
	first(bare_end, sizeof(bare_end), 0);
	first(end, 0, 0);
}

static void test_endless(void **state)
{
	static uint8_t data[(SMBIOS_STRUCTURES_MAX + 10) * 6];
	struct smbios s = smbios_start(data, sizeof(data));
	struct smbios_part p;
	int r, count = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i += 6)
		data[i + 1] = 4;
	while ((r = smbios_next(&s, &p)) > 0)
		count++;
	assert_int_equal(r, -E2BIG);
	assert_int_equal(count, SMBIOS_STRUCTURES_MAX);
}

static void test_numbers(void **state)
{
	static const uint8_t data[] = {PART(9, 10, 1, 2, 3, 4, 5, 6), 0, 0};
	struct smbios_part p = first(data, sizeof(data), 1);

	(void)state;
	assert_int_equal(p.handle, 0x0201);
	assert_int_equal(smbios_u8(&p, 9, 99), 6);
	assert_int_equal(smbios_u8(&p, 10, 99), 99);
	assert_int_equal(smbios_u16(&p, 8, 99), 0x0605);
	assert_int_equal(smbios_u16(&p, 9, 99), 99);
	assert_int_equal(smbios_u32(&p, 6, 99), 0x06050403);
	assert_int_equal(smbios_u32(&p, 7, 99), 99);
	assert_int_equal(smbios_u32(&p, SIZE_MAX, 99), 99);
}

static void test_texts(void **state)
{
	static const uint8_t data[] = {
		PART(9, 9, 1, 2, 3, 4, 0), ' ', 'a', ' ', ' ', 0, 'b', '\n', 0xff, 0, 'c', 0, 0};
	struct smbios_part p = first(data, sizeof(data), 1);
	char text[SMBIOS_TEXT_MAX];

	(void)state;
	assert_string_equal(smbios_text(&p, 4, text), "a");
	assert_string_equal(smbios_text(&p, 5, text), "b??");
	assert_string_equal(smbios_text(&p, 6, text), "c");
	assert_string_equal(smbios_text(&p, 7, text), ""); /* there is no fourth one */
	assert_string_equal(smbios_text(&p, 8, text), "");
	assert_string_equal(smbios_text(&p, 9, text), "");
}

static void test_long_text(void **state)
{
	uint8_t data[1000] = {PART(9, 5, 1)};
	char text[SMBIOS_TEXT_MAX];
	struct smbios_part p;

	(void)state;
	memset(data + 5, 'x', sizeof(data) - 7);
	p = first(data, sizeof(data), 1);
	assert_int_equal(strlen(smbios_text(&p, 4, text)), SMBIOS_TEXT_MAX - 1);
}

static void test_uuid(void **state)
{
	static const uint8_t data[] = {PART(1, 20, 0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66,
					    0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff),
				       0, 0};
	struct smbios_part p = first(data, sizeof(data), 1);
	char uuid[SMBIOS_UUID_MAX];

	(void)state;
	assert_string_equal(smbios_uuid(&p, 4, 0x0208, uuid),
			    "00112233-4455-6677-8899-aabbccddeeff");
	assert_string_equal(smbios_uuid(&p, 4, 0x0205, uuid),
			    "33221100-5544-7766-8899-aabbccddeeff");
	assert_string_equal(smbios_uuid(&p, 5, 0x0208, uuid), "");
}

static int64_t dimm(uint16_t size, uint32_t extended, uint8_t len)
{
	uint8_t data[0x22] = {PART(17, len, 0)};

	data[0x0c] = (uint8_t)size;
	data[0x0d] = (uint8_t)(size >> 8);
	for (int i = 0; i < 4; i++)
		data[0x1c + i] = (uint8_t)(extended >> 8 * i);
	memset(data + len, 0, sizeof(data) - len);
	{
		struct smbios_part p = first(data, len + 2U, 1);

		return smbios_dimm_bytes(&p);
	}
}

static void test_dimm_sizes(void **state)
{
	(void)state;
	assert_int_equal(dimm(0, 0, 0x20), 0);
	assert_int_equal(dimm(0xffff, 0, 0x20), -1);
	assert_int_equal(dimm(1024, 0, 0x20), 1LL << 30);
	assert_int_equal(dimm(0x8200, 0, 0x20), 512 << 10);
	assert_int_equal(dimm(0x7fff, 65536, 0x20), 64LL << 30);
	assert_int_equal(dimm(0x7fff, UINT32_MAX, 0x20), (int64_t)INT32_MAX << 20);
	assert_int_equal(dimm(0x7fff, 1, 0x1c), 0); /* of a table that has no such field */
	assert_int_equal(dimm(1024, 0, 0x0c), -1);
}

static void test_version(void **state)
{
	(void)state;
	assert_int_equal(smbios_version("_SM3_\0\0\x03\x07", 9), 0x0307);
	assert_int_equal(smbios_version("_SM3_\0\0\x03\x07", 8), 0);
	assert_int_equal(smbios_version(ENTRY, 8), 0x0208);
	assert_int_equal(smbios_version("_DMI_", 5), 0);
	assert_int_equal(smbios_version("", 0), 0);
}

static void test_first_counts(void **state)
{
	static const uint8_t data[] = {PART(1, 8, 1, 0, 0, 2), 'A', 0, 'N', 'o', 'n', 'e', 0, 0,
				       PART(1, 8, 1, 0, 0, 0), 'B', 0, 0,   END};
	_cleanup_free_ char *text = document(data, sizeof(data));

	(void)state;
	assert_string_equal(text,
			    "{\"system\":{\"vendor\":\"A\"},\"blank\":[\"system.serial\","
			    "\"system.uuid\"],\"smbios\":{\"version\":\"2.8\",\"structures\":2}}");
}

static void test_error_is_told(void **state)
{
	static const uint8_t data[] = {PART(38, 6, 1, 0x20), 0, 0, PART(1, 99, 0)};
	_cleanup_free_ char *text = document(data, sizeof(data));

	(void)state;
	assert_string_equal(text,
			    "{\"bmc\":{\"present\":true,\"interface\":\"KCS\",\"ipmi\":\"2.0\"},"
			    "\"smbios\":{\"version\":\"2.8\",\"structures\":1,\"error\":"
			    "\"malformed behind structure 1, at byte 8 of 13\"}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real),	      cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_malformed),     cmocka_unit_test(test_changed_anywhere),
		cmocka_unit_test(test_endless),	      cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_texts),	      cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_uuid),	      cmocka_unit_test(test_dimm_sizes),
		cmocka_unit_test(test_version),	      cmocka_unit_test(test_first_counts),
		cmocka_unit_test(test_error_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
