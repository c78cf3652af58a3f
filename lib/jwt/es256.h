/* SPDX-License-Identifier: Apache-2.0 */
/* ECDSA over P-256 with SHA-256; private to jwt/. */
#ifndef JWT_ES256_H
#define JWT_ES256_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define ES256_BYTES	32 /* of a coordinate, of half a signature and of a hash */
#define ES256_SIGNATURE (2 * ES256_BYTES)

struct es256; /* for one thread: mbedTLS takes the group as writable, also where it only reads it */

/** es256_new() - Read a private key, PEM. Return: 0; -EBADMSG when it is none of P-256 */
int es256_new(const char *key_pem, struct es256 **out, struct err *e);
struct es256 *es256_free(struct es256 *k);

/** es256_point() - The public key's coordinates, big-endian */
void es256_point(const struct es256 *k, unsigned char x[ES256_BYTES], unsigned char y[ES256_BYTES]);

/** es256_sign() - r and s, big-endian. Return: 0; -EBADMSG */
int es256_sign(struct es256 *k, const void *data, size_t len,
	       unsigned char signature[ES256_SIGNATURE], struct err *e);

/** es256_verify() - Whether the key signed the bytes */
bool es256_verify(struct es256 *k, const void *data, size_t len,
		  const unsigned char signature[ES256_SIGNATURE]);

void es256_hash(const void *data, size_t len, unsigned char hash[ES256_BYTES]);

#endif
