// SPDX-License-Identifier: Apache-2.0
#include "pod/summary.h"

#include "base/clock.h"
#include "base/mem.h"

void summary_put(struct json_doc *doc, struct json *obj, const char *key, uint64_t value)
{
	json_put_int(doc, obj, key, (int64_t)MIN(value, (uint64_t)INT64_MAX));
}

void summary_put_time(struct json_doc *doc, struct json *obj, const char *key, uint64_t ns)
{
	char text[CLOCK_RFC3339_MAX];

	json_put_str(doc, obj, key, clock_rfc3339_nano(text, MIN(ns, (uint64_t)INT64_MAX)));
}

struct json *summary_part(struct json_doc *doc, struct json *obj, const char *key, uint64_t ns)
{
	struct json *o = json_obj_of(doc, obj, key);

	summary_put_time(doc, o, "time", ns);
	return o;
}

void summary_put_memory(struct json_doc *doc, struct json *obj, const struct summary_memory *m)
{
	summary_put(doc, obj, "usageBytes", m->used_bytes);
	summary_put(doc, obj, "workingSetBytes", m->working_set_bytes);
	summary_put(doc, obj, "rssBytes", m->rss_bytes);
	summary_put(doc, obj, "pageFaults", m->faults);
	summary_put(doc, obj, "majorPageFaults", m->major_faults);
}

void summary_put_fs(struct json_doc *doc, struct json *obj, const struct figures_fs *fs)
{
	summary_put(doc, obj, "availableBytes", fs->free_bytes);
	summary_put(doc, obj, "capacityBytes", fs->bytes);
	summary_put(doc, obj, "usedBytes", fs->bytes - MIN(fs->bytes, fs->free_bytes));
	summary_put(doc, obj, "inodesFree", fs->inodes_free);
	summary_put(doc, obj, "inodes", fs->inodes);
	summary_put(doc, obj, "inodesUsed", fs->inodes - MIN(fs->inodes, fs->inodes_free));
}

static void summary_put_net(struct json_doc *doc, struct json *obj, const struct figures_net *net)
{
	json_put_str(doc, obj, "name", net->name);
	summary_put(doc, obj, "rxBytes", net->rx_bytes);
	summary_put(doc, obj, "rxErrors", net->rx_errors);
	summary_put(doc, obj, "txBytes", net->tx_bytes);
	summary_put(doc, obj, "txErrors", net->tx_errors);
}

void summary_put_nets(struct json_doc *doc, struct json *obj, const struct figures_net *nets,
		      uint32_t count, uint64_t ns)
{
	struct json *o, *list;

	if (!count)
		return;
	o = summary_part(doc, obj, "network", ns);
	summary_put_net(doc, o, &nets[0]);
	list = json_arr_of(doc, o, "interfaces");
	for (uint32_t i = 0; i < count; i++) {
		struct json *one = json_new_obj(doc);

		summary_put_net(doc, one, &nets[i]);
		json_push(doc, list, one);
	}
}
