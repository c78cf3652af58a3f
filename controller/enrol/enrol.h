/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrolment: the certificate authority, one-time tokens, and who gets a certificate.
 *
 * A host is known by its record: an object of the resource "hosts" in the store (never served),
 * named as its Node will be:
 *
 *	{"metadata":{"name":NODE},
 *	 "spec":{"macs":[],"uuid":"","serial":"","addresses":[],"approved":BOOL}}
 *
 * The boot service makes and updates records; a token is minted for one record and one boot.
 */
#ifndef ENROL_ENROL_H
#define ENROL_ENROL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "store/store.h"

#define ENROL_TOKEN_SIZE 24 /* "abcdef.0123456789abcdef" */
#define ENROL_HOSTS	 "hosts" /* the store's resource of host records */

struct enrol;

struct enrol_config {
	const char *dir; /* of ca.crt, ca.key and sa.key */
	bool manual; /* the first request of a new host waits for the operator */
	/*
	 * Another API server keeps the requests and signs: our verdicts go there. NULL: they are
	 * written to the store, and approved requests are signed here.
	 */
	void (*decide)(void *arg, const struct store_object *csr, const char *type,
		       const char *reason, const char *message);
	void *decide_arg;
};

/** enrol_new() - Load or make the CA and begin to watch signing requests. Return: 0 or -errno */
int enrol_new(struct loop *loop, struct store *store, const struct enrol_config *config,
	      struct enrol **out, struct err *e);
struct enrol *enrol_free(struct enrol *n);

/** enrol_ca_pem() - The CA's certificate */
const char *enrol_ca_pem(const struct enrol *n);

/** enrol_token_key_pem() - The key that signs service accounts' tokens */
const char *enrol_token_key_pem(const struct enrol *n);

/* A key and its certificate, PEM. */
struct enrol_pair {
	struct buf cert, key;
};
void enrol_pair_done(struct enrol_pair *p);

/**
 * enrol_issue_client() / enrol_issue_server() - Make a key and certificate of our own
 * @org:   the O entry
 * @names: DNS names and numeric addresses, NULL-terminated
 */
int enrol_issue_client(const struct enrol *n, const char *common_name, const char *org,
		       struct enrol_pair *out, struct err *e);
int enrol_issue_server(const struct enrol *n, const char *common_name, const char *const *names,
		       struct enrol_pair *out, struct err *e);

/** enrol_write_kubeconfig() - An administrator's kubeconfig with a new certificate, mode 0600 */
int enrol_write_kubeconfig(const struct enrol *n, const char *api_url, const char *path,
			   struct err *e);

/* A machine as it presents itself at boot. Strings may be NULL or empty but for node_name. */
struct enrol_host {
	const char *node_name;
	const char *mac; /* "52:54:00:12:34:56" */
	const char *uuid, *serial;
	const char *address; /* that its settings advertise */
};

/**
 * enrol_mint() - Note a machine in its host record and make a token for this one boot of it
 * @token: single use, ten minutes; tokens of earlier boots of the same host are revoked
 * Return: 0; -EEXIST when the node name belongs to another machine; -errno with the reason in @e.
 */
int enrol_mint(struct enrol *n, const struct enrol_host *host, char token[ENROL_TOKEN_SIZE],
	       struct err *e);

#endif
