/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, certificates and signing requests as PEM texts (RFC 5280, RFC 2986, RFC 7468). */
#ifndef X509_X509_H
#define X509_X509_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define X509_NAMES_MAX	 16
#define X509_TEXT_MAX	 254
#define X509_KEY_ID_SIZE 65 /* 64 hex digits and NUL */

struct x509_names {
	size_t count;
	char text[X509_NAMES_MAX][X509_TEXT_MAX];
};

/* Who a certificate is for. */
struct x509_subject {
	char common_name[X509_TEXT_MAX];
	struct x509_names orgs; /* the O entries */
	struct x509_names dns, ips;
	bool other_sans; /* a request asked for a SAN that is neither */
};

struct x509_cert {
	struct x509_subject subject;
	int64_t not_before_s, not_after_s; /* since the epoch */
};

enum x509_usage { X509_CA, X509_CLIENT, X509_SERVER };

/** x509_names_add() - Return: 0; -E2BIG when full or too long; a name that is there stays single */
int x509_names_add(struct x509_names *n, const char *text);
bool x509_names_has(const struct x509_names *n, const char *text);

/**
 * x509_subject_name() - Append "O=a,CN=c", special characters escaped (RFC 4514)
 * Return: 0; -E2BIG when it has a second organization: what we write has one, of several mbedTLS would
 * keep the last.
 */
int x509_subject_name(const struct x509_subject *s, struct buf *b);

/** x509_key_new() - Append a new P-256 private key (SEC 1). Return: 0 or -EBADMSG */
int x509_key_new(struct buf *key_pem, struct err *e);

/**
 * x509_key_id() - A name for a key: SHA-256 over purpose and public key (DER), in hex
 * @purpose: so that one key used for two purposes has two names
 * @id:      X509_KEY_ID_SIZE bytes
 * Return: 0; -EBADMSG when @key_pem holds no private key.
 */
int x509_key_id(const char *key_pem, const char *purpose, char *id, struct err *e);

/** x509_csr_new() - Append a PKCS #10 request for @subject, signed by the key. Return: 0, -E2BIG or -EBADMSG */
int x509_csr_new(const char *key_pem, const struct x509_subject *subject, struct buf *csr_pem,
		 struct err *e);

/**
 * x509_issue() - Make and sign a certificate
 * @ca_pem, @ca_key_pem: the issuer; NULL: self-signed with @key_pem
 * @key_pem:	key of the subject, or NULL with @csr_pem: the request's public key is taken, nothing else
 * @lifetime_s: notBefore lies five minutes back, for clocks that are late
 * Return: 0 or -errno.
 */
int x509_issue(const char *ca_pem, const char *ca_key_pem, const char *key_pem, const char *csr_pem,
	       const struct x509_subject *subject, enum x509_usage usage, int64_t lifetime_s,
	       struct buf *cert_pem, struct err *e);

/**
 * x509_csr_read() - Parse a PEM request of a stranger and verify that it is signed with its own key
 * @key_id: NULL, or receives the x509_key_id() of its key for the purpose ""
 * Return: 0; -EBADMSG with the reason in @e.
 */
int x509_csr_read(const char *pem, size_t len, struct x509_subject *subject, char *key_id,
		  struct err *e);

/**
 * x509_cert_read() - What the first certificate of a chain says
 * @key_pem: NULL, or the private key that it must be for; may be the same text as @pem
 * Return: 0; -EBADMSG when either cannot be read; -EKEYREJECTED when the key is another.
 */
int x509_cert_read(const char *pem, const char *key_pem, struct x509_cert *cert, struct err *e);

#endif
