// SPDX-License-Identifier: Apache-2.0
/*
 * Keeps a pod to its own address: the bridge knows the pod's MAC address from us, learns none from its tap
 * and drops frames with another as their source, so a pod can neither take a neighbour's frames nor fill
 * the bridge's table; and the host knows for good which MAC address a pod's IP address has, so that no
 * answer to an ARP request leads what is sent to a pod elsewhere.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "net/internal.h"
#include "nlink/nlink.h"

#define GUARD_MAC_BYTES 6

/* @ip: host byte order; 0: an entry of the bridge's own table */
static struct nl_msg *guard_neighbour(int type, unsigned int index, uint32_t ip, const uint8_t *mac)
{
	struct nl_msg *m =
		nlmsg_alloc_simple(type, type == RTM_NEWNEIGH ? NLM_F_CREATE | NLM_F_REPLACE : 0);
	struct ndmsg head = {.ndm_family = ip ? AF_INET : AF_BRIDGE,
			     .ndm_ifindex = (int)index,
			     .ndm_state = ip ? NUD_PERMANENT : NUD_NOARP,
			     .ndm_flags = ip ? 0 : NTF_MASTER};
	uint32_t be = htonl(ip);

	if (!m || nlmsg_append(m, &head, sizeof(head), NLMSG_ALIGNTO) < 0 ||
	    (ip && nla_put(m, NDA_DST, sizeof(be), &be) < 0) ||
	    (mac && nla_put(m, NDA_LLADDR, GUARD_MAC_BYTES, mac) < 0))
		abort(); /* a few bytes */
	return m;
}

/* The port learns nothing and takes only what comes from an address that is known to be behind it. */
static struct nl_msg *guard_port(unsigned int tap)
{
	struct nl_msg *m = nlmsg_alloc_simple(RTM_SETLINK, 0);
	struct ifinfomsg head = {.ifi_family = AF_BRIDGE, .ifi_index = (int)tap};
	struct nlattr *port;

	if (!m || nlmsg_append(m, &head, sizeof(head), NLMSG_ALIGNTO) < 0)
		abort();
	port = nla_nest_start(m, IFLA_PROTINFO | NLA_F_NESTED);
	if (!port || nla_put_u8(m, IFLA_BRPORT_LEARNING, 0) < 0 ||
	    nla_put_u8(m, IFLA_BRPORT_LOCKED, 1) < 0)
		abort();
	nla_nest_end(m, port);
	return m;
}

int guard_tap(const char *tap, unsigned int bridge_index, uint32_t ip, const uint8_t mac[6],
	      struct err *e)
{
	unsigned int index = if_nametoindex(tap);
	struct nl_sock *sk;
	int r = nlink_open(&sk, e);

	if (r < 0)
		return r;
	r = nlink_send(sk, guard_neighbour(RTM_NEWNEIGH, index, 0, mac),
		       "tell the bridge a MAC address", e);
	if (r == 0)
		r = nlink_send(sk, guard_port(index), "lock a port of the bridge", e);
	if (r == 0)
		r = nlink_send(sk, guard_neighbour(RTM_NEWNEIGH, bridge_index, ip, mac),
			       "tell the host a MAC address", e);
	nl_socket_free(sk);
	return r;
}

void guard_forget(unsigned int bridge_index, uint32_t ip)
{
	struct nl_sock *sk;

	if (nlink_open(&sk, NULL) < 0)
		return;
	nlink_send(sk, guard_neighbour(RTM_DELNEIGH, bridge_index, ip, NULL), "forget", NULL);
	nl_socket_free(sk);
}
