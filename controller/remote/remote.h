/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrolment against another API server (kube-apiserver): what the store holds of signing requests,
 * leases and nodes is a mirror of that server's; tokens and events of the store are sent to it.
 */
#ifndef REMOTE_REMOTE_H
#define REMOTE_REMOTE_H

#include "base/err.h"
#include "base/loop.h"
#include "store/store.h"

struct remote;

struct remote_config {
	const char *url; /* https://host:port */
	/* PEM texts, copied; an administrator's, see docs for the least that is needed */
	const char *ca_pem, *cert_pem, *key_pem;
	const char *token; /* bearer token, or NULL */
};

/* Resources that are mirrored: the store must keep them in memory only. */
#define REMOTE_VOLATILES "certificatesigningrequests", "leases", "nodes", "events"

/** remote_new() - Start to mirror, retried for ever. Return: 0; -errno with the reason in @e */
int remote_new(struct loop *loop, struct store *store, const struct remote_config *config,
	       struct remote **out, struct err *e);
struct remote *remote_free(struct remote *r);

/**
 * remote_decide() - Approve or deny a mirrored signing request at the server
 * @type: "Approved" or "Denied"
 */
void remote_decide(struct remote *r, const struct store_object *csr, const char *type,
		   const char *reason, const char *message);

/** remote_annotate() - Set an annotation of a Node at the server; @value NULL removes it */
void remote_annotate(struct remote *r, const char *node, const char *key, const char *value);

#endif
