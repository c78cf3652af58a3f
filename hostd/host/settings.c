// SPDX-License-Identifier: Apache-2.0
/*
 * The settings come over the boot channel, which may be plain HTTP on a boot network: they are parsed
 * as foreign input. One table names the keys; each has a function that checks and stores the value.
 */
#include "host/host.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define SETTINGS_HOST_CHARS  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]"
#define SETTINGS_LINE_MAX    512
#define SETTINGS_CONSOLE_MAX 32
#define SETTINGS_DISKS_MAX   16

static int settings_url(char *out, const char *value, struct err *e)
{
	const char *rest = str_starts(value, "https://");
	size_t len;

	if (!rest)
		rest = str_starts(value, "http://");
	if (!rest || !*rest || *rest == '/')
		return err_set(e, -EINVAL, "not an http:// or https:// address");
	for (const char *p = value; *p; p++)
		if (!isgraph((unsigned char)*p) || *p == '"' || *p == '\\')
			return err_set(e, -EINVAL, "a character that an address cannot have");
	if (str_copy(out, HOST_URL_MAX, value) < 0)
		return err_set(e, -EINVAL, "longer than %d characters", HOST_URL_MAX - 1);
	for (len = strlen(out); len && out[len - 1] == '/'; len--)
		out[len - 1] = '\0';
	return 0;
}

static int settings_api(struct host_settings *s, const char *value, struct err *e)
{
	if (!str_starts(value, "https://"))
		return err_set(e, -EINVAL, "the API is spoken to over https:// only");
	return settings_url(s->api, value, e);
}

/* A DNS subdomain (RFC 1123): the API server refuses every other node name. */
static int settings_node_name(struct host_settings *s, const char *value, struct err *e)
{
	size_t len = strlen(value);

	if (len == 0 || len >= HOST_NODE_NAME_MAX)
		return err_set(e, -EINVAL, "a node name has 1 to %d characters",
			       HOST_NODE_NAME_MAX - 1);
	for (size_t i = 0; i < len; i++) {
		char c = value[i];
		bool edge = i == 0 || i == len - 1 || value[i - 1] == '.' || value[i + 1] == '.';
		bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (!word && (edge || (c != '-' && c != '.')))
			return err_set(e, -EINVAL, "not a DNS name in lower case");
	}
	return str_copy(s->node_name, sizeof(s->node_name), value);
}

static int settings_advertise(struct host_settings *s, const char *value, struct err *e)
{
	const char *colon = strrchr(value, ':');
	size_t len = colon ? (size_t)(colon - value) : 0;
	unsigned char raw[16];
	char address[HOST_ADDRESS_MAX];
	uint64_t port;

	if (!colon || str_u64(colon + 1, UINT16_MAX, &port) < 0 || port == 0)
		return err_set(e, -EINVAL, "not ADDRESS:PORT");
	if (len >= 2 && value[0] == '[' && value[len - 1] == ']') {
		value++;
		len -= 2;
	}
	if (len >= sizeof(address))
		return err_set(e, -EINVAL, "not ADDRESS:PORT");
	memcpy(address, value, len);
	address[len] = '\0';
	if (inet_pton(AF_INET, address, raw) != 1 && inet_pton(AF_INET6, address, raw) != 1)
		return err_set(e, -EINVAL, "not a numeric address before the port");
	memcpy(s->advertise_address, address, len + 1);
	s->advertise_port = (uint16_t)port;
	return 0;
}

static int settings_mirror(struct host_settings *s, const char *value, struct err *e)
{
	const char *equals = strchr(value, '=');
	char url[HOST_URL_MAX];

	if (s->mirror_count == HOST_MIRRORS_MAX)
		return err_set(e, -EINVAL, "more than %d mirrors", HOST_MIRRORS_MAX);
	if (!equals || equals == value)
		return err_set(e, -EINVAL, "not REGISTRY=URL");
	if (settings_url(url, equals + 1, e) < 0)
		return -EINVAL;
	if (str_copy(s->mirrors[s->mirror_count], HOST_URL_MAX, value) < 0)
		return err_set(e, -EINVAL, "longer than %d characters", HOST_URL_MAX - 1);
	s->mirror_count++;
	return 0;
}

static int settings_log(struct host_settings *s, const char *value, struct err *e)
{
	if (!str_eq(value, "error") && !str_eq(value, "warn") && !str_eq(value, "info") &&
	    !str_eq(value, "debug"))
		return err_set(e, -EINVAL, "not one of error, warn, info, debug");
	return str_copy(s->log, sizeof(s->log), value);
}

static int settings_screen(struct host_settings *s, const char *value, struct err *e)
{
	if (!str_eq(value, "display") && !str_eq(value, "serial") && !str_eq(value, "both") &&
	    !str_eq(value, "off"))
		return err_set(e, -EINVAL, "not one of display, serial, both, off");
	return str_copy(s->screen, sizeof(s->screen), value);
}

