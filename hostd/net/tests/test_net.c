// SPDX-License-Identifier: Apache-2.0
/*
 * Runs in a network namespace of its own, against the real kernel: what the encoder wrote is read
 * back by nft(8) and compared word for word.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/internal.h"
#include "net/net.h"

static const struct net_port web = {.host_port = 8080, .pod_port = 80};
static const struct net_port dns = {
	.host_port = 53, .pod_port = 5353, .udp = true, .host_ip = "192.0.2.1"};

static void assert_output(const char *command, const char *wanted)
{
	struct buf b = BUF_INIT(65536);
	FILE *f = popen(command, "r");
	char line[256];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		const char *text = str_trim(line);

		if (*text)
			assert_int_equal(buf_printf(&b, "%s\n", text), 0);
	}
	assert_int_equal(pclose(f), 0);
	assert_string_equal(buf_str(&b), wanted);
	buf_done(&b);
}

#define TABLE_HEAD             \
	"table ip hyper {\n"   \
	"chain prerouting {\n" \
	"type nat hook prerouting priority dstnat; policy accept;\n"
#define TABLE_TAIL                                                    \
	"}\n"                                                         \
	"chain postrouting {\n"                                       \
	"type nat hook postrouting priority srcnat; policy accept;\n" \
	"ip saddr 10.99.0.0/24 masquerade\n"                          \
	"}\n"                                                         \
	"chain input {\n"                                             \
	"type filter hook input priority filter; policy accept;\n"    \
	"iifname \"hv0\" ct state established,related accept\n"       \
	"iifname \"hv0\" meta l4proto icmp accept\n"                  \
	"iifname \"hv0\" drop\n"                                      \
	"}\n"                                                         \
	"chain forward {\n"                                           \
	"type filter hook forward priority filter; policy accept;\n"  \
	"ct state established,related accept\n"                       \
	"oifname \"hv0\" iifname \"hv0\" accept\n"                    \
	"oifname \"hv0\" ct status dnat accept\n"                     \
	"oifname \"hv0\" drop\n"                                      \
	"}\n"                                                         \
	"}\n"

#define NFT "PATH=$PATH:/usr/sbin nft list table ip hyper"

static struct net *make_net(void)
{
	const struct net_config config = {.pod_cidr = "10.99.0.7/24", .bridge = "hv0"};
	struct err e = ERR_INIT;
	struct net *net = NULL;

	if (net_new(&config, &net, &e) < 0)
		fail_msg("%s", err_msg(&e));
	return net;
}

static void test_bridge_has_gateway(void **state)
{
	struct net *net = make_net();

	(void)state;
	assert_output("PATH=$PATH:/usr/sbin ip -4 -o addr show dev hv0 | awk '{ print $4 }'",
		      "10.99.0.1/24\n");
	/* A second start of the daemon finds everything as it is. */
	net_free(net);
	net = make_net();
	net_free(net);
}

static void test_rules_follow_the_pods(void **state)
{
	struct net *net = make_net();
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(net_adopt(net, "u1", "10.99.0.2", &web, 1, &e), 0);
	assert_int_equal(net_adopt(net, "u2", "10.99.0.3", &dns, 1, &e), 0);
	assert_int_equal(net_sync(net, &e), 0);
	assert_output(
		NFT, TABLE_HEAD
		"fib daddr type local tcp dport 8080 dnat to 10.99.0.2:80\n"
		"fib daddr type local ip daddr 192.0.2.1 udp dport 53 dnat to 10.99.0.3:5353\n" TABLE_TAIL);
	assert_int_equal(net_detach(net, "u1", &e), 0);
	assert_int_equal(net_detach(net, "u1", &e), 0);
	assert_output(
		NFT, TABLE_HEAD
		"fib daddr type local ip daddr 192.0.2.1 udp dport 53 dnat to 10.99.0.3:5353\n" TABLE_TAIL);
	net_free(net);
}

