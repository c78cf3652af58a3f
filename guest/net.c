// SPDX-License-Identifier: Apache-2.0
/*
 * Five requests on one NETLINK_ROUTE socket, each with NLM_F_ACK and its answer read before the
 * next. Everything is new in this kernel, so NLM_F_CREATE without NLM_F_EXCL makes a repetition
 * harmless. Attributes are appended to a buffer that is larger than any of the requests.
 */
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

#define NET_DEVICE	"eth0"
#define NET_REQUEST_MAX 256
#define NET_ANSWER_MAX	4096

struct net_request {
	struct nlmsghdr head;
	uint8_t body[NET_REQUEST_MAX];
};

static void net_begin(struct net_request *q, uint16_t type, uint16_t flags, const void *body,
		      size_t len)
{
	memset(q, 0, sizeof(*q));
	q->head.nlmsg_type = type;
	q->head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	q->head.nlmsg_len = (uint32_t)NLMSG_LENGTH(len);
	memcpy(NLMSG_DATA(&q->head), body, len);
}

static void net_attr(struct net_request *q, uint16_t type, uint32_t value)
{
	struct rtattr *a = (struct rtattr *)((uint8_t *)q + NLMSG_ALIGN(q->head.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(sizeof(value));
	memcpy(RTA_DATA(a), &value, sizeof(value));
	q->head.nlmsg_len = NLMSG_ALIGN(q->head.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

static int net_ask(int sock, struct net_request *q, const char *what, struct err *e)
{
	union {
		struct nlmsghdr head;
		uint8_t bytes[NET_ANSWER_MAX];
	} answer;
	ssize_t n;
	int code;

	if (send(sock, q, q->head.nlmsg_len, 0) < 0)
		return err_sys(e, -errno, "network: %s", what);
	n = recv(sock, &answer, sizeof(answer), 0);
	if (n < 0)
		return err_sys(e, -errno, "network: %s", what);
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(int)) || answer.head.nlmsg_type != NLMSG_ERROR)
		return err_set(e, -EPROTO, "network: %s: unexpected answer", what);
	memcpy(&code, NLMSG_DATA(&answer.head), sizeof(code));
	return code < 0 ? err_sys(e, code, "network: %s", what) : 0;
}

static int net_link_up(int sock, unsigned int index, uint32_t mtu, struct err *e)
{
	struct ifinfomsg body = {
		.ifi_index = (int)index,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP,
	};
	struct net_request q;

	net_begin(&q, RTM_NEWLINK, 0, &body, sizeof(body));
	if (mtu)
		net_attr(&q, IFLA_MTU, mtu);
	return net_ask(sock, &q, "bring a link up", e);
}

static int net_add_address(int sock, unsigned int index, const struct guest_net *n, struct err *e)
{
	uint32_t mask = n->prefix ? ~(uint32_t)0 << (32 - n->prefix) : 0;
	struct ifaddrmsg body = {
		.ifa_family = AF_INET,
		.ifa_prefixlen = n->prefix,
		.ifa_index = index,
	};
	struct net_request q;

	net_begin(&q, RTM_NEWADDR, NLM_F_CREATE, &body, sizeof(body));
	net_attr(&q, IFA_LOCAL, htonl(n->address));
	net_attr(&q, IFA_ADDRESS, htonl(n->address));
	if (n->prefix < 31)
		net_attr(&q, IFA_BROADCAST, htonl(n->address | ~mask));
	return net_ask(sock, &q, "set the address", e);
}

static int net_add_route(int sock, unsigned int index, const struct guest_net *n, struct err *e)
{
	/* ONLINK: the gateway may lie outside of the prefix, as with a /32 */
	struct rtmsg body = {
		.rtm_family = AF_INET,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
		.rtm_flags = RTNH_F_ONLINK,
	};
	struct net_request q;

	net_begin(&q, RTM_NEWROUTE, NLM_F_CREATE, &body, sizeof(body));
	net_attr(&q, RTA_GATEWAY, htonl(n->gateway));
	net_attr(&q, RTA_OIF, index);
	return net_ask(sock, &q, "set the default route", e);
}

void net_sysctl(const char *name, const char *value)
{
	_cleanup_fd_ int fd = -1;
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)!write(fd, value, strlen(value));
}

int net_set_up(const struct guest_net *n, struct err *e)
{
	_cleanup_fd_ int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	unsigned int index;
	int r;

	if (sock < 0)
		return err_sys(e, -errno, "network: open netlink");
	net_sysctl("net/ipv6/conf/all/disable_ipv6", "1");
	net_sysctl("net/ipv6/conf/default/disable_ipv6", "1");
	/* As containerd has it: an image that runs as nobody may serve on port 80, and ping. */
	net_sysctl("net/ipv4/ip_unprivileged_port_start", "0");
	net_sysctl("net/ipv4/ping_group_range", "0 2147483647");
	r = net_link_up(sock, if_nametoindex("lo"), 0, e);
	if (r < 0 || !n->address)
		return r;
	index = if_nametoindex(NET_DEVICE);
	if (!index)
		return err_sys(e, -errno, "network: %s", NET_DEVICE);
	r = net_add_address(sock, index, n, e);
	if (r == 0)
		r = net_link_up(sock, index, n->mtu, e);
	if (r == 0 && n->gateway)
		r = net_add_route(sock, index, n, e);
	return r;
}
