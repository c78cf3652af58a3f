// SPDX-License-Identifier: Apache-2.0
/*
 * Network cards: interfaces that hang on a device. Bridges, taps and what else pods bring have
 * none.
 *
 * What sysfs does not tell is asked by ethtool's ioctl: the firmware's version, and the address
 * that the card was made with, for that in sysfs is whatever was set last (a bond gives all its
 * cards the same one).
 */
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "inventory/gather.h"
#include "inventory/lldp.h"

#define NIC_DIR	      "class/net"
#define NIC_NAMES_MAX 4096

bool gather_nic_mac_is(const struct json *nic, const char *mac)
{
	return *mac && strcasecmp(json_str(json_get(nic, "mac"), ""), mac) == 0;
}

static int nic_ethtool(int sock, const char *name, void *command)
{
	struct ifreq req = {.ifr_data = command};

	if (sock < 0 || str_copy(req.ifr_name, sizeof(req.ifr_name), name) < 0)
		return -1;
	return ioctl(sock, SIOCETHTOOL, &req);
}

/* Text of a driver: a fixed array that may lack its end. */
static void nic_put(struct gather *g, struct json *o, const char *key, const char *text,
		    size_t size)
{
	char value[GATHER_LINE_MAX], safe[GATHER_LINE_MAX];

	snprintf(value, sizeof(value), "%.*s", (int)strnlen(text, size), text);
	str_visible(safe, sizeof(safe), str_trim(value));
	if (!str_eq(safe, "N/A"))
		gather_put(g->doc, o, key, safe);
}

static void nic_firmware(struct gather *g, struct json *o, int sock, const char *name)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};

	if (nic_ethtool(sock, name, &info) == 0)
		nic_put(g, o, "firmware", info.fw_version, sizeof(info.fw_version));
}

static void nic_mac(struct gather *g, struct json *o, int sock, const char *name)
{
	struct {
		struct ethtool_perm_addr head;
		unsigned char octets[32];
	} ask = {.head = {.cmd = ETHTOOL_GPERMADDR, .size = sizeof(ask.octets)}};
	static const unsigned char none[6];
	const unsigned char *a = ask.octets;

	if (nic_ethtool(sock, name, &ask) == 0 && ask.head.size == sizeof(none) &&
	    memcmp(a, none, sizeof(none)) != 0)
		json_put_fmt(g->doc, o, "mac", "%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2],
			     a[3], a[4], a[5]);
}

/* What only a link that is up has: read of an interface that is down these files are errors. */
static void nic_link(struct gather *g, struct json *o, int dir)
{
	char line[GATHER_LINE_MAX];
	bool up = gather_number(dir, "carrier", 0) == 1;
	int64_t mbps = up ? gather_number(dir, "speed", -1) : -1;

	json_put_bool(g->doc, o, "link", up);
	if (mbps > 0)
		json_put_int(g->doc, o, "speedMbps", mbps);
	if (up && !str_eq(gather_line(dir, "duplex", line), "unknown"))
		gather_put(g->doc, o, "duplex", line);
}

/* Who is at the other end, unless that is long ago */
static void nic_neighbour(struct gather *g, struct json *nic, const char *name)
{
	uint8_t frame[LLDP_FRAME_MAX];
	size_t len = g->lldp < 0 ? 0 : gather_bytes(g->lldp, name, frame, sizeof(frame));
	struct stat st;
	struct lldp l;
	struct json *o;

	if (!len || lldp_parse(frame, len, &l) < 0 || fstatat(g->lldp, name, &st, 0) < 0 ||
	    (time_t)(clock_real_ns() / 1000000000) - st.st_mtime > (time_t)l.ttl_s || !l.ttl_s)
		return;
	o = json_obj_of(g->doc, nic, "lldp");
	gather_put(g->doc, o, "system", l.system);
	gather_put(g->doc, o, "port", l.port);
	gather_put(g->doc, o, "portDescription", l.port_description);
	gather_put(g->doc, o, "chassis", l.chassis);
	gather_put(g->doc, o, "address", l.address);
	gather_put(g->doc, o, "description", l.description);
	if (l.vlan > 0)
		json_put_int(g->doc, o, "vlan", l.vlan);
}

static void nic_one(struct gather *g, struct json *list, int class, int sock, const char *name)
{
	_cleanup_fd_ int dir = openat(class, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char line[GATHER_LINE_MAX], pci[GATHER_NAME_MAX];
	struct json *o;
	int64_t numa;

	if (dir < 0 || faccessat(dir, "device", F_OK, 0) < 0)
		return;
	o = json_new_obj(g->doc);
	json_put_str(g->doc, o, "name", name);
	nic_mac(g, o, sock, name);
	if (!json_get(o, "mac"))
		gather_put(g->doc, o, "mac", gather_line(dir, "address", line));
	gather_put(g->doc, o, "pci", gather_pci_address(dir, "device", pci));
	gather_put(g->doc, o, "driver", gather_link(dir, "device/driver", line));
	nic_firmware(g, o, sock, name);
	nic_link(g, o, dir);
	if (faccessat(dir, "device/physfn", F_OK, 0) == 0)
		json_put_bool(g->doc, o, "virtualFunction", true);
	numa = gather_number(dir, "device/numa_node", -1);
	if (numa >= 0)
		json_put_int(g->doc, o, "numa", numa);
	if (gather_nic_mac_is(o, g->boot_mac))
		json_put_bool(g->doc, o, "boot", true);
	if (json_bool(json_get(o, "link"), false))
		nic_neighbour(g, o, name);
	json_push(g->doc, list, o);
}

void gather_nics(struct gather *g)
{
	_cleanup_fd_ int class = openat(g->sys, NIC_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
			 sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct json *list = json_arr_of(g->doc, g->root, "nics");
	static char *names[NIC_NAMES_MAX]; /* with the interfaces of all pods */
	size_t count;

	if (class < 0)
		return;
	count = gather_names(class, ".", names, ARRAY_SIZE(names));
	for (size_t i = 0; i < count && json_count(list) < GATHER_NICS_MAX; i++)
		nic_one(g, list, class, sock, names[i]);
	gather_names_free(names, count);
}
