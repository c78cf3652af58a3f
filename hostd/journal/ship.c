// SPDX-License-Identifier: Apache-2.0
#include "journal/ship.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static const struct {
	const char *scheme;
	enum link_protocol protocol;
	const char *port; /* registered with IANA: syslog, syslog-conn, syslog-tls */
} ship_schemes[] = {
	{"udp://", LINK_UDP, "514"},
	{"tcp://", LINK_TCP, "601"},
	{"tls://", LINK_TLS, "6514"},
};

static int ship_host(const char *from, size_t len, struct link_target *t, struct err *e)
{
	if (!len || len >= sizeof(t->host))
		return err_set(e, -EINVAL, "no host, or a name that is too long");
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)from[i]) && !strchr(".-:_", from[i]))
			return err_set(e, -EINVAL, "a character that a host's name cannot have");
	memcpy(t->host, from, len);
	t->host[len] = '\0';
	return 0;
}

int ship_parse_url(const char *url, struct link_target *t, struct err *e)
{
	const char *at = NULL, *port = NULL;
	bool brackets;
	uint64_t number;
	size_t len;

	*t = (struct link_target){.ca_pem = NULL};
	for (size_t i = 0; !at && i < ARRAY_SIZE(ship_schemes); i++) {
		at = str_starts(url, ship_schemes[i].scheme);
		t->protocol = ship_schemes[i].protocol;
		port = ship_schemes[i].port;
	}
	if (!at)
		return err_set(e, -EINVAL, "not like tls://HOST:PORT, tcp://… or udp://…");
	brackets = *at == '[';
	at += brackets;
	len = strcspn(at, brackets ? "]" : ":");
	if (ship_host(at, len, t, e) < 0)
		return -EINVAL;
	at += len;
	if (brackets && *at++ != ']')
		return err_set(e, -EINVAL, "no ']' behind the address");
	if (*at == ':')
		port = at + 1;
	else if (*at)
		return err_set(e, -EINVAL, "something behind the host that is no port");
	if (str_u64(port, UINT16_MAX, &number) < 0 || !number)
		return err_set(e, -EINVAL, "not a port");
	return str_copy(t->port, sizeof(t->port), port) < 0 ? err_set(e, -EINVAL, "not a port") : 0;
}

static int ship_trust(const char *value, struct ship_config *c, struct err *e)
{
	const char *hex = str_starts(value, "sha256:");

	if (!*value || str_eq(value, "fleet"))
		c->trust = SHIP_FLEET;
	else if (str_eq(value, "public"))
		c->trust = SHIP_PUBLIC;
	else if (hex && str_unhex(c->target.fingerprint, sizeof(c->target.fingerprint), hex) == 0)
		c->trust = SHIP_FINGERPRINT;
	else
		return err_set(e, -EINVAL, "syslog_ca is none of fleet, public, sha256:HEX");
	return 0;
}

int ship_parse(const char *text, size_t len, struct ship_config *c, struct err *e)
{
	static const char *const keys[] = {"url=", "ca=", "name=", "version="};
	char values[ARRAY_SIZE(keys)][LINK_HOST_MAX] = {""};
	const char *end = text + len;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;

		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			size_t key = strlen(keys[i]), n = (size_t)(stop - text);

			if (n < key || memcmp(text, keys[i], key) != 0)
				continue;
			n = MIN(n - key, sizeof(values[i]) - 1);
			memcpy(values[i], text + key, n);
			values[i][n] = '\0';
		}
		text = stop + 1;
	}
	*c = (struct ship_config){.trust = SHIP_FLEET};
	if (!*values[0])
		return -ENOENT;
	if (ship_parse_url(values[0], &c->target, e) < 0 || ship_trust(values[1], c, e) < 0)
		return -EINVAL;
	(void)str_copy(c->name, sizeof(c->name), values[2]);
	(void)str_copy(c->version, sizeof(c->version), values[3]);
	return 0;
}
