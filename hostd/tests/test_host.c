// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "host/host.h"

#define MUST "api=https://10.0.2.2:6443\nnode_name=h1\n"

static void test_settings_whole(void **state)
{
	static const char text[] =
		"# made for h1\n"
		"api = https://10.0.2.2:6443/\n"
		"node_name=rack-1.h1\n"
		"\n"
		"advertise=127.0.0.1:10251\n"
		"registry_mirror=docker.io=http://10.0.2.2:5000\n"
		"registry_mirror=quay.io=https://m:8443/q/\n"
		"net_bond=bond0:all:mode=802.3ad\nntp=10.0.2.2\nnet_ip=bond0:dhcp\n"
		"log=debug\npod_cidr=10.88.0.0/24\nimage_cap_mib=512\nrefresh_s=5\ntime=1767323045\n"
		"watchdog=off";
	struct err e = ERR_INIT;
	struct host_settings s;

	(void)state;
	assert_int_equal(host_settings_parse(text, strlen(text), &s, &e), 0);
	assert_string_equal(s.api, "https://10.0.2.2:6443");
	assert_string_equal(s.node_name, "rack-1.h1");
	assert_string_equal(s.advertise_address, "127.0.0.1");
	assert_int_equal(s.advertise_port, 10251);
	assert_string_equal(s.network,
			    "bond=bond0:all:mode=802.3ad\nntp=10.0.2.2\nip=bond0:dhcp\n");
	assert_int_equal(s.mirror_count, 2);
	assert_string_equal(s.mirrors[1], "quay.io=https://m:8443/q/");
	assert_string_equal(s.log, "debug");
	assert_string_equal(s.pod_cidr, "10.88.0.0/24");
	assert_int_equal(s.image_cap_mib, 512);
	assert_int_equal(s.refresh_s, 5);
	assert_int_equal(s.time_s, 1767323045);
	assert_int_equal(s.watchdog_s, HOST_WATCHDOG_OFF);
}

static void test_settings_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"", "settings: no api"},
		{"api=https://a:1\n", "settings: no node_name"},
		{MUST "colour=red\n", "settings: line 3: no such key"},
		{MUST "node_name=h2\n", "settings: line 3: node_name is set a second time"},
		{MUST "data=sda,\n",
		 "settings: line 3: data: not none, auto, or up to 16 disks with commas between them"},
		{MUST "data=\n",
		 "settings: line 3: data: not none, auto, or up to 16 disks with commas between them"},
		{MUST "encrypt=yes\n", "settings: line 3: encrypt: neither true nor false"},
		{MUST "data=sda sdb\n",
		 "settings: line 3: data: a character that no disk's name has"},
		{MUST "hello\n", "settings: line 3: no '='"},
		{MUST "watchdog=5\n",
		 "settings: line 3: watchdog: neither 20 to 3600 seconds nor off"},
		{"api=http://a:1\n",
		 "settings: line 1: api: the API is spoken to over https:// only"},
		{"api=https://\n", "settings: line 1: api: not an http:// or https:// address"},
		{"api=https://a b\n",
		 "settings: line 1: api: a character that an address cannot have"},
		{"node_name=H1\n", "settings: line 1: node_name: not a DNS name in lower case"},
		{"node_name=-h\n", "settings: line 1: node_name: not a DNS name in lower case"},
		{"node_name=a..b\n", "settings: line 1: node_name: not a DNS name in lower case"},
		{"node_name=\n", "settings: line 1: node_name: a node name has 1 to 63 characters"},
		{"advertise=host:1\n",
		 "settings: line 1: advertise: not a numeric address before the port"},
		{"advertise=10.0.0.1:0\n", "settings: line 1: advertise: not ADDRESS:PORT"},
		{"advertise=10.0.0.1:65536\n", "settings: line 1: advertise: not ADDRESS:PORT"},
		{"registry_mirror=docker.io\n",
		 "settings: line 1: registry_mirror: not REGISTRY=URL"},
		{"log=loud\n", "settings: line 1: log: not one of error, warn, info, debug"},
		{"pod_cidr=10.0.0.0/31\n",
		 "settings: line 1: pod_cidr: not an IPv4 network with a prefix of 16 to 29 bits"},
		{"image_cap_mib=-1\n", "settings: line 1: image_cap_mib: not a number of MiB"},
		{"refresh_s=0\n", "settings: line 1: refresh_s: not 1 to 86400 seconds"},
		{"time=now\n", "settings: line 1: time: not seconds since the epoch"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;
		struct host_settings s;

		assert_int_equal(host_settings_parse(cases[i].text, strlen(cases[i].text), &s, &e),
				 -EINVAL);
		assert_string_equal(err_msg(&e), cases[i].why);
	}
}

static void test_settings_api(void **state)
{
	static const char *const cases[][3] = {
		{"https://10.0.2.2:6443", "10.0.2.2", "6443"},
		{"https://api.example", "api.example", "443"},
		{"https://api.example/x:1", "api.example", "443"},
		{"https://[fd00::1]:8443", "fd00::1", "8443"},
		{"https://[fd00::1]", "fd00::1", "443"},
		{"https://[", "", "443"},
		{"https://a:123456789", "a", "443"},
	};
	struct host_settings s = {0};
	char host[HOST_URL_MAX], port[HOST_PORT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(s.api, sizeof(s.api), "%s", cases[i][0]);
		host_settings_api(&s, host, port);
		assert_string_equal(host, cases[i][1]);
		assert_string_equal(port, cases[i][2]);
	}
}

