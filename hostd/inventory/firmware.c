// SPDX-License-Identifier: Apache-2.0
/*
 * What SMBIOS tells, for the document. Texts that stand for nothing (base/vendor.h) are left out
 * and named in `blank`: an operator sees which of his machines have no serial number, and nobody
 * takes «To be filled by O.E.M.» for one.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/vendor.h"
#include "inventory/gather.h"
#include "inventory/smbios.h"

#define FIRMWARE_DIMMS_MAX 1024
#define FIRMWARE_BLANK_MAX 64

enum { /* structure types, DSP0134 §7 */
       TYPE_BIOS = 0,
       TYPE_SYSTEM = 1,
       TYPE_BOARD = 2,
       TYPE_CHASSIS = 3,
       TYPE_MEMORY_ARRAY = 16,
       TYPE_MEMORY_DEVICE = 17,
       TYPE_IPMI = 38,
       TYPE_TPM = 43,
};

struct firmware {
	struct json_doc *doc;
	struct json *root;
	uint16_t version;
};

struct firmware_text {
	uint8_t offset;
	const char *key;
};

static void firmware_blank(struct firmware *f, const char *where, const char *key)
{
	struct json *list = json_arr_of(f->doc, f->root, "blank");

	if (json_count(list) < FIRMWARE_BLANK_MAX)
		json_push(f->doc, list, json_new_fmt(f->doc, "%s.%s", where, key));
}

static void firmware_put(struct firmware *f, const struct smbios_part *p, struct json *obj,
			 const char *where, const struct firmware_text *texts, size_t count)
{
	char text[SMBIOS_TEXT_MAX];

	for (size_t i = 0; i < count; i++) {
		smbios_text(p, texts[i].offset, text);
		if (!vendor_left_blank(text))
			json_put_str(f->doc, obj, texts[i].key, text);
		else if (where && *text)
			firmware_blank(f, where, texts[i].key);
	}
}

/* The object for a structure of which one counts: NULL when an earlier one has filled it. */
static struct json *firmware_first(struct firmware *f, const char *key)
{
	return json_get(f->root, key) ? NULL : json_obj_of(f->doc, f->root, key);
}

static void firmware_bios(struct firmware *f, const struct smbios_part *p)
{
	static const struct firmware_text texts[] = {{4, "vendor"}, {5, "version"}, {8, "date"}};
	struct json *o = firmware_first(f, "bios");
	uint8_t major = smbios_u8(p, 0x14, 0xff), minor = smbios_u8(p, 0x15, 0xff);

	if (!o)
		return;
	firmware_put(f, p, o, "bios", texts, ARRAY_SIZE(texts));
	if (major != 0xff && (major || minor))
		json_put_fmt(f->doc, o, "release", "%u.%u", major, minor);
}

static void firmware_system(struct firmware *f, const struct smbios_part *p)
{
	static const struct firmware_text texts[] = {{4, "vendor"},  {5, "product"},
						     {6, "version"}, {7, "serial"},
						     {0x19, "sku"},  {0x1a, "family"}};
	struct json *o = firmware_first(f, "system");
	char uuid[SMBIOS_UUID_MAX];

	if (!o)
		return;
	firmware_put(f, p, o, "system", texts, ARRAY_SIZE(texts));
	smbios_uuid(p, 8, f->version, uuid);
	if (!vendor_uuid_blank(uuid))
		json_put_str(f->doc, o, "uuid", uuid);
	else
		firmware_blank(f, "system", "uuid");
}

static void firmware_board(struct firmware *f, const struct smbios_part *p)
{
	static const struct firmware_text texts[] = {
		{4, "vendor"}, {5, "product"}, {6, "version"}, {7, "serial"}, {8, "assetTag"}};
	struct json *o = firmware_first(f, "board");

	if (o)
		firmware_put(f, p, o, "board", texts, ARRAY_SIZE(texts));
}

