// SPDX-License-Identifier: Apache-2.0
/*
 * Single words: dracut.cmdline(7)'s grammar, of which the forms that a diskless host can use are taken and the others
 * refused by name. Fields are separated by ':'; an IPv6 address stands in brackets. A word is foreign input, as the
 * command line and the settings may come over plain HTTP.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "uplink/internal.h"

#define WORDS_FIELDS_MAX 12
#define WORDS_MTU_MIN	 576 /* RFC 791: every host takes that much */
#define WORDS_MTU_MAX	 65535
#define WORDS_MIIMON_MS	 100 /* the kernel's default is never to look */
#define WORDS_VLAN_MAX	 4094

/* A word cut at the colons that are in no brackets; the brackets are taken off. */
struct fields {
	char text[UPLINK_WORD_MAX];
	char *at[WORDS_FIELDS_MAX];
	size_t count;
};

static int fields_cut(struct fields *f, const char *value, struct err *e)
{
	bool inside = false;
	char *out;

	*f = (struct fields){.count = 1, .at = {f->text}};
	out = f->text;
	if (strlen(value) >= sizeof(f->text))
		return err_set(e, -EINVAL, "longer than %zu characters", sizeof(f->text) - 1);
	for (const char *in = value; *in; in++) {
		if (*in == '[' || *in == ']') {
			if (inside == (*in == '['))
				return err_set(e, -EINVAL, "brackets do not match");
			inside = !inside;
		} else if (*in == ':' && !inside) {
			if (f->count == WORDS_FIELDS_MAX)
				return err_set(e, -EINVAL, "more than %d fields", WORDS_FIELDS_MAX);
			*out++ = '\0';
			f->at[f->count++] = out;
		} else if (!isgraph((unsigned char)*in)) {
			return err_set(e, -EINVAL, "a character that does not belong there");
		} else {
			*out++ = *in;
		}
	}
	*out = '\0';
	return inside ? err_set(e, -EINVAL, "brackets do not match") : 0;
}

static const char *field(const struct fields *f, size_t i)
{
	return i < f->count ? f->at[i] : "";
}

int uplink_ip_parse(const char *text, struct uplink_ip *ip)
{
	struct uplink_ip got = {0};

	if (inet_pton(AF_INET, text, got.bytes) == 1)
		got.family = AF_INET;
	else if (inet_pton(AF_INET6, text, got.bytes) == 1)
		got.family = AF_INET6;
	else
		return -EINVAL;
	*ip = got;
	return 0;
}

bool uplink_ip_is_host(const struct uplink_ip *ip)
{
	static const uint8_t zero[16];

	if (ip->family == AF_INET)
		return ip->bytes[0] != 0 && ip->bytes[0] != 127 && ip->bytes[0] < 224;
	return ip->family == AF_INET6 && ip->bytes[0] != 0xff && memcmp(ip->bytes, zero, 15) != 0;
}

const char *uplink_ip_text(const struct uplink_ip *ip, char *out)
{
	if (!ip->family || !inet_ntop(ip->family, ip->bytes, out, UPLINK_ADDRESS_MAX))
		*out = '\0';
	return out;
}

static int word_host(const char *text, struct uplink_ip *ip, struct err *e)
{
	char safe[64];

	if (uplink_ip_parse(text, ip) < 0)
		return err_set(e, -EINVAL, "%s is no address",
			       str_printable(safe, sizeof(safe), text));
	if (!uplink_ip_is_host(ip))
		return err_set(e, -EINVAL, "%s is not a single host's address", text);
	return 0;
}

int uplink_mac_parse(const char *text, char *mac)
{
	if (strlen(text) != UPLINK_MAC_MAX - 1)
		return -EINVAL;
	for (int i = 0; i < UPLINK_MAC_MAX - 1; i++) {
		bool sep = i % 3 == 2;

		if (sep ? text[i] != '-' && text[i] != ':' : !isxdigit((unsigned char)text[i]))
			return -EINVAL;
		mac[i] = sep ? ':' : (char)tolower((unsigned char)text[i]);
	}
	mac[UPLINK_MAC_MAX - 1] = '\0';
	/* No interface has a group address */
	return strchr("02468ace", mac[1]) ? 0 : -EINVAL;
}

