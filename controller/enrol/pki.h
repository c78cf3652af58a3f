/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate authority; private to enrol/. */
#ifndef ENROL_PKI_H
#define ENROL_PKI_H

#include "base/buf.h"
#include "base/err.h"
#include "enrol/enrol.h"
#include "x509/x509.h"

struct pki {
	struct buf ca_cert, ca_key;
	struct buf token_key; /* of service accounts' tokens: nothing else may be signed with it */
};

/** pki_open() - Load DIR/ca.crt, ca.key and sa.key, or make them (keys mode 0600) */
int pki_open(struct pki *p, const char *dir, struct err *e);
void pki_done(struct pki *p);

/** pki_issue() - A new key and its certificate */
int pki_issue(const struct pki *p, const struct x509_subject *subject, enum x509_usage usage,
	      int64_t lifetime_s, struct enrol_pair *out, struct err *e);

/** pki_sign() - A certificate for the key of a request */
int pki_sign(const struct pki *p, const char *csr_pem, const struct x509_subject *subject,
	     enum x509_usage usage, int64_t lifetime_s, struct buf *cert_pem, struct err *e);

#endif
