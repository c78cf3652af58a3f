/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of uplink/ share; nobody else includes this. */
#ifndef UPLINK_INTERNAL_H
#define UPLINK_INTERNAL_H

#include <linux/rtnetlink.h>

#include "base/list.h"
#include "base/proc.h"
#include "uplink/uplink.h"

/* ---- words.c ---- */

#define UPLINK_WORD_MAX 512

int uplink_ip_parse(const char *text, struct uplink_ip *ip);
/** uplink_ip_text() - @out: UPLINK_ADDRESS_MAX bytes. Return: @out, "" for family 0 */
const char *uplink_ip_text(const struct uplink_ip *ip, char *out);
/** uplink_ip_is_host() - Whether an address can be one machine's: no group, no loopback, not zero */
bool uplink_ip_is_host(const struct uplink_ip *ip);
/** uplink_net_trim() - Clear what is behind the prefix */
void uplink_net_trim(struct uplink_net *net);
/** uplink_mac_parse() - @mac: UPLINK_MAC_MAX bytes, set to lower case with ':'. Return: 0 or -EINVAL */
int uplink_mac_parse(const char *text, char *mac);
/** uplink_is_server() - Whether a text is a name or an address, and no option */
bool uplink_is_server(const char *text);

int uplink_word_ip(struct uplink_plan *p, const char *value, struct err *e);
int uplink_word_vlan(struct uplink_plan *p, const char *value, struct err *e);
int uplink_word_bond(struct uplink_plan *p, const char *value, struct err *e);
int uplink_word_alias(struct uplink_plan *p, const char *value, struct err *e);
int uplink_word_route(struct uplink_plan *p, const char *value, struct err *e);
int uplink_word_dns(struct uplink_plan *p, const char *value, struct err *e);
int uplink_word_mtu(struct uplink_plan *p, const char *value, struct err *e);
int uplink_word_ntp(struct uplink_plan *p, const char *value, struct err *e);

/* ---- plan.c ---- */

/* What a plan's names are compared with */
struct uplink_seen {
	const char *name, *mac;
	bool boot; /* it leads to the card that the machine was booted from */
};

/** uplink_plan_names() - Whether a name in a plan means this interface */
bool uplink_plan_names(const struct uplink_plan *p, const char *iface, const struct uplink_seen *s);

/* ---- lease.c ---- */

#define LEASE_SIZE_MAX	  4096
#define LEASE_ROUTERS_MAX 4
#define LEASE_ROUTES_MAX  32
#define LEASE_SERVERS_MAX 4

struct uplink_lease {
	struct uplink_net address; /* family 0: none */
	struct uplink_ip routers[LEASE_ROUTERS_MAX];
	struct uplink_route routes[LEASE_ROUTES_MAX];
	struct uplink_ip dns[LEASE_SERVERS_MAX];
	char ntp[LEASE_SERVERS_MAX][UPLINK_ADDRESS_MAX];
	char domain[UPLINK_DOMAIN_MAX]; /* "": none */
	size_t router_count, route_count, dns_count, ntp_count;
	uint32_t mtu; /* 0: not said */
	uint64_t until_s; /* clock_mono_ms() / 1000 at which it ends; 0: never */
};

/**
 * uplink_lease_parse() - Read a lease file's KEY=VALUE lines, as hostd-lease writes them
 *
 * What DHCP says is foreign: a value that does not make sense is left out, as if it had not been said.
 *
 * Return: 0; -EINVAL without an address.
 */
int uplink_lease_parse(const char *text, struct uplink_lease *lease);

/* ---- nd.c ---- */

/**
 * uplink_rdnss_parse() - Read the option of a router advertisement that names name servers
 * @at:    room for LEASE_SERVERS_MAX
 * @count: set to their number; 0: those of before are not to be asked any more
 * Return: 0; -EINVAL for any other option, and for one that is malformed.
 */
int uplink_rdnss_parse(const void *option, size_t len, struct uplink_ip *at, size_t *count);

/* ---- rt.c: rtnetlink ---- */

#define RT_PROTO_IPV6 0x48 /* IFA_PROTO of the IPv6 addresses that are ours, not the kernel's own */

struct nl_sock;

struct rt_link {
	unsigned int index;
	bool set_up, up;
	bool set_master;
	unsigned int master; /* 0: none */
	uint32_t mtu; /* 0: as it is */
};

struct rt_address {
	struct uplink_net net;
	unsigned int index;
	uint32_t valid_s; /* UINT32_MAX: for ever */
	uint32_t metric; /* of the network's own route */
	uint8_t proto;
	bool tentative; /* IPv6: somebody else may have it */
};

struct rt_route {
	struct uplink_route route;
	unsigned int index;
	uint32_t metric;
	uint8_t proto; /* RTPROT_DHCP, RTPROT_STATIC */
};

int rt_link_set(struct nl_sock *sk, const struct rt_link *link, struct err *e);
int rt_link_del(struct nl_sock *sk, unsigned int index, struct err *e);
/** rt_bond_add() - Make it, down. Return: 0 or -errno (-EEXIST) */
int rt_bond_add(struct nl_sock *sk, const struct uplink_bond *bond, struct err *e);
/** rt_vlan_add() - Make it, down. Return: 0 or -errno (-EEXIST) */
int rt_vlan_add(struct nl_sock *sk, const struct uplink_vlan *vlan, unsigned int parent,
		struct err *e);
