// SPDX-License-Identifier: Apache-2.0
/*
 * Bonds and VLANs. Each step looks at what is there and does what is missing, so that it may run at any time, again, and
 * while cards come and go. A card has to be down to become a port; the bond brings it up.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "uplink/internal.h"

static void links_load(struct uplink *u, const char *module)
{
	if (u->config.load_module)
		u->config.load_module(module);
}

static void links_failed(const char *name, const struct err *e)
{
	log_warn("uplink", "ev=link_failed iface=%s error=\"%s\"", name, err_msg(e));
}

/* Return: the bond's index, 0 when there is none */
static unsigned int links_bond(struct uplink *u, struct nl_sock *sk, const struct uplink_bond *b)
{
	unsigned int index = if_nametoindex(b->name);
	struct err e = ERR_INIT;

	if (index)
		return index;
	links_load(u, "bonding");
	if (rt_bond_add(sk, b, &e) < 0) {
		links_failed(b->name, &e);
		return 0;
	}
	log_info("uplink", "ev=bond iface=%s mode=%d", b->name, (int)b->mode);
	return if_nametoindex(b->name);
}

static bool links_is_member(const struct uplink *u, const struct uplink_bond *b,
			    const struct uplink_if *i)
{
	if (i->kind != UPLINK_CARD)
		return false;
	for (size_t k = 0; k < b->member_count; k++)
		if (uplink_is_for(u, i, b->members[k]))
			return true;
	return b->all;
}

static void links_enslave(struct uplink *u, struct nl_sock *sk, struct uplink_if *i,
			  const char *bond, unsigned int master)
{
	const struct rt_link down = {.index = i->index, .set_up = true};
	const struct rt_link join = {.index = i->index, .set_master = true, .master = master};
	struct err e = ERR_INIT;

	client_want(&i->dhcp4, false);
	client_want(&i->dhcp6, false);
	address_apply(u, i, sk); /* which removes what it had */
	if (rt_link_set(sk, &down, &e) < 0 || rt_link_set(sk, &join, &e) < 0)
		links_failed(i->name, &e);
	else
		log_info("uplink", "ev=bond_port iface=%s bond=%s", i->name, bond);
}

static void links_bonds(struct uplink *u, struct nl_sock *sk)
{
	for (size_t k = 0; k < u->plan.bond_count; k++) {
		const struct uplink_bond *b = &u->plan.bonds[k];
		unsigned int index = links_bond(u, sk, b);
		struct uplink_if *i;
		bool boot = false;

		if (!index)
			continue;
		list_for_each(i, &u->ifs, node) {
			if (!links_is_member(u, b, i))
				continue;
			boot |= i->boot;
			i->beneath = i->port = true;
			if (card_master(i->name) != index)
				links_enslave(u, sk, i, b->name, index);
		}
		uplink_add(u, b->name, UPLINK_BOND, boot);
	}
}

static void links_vlans(struct uplink *u, struct nl_sock *sk)
{
	for (size_t k = 0; k < u->plan.vlan_count; k++) {
		const struct uplink_vlan *v = &u->plan.vlans[k];
		struct uplink_if *i, *parent = NULL;
		struct err e = ERR_INIT;

		list_for_each(i, &u->ifs, node)
			if (!str_eq(i->name, v->name) && uplink_is_for(u, i, v->parent))
				parent = i;
		if (!parent)
			continue;
		parent->beneath = true;
		if (!if_nametoindex(v->name)) {
			links_load(u, "8021q");
			if (rt_vlan_add(sk, v, parent->index, &e) < 0) {
				links_failed(v->name, &e);
				continue;
			}
			log_info("uplink", "ev=vlan iface=%s id=%d parent=%s", v->name, v->id,
				 parent->name);
		}
		uplink_add(u, v->name, UPLINK_VLAN, parent->boot);
	}
}

void links_apply(struct uplink *u, struct nl_sock *sk)
{
	links_bonds(u, sk);
	links_vlans(u, sk);
}

static bool links_is_planned(const struct uplink *u, const char *name)
{
	for (size_t i = 0; i < u->plan.bond_count; i++)
		if (str_eq(u->plan.bonds[i].name, name))
			return true;
	for (size_t i = 0; i < u->plan.vlan_count; i++)
		if (str_eq(u->plan.vlans[i].name, name))
			return true;
	return false;
}

void links_forget(struct uplink *u, struct nl_sock *sk)
{
	DIR *dir = opendir("/sys/class/net");
	struct dirent *ent;

	while (dir && (ent = readdir(dir))) {
		struct err e = ERR_INIT;

		if (card_is_made(ent->d_name) && !links_is_planned(u, ent->d_name) &&
		    rt_link_del(sk, if_nametoindex(ent->d_name), &e) < 0)
			links_failed(ent->d_name, &e);
	}
	if (dir)
		closedir(dir);
}
