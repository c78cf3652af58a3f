/* SPDX-License-Identifier: Apache-2.0 */
/* Pulling one image into a folder, next to the store. */
#ifndef OCI_PULL_H
#define OCI_PULL_H

#include "oci/ref.h"

struct oci_pull_spec {
	const char *name;
	const char *const *mirrors;
	size_t mirror_count;
	const struct oci_login *logins; /* at the registry and the mirrors */
	size_t login_count;
	const char *store; /* read: what is in layers/ and images/ is not pulled again */
	const char *folder; /* receives HEX.erofs for each new layer, and image.json */
	const char *mkfs;
	uint64_t room_bytes; /* for all new layers together */
};

struct oci_pulled {
	char digest[OCI_DIGEST_MAX]; /* the manifest's */
	uint64_t bytes; /* downloaded */
};

/**
 * oci_pull_run() - Pull; blocking
 * Return: 0; -EINVAL for a bad name; -ENOENT, -EACCES, -EBADMSG, -ENOTSUP, -ENOSPC, -errno. What lies in
 *         @folder then is to be thrown away.
 */
int oci_pull_run(const struct oci_pull_spec *spec, struct oci_pulled *pulled, struct err *e);

#endif
