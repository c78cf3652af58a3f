// SPDX-License-Identifier: Apache-2.0
/*
 * What a DHCP server said, as hostd-lease wrote it down. Anybody on the network may be the server: addresses must be
 * such as one machine can have, names such as DNS can have, and lists have an end.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "uplink/internal.h"

#define LEASE_MTU_MIN 576 /* RFC 2132, 5.1 wants 68; less than this no host need take (RFC 791) */

static int lease_host(const char *text, int family, struct uplink_ip *ip)
{
	struct uplink_ip got;

	if (uplink_ip_parse(text, &got) < 0 || got.family != family || !uplink_ip_is_host(&got))
		return -EINVAL;
	*ip = got;
	return 0;
}

static void lease_hosts(char *value, int family, struct uplink_ip *at, size_t *count, size_t max)
{
	char *save = NULL;

	for (char *word = strtok_r(value, " ", &save); word && *count < max;
	     word = strtok_r(NULL, " ", &save))
		if (lease_host(word, family, &at[*count]) == 0 ||
		    (family == AF_INET6 && lease_host(word, AF_INET, &at[*count]) == 0))
			++*count;
}

static void lease_ntp(char *value, struct uplink_lease *lease)
{
	struct uplink_ip servers[LEASE_SERVERS_MAX];
	size_t count = 0;

	lease_hosts(value, AF_INET, servers, &count, LEASE_SERVERS_MAX);
	for (size_t i = 0; i < count; i++)
		uplink_ip_text(&servers[i], lease->ntp[i]);
	lease->ntp_count = count;
}

/* Pairs of NETWORK/PREFIX and gateway; 0.0.0.0 as gateway: on the link (RFC 3442) */
static void lease_routes(char *value, struct uplink_lease *lease)
{
	char *save = NULL, *to, *via;

	for (to = strtok_r(value, " ", &save);
	     to && (via = strtok_r(NULL, " ", &save)) && lease->route_count < LEASE_ROUTES_MAX;
	     to = strtok_r(NULL, " ", &save)) {
		struct uplink_route *r = &lease->routes[lease->route_count];
		char *slash = strchr(to, '/');
		uint64_t len;

		*r = (struct uplink_route){0};
		if (!slash)
			continue;
		*slash = '\0';
		if (uplink_ip_parse(to, &r->to.ip) < 0 || r->to.ip.family != AF_INET ||
		    r->to.ip.bytes[0] == 127 || r->to.ip.bytes[0] >= 224 ||
		    str_u64(slash + 1, 32, &len) < 0)
			continue;
		if (!str_eq(via, "0.0.0.0") && lease_host(via, AF_INET, &r->via) < 0)
			continue;
		r->to.prefix_len = (unsigned int)len;
		uplink_net_trim(&r->to);
		lease->route_count++;
	}
}

static void lease_domain(char *value, char *domain)
{
	value[strcspn(value, " ")] = '\0';
	if (uplink_is_server(value) && strlen(value) < UPLINK_DOMAIN_MAX)
		(void)str_copy(domain, UPLINK_DOMAIN_MAX, value);
}

static void lease_line(struct uplink_lease *lease, const char *key, char *value)
{
	uint64_t n;

	if (str_eq(key, "ip")) {
		(void)lease_host(value, AF_INET, &lease->address.ip);
	} else if (str_eq(key, "ipv6")) {
		if (lease_host(value, AF_INET6, &lease->address.ip) == 0)
			lease->address.prefix_len = 128;
	} else if (str_eq(key, "mask")) {
		if (str_u64(value, 32, &n) == 0 && n > 0)
			lease->address.prefix_len = (unsigned int)n;
	} else if (str_eq(key, "router")) {
		lease_hosts(value, AF_INET, lease->routers, &lease->router_count,
			    LEASE_ROUTERS_MAX);
	} else if (str_eq(key, "staticroutes")) {
		lease_routes(value, lease);
	} else if (str_eq(key, "dns")) {
		lease_hosts(value, AF_INET6, lease->dns, &lease->dns_count, LEASE_SERVERS_MAX);
	} else if (str_eq(key, "ntpsrv")) {
		lease_ntp(value, lease);
	} else if (str_eq(key, "domain")) {
		lease_domain(value, lease->domain);
	} else if (str_eq(key, "mtu")) {
		if (str_u64(value, UINT16_MAX, &n) == 0 && n >= LEASE_MTU_MIN)
			lease->mtu = (uint32_t)n;
	} else if (str_eq(key, "until")) {
		if (str_u64(value, UINT32_MAX, &n) == 0)
			lease->until_s = n;
	}
}

int uplink_lease_parse(const char *text, struct uplink_lease *lease)
{
	struct buf b = BUF_INIT(LEASE_SIZE_MAX);
	char *line, *save = NULL;

	*lease = (struct uplink_lease){0};
	if (buf_puts(&b, text) == 0 && b.len) {
		for (line = strtok_r(b.data, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save)) {
			char *value = strchr(line, '=');

			if (!value)
				continue;
			*value++ = '\0';
			lease_line(lease, line, value);
		}
	}
	buf_done(&b);
	if (!lease->address.ip.family)
		return -EINVAL;
	if (!lease->address.prefix_len)
		lease->address.prefix_len = 24;
	if (lease->route_count) /* RFC 3442: then the router option is ignored */
		lease->router_count = 0;
	return 0;
}
