// SPDX-License-Identifier: Apache-2.0
/*
 * Who has which address and host port. The list of attached pods is the only state; the packet
 * filter is written from it as a whole (nft.c).
 */
#include "net/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/internal.h"

#define NET_DEFAULT_CIDR   "10.88.0.0/24"
#define NET_DEFAULT_BRIDGE "hyper0"
#define NET_PREFIX_MIN	   16
#define NET_PREFIX_MAX	   29
#define NET_MTU		   1500

static char *net_ip_text(char *out, uint32_t ip)
{
	struct in_addr a = {.s_addr = htonl(ip)};

	inet_ntop(AF_INET, &a, out, NET_ADDR_MAX);
	return out;
}

static int net_parse_cidr(struct net *n, const char *cidr, struct err *e)
{
	const char *slash = strchr(cidr, '/');
	char text[NET_ADDR_MAX];
	struct in_addr a;
	uint64_t prefix;

	if (!slash || (size_t)(slash - cidr) >= sizeof(text))
		return err_set(e, -EINVAL, "pod range %s: not ADDRESS/PREFIX", cidr);
	memcpy(text, cidr, (size_t)(slash - cidr));
	text[slash - cidr] = '\0';
	if (inet_pton(AF_INET, text, &a) != 1 || str_u64(slash + 1, 32, &prefix) < 0)
		return err_set(e, -EINVAL, "pod range %s: not ADDRESS/PREFIX", cidr);
	if (prefix < NET_PREFIX_MIN || prefix > NET_PREFIX_MAX)
		return err_set(e, -EINVAL, "pod range %s: the prefix must be %d to %d", cidr,
			       NET_PREFIX_MIN, NET_PREFIX_MAX);
	n->prefix_len = (unsigned int)prefix;
	n->network = ntohl(a.s_addr) & ~0U << (32 - prefix);
	return 0;
}

static int net_enable_forwarding(struct err *e)
{
	_cleanup_fd_ int fd = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : fd_write_full(fd, "1\n", 2);

	return r < 0 ? err_sys(e, r, "switch on IPv4 forwarding") : 0;
}

int net_new(const struct net_config *config, struct net **net, struct err *e)
{
	_cleanup_free_ struct net *n = mem_alloc(sizeof(*n));
	int r;

	list_init(&n->pods);
	if (str_copy(n->bridge, sizeof(n->bridge),
		     config->bridge ? config->bridge : NET_DEFAULT_BRIDGE) < 0)
		return err_set(e, -ENAMETOOLONG, "bridge %s", config->bridge);
	r = net_parse_cidr(n, config->pod_cidr ? config->pod_cidr : NET_DEFAULT_CIDR, e);
	if (r == 0)
		r = link_bridge_up(n->bridge, net_gateway(n), n->prefix_len, &n->bridge_index, e);
	if (r == 0)
		r = net_enable_forwarding(e);
	if (r < 0)
		return r;
	*net = take_ptr(n);
	return 0;
}

struct net *net_free(struct net *net)
{
	struct net_pod *pod, *tmp;

	if (!net)
		return NULL;
	list_for_each_safe(pod, tmp, &net->pods, node)
		free(pod);
	free(net);
	return NULL;
}

static struct net_pod *net_find(struct net *net, const char *uid)
{
	struct net_pod *pod;

	list_for_each(pod, &net->pods, node)
		if (str_eq(pod->uid, uid))
			return pod;
	return NULL;
}

static bool net_ip_taken(const struct net *net, uint32_t ip)
{
	const struct net_pod *pod;

	list_for_each(pod, &net->pods, node)
		if (pod->ip == ip)
			return true;
	return false;
}

/* The lowest free address behind the gateway; the last of the range is the broadcast address. */
static uint32_t net_ip_choose(const struct net *net)
{
	uint32_t last = net->network | ~(~0U << (32 - net->prefix_len));

	for (uint32_t ip = net_gateway(net) + 1; ip < last; ip++)
		if (!net_ip_taken(net, ip))
			return ip;
	return 0;
}

static bool net_ports_clash(const struct net_port *a, const struct net_port *b)
{
	return a->host_port == b->host_port && a->udp == b->udp &&
	       (!a->host_ip[0] || !b->host_ip[0] || str_eq(a->host_ip, b->host_ip));
}

static int net_ports_free(const struct net *net, const struct net_port *ports, size_t count,
			  struct err *e)
{
	const struct net_pod *pod;

	if (count > NET_PORTS_MAX)
		return err_set(e, -E2BIG, "%zu host ports; %d are possible", count, NET_PORTS_MAX);
	list_for_each(pod, &net->pods, node)
		for (size_t i = 0; i < pod->port_count; i++)
			for (size_t k = 0; k < count; k++)
				if (net_ports_clash(&pod->ports[i], &ports[k]))
					return err_set(e, -EADDRINUSE, "host port %u/%s is taken",
						       ports[k].host_port,
						       ports[k].udp ? "udp" : "tcp");
	return 0;
}

