// SPDX-License-Identifier: Apache-2.0
/* What comes from elsewhere about the host's own network: command line, settings, a lease. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "uplink/internal.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void check_name(const char *name)
{
	if (!*name || strchr(name, '/') || strlen(name) >= UPLINK_NAME_MAX)
		abort();
}

static void check_plan(const struct uplink_plan *p)
{
	for (size_t i = 0; i < p->bond_count; i++) {
		check_name(p->bonds[i].name);
		if (!p->bonds[i].all && !p->bonds[i].member_count)
			abort();
	}
	for (size_t i = 0; i < p->vlan_count; i++) {
		check_name(p->vlans[i].name);
		if (p->vlans[i].id < 1 || p->vlans[i].id > 4094)
			abort();
	}
	for (size_t i = 0; i < p->ip_count; i++)
		if (p->ips[i].address.ip.family && !p->ips[i].address.prefix_len)
			abort();
	for (size_t i = 0; i < p->mtu_count; i++)
		if (p->mtus[i].mtu < 576)
			abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct uplink_plan plan, settings;
	static struct uplink_lease lease;
	struct uplink_ip servers[LEASE_SERVERS_MAX];
	size_t count = 0;
	char *text = mem_strndup((const char *)data, size);

	memset(&plan, 0, sizeof(plan));
	uplink_plan_words(&plan, text, NULL);
	check_plan(&plan);
	settings = plan;
	if (uplink_plan_settings(&settings, text, NULL) < 0 &&
	    (settings.ip_count != plan.ip_count || settings.bond_count != plan.bond_count))
		abort();
	check_plan(&settings);
	if (uplink_lease_parse(text, &lease) == 0 &&
	    (!uplink_ip_is_host(&lease.address.ip) || !lease.address.prefix_len ||
	     lease.route_count > LEASE_ROUTES_MAX || lease.router_count > LEASE_ROUTERS_MAX))
		abort();
	if (uplink_rdnss_parse(data, size, servers, &count) == 0 &&
	    (count > LEASE_SERVERS_MAX || (count && !uplink_ip_is_host(&servers[count - 1]))))
		abort();
	free(text);
	return 0;
}
