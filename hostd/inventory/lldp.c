// SPDX-License-Identifier: Apache-2.0
#include "inventory/lldp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define LLDP_HEAD_SIZE 14
#define LLDP_MAC_SIZE  6

enum { /* §8.4.1 */
       LLDP_END,
       LLDP_CHASSIS,
       LLDP_PORT,
       LLDP_TTL,
       LLDP_PORT_DESCRIPTION,
       LLDP_SYSTEM_NAME,
       LLDP_SYSTEM_DESCRIPTION,
       LLDP_CAPABILITIES,
       LLDP_ADDRESS,
       LLDP_ORGANISATION = 127,
};

static void lldp_text(char *out, const uint8_t *data, size_t len)
{
	char text[LLDP_TEXT_MAX];
	size_t n = 0;

	for (; n < len && n < sizeof(text) - 1 && data[n]; n++)
		text[n] = data[n] >= ' ' && data[n] <= '~' ? (char)data[n] : '?';
	text[n] = '\0';
	(void)str_copy(out, LLDP_TEXT_MAX, str_trim(text));
}

/* An address with its family's number before it: IANA's for IPv4 and IPv6 */
static void lldp_network(char *out, const uint8_t *data, size_t len)
{
	out[0] = '\0';
	if (len == 5 && data[0] == 1)
		(void)inet_ntop(AF_INET, data + 1, out, LLDP_TEXT_MAX);
	else if (len == 17 && data[0] == 2)
		(void)inet_ntop(AF_INET6, data + 1, out, LLDP_TEXT_MAX);
}

/* An identity: its kind, then itself. The kinds of chassis (§8.5.2.2) and ports (§8.5.3.2) are counted differently. */
static void lldp_identity(char *out, const uint8_t *data, size_t len, uint8_t mac, uint8_t network)
{
	if (len < 2)
		return;
	if (data[0] == mac && len == 1 + LLDP_MAC_SIZE)
		snprintf(out, LLDP_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", data[1], data[2],
			 data[3], data[4], data[5], data[6]);
	else if (data[0] == network)
		lldp_network(out, data + 1, len - 1);
	else
		lldp_text(out, data + 1, len - 1);
}

/* IEEE 802.1's own parts: Port VLAN ID, 802.1Q-2018 §D.2.1 */
static void lldp_organisation(struct lldp *l, const uint8_t *data, size_t len)
{
	static const uint8_t port_vlan[] = {0x00, 0x80, 0xc2, 1};

	if (len == sizeof(port_vlan) + 2 && memcmp(data, port_vlan, sizeof(port_vlan)) == 0)
		l->vlan = (data[4] << 8 | data[5]) & 0xfff;
}

static void lldp_part(struct lldp *l, unsigned int type, const uint8_t *data, size_t len)
{
	if (type == LLDP_CHASSIS)
		lldp_identity(l->chassis, data, len, 4, 5);
	else if (type == LLDP_PORT)
		lldp_identity(l->port, data, len, 3, 4);
	else if (type == LLDP_TTL && len >= 2)
		l->ttl_s = (uint32_t)(data[0] << 8 | data[1]);
	else if (type == LLDP_PORT_DESCRIPTION)
		lldp_text(l->port_description, data, len);
	else if (type == LLDP_SYSTEM_NAME)
		lldp_text(l->system, data, len);
	else if (type == LLDP_SYSTEM_DESCRIPTION)
		lldp_text(l->description, data, len);
	else if (type == LLDP_ADDRESS && len > 1 && data[0] < len && !*l->address)
		lldp_network(l->address, data + 1, data[0]);
	else if (type == LLDP_ORGANISATION)
		lldp_organisation(l, data, len);
}

int lldp_parse(const uint8_t *frame, size_t len, struct lldp *l)
{
	size_t at = LLDP_HEAD_SIZE;

	*l = (struct lldp){.vlan = -1};
	if (len < LLDP_HEAD_SIZE || frame[12] != 0x88 || frame[13] != 0xcc)
		return -EBADMSG;
	for (unsigned int count = 0;; count++) {
		unsigned int type;
		size_t size;

		if (len - at < 2)
			return count >= LLDP_TTL ? 0
						 : -EBADMSG; /* §8.5.1: the end may be missing */
		type = frame[at] >> 1;
		size = (size_t)(frame[at] & 1) << 8 | frame[at + 1];
		at += 2;
		if (size > len - at || (count < LLDP_TTL && type != count + 1))
			return -EBADMSG;
		if (type == LLDP_END)
			return 0;
		lldp_part(l, type, frame + at, size);
		at += size;
	}
}
