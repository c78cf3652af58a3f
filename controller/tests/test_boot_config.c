// SPDX-License-Identifier: Apache-2.0
/* What is printed, byte for byte; that dnsmasq takes it; that no client can be sent in a circle by it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "boot_config.h"

#define DATA "controller/tests/data/"
#define URL  "--boot-url http://192.0.2.10:6480 "
#define CARD "--interface eth1 "

#define RANGE                                                                                    \
	URL CARD "--range 192.0.2.100,192.0.2.200 --router 192.0.2.1 --dns 192.0.2.2,192.0.2.3 " \
		 "--lease 7d --netmask 255.255.255.0"
#define PROXY URL CARD "--proxy 192.0.2.0 --tftp-root /var/lib/tftp"

static int run(const char *words, struct buf *out, struct err *e)
{
	_cleanup_free_ char *copy = mem_strdup(words);
	char *argv[32] = {"boot-config"}, *save = NULL;
	int argc = 1;

	for (char *w = strtok_r(copy, " ", &save); w && argc < 31; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	*out = (struct buf)BUF_INIT(0);
	return boot_config_print(argc, argv, out, e);
}

static void assert_golden(const char *words, const char *file)
{
	struct buf out, wanted = BUF_INIT(0);
	struct err e = ERR_INIT;
	_cleanup_free_ char *command =
		mem_printf("/usr/sbin/dnsmasq --test --conf-file=%s 2>&1", file);

	assert_int_equal(run(words, &out, &e), 0);
	assert_int_equal(file_read(AT_FDCWD, file, &wanted, NULL), 0);
	assert_string_equal(buf_str(&out), buf_str(&wanted));
	/* NOLINTNEXTLINE(cert-env33-c): a fixed line */
	assert_int_equal(system(command), 0);
	buf_done(&out);
	buf_done(&wanted);
}

static void test_golden(void **state)
{
	(void)state;
	assert_golden(RANGE, DATA "boot-config-range.conf");
	assert_golden(PROXY, DATA "boot-config-proxy.conf");
}

static const char *const tags[] = {"ipxe", "http", "uefi", "bios"};
#define IPXE 1U

/* Whether all tag:X and tag:!X at the start of a line's value hold. @rest: what follows */
static bool matches(char *value, unsigned int set, const char **rest)
{
	bool all = true;
	const char *tag;

	while ((tag = str_starts(value, "tag:"))) {
		bool wanted = *tag != '!', known = false;
		char *comma = strchr(value, ',');

		assert_non_null(comma);
		*comma = '\0';
		tag += !wanted;
		for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
			if (!str_eq(tag, tags[i]))
				continue;
			known = true;
			all = all && !(set & 1U << i) != wanted;
		}
		assert_true(known);
		value = comma + 1;
	}
	*rest = value;
	return all;
}