/** rt_address_set() - Add an address, or change how long it is good for */
int rt_address_set(struct nl_sock *sk, const struct rt_address *a, struct err *e);
int rt_address_del(struct nl_sock *sk, const struct rt_address *a, struct err *e);
int rt_route_set(struct nl_sock *sk, const struct rt_route *route, struct err *e);
int rt_route_del(struct nl_sock *sk, const struct rt_route *route, struct err *e);
/** rt_addresses() - All addresses that there are, one after the other */
int rt_addresses(struct nl_sock *sk, void (*on_address)(const struct rt_address *a, void *arg),
		 void *arg, struct err *e);
/** rt_routes() - The main table's unicast routes with one next hop */
int rt_routes(struct nl_sock *sk, void (*on_route)(const struct rt_route *r, void *arg), void *arg,
	      struct err *e);
/** rt_close() - NULL is fine */
void rt_close(struct nl_sock *sk);

/* ---- uplink.c ---- */

enum uplink_kind {
	UPLINK_CARD,
	UPLINK_BOND,
	UPLINK_VLAN,
};

struct uplink_if;

/* A DHCP client's process */
struct uplink_client {
	struct uplink_if *iface;
	bool v6;
	bool wanted;
	bool looked; /* for one of a former hostd that is not wanted any more */
	struct proc proc;
	struct watch ended; /* on its pidfd; not registered: it does not run */
	struct timer restart;
	char *said; /* the lease file's text, NULL: none yet */
	struct timer settled; /* it has been running for a while: a signal finds it awake */
};

struct uplink_if {
	struct list node;
	char name[IFNAMSIZ];
	char mac[UPLINK_MAC_MAX];
	unsigned int index;
	enum uplink_kind kind;
	bool boot; /* it leads to the card that the machine was booted from */
	bool port; /* it is in a bond, which has the address */
	bool beneath; /* something else is on top of it */
	bool carrier;
	bool prepared; /* it has been looked at before */
	bool fresh; /* what its leases say is new */
	uint64_t carrier_ups;
	uint32_t mtu_tried;
	bool managed6; /* routers say that addresses come by DHCPv6 */
	uint32_t metric;
	struct uplink_client dhcp4, dhcp6;
	struct uplink_lease lease4, lease6;
	struct uplink_ip rdnss[LEASE_SERVERS_MAX];
	size_t rdnss_count;
	char told[UPLINK_ADDRESS_MAX]; /* on_address()'s last */
};

struct uplink {
	struct uplink_config config;
	struct uplink_plan plan;
	struct list ifs;
	unsigned int seen; /* interfaces so far, which gives each its metric */
};

/** uplink_poke() - Look soon what is to be done */
void uplink_poke(void);
struct uplink_if *uplink_find(struct uplink *u, const char *name);
struct uplink_if *uplink_find_index(struct uplink *u, unsigned int index);
/** uplink_add() - An interface is there; again: no harm */
void uplink_add(struct uplink *u, const char *name, enum uplink_kind kind, bool boot);
/** uplink_wants() - Whether an interface shall get addresses that way */
bool uplink_wants(const struct uplink *u, const struct uplink_if *i, enum uplink_method method);
/** uplink_is_for() - Whether a name in the plan, "" being all that have nothing on top of them, means an interface */
bool uplink_is_for(const struct uplink *u, const struct uplink_if *i, const char *iface);

/* ---- card.c: sysfs ---- */

/** card_read() - A line of /sys/class/net/NAME/FILE. Return: 0 or -errno */
int card_read(const char *name, const char *file, char *out, size_t size);
/** card_is_wired() - Whether it is Ethernet with a device behind it; no bridge, tap or wireless */
bool card_is_wired(const char *name);
/** card_is_made() - Whether it is a bond or a VLAN */
bool card_is_made(const char *name);
/** card_master() - The index of what it is a port of, 0 none */
unsigned int card_master(const char *name);
/** card_sysctl() - Set /proc/sys/net/FAMILY/conf/NAME/KEY, if it is there */
void card_sysctl(const char *family, const char *name, const char *key, const char *value);

/* ---- links.c: bonds, VLANs, who is in what ---- */

/** links_apply() - Make what the plan says of what is there */
void links_apply(struct uplink *u, struct nl_sock *sk);
/** links_forget() - Remove bonds and VLANs that an earlier plan made */
void links_forget(struct uplink *u, struct nl_sock *sk);

/* ---- address.c ---- */

/** address_apply() - Give an interface the addresses and routes that plan and leases say, and no others */
void address_apply(struct uplink *u, struct uplink_if *i, struct nl_sock *sk);

/* ---- client.c ---- */

void client_init(struct uplink_client *c, struct loop *loop, struct uplink_if *i, bool v6);
void client_done(struct uplink_client *c);
/** client_want() - It shall run, or not */
void client_want(struct uplink_client *c, bool wanted);
/** client_afresh() - The link came up: it may be another network */
void client_afresh(struct uplink_client *c);
/** client_had_lease() - Whether there was one in this boot */
bool client_had_lease(const struct uplink_client *c);
/** client_lease() - Read what it wrote. Return: whether it is new */
bool client_lease(struct uplink_client *c, struct uplink_lease *lease);

/* ---- resolv.c ---- */

/** resolv_write() - Write resolv.conf, when it is another than last time */
void resolv_write(struct uplink *u);

/* ---- ntp.c ---- */

/** ntp_apply() - Let ntpd run with the servers that plan and leases name now */
void ntp_apply(struct uplink *u);

/* ---- events.c ---- */

/** events_start() - Listen to the kernel's words on links and addresses. Return: 0 or -errno */
int events_start(struct uplink *u, struct err *e);

/* The one network of this process */
extern struct uplink uplink;

#endif
