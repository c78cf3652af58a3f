// SPDX-License-Identifier: Apache-2.0
/*
 * The kernel's words on links, addresses and router advertisements (rtnetlink's groups), and the lease folder's: each
 * only says that it is time to look. Pods' taps come and go all the time: what is about none of our interfaces is
 * passed over.
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/mem.h"
#include "uplink/internal.h"

#define EVENTS_BATCH_MAX 64 /* messages a turn: others want theirs */
#define EVENTS_MSG_MAX	 8192
#define EVENTS_RA_MANAGED \
	0x40 /* IF_RA_MANAGED of linux/if_link.h's kernel side: the advertisement's M flag */

static struct {
	struct watch links, leases;
} events;

static const struct rtattr *events_attr(const struct rtattr *a, size_t left, int type)
{
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a;
	return NULL;
}

static void events_managed(struct uplink_if *i, const struct ifinfomsg *head, size_t left)
{
	const struct rtattr *info = events_attr(IFLA_RTA(head), left, IFLA_PROTINFO), *flags;
	uint32_t value;

	if (!info)
		return;
	flags = events_attr(RTA_DATA(info), RTA_PAYLOAD(info), IFLA_INET6_FLAGS);
	if (!flags || RTA_PAYLOAD(flags) < sizeof(value))
		return;
	memcpy(&value, RTA_DATA(flags), sizeof(value));
	i->managed6 = value & EVENTS_RA_MANAGED;
}

static bool events_link(struct uplink *u, const struct nlmsghdr *n)
{
	const struct ifinfomsg *head = NLMSG_DATA(n);
	struct uplink_if *i;
	size_t left;

	if (n->nlmsg_len < NLMSG_SPACE(sizeof(*head)))
		return false;
	left = n->nlmsg_len - NLMSG_SPACE(sizeof(*head));
	i = uplink_find_index(u, (unsigned int)head->ifi_index);
	if (i && n->nlmsg_type == RTM_NEWLINK && head->ifi_family == AF_INET6)
		events_managed(i, head, left);
	return i || events_attr(IFLA_RTA(head), left, IFLA_PARENT_DEV_NAME);
}

static bool events_option(struct uplink *u, const struct nlmsghdr *n)
{
	const struct nduseroptmsg *head = NLMSG_DATA(n);
	struct uplink_if *i;

	if (n->nlmsg_len < NLMSG_SPACE(sizeof(*head)) || head->nduseropt_family != AF_INET6 ||
	    head->nduseropt_opts_len > n->nlmsg_len - NLMSG_SPACE(sizeof(*head)))
		return false;
	i = uplink_find_index(u, (unsigned int)head->nduseropt_ifindex);
	return i && uplink_rdnss_parse(head + 1, head->nduseropt_opts_len, i->rdnss,
				       &i->rdnss_count) == 0;
}

static bool events_counts(struct uplink *u, const void *data, size_t len)
{
	const struct nlmsghdr *n = data;
	const struct ifaddrmsg *address;

	if (len < NLMSG_HDRLEN || n->nlmsg_len > len)
		return false;
	if (n->nlmsg_type == RTM_NEWLINK || n->nlmsg_type == RTM_DELLINK)
		return events_link(u, n);
	if (n->nlmsg_type == RTM_NEWNDUSEROPT)
		return events_option(u, n);
	if (n->nlmsg_type != RTM_NEWADDR && n->nlmsg_type != RTM_DELADDR)
		return false;
	address = NLMSG_DATA(n);
	return n->nlmsg_len >= NLMSG_SPACE(sizeof(*address)) &&
	       uplink_find_index(u, address->ifa_index);
}

static void events_ready(struct watch *w, uint32_t what)
{
	char msg[EVENTS_MSG_MAX] __attribute__((aligned(__alignof__(struct nlmsghdr))));
	bool changed = false;

	(void)what;
	for (int i = 0; i < EVENTS_BATCH_MAX; i++) {
		struct sockaddr_nl from;
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(w->fd, msg, sizeof(msg), MSG_DONTWAIT,
				     (struct sockaddr *)&from, &from_len);

		if (n < 0) {
			changed |= errno == ENOBUFS; /* some were lost */
			break;
		}
		/* One message a datagram; only the kernel's own (port 0) count */
		if (from_len == sizeof(from) && from.nl_pid == 0)
			changed |= events_counts(&uplink, msg, (size_t)n);
	}
	if (changed)
		uplink_poke();
}

static void events_lease(struct watch *w, uint32_t what)
{
	char data[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	struct uplink_if *i;

	(void)what;
	while (read(w->fd, data, sizeof(data)) > 0)
		;
	list_for_each(i, &uplink.ifs, node) {
		i->fresh |= client_lease(&i->dhcp4, &i->lease4);
		i->fresh |= client_lease(&i->dhcp6, &i->lease6);
	}
	uplink_poke();
}

int events_start(struct uplink *u, struct err *e)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK,
				 .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
					      RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_IFINFO |
					      1U << (RTNLGRP_ND_USEROPT - 1)};
	_cleanup_fd_ int links =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	_cleanup_fd_ int leases = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int r;

	if (links < 0 || bind(links, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return err_sys(e, -errno, "link socket");
	if (leases < 0 || inotify_add_watch(leases, u->config.dir, IN_MOVED_TO) < 0)
		return err_sys(e, -errno, "watch %s", u->config.dir);
	r = watch_add(u->config.loop, &events.links, links, EPOLLIN, events_ready);
	if (r == 0) {
		take_fd(&links);
		r = watch_add(u->config.loop, &events.leases, leases, EPOLLIN, events_lease);
	}
	if (r < 0)
		return err_sys(e, r, "watch the network");
	take_fd(&leases);
	return 0;
}
