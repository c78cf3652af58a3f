// SPDX-License-Identifier: Apache-2.0
#include "boot/host.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define MAC_CHARS  17
#define UUID_CHARS 36

static int parse_mac(const char *text, char *out)
{
	if (strlen(text) != MAC_CHARS)
		return -EINVAL;
	for (int i = 0; i < MAC_CHARS; i++) {
		char c = text[i];

		if (i % 3 == 2 ? c != '-' && c != ':' : !isxdigit((unsigned char)c))
			return -EINVAL;
		out[i] = i % 3 == 2 ? ':' : (char)tolower((unsigned char)c);
	}
	out[MAC_CHARS] = '\0';
	/* Neither the group bit nor an address of nothing */
	return (str_eq(out, "00:00:00:00:00:00") || strchr("13579bdf", out[1])) ? -EINVAL : 0;
}

static void parse_uuid(const char *text, char *out)
{
	out[0] = '\0';
	if (!text || strlen(text) != UUID_CHARS)
		return;
	for (int i = 0; i < UUID_CHARS; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i])) {
			out[0] = '\0';
			return;
		}
		out[i] = (char)tolower((unsigned char)text[i]);
	}
	out[UUID_CHARS] = '\0';
}

int host_parse(const char *mac, const char *uuid, const char *serial, struct boot_host *h)
{
	*h = (struct boot_host){0};
	if (!mac || parse_mac(mac, h->mac) < 0)
		return -EINVAL;
	parse_uuid(uuid, h->uuid);
	for (size_t i = 0; serial && serial[i] && i < sizeof(h->serial) - 1; i++) {
		if (serial[i] <= ' ' || serial[i] > '~' || strchr("\"'\\", serial[i])) {
			h->serial[0] = '\0';
			break;
		}
		h->serial[i] = serial[i];
	}
	return 0;
}

char *host_mac_dashes(const struct boot_host *h, char *out)
{
	for (int i = 0; i <= MAC_CHARS; i++)
		out[i] = h->mac[i] == ':' ? '-' : h->mac[i];
	return out;
}

static bool dns_label(const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= BOOT_NODE_NAME_MAX || name[0] == '-' || name[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!(name[i] >= 'a' && name[i] <= 'z') && !(name[i] >= '0' && name[i] <= '9') &&
		    name[i] != '-')
			return false;
	return true;
}

int host_set_name(struct boot_host *h, const char *name)
{
	size_t n;

	if (name)
		return dns_label(name) ? str_copy(h->node_name, sizeof(h->node_name), name)
				       : -EINVAL;
	n = (size_t)snprintf(h->node_name, sizeof(h->node_name), "host-");
	for (const char *c = h->mac; *c; c++)
		if (*c != ':')
			h->node_name[n++] = *c;
	h->node_name[n] = '\0';
	return 0;
}
