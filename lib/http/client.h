/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 client with TLS: libcurl's multi interface on our event loop, or one blocking call.
 *
 * A client object holds what calls to one origin share: CA, client certificate, connections. A call
 * is started with http_call_start() and ends with exactly one on_done(), unless it is cancelled.
 * Redirects are not followed by default. The size of a collected body is capped; a streamed body is
 * handed over as it comes. The environment (http_proxy…) is not read. Certificates are always
 * verified.
 *
 * Calls may be started and cancelled, and the client be freed, from any callback; a call that ends
 * so gets no further callback.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"

struct http_client;
struct http_call;

struct http_client_config {
	const char *user_agent;
	/* PEM texts; copied. NULL ca_pem: the system's bundle, /etc/ssl/certs/ca-certificates.crt. */
	const char *ca_pem;
	const char *cert_pem; /* client certificate and key, or NULL */
	const char *key_pem;
	int connect_timeout_ms; /* 0: 10,000 */
};

struct http_header {
	const char *name, *value;
};

struct http_call_spec {
	const char *method; /* "GET", "POST"… */
	const char *url; /* http:// or https://, host a name or a numeric address */
	const struct http_header *headers; /* ends with { NULL, NULL }; or NULL */
	const void *body; /* copied; NULL for none */
	size_t body_len;
	size_t reply_cap; /* largest collected body, 0: 1 MiB; ignored with on_data */
	int timeout_ms; /* whole call; 0: 30,000; -1: none (watches, downloads) */
	int stall_s; /* give up when less than a byte a second came for so long; 0: never */
	bool secret; /* the collected body is cleared before its memory is given back */
	bool follow_redirects; /* up to 5, never from https to http; Authorization is dropped on another host */
};

struct http_reply {
	int status; /* 0 when no answer came */
	const char *content_type; /* "" if none */
	const char *location; /* "" */
	const char *www_authenticate; /* "" */
	const char *date; /* "" */
	int retry_after_s; /* -1 if none or not a number of seconds */
	struct buf body; /* collected body; empty with on_data */
};

struct http_call_ops {
	/* Status line and headers are complete (final response, not redirects). NULL: not wanted */
	void (*on_head)(struct http_call *call, const struct http_reply *reply, void *arg);
	/* A piece of the body. Return 0, or -errno to abort the call. NULL: collect into reply->body */
	int (*on_data)(struct http_call *call, const void *data, size_t len, void *arg);
	/* The end. @e is NULL when a complete answer came, whatever its status; else the reason
	 * (reply->status may still be set). The call is freed after it returns. */
	void (*on_done)(struct http_call *call, const struct http_reply *reply, const struct err *e,
			void *arg);
};

/** http_client_new() - @loop may be NULL for http_client_do() only. Return: 0 or -errno */
int http_client_new(struct loop *loop, const struct http_client_config *config,
		    struct http_client **client, struct err *e);

/** http_client_free() - Cancels all its calls; NULL is fine. Return: NULL */
struct http_client *http_client_free(struct http_client *client);

/**
 * http_call_start() - Start a call; its callbacks come from the loop, never from inside this function
 * Return: the call, or NULL with the reason in @e (bad method or URL).
 */
struct http_call *http_call_start(struct http_client *client, const struct http_call_spec *spec,
				  const struct http_call_ops *ops, void *arg, struct err *e);

/** http_call_cancel() - End a call without on_done() */
void http_call_cancel(struct http_call *call);

/**
 * http_call_pause() - Stop or go on reading the body
 * Whoever passes a body on pauses while its own reader is slow: the peer then waits by TCP's window.
 * What was received before may still come in one more on_data(). May be called from on_data().
 */
void http_call_pause(struct http_call *call, bool pause);

/**
 * http_client_do() - One blocking call (command line tools, worker processes)
 * @ops:   on_head and on_data may be given; on_done is not used; NULL is fine
 * @reply: filled in, also on failure; release with http_reply_done(), which must be done before the
 *         next call
 * Return: 0 when an answer came, whatever its status; -errno (on_data's, when that ended it).
 */
int http_client_do(struct http_client *client, const struct http_call_spec *spec,
		   const struct http_call_ops *ops, void *arg, struct http_reply *reply,
		   struct err *e);
void http_reply_done(struct http_reply *reply);

#endif
