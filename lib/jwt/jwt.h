/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Web Tokens as JWS compact serialization (RFC 7515, RFC 7519), signed with ES256 (RFC 7518
 * §3.4) by one P-256 key of ours. Tokens come back from strangers: any other algorithm, a `crit` header,
 * a second spelling of the same bytes and all that is too long is refused before the signature is looked at.
 */
#ifndef JWT_JWT_H
#define JWT_JWT_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "json/json.h"

#define JWT_BYTES_MAX ((size_t)16384)

struct jwt_key;

/** jwt_key_new() - Read a P-256 private key. Return: 0; -EBADMSG */
int jwt_key_new(const char *key_pem, struct jwt_key **out, struct err *e);
struct jwt_key *jwt_key_free(struct jwt_key *k);

/** jwt_key_id() - The key's name in headers: its thumbprint (RFC 7638) */
const char *jwt_key_id(const struct jwt_key *k);

/** jwt_key_json() - The public key as a JWK (RFC 7517). Return: a value of @doc */
struct json *jwt_key_json(const struct jwt_key *k, struct json_doc *doc);

/** jwt_sign() - Append the token of some claims. Return: 0; -E2BIG beyond JWT_BYTES_MAX; -EBADMSG */
int jwt_sign(const struct jwt_key *k, const struct json *claims, struct buf *token, struct err *e);

/* A token taken apart, its signature not looked at. */
struct jwt {
	struct json_doc *header, *claims; /* objects */
	size_t signed_len; /* of the text: what the signature is over */
	unsigned char signature[64];
};

/** jwt_parse() - Take a token apart. Return: 0; -EBADMSG with the reason in @e */
int jwt_parse(const char *token, struct jwt *out, struct err *e);
void jwt_done(struct jwt *t);

/**
 * jwt_verify() - The claims of a token that the key signed; what they mean is the caller's to check
 * @claims: set on success; free with json_doc_free()
 * Return: 0; -EBADMSG when it is no token; -EACCES when the signature is another's.
 */
int jwt_verify(const struct jwt_key *k, const char *token, struct json_doc **claims, struct err *e);

#endif
