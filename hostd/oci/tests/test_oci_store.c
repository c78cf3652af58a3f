// SPDX-License-Identifier: Apache-2.0
/* What the store keeps over a restart, and what it gives up for want of space. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "oci_harness.h"

static void test_restart(void **state)
{
	char digest[2][OCI_DIGEST_MAX], path[PATH_MAX];

	(void)state;
	fake_image(&t.registry, "one", "latest", &t.a, 1, digest[0]);
	fake_image(&t.registry, "two", "latest", &t.b, 1, digest[1]);
	pull(HOST "one");
	pull(HOST "two");
	snprintf(path, sizeof(path), "%s/tmp/99", t.root);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/images/garbage.json", t.root);
	assert_int_equal(file_write(AT_FDCWD, path, "{}", 2, 0644, NULL), 0);
	snprintf(path, sizeof(path), "%s/layers/stray.erofs", t.root);
	assert_int_equal(file_write(AT_FDCWD, path, "x", 1, 0644, NULL), 0);
	snprintf(path, sizeof(path), "%s/layers/%s.erofs", t.root, t.b.diff_id + 7);
	assert_int_equal(unlink(path), 0);
	reopen(0);
	assert_int_equal(files_in("tmp"), 0);
	assert_int_equal(files_in("images"), 1);
	assert_int_equal(files_in("layers"), 1);
	assert_int_equal(files_in("names"), 1);
	assert_int_equal(ensure(HOST "one", OCI_PULL_NEVER).failure, OCI_FAILURE_NONE);
	oci_image_unref(oci_image_find(t.oci, digest[0]));
	assert_null(oci_image_find(t.oci, digest[1]));
	assert_int_equal(ensure(HOST "two", OCI_PULL_NEVER).failure, OCI_FAILURE_NEVER);
	pull(HOST "two");
}

static void test_gc(void **state)
{
	struct fake_layer shared[] = {t.a, t.b};
	char digest[3][OCI_DIGEST_MAX];
	struct oci_image *held;
	uint64_t a_bytes, used;

	(void)state;
	fake_image(&t.registry, "a", "latest", &t.a, 1, digest[0]);
	fake_image(&t.registry, "ab", "latest", shared, 2, digest[1]);
	fake_image(&t.registry, "b", "latest", &t.b, 1, digest[2]);
	pull(HOST "a");
	a_bytes = oci_used_bytes(t.oci);
	pull(HOST "ab");
	pull(HOST "b");
	used = oci_used_bytes(t.oci);
	reopen(used);
	/* "a" was used least recently, but "ab" needs its layer as well */
	oci_gc(t.oci, 1);
	assert_null(oci_image_find(t.oci, digest[0]));
	assert_null(oci_image_find(t.oci, digest[1]));
	assert_int_equal(oci_used_bytes(t.oci), used - a_bytes);
	held = oci_image_find(t.oci, digest[2]);
	assert_non_null(held);
	oci_gc(t.oci, UINT32_MAX);
	assert_int_equal(files_in("layers"), 1);
	oci_image_unref(held);
	oci_gc(t.oci, UINT32_MAX);
	assert_int_equal(files_in("layers"), 0);
	assert_int_equal(oci_used_bytes(t.oci), 0);
}

/* A full store makes room when a pull needs it, but not by taking from who uses it */
static void test_full(void **state)
{
	char digest[2][OCI_DIGEST_MAX];
	struct wait w;

	(void)state;
	fake_image(&t.registry, "a", "latest", &t.a, 1, digest[0]);
	fake_image(&t.registry, "b", "latest", &t.b, 1, digest[1]);
	reopen(250000);
	w = ensure(HOST "a", OCI_PULL_IF_NOT_PRESENT);
	assert_non_null(w.image);
	assert_int_equal(ensure(HOST "b", OCI_PULL_IF_NOT_PRESENT).failure, OCI_FAILURE_PULL);
	oci_image_unref(w.image);
	pull(HOST "b");
	assert_null(oci_image_find(t.oci, digest[0]));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_restart, start, stop),
		cmocka_unit_test_setup_teardown(test_gc, start, stop),
		cmocka_unit_test_setup_teardown(test_full, start, stop),
	};
	int status = begin(argc, argv);

	return status < 0 ? cmocka_run_group_tests(tests, NULL, NULL) : status;
}
