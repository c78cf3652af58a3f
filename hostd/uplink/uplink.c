// SPDX-License-Identifier: Apache-2.0
/*
 * One function, uplink_apply(), looks at the interfaces that there are and at the plan, and does what is missing: it
 * runs at the start and whenever the kernel or a DHCP client has something new, and finds nothing to do when nothing
 * is. So it does not matter in which order cards, carriers and leases come, and a hostd that is started again goes on.
 *
 * All wired cards are brought up, so that their neighbours can be heard. Without a plan all of them run DHCP, and take
 * of IPv6 what routers say. The card that firmware booted from comes first and has the lowest metric.
 */
#include "uplink/uplink.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "nlink/nlink.h"
#include "uplink/internal.h"

#define UPLINK_METRIC_BOOT  100
#define UPLINK_METRIC_OTHER 200
#define UPLINK_METRIC_STEP  8 /* several routers on one interface */

struct uplink uplink;
static struct defer uplink_due;

struct uplink_if *uplink_find(struct uplink *u, const char *name)
{
	struct uplink_if *i;

	list_for_each(i, &u->ifs, node)
		if (str_eq(i->name, name))
			return i;
	return NULL;
}

struct uplink_if *uplink_find_index(struct uplink *u, unsigned int index)
{
	struct uplink_if *i;

	list_for_each(i, &u->ifs, node)
		if (i->index == index)
			return i;
	return NULL;
}

bool uplink_is_for(const struct uplink *u, const struct uplink_if *i, const char *iface)
{
	bool card = i->kind == UPLINK_CARD; /* what is on top has the MAC of what is beneath */
	const struct uplink_seen seen = {i->name, card ? i->mac : "", card && i->boot};

	return *iface ? uplink_plan_names(&u->plan, iface, &seen) : !i->beneath;
}

bool uplink_wants(const struct uplink *u, const struct uplink_if *i, enum uplink_method method)
{
	if (!u->plan.ip_count)
		return method == UPLINK_DHCP && !i->beneath;
	for (size_t k = 0; k < u->plan.ip_count; k++)
		if (u->plan.ips[k].method == method && uplink_is_for(u, i, u->plan.ips[k].iface))
			return true;
	return false;
}

/* ---- interfaces come and go ---- */

static void uplink_set_ipv6(struct uplink *u, struct uplink_if *i)
{
	bool routers = uplink_wants(u, i, UPLINK_DHCP) || uplink_wants(u, i, UPLINK_AUTO6);
	bool any = routers || uplink_wants(u, i, UPLINK_DHCP6);
	char metric[16];

	snprintf(metric, sizeof(metric), "%u", i->metric);
	card_sysctl("ipv6", i->name, "accept_ra", any ? "2" : "0"); /* also when it forwards */
	card_sysctl("ipv6", i->name, "autoconf", routers ? "1" : "0");
	card_sysctl("ipv6", i->name, "ra_defrtr_metric", metric);
}

static uint32_t uplink_mtu(const struct uplink *u, const struct uplink_if *i)
{
	uint32_t mtu = i->dhcp4.wanted ? i->lease4.mtu : 0;

	for (size_t k = 0; k < u->plan.mtu_count; k++) {
		const struct uplink_mtu *m = &u->plan.mtus[k];

		if ((str_eq(m->iface, "all") && i->kind == UPLINK_CARD) ||
		    (!str_eq(m->iface, "all") && uplink_is_for(u, i, m->iface)))
			mtu = m->mtu;
	}
	return mtu;
}

void uplink_add(struct uplink *u, const char *name, enum uplink_kind kind, bool boot)
{
	struct uplink_if *i = uplink_find(u, name);

	if (i) {
		if (boot && !i->boot) {
			i->boot = true;
			i->metric = UPLINK_METRIC_BOOT + (uint32_t)kind * UPLINK_METRIC_STEP;
			i->fresh = true;
		}
		return;
	}
	i = mem_alloc(sizeof(*i));
	(void)str_copy(i->name, sizeof(i->name), name);
	(void)card_read(name, "address", i->mac, sizeof(i->mac));
	i->index = if_nametoindex(name);
	i->kind = kind;
	i->boot = boot;
	i->metric = boot ? UPLINK_METRIC_BOOT + (uint32_t)kind * UPLINK_METRIC_STEP
			 : UPLINK_METRIC_OTHER + u->seen++ * UPLINK_METRIC_STEP;
	client_init(&i->dhcp4, u->config.loop, i, false);
	client_init(&i->dhcp6, u->config.loop, i, true);
	list_add(&u->ifs, &i->node);
	log_info("uplink", "ev=nic iface=%s boot=%d mac=%s", name, boot, i->mac);
}

