/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to the API: JSON in, JSON out, identity and its change.
 *
 * A call ends with exactly one done(), unless it is cancelled. When the identity changes, calls that
 * are under way finish with the old one; its connections are closed after the last of them.
 */
#ifndef NODE_KUBE_H
#define NODE_KUBE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/loop.h"
#include "json/json.h"

struct kube;
struct kube_call;

#define KUBE_PATH_MAX 1024
#define KUBE_BODY_MAX ((size_t)32 << 20) /* a list of all pods of a full host */

struct kube_result {
	int status; /* HTTP status; 0: no answer */
	const struct json *body; /* parsed answer, or NULL */
	const char *reason; /* of a failure: Status.reason, or "" */
	const char *message; /* of a failure: the server's words or the transport's */
	int retry_after_ms; /* -1: not asked for */
};

struct kube_request {
	const char *method;
	const char *path; /* with query, encoded */
	const char *content_type; /* of the body; NULL: application/json */
	const struct json *body; /* or NULL; encoded at once */
	int timeout_ms; /* 0: the client's default; -1: none */
	size_t reply_cap; /* bytes of the answer; 0: KUBE_BODY_MAX */
	/* A piece of a stream's body; an answer that is not 200 is collected as usual. Return 0 or -errno */
	int (*on_data)(void *arg, const void *data, size_t len);
	void (*done)(void *arg, const struct kube_result *result);
	void *arg;
};

/* Calls that ended, but for streams, which end with their server's patience */
struct kube_counts {
	uint64_t calls, failures; /* of those, without an answer or with 429 or 5xx */
	uint64_t total_ms; /* that they took together */
};

/** kube_counts() - Since the client was made */
struct kube_counts kube_counts(const struct kube *k);

/** kube_new() - @api: https://host:port; both texts are copied. Return: the client */
struct kube *kube_new(struct loop *loop, const char *api, const char *ca_pem);

/** kube_free() - Cancels all calls. Return: NULL */
struct kube *kube_free(struct kube *k);

/** kube_on_date() - Whom to tell the Date headers of verified answers */
void kube_on_date(struct kube *k, void (*fn)(const char *date, void *arg), void *arg);

/** kube_set_token() - Authenticate by a bearer token from now on. Return: 0 or -errno */
int kube_set_token(struct kube *k, const char *token, struct err *e);

/** kube_set_identity() - Authenticate by a client certificate from now on. Return: 0 or -errno */
int kube_set_identity(struct kube *k, const char *cert_pem, const char *key_pem, struct err *e);

/** kube_call() - Start a call; done() is never called from inside. Return: the call, never NULL */
struct kube_call *kube_call(struct kube *k, const struct kube_request *rq);

/**
 * kube_patch() - kube_call() with a strategic merge patch
 * @path: printf format of the object's path, below KUBE_PATH_MAX bytes
 */
struct kube_call *kube_patch(struct kube *k, const struct json *body,
			     void (*done)(void *arg, const struct kube_result *result), void *arg,
			     const char *path, ...) __attribute__((format(printf, 5, 6)));

/** kube_cancel() - End a call without done(); NULL is fine; not from its own on_data. Return: NULL */
struct kube_call *kube_cancel(struct kube_call *c);

/** kube_transient() - Whether a failed call is worth repeating as it is */
bool kube_transient(const struct kube_result *r);

#endif
