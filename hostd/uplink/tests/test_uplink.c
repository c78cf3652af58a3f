// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "uplink/internal.h"

static struct uplink_plan plan;
static int refused_count;

static void refused(const char *word, const struct err *e)
{
	(void)word;
	(void)e;
	refused_count++;
}

static void words(const char *cmdline)
{
	memset(&plan, 0, sizeof(plan));
	refused_count = 0;
	uplink_plan_words(&plan, cmdline, refused);
}

static const char *text_of(const struct uplink_ip *ip)
{
	static char text[4][UPLINK_ADDRESS_MAX];
	static int next;

	next = (next + 1) % 4;
	return uplink_ip_text(ip, text[next]);
}

static void test_bootif(void **state)
{
	(void)state;
	words("quiet BOOTIF=01-52-54-00-AA-bb-0c x=1\n");
	assert_string_equal(plan.bootif, "52:54:00:aa:bb:0c");
	words("BOOTIF=52:54:00:aa:bb:0c");
	assert_string_equal(plan.bootif, "52:54:00:aa:bb:0c");
	words("quiet NOBOOTIF=01-52-54-00-AA-bb-0c");
	assert_string_equal(plan.bootif, "");
	assert_int_equal(refused_count, 0);
	words("BOOTIF=01-52-54-00-AA-bb BOOTIF=01-52-54-00-AA-bb-zz BOOTIF=01-01-54-00-aa-bb-00");
	assert_string_equal(plan.bootif, "");
	assert_int_equal(refused_count, 3);
}

static void test_rack(void **state)
{
	(void)state;
	words("bond=bond0:eth0,52-54-00-00-00-02:mode=802.3ad,lacp_rate=fast,xmit_hash_policy=layer3+4:9000 "
	      "vlan=bond0.0007:bond0 ip=192.0.2.5::192.0.2.1:255.255.255.0:name:bond0.0007:none:1500 "
	      "nameserver=192.0.2.53 nameserver=[2001:db8::53] "
	      "rd.route=10.1.2.3/8:192.0.2.2 rd.route=[2001:db8:1::/48]:[2001:db8::1]:lan "
	      "ifname=lan:52:54:00:00:00:01 console=ttyS0 vlanx=1 ip6=2");
	assert_int_equal(refused_count, 0);
	assert_int_equal(plan.bond_count, 1);
	assert_string_equal(plan.bonds[0].name, "bond0");
	assert_int_equal(plan.bonds[0].mode, UPLINK_LACP);
	assert_int_equal(plan.bonds[0].miimon_ms, 100);
	assert_int_equal(plan.bonds[0].xmit_hash_policy, 1);
	assert_true(plan.bonds[0].lacp_fast);
	assert_int_equal(plan.bonds[0].member_count, 2);
	assert_string_equal(plan.bonds[0].members[1], "52:54:00:00:00:02");
	assert_int_equal(plan.vlan_count, 1);
	assert_int_equal(plan.vlans[0].id, 7);
	assert_string_equal(plan.vlans[0].parent, "bond0");
	assert_int_equal(plan.ip_count, 1);
	assert_string_equal(text_of(&plan.ips[0].address.ip), "192.0.2.5");
	assert_int_equal(plan.ips[0].address.prefix_len, 24);
	assert_string_equal(text_of(&plan.ips[0].gateway), "192.0.2.1");
	assert_string_equal(plan.ips[0].iface, "bond0.0007");
	assert_int_equal(plan.ips[0].method, UPLINK_NONE);
	assert_int_equal(plan.mtu_count, 2);
	assert_int_equal(plan.mtus[1].mtu, 1500);
	assert_int_equal(plan.dns_count, 2);
	assert_string_equal(text_of(&plan.dns[1]), "2001:db8::53");
	assert_int_equal(plan.route_count, 2);
	assert_string_equal(text_of(&plan.routes[0].to.ip), "10.0.0.0");
	assert_int_equal(plan.routes[1].to.prefix_len, 48);
	assert_string_equal(plan.routes[1].iface, "lan");
}