static void uplink_drop_gone(struct uplink *u)
{
	struct uplink_if *i, *tmp;

	list_for_each_safe(i, tmp, &u->ifs, node) {
		if (if_nametoindex(i->name) == i->index)
			continue;
		log_warn("uplink", "ev=nic_gone iface=%s", i->name);
		client_done(&i->dhcp4);
		client_done(&i->dhcp6);
		list_del(&i->node);
		if (*i->told)
			u->config.on_address(i->name, "", u->config.arg);
		free(i);
	}
}

static void uplink_find_cards(struct uplink *u)
{
	for (int pass = 0; pass < 2; pass++) {
		DIR *dir = opendir("/sys/class/net");
		struct dirent *ent;
		char mac[UPLINK_MAC_MAX];

		while (dir && (ent = readdir(dir))) {
			bool boot;

			if (!card_is_wired(ent->d_name) || uplink_find(u, ent->d_name) ||
			    card_read(ent->d_name, "address", mac, sizeof(mac)) < 0)
				continue;
			boot = *u->plan.bootif && str_eq(mac, u->plan.bootif);
			if (boot || pass == 1)
				uplink_add(u, ent->d_name, UPLINK_CARD, boot);
		}
		if (dir)
			closedir(dir);
	}
}

/* ---- one interface ---- */

static void uplink_bring_up(struct uplink *u, struct uplink_if *i, struct nl_sock *sk)
{
	struct rt_link change = {.index = i->index, .set_up = true, .up = true};
	uint32_t mtu = uplink_mtu(u, i);
	struct err e = ERR_INIT;
	char text[16];
	uint64_t now;

	if (card_read(i->name, "mtu", text, sizeof(text)) < 0 ||
	    str_u64(text, UINT32_MAX, &now) < 0 || now != mtu)
		change.mtu = mtu == i->mtu_tried ? 0 : mtu;
	i->mtu_tried = mtu; /* a card that refuses is not asked again and again */
	if (card_read(i->name, "flags", text, sizeof(text)) == 0 &&
	    strtoul(text, NULL, 16) & IFF_UP && !change.mtu)
		return;
	if (rt_link_set(sk, &change, &e) == 0)
		return;
	log_warn("uplink", "ev=link_failed iface=%s mtu=%u error=\"%s\"", i->name, change.mtu,
		 err_msg(&e));
	change.mtu = 0;
	(void)rt_link_set(sk, &change, NULL);
}

/* Level-triggered, by the kernel's count of carriers: one that was gone for a moment counts, too. */
static void uplink_carrier(struct uplink *u, struct uplink_if *i)
{
	char text[16];
	bool up = card_read(i->name, "carrier", text, sizeof(text)) == 0 && str_eq(text, "1");
	uint64_t ups = 0;

	(void)u;
	if (card_read(i->name, "carrier_up_count", text, sizeof(text)) == 0)
		(void)str_u64(text, UINT32_MAX, &ups);
	if (up != i->carrier)
		log_info("uplink", "ev=link iface=%s up=%d", i->name, up);
	if (up && (!i->carrier || ups != i->carrier_ups)) {
		client_afresh(&i->dhcp4);
		client_afresh(&i->dhcp6);
	}
	i->carrier = up;
	i->carrier_ups = ups;
}