/* DSP0134 §7.4.1, table 17 */
static const char *firmware_chassis_type(uint8_t type)
{
	static const char *const names[] = {
		[0x03] = "desktop",	   [0x04] = "low profile desktop",
		[0x06] = "mini tower",	   [0x07] = "tower",
		[0x08] = "portable",	   [0x09] = "laptop",
		[0x0a] = "notebook",	   [0x0d] = "all in one",
		[0x11] = "main server",	   [0x17] = "rack mount",
		[0x18] = "sealed-case PC", [0x19] = "multi-system",
		[0x1c] = "blade",	   [0x1d] = "blade enclosure",
		[0x22] = "embedded PC",	   [0x23] = "mini PC",
		[0x24] = "stick PC",
	};
	const char *name = type < ARRAY_SIZE(names) ? names[type] : NULL;

	return name ? name : "";
}

static void firmware_chassis(struct firmware *f, const struct smbios_part *p)
{
	static const struct firmware_text texts[] = {
		{4, "vendor"}, {6, "version"}, {7, "serial"}, {8, "assetTag"}};
	struct json *o = firmware_first(f, "chassis");

	if (!o)
		return;
	gather_put(f->doc, o, "type", firmware_chassis_type(smbios_u8(p, 5, 0) & 0x7f));
	firmware_put(f, p, o, "chassis", texts, ARRAY_SIZE(texts));
}

/* Error correction of an array: the first one's is told. DSP0134 §7.17.3 */
static void firmware_array(struct firmware *f, const struct smbios_part *p)
{
	static const char *const names[] = {
		[3] = "none", "parity", "single-bit", "multi-bit", "CRC"};
	struct json *o = json_obj_of(f->doc, f->root, "memory");
	uint8_t use = smbios_u8(p, 5, 0), ecc = smbios_u8(p, 6, 0);

	if (use != 3) /* of the system, not a cache's or a video card's */
		return;
	json_put_int(f->doc, o, "slots",
		     json_int(json_get(o, "slots"), 0) + smbios_u16(p, 0x0d, 0));
	if (ecc >= 3 && ecc < ARRAY_SIZE(names) && !json_get(o, "errorCorrection"))
		json_put_str(f->doc, o, "errorCorrection", names[ecc]);
}

/* DSP0134 §7.18.2 */
static const char *firmware_memory_type(uint8_t type)
{
	static const char *const names[] = {
		[0x03] = "DRAM",   [0x07] = "RAM",    [0x0f] = "SDRAM",	 [0x12] = "DDR",
		[0x13] = "DDR2",   [0x14] = "DDR2",   [0x18] = "DDR3",	 [0x1a] = "DDR4",
		[0x1b] = "LPDDR",  [0x1c] = "LPDDR2", [0x1d] = "LPDDR3", [0x1e] = "LPDDR4",
		[0x1f] = "NVDIMM", [0x20] = "HBM",    [0x21] = "HBM2",	 [0x22] = "DDR5",
		[0x23] = "LPDDR5", [0x24] = "HBM3",
	};
	const char *name = type < ARRAY_SIZE(names) ? names[type] : NULL;

	return name ? name : "";
}

/* In MT/s; §7.18.6: 0xffff says that the number stands in a field of its own, 0 that it is not known */
static uint32_t firmware_speed(const struct smbios_part *p, size_t offset, size_t extended)
{
	uint16_t speed = smbios_u16(p, offset, 0);

	return speed == 0xffff ? smbios_u32(p, extended, 0) & 0x7fffffff : speed;
}

