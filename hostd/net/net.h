/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pods' network on one host: a bridge with the pods' taps, NAT out, host ports in.
 *
 * The host owns one IPv4 range. Its first address is the bridge's and the pods' gateway; every pod
 * gets the lowest free one. A pod's tap is not persistent: it lives exactly as long as a descriptor
 * of it, which is the VM's process's, so a VM that dies leaves nothing. The bridge takes frames from a tap only
 * with the pod's own MAC address (guard.c). The packet filter is one
 * nf_tables table that is a pure function of the attached pods: every change replaces the whole table
 * in one transaction, so that no crash leaves half of it.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define NET_PORTS_MAX 32
#define NET_ADDR_MAX  16 /* "255.255.255.255" and NUL */
#define NET_UID_MAX   64

struct net;

struct net_config {
	const char *pod_cidr; /* e.g. "10.88.0.0/24"; prefix 16..29; NULL: that */
	const char *bridge; /* NULL: "hyper0" */
};

struct net_port {
	uint16_t host_port, pod_port;
	bool udp;
	char host_ip[NET_ADDR_MAX]; /* "" for every local address */
};

/* What a VM is given. The strings are what hyperstart configures. */
struct net_if {
	char tap[16];
	int tap_fd; /* IFF_TAP | IFF_NO_PI | IFF_VNET_HDR; owned by the caller */
	int vhost_fd; /* /dev/vhost-net; owned by the caller */
	uint8_t mac[6];
	char ip[NET_ADDR_MAX], gateway[NET_ADDR_MAX];
	unsigned int prefix_len;
	unsigned int mtu;
};

/**
 * net_new() - Set up the bridge, forwarding and the packet filter (which keeps what is there until
 * the first attach, adopt or net_sync())
 * Return: 0 or -errno (needs CAP_NET_ADMIN).
 */
int net_new(const struct net_config *config, struct net **net, struct err *e);

/** net_free() - Forget; the bridge and the rules stay for the VMs that live on. Return: NULL */
struct net *net_free(struct net *net);

/** net_tap_name() - The name of a pod's tap, by its address. Return: 0; -EINVAL when @ip is none */
int net_tap_name(const char *ip, char tap[16]);

/**
 * net_attach() - Give a pod an address, a tap and its host ports
 * @uid: the pod's uid; one that is attached already is an error (-EEXIST)
 * @out: filled in on success
 * Return: 0; -EADDRINUSE when a host port is taken (named in @e); -ENOSPC when the range is full;
 *         -errno. Nothing is left behind on failure.
 */
int net_attach(struct net *net, const char *uid, const struct net_port *ports, size_t count,
	       struct net_if *out, struct err *e);

/* Bytes a second; 0: no limit */
struct net_rate {
	uint64_t ingress; /* to the pod */
	uint64_t egress; /* from the pod */
};

/**
 * net_limit() - Limit an attached pod; the limits go with its tap
 * Return: 0 or -errno.
 */
int net_limit(const struct net_if *nif, const struct net_rate *rate, struct err *e);

/**
 * net_adopt() - Take over the address and ports of a pod whose VM outlived this daemon
 * @ip: as net_attach() once gave it
 * The packet filter is written by the next net_sync().
 * Return: 0; -EADDRINUSE; -EINVAL for an address outside of the range.
 */
int net_adopt(struct net *net, const char *uid, const char *ip, const struct net_port *ports,
	      size_t count, struct err *e);

/** net_sync() - Write the packet filter for the pods known now. Return: 0 or -errno */
int net_sync(struct net *net, struct err *e);

/** net_detach() - Release a pod's address and ports; one that is not attached is fine. Return: 0 or -errno */
int net_detach(struct net *net, const char *uid, struct err *e);

#endif
