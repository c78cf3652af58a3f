// SPDX-License-Identifier: Apache-2.0
/*
 * Interfaces by rtnetlink (libnl-route) and /dev/net/tun. All calls are synchronous and take well
 * under a millisecond, so the event loop can afford them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/internal.h"
#include "nlink/nlink.h"

/* A fixed address: else the bridge's would change with the taps that join and leave. */
static void link_bridge_mac(struct rtnl_link *link, uint32_t address)
{
	uint8_t mac[6] = {0x02, 0x58, 0, 0, 0, 0};
	struct nl_addr *ll;

	address = htonl(address);
	memcpy(mac + 2, &address, sizeof(address));
	ll = nl_addr_build(AF_LLC, mac, sizeof(mac));
	if (!ll)
		return;
	rtnl_link_set_addr(link, ll);
	nl_addr_put(ll);
}

static int link_bridge_add(struct nl_sock *sk, const char *name, uint32_t address, struct err *e)
{
	struct rtnl_link *link = rtnl_link_bridge_alloc();
	int r;

	if (!link)
		return err_set(e, -ENOMEM, "bridge %s", name);
	rtnl_link_set_name(link, name);
	link_bridge_mac(link, address);
	rtnl_link_set_flags(link, IFF_UP);
	r = rtnl_link_add(sk, link, NLM_F_CREATE | NLM_F_EXCL);
	rtnl_link_put(link);
	return r < 0 && r != -NLE_EXIST ? nlink_failed(e, r, "make bridge", name) : 0;
}

static int link_address_add(struct nl_sock *sk, unsigned int index, uint32_t address,
			    unsigned int prefix_len, struct err *e)
{
	struct rtnl_addr *a = rtnl_addr_alloc();
	struct nl_addr *local;
	uint32_t be = htonl(address);
	int r;

	local = nl_addr_build(AF_INET, &be, sizeof(be));
	if (!a || !local)
		abort();
	nl_addr_set_prefixlen(local, (int)prefix_len);
	rtnl_addr_set_ifindex(a, (int)index);
	rtnl_addr_set_local(a, local);
	r = rtnl_addr_add(sk, a, NLM_F_CREATE | NLM_F_REPLACE);
	nl_addr_put(local);
	rtnl_addr_put(a);
	return r < 0 && r != -NLE_EXIST ? nlink_failed(e, r, "set address of", "bridge") : 0;
}

static int link_change(struct nl_sock *sk, const char *name, unsigned int master, struct err *e)
{
	struct rtnl_link *now = NULL, *change;
	int r = rtnl_link_get_kernel(sk, 0, name, &now);

	if (r < 0)
		return nlink_failed(e, r, "find", name);
	change = rtnl_link_alloc();
	if (!change)
		abort();
	rtnl_link_set_flags(change, IFF_UP);
	if (master)
		rtnl_link_set_master(change, (int)master);
	r = rtnl_link_change(sk, now, change, 0);
	rtnl_link_put(change);
	rtnl_link_put(now);
	return r < 0 ? nlink_failed(e, r, "bring up", name) : 0;
}

/* Nothing of ours speaks IPv6 yet: without it no router solicitation wakes idle guests. */
static void link_no_ipv6(const char *name)
{
	char path[80];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		fd_write_full(fd, "1", 1);
}

int link_bridge_up(const char *name, uint32_t address, unsigned int prefix_len, unsigned int *index,
		   struct err *e)
{
	struct nl_sock *sk;
	int r = nlink_open(&sk, e);

	if (r < 0)
		return r;
	r = link_bridge_add(sk, name, address, e);
	if (r == 0) {
		link_no_ipv6(name);
		r = link_change(sk, name, 0, e);
	}
	if (r == 0) {
		*index = if_nametoindex(name);
		r = *index ? link_address_add(sk, *index, address, prefix_len, e)
			   : err_sys(e, -errno, "find %s", name);
	}
	nl_socket_free(sk);
	return r;
}

static int link_tap_make(const char *name, int *fd, struct err *e)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	_cleanup_fd_ int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (tap < 0)
		return err_sys(e, -errno, "open /dev/net/tun");
	if (str_copy(ifr.ifr_name, sizeof(ifr.ifr_name), name) < 0)
		return err_set(e, -ENAMETOOLONG, "tap %s", name);
	if (ioctl(tap, TUNSETIFF, &ifr) < 0)
		return err_sys(e, -errno, "make tap %s", name);
	*fd = take_fd(&tap);
	return 0;
}

int link_tap_open(const char *name, unsigned int bridge_index, int *fd, struct err *e)
{
	_cleanup_fd_ int tap = -1;
	struct nl_sock *sk;
	int r = link_tap_make(name, &tap, e);

	if (r < 0)
		return r;
	r = nlink_open(&sk, e);
	if (r < 0)
		return r;
	link_no_ipv6(name);
	r = link_change(sk, name, bridge_index, e);
	nl_socket_free(sk);
	if (r == 0)
		*fd = take_fd(&tap);
	return r;
}