static int settings_syslog(struct host_settings *s, const char *value, struct err *e)
{
	const char *at = str_starts(value, "tls://");

	at = at ? at : str_starts(value, "tcp://");
	at = at ? at : str_starts(value, "udp://");
	if (!at || !isalnum((unsigned char)at[*at == '[']) ||
	    strspn(at, SETTINGS_HOST_CHARS) != strlen(at))
		return err_set(e, -EINVAL, "not like tls://HOST:PORT, tcp://… or udp://…");
	if (str_copy(s->syslog, sizeof(s->syslog), value) < 0)
		return err_set(e, -EINVAL, "longer than %d characters", HOST_URL_MAX - 1);
	return 0;
}

static int settings_syslog_ca(struct host_settings *s, const char *value, struct err *e)
{
	const char *hex = str_starts(value, "sha256:");
	uint8_t digest[32];

	if (!str_eq(value, "fleet") && !str_eq(value, "public") &&
	    (!hex || str_unhex(digest, sizeof(digest), hex) < 0))
		return err_set(e, -EINVAL,
			       "none of fleet, public, sha256:HEX with 64 digits in lower case");
	return str_copy(s->syslog_ca, sizeof(s->syslog_ca), value);
}

static bool settings_is_console(const char *value)
{
	size_t len = strlen(value);

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)value[i]) && value[i] != ',')
			return false;
	return len < SETTINGS_CONSOLE_MAX && (str_starts(value, "tty") || str_starts(value, "hvc"));
}

/* The boot service has put it on the kernel's command line; here it must only be one */
static int settings_console(struct host_settings *s, const char *value, struct err *e)
{
	(void)s;
	return settings_is_console(value) ? 0 : err_set(e, -EINVAL, "not like ttyS1,115200n8");
}

static int settings_pod_cidr(struct host_settings *s, const char *value, struct err *e)
{
	const char *slash = strchr(value, '/');
	char address[HOST_CIDR_MAX];
	struct in_addr raw;
	uint64_t prefix;

	if (!slash || (size_t)(slash - value) >= sizeof(address) ||
	    str_u64(slash + 1, 29, &prefix) < 0 || prefix < 16) /* as net_new() takes it */
		return err_set(e, -EINVAL, "not an IPv4 network with a prefix of 16 to 29 bits");
	memcpy(address, value, (size_t)(slash - value));
	address[slash - value] = '\0';
	if (inet_pton(AF_INET, address, &raw) != 1)
		return err_set(e, -EINVAL, "not an IPv4 network with a prefix of 16 to 29 bits");
	return str_copy(s->pod_cidr, sizeof(s->pod_cidr), value);
}

static int settings_image_cap(struct host_settings *s, const char *value, struct err *e)
{
	uint64_t mib;

	if (str_u64(value, 1 << 24, &mib) < 0 || mib == 0)
		return err_set(e, -EINVAL, "not a number of MiB");
	s->image_cap_mib = (uint32_t)mib;
	return 0;
}

static int settings_refresh(struct host_settings *s, const char *value, struct err *e)
{
	uint64_t seconds;

	if (str_u64(value, 86400, &seconds) < 0 || seconds == 0)
		return err_set(e, -EINVAL, "not 1 to 86400 seconds");
	s->refresh_s = (uint32_t)seconds;
	return 0;
}

static int settings_watchdog(struct host_settings *s, const char *value, struct err *e)
{
	uint64_t seconds;

	if (str_eq(value, "off")) {
		s->watchdog_s = HOST_WATCHDOG_OFF;
		return 0;
	}
	if (str_u64(value, 3600, &seconds) < 0 || seconds < 20)
		return err_set(e, -EINVAL, "neither 20 to 3600 seconds nor off");
	s->watchdog_s = (int)seconds;
	return 0;
}

/* Names of disks, serial numbers, WWNs, places on the PCI bus: what they mean is found out where they are. */
static int settings_data(struct host_settings *s, const char *value, struct err *e)
{
	size_t words = 1, len = 0;

	for (const char *p = value; *p; p++) {
		if (*p != ',' && !isalnum((unsigned char)*p) && !strchr("/:._-+", *p))
			return err_set(e, -EINVAL, "a character that no disk's name has");
		if (*p == ',' && !len)
			break;
		words += *p == ',';
		len = *p == ',' ? 0 : len + 1;
	}
	if (!len || words > SETTINGS_DISKS_MAX)
		return err_set(e, -EINVAL,
			       "not none, auto, or up to %d disks with commas between them",
			       SETTINGS_DISKS_MAX);
	if (str_copy(s->data, sizeof(s->data), value) < 0)
		return err_set(e, -EINVAL, "longer than %d characters", HOST_DATA_MAX - 1);
	return 0;
}

static int settings_encrypt(struct host_settings *s, const char *value, struct err *e)
{
	if (!str_eq(value, "true") && !str_eq(value, "false"))
		return err_set(e, -EINVAL, "neither true nor false");
	s->encrypt = str_eq(value, "true");
	return 0;
}

