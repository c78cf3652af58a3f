// SPDX-License-Identifier: Apache-2.0
/*
 * Messages of rtnetlink, put together and taken apart by libnl's core. Its route library is not used: the few
 * attributes that are needed are plainer than its objects, and some (IFA_PROTO, IFA_RT_PRIORITY) it does not know.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>

#include "nlink/nlink.h"
#include "uplink/internal.h"

static struct nl_msg *rt_msg(int type, int flags, void *head, size_t len)
{
	struct nl_msg *m = nlmsg_alloc_simple(type, flags);

	if (m && nlmsg_append(m, head, len, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(m);
		return NULL;
	}
	return m;
}

static size_t rt_ip_size(int family)
{
	return family == AF_INET ? 4 : 16;
}

static void rt_put_ip(struct nl_msg *m, int attribute, const struct uplink_ip *ip)
{
	nla_put(m, attribute, (int)rt_ip_size(ip->family), ip->bytes);
}

/* ---- links ---- */

int rt_link_set(struct nl_sock *sk, const struct rt_link *link, struct err *e)
{
	struct ifinfomsg head = {.ifi_index = (int)link->index};
	struct nl_msg *m;

	if (link->set_up) {
		head.ifi_change = IFF_UP;
		head.ifi_flags = link->up ? IFF_UP : 0;
	}
	m = rt_msg(RTM_NEWLINK, 0, &head, sizeof(head));
	if (m && link->set_master)
		nla_put_u32(m, IFLA_MASTER, link->master);
	if (m && link->mtu)
		nla_put_u32(m, IFLA_MTU, link->mtu);
	return nlink_send(sk, m, "change interface", e);
}

int rt_link_del(struct nl_sock *sk, unsigned int index, struct err *e)
{
	struct ifinfomsg head = {.ifi_index = (int)index};

	return nlink_send(sk, rt_msg(RTM_DELLINK, 0, &head, sizeof(head)), "remove interface", e);
}

static struct nl_msg *rt_new_link(const char *name, const char *kind, struct nlattr **info,
				  struct nlattr **data)
{
	struct ifinfomsg head = {0};
	struct nl_msg *m = rt_msg(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));

	if (!m)
		return NULL;
	nla_put_string(m, IFLA_IFNAME, name);
	*info = nla_nest_start(m, IFLA_LINKINFO);
	nla_put_string(m, IFLA_INFO_KIND, kind);
	*data = nla_nest_start(m, IFLA_INFO_DATA);
	return m;
}

int rt_bond_add(struct nl_sock *sk, const struct uplink_bond *b, struct err *e)
{
	struct nlattr *info = NULL, *data = NULL;
	struct nl_msg *m = rt_new_link(b->name, "bond", &info, &data);

	if (m) {
		nla_put_u8(m, IFLA_BOND_MODE, (uint8_t)b->mode);
		nla_put_u32(m, IFLA_BOND_MIIMON, b->miimon_ms);
		if (b->updelay_ms)
			nla_put_u32(m, IFLA_BOND_UPDELAY, b->updelay_ms);
		if (b->downdelay_ms)
			nla_put_u32(m, IFLA_BOND_DOWNDELAY, b->downdelay_ms);
		if (b->xmit_hash_policy)
			nla_put_u8(m, IFLA_BOND_XMIT_HASH_POLICY, b->xmit_hash_policy);
		if (b->min_links)
			nla_put_u32(m, IFLA_BOND_MIN_LINKS, b->min_links);
		if (b->mode == UPLINK_LACP)
			nla_put_u8(m, IFLA_BOND_AD_LACP_RATE, b->lacp_fast);
		nla_nest_end(m, data);
		nla_nest_end(m, info);
	}
	return nlink_send(sk, m, "make bond", e);
}

