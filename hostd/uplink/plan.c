// SPDX-License-Identifier: Apache-2.0
/*
 * Words become a plan, and settings win over it. A plan changes by whole words only: each is tried on a copy.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "uplink/internal.h"

static int plan_bootif(struct uplink_plan *p, const char *value, struct err *e)
{
	/* pxelinux's form: hardware type, then the address, all separated by '-'; bare is seen too. */
	if (strncmp(value, "01-", 3) == 0 && strlen(value) == 3 + UPLINK_MAC_MAX - 1)
		value += 3;
	if (uplink_mac_parse(value, p->bootif) < 0)
		return err_set(e, -EINVAL, "no MAC address");
	return 0;
}

static const struct {
	const char *prefix;
	int (*add)(struct uplink_plan *p, const char *value, struct err *e);
	bool settings_only;
} plan_words[] = {
	{"ip=", uplink_word_ip, false},		 {"vlan=", uplink_word_vlan, false},
	{"bond=", uplink_word_bond, false},	 {"ifname=", uplink_word_alias, false},
	{"nameserver=", uplink_word_dns, false}, {"rd.route=", uplink_word_route, false},
	{"BOOTIF=", plan_bootif, false},	 {"mtu=", uplink_word_mtu, true},
	{"ntp=", uplink_word_ntp, true},
};

static bool plan_name_taken(const struct uplink_plan *p, const char *name)
{
	int found = 0;

	for (size_t i = 0; i < p->bond_count; i++)
		found += str_eq(p->bonds[i].name, name);
	for (size_t i = 0; i < p->vlan_count; i++)
		found += str_eq(p->vlans[i].name, name);
	return found > 1;
}

/* A card can be in one bond only */
static int plan_check_members(const struct uplink_plan *p, struct err *e)
{
	for (size_t i = 0; i < p->bond_count; i++) {
		const struct uplink_bond *b = &p->bonds[i];

		if (b->all && p->bond_count > 1)
			return err_set(e, -EINVAL, "%s has all cards, and there is another bond",
				       b->name);
		for (size_t k = 0; k < b->member_count; k++)
			for (size_t j = 0; j < i; j++)
				for (size_t m = 0; m < p->bonds[j].member_count; m++)
					if (str_eq(b->members[k], p->bonds[j].members[m]))
						return err_set(e, -EINVAL, "%s is in %s already",
							       b->members[k], p->bonds[j].name);
	}
	return 0;
}

static int plan_check(const struct uplink_plan *p, struct err *e)
{
	for (size_t i = 0; i < p->bond_count; i++)
		if (plan_name_taken(p, p->bonds[i].name))
			return err_set(e, -EINVAL, "%s is there twice", p->bonds[i].name);
	for (size_t i = 0; i < p->vlan_count; i++)
		if (plan_name_taken(p, p->vlans[i].name))
			return err_set(e, -EINVAL, "%s is there twice", p->vlans[i].name);
	return plan_check_members(p, e);
}

int uplink_plan_add(struct uplink_plan *p, const char *word, struct err *e)
{
	_cleanup_free_ struct uplink_plan *trial = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(plan_words); i++) {
		const char *value = str_starts(word, plan_words[i].prefix);
		int r;

		if (!value)
			continue;
		trial = mem_alloc(sizeof(*trial));
		*trial = *p;
		r = plan_words[i].add(trial, value, e);
		if (r == 0)
			r = plan_check(trial, e);
		if (r < 0)
			return err_wrap(e, -EINVAL, "%.*s", (int)strlen(plan_words[i].prefix) - 1,
					word);
		*p = *trial;
		return 1;
	}
	return 0;
}

static bool plan_is_for_settings(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(plan_words); i++)
		if (str_starts(word, plan_words[i].prefix))
			return plan_words[i].settings_only;
	return false;
}

void uplink_plan_words(struct uplink_plan *p, const char *cmdline,
		       void (*refused)(const char *word, const struct err *e))
{
	while (*cmdline) {
		size_t len = strcspn(cmdline, " \t\r\n");
		char word[UPLINK_WORD_MAX + 16];
		struct err e = ERR_INIT;

		if (len > 0 && len < sizeof(word)) {
			memcpy(word, cmdline, len);
			word[len] = '\0';
			if (!plan_is_for_settings(word) && uplink_plan_add(p, word, &e) < 0 &&
			    refused)
				refused(word, &e);
		}
		cmdline += len;
		cmdline += strspn(cmdline, " \t\r\n");
	}
}

/* Kinds of words that were said replace those of the kind that were there */
static void plan_merge(struct uplink_plan *p, const struct uplink_plan *said)
{
	struct uplink_plan old = *p;

	if (said->ip_count || said->vlan_count || said->bond_count || said->alias_count ||
	    said->mtu_count) {
		*p = *said;
	} else {
		memcpy(p->routes, said->routes, sizeof(p->routes));
		memcpy(p->dns, said->dns, sizeof(p->dns));
		memcpy(p->ntp, said->ntp, sizeof(p->ntp));
		p->route_count = said->route_count;
		p->dns_count = said->dns_count;
		p->ntp_count = said->ntp_count;
	}
	memcpy(p->bootif, old.bootif, sizeof(p->bootif));
	p->no_ntp = said->no_ntp;
	if (!said->route_count) {
		memcpy(p->routes, old.routes, sizeof(p->routes));
		p->route_count = old.route_count;
	}
	if (!said->dns_count) {
		memcpy(p->dns, old.dns, sizeof(p->dns));
		p->dns_count = old.dns_count;
	}
	if (!said->ntp_count && !said->no_ntp) {
		memcpy(p->ntp, old.ntp, sizeof(p->ntp));
		p->ntp_count = old.ntp_count;
	}
}

int uplink_plan_settings(struct uplink_plan *p, const char *lines, struct err *e)
{
	_cleanup_free_ struct uplink_plan *said = mem_alloc(sizeof(*said));

	while (*lines) {
		size_t len = strcspn(lines, "\n");
		char word[UPLINK_WORD_MAX + 16];
		int r = 0;

		if (len >= sizeof(word))
			return err_set(e, -EINVAL, "a value is longer than %d characters",
				       UPLINK_WORD_MAX);
		memcpy(word, lines, len);
		word[len] = '\0';
		if (len)
			r = uplink_plan_add(said, word, e);
		if (r < 0)
			return r;
		if (len && r == 0)
			return err_set(e, -EINVAL, "a word that is not about the network");
		lines += len;
		lines += *lines == '\n';
	}
	plan_merge(p, said);
	return 0;
}

bool uplink_plan_names(const struct uplink_plan *p, const char *iface, const struct uplink_seen *s)
{
	if (strchr(iface, ':'))
		return str_eq(iface, s->mac);
	if (str_eq(iface, "bootif"))
		return s->boot;
	for (size_t i = 0; i < p->alias_count; i++)
		if (str_eq(p->aliases[i].name, iface))
			return str_eq(p->aliases[i].mac, s->mac);
	return str_eq(iface, s->name);
}