static int settings_time(struct host_settings *s, const char *value, struct err *e)
{
	if (str_u64(value, (uint64_t)1 << 40, &s->time_s) < 0)
		return err_set(e, -EINVAL, "not seconds since the epoch");
	return 0;
}

/* What is about the network is kept as words for those who know them: net_ip=VALUE becomes ip=VALUE */
static int settings_network(struct host_settings *s, const char *key, const char *value,
			    struct err *e)
{
	static const char *const keys[][2] = {
		{"net_ip", "ip"},	   {"net_vlan", "vlan"},
		{"net_bond", "bond"},	   {"net_ifname", "ifname"},
		{"net_dns", "nameserver"}, {"net_route", "rd.route"},
		{"net_mtu", "mtu"},	   {"ntp", "ntp"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		size_t len = strlen(s->network), room = sizeof(s->network) - len;

		if (!str_eq(keys[i][0], key))
			continue;
		if ((size_t)snprintf(s->network + len, room, "%s=%s\n", keys[i][1], value) >= room)
			return err_set(e, -EINVAL, "%s: more than %d bytes about the network", key,
				       HOST_NETWORK_MAX);
		return 1;
	}
	return 0;
}

static const struct settings_key {
	const char *name;
	bool repeatable;
	int (*set)(struct host_settings *s, const char *value, struct err *e);
} settings_keys[] = {
	{"api", false, settings_api},
	{"node_name", false, settings_node_name},
	{"advertise", false, settings_advertise},
	{"registry_mirror", true, settings_mirror},
	{"log", false, settings_log},
	{"pod_cidr", false, settings_pod_cidr},
	{"image_cap_mib", false, settings_image_cap},
	{"refresh_s", false, settings_refresh},
	{"data", false, settings_data},
	{"encrypt", false, settings_encrypt},
	{"time", false, settings_time},
	{"watchdog", false, settings_watchdog},
	{"screen", false, settings_screen},
	{"syslog", false, settings_syslog},
	{"syslog_ca", false, settings_syslog_ca},
	{"console", false, settings_console},
};

static int settings_line(struct host_settings *s, char *line, uint64_t *seen, struct err *e)
{
	char *equals = strchr(line, '='), *key, *value;
	int taken;

	if (!equals)
		return err_set(e, -EINVAL, "no '='");
	*equals = '\0';
	key = str_trim(line);
	value = str_trim(equals + 1);
	taken = settings_network(s, key, value, e);
	if (taken)
		return MIN(taken, 0);
	for (size_t i = 0; i < ARRAY_SIZE(settings_keys); i++) {
		const struct settings_key *k = &settings_keys[i];
		int r;

		if (!str_eq(k->name, key))
			continue;
		if (!k->repeatable && (*seen & 1ULL << i))
			return err_set(e, -EINVAL, "%s is set a second time", k->name);
		*seen |= 1ULL << i;
		r = k->set(s, value, e);
		return r < 0 ? err_wrap(e, -EINVAL, "%s", k->name) : 0;
	}
	return err_set(e, -EINVAL, "no such key");
}

int host_settings_parse(const char *text, size_t len, struct host_settings *s, struct err *e)
{
	const char *end = text + len;
	uint64_t seen = 0;

	*s = (struct host_settings){0};
	for (int number = 1; text < end; number++) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((nl ? nl : end) - text);
		char line[SETTINGS_LINE_MAX], *start;

		if (n >= sizeof(line) || memchr(text, '\0', n))
			return err_set(e, -EINVAL, "settings: line %d: too long or not text",
				       number);
		memcpy(line, text, n);
		line[n] = '\0';
		text += n + 1;
		start = str_trim(line);
		if (*start && *start != '#' && settings_line(s, start, &seen, e) < 0)
			return err_wrap(e, -EINVAL, "settings: line %d", number);
		if (!nl)
			break;
	}
	if (!*s->api)
		return err_set(e, -EINVAL, "settings: no api");
	if (!*s->node_name)
		return err_set(e, -EINVAL, "settings: no node_name");
	return 0;
}

void host_settings_api(const struct host_settings *s, char *host, char *port)
{
	const char *from = str_starts(s->api, "https://");
	bool brackets;
	size_t len;

	from = from ? from : s->api;
	brackets = *from == '[';
	from += brackets;
	len = strcspn(from, brackets ? "]/" : ":/");
	memcpy(host, from, len); /* of settings.api, which has the same room */
	host[len] = '\0';
	from += len + (brackets && from[len]);
	len = *from == ':' ? strcspn(from + 1, "/") : 0;
	if (!len || len >= HOST_PORT_MAX) {
		(void)str_copy(port, HOST_PORT_MAX, "443");
		return;
	}
	memcpy(port, from + 1, len);
	port[len] = '\0';
}

int host_settings_load(const char *path, struct host_settings *s, struct err *e)
{
	struct buf b = BUF_INIT(HOST_SETTINGS_SIZE_MAX);
	int r = file_read(AT_FDCWD, path, &b, e);

	if (r == 0)
		r = host_settings_parse(buf_str(&b), b.len, s, e);
	buf_done(&b);
	return r;
}
