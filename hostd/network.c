// SPDX-License-Identifier: Apache-2.0
/*
 * The host's own network among the others: what it shall be comes from the command line and the settings, and the
 * address that it has is the Node's. Which one that is may change while the host runs; the Node and its serving
 * certificate follow.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "hostd.h"

#define NETWORK_CMDLINE_MAX 8192

static void network_refused(const char *word, const struct err *e)
{
	char safe[200], why[200];

	log_error("main", "ev=network_word_refused word=\"%s\" error=\"%s\"",
		  str_printable(safe, sizeof(safe), word),
		  str_printable(why, sizeof(why), err_msg(e)));
}

void network_plan(struct hostd *h)
{
	struct buf b = BUF_INIT(NETWORK_CMDLINE_MAX);
	struct err e = ERR_INIT;
	char why[200];

	if (file_read(AT_FDCWD, "/proc/cmdline", &b, NULL) == 0)
		uplink_plan_words(&h->plan, buf_str(&b), network_refused);
	buf_done(&b);
	/* A host that cannot be reached cannot be mended either: it goes on with the words, or with DHCP */
	if (uplink_plan_settings(&h->plan, h->settings.network, &e) < 0)
		log_error("main", "ev=network_settings_refused error=\"%s\"",
			  str_printable(why, sizeof(why), err_msg(&e)));
}

static void network_load_module(const char *name)
{
	/* The bonds are made by us: none by itself */
	int r = host_module_load(name, str_eq(name, "bonding") ? "max_bonds=0" : NULL);

	if (r < 0)
		log_warn("main", "ev=module_failed name=%s error=\"%s\"", name, strerror(-r));
}

struct uplink_config network_config(struct hostd *h, const char *hostname)
{
	static char dir[HOSTD_PATH_MAX], resolv_conf[HOSTD_PATH_MAX];

	snprintf(dir, sizeof(dir), "%s/net", h->paths.run);
	snprintf(resolv_conf, sizeof(resolv_conf), "%s/resolv.conf", h->paths.run);
	return (struct uplink_config){
		.loop = &h->loop,
		.plan = &h->plan,
		.dir = dir,
		.resolv_conf = resolv_conf,
		.hostname = hostname,
		.load_module = h->coldplug ? network_load_module : NULL,
		.arg = h,
	};
}

static void network_on_address(const char *iface, const char *address, void *arg)
{
	struct hostd *h = arg;
	char now[HOST_ADDRESS_MAX];

	(void)iface;
	(void)address;
	if (!*h->settings.advertise_address &&
	    uplink_local_address(h->api_host, now, sizeof(now)) == 0 && !str_eq(now, h->address)) {
		if (*h->address)
			log_info("main", "ev=address_changed from=%s to=%s", h->address, now);
		(void)str_copy(h->address, sizeof(h->address), now);
		if (h->node)
			node_address_changed(h->node);
	}
	wire_node(h);
	wire_screen(h);
}

int network_start(struct hostd *h, struct err *e)
{
	struct uplink_config config = network_config(h, h->settings.node_name);

	(void)str_copy(h->address, sizeof(h->address), h->settings.advertise_address);
	config.on_address = network_on_address;
	if (h->dhcp)
		return uplink_start(&config, e);
	if (!*h->address && uplink_route_address(h->api_host, h->address, sizeof(h->address)) < 0)
		(void)str_copy(h->address, sizeof(h->address), "127.0.0.1");
	wire_node(h);
	return 0;
}