static void uplink_clients(struct uplink *u, struct uplink_if *i)
{
	bool routers = uplink_wants(u, i, UPLINK_DHCP) || uplink_wants(u, i, UPLINK_AUTO6);
	bool v4 = uplink_wants(u, i, UPLINK_DHCP);
	bool v6 = uplink_wants(u, i, UPLINK_DHCP6) || (routers && i->managed6);

	/* Without a carrier there is nobody to ask */
	if (i->carrier || i->dhcp4.wanted || !v4)
		client_want(&i->dhcp4, v4);
	if (i->carrier || i->dhcp6.wanted || !v6)
		client_want(&i->dhcp6, v6);
}

static void uplink_apply(struct defer *d)
{
	struct uplink *u = &uplink;
	struct nl_sock *sk = NULL;
	struct uplink_if *i;
	struct err e = ERR_INIT;

	(void)d;
	if (nlink_open(&sk, &e) < 0) {
		log_error("uplink", "ev=no_netlink error=\"%s\"", err_msg(&e));
		return;
	}
	uplink_drop_gone(u);
	uplink_find_cards(u);
	links_apply(u, sk);
	list_for_each(i, &u->ifs, node) {
		if (i->port)
			continue;
		if (!i->prepared) {
			uplink_set_ipv6(u, i);
			/* The kernel tells what routers say when that changes: a former hostd has heard it */
			i->managed6 = client_had_lease(&i->dhcp6);
		}
		uplink_bring_up(u, i, sk);
		uplink_carrier(u, i);
		uplink_clients(u, i);
		if (!i->prepared) {
			i->fresh |= client_lease(&i->dhcp4, &i->lease4);
			i->fresh |= client_lease(&i->dhcp6, &i->lease6);
		}
		i->prepared = true;
		address_apply(u, i, sk);
	}
	rt_close(sk);
	resolv_write(u);
	ntp_apply(u);
}

void uplink_poke(void)
{
	loop_defer(uplink.config.loop, &uplink_due, uplink_apply);
}

void uplink_rescan(void)
{
	if (uplink.config.loop)
		uplink_poke();
}

int uplink_start(const struct uplink_config *config, struct err *e)
{
	struct nl_sock *sk = NULL;
	int r = file_mkdirs(config->dir, 0755);

	if (r < 0)
		return err_sys(e, r, "make %s", config->dir);
	list_init(&uplink.ifs);
	uplink.config = *config;
	uplink.plan = *config->plan;
	r = nlink_open(&sk, e);
	if (r < 0)
		return r;
	links_forget(&uplink, sk);
	rt_close(sk);
	r = events_start(&uplink, e);
	if (r == 0)
		uplink_apply(NULL);
	return r;
}

int uplink_route_address(const char *host, char *address, size_t size)
{
	struct sockaddr_in to4 = {.sin_family = AF_INET, .sin_port = htons(9)};
	struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
	bool v4 = inet_pton(AF_INET, host, &to4.sin_addr) == 1;
	socklen_t len = v4 ? sizeof(to4) : sizeof(to6);
	_cleanup_fd_ int fd = -1;

	if (!v4 && inet_pton(AF_INET6, host, &to6.sin6_addr) != 1)
		return -EINVAL;
	fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, v4 ? (struct sockaddr *)&to4 : (struct sockaddr *)&to6, len) < 0 ||
	    getsockname(fd, v4 ? (struct sockaddr *)&to4 : (struct sockaddr *)&to6, &len) < 0)
		return -errno;
	if (!inet_ntop(v4 ? AF_INET : AF_INET6,
		       v4 ? (const void *)&to4.sin_addr : (const void *)&to6.sin6_addr, address,
		       (socklen_t)size))
		return -errno;
	return 0;
}

int uplink_local_address(const char *host, char *address, size_t size)
{
	/* Addresses for documentation (RFC 5737, RFC 3849): the default route's, which never get a packet */
	const char *const hosts[] = {host, "192.0.2.1", "2001:db8::1"};
	const struct uplink_if *i;
	struct uplink_ip numeric;

	if (uplink_ip_parse(host, &numeric) == 0)
		return uplink_route_address(host, address, size);
	for (size_t k = 1; k < ARRAY_SIZE(hosts); k++)
		if (uplink_route_address(hosts[k], address, size) == 0)
			return 0;
	list_for_each(i, &uplink.ifs, node)
		if (*i->told)
			return str_copy(address, size, i->told);
	return -ENETUNREACH;
}
