// SPDX-License-Identifier: Apache-2.0
/*
 * Name servers in router advertisements (RFC 8106): the kernel passes the option on as it came from the network.
 *
 *	type 25 | length in 8 octets | reserved (2) | lifetime in s (4) | addresses (16 each)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "uplink/internal.h"

#define ND_RDNSS      25
#define ND_UNIT	      8 /* octets that a length counts */
#define ND_RDNSS_HEAD 8

int uplink_rdnss_parse(const void *option, size_t len, struct uplink_ip *at, size_t *count)
{
	const uint8_t *o = option;
	size_t size, n = 0;
	uint32_t lifetime_s;

	if (len < ND_RDNSS_HEAD || o[0] != ND_RDNSS)
		return -EINVAL;
	size = (size_t)o[1] * ND_UNIT;
	if (size > len || size < ND_RDNSS_HEAD + 16)
		return -EINVAL;
	memcpy(&lifetime_s, o + 4, sizeof(lifetime_s));
	for (size_t from = ND_RDNSS_HEAD; lifetime_s && from + 16 <= size && n < LEASE_SERVERS_MAX;
	     from += 16) {
		struct uplink_ip ip = {.family = AF_INET6};

		memcpy(ip.bytes, o + from, 16);
		if (uplink_ip_is_host(&ip))
			at[n++] = ip;
	}
	*count = n;
	return 0;
}
