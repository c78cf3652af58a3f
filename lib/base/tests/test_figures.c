// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/figures.h"

static const char dev[] =
	"Inter-|   Receive                                                |  Transmit\n"
	" face |bytes    packets errs drop fifo\n"
	"    lo:     100       2    0    0    0\n"
	"  eth0: 4711      42    1    3 18446744073709551615\n";

static void lines(void **state)
{
	static const char stat[] = "usage_usec 12\nuser_usec 7\nnr_throttled 3\nempty\n";

	(void)state;
	assert_int_equal(figures_line(stat, "usage_usec"), 12);
	assert_int_equal(figures_line(stat, "nr_throttled"), 3);
	assert_int_equal(figures_line(stat, "user"), 0);
	assert_int_equal(figures_line(stat, "usec"), 0);
	assert_int_equal(figures_line(stat, "empty"), 0);
	assert_int_equal(figures_line("", "usage_usec"), 0);
	assert_int_equal(figures_line("MemTotal:       24553336 kB\nMemFree: 5 kB\n", "MemTotal"),
			 24553336);
}

static void columns(void **state)
{
	uint64_t n[6] = {0};

	(void)state;
	assert_int_equal(figures_columns(dev, "eth0", n, 6), 5);
	assert_true(n[0] == 4711 && n[1] == 42 && n[3] == 3 && n[4] == UINT64_MAX);
	assert_int_equal(figures_columns(dev, "eth0", n, 2), 2);
	assert_int_equal(figures_columns(dev, "eth", n, 6), 0);
	assert_int_equal(figures_columns(dev, "face", n, 6), 0);
}

static void interface(void **state)
{
	static const char text[] = " face |bytes packets\n"
				   "  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
				   "  eth1: 1 2 3 4 5 6 7 8\n";
	struct figures_net n;

	(void)state;
	assert_true(figures_net(text, "eth0", &n));
	assert_string_equal(n.name, "eth0");
	assert_true(n.rx_bytes == 1 && n.rx_packets == 2 && n.rx_errors == 3 && n.rx_dropped == 4);
	assert_true(n.tx_bytes == 9 && n.tx_packets == 10 && n.tx_errors == 11 &&
		    n.tx_dropped == 12);
	assert_false(figures_net(text, "eth1", &n));
	assert_false(figures_net(text, "a-name-of-17-char", &n));
}

static void file_system(void **state)
{
	struct figures_fs fs;

	(void)state;
	assert_int_equal(figures_fs("/tmp", &fs), 0);
	assert_true(fs.bytes && fs.free_bytes <= fs.bytes && fs.available_bytes <= fs.free_bytes);
	assert_int_equal(figures_fs("/nowhere", &fs), -ENOENT);
	assert_true(!fs.bytes && !fs.inodes);
}

static void files(void **state)
{
	char path[] = "/tmp/figures-XXXXXX", text[8];
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, "1234567890\n", 11), 11);
	assert_int_equal(figures_number(AT_FDCWD, path), 1234567890);
	assert_string_equal(figures_read(AT_FDCWD, path, text, sizeof(text)), "1234567");
	close(fd);
	unlink(path);
	assert_int_equal(figures_number(AT_FDCWD, path), 0);
	assert_string_equal(figures_read(AT_FDCWD, path, text, sizeof(text)), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),     cmocka_unit_test(columns),
		cmocka_unit_test(interface), cmocka_unit_test(file_system),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
