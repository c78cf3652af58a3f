/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, certificate requests and certificates as PEM texts (the only part that knows mbedTLS). */
#ifndef NODE_KEY_H
#define NODE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define KEY_ID_SIZE 41 /* 40 hex digits and NUL */

/** key_generate() - Append a new P-256 private key (PEM, SEC 1). Return: 0 or -errno */
int key_generate(struct buf *pem, struct err *e);

/**
 * key_id() - A name for a key: the first 160 bits of SHA-256 over purpose and public key, in hex
 * @purpose: so that one key used for two purposes has two names
 * Return: 0; -EBADMSG when @key_pem holds no private key.
 */
int key_id(const char *key_pem, const char *purpose, char *id, struct err *e);

struct key_request {
	const char *organization, *common_name;
	const char *const *dns; /* NULL-terminated SANs, or NULL */
	const char *const *ips; /* numeric addresses, NULL-terminated, or NULL */
};

/** key_csr() - Append a PKCS #10 request (PEM) signed by the key. Return: 0 or -errno */
int key_csr(const char *key_pem, const struct key_request *rq, struct buf *pem, struct err *e);

struct key_cert_info {
	uint64_t not_before_s, not_after_s; /* seconds since the epoch */
	char common_name[128];
};

/**
 * key_cert_check() - Read the first certificate of a PEM chain and make sure that it is for this key
 * Return: 0; -EBADMSG when it cannot be read; -EINVAL when it is for another key.
 */
int key_cert_check(const char *cert_pem, const char *key_pem, struct key_cert_info *info,
		   struct err *e);

#endif
