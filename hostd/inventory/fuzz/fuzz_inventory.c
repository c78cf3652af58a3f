// SPDX-License-Identifier: Apache-2.0
/*
 * What hostd-inventory reads of firmware and disks; the first byte says which:
 *
 *	's', version(1), an SMBIOS table	'n', an NVMe log page	'a', ATA SMART data
 *	'l', an LLDP frame
 *
 * Whatever it is, the document stays below its bound and can be read again, and every label is one.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "inventory/gather.h"
#include "inventory/health.h"
#include "inventory/inventory.h"
#include "inventory/lldp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_labels(const struct json *labels)
{
	struct json_iter it = json_iter(labels);

	while (json_next(&it)) {
		const char *v = json_str(it.value, NULL);
		size_t len = v ? strlen(v) : 0;

		if (!v)
			continue;
		if (!len || len > 63 || !isalnum((unsigned char)v[0]) ||
		    !isalnum((unsigned char)v[len - 1]))
			abort();
		for (; *v; v++)
			if (!isalnum((unsigned char)*v) && !strchr("-_.", *v))
				abort();
	}
}

static void firmware(const uint8_t *data, size_t size)
{
	char entry[] = "_SM3_\0\0\3\0";
	_cleanup_json_ struct json_doc *doc = json_doc_new(), *again = NULL;
	struct gather g = {.doc = doc, .root = json_new_obj(doc)};
	const struct gather_firmware f = {entry, data + 1, sizeof(entry) - 1, size - 1};
	struct buf text = BUF_INIT(INVENTORY_TEXT_MAX);

	entry[7] = (char)(data[0] & 3);
	entry[8] = (char)(data[0] >> 2 & 7);
	gather_firmware(&g, &f);
	check_labels(gather_labels(doc, g.root));
	gather_fit(doc, g.root, INVENTORY_TEXT_MAX);
	if (json_write(g.root, &text) < 0 || json_parse(text.data, text.len, &again, NULL) < 0 ||
	    !json_equal(json_root(again), g.root))
		abort();
	buf_done(&text);
}

static void health(char kind, const uint8_t *data, size_t size)
{
	uint8_t page[HEALTH_PAGE_SIZE] = {0};
	struct health h;

	memcpy(page, data, MIN(size, sizeof(page)));
	if (kind == 'n')
		health_parse_nvme(page, &h);
	else
		health_parse_ata(page, (int)(size % 3) - 1, &h);
	if (h.state < HEALTH_UNKNOWN || h.state > HEALTH_FAILING || h.on_hours < -1 ||
	    h.media_errors < -1 || h.reallocated < -1 || !memchr(h.why, '\0', sizeof(h.why)) ||
	    (h.state == HEALTH_GOOD) != !*h.why)
		abort();
}

static void neighbour(const uint8_t *data, size_t size)
{
	struct lldp l;
	const char *const texts[] = {l.chassis, l.port,	       l.port_description,
				     l.system,	l.description, l.address};

	if (lldp_parse(data, size, &l) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (!memchr(texts[i], '\0', LLDP_TEXT_MAX))
			abort();
		for (const char *p = texts[i]; *p; p++)
			if (!isprint((unsigned char)*p))
				abort();
	}
	if (l.ttl_s > UINT16_MAX || l.vlan < -1 || l.vlan > 4095)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	if (data[0] == 's')
		firmware(data + 1, size - 1);
	else if (data[0] == 'l')
		neighbour(data + 1, size - 1);
	else if (data[0] == 'n' || data[0] == 'a')
		health((char)data[0], data + 1, size - 1);
	return 0;
}