static void test_methods(void **state)
{
	static const struct {
		const char *word;
		const char *iface;
		enum uplink_method method;
	} cases[] = {
		{"ip=dhcp", "", UPLINK_DHCP},
		{"ip=auto6", "", UPLINK_AUTO6},
		{"ip=none", "", UPLINK_NONE},
		{"ip=eth0:dhcp", "eth0", UPLINK_DHCP},
		{"ip=eth0:dhcp6:1400", "eth0", UPLINK_DHCP6},
		{"ip=52-54-00-00-00-01:on", "52:54:00:00:00:01", UPLINK_DHCP},
		{"ip=bootif:dhcp", "bootif", UPLINK_DHCP},
		{"ip=192.0.2.9::::::eth1:dhcp", NULL, UPLINK_NONE},
		{"ip=192.0.2.9:::24::eth1:dhcp", "eth1", UPLINK_DHCP},
		{"ip=[2001:db8::5]::[2001:db8::1]:64::eth0:none:[2001:db8::53]", "eth0",
		 UPLINK_NONE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		words(cases[i].word);
		assert_int_equal(plan.ip_count, cases[i].iface ? 1 : 0);
		if (!cases[i].iface)
			continue;
		assert_string_equal(plan.ips[0].iface, cases[i].iface);
		assert_int_equal(plan.ips[0].method, cases[i].method);
	}
	assert_int_equal(plan.dns_count, 1);
}

static void test_refused(void **state)
{
	static const char *const cases[][2] = {
		{"ip=", "ip: nothing behind it"},
		{"ip=ibft", "ip: \"ibft\" is none of dhcp, dhcp6, auto6, none"},
		{"ip=eth0:dhcp:9", "ip: the MTU is not a number from 576 to 65535"},
		{"ip=../x:dhcp", "ip: \"../x\" is no interface's name"},
		{"ip=all:dhcp", "ip: \"all\" is no interface's name"},
		{"ip=[::1", "ip: brackets do not match"},
		{"ip=0.0.0.0:::24::eth0:none", "ip: 0.0.0.0 is not a single host's address"},
		{"ip=192.0.2.1:::255.0.255.0::eth0:none",
		 "ip: the mask is neither a prefix's length nor like 255.255.255.0"},
		{"ip=192.0.2.1::[2001:db8::1]:24::eth0:none",
		 "ip: address and gateway are of different families"},
		{"ip=192.0.2.1:dhcp",
		 "ip: not ADDRESS::GATEWAY:MASK::INTERFACE:none[:MTU or :DNS:DNS:NTP]"},
		{"vlan=eth0:eth1", "vlan: eth0 does not end with a VLAN's number, 1 to 4094"},
		{"vlan=five:eth0", "vlan: five does not end with a VLAN's number, 1 to 4094"},
		{"vlan=v4095:eth0", "vlan: v4095 does not end with a VLAN's number, 1 to 4094"},
		{"vlan=eth0.5", "vlan: not NAME:PARENT"},
		{"bond=bond0:eth0,eth1:miimon=1",
		 "bond: no mode=, such as mode=active-backup or mode=802.3ad"},
		{"bond=bond0::mode=1", "bond: no members: name cards, or all"},
		{"bond=bond0:all,eth0:mode=1", "bond: members beside all"},
		{"bond=bond0:eth0,eth0:mode=1", "bond: eth0 is a member twice"},
		{"bond=bond0:eth0:mode=7", "bond: mode is not one that the kernel knows"},
		{"bond=bond0:eth0:mode=1,x=1",
		 "bond: \"x\" is none of mode, miimon, updelay, downdelay, lacp_rate, "
		 "xmit_hash_policy, min_links"},
		{"rd.route=10.0.0.0/33:10.0.0.1",
		 "rd.route: not NETWORK/PREFIX:GATEWAY[:INTERFACE]"},
		{"rd.route=10.0.0.0/8:", "rd.route: neither gateway nor interface"},
		{"nameserver=dns.example", "nameserver: dns.example is no address"},
		{"ifname=eth0:52:54", "ifname: not NAME:MAC"},
		{"mtu=eth0", "mtu: not INTERFACE:MTU or all:MTU"},
		{"ntp=-x", "ntp: neither a name nor an address"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;

		memset(&plan, 0, sizeof(plan));
		assert_int_equal(uplink_plan_add(&plan, cases[i][0], &e), -EINVAL);
		assert_string_equal(err_msg(&e), cases[i][1]);
	}
	words("bond=bond0:eth0,eth1:mode=1 bond=bond1:eth1,eth2:mode=1 bond=bond0:eth5:mode=1 "
	      "vlan=bond0:eth7 mtu=all:9000");
	assert_int_equal(plan.bond_count, 1);
	assert_int_equal(refused_count, 3); /* and mtu= is for settings alone */
	assert_int_equal(plan.mtu_count, 0);
}

static void test_settings(void **state)
{
	struct err e = ERR_INIT;
	struct uplink_plan before;

	(void)state;
	words("BOOTIF=01-52-54-00-00-00-01 ip=eth0:dhcp nameserver=192.0.2.53 rd.route=10.0.0.0/8:192.0.2.1");
	assert_int_equal(uplink_plan_settings(&plan, "", &e), 0);
	assert_int_equal(plan.ip_count, 1);
	assert_int_equal(uplink_plan_settings(&plan, "ntp=time.example\nntp=192.0.2.4\n", &e), 0);
	assert_int_equal(plan.ip_count, 1);
	assert_int_equal(plan.ntp_count, 2);
	/* Interfaces as a whole, and name servers; routes stay, and so does the card that was booted from */
	assert_int_equal(uplink_plan_settings(
				 &plan, "bond=bond0:all:mode=active-backup\nnameserver=192.0.2.54",
				 &e),
			 0);
	assert_int_equal(plan.ip_count, 0);
	assert_int_equal(plan.bond_count, 1);
	assert_true(plan.bonds[0].all);
	assert_int_equal(plan.route_count, 1);
	assert_int_equal(plan.dns_count, 1);
	assert_string_equal(text_of(&plan.dns[0]), "192.0.2.54");
	assert_string_equal(plan.bootif, "52:54:00:00:00:01");
	assert_int_equal(plan.ntp_count, 2);
	assert_int_equal(uplink_plan_settings(&plan, "ntp=none\n", &e), 0);
	assert_int_equal(plan.ntp_count, 0);
	assert_true(plan.no_ntp);
	before = plan;
	assert_int_equal(uplink_plan_settings(&plan, "ip=eth0:dhcp\nip=eth0:maybe\n", &e), -EINVAL);
	assert_string_equal(err_msg(&e), "ip: \"maybe\" is none of dhcp, dhcp6, auto6, none");
	assert_memory_equal(&plan, &before, sizeof(plan));
}

static void test_names(void **state)
{
	const struct uplink_seen eth0 = {"eth0", "52:54:00:00:00:01", true};
	const struct uplink_seen eth1 = {"eth1", "52:54:00:00:00:02", false};

	(void)state;
	words("ifname=lan:52:54:00:00:00:02 ifname=eth0:52:54:00:00:00:02");
	assert_true(uplink_plan_names(&plan, "lan", &eth1));
	assert_false(uplink_plan_names(&plan, "lan", &eth0));
	assert_true(uplink_plan_names(&plan, "eth0", &eth1)); /* whatever the kernel calls it */
	assert_false(uplink_plan_names(&plan, "eth0", &eth0));
	assert_true(uplink_plan_names(&plan, "eth1", &eth1));
	assert_true(uplink_plan_names(&plan, "52:54:00:00:00:01", &eth0));
	assert_true(uplink_plan_names(&plan, "bootif", &eth0));
	assert_false(uplink_plan_names(&plan, "bootif", &eth1));
}

static void test_lease(void **state)
{
	struct uplink_lease lease;

	(void)state;
	assert_int_equal(uplink_lease_parse("ip=10.0.2.15\nmask=24\nrouter=10.0.2.2 10.0.2.3\n"
					    "dns=10.0.2.3 fd00::3\nmtu=1400\ndomain=rack.example\n"
					    "ntpsrv=10.0.2.4\nuntil=4000\n",
					    &lease),
			 0);
	assert_string_equal(text_of(&lease.address.ip), "10.0.2.15");
	assert_int_equal(lease.address.prefix_len, 24);
	assert_int_equal(lease.router_count, 2);
	assert_int_equal(lease.dns_count, 2);
	assert_int_equal(lease.mtu, 1400);
	assert_int_equal(lease.until_s, 4000);
	assert_string_equal(lease.domain, "rack.example");
	assert_string_equal(lease.ntp[0], "10.0.2.4");
	/* RFC 3442: with classless routes the router option is ignored */
	assert_int_equal(
		uplink_lease_parse("ip=10.9.9.9\nrouter=10.9.9.1\nstaticroutes=10.1.2.3/8 10.9.9.2 "
				   "0.0.0.0/0 10.9.9.3 192.0.2.0/24 0.0.0.0\n",
				   &lease),
		0);
	assert_int_equal(lease.router_count, 0);
	assert_int_equal(lease.route_count, 3);
	assert_string_equal(text_of(&lease.routes[0].to.ip), "10.0.0.0");
	assert_int_equal(lease.routes[2].via.family, 0);
	assert_int_equal(uplink_lease_parse("ipv6=2001:db8::7\ndns=2001:db8::53\n", &lease), 0);
	assert_int_equal(lease.address.prefix_len, 128);
	assert_int_equal(lease.dns_count, 1);
}

/* Whoever answers first is the server */
static void test_lease_hostile(void **state)
{
	static const char *const no_address[] = {"",
						 "router=10.0.2.2\n",
						 "ip=0.0.0.0\n",
						 "ip=127.0.0.1\n",
						 "ip=224.0.0.1\n",
						 "ip=255.255.255.255\n",
						 "ip=10.0.2.15 x\n",
						 "ip=10.0.2.15;reboot\n",
						 "ipv6=ff02::1\n",
						 "ipv6=::1\n"};
	struct uplink_lease lease;
	char *many = mem_alloc(3000);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(no_address); i++)
		assert_int_equal(uplink_lease_parse(no_address[i], &lease), -EINVAL);
	assert_int_equal(
		uplink_lease_parse("ip=10.0.2.15\nmask=99\nrouter=127.0.0.1 224.0.0.1 x\n"
				   "dns=0.0.0.0 ?\nmtu=68\ndomain=-x\nntpsrv=ntp.example\n"
				   "staticroutes=127.0.0.0/8 10.0.2.2 10.0.0.0 10.0.2.2 /8 x\n",
				   &lease),
		0);
	assert_int_equal(lease.address.prefix_len, 24);
	assert_int_equal(lease.router_count + lease.route_count + lease.dns_count + lease.ntp_count,
			 0);
	assert_int_equal(lease.mtu, 0);
	assert_string_equal(lease.domain, "");
	snprintf(many, 3000, "ip=10.0.2.15\nstaticroutes=");
	for (int i = 0; i < 100; i++)
		strcat(many, "10.0.0.0/8 10.0.2.2 ");
	assert_int_equal(uplink_lease_parse(many, &lease), 0);
	assert_int_equal(lease.route_count, LEASE_ROUTES_MAX);
	free(many);
}

static void test_rdnss(void **state)
{
	uint8_t o[8 + 2 * 16] = {
		25,   5,    0,	  0,	0,	     0,		  0,	      60,
		0x20, 0x01, 0x0d, 0xb8, [23] = 0x53, [24] = 0xff, [25] = 0x02}; /* one server, and one that is a group */
	struct uplink_ip at[LEASE_SERVERS_MAX];
	size_t count = 9;

	(void)state;
	assert_int_equal(uplink_rdnss_parse(o, sizeof(o), at, &count), 0);
	assert_int_equal(count, 1);
	assert_string_equal(text_of(&at[0]), "2001:db8::53");
	assert_int_equal(uplink_rdnss_parse(o, sizeof(o) - 1, at, &count), -EINVAL);
	assert_int_equal(uplink_rdnss_parse(o, 7, at, &count), -EINVAL);
	o[7] = 0; /* not for any longer */
	assert_int_equal(uplink_rdnss_parse(o, sizeof(o), at, &count), 0);
	assert_int_equal(count, 0);
	o[0] = 31;
	assert_int_equal(uplink_rdnss_parse(o, sizeof(o), at, &count), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bootif),	 cmocka_unit_test(test_rack),
		cmocka_unit_test(test_methods),	 cmocka_unit_test(test_refused),
		cmocka_unit_test(test_settings), cmocka_unit_test(test_names),
		cmocka_unit_test(test_lease),	 cmocka_unit_test(test_lease_hostile),
		cmocka_unit_test(test_rdnss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
