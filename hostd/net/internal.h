/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of net/ share; nobody else includes this. */
#ifndef NET_INTERNAL_H
#define NET_INTERNAL_H

#include "base/list.h"
#include "net/net.h"

struct net_pod {
	char uid[NET_UID_MAX];
	uint32_t ip; /* host byte order */
	struct net_port ports[NET_PORTS_MAX];
	size_t port_count;
	struct list node;
};

struct net {
	char bridge[16];
	unsigned int bridge_index;
	uint32_t network; /* host byte order */
	unsigned int prefix_len;
	struct list pods;
};

/* The bridge's own address and the pods' gateway */
static inline uint32_t net_gateway(const struct net *n)
{
	return n->network + 1;
}

/**
 * link_bridge_up() - Make the bridge, if need be, with its address, and bring it up
 * @index: set to its interface index
 * Return: 0 or -errno.
 */
int link_bridge_up(const char *name, uint32_t address, unsigned int prefix_len, unsigned int *index,
		   struct err *e);

/**
 * link_tap_open() - Make a tap that lives as long as its descriptor and put it into a bridge
 * @name: at most 15 characters; one that exists is taken over only if no process holds it
 * @fd:   set on success
 * Return: 0 or -errno.
 */
int link_tap_open(const char *name, unsigned int bridge_index, int *fd, struct err *e);

/**
 * guard_tap() - Bind a tap in a bridge to its pod's addresses
 * @ip: host byte order
 * Return: 0 or -errno.
 */
int guard_tap(const char *tap, unsigned int bridge_index, uint32_t ip, const uint8_t mac[6],
	      struct err *e);

/** guard_forget() - The address has no pod any more; the rest goes with the tap */
void guard_forget(unsigned int bridge_index, uint32_t ip);

/** shape_tap() - Put limits on a tap, replacing those that are there. Return: 0 or -errno */
int shape_tap(const char *tap, const struct net_rate *rate, struct err *e);

/** nft_replace() - Replace our table by the one for @n's pods, in one transaction. Return: 0 or -errno */
int nft_replace(const struct net *n, struct err *e);

#endif
