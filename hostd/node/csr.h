/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One certificate of ours: its key, its request at the API (certificates.k8s.io/v1), its renewal.
 *
 * The request's name is derived from key and signer, and the key is on disk before the request is
 * made: a repeated or interrupted request finds itself again («AlreadyExists») instead of asking, and
 * burning the one-time token, twice.
 */
#ifndef NODE_CSR_H
#define NODE_CSR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/retry.h"
#include "node/kube.h"
#include "x509/x509.h"

#define CSR_SANS_MAX 4

struct csr_config {
	struct loop *loop;
	struct kube *kube;
	const char *label; /* "client" or "serving": file names and log lines */
	const char *
		state_dir; /* LABEL.pem (certificate and key), LABEL.key (key of a pending request) */
	const char *signer;
	const char *usage; /* "client auth" or "server auth" */
	const char *node_name;
	const char *dns[CSR_SANS_MAX], *ips[CSR_SANS_MAX]; /* NULL-terminated */
	/* A certificate was issued, or found on disk at the start. */
	void (*issued)(void *arg, const char *cert_pem, const char *key_pem);
	/* Said after each failure; may be NULL */
	void (*failed)(void *arg, const char *reason, const char *message);
	/* Said each time that there is no verdict yet; may be NULL */
	void (*waiting)(void *arg);
	void *arg;
};

struct csr {
	struct csr_config config;
	char *pending_key; /* of the request under way */
	char name[80]; /* of the request, "" before there is one */
	bool posted;
	struct kube_call *call;
	struct retry retry; /* next POST or poll */
	struct timer renew; /* at 70 % of the certificate's life */
	uint64_t renew_at_s; /* real time */
};

/** csr_init() - Set up, nothing happens yet */
void csr_init(struct csr *c, const struct csr_config *config);

/**
 * csr_load() - Take the certificate on disk if it is good for some time
 * Return: 0 and issued() was called; -ENOENT when there is none; -EBADMSG, -ESTALE when it is useless, as for
 *         another address.
 */
int csr_load(struct csr *c, struct err *e);

/** csr_request() - Ask for a certificate, and for another in time, for ever */
void csr_request(struct csr *c);

/** csr_again() - The names that it is for are others: ask for another now. Before csr_request(): nothing */
void csr_again(struct csr *c);

/** csr_done() - Stop */
void csr_done(struct csr *c);

/** csr_renew_at() - When to renew a certificate: at 70 % of its life. Return: seconds since the epoch */
uint64_t csr_renew_at(const struct x509_cert *cert);

#endif