int rt_vlan_add(struct nl_sock *sk, const struct uplink_vlan *v, unsigned int parent, struct err *e)
{
	struct nlattr *info = NULL, *data = NULL;
	struct nl_msg *m = rt_new_link(v->name, "vlan", &info, &data);

	if (m) {
		nla_put_u16(m, IFLA_VLAN_ID, v->id);
		nla_nest_end(m, data);
		nla_nest_end(m, info);
		nla_put_u32(m, IFLA_LINK, parent);
	}
	return nlink_send(sk, m, "make VLAN", e);
}

/* ---- addresses ---- */

static struct nl_msg *rt_address_msg(int type, int flags, const struct rt_address *a)
{
	struct ifaddrmsg head = {
		.ifa_family = (uint8_t)a->net.ip.family,
		.ifa_prefixlen = (uint8_t)a->net.prefix_len,
		.ifa_index = a->index,
	};
	struct nl_msg *m = rt_msg(type, flags, &head, sizeof(head));

	if (m)
		rt_put_ip(m, IFA_LOCAL, &a->net.ip);
	return m;
}

int rt_address_set(struct nl_sock *sk, const struct rt_address *a, struct err *e)
{
	const struct ifa_cacheinfo life = {.ifa_prefered = a->valid_s, .ifa_valid = a->valid_s};
	struct nl_msg *m = rt_address_msg(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, a);
	uint8_t bytes[4];

	if (m) {
		nla_put(m, IFA_CACHEINFO, sizeof(life), &life);
		nla_put_u8(m, IFA_PROTO, a->proto);
		nla_put_u32(m, IFA_RT_PRIORITY, a->metric);
		if (a->net.ip.family == AF_INET && a->net.prefix_len < 31) {
			memcpy(bytes, a->net.ip.bytes, sizeof(bytes));
			for (unsigned int bit = a->net.prefix_len; bit < 32; bit++)
				bytes[bit / 8] |= (uint8_t)(0x80U >> bit % 8);
			nla_put(m, IFA_BROADCAST, sizeof(bytes), bytes);
		}
	}
	return nlink_send(sk, m, "set address", e);
}

int rt_address_del(struct nl_sock *sk, const struct rt_address *a, struct err *e)
{
	return nlink_send(sk, rt_address_msg(RTM_DELADDR, 0, a), "remove address", e);
}

/* ---- routes ---- */

static struct nl_msg *rt_route_msg(int type, int flags, const struct rt_route *r)
{
	const struct uplink_route *route = &r->route;
	struct rtmsg head = {
		.rtm_family = (uint8_t)route->to.ip.family,
		.rtm_dst_len = (uint8_t)route->to.prefix_len,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = r->proto,
		.rtm_scope = route->via.family || route->to.ip.family == AF_INET6
				     ? RT_SCOPE_UNIVERSE
				     : RT_SCOPE_LINK,
		.rtm_type = RTN_UNICAST,
		/* The gateway may be outside of the address's own network, as some clouds have it */
		.rtm_flags = route->via.family ? RTNH_F_ONLINK : 0,
	};
	struct nl_msg *m = rt_msg(type, flags, &head, sizeof(head));

	if (!m)
		return NULL;
	if (route->to.prefix_len)
		rt_put_ip(m, RTA_DST, &route->to.ip);
	if (route->via.family)
		rt_put_ip(m, RTA_GATEWAY, &route->via);
	nla_put_u32(m, RTA_OIF, r->index);
	nla_put_u32(m, RTA_PRIORITY, r->metric);
	return m;
}

int rt_route_set(struct nl_sock *sk, const struct rt_route *r, struct err *e)
{
	return nlink_send(sk, rt_route_msg(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, r),
			  "set route", e);
}

int rt_route_del(struct nl_sock *sk, const struct rt_route *r, struct err *e)
{
	return nlink_send(sk, rt_route_msg(RTM_DELROUTE, 0, r), "remove route", e);
}

/* ---- what there is ---- */

struct rt_dump {
	void (*on_address)(const struct rt_address *a, void *arg);
	void (*on_route)(const struct rt_route *r, void *arg);
	void *arg;
};