/* What clients with these tags are given: iPXE the script and nothing else, the others one thing at most */
static void assert_no_circle(const char *words, unsigned int set)
{
	struct buf out;
	struct err e = ERR_INIT;
	unsigned int boots = 0, services = 0;
	char *save = NULL;

	assert_int_equal(run(words, &out, &e), 0);
	for (char *l = strtok_r(out.data, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		bool boot = str_starts(l, "dhcp-boot=");
		const char *rest;

		if ((!boot && !str_starts(l, "pxe-service=")) ||
		    !matches(strchr(l, '=') + 1, set, &rest))
			continue;
		boots += boot;
		services += !boot;
		if (set & IPXE)
			assert_non_null(str_starts(rest, "http://192.0.2.10:6480/boot/ipxe"));
		else
			assert_null(strstr(rest, "/boot/ipxe"));
	}
	assert_true(boots == 1 || (boots == 0 && !(set & IPXE)));
	/* pxe-service lines differ by their architecture, of which a client has one there */
	assert_int_equal(services, set & IPXE || !strstr(words, "--proxy") ? 0 : 3);
	buf_done(&out);
}

static void test_no_circle(void **state)
{
	(void)state;
	for (unsigned int set = 0; set < 1U << ARRAY_SIZE(tags); set++) {
		assert_no_circle(RANGE, set);
		assert_no_circle(PROXY, set);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *words, *part;
	} cases[] = {
		{CARD "--range 192.0.2.1,192.0.2.9", "--boot-url URL is missing"},
		{URL "--range 192.0.2.1,192.0.2.9", "--interface NAME is missing"},
		{URL CARD, "one of --range and --proxy"},
		{URL CARD "--range 192.0.2.1,192.0.2.9 --proxy 192.0.2.0", "one of"},
		{URL CARD "--range 192.0.2.9,192.0.2.1", "ends before it begins"},
		{URL CARD "--range 192.0.2.9", "not FIRST,LAST"},
		{URL CARD "--range 192.0.2.9,", "two IPv4 addresses"},
		{URL CARD "--range 192.0.2.9,192.0.2.10,1h", "two IPv4 addresses"},
		{URL CARD "--range 192.0.2.9,fe80::1", "two IPv4 addresses"},
		{URL CARD "--range 192.0.2.1000000000,192.0.2.3", "not FIRST,LAST"},
		{URL CARD "--proxy 192.0.2.0/24", "--proxy: 192.0.2.0/24 is not an IPv4"},
		{URL CARD "--proxy 192.0.2.0 --router 192.0.2.1", "another DHCP server says"},
		{URL CARD "--proxy 192.0.2.0 --lease 1h", "another DHCP server says"},
		{URL CARD "--proxy 192.0.2.0 --netmask 255.0.255.0", "is no netmask"},
		{URL CARD "--proxy 192.0.2.0 --netmask 24", "--netmask: 24 is not"},
		{URL CARD "--range 192.0.2.1,192.0.3.1 --netmask 255.255.255.0", "not one network"},
		{URL CARD "--range 192.0.2.1,192.0.2.9 --netmask 255.255.255.0 --router 192.0.3.1",
		 "not in the network"},
		{URL CARD "--range 192.0.2.1,192.0.2.9 --lease 1", "not a number and m, h or d"},
		{URL CARD "--range 192.0.2.1,192.0.2.9 --lease 1m", "not two minutes"},
		{URL CARD "--range 192.0.2.1,192.0.2.9 --lease 0h", "not two minutes"},
		{URL CARD "--range 192.0.2.1,192.0.2.9 --lease 20000d", "not two minutes"},
		{URL CARD "--range 192.0.2.1,192.0.2.9 --dns 192.0.2.1,", "--dns"},
		{URL CARD
		 "--range 192.0.2.1,192.0.2.9 --dns 1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1",
		 "--dns"},
		{URL CARD "--proxy 192.0.2.0 --tftp-root tftp", "--tftp-root"},
		{URL CARD "--proxy 192.0.2.0 --tftp-root /srv,tftp", "--tftp-root"},
		{URL CARD "--proxy 192.0.2.0 --proxy 192.0.3.0", "given twice"},
		{URL CARD "--proxy 192.0.2.0 more", "what is more?"},
		{URL CARD "--proxy 192.0.2.0 --more", "try"},
		{URL CARD "--proxy", "try"},
		{URL "--interface eth1,eth2 --proxy 192.0.2.0", "no network card's name"},
		{URL "--interface abcdefghijklmnop --proxy 192.0.2.0", "no network card's name"},
		{CARD "--boot-url https://192.0.2.10 --proxy 192.0.2.0", "begins with http://"},
		{CARD "--boot-url 192.0.2.10:6480 --proxy 192.0.2.0", "begins with http://"},
		{CARD "--boot-url http://192.0.2.10:6480/boot --proxy 192.0.2.0", "alone"},
		{CARD "--boot-url http://boot.example:6480 --proxy 192.0.2.0", "an IPv4 address"},
		{CARD "--boot-url http://a.b,c --proxy 192.0.2.0", "alone"},
		{CARD "--range 192.0.2.1,192.0.2.9 --boot-url http://"
		      "0123456789012345678901234567890123456789012345678901234567890123456789"
		      "0123456789012345678901234567890123456789",
		 "has room for"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = ERR_INIT;
		struct buf out;

		if (run(cases[i].words, &out, &e) != -EINVAL || !strstr(e.msg, cases[i].part))
			fail_msg("%s: %s", cases[i].words, err_msg(&e));
		assert_int_equal(out.len, 0);
		buf_done(&out);
	}
}

static void test_help(void **state)
{
	struct err e = ERR_INIT;
	struct buf out;

	(void)state;
	assert_int_equal(run("--help", &out, &e), 0);
	assert_non_null(str_starts(buf_str(&out), "usage: controller boot-config"));
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_no_circle),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
