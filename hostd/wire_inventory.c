// SPDX-License-Identifier: Apache-2.0
/* What the machine is made of: host tells that something changed, inventory looks, node tells the API. */
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "hostd.h"

#define WIRE_INVENTORY_UID 902 /* as in the image's passwd */
#define WIRE_ANNOTATION	   "hypermetal.io/inventory"

static void wire_on_facts(const struct json *labels, const char *text, void *arg)
{
	struct hostd *h = arg;

	if (h->node)
		node_set_facts(h->node, labels, WIRE_ANNOTATION, text);
}

static void wire_on_change(void *arg)
{
	struct hostd *h = arg;

	inventory_changed(h->facts);
}

static void wire_on_device(void *arg)
{
	struct hostd *h = arg;

	host_lldp_rescan();
	storage_changed(h->storage);
	wire_on_change(h);
}

void wire_inventory(struct hostd *h)
{
	const struct inventory_config config = {
		.loop = &h->loop,
		.program = h->inventory_worker,
		.lock_dir = h->disk_lock_dir,
		.lldp_dir = h->lldp_dir,
		.boot_mac = h->plan.bootif,
		.uid = geteuid() == 0 ? WIRE_INVENTORY_UID : 0,
		.on_facts = wire_on_facts,
		.arg = h,
	};
	struct err e = ERR_INIT;

	if (h->facts)
		return;
	h->facts = inventory_new(&config);
	if (host_links_start(&h->loop, wire_on_device, h, &e) < 0)
		log_warn("main", "ev=no_links error=\"%s\"", err_msg(&e));
	if (host_lldp_start(&h->loop, h->lldp_dir, wire_on_change, h, &e) < 0)
		log_warn("main", "ev=no_lldp error=\"%s\"", err_msg(&e));
	host_hotplug_tell(wire_on_device, h);
	inventory_changed(h->facts);
}