/* A name that the kernel takes (dev_valid_name()), and that is no path. */
static int word_name(const char *text, char *name, struct err *e)
{
	char safe[64];

	if (*text && strlen(text) < IFNAMSIZ && !str_eq(text, ".") && !str_eq(text, "..") &&
	    !str_eq(text, "all") && !str_eq(text, "default") && !str_eq(text, "bootif") &&
	    text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] ==
		    '\0')
		return str_copy(name, IFNAMSIZ, text);
	return err_set(e, -EINVAL, "\"%s\" is no interface's name",
		       str_printable(safe, sizeof(safe), text));
}

/* An interface as a plan names it */
static int word_iface(const char *text, char *iface, struct err *e)
{
	if (uplink_mac_parse(text, iface) == 0)
		return 0;
	if (str_eq(text, "bootif"))
		return str_copy(iface, UPLINK_NAME_MAX, text);
	return word_name(text, iface, e);
}

static int word_number(const char *text, uint64_t min, uint64_t max, const char *what,
		       uint32_t *number, struct err *e)
{
	uint64_t n;

	if (str_u64(text, max, &n) < 0 || n < min)
		return err_set(e, -EINVAL, "%s is not a number from %llu to %llu", what,
			       (unsigned long long)min, (unsigned long long)max);
	*number = (uint32_t)n;
	return 0;
}

static int word_add_mtu(struct uplink_plan *p, const char *iface, const char *text, struct err *e)
{
	struct uplink_mtu *m = &p->mtus[p->mtu_count];

	if (p->mtu_count == UPLINK_MTUS_MAX)
		return err_set(e, -EINVAL, "more than %d MTUs", UPLINK_MTUS_MAX);
	if (word_number(text, WORDS_MTU_MIN, WORDS_MTU_MAX, "the MTU", &m->mtu, e) < 0)
		return -EINVAL;
	p->mtu_count++;
	return str_copy(m->iface, sizeof(m->iface), iface);
}

/* ---- ip= ---- */

static int word_method(const char *text, enum uplink_method *method, struct err *e)
{
	static const struct {
		const char *word;
		enum uplink_method method;
	} methods[] = {
		{"dhcp", UPLINK_DHCP},	 {"on", UPLINK_DHCP},	      {"any", UPLINK_DHCP},
		{"dhcp6", UPLINK_DHCP6}, {"auto6", UPLINK_AUTO6},     {"either6", UPLINK_AUTO6},
		{"none", UPLINK_NONE},	 {"off", UPLINK_NONE},	      {"static", UPLINK_NONE},
		{"", UPLINK_NONE},	 {"link-local", UPLINK_NONE},
	};
	char safe[64];

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (str_eq(methods[i].word, text)) {
			*method = methods[i].method;
			return 0;
		}
	}
	return err_set(e, -EINVAL, "\"%s\" is none of dhcp, dhcp6, auto6, none",
		       str_printable(safe, sizeof(safe), text));
}

/* A prefix's length, or IPv4's mask in dots */
static int word_mask(const char *text, int family, unsigned int *prefix_len, struct err *e)
{
	uint64_t max = family == AF_INET ? 32 : 128, n;
	struct in_addr raw;
	uint32_t mask;

	if (str_u64(text, max, &n) == 0 && n > 0) {
		*prefix_len = (unsigned int)n;
		return 0;
	}
	if (family == AF_INET && inet_pton(AF_INET, text, &raw) == 1) {
		mask = ntohl(raw.s_addr);
		*prefix_len = (unsigned int)__builtin_popcount(mask);
		if (*prefix_len && mask == ~0U << (32 - *prefix_len))
			return 0;
	}
	return err_set(e, -EINVAL, "the mask is neither a prefix's length nor like 255.255.255.0");
}

