// SPDX-License-Identifier: Apache-2.0
/*
 * Changes of network cards' links, as the kernel announces them (rtnetlink). What pods bring, taps
 * and bridges, hangs on no device and is passed over.
 */
#include "host/host.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/mem.h"

#define LINKS_BATCH_MAX 64 /* messages a turn: others want theirs */

static struct {
	struct watch watch;
	void (*on_change)(void *arg);
	void *arg;
} links;

bool host_link_is_device(const void *data, size_t len)
{
	const struct nlmsghdr *n = data;
	size_t left;

	if (len < NLMSG_SPACE(sizeof(struct ifinfomsg)) || n->nlmsg_len > len ||
	    n->nlmsg_len < NLMSG_SPACE(sizeof(struct ifinfomsg)) ||
	    (n->nlmsg_type != RTM_NEWLINK && n->nlmsg_type != RTM_DELLINK))
		return false;
	left = n->nlmsg_len - NLMSG_SPACE(sizeof(struct ifinfomsg));
	for (const struct rtattr *a = IFLA_RTA(NLMSG_DATA(n)); RTA_OK(a, left);
	     a = RTA_NEXT(a, left))
		if (a->rta_type == IFLA_PARENT_DEV_NAME)
			return true;
	return false;
}

static void links_ready(struct watch *w, uint32_t events)
{
	char msg[8192] __attribute__((aligned(__alignof__(struct nlmsghdr))));
	bool changed = false;

	(void)events;
	for (int i = 0; i < LINKS_BATCH_MAX; i++) {
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
			changed |= host_link_is_device(msg, (size_t)n);
	}
	if (changed)
		links.on_change(links.arg);
}

int host_links_start(struct loop *loop, void (*on_change)(void *arg), void *arg, struct err *e)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	_cleanup_fd_ int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	int r;

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return err_sys(e, -errno, "link socket");
	links.on_change = on_change;
	links.arg = arg;
	r = watch_add(loop, &links.watch, fd, EPOLLIN, links_ready);
	if (r < 0)
		return err_sys(e, r, "link socket");
	take_fd(&fd);
	return 0;
}
