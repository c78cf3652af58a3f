// SPDX-License-Identifier: Apache-2.0
#include "inventory.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd.h"
#include "table.h"

#define INVENTORY_ANNOTATION "hypermetal.io/inventory"
#define INVENTORY_TEXT_MAX   1024
#define INVENTORY_CELL_MAX   64

typedef char cell[INVENTORY_CELL_MAX];

struct json_doc *inventory_of(const struct json *node)
{
	const char *text = json_str(
		json_at(node, "metadata", "annotations", INVENTORY_ANNOTATION, NULL), NULL);
	struct json_doc *doc = NULL;

	if (!text || json_parse(text, strlen(text), &doc, NULL) < 0)
		return NULL;
	return json_is_obj(json_root(doc)) ? doc : json_doc_free(doc);
}

static const char *text_of(const struct json *o, const char *key)
{
	return json_str(json_get(o, key), "");
}

static const char *int_of(const struct json *o, const char *key, char *out)
{
	int64_t n = json_int(json_get(o, key), -1);

	out[0] = '\0';
	if (n >= 0)
		snprintf(out, INVENTORY_CELL_MAX, "%" PRId64, n);
	return out;
}

/* "1.5 TiB"; "" for none */
static const char *size_of(const struct json *o, const char *key, char *out)
{
	int64_t bytes = json_int(json_get(o, key), -1);

	out[0] = '\0';
	return bytes < 0 ? out : cmd_bytes(out, bytes);
}

/* ---- one line: parts with commas between ---- */

static void add(struct buf *b, const char *label, const char *value)
{
	if (*value)
		(void)buf_printf(b, "%s%s%s", b->len ? ", " : "", label, value);
}

static void add_int(struct buf *b, const struct json *o, const char *key, const char *noun)
{
	int64_t n = json_int(json_get(o, key), -1);

	if (n >= 0)
		(void)buf_printf(b, "%s%" PRId64 " %s%s", b->len ? ", " : "", n, noun,
				 n == 1 ? "" : "s");
}

/* Prints it, unless it is empty, and starts the next */
static void end_line(FILE *out, const char *name, struct buf *b)
{
	char safe[INVENTORY_TEXT_MAX];

	if (b->len)
		fprintf(out, "%-14s %s\n", name, str_visible(safe, sizeof(safe), buf_str(b)));
	buf_clear(b);
}

static void print_thing(FILE *out, const char *name, const struct json *o, struct buf *b)
{
	add(b, "", text_of(o, "vendor"));
	if (*text_of(o, "product"))
		(void)buf_printf(b, "%s%s", b->len ? " " : "", text_of(o, "product"));
	add(b, "", text_of(o, "type"));
	add(b, "version ", text_of(o, "version"));
	add(b, "release ", text_of(o, "release"));
	add(b, "", text_of(o, "date"));
	add(b, "serial ", text_of(o, "serial"));
	add(b, "asset tag ", text_of(o, "assetTag"));
	end_line(out, name, b);
}

static void print_cpu(FILE *out, const struct json *cpu, struct buf *b)
{
	add(b, "", text_of(cpu, "model"));
	end_line(out, "Processor:", b);
	add_int(b, cpu, "sockets", "socket");
	add_int(b, cpu, "cores", "core");
	add_int(b, cpu, "threads", "thread");
	add(b, "microcode ", text_of(cpu, "microcode"));
	add(b, "virtualization: ", text_of(cpu, "virtualization"));
	end_line(out, "", b);
}

static void print_platform(FILE *out, const struct json *inv, struct buf *b)
{
	const struct json *boot = json_get(inv, "boot"), *bmc = json_get(inv, "bmc"),
			  *tpm = json_get(inv, "tpm");

	add(b, "", text_of(boot, "firmware"));
	add(b, "Secure Boot ", text_of(boot, "secureBoot"));
	add(b, "from ", text_of(boot, "nic"));
	add(b, "", text_of(boot, "mac"));
	end_line(out, "Booted by:", b);
	add(b, "", json_bool(json_get(bmc, "present"), false) ? "" : "none");
	add(b, "IPMI ", text_of(bmc, "ipmi"));
	add(b, "", text_of(bmc, "interface"));
	add(b, "firmware ", text_of(bmc, "firmware"));
	add(b, "", json_bool(json_get(bmc, "answers"), true) ? "" : "it does not answer");
	end_line(out, "BMC:", b);
	add(b, "",
	    json_bool(json_get(tpm, "present"), false) ? json_str(json_get(tpm, "version"), "yes")
						       : "none");
	end_line(out, "TPM:", b);
}