/* ip=ADDRESS:[PEER]:[GATEWAY]:MASK:[NAME]:IFACE:none[:[MTU][:MAC] | :[DNS][:[DNS][:NTP]]] */
static int word_ip_static(struct uplink_plan *p, const struct fields *f, struct uplink_address *a,
			  struct err *e)
{
	char mac[UPLINK_MAC_MAX];
	struct uplink_ip dns;
	int r;

	if (f->count < 7 || f->count > 10)
		return err_set(e, -EINVAL,
			       "not ADDRESS::GATEWAY:MASK::INTERFACE:none[:MTU or :DNS:DNS:NTP]");
	r = word_host(field(f, 0), &a->address.ip, e);
	if (r == 0)
		r = word_mask(field(f, 3), a->address.ip.family, &a->address.prefix_len, e);
	if (r == 0 && *field(f, 2))
		r = word_host(field(f, 2), &a->gateway, e);
	if (r == 0 && a->gateway.family && a->gateway.family != a->address.ip.family)
		r = err_set(e, -EINVAL, "address and gateway are of different families");
	if (r == 0)
		r = word_iface(field(f, 5), a->iface, e);
	if (r == 0)
		r = word_method(field(f, 6), &a->method, e);
	if (r < 0)
		return r;
	/* What is no address in the eighth field is an MTU, and then a MAC may follow */
	if (*field(f, 7) && uplink_ip_parse(field(f, 7), &dns) < 0) {
		if (*field(f, 8) && uplink_mac_parse(field(f, 8), mac) < 0)
			return err_set(e, -EINVAL, "behind the MTU is no MAC address");
		return word_add_mtu(p, a->iface, field(f, 7), e);
	}
	for (size_t i = 7; i < 9; i++)
		if (*field(f, i) && uplink_word_dns(p, field(f, i), e) < 0)
			return -EINVAL;
	return *field(f, 9) ? uplink_word_ntp(p, field(f, 9), e) : 0;
}

int uplink_word_ip(struct uplink_plan *p, const char *value, struct err *e)
{
	struct uplink_address *a = &p->ips[p->ip_count];
	struct uplink_ip first;
	char mac[UPLINK_MAC_MAX];
	struct fields f;
	int r = fields_cut(&f, value, e);

	if (r == 0 && p->ip_count == UPLINK_IPS_MAX)
		r = err_set(e, -EINVAL, "more than %d of them", UPLINK_IPS_MAX);
	if (r < 0)
		return r;
	*a = (struct uplink_address){0};
	if (f.count == 1) {
		r = *value ? word_method(f.at[0], &a->method, e)
			   : err_set(e, -EINVAL, "nothing behind it");
	} else if (uplink_ip_parse(f.at[0], &first) == 0 || f.count >= 7) {
		r = word_ip_static(p, &f, a, e);
	} else {
		r = word_iface(f.at[0], a->iface, e);
		if (r == 0)
			r = word_method(f.at[1], &a->method, e);
		if (r == 0 && *field(&f, 2))
			r = word_add_mtu(p, a->iface, f.at[2], e);
		if (r == 0 && *field(&f, 3) && uplink_mac_parse(f.at[3], mac) < 0)
			r = err_set(e, -EINVAL, "behind the MTU is no MAC address");
		if (r == 0 && f.count > 4)
			r = err_set(e, -EINVAL, "not INTERFACE:METHOD[:MTU[:MAC]]");
	}
	if (r == 0)
		p->ip_count++;
	return r;
}

/* ---- vlan=, bond=, ifname= ---- */