/* Only what goes to the pod: not every kernel that tests are run on has the other half; scenario 195 does. */
static void test_limit(void **state)
{
	struct net_if nif = {.tap = "limited0"};
	struct net_rate rate = {.ingress = 1000000};
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(net_limit(&nif, &rate, &e), -ENODEV);
	assert_output("PATH=$PATH:/usr/sbin ip link add limited0 type bridge", "");
	if (net_limit(&nif, &rate, &e) < 0)
		skip(); /* no sch_tbf */
	assert_output("PATH=$PATH:/usr/sbin tc qdisc show dev limited0 | grep -o 'tbf.*Mbit'",
		      "tbf 1: root refcnt 2 rate 8Mbit\n");
	rate.ingress = 2000000; /* replaces */
	assert_int_equal(net_limit(&nif, &rate, &e), 0);
	assert_output("PATH=$PATH:/usr/sbin tc qdisc show dev limited0 | grep -o 'rate.*Mbit'",
		      "rate 16Mbit\n");
	rate.ingress = UINT64_MAX; /* as good as none */
	assert_int_equal(net_limit(&nif, &rate, &e), 0);
}

static void test_guard(void **state)
{
	static const uint8_t mac[6] = {2, 0x58, 10, 99, 0, 9};
	struct net *net = make_net();
	struct err e = ERR_INIT;

	(void)state;
	assert_output(
		"PATH=$PATH:/usr/sbin; ip link add name guard0 master hv0 up type veth peer name guard1 && ip link set guard1 up",
		"");
	if (guard_tap("guard0", net->bridge_index, 0x0a630009, mac, &e) < 0)
		fail_msg("%s", err_msg(&e));
	assert_output("PATH=$PATH:/usr/sbin bridge fdb show dev guard0 | grep 02:58:0a:63:00:09",
		      "02:58:0a:63:00:09 master hv0 static\n");
	assert_output(
		"PATH=$PATH:/usr/sbin bridge -d link show dev guard0 | grep -oE 'learning (on|off)|locked (on|off)'",
		"learning off\nlocked on\n");
	assert_output("PATH=$PATH:/usr/sbin ip neigh show dev hv0 | grep 10.99.0.9",
		      "10.99.0.9 lladdr 02:58:0a:63:00:09 PERMANENT\n");
	guard_forget(net->bridge_index, 0x0a630009);
	guard_forget(net->bridge_index, 0x0a630009);
	assert_output("PATH=$PATH:/usr/sbin ip neigh show dev hv0", "");
	net_free(net);
}

static void test_clashes_are_refused(void **state)
{
	struct net *net = make_net();
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(net_adopt(net, "u1", "10.99.0.2", &web, 1, &e), 0);
	assert_int_equal(net_adopt(net, "u1", "10.99.0.4", NULL, 0, &e), -EEXIST);
	assert_int_equal(net_adopt(net, "u2", "10.99.0.2", NULL, 0, &e), -EADDRINUSE);
	assert_int_equal(net_adopt(net, "u2", "10.99.0.3", &web, 1, &e), -EADDRINUSE);
	assert_string_equal(err_msg(&e), "host port 8080/tcp is taken");
	assert_int_equal(net_adopt(net, "u2", "10.99.0.1", NULL, 0, &e), -EINVAL);
	assert_int_equal(net_adopt(net, "u2", "10.98.0.9", NULL, 0, &e), -EINVAL);
	assert_int_equal(net_adopt(net, "u2", "nonsense", NULL, 0, &e), -EINVAL);
	net_free(net);
}

static void test_bad_ranges(void **state)
{
	static const char *const ranges[] = {"10.0.0.0", "10.0.0.0/8", "10.0.0.0/30",
					     "x/24",	 "10.0.0.0/",  "1000.0.0.0.0.0.0.0/24"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		const struct net_config config = {.pod_cidr = ranges[i]};
		struct err e = ERR_INIT;
		struct net *net = NULL;

		assert_int_equal(net_new(&config, &net, &e), -EINVAL);
		assert_non_null(strstr(err_msg(&e), ranges[i]));
		assert_null(net);
	}
}

/* Root makes a network namespace at once; anybody else needs a user namespace around it. */
static int set_up(void **state)
{
	_cleanup_free_ char *uids = mem_printf("0 %u 1", getuid());
	_cleanup_fd_ int fd = -1;

	(void)state;
	if (unshare(CLONE_NEWNET) == 0)
		return 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		fprintf(stderr, "no network namespace to be had: %s\n", strerror(errno));
		return -1;
	}
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -1 : fd_write_full(fd, uids, strlen(uids));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bridge_has_gateway),
		cmocka_unit_test(test_rules_follow_the_pods),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_guard),
		cmocka_unit_test(test_clashes_are_refused),
		cmocka_unit_test(test_bad_ranges),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
