/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store and real pulls: the test program is its own hostd-image, the registry is fake and on the same
 * loop, mkfs.erofs is the one of the build.
 */
#ifndef TESTS_OCI_HARNESS_H
#define TESTS_OCI_HARNESS_H

#include <limits.h>

#include "fake_registry.h"
#include "oci/oci.h"

#define HOST "127.0.0.1:1/" /* nothing listens there: what a mirror lacks is nowhere */

struct wait {
	struct oci_wait wait;
	bool done;
	struct oci_image *image;
	enum oci_failure failure;
	struct err error;
};

extern struct oci_harness {
	struct loop loop;
	struct fake_registry registry;
	struct oci *oci;
	char root[64], self[PATH_MAX], mkfs[PATH_MAX];
	const char *mirrors[2];
	struct oci_config config;
	struct fake_layer a, b;
} t;

/* What main() does first. Return: the exit status of a hostd-image; -1 to run the tests */
int begin(int argc, char **argv);
int start(void **state);
int stop(void **state);
/* Fills in a struct wait that must not have been told before */
void on_image(struct oci_wait *w, struct oci_image *image, enum oci_failure failure,
	      const struct err *e);
void run(const bool *done);
struct wait ensure(const char *name, enum oci_pull pull);
struct wait ensure_with(const char *name, const struct oci_login *logins, size_t count);
/* Pulls and lets go again; fails the test when that fails */
void pull(const char *name);
size_t files_in(const char *kind);
/* As after a restart of hostd */
void reopen(uint64_t cap_bytes);

#endif