static int net_add(struct net *net, const char *uid, uint32_t ip, const struct net_port *ports,
		   size_t count, struct err *e)
{
	struct net_pod *pod;
	int r;

	if (net_find(net, uid))
		return err_set(e, -EEXIST, "pod %s is attached already", uid);
	if (strlen(uid) >= sizeof(pod->uid))
		return err_set(e, -ENAMETOOLONG, "pod %s", uid);
	r = net_ports_free(net, ports, count, e);
	if (r < 0)
		return r;
	pod = mem_alloc(sizeof(*pod));
	str_copy(pod->uid, sizeof(pod->uid), uid);
	pod->ip = ip;
	if (count)
		memcpy(pod->ports, ports, count * sizeof(*ports));
	pod->port_count = count;
	list_add(&net->pods, &pod->node);
	return 0;
}

static void net_remove(struct net *net, const char *uid)
{
	struct net_pod *pod = net_find(net, uid);

	if (!pod)
		return;
	guard_forget(net->bridge_index, pod->ip);
	list_del(&pod->node);
	free(pod);
}

/* The name says the address: the last two octets tell pods of one range apart. */
static void net_name_tap(uint32_t ip, char tap[16])
{
	snprintf(tap, 16, "vm%u-%u", ip >> 8 & 255, ip & 255);
}

int net_tap_name(const char *ip, char tap[16])
{
	struct in_addr a;

	if (inet_pton(AF_INET, ip, &a) != 1)
		return -EINVAL;
	net_name_tap(ntohl(a.s_addr), tap);
	return 0;
}

static int net_open(const struct net *net, uint32_t ip, struct net_if *out, struct err *e)
{
	uint32_t be_ip = htonl(ip);
	int r;

	*out = (struct net_if){.tap_fd = -1, .vhost_fd = -1, .mac = {0x02, 0x58}};
	memcpy(out->mac + 2, &be_ip, sizeof(be_ip));
	net_ip_text(out->ip, ip);
	net_ip_text(out->gateway, net_gateway(net));
	out->prefix_len = net->prefix_len;
	out->mtu = NET_MTU;
	net_name_tap(ip, out->tap);
	r = link_tap_open(out->tap, net->bridge_index, &out->tap_fd, e);
	if (r == 0)
		r = guard_tap(out->tap, net->bridge_index, ip, out->mac, e);
	if (r < 0) {
		out->tap_fd = fd_close(out->tap_fd);
		return r;
	}
	out->vhost_fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
	if (out->vhost_fd < 0) {
		r = err_sys(e, -errno, "open /dev/vhost-net");
		out->tap_fd = fd_close(out->tap_fd);
	}
	return r;
}

int net_attach(struct net *net, const char *uid, const struct net_port *ports, size_t count,
	       struct net_if *out, struct err *e)
{
	uint32_t ip = net_ip_choose(net);
	int r;

	if (!ip)
		return err_set(e, -ENOSPC, "no free address in the pod range");
	r = net_add(net, uid, ip, ports, count, e);
	if (r < 0)
		return r;
	r = net_open(net, ip, out, e);
	if (r == 0) {
		r = nft_replace(net, e);
		if (r == 0)
			return 0;
		fd_close(out->tap_fd);
		fd_close(out->vhost_fd);
	}
	net_remove(net, uid);
	return r;
}

int net_limit(const struct net_if *nif, const struct net_rate *rate, struct err *e)
{
	return shape_tap(nif->tap, rate, e);
}

int net_adopt(struct net *net, const char *uid, const char *ip, const struct net_port *ports,
	      size_t count, struct err *e)
{
	struct in_addr a;
	uint32_t addr;

	if (inet_pton(AF_INET, ip, &a) != 1)
		return err_set(e, -EINVAL, "%s is no address", ip);
	addr = ntohl(a.s_addr);
	if ((addr & ~0U << (32 - net->prefix_len)) != net->network || addr == net_gateway(net))
		return err_set(e, -EINVAL, "%s is not a pod's address here", ip);
	if (net_ip_taken(net, addr))
		return err_set(e, -EADDRINUSE, "address %s is taken", ip);
	return net_add(net, uid, addr, ports, count, e);
}

int net_sync(struct net *net, struct err *e)
{
	return nft_replace(net, e);
}

int net_detach(struct net *net, const char *uid, struct err *e)
{
	if (!net_find(net, uid))
		return 0;
	net_remove(net, uid);
	return nft_replace(net, e);
}
