// SPDX-License-Identifier: Apache-2.0
/*
 * The addresses and routes of one interface: what the plan and the leases want is compared with what the kernel has.
 * What is there stays untouched, for pods' connections are translated to it; what is of no use any more goes first.
 * Each interface has a metric of its own, that of the one that the machine was booted from being the lowest. Addresses
 * and routes that come from router advertisements are the kernel's own affair.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "uplink/internal.h"

#define ADDRESS_WANT_MAX (UPLINK_IPS_MAX + 2)
#define ADDRESS_ROUTES_MAX \
	(UPLINK_IPS_MAX + UPLINK_ROUTES_MAX + LEASE_ROUTERS_MAX + LEASE_ROUTES_MAX)

struct want {
	const struct uplink_if *i;
	struct rt_address addresses[ADDRESS_WANT_MAX];
	struct rt_route routes[ADDRESS_ROUTES_MAX];
	bool has_address[ADDRESS_WANT_MAX], has_route[ADDRESS_ROUTES_MAX];
	size_t address_count, route_count;
	/* what is there and not wanted */
	struct rt_address old_addresses[ADDRESS_WANT_MAX];
	struct rt_route old_routes[ADDRESS_ROUTES_MAX];
	size_t old_address_count, old_route_count;
	char global6[UPLINK_ADDRESS_MAX]; /* that the kernel made itself */
};

