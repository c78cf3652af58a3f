/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of remote/ share. */
#ifndef REMOTE_INTERNAL_H
#define REMOTE_INTERNAL_H

#include "base/buf.h"
#include "base/list.h"
#include "http/client.h"
#include "remote/remote.h"

/* One collection of the server, kept equal in the store. */
struct mirror {
	struct remote *remote;
	const char *resource, *path; /* of the store; of the server */
	const char *kind, *api_version;
	struct http_call *call;
	struct timer retry;
	struct buf line; /* a watch event that has not come whole */
	char rev[64]; /* where the next watch begins; "": list first */
	bool watching;
	unsigned int failures;
};

enum { MIRROR_CSRS, MIRROR_LEASES, MIRROR_NODES, MIRROR_COUNT };

/* One request of the outbox, sent in order, again until it is answered. */
struct task {
	struct list node;
	const char *method;
	char *path;
	char *body; /* NULL: none */
};

struct remote {
	struct loop *loop;
	struct store *store;
	struct http_client *client;
	char *url, *authorization; /* authorization NULL: by certificate */
	struct mirror mirrors[MIRROR_COUNT];

	struct store_sub secrets, events;
	struct list tasks;
	struct http_call *call; /* of the first task */
	struct timer retry;
	unsigned int failures;
};

/* The key under which a mirrored object keeps the server's resourceVersion */
#define REMOTE_REV_KEY "remoteResourceVersion"

void mirror_start(struct remote *r, struct mirror *m);
void mirror_stop(struct mirror *m);

/* Start a call with our authorization. Return: the call or NULL */
struct http_call *remote_call(struct remote *r, const char *method, const char *path,
			      const char *body, int timeout_ms, const struct http_call_ops *ops,
			      void *arg, struct err *e);
/* 1, 2, 4 ... 30 s */
uint64_t remote_backoff_ms(unsigned int failures);

#endif