/* What is missing in the document, and why */
static void print_gaps(FILE *out, const struct json *inv, struct buf *b)
{
	struct json_iter it = json_iter(json_get(inv, "blank"));

	while (json_next(&it))
		add(b, "", json_str(it.value, ""));
	end_line(out, "Left blank:", b);
	add(b, "", text_of(json_get(inv, "smbios"), "error"));
	end_line(out, "SMBIOS:", b);
	it = json_iter(json_get(inv, "cut"));
	while (json_next(&it))
		(void)buf_printf(b, "%s%" PRId64 " of %s", b->len ? ", " : "",
				 json_int(it.value, 0), it.key);
	end_line(out, "Not shown:", b);
}

/* ---- tables ---- */

static struct table *begin(FILE *out, const char *title, const struct json *list,
			   const char *const *headers)
{
	if (!json_count(list))
		return NULL;
	fprintf(out, "\n%s:\n", title);
	return table_new(headers);
}

static void print_dimms(FILE *out, const struct json *list)
{
	static const char *const headers[] = {"SLOT",	"SIZE", "TYPE",	  "MT/S",
					      "VENDOR", "PART", "SERIAL", NULL};
	struct table *t = begin(out, "Memory modules", list, headers);
	struct json_iter it = json_iter(list);

	while (json_next(&it)) {
		cell size, speed;
		const char *cells[] = {
			text_of(it.value, "slot"),   size_of(it.value, "sizeBytes", size),
			text_of(it.value, "type"),   int_of(it.value, "speedMTs", speed),
			text_of(it.value, "vendor"), text_of(it.value, "part"),
			text_of(it.value, "serial")};

		table_add(t, cells);
	}
	if (t)
		table_print(t, out);
}

static void print_numa(FILE *out, const struct json *list)
{
	static const char *const headers[] = {"NODE", "MEMORY", "PROCESSORS", "DISTANCES", NULL};
	struct table *t = begin(out, "NUMA nodes", list, headers);
	struct json_iter it = json_iter(list);

	while (json_next(&it)) {
		struct json_iter d = json_iter(json_get(it.value, "distances"));
		struct buf b = BUF_INIT(INVENTORY_TEXT_MAX);
		cell node, size;

		while (json_next(&d))
			(void)buf_printf(&b, "%s%" PRId64, b.len ? " " : "", json_int(d.value, 0));
		table_add(t, (const char *[]){int_of(it.value, "node", node),
					      size_of(it.value, "memoryBytes", size),
					      text_of(it.value, "cpus"), buf_str(&b)});
		buf_done(&b);
	}
	if (t)
		table_print(t, out);
}

static void print_nics(FILE *out, const struct json *list)
{
	static const char *const headers[] = {"NAME",	"MAC",	    "LINK", "MBIT/S",	 "DUPLEX",
					      "DRIVER", "FIRMWARE", "PCI",  "NEIGHBOUR", NULL};
	struct table *t = begin(out, "Network cards", list, headers);
	struct json_iter it = json_iter(list);

	while (json_next(&it)) {
		const struct json *lldp = json_get(it.value, "lldp");
		const char *who = text_of(lldp, "system");
		struct buf neighbour = BUF_INIT(INVENTORY_TEXT_MAX);
		cell speed;
		add(&neighbour, "", *who ? who : text_of(lldp, "chassis"));
		add(&neighbour, "", text_of(lldp, "port"));
		table_add(t,
			  (const char *[]){
				  text_of(it.value, "name"), text_of(it.value, "mac"),
				  json_bool(json_get(it.value, "link"), false) ? "up" : "down",
				  int_of(it.value, "speedMbps", speed), text_of(it.value, "duplex"),
				  text_of(it.value, "driver"), text_of(it.value, "firmware"),
				  text_of(it.value, "pci"), buf_str(&neighbour)});
		buf_done(&neighbour);
	}
	if (t)
		table_print(t, out);
}

