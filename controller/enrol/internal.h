/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of enrol/ share. */
#ifndef ENROL_INTERNAL_H
#define ENROL_INTERNAL_H

#include "csr.h"
#include "enrol/enrol.h"
#include "pki.h"

struct enrol {
	struct loop *loop;
	struct store *store;
	struct pki pki;
	struct enrol_config config;
	struct store_sub csrs, leases;
	struct timer tidy;
};

/* token.c: Secrets bootstrap-token-ID in kube-system, as Kubernetes has them. */
#define TOKEN_HOST_KEY "hypermetal.io/host" /* annotation: node that it was minted for */
#define TOKEN_KEY_KEY  "hypermetal.io/key" /* annotation: key that it was spent on */

int token_mint(struct store *s, const char *node, char token[ENROL_TOKEN_SIZE], struct err *e);
/* Fill the token's part of the facts. */
void token_look_up(struct store *s, struct csr_facts *f);
/* The token may serve this key only from now on. */
int token_spend(struct store *s, const char *id, const char *key_id, struct err *e);
/* Delete tokens of a node; @spent_only: those whose certificate is in use now. */
void token_burn(struct store *s, const char *node, bool spent_only);
void token_expire(struct store *s);
bool token_lives(struct store *s, const char *node);

/* host.c: forget machines that asked to boot over a day ago and have no Node. */
void host_tidy(struct store *s);

/* enrol.c: remove what is over; once a minute. */
void enrol_tidy(struct enrol *n);

/* approve.c: one request through its states. */
void approve_step(struct enrol *n, struct store_object *o);

#endif
