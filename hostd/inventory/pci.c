// SPDX-License-Identifier: Apache-2.0
/*
 * PCI functions with their numbers; names for them are the reader's business, a list of all would
 * be larger than all of hostd. A function without a driver says so by a null: that is what an
 * operator looks for.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "inventory/gather.h"

#define PCI_DIR "bus/pci/devices"

/* "0x10d3" -> 0x10d3 */
static unsigned int pci_number(int dir, const char *name)
{
	char line[GATHER_LINE_MAX];

	return (unsigned int)strtoul(gather_line(dir, name, line), NULL, 16);
}

bool gather_pci_matters(const char *class)
{
	/* Base class, or base class and subclass: PCI Code and ID Assignment 1.15, §1 */
	static const char *const classes[] = {"01",   "02",   "03", "0b", "0c03",
					      "0c04", "0c06", "10", "12"};

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (str_starts(class, classes[i]))
			return true;
	return false;
}

static void pci_one(struct gather *g, struct json *list, int all, const char *address)
{
	_cleanup_fd_ int dir = openat(all, address, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct json *o;
	char line[GATHER_LINE_MAX];
	unsigned int sub_vendor;

	if (dir < 0)
		return;
	o = json_new_obj(g->doc);
	json_put_str(g->doc, o, "address", address);
	json_put_fmt(g->doc, o, "class", "%06x", pci_number(dir, "class") & 0xffffff);
	json_put_fmt(g->doc, o, "id", "%04x:%04x", pci_number(dir, "vendor") & 0xffff,
		     pci_number(dir, "device") & 0xffff);
	sub_vendor = pci_number(dir, "subsystem_vendor") & 0xffff;
	if (sub_vendor)
		json_put_fmt(g->doc, o, "subsystem", "%04x:%04x", sub_vendor,
			     pci_number(dir, "subsystem_device") & 0xffff);
	gather_link(dir, "driver", line);
	json_put(g->doc, o, "driver", *line ? json_new_str(g->doc, line) : json_new_null(g->doc));
	json_push(g->doc, list, o);
	if (!*line && gather_pci_matters(json_str(json_get(o, "class"), "")))
		json_push(g->doc, json_arr_of(g->doc, g->root, "noDriver"),
			  json_new_str(g->doc, address));
}

void gather_pci(struct gather *g)
{
	_cleanup_fd_ int all = openat(g->sys, PCI_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct json *list = json_arr_of(g->doc, g->root, "pci");
	static char *names[GATHER_PCI_MAX];
	size_t count;

	(void)json_arr_of(g->doc, g->root, "noDriver");
	if (all < 0)
		return;
	count = gather_names(all, ".", names, ARRAY_SIZE(names));
	for (size_t i = 0; i < count; i++)
		pci_one(g, list, all, names[i]);
	gather_names_free(names, count);
}