/* vlan=NAME:PARENT, the number being at the name's end: vlan7, vlan0007, eth0.7, eth0.0007 */
int uplink_word_vlan(struct uplink_plan *p, const char *value, struct err *e)
{
	struct uplink_vlan *v = &p->vlans[p->vlan_count];
	const char *digits;
	struct fields f;
	uint64_t id;
	int r = fields_cut(&f, value, e);

	if (r == 0 && p->vlan_count == UPLINK_VLANS_MAX)
		r = err_set(e, -EINVAL, "more than %d of them", UPLINK_VLANS_MAX);
	if (r == 0 && f.count != 2)
		r = err_set(e, -EINVAL, "not NAME:PARENT");
	if (r == 0)
		r = word_name(f.at[0], v->name, e);
	if (r == 0)
		r = word_iface(f.at[1], v->parent, e);
	if (r < 0)
		return r;
	for (digits = v->name + strlen(v->name);
	     digits > v->name && isdigit((unsigned char)digits[-1]); digits--)
		;
	if (str_u64(digits, WORDS_VLAN_MAX, &id) < 0 || id == 0)
		return err_set(e, -EINVAL, "%s does not end with a VLAN's number, 1 to %d", v->name,
			       WORDS_VLAN_MAX);
	if (str_eq(v->name, v->parent))
		return err_set(e, -EINVAL, "%s on itself", v->name);
	v->id = (uint16_t)id;
	p->vlan_count++;
	return 0;
}

static int bond_choice(const char *value, const char *const *names, size_t count, const char *key,
		       unsigned int *choice, struct err *e)
{
	uint64_t n;

	for (size_t i = 0; i < count; i++) {
		if (str_eq(names[i], value)) {
			*choice = (unsigned int)i;
			return 0;
		}
	}
	if (str_u64(value, count - 1, &n) < 0)
		return err_set(e, -EINVAL, "%s is not one that the kernel knows", key);
	*choice = (unsigned int)n;
	return 0;
}

static int bond_option(struct uplink_bond *b, const char *key, const char *value, bool *mode_set,
		       struct err *e)
{
	static const char *const modes[] = {"balance-rr", "active-backup", "balance-xor",
					    "broadcast",  "802.3ad",	   "balance-tlb",
					    "balance-alb"};
	static const char *const rates[] = {"slow", "fast"};
	static const char *const policies[] = {"layer2",   "layer3+4", "layer2+3",
					       "encap2+3", "encap3+4", "vlan+srcmac"};
	struct {
		const char *key;
		uint32_t *at;
		uint64_t max;
	} const numbers[] = {
		{"miimon", &b->miimon_ms, 60000},
		{"updelay", &b->updelay_ms, 600000},
		{"downdelay", &b->downdelay_ms, 600000},
		{"min_links", &b->min_links, UPLINK_MEMBERS_MAX},
	};
	unsigned int n = 0;
	char safe[32];
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (str_eq(numbers[i].key, key))
			return word_number(value, 0, numbers[i].max, key, numbers[i].at, e);
	if (str_eq(key, "mode")) {
		r = bond_choice(value, modes, ARRAY_SIZE(modes), key, &n, e);
		b->mode = (enum uplink_bond_mode)n;
		*mode_set = true;
		return r;
	}
	if (str_eq(key, "lacp_rate")) {
		r = bond_choice(value, rates, ARRAY_SIZE(rates), key, &n, e);
		b->lacp_fast = n == 1;
		return r;
	}
	if (str_eq(key, "xmit_hash_policy")) {
		r = bond_choice(value, policies, ARRAY_SIZE(policies), key, &n, e);
		b->xmit_hash_policy = (uint8_t)n;
		return r;
	}
	return err_set(e, -EINVAL,
		       "\"%s\" is none of mode, miimon, updelay, downdelay, lacp_rate, "
		       "xmit_hash_policy, min_links",
		       str_printable(safe, sizeof(safe), key));
}

static int bond_options(struct uplink_bond *b, char *text, struct err *e)
{
	bool mode_set = false;
	char *save = NULL;

	b->miimon_ms = WORDS_MIIMON_MS;
	for (char *o = strtok_r(text, ",", &save); o; o = strtok_r(NULL, ",", &save)) {
		char *value = strchr(o, '=');

		if (!value)
			return err_set(e, -EINVAL, "options are not KEY=VALUE,…");
		*value++ = '\0';
		if (bond_option(b, o, value, &mode_set, e) < 0)
			return -EINVAL;
	}
	if (!mode_set)
		return err_set(e, -EINVAL, "no mode=, such as mode=active-backup or mode=802.3ad");
	return 0;
}

