/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's own network: what it shall be (the plan), and the interfaces, addresses and routes that make it so.
 *
 * A plan comes from the words on the kernel's command line (dracut's grammar: they must bring a host up by themselves)
 * and from the host's settings, which win. It names interfaces that may not be there yet, or ever: nothing waits for
 * one, each is set up when it appears. Everything belongs to hostd's one thread; nothing here blocks.
 */
#ifndef UPLINK_UPLINK_H
#define UPLINK_UPLINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"

#define UPLINK_ADDRESS_MAX 46 /* INET6_ADDRSTRLEN */
#define UPLINK_MAC_MAX	   18 /* "aa:bb:cc:dd:ee:ff" */
#define UPLINK_NAME_MAX	   18 /* an interface as a plan names it: by name, by MAC, "bootif", "all" */
#define UPLINK_DOMAIN_MAX  256
#define UPLINK_SERVER_MAX  256 /* a time server's name */

#define UPLINK_BONDS_MAX   8
#define UPLINK_MEMBERS_MAX 16
#define UPLINK_VLANS_MAX   32
#define UPLINK_IPS_MAX	   32
#define UPLINK_ROUTES_MAX  32
#define UPLINK_DNS_MAX	   4
#define UPLINK_NTP_MAX	   4
#define UPLINK_ALIASES_MAX 32
#define UPLINK_MTUS_MAX	   32

/* ---- The plan ---- */

struct uplink_ip {
	int family; /* AF_INET, AF_INET6; 0: none */
	uint8_t bytes[16]; /* as on the wire */
};

struct uplink_net {
	struct uplink_ip ip;
	unsigned int prefix_len;
};

struct uplink_route {
	struct uplink_net to;
	struct uplink_ip via; /* family 0: the network is on the link */
	char iface[UPLINK_NAME_MAX]; /* "": of whichever interface reaches the gateway */
};

enum uplink_method {
	UPLINK_NONE, /* the addresses that are given, if any */
	UPLINK_DHCP, /* DHCP, and of IPv6 what routers say */
	UPLINK_DHCP6, /* DHCPv6, and routes from router advertisements */
	UPLINK_AUTO6, /* what routers say: SLAAC, and DHCPv6 if they tell to */
};

struct uplink_address {
	char iface[UPLINK_NAME_MAX]; /* "": all that have nothing on top of them */
	enum uplink_method method;
	struct uplink_net address; /* family 0: none */
	struct uplink_ip gateway; /* family 0: none */
};

enum uplink_bond_mode { /* as the kernel numbers them */
			UPLINK_BALANCE_RR,
			UPLINK_ACTIVE_BACKUP,
			UPLINK_BALANCE_XOR,
			UPLINK_BROADCAST,
			UPLINK_LACP, /* 802.3ad */
			UPLINK_BALANCE_TLB,
			UPLINK_BALANCE_ALB,
};

struct uplink_bond {
	char name[IFNAMSIZ];
	char members[UPLINK_MEMBERS_MAX][UPLINK_NAME_MAX];
	size_t member_count;
	bool all; /* every wired card */
	enum uplink_bond_mode mode;
	uint32_t miimon_ms, updelay_ms, downdelay_ms;
	bool lacp_fast;
	uint8_t xmit_hash_policy; /* as the kernel numbers them */
	uint32_t min_links;
};

struct uplink_vlan {
	char name[IFNAMSIZ];
	char parent[UPLINK_NAME_MAX];
	uint16_t id;
};

struct uplink_alias {
	char name[IFNAMSIZ];
	char mac[UPLINK_MAC_MAX];
};

struct uplink_mtu {
	char iface[UPLINK_NAME_MAX]; /* "all": every card */
	uint32_t mtu;
};

struct uplink_plan {
	char bootif[UPLINK_MAC_MAX]; /* of the card that the machine was booted from; "" unknown */
	struct uplink_alias aliases[UPLINK_ALIASES_MAX];
	struct uplink_bond bonds[UPLINK_BONDS_MAX];
	struct uplink_vlan vlans[UPLINK_VLANS_MAX];
	struct uplink_address ips[UPLINK_IPS_MAX];
	struct uplink_route routes[UPLINK_ROUTES_MAX];
	struct uplink_mtu mtus[UPLINK_MTUS_MAX];
	struct uplink_ip dns[UPLINK_DNS_MAX];
	char ntp[UPLINK_NTP_MAX][UPLINK_SERVER_MAX];
	size_t alias_count, bond_count, vlan_count, ip_count, route_count, mtu_count, dns_count,
		ntp_count;
	bool no_ntp; /* asked for by the settings: no time server, not even DHCP's */
};

/**
 * uplink_plan_add() - Take one word into a plan
 * @word: "ip=…", "vlan=…", "bond=…", "ifname=…", "nameserver=…", "rd.route=…", "BOOTIF=…" (dracut.cmdline(7)), or
 *        "mtu=…", "ntp=…", which only settings have; without blanks
 * Return: 1; 0 for a word that is none of these; -EINVAL, and the plan is as before.
 */
int uplink_plan_add(struct uplink_plan *p, const char *word, struct err *e);

/**
 * uplink_plan_words() - Take a kernel command line's words into a plan; a bad one is told and passed over
 * @refused: NULL: nobody
 */
void uplink_plan_words(struct uplink_plan *p, const char *cmdline,
		       void (*refused)(const char *word, const struct err *e));

/**
 * uplink_plan_settings() - Let settings win over what is in a plan
 * @lines: words as above, one a line
 *
 * Settings that say anything about interfaces (ip, vlan, bond, ifname, mtu) take the place of all words about
 * them; routes, name servers and time servers each take the place of those of their kind.
 *
 * Return: 0; -EINVAL, and the plan is as before.
 */
int uplink_plan_settings(struct uplink_plan *p, const char *lines, struct err *e);

/* ---- The network ---- */

struct uplink_config {
	struct loop *loop;
	const struct uplink_plan *plan; /* copied */
	const char *dir; /* RUN/net: leases */
	const char *resolv_conf; /* written whenever name servers change */
	const char *hostname; /* sent to the DHCP server */
	/* Load a kernel module; NULL: nobody can */
	void (*load_module)(const char *name);
	/*
	 * An interface got an address, or another one, or lost it (@address ""), or the server that it is from said
	 * something else with it; called from the loop or from the start
	 */
	void (*on_address)(const char *iface, const char *address, void *arg);
	void *arg;
};

/** uplink_start() - Bring the network up and keep it so, for ever. Once a process. Return: 0 or -errno */
int uplink_start(const struct uplink_config *config, struct err *e);

/** uplink_rescan() - Look for interfaces that appeared since; before uplink_start(): nothing */
void uplink_rescan(void);

/**
 * uplink_route_address() - The local address from which @host would be reached (nothing is sent)
 * @host: numeric IPv4 or IPv6 address
 * Return: 0 or -errno.
 */
int uplink_route_address(const char *host, char *address, size_t size);

/**
 * uplink_local_address() - The address that this host goes by
 * @host: of the API; a name stands for the best default route
 * Return: 0; -ENETUNREACH: there is none yet.
 */
int uplink_local_address(const char *host, char *address, size_t size);

#endif
