// SPDX-License-Identifier: Apache-2.0
#include <mbedtls/sha256.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

struct digest {
	mbedtls_sha256_context sha;
};

struct digest *digest_new(void)
{
	struct digest *d = mem_alloc(sizeof(*d));

	mbedtls_sha256_init(&d->sha);
	mbedtls_sha256_starts(&d->sha, 0);
	return d;
}

struct digest *digest_free(struct digest *d)
{
	if (d)
		mbedtls_sha256_free(&d->sha);
	free(d);
	return NULL;
}

void digest_add(struct digest *d, const void *data, size_t len)
{
	mbedtls_sha256_update(&d->sha, data, len);
}

void digest_end(struct digest *d, char hex[65])
{
	unsigned char sum[32];

	mbedtls_sha256_finish(&d->sha, sum);
	str_hex(hex, sum, sizeof(sum));
}