static int bond_members(struct uplink_bond *b, char *text, struct err *e)
{
	char *save = NULL;

	for (char *m = strtok_r(text, ",", &save); m; m = strtok_r(NULL, ",", &save)) {
		if (str_eq(m, "all")) {
			b->all = true;
			continue;
		}
		if (b->member_count == UPLINK_MEMBERS_MAX)
			return err_set(e, -EINVAL, "more than %d members", UPLINK_MEMBERS_MAX);
		if (word_iface(m, b->members[b->member_count], e) < 0)
			return -EINVAL;
		for (size_t i = 0; i < b->member_count; i++)
			if (str_eq(b->members[i], b->members[b->member_count]))
				return err_set(e, -EINVAL, "%s is a member twice", b->members[i]);
		b->member_count++;
	}
	if (!b->all && !b->member_count)
		return err_set(e, -EINVAL, "no members: name cards, or all");
	if (b->all && b->member_count)
		return err_set(e, -EINVAL, "members beside all");
	return 0;
}

/* bond=NAME:MEMBER,MEMBER:KEY=VALUE,…[:MTU] */
int uplink_word_bond(struct uplink_plan *p, const char *value, struct err *e)
{
	struct uplink_bond *b = &p->bonds[p->bond_count];
	struct fields f;
	int r = fields_cut(&f, value, e);

	if (r == 0 && p->bond_count == UPLINK_BONDS_MAX)
		r = err_set(e, -EINVAL, "more than %d of them", UPLINK_BONDS_MAX);
	if (r == 0 && (f.count < 3 || f.count > 4))
		r = err_set(e, -EINVAL, "not NAME:MEMBER,…:mode=MODE,…[:MTU]");
	if (r < 0)
		return r;
	*b = (struct uplink_bond){0};
	r = word_name(f.at[0], b->name, e);
	if (r == 0)
		r = bond_members(b, f.at[1], e);
	if (r == 0)
		r = bond_options(b, f.at[2], e);
	if (r == 0 && *field(&f, 3))
		r = word_add_mtu(p, b->name, f.at[3], e);
	if (r == 0)
		p->bond_count++;
	return r;
}

/* ifname=NAME:MAC; the address, too, is written with ':' */
int uplink_word_alias(struct uplink_plan *p, const char *value, struct err *e)
{
	struct uplink_alias *a = &p->aliases[p->alias_count];
	const char *colon = strchr(value, ':');
	char name[IFNAMSIZ];

	if (p->alias_count == UPLINK_ALIASES_MAX)
		return err_set(e, -EINVAL, "more than %d of them", UPLINK_ALIASES_MAX);
	if (!colon || (size_t)(colon - value) >= sizeof(name) ||
	    uplink_mac_parse(colon + 1, a->mac) < 0)
		return err_set(e, -EINVAL, "not NAME:MAC");
	memcpy(name, value, (size_t)(colon - value));
	name[colon - value] = '\0';
	if (word_name(name, a->name, e) < 0)
		return -EINVAL;
	p->alias_count++;
	return 0;
}

/* ---- rd.route=, nameserver=, mtu=, ntp= ---- */

static int word_network(char *text, struct uplink_net *net, struct err *e)
{
	char *slash = strchr(text, '/');
	uint64_t len;

	if (slash)
		*slash = '\0';
	if (!slash || uplink_ip_parse(text, &net->ip) < 0 ||
	    str_u64(slash + 1, net->ip.family == AF_INET ? 32 : 128, &len) < 0)
		return err_set(e, -EINVAL, "not NETWORK/PREFIX:GATEWAY[:INTERFACE]");
	net->prefix_len = (unsigned int)len;
	uplink_net_trim(net);
	return 0;
}

