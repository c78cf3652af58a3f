/* SPDX-License-Identifier: Apache-2.0 */
/* Names of images (the grammar of github.com/distribution/reference, with docker.io's defaults). */
#ifndef OCI_REF_H
#define OCI_REF_H

#include <stdbool.h>

#include "base/err.h"
#include "oci/oci.h"

struct oci_ref {
	char registry[256]; /* host[:port]; "docker.io" when the name has none */
	char repository[256]; /* "library/nginx" */
	char tag[129]; /* "latest" when the name has neither tag nor digest; "" beside a digest alone */
	char digest[OCI_DIGEST_MAX]; /* "" or sha256:HEX; it decides when there is a tag, too */
};

/**
 * oci_ref_parse() - Read a name as a pod's spec has it
 * Strict: upper case in a repository, empty components, other digests than SHA-256 are refused.
 * Return: 0; -EINVAL.
 */
int oci_ref_parse(const char *name, struct oci_ref *ref, struct err *e);

/** oci_ref_name() - The name with nothing left out: REGISTRY/REPOSITORY[:TAG][@DIGEST]. @out: OCI_NAME_MAX bytes */
char *oci_ref_name(const struct oci_ref *ref, char *out);

/** oci_digest_valid() - Whether @s is "sha256:" and 64 lower-case hex digits, and nothing else */
bool oci_digest_valid(const char *s);

/** oci_digest_hex() - The digits of a valid digest */
const char *oci_digest_hex(const char *digest);

#endif