static bool rt_get_ip(const struct nlattr *attr, int family, struct uplink_ip *ip)
{
	if (!attr || (family != AF_INET && family != AF_INET6) ||
	    (size_t)nla_len(attr) != rt_ip_size(family))
		return false;
	*ip = (struct uplink_ip){.family = family};
	memcpy(ip->bytes, nla_data(attr), rt_ip_size(family));
	return true;
}

static int rt_on_address(struct nl_msg *m, void *arg)
{
	const struct rt_dump *dump = arg;
	struct nlattr *tb[IFA_MAX + 1];
	struct nlmsghdr *n = nlmsg_hdr(m);
	const struct ifaddrmsg *head = nlmsg_data(n);
	struct rt_address a = {0};

	if (n->nlmsg_type != RTM_NEWADDR || nlmsg_parse(n, sizeof(*head), tb, IFA_MAX, NULL) < 0)
		return NL_OK;
	a.index = head->ifa_index;
	a.net.prefix_len = head->ifa_prefixlen;
	a.tentative = head->ifa_flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED);
	if (tb[IFA_PROTO])
		a.proto = nla_get_u8(tb[IFA_PROTO]);
	if (rt_get_ip(tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS], head->ifa_family, &a.net.ip))
		dump->on_address(&a, dump->arg);
	return NL_OK;
}

static int rt_on_route(struct nl_msg *m, void *arg)
{
	const struct rt_dump *dump = arg;
	struct nlattr *tb[RTA_MAX + 1];
	struct nlmsghdr *n = nlmsg_hdr(m);
	const struct rtmsg *head = nlmsg_data(n);
	struct rt_route r = {0};

	if (n->nlmsg_type != RTM_NEWROUTE || nlmsg_parse(n, sizeof(*head), tb, RTA_MAX, NULL) < 0 ||
	    head->rtm_table != RT_TABLE_MAIN || head->rtm_type != RTN_UNICAST ||
	    (head->rtm_family != AF_INET && head->rtm_family != AF_INET6) || !tb[RTA_OIF])
		return NL_OK;
	r.index = nla_get_u32(tb[RTA_OIF]);
	r.proto = head->rtm_protocol;
	r.metric = tb[RTA_PRIORITY] ? nla_get_u32(tb[RTA_PRIORITY]) : 0;
	r.route.to.prefix_len = head->rtm_dst_len;
	r.route.to.ip.family = head->rtm_family;
	(void)rt_get_ip(tb[RTA_DST], head->rtm_family, &r.route.to.ip);
	(void)rt_get_ip(tb[RTA_GATEWAY], head->rtm_family, &r.route.via);
	dump->on_route(&r, dump->arg);
	return NL_OK;
}

static int rt_dump(struct nl_sock *sk, int type, nl_recvmsg_msg_cb_t fn, struct rt_dump *dump,
		   const char *what, struct err *e)
{
	struct rtmsg head = {0}; /* as long as any other, and all of it zero */
	struct nl_msg *m = rt_msg(type, NLM_F_DUMP, &head, sizeof(head));
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int r;

	if (!m || !cb)
		abort();
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, fn, dump);
	r = nl_send_auto(sk, m);
	if (r >= 0)
		r = nl_recvmsgs(sk, cb);
	nlmsg_free(m);
	nl_cb_put(cb);
	return r < 0 ? nlink_failed(e, r, "list", what) : 0;
}

int rt_addresses(struct nl_sock *sk, void (*on_address)(const struct rt_address *a, void *arg),
		 void *arg, struct err *e)
{
	struct rt_dump dump = {.on_address = on_address, .arg = arg};

	return rt_dump(sk, RTM_GETADDR, rt_on_address, &dump, "addresses", e);
}

int rt_routes(struct nl_sock *sk, void (*on_route)(const struct rt_route *r, void *arg), void *arg,
	      struct err *e)
{
	struct rt_dump dump = {.on_route = on_route, .arg = arg};

	return rt_dump(sk, RTM_GETROUTE, rt_on_route, &dump, "routes", e);
}

void rt_close(struct nl_sock *sk)
{
	if (sk)
		nl_socket_free(sk);
}
