/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of what passes by. */
#ifndef OCI_DIGEST_H
#define OCI_DIGEST_H

#include <stddef.h>

#include "oci/oci.h"

struct oci_hash;

struct oci_hash *oci_hash_new(void);
struct oci_hash *oci_hash_free(struct oci_hash *hash); /* NULL is fine. Return: NULL */
void oci_hash_add(struct oci_hash *hash, const void *data, size_t len);

/** oci_hash_end() - Write "sha256:HEX"; @digest has OCI_DIGEST_MAX bytes. Nothing can be added after it */
char *oci_hash_end(struct oci_hash *hash, char *digest);

/** oci_digest_of() - All in one. Return: @digest */
char *oci_digest_of(const void *data, size_t len, char *digest);

#endif