static void print_disks(FILE *out, const struct json *list)
{
	static const char *const headers[] = {"NAME", "MODEL",	"SERIAL", "SIZE", "SECTOR",
					      "KIND", "HEALTH", "PCI",	  NULL};
	struct table *t = begin(out, "Disks", list, headers);
	struct json_iter it = json_iter(list);

	while (json_next(&it)) {
		const struct json *health = json_get(it.value, "health");
		bool turns = json_bool(json_get(it.value, "rotational"), false);
		struct buf kind = BUF_INIT(INVENTORY_TEXT_MAX),
			   state = BUF_INIT(INVENTORY_TEXT_MAX);
		cell size, sector;

		add(&kind, "", text_of(it.value, "transport"));
		add(&kind, "", turns ? "rotating" : "");
		add(&state, "", text_of(health, "state"));
		add(&state, "", text_of(health, "why"));
		table_add(t,
			  (const char *[]){text_of(it.value, "name"), text_of(it.value, "model"),
					   text_of(it.value, "serial"),
					   size_of(it.value, "sizeBytes", size),
					   int_of(it.value, "sectorBytes", sector), buf_str(&kind),
					   buf_str(&state), text_of(it.value, "pci")});
		buf_done(&kind);
		buf_done(&state);
	}
	if (t)
		table_print(t, out);
}

/* PCI Code and ID Assignment 1.15, §1: of those that one may miss a driver for */
static const char *class_name(const char *class)
{
	static const char *const names[][2] = {
		{"0106", "SATA"},	{"0107", "SAS"},	{"0108", "NVMe"},
		{"0104", "RAID"},	{"01", "storage"},	{"0200", "Ethernet"},
		{"0207", "InfiniBand"}, {"02", "network"},	{"03", "display"},
		{"0b", "coprocessor"},	{"0c03", "USB"},	{"0c04", "Fibre Channel"},
		{"0c06", "InfiniBand"}, {"10", "cryptography"}, {"12", "accelerator"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_starts(class, names[i][0]))
			return names[i][1];
	return class;
}

static void print_no_driver(FILE *out, const struct json *inv)
{
	static const char *const headers[] = {"PCI", "KIND", "ID", "SUBSYSTEM", NULL};
	const struct json *list = json_get(inv, "noDriver");
	struct table *t = begin(out, "Without a driver", list, headers);
	struct json_iter it = json_iter(list);

	while (json_next(&it)) {
		const char *address = json_str(it.value, "");
		struct json_iter pci = json_iter(json_get(inv, "pci"));
		const struct json *found = NULL;

		while (!found && json_next(&pci))
			if (str_eq(text_of(pci.value, "address"), address))
				found = pci.value;
		table_add(t, (const char *[]){address, class_name(text_of(found, "class")),
					      text_of(found, "id"), text_of(found, "subsystem")});
	}
	if (t)
		table_print(t, out);
}

void inventory_print(const struct json *inv, FILE *out)
{
	const struct json *memory = json_get(inv, "memory");
	struct buf b = BUF_INIT(INVENTORY_TEXT_MAX);

	fprintf(out, "\n");
	print_thing(out, "System:", json_get(inv, "system"), &b);
	print_thing(out, "Board:", json_get(inv, "board"), &b);
	print_thing(out, "Chassis:", json_get(inv, "chassis"), &b);
	print_thing(out, "Firmware:", json_get(inv, "bios"), &b);
	print_cpu(out, json_get(inv, "cpu"), &b);
	add_int(&b, memory, "slots", "slot");
	add(&b, "error correction: ", text_of(memory, "errorCorrection"));
	end_line(out, "Memory:", &b);
	print_platform(out, inv, &b);
	print_gaps(out, inv, &b);
	buf_done(&b);
	print_dimms(out, json_get(memory, "dimms"));
	print_numa(out, json_get(inv, "numa"));
	print_nics(out, json_get(inv, "nics"));
	print_disks(out, json_get(inv, "disks"));
	print_no_driver(out, inv);
}
