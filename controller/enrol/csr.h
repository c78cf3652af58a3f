/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a signing request and what follows from it; private to enrol/. */
#ifndef ENROL_CSR_H
#define ENROL_CSR_H

#include <stdbool.h>

#include "base/err.h"
#include "json/json.h"
#include "x509/x509.h"

#define CSR_REASON_MAX 300

enum csr_signer { CSR_OTHER, CSR_NODE_CLIENT, CSR_NODE_SERVING };

struct csr_facts {
	enum csr_signer signer;
	char username[X509_TEXT_MAX];
	struct x509_subject subject;
	char key_id[X509_KEY_ID_SIZE];
	struct buf pem;
	int64_t lifetime_s;
	bool usages_ok;
	/* of the token that was shown, when username is system:bootstrap:ID */
	char token_id[8];
	char token_node[X509_TEXT_MAX]; /* minted for; "" when there is no such token */
	char token_key[X509_KEY_ID_SIZE]; /* key that it was already spent on, or "" */
	bool host_approved;
	struct x509_names addresses; /* what the host's serving certificate may name */
};

enum csr_verdict { CSR_APPROVE, CSR_DENY, CSR_WAIT };

/** csr_read() - Fill what the object itself tells. Return: 0; -EBADMSG with the reason in @e */
int csr_read(const struct json *object, struct csr_facts *f, struct err *e);
void csr_done(struct csr_facts *f);

/**
 * csr_decide() - Approve, deny or leave it to the operator
 * @reason: CSR_REASON_MAX bytes; why, for the condition's message
 */
enum csr_verdict csr_decide(const struct csr_facts *f, char *reason);

/** csr_check_shape() - What the signer demands of an approved request. Return: 0 or -EBADMSG */
int csr_check_shape(const struct csr_facts *f, struct err *e);

#endif