void uplink_net_trim(struct uplink_net *net)
{
	for (unsigned int bit = net->prefix_len; bit < sizeof(net->ip.bytes) * 8; bit++)
		net->ip.bytes[bit / 8] &= (uint8_t) ~(0x80U >> bit % 8);
}

/* rd.route=NETWORK/PREFIX:GATEWAY[:INTERFACE] */
int uplink_word_route(struct uplink_plan *p, const char *value, struct err *e)
{
	struct uplink_route *route = &p->routes[p->route_count];
	struct fields f;
	int r = fields_cut(&f, value, e);

	if (r == 0 && p->route_count == UPLINK_ROUTES_MAX)
		r = err_set(e, -EINVAL, "more than %d of them", UPLINK_ROUTES_MAX);
	if (r == 0 && (f.count < 2 || f.count > 3))
		r = err_set(e, -EINVAL, "not NETWORK/PREFIX:GATEWAY[:INTERFACE]");
	if (r < 0)
		return r;
	*route = (struct uplink_route){0};
	r = word_network(f.at[0], &route->to, e);
	if (r == 0 && *f.at[1])
		r = word_host(f.at[1], &route->via, e);
	if (r == 0 && route->via.family && route->via.family != route->to.ip.family)
		r = err_set(e, -EINVAL, "network and gateway are of different families");
	if (r == 0 && *field(&f, 2))
		r = word_iface(f.at[2], route->iface, e);
	if (r == 0 && !route->via.family && !*route->iface)
		r = err_set(e, -EINVAL, "neither gateway nor interface");
	if (r == 0)
		p->route_count++;
	return r;
}

int uplink_word_dns(struct uplink_plan *p, const char *value, struct err *e)
{
	char text[UPLINK_ADDRESS_MAX + 2];
	size_t len = strlen(value);

	if (p->dns_count == UPLINK_DNS_MAX)
		return err_set(e, -EINVAL, "more than %d of them", UPLINK_DNS_MAX);
	if (*value == '[' && len > 2 && value[len - 1] == ']') {
		value++;
		len -= 2;
	}
	if (len >= sizeof(text))
		return err_set(e, -EINVAL, "no address");
	memcpy(text, value, len);
	text[len] = '\0';
	if (word_host(text, &p->dns[p->dns_count], e) < 0)
		return -EINVAL;
	p->dns_count++;
	return 0;
}

/* mtu=INTERFACE:MTU, or all:MTU */
int uplink_word_mtu(struct uplink_plan *p, const char *value, struct err *e)
{
	char iface[UPLINK_NAME_MAX] = "all";
	struct fields f;
	int r = fields_cut(&f, value, e);

	if (r == 0 && f.count != 2)
		r = err_set(e, -EINVAL, "not INTERFACE:MTU or all:MTU");
	if (r == 0 && !str_eq(f.at[0], "all"))
		r = word_iface(f.at[0], iface, e);
	return r < 0 ? r : word_add_mtu(p, iface, f.at[1], e);
}

bool uplink_is_server(const char *text)
{
	struct uplink_ip ip;

	if (uplink_ip_parse(text, &ip) == 0)
		return uplink_ip_is_host(&ip);
	return *text && strlen(text) < UPLINK_SERVER_MAX && *text != '-' && *text != '.' &&
	       text[strspn(text,
			   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")] ==
		       '\0';
}

/* ntp=SERVER, a name or an address; ntp=none */
int uplink_word_ntp(struct uplink_plan *p, const char *value, struct err *e)
{
	if (str_eq(value, "none")) {
		p->no_ntp = true;
		return 0;
	}
	if (p->ntp_count == UPLINK_NTP_MAX)
		return err_set(e, -EINVAL, "more than %d of them", UPLINK_NTP_MAX);
	if (!uplink_is_server(value))
		return err_set(e, -EINVAL, "neither a name nor an address");
	return str_copy(p->ntp[p->ntp_count++], UPLINK_SERVER_MAX, value);
}
