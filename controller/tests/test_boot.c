// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "boot/cpio.h"
#include "boot/host.h"
#include "boot/settings.h"

/* The whole archive, byte for byte: the kernel reads it before anything of ours runs. */
static void test_cpio_bytes(void **state)
{
	static const char wanted[] =
		"070701000000010000"
		"41C000000000000000000000000200000000000000000000000000000000000000000000000000000006"
		"00000000hyper\0"
		"070701000000020000818000000000000000000000000100000000000000030000000000000000000000"
		"00000000000000000C00000000hyper/token\0\0\0abc\0"
		"070701000000030000000000000000000000000000000100000000000000000000000000000000000000"
		"00000000000000000B00000000TRAILER!!!\0\0\0";
	struct cpio c;

	(void)state;
	cpio_init(&c, 4096);
	cpio_dir(&c, "hyper", 0700);
	cpio_file(&c, "hyper/token", 0600, "abc", 3);
	assert_int_equal(cpio_end(&c), 0);
	assert_int_equal(c.data.len % 4, 0);
	assert_int_equal(c.data.len, sizeof(wanted));
	assert_memory_equal(c.data.data, wanted, sizeof(wanted));
	cpio_done(&c);
	cpio_init(&c, 100);
	cpio_file(&c, "a", 0600, "abc", 3);
	assert_int_equal(cpio_end(&c), -E2BIG);
	cpio_done(&c);
}

static void assert_merged(const char *common, const char *own, const char *wanted)
{
	struct buf out = BUF_INIT(0);
	struct err e = ERR_INIT;
	int r = settings_merge(common, own, &out, &e);

	assert_int_equal(r, wanted ? 0 : -EINVAL);
	if (wanted)
		assert_string_equal(buf_str(&out), wanted);
	buf_done(&out);
}

static void test_settings(void **state)
{
	static const char text[] = "a=1\nb=2\na=3\n";
	_cleanup_free_ char *a = settings_get(text, "a"), *none = settings_get(text, "c");

	(void)state;
	assert_merged("", "", "");
	assert_merged("# all\n\n a=1 \r\nb=2\nb=3", "", "a=1\nb=2\nb=3\n");
	assert_merged("a=1\nb=2\nb=3\n", "b=own\n", "a=1\nb=own\n");
	assert_merged("a=x=y\n", "", "a=x=y\n");
	assert_merged("a\n", "", NULL);
	assert_merged("", "=b\n", NULL);
	assert_merged("", "A=b\n", NULL);
	assert_string_equal(a, "3");
	assert_null(none);
}

static void test_host(void **state)
{
	static const char *const bad[] = {"",
					  "52-54-00-12-34-5",
					  "52-54-00-12-34-567",
					  "52-54-00-12-34-zz",
					  "00-00-00-00-00-00",
					  "01-00-5e-00-00-01",
					  "52.54.00.12.34.56"};
	struct boot_host h;
	char dashes[18];

	(void)state;
	assert_int_equal(host_parse("52-54-00-AB-34-56", "DEADBEEF-0000-0000-0000-000000000001",
				    "SN 1", &h),
			 0);
	assert_string_equal(h.mac, "52:54:00:ab:34:56");
	assert_string_equal(h.uuid, "deadbeef-0000-0000-0000-000000000001");
	assert_string_equal(h.serial, ""); /* a blank in it: not said */
	assert_string_equal(host_mac_dashes(&h, dashes), "52-54-00-ab-34-56");
	assert_int_equal(host_set_name(&h, NULL), 0);
	assert_string_equal(h.node_name, "host-525400ab3456");
	assert_int_equal(host_set_name(&h, "rack1-n7"), 0);
	assert_int_equal(host_set_name(&h, "Rack1"), -EINVAL);
	assert_int_equal(host_set_name(&h, "-a"), -EINVAL);
	assert_int_equal(host_set_name(&h, ""), -EINVAL);
	assert_int_equal(host_parse("52:54:00:12:34:56", "nonsense", "ABC123", &h), 0);
	assert_string_equal(h.uuid, "");
	assert_string_equal(h.serial, "ABC123");
	assert_int_equal(host_parse(NULL, NULL, NULL, &h), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(host_parse(bad[i], NULL, NULL, &h), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpio_bytes),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
