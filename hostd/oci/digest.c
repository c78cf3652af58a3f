// SPDX-License-Identifier: Apache-2.0
#include "oci/digest.h"

#include <mbedtls/sha256.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

struct oci_hash {
	mbedtls_sha256_context sha;
};

struct oci_hash *oci_hash_new(void)
{
	struct oci_hash *hash = mem_alloc(sizeof(*hash));

	mbedtls_sha256_init(&hash->sha);
	mbedtls_sha256_starts(&hash->sha, 0);
	return hash;
}

struct oci_hash *oci_hash_free(struct oci_hash *hash)
{
	if (hash)
		mbedtls_sha256_free(&hash->sha);
	free(hash);
	return NULL;
}

void oci_hash_add(struct oci_hash *hash, const void *data, size_t len)
{
	mbedtls_sha256_update(&hash->sha, data, len);
}

char *oci_hash_end(struct oci_hash *hash, char *digest)
{
	unsigned char sum[32];

	mbedtls_sha256_finish(&hash->sha, sum);
	str_copy(digest, OCI_DIGEST_MAX, "sha256:");
	str_hex(digest + 7, sum, sizeof(sum));
	return digest;
}

char *oci_digest_of(const void *data, size_t len, char *digest)
{
	struct oci_hash *hash = oci_hash_new();

	oci_hash_add(hash, data, len);
	oci_hash_end(hash, digest);
	oci_hash_free(hash);
	return digest;
}
