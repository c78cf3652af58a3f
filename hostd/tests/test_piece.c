// SPDX-License-Identifier: Apache-2.0
/* The files of a host that came without: where they are asked for, and what is taken of an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>

#include "../piece.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"

static void assert_url(const char *cmdline, int status, const char *wanted)
{
	char url[HOST_URL_MAX] = "";

	assert_int_equal(piece_url(cmdline, url), status);
	if (status == 0)
		assert_string_equal(url, wanted);
}

static void test_url(void **state)
{
	char longest[HOST_URL_MAX + 32] = "hyper.boot=http://";

	(void)state;
	assert_url("console=ttyS0\n", -ENOENT, NULL);
	assert_url("", -ENOENT, NULL);
	assert_url("nothyper.boot=http://a", -ENOENT, NULL);
	assert_url("a=b hyper.boot=http://192.0.2.1:6480 c\n", 0, "http://192.0.2.1:6480");
	assert_url("hyper.boot=https://boot.example//\n", 0, "https://boot.example");
	assert_url("hyper.boot=http://[2001:db8::1]:80", 0, "http://[2001:db8::1]:80");
	assert_url("hyper.boot=", -EINVAL, NULL);
	assert_url("hyper.boot=http://", -EINVAL, NULL);
	assert_url("hyper.boot=http:///x", -EINVAL, NULL);
	assert_url("hyper.boot=ftp://a", -EINVAL, NULL);
	assert_url("hyper.boot=http://a?b", -EINVAL, NULL);
	memset(longest + strlen(longest), 'a', HOST_URL_MAX);
	assert_url(longest, -EINVAL, NULL);
}

static void assert_lease_url(const char *lease, int status, const char *wanted)
{
	char url[HOST_URL_MAX] = "";

	assert_int_equal(piece_lease_url(lease, url), status);
	if (status == 0)
		assert_string_equal(url, wanted);
}

static void test_lease_url(void **state)
{
	(void)state;
	assert_lease_url("", -ENOENT, NULL);
	assert_lease_url("ip=192.0.2.7\nmask=24\n", -ENOENT, NULL);
	assert_lease_url("boot_file=undionly.kpxe\n", -ENOENT, NULL);
	assert_lease_url("ip=192.0.2.7\nboot_file=http://192.0.2.1:6480/boot/ipxe\n", 0,
			 "http://192.0.2.1:6480");
	assert_lease_url("boot_file=snponly.efi\nbootfile=https://boot.example/\ndns=192.0.2.1\n",
			 0, "https://boot.example");
	assert_lease_url("bootfile=http://a/prefix/boot/snponly.efi", 0, "http://a/prefix");
	assert_lease_url("bootfile=tftp://192.0.2.1/x\n", -EINVAL, NULL);
	assert_lease_url("bootfile=http:///boot/ipxe\n", -EINVAL, NULL);
	assert_lease_url("bootfile=http://a b/boot/ipxe\n", -EINVAL, NULL);
	assert_lease_url("domain=a\nbootfile=\nboot_file=http://b\n", 0, "http://b");
}

static void assert_written(const char *dir, const char *name, const char *wanted)
{
	_cleanup_free_ char *path = mem_printf("%s/%s", dir, name);
	struct buf b = BUF_INIT(4096);
	struct stat st;

	assert_int_equal(file_read(AT_FDCWD, path, &b, NULL), 0);
	assert_string_equal(buf_str(&b), wanted);
	buf_done(&b);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_write(void **state)
{
	static const char good[] = "{\"ca.crt\": \"CERT\", \"token\": \"a.b\", \"more\": 1, "
				   "\"settings\": \"api=https://a:6443\\nnode_name=h\\n\"}";
	static const char *const bad[] = {
		"",
		"<html>",
		"[]",
		"{\"token\": \"a.b\", \"settings\": \"api=https://a\\nnode_name=h\"}",
		"{\"ca.crt\": 1, \"token\": \"a.b\", \"settings\": \"api=https://a\\nnode_name=h\"}",
		"{\"ca.crt\": \"C\", \"token\": \"a.b\", \"settings\": \"api=http://a\\nnode_name=h\"}",
		"{\"ca.crt\": \"C\", \"token\": \"a.b\", \"settings\": \"\"}",
	};
	char root[] = "/tmp/piece.XXXXXX";
	_cleanup_free_ char *dir = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_non_null(mkdtemp(root));
	dir = mem_printf("%s/boot", root);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(piece_write(dir, bad[i], strlen(bad[i]), &e), -EBADMSG);
		assert_int_equal(access(dir, F_OK), -1);
	}
	assert_int_equal(piece_write(dir, good, strlen(good), &e), 0);
	assert_written(dir, "ca.crt", "CERT");
	assert_written(dir, "token", "a.b");
	assert_written(dir, "settings", "api=https://a:6443\nnode_name=h\n");
	assert_int_equal(file_remove_tree(AT_FDCWD, root), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_lease_url),
		cmocka_unit_test(test_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
