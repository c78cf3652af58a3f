/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, certificates and signing requests (RFC 5280, RFC 2986); private to enrol/. */
#ifndef ENROL_X509_H
#define ENROL_X509_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define X509_NAMES_MAX 16
#define X509_TEXT_MAX  254

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

enum x509_usage { X509_CA, X509_CLIENT, X509_SERVER };

/** x509_names_add() - Return: 0; -E2BIG when full or too long; a name that is there stays single */
int x509_names_add(struct x509_names *n, const char *text);
bool x509_names_has(const struct x509_names *n, const char *text);

/** x509_key_new() - A P-256 key as PEM */
int x509_key_new(struct buf *key_pem, struct err *e);

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
 * @key_id: NULL or receives the SHA-256 of its public key in hex (65 bytes)
 * Return: 0; -EBADMSG with the reason in @e.
 */
int x509_csr_read(const char *pem, size_t len, struct x509_subject *subject, char *key_id,
		  struct err *e);

/** x509_cert_read() - A certificate's subject and end (seconds since the epoch). Return: 0 or -EBADMSG */
int x509_cert_read(const char *pem, struct x509_subject *subject, int64_t *not_after_s,
		   struct err *e);

#endif
