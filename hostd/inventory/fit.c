// SPDX-License-Identifier: Apache-2.0
/* An annotation has bounds (an object's all together: 256 KiB); a machine has none. */
#include <string.h>

#include "base/mem.h"
#include "inventory/gather.h"

#define FIT_CUT_BYTES 128 /* that `cut` itself may take */

struct fit {
	struct json_doc *doc;
	struct json *root, *cut;
	size_t bytes, max_bytes;
};

static size_t fit_length(const struct json *v)
{
	struct buf b = BUF_INIT(0);
	size_t len = json_write(v, &b) < 0 ? SIZE_MAX / 2 : b.len;

	buf_done(&b);
	return len;
}

static bool fit_any(const struct json *item)
{
	(void)item;
	return true;
}

static bool fit_dull(const struct json *pci)
{
	return !gather_pci_matters(json_str(json_get(pci, "class"), ""));
}

static bool fit_driven(const struct json *pci)
{
	return json_is_str(json_get(pci, "driver"));
}

/* Takes items that may go out of a list, from its end, until all fits. */
static void fit_list(struct fit *f, struct json *list, const char *key,
		     bool (*may_go)(const struct json *item))
{
	int64_t gone = 0;

	for (size_t i = json_count(list); i-- > 0 && f->bytes > f->max_bytes;) {
		const struct json *item = json_item(list, i);
		size_t len;

		if (!may_go(item))
			continue;
		len = fit_length(item) + 1; /* and a comma */
		json_remove_item(list, i);
		f->bytes -= MIN(len, f->bytes);
		gone++;
	}
	if (!gone)
		return;
	if (!f->cut)
		f->cut = json_obj_of(f->doc, f->root, "cut");
	json_put_int(f->doc, f->cut, key, json_int(json_get(f->cut, key), 0) + gone);
}

void gather_fit(struct json_doc *doc, struct json *root, size_t max_bytes)
{
	static const char *const lists[] = {"pci", "numa", "noDriver", "disks", "nics", "blank"};
	struct fit f = {.doc = doc, .root = root, .bytes = fit_length(root)};

	f.max_bytes = max_bytes;
	if (f.bytes <= max_bytes)
		return;
	f.max_bytes -= FIT_CUT_BYTES;
	fit_list(&f, json_get(root, "pci"), "pci", fit_dull);
	fit_list(&f, json_get(root, "pci"), "pci", fit_driven);
	fit_list(&f, json_at(root, "memory", "dimms", NULL), "dimms", fit_any);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		fit_list(&f, json_get(root, lists[i]), lists[i], fit_any);
}
