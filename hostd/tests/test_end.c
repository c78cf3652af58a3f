// SPDX-License-Identifier: Apache-2.0
/* How a machine ends: which watchdog is the one to pet, and what the power button says. */
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/mem.h"
#include "host/host.h"

static char dir[64];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_end.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return file_remove_tree(AT_FDCWD, dir);
}

static void put_watchdog(const char *name, const char *identity, const char *state_text,
			 const char *bootstatus)
{
	const char *const keys[] = {"identity", "state", "bootstatus"};
	const char *const values[] = {identity, state_text, bootstatus};
	_cleanup_free_ char *folder = mem_printf("%s/%s", dir, name);

	assert_int_equal(file_mkdirs(folder, 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		_cleanup_free_ char *path = mem_printf("%s/%s", folder, keys[i]),
				    *line = mem_printf("%s\n", values[i]);

		assert_int_equal(file_write(AT_FDCWD, path, line, strlen(line), 0600, NULL), 0);
	}
}

static void test_watchdog(void **state)
{
	struct host_watchdog w;

	(void)state;
	host_watchdog_choose("/nonexistent", &w);
	assert_string_equal(w.name, "");
	assert_true(w.soft);
	put_watchdog("watchdog0", "Software Watchdog", "active", "0");
	host_watchdog_choose(dir, &w);
	assert_string_equal(w.name, "watchdog0");
	assert_true(w.soft && !w.armed && !w.bit);
	put_watchdog("watchdog1", "iTCO_wdt", "inactive", "32"); /* it bit, whichever is petted */
	host_watchdog_choose(dir, &w);
	assert_string_equal(w.name, "watchdog1");
	assert_true(!w.soft && !w.armed && w.bit && !w.tells);
	put_watchdog("watchdog2", "wdat_wdt", "active", "rubbish");
	put_watchdog("other", "x", "active", "0");
	host_watchdog_choose(dir, &w);
	assert_string_equal(w.name, "watchdog2");
	assert_string_equal(w.identity, "wdat_wdt");
	assert_true(!w.soft && w.armed && w.bit && w.tells);
}

/* ---- messages of generic netlink ---- */

static unsigned char message[512];
static size_t used;

static void put_bytes(const void *data, size_t len)
{
	memcpy(message + used, data, len);
	used += NLA_ALIGN(len);
}

/* Return: where its length is, for end() */
static size_t begin(uint16_t type)
{
	const struct nlattr head = {.nla_len = 0, .nla_type = type};
	size_t at = used;

	put_bytes(&head, sizeof(head));
	return at;
}

static void end(size_t at)
{
	const uint16_t len = (uint16_t)(used - at);

	memcpy(message + at, &len, sizeof(len));
}

static void put_text(uint16_t type, const char *text, size_t size)
{
	const struct nlattr head = {.nla_len = (uint16_t)(NLA_HDRLEN + size), .nla_type = type};
	char padded[64] = "";

	snprintf(padded, sizeof(padded), "%s", text);
	put_bytes(&head, sizeof(head));
	put_bytes(padded, size);
}

static void open_message(void)
{
	memset(message, 0, sizeof(message));
	used = NLMSG_HDRLEN + GENL_HDRLEN;
}

static void close_message(uint16_t type)
{
	const struct nlmsghdr head = {.nlmsg_len = (uint32_t)used, .nlmsg_type = type};

	memcpy(message, &head, sizeof(head));
}

static void put_group(const char *name, uint32_t id)
{
	const struct nlattr head = {.nla_len = NLA_HDRLEN + sizeof(id),
				    .nla_type = CTRL_ATTR_MCAST_GRP_ID};
	size_t group = begin(1);

	put_bytes(&head, sizeof(head));
	put_bytes(&id, sizeof(id));
	put_text(CTRL_ATTR_MCAST_GRP_NAME, name, strlen(name) + 1);
	end(group);
}

static void test_group(void **state)
{
	uint32_t group = 0;
	size_t groups;

	(void)state;
	open_message();
	put_text(CTRL_ATTR_FAMILY_NAME, "acpi_event", sizeof("acpi_event"));
	groups = begin(CTRL_ATTR_MCAST_GROUPS | NLA_F_NESTED);
	put_group("other", 3);
	put_group("acpi_mc_group", 7);
	end(groups);
	close_message(GENL_ID_CTRL);
	assert_int_equal(host_button_group(message, used, &group), 0);
	assert_int_equal(group, 7);
	for (size_t len = 0; len < used; len++) /* cut anywhere */
		assert_int_equal(host_button_group(message, len, &group), -2);
	close_message(NLMSG_ERROR);
	assert_int_equal(host_button_group(message, used, &group), -2);
}

static void test_button(void **state)
{
	(void)state;
	open_message();
	put_text(1, "button/power", 20 + 15 + 1 + 8);
	close_message(0x18);
	assert_true(host_button_pressed(message, used));
	for (size_t len = 0; len < used; len++)
		assert_false(host_button_pressed(message, len));
	open_message();
	put_text(1, "button/sleep", 20 + 15 + 1 + 8);
	close_message(0x18);
	assert_false(host_button_pressed(message, used));
	open_message();
	put_text(1, "button/power", 13); /* no struct acpi_genl_event */
	close_message(0x18);
	assert_false(host_button_pressed(message, used));
	open_message();
	put_text(2, "button/power", 44);
	close_message(0x18);
	assert_false(host_button_pressed(message, used));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_watchdog, setup, teardown),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_button),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
