/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LLDP frames (IEEE 802.1AB-2016 §8): who is at the other end of a wire, in its own words.
 *
 * Everything in a frame comes from whoever can send on that wire. No byte outside of the frame is
 * read; texts are cut and made printable.
 */
#ifndef INVENTORY_LLDP_H
#define INVENTORY_LLDP_H

#include <stddef.h>
#include <stdint.h>

#define LLDP_FRAME_MAX 1522
#define LLDP_TEXT_MAX  64

struct lldp {
	char chassis[LLDP_TEXT_MAX],
		port[LLDP_TEXT_MAX]; /* identities: MAC or network addresses, or texts */
	char port_description[LLDP_TEXT_MAX];
	char system[LLDP_TEXT_MAX]; /* its name */
	char description[LLDP_TEXT_MAX];
	char address[LLDP_TEXT_MAX]; /* of its management; the first one that it tells */
	uint32_t ttl_s; /* how long this holds; 0: it says goodbye */
	int vlan; /* of untagged frames; -1: not told, 0: none */
};

/**
 * lldp_parse() - Read a frame, with its Ethernet header
 * Return: 0; -EBADMSG when it is none, or has not the three parts that each must have in their order.
 */
int lldp_parse(const uint8_t *frame, size_t len, struct lldp *l);

#endif
