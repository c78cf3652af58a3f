/* SPDX-License-Identifier: Apache-2.0 */
/* Where the host's log is shipped to: what hostd writes to RUN/journal/syslog, KEY=VALUE lines. */
#ifndef JOURNAL_SHIP_H
#define JOURNAL_SHIP_H

#include "journal/link.h"

#define SHIP_NAME_MAX	 64
#define SHIP_VERSION_MAX 64
#define SHIP_FILE_MAX	 4096

enum ship_trust { SHIP_FLEET, SHIP_PUBLIC, SHIP_FINGERPRINT };

struct ship_config {
	struct link_target target; /* ca_pem is left to the caller */
	enum ship_trust trust;
	char name[SHIP_NAME_MAX], version[SHIP_VERSION_MAX]; /* of the host and its image */
};

/**
 * ship_parse() - Read it
 * Return: 0; -ENOENT when nothing is to be shipped; -EINVAL.
 */
int ship_parse(const char *text, size_t len, struct ship_config *c, struct err *e);

/**
 * ship_parse_url() - Read "udp|tcp|tls://HOST[:PORT]"; IPv6 addresses stand in brackets; ports are 514, 601 and 6514
 * Return: 0 or -EINVAL.
 */
int ship_parse_url(const char *url, struct link_target *t, struct err *e);

#endif