static void firmware_dimm(struct firmware *f, const struct smbios_part *p)
{
	static const struct firmware_text texts[] = {{0x10, "slot"},   {0x11, "bank"},
						     {0x17, "vendor"}, {0x1a, "part"},
						     {0x18, "serial"}, {0x19, "assetTag"}};
	struct json *memory = json_obj_of(f->doc, f->root, "memory"),
		    *list = json_arr_of(f->doc, memory, "dimms"), *o;
	int64_t size = smbios_dimm_bytes(p);
	uint32_t speed = firmware_speed(p, 0x15, 0x54), set = firmware_speed(p, 0x20, 0x58);
	uint8_t ranks = smbios_u8(p, 0x1b, 0) & 0x0f;

	if (!size || json_count(list) >= FIRMWARE_DIMMS_MAX)
		return; /* an empty slot: `slots` counts them */
	o = json_new_obj(f->doc);
	firmware_put(f, p, o, NULL, texts, 1);
	if (size > 0)
		json_put_int(f->doc, o, "sizeBytes", size);
	gather_put(f->doc, o, "type", firmware_memory_type(smbios_u8(p, 0x12, 0)));
	if (speed)
		json_put_int(f->doc, o, "ratedMTs", speed);
	if (set)
		json_put_int(f->doc, o, "speedMTs", set);
	if (ranks)
		json_put_int(f->doc, o, "ranks", ranks);
	firmware_put(f, p, o, NULL, texts + 1, ARRAY_SIZE(texts) - 1);
	json_push(f->doc, list, o);
}

/* DSP0134 §7.39 */
static void firmware_bmc(struct firmware *f, const struct smbios_part *p)
{
	static const char *const names[] = {"", "KCS", "SMIC", "BT", "SSIF"};
	struct json *o = firmware_first(f, "bmc");
	uint8_t kind = smbios_u8(p, 4, 0), revision = smbios_u8(p, 5, 0);

	if (!o)
		return;
	json_put_bool(f->doc, o, "present", true);
	gather_put(f->doc, o, "interface", kind < ARRAY_SIZE(names) ? names[kind] : "");
	if (revision)
		json_put_fmt(f->doc, o, "ipmi", "%u.%u", revision >> 4, revision & 0x0f);
}

/* DSP0134 §7.44 */
static void firmware_tpm(struct firmware *f, const struct smbios_part *p)
{
	struct json *o = firmware_first(f, "tpm");
	uint8_t major = smbios_u8(p, 8, 0), minor = smbios_u8(p, 9, 0);

	if (!o)
		return;
	json_put_bool(f->doc, o, "present", true);
	if (major)
		json_put_fmt(f->doc, o, "version", "%u.%u", major, minor);
}

static void firmware_part(struct firmware *f, const struct smbios_part *p)
{
	static void (*const parts[])(struct firmware *, const struct smbios_part *) = {
		[TYPE_BIOS] = firmware_bios,	      [TYPE_SYSTEM] = firmware_system,
		[TYPE_BOARD] = firmware_board,	      [TYPE_CHASSIS] = firmware_chassis,
		[TYPE_MEMORY_ARRAY] = firmware_array, [TYPE_MEMORY_DEVICE] = firmware_dimm,
		[TYPE_IPMI] = firmware_bmc,	      [TYPE_TPM] = firmware_tpm,
	};

	if (p->type < ARRAY_SIZE(parts) && parts[p->type])
		parts[p->type](f, p);
}

void gather_firmware(struct gather *g, const struct gather_firmware *from)
{
	struct firmware f = {g->doc, g->root, smbios_version(from->entry, from->entry_len)};
	struct smbios s = smbios_start(from->table, from->table_len);
	struct smbios_part part;
	struct json *o;
	int r;

	if (!from->table_len)
		return;
	while ((r = smbios_next(&s, &part)) > 0)
		firmware_part(&f, &part);
	o = json_obj_of(g->doc, g->root, "smbios");
	if (f.version)
		json_put_fmt(g->doc, o, "version", "%u.%u", f.version >> 8, f.version & 0xff);
	json_put_int(g->doc, o, "structures", s.count);
	if (r < 0)
		json_put_fmt(g->doc, o, "error",
			     "malformed behind structure %u, at byte %zu of %zu", s.count, s.at,
			     s.len);
}
