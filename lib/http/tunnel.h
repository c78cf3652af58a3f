/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 client for connections that become something else (Upgrade): a request without a body, and
 * behind the answer 101 the bare connection in both directions, with back-pressure.
 *
 * Everything comes by callbacks from the loop. Exactly one of on_refused and on_closed is the last one; the
 * tunnel may be freed in any of them and must be freed by its owner.
 */
#ifndef HTTP_TUNNEL_H
#define HTTP_TUNNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/loop.h"
#include "http/client.h"

#define HTTP_TUNNEL_ROOM ((size_t)256 << 10) /* see http_tunnel_pending() */

struct http_tunnel;

struct http_tunnel_ops {
	/* 101; @head: the answer's header lines, for http_tunnel_header() */
	void (*on_open)(struct http_tunnel *t, const char *head, void *arg);
	void (*on_data)(struct http_tunnel *t, const void *data, size_t len, void *arg);
	/* What waits to be sent has fallen below half of HTTP_TUNNEL_ROOM. NULL: not wanted */
	void (*on_room)(struct http_tunnel *t, void *arg);
	/* Another answer than 101; the end. @body: text, cut at 64 KiB */
	void (*on_refused)(struct http_tunnel *t, int status, const char *body, void *arg);
	/* The end: the peer has closed it (@e NULL, never before on_open), or it failed */
	void (*on_closed)(struct http_tunnel *t, const struct err *e, void *arg);
};

struct http_tunnel_spec {
	const char *method;
	const char *url; /* https://host:port/path?query; http:// in tests */
	const struct http_header
		*headers; /* ends with { NULL, NULL }; Host and Connection are added */
};

/**
 * http_tunnel_new() - Connect and ask
 * @config: read during the call
 * Return: 0 or -errno (bad URL, header with a line break).
 */
int http_tunnel_new(struct loop *loop, const struct http_client_config *config,
		    const struct http_tunnel_spec *spec, const struct http_tunnel_ops *ops,
		    void *arg, struct http_tunnel **tunnel, struct err *e);

/** http_tunnel_free() - Close it; no callback comes any more; NULL is fine. Return: NULL */
struct http_tunnel *http_tunnel_free(struct http_tunnel *t);

/** http_tunnel_write() - Queue bytes. Return: 0; -EPIPE when it is not open; -ENOMEM */
int http_tunnel_write(struct http_tunnel *t, const void *data, size_t len);

/** http_tunnel_pending() - Bytes queued; with more than HTTP_TUNNEL_ROOM a writer waits for on_room */
size_t http_tunnel_pending(const struct http_tunnel *t);

/** http_tunnel_pause() - Stop or go on reading */
void http_tunnel_pause(struct http_tunnel *t, bool pause);

/**
 * http_tunnel_header() - Find a header in @head of on_open
 * Return: its value copied to @out, or NULL when it is not there or too long.
 */
const char *http_tunnel_header(const char *head, const char *name, char *out, size_t size);

#endif