static bool address_same_ip(const struct uplink_ip *a, const struct uplink_ip *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static bool address_same_net(const struct uplink_net *a, const struct uplink_net *b)
{
	return a->prefix_len == b->prefix_len && address_same_ip(&a->ip, &b->ip);
}

static bool address_holds(const struct uplink_net *net, const struct uplink_ip *ip)
{
	struct uplink_net a = *net, b = {*ip, net->prefix_len};

	uplink_net_trim(&a);
	uplink_net_trim(&b);
	return address_same_ip(&a.ip, &b.ip);
}

static void want_address(struct want *w, const struct uplink_net *net, uint32_t valid_s)
{
	if (w->address_count < ADDRESS_WANT_MAX)
		w->addresses[w->address_count++] = (struct rt_address){
			.net = *net,
			.index = w->i->index,
			.valid_s = valid_s,
			.metric = w->i->metric,
			.proto = RT_PROTO_IPV6,
		};
}

static void want_route(struct want *w, const struct uplink_route *route, uint32_t more,
		       uint8_t proto)
{
	if (w->route_count < ADDRESS_ROUTES_MAX)
		w->routes[w->route_count++] = (struct rt_route){
			.route = *route,
			.index = w->i->index,
			.metric = w->i->metric + more,
			.proto = proto,
		};
}

static void want_default(struct want *w, const struct uplink_ip *via, uint32_t more, uint8_t proto)
{
	const struct uplink_route route = {.to = {.ip = {.family = via->family}}, .via = *via};

	want_route(w, &route, more, proto);
}

static void want_lease(struct want *w, const struct uplink_lease *lease)
{
	uint64_t now_s = clock_mono_ms() / 1000, left_s = UINT32_MAX;

	if (!lease->address.ip.family || (lease->until_s && lease->until_s <= now_s))
		return;
	if (lease->until_s)
		left_s = lease->until_s - now_s;
	want_address(w, &lease->address, (uint32_t)MIN(left_s, (uint64_t)UINT32_MAX));
	for (size_t k = 0; k < lease->router_count; k++)
		want_default(w, &lease->routers[k], (uint32_t)k, RTPROT_DHCP);
	for (size_t k = 0; k < lease->route_count; k++)
		want_route(w, &lease->routes[k], 0, RTPROT_DHCP);
}

/* Routes that name no interface go where their gateway is */
static bool want_is_mine(const struct uplink *u, const struct want *w, const struct uplink_route *r)
{
	if (*r->iface)
		return uplink_is_for(u, w->i, r->iface);
	for (size_t k = 0; k < w->address_count; k++)
		if (w->addresses[k].net.ip.family == r->via.family &&
		    address_holds(&w->addresses[k].net, &r->via))
			return true;
	return false;
}

static void want_fill(const struct uplink *u, struct want *w)
{
	const struct uplink_if *i = w->i;

	if (i->port)
		return;
	for (size_t k = 0; k < u->plan.ip_count; k++) {
		const struct uplink_address *a = &u->plan.ips[k];

		if (!a->address.ip.family || !uplink_is_for(u, i, a->iface))
			continue;
		want_address(w, &a->address, UINT32_MAX);
		if (a->gateway.family)
			want_default(w, &a->gateway, 0, RTPROT_STATIC);
	}
	if (i->dhcp4.wanted)
		want_lease(w, &i->lease4);
	if (i->dhcp6.wanted)
		want_lease(w, &i->lease6);
	for (size_t k = 0; k < u->plan.route_count; k++)
		if (want_is_mine(u, w, &u->plan.routes[k]))
			want_route(w, &u->plan.routes[k], 0, RTPROT_STATIC);
}

static bool address_is_global6(const struct rt_address *a)
{
	const uint8_t *b = a->net.ip.bytes;

	return a->net.ip.family == AF_INET6 && !(b[0] == 0xfe && (b[1] & 0xc0) == 0x80) &&
	       !a->tentative && uplink_ip_is_host(&a->net.ip);
}

static void want_on_address(const struct rt_address *a, void *arg)
{
	struct want *w = arg;

	if (a->index != w->i->index)
		return;
	if (!*w->global6 && address_is_global6(a))
		uplink_ip_text(&a->net.ip, w->global6);
	for (size_t k = 0; k < w->address_count; k++) {
		if (address_same_net(&w->addresses[k].net, &a->net)) {
			w->has_address[k] = true;
			return;
		}
	}
	if ((a->net.ip.family == AF_INET || a->proto == RT_PROTO_IPV6) &&
	    w->old_address_count < ADDRESS_WANT_MAX)
		w->old_addresses[w->old_address_count++] = *a;
}

static void want_on_route(const struct rt_route *r, void *arg)
{
	struct want *w = arg;

	if (r->index != w->i->index || (r->proto != RTPROT_DHCP && r->proto != RTPROT_STATIC))
		return;
	for (size_t k = 0; k < w->route_count; k++) {
		const struct rt_route *want = &w->routes[k];

		if (want->metric == r->metric && address_same_net(&want->route.to, &r->route.to) &&
		    address_same_ip(&want->route.via, &r->route.via)) {
			w->has_route[k] = true;
			return;
		}
	}
	if (w->old_route_count < ADDRESS_ROUTES_MAX)
		w->old_routes[w->old_route_count++] = *r;
}

static void address_failed(const struct uplink_if *i, const struct err *e)
{
	log_warn("uplink", "ev=address_failed iface=%s error=\"%s\"", i->name, err_msg(e));
}

static void address_change(struct want *w, struct uplink_if *i, struct nl_sock *sk)
{
	struct err e = ERR_INIT;

	for (size_t k = 0; k < w->old_address_count; k++)
		if (rt_address_del(sk, &w->old_addresses[k], &e) < 0)
			address_failed(i, &e);
	for (size_t k = 0; k < w->address_count; k++)
		if ((!w->has_address[k] || i->fresh) &&
		    rt_address_set(sk, &w->addresses[k], &e) < 0)
			address_failed(i, &e);
	i->fresh = false;
}

static void address_routes(struct want *w, struct uplink_if *i, struct nl_sock *sk)
{
	struct err e = ERR_INIT;

	if (rt_routes(sk, want_on_route, w, &e) < 0)
		address_failed(i, &e);
	for (size_t k = 0; k < w->old_route_count; k++)
		if (rt_route_del(sk, &w->old_routes[k], &e) < 0)
			address_failed(i, &e);
	for (size_t k = 0; k < w->route_count; k++)
		if (!w->has_route[k] && rt_route_set(sk, &w->routes[k], &e) < 0)
			address_failed(i, &e);
}

static void address_tell(struct uplink *u, const struct want *w, struct uplink_if *i, bool fresh)
{
	char text[UPLINK_ADDRESS_MAX] = "", via[UPLINK_ADDRESS_MAX] = "";

	if (w->address_count) {
		uplink_ip_text(&w->addresses[0].net.ip, text);
		for (size_t k = 0; !*via && k < w->route_count; k++)
			if (!w->routes[k].route.to.prefix_len)
				uplink_ip_text(&w->routes[k].route.via, via);
	} else {
		memcpy(text, w->global6, sizeof(text));
	}
	if (str_eq(text, i->told)) {
		if (*text && fresh)
			u->config.on_address(i->name, text, u->config.arg);
		return;
	}
	memcpy(i->told, text, sizeof(i->told));
	if (*text)
		log_info("uplink", "ev=lease iface=%s address=%s gateway=%s", i->name, text, via);
	else
		log_warn("uplink", "ev=address_gone iface=%s", i->name);
	u->config.on_address(i->name, text, u->config.arg);
}

void address_apply(struct uplink *u, struct uplink_if *i, struct nl_sock *sk)
{
	_cleanup_free_ struct want *w = mem_alloc(sizeof(*w));
	bool fresh = i->fresh;
	struct err e = ERR_INIT;

	w->i = i;
	want_fill(u, w);
	if (rt_addresses(sk, want_on_address, w, &e) < 0) {
		address_failed(i, &e);
		return;
	}
	address_change(w, i, sk);
	address_routes(w, i, sk);
	address_tell(u, w, i, fresh);
}