static void test_settings_hostile(void **state)
{
	char line[2000], text[sizeof(line) + 64];
	struct err e = ERR_INIT;
	struct host_settings s;

	(void)state;
	memset(line, 'a', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	snprintf(text, sizeof(text), "node_name=%s\n", line);
	assert_int_equal(host_settings_parse(text, strlen(text), &s, &e), -EINVAL);
	assert_int_equal(host_settings_parse("api=https://a\0b\n", 16, &s, &e), -EINVAL);
	assert_int_equal(host_settings_load("/nonexistent/settings", &s, &e), -ENOENT);
}

static void test_http_date(void **state)
{
	(void)state;
	assert_int_equal(host_clock_http_date("Fri, 02 Jan 2026 03:04:05 GMT"), 1767323045);
	assert_int_equal(host_clock_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 0);
	assert_int_equal(host_clock_http_date("Fri, 02 Foo 2026 03:04:05 GMT"), 0);
	assert_int_equal(host_clock_http_date(""), 0);
}

static void test_inventory(void **state)
{
	struct host_inventory inv;

	(void)state;
	host_inventory_read(&inv);
	assert_true(inv.cpus >= 1);
	assert_true(inv.memory_bytes > 1 << 20);
	assert_int_equal(strlen(inv.boot_id), 36);
	assert_int_equal(strlen(inv.machine_id), 32);
	assert_string_not_equal(inv.kernel_version, "");
}

/* A uevent as the kernel sends it: texts, each with its NUL */
static bool counts(const char *text)
{
	char msg[256] = "add@/x";
	size_t len = strlen(text);

	memcpy(msg + 7, text, len);
	for (size_t i = 7; i < 7 + len; i++)
		if (msg[i] == ' ')
			msg[i] = '\0';
	return host_uevent_counts(msg, 7 + len);
}

static void test_uevents(void **state)
{
	(void)state;
	assert_true(counts(
		"ACTION=add DEVPATH=/devices/pci0000:00/0000:00:03.0/net/eth0 SUBSYSTEM=net"));
	assert_true(counts("SUBSYSTEM=block DEVPATH=/devices/pci0000:00/x"));
	assert_false(counts("DEVPATH=/devices/virtual/net/tap0 SUBSYSTEM=net"));
	assert_false(counts("DEVPATH=/module/e1000e SUBSYSTEM=module"));
	assert_false(counts("DEVPATH=/bus/pci/drivers/e1000e SUBSYSTEM=pci"));
	assert_false(counts("DEVPATH=/devices/pnp0/00:01 SUBSYSTEM=pnp"));
	assert_false(counts("SUBSYSTEM=net"));
	assert_false(counts(""));
}

/* One attribute of four bytes behind an ifinfomsg */
static bool link_counts(uint16_t message, uint16_t attribute, uint16_t attribute_len, uint32_t len)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg info;
		struct rtattr attr;
		char value[4];
	} m = {
		.head = {.nlmsg_type = message, .nlmsg_len = len},
		.attr = {.rta_type = attribute, .rta_len = attribute_len},
	};

	return host_link_is_device(&m, sizeof(m));
}

static void test_links(void **state)
{
	const uint32_t len = NLMSG_LENGTH(sizeof(struct ifinfomsg)) + RTA_LENGTH(4);

	(void)state;
	assert_true(link_counts(RTM_NEWLINK, IFLA_PARENT_DEV_NAME, RTA_LENGTH(4), len));
	assert_true(link_counts(RTM_DELLINK, IFLA_PARENT_DEV_NAME, RTA_LENGTH(4), len));
	assert_false(link_counts(RTM_NEWLINK, IFLA_IFNAME, RTA_LENGTH(4), len));
	assert_false(link_counts(RTM_NEWADDR, IFLA_PARENT_DEV_NAME, RTA_LENGTH(4), len));
	assert_false(link_counts(RTM_NEWLINK, IFLA_PARENT_DEV_NAME, RTA_LENGTH(5), len));
	assert_false(link_counts(RTM_NEWLINK, IFLA_PARENT_DEV_NAME, 0, len));
	assert_false(link_counts(RTM_NEWLINK, IFLA_PARENT_DEV_NAME, RTA_LENGTH(4), len + 1));
	assert_false(link_counts(RTM_NEWLINK, IFLA_PARENT_DEV_NAME, RTA_LENGTH(4), 8));
	assert_false(host_link_is_device("", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings_whole),	 cmocka_unit_test(test_settings_refused),
		cmocka_unit_test(test_settings_hostile), cmocka_unit_test(test_settings_api),
		cmocka_unit_test(test_http_date),	 cmocka_unit_test(test_inventory),
		cmocka_unit_test(test_uevents),		 cmocka_unit_test(test_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
