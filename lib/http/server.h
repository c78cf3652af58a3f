/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 server with TLS and client certificates on our event loop.
 *
 * A request is collected whole (head and body under fixed caps) before the handler sees it, so a slow
 * or hostile sender costs one connection and never the handler. The handler answers at once or
 * later, in one piece, as a file, or as a chunked stream. A request object lives until its answer has
 * been sent or its connection has gone; on_close tells.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"

#define HTTP_PEER_GROUPS_MAX 8
#define HTTP_PEER_NAME_MAX   128

struct http_server;
struct http_request;

enum http_client_cert {
	HTTP_CLIENT_CERT_NONE, /* not asked for */
	HTTP_CLIENT_CERT_OPTIONAL, /* asked for; one that does not verify fails the handshake */
	HTTP_CLIENT_CERT_REQUIRED,
};

struct http_server_config {
	const char *address; /* numeric IPv4 or IPv6 address to listen on */
	uint16_t port; /* 0: any; see http_server_port() */
	int listen_fd; /* -1, or an already listening socket, taken over */
	/* PEM texts, copied. NULL cert_pem: plain HTTP. */
	const char *cert_pem, *key_pem;
	const char *client_ca_pem;
	enum http_client_cert client_cert;
	size_t body_cap; /* bytes; 0: 1 MiB; larger ones get 413 */
	size_t stream_cap; /* bytes; 0: 1 MiB; with so much unsent http_stream_write() answers -ENOBUFS */
	unsigned int connections_max; /* 0: 1,024 */
	int idle_timeout_s; /* keep-alive and slow senders; 0: 60 */
};

struct http_server_ops {
	/* A request is complete. Called from the loop; must answer now or later. */
	void (*on_request)(struct http_request *r, void *arg);
};

/** http_server_new() - Listen and serve until freed. Return: 0 or -errno */
int http_server_new(struct loop *loop, const struct http_server_config *config,
		    const struct http_server_ops *ops, void *arg, struct http_server **server,
		    struct err *e);
struct http_server *http_server_free(struct http_server *server);
uint16_t http_server_port(const struct http_server *server);

/* The request. All strings live as long as the request. */
const char *http_request_method(const struct http_request *r);

/** http_request_path() - Decoded, without the query; starts with '/', has no NUL and no ".." segment */
const char *http_request_path(const struct http_request *r);

/** http_request_query() - Decoded value of the first such key, "" if it has none; NULL if absent */
const char *http_request_query(const struct http_request *r, const char *key);

/** http_request_query_nth() - The same of the @n-th such key, from 0 */
const char *http_request_query_nth(const struct http_request *r, const char *key, size_t n);

/** http_request_query_raw() - What stands behind '?', not decoded; "" */
const char *http_request_query_raw(const struct http_request *r);

/** http_request_header() - Value of a header (lower-case name), or NULL */
const char *http_request_header(const struct http_request *r, const char *name);

/** http_request_header_nth() - Value of the @n-th such header, from 0, or NULL */
const char *http_request_header_nth(const struct http_request *r, const char *name, size_t n);

/** http_request_body() - The whole body; followed by a NUL that is not counted */
const void *http_request_body(const struct http_request *r, size_t *len);

/** http_request_address() - The peer's numeric address */
const char *http_request_address(const struct http_request *r);

struct http_peer {
	bool verified; /* a client certificate of client_ca_pem was shown */
	char common_name[HTTP_PEER_NAME_MAX];
	char groups[HTTP_PEER_GROUPS_MAX][HTTP_PEER_NAME_MAX]; /* the subject's O entries */
	size_t group_count;
	char serial[64]; /* hex */
};
const struct http_peer *http_request_peer(const struct http_request *r);

/** http_request_on_close() - Tell when the answer was sent or the connection went away; last use of @r */
void http_request_on_close(struct http_request *r, void (*fn)(struct http_request *r, void *arg),
			   void *arg);

/*
 * Answering. None of these calls back or frees @r: the loop does, after the caller has returned. Once
 * the connection has gone they do nothing. HEAD is answered as GET, the server leaves the body out.
 */

/**
 * http_reply() - Answer in one piece
 * @content_type: NULL for an empty answer
 * @headers: more header lines, "Name: value\r\n"…, or NULL
 */
void http_reply(struct http_request *r, int status, const char *content_type, const void *data,
		size_t len, const char *headers);

/** http_reply_text() - A short plain-text answer */
void http_reply_text(struct http_request *r, int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** http_reply_file() - Send a whole file (closed when done). Return: 0 or -errno, then nothing was sent */
int http_reply_file(struct http_request *r, int fd, const char *content_type);

/** http_stream_begin() - Start a chunked answer */
void http_stream_begin(struct http_request *r, int status, const char *content_type);

/**
 * http_stream_write() - Queue bytes, all or none
 * Return: 0; -ENOBUFS while stream_cap or more is queued; -EPIPE when the peer has gone.
 */
int http_stream_write(struct http_request *r, const void *data, size_t len);

/** http_stream_pending() - Bytes queued but not yet handed to the kernel */
size_t http_stream_pending(const struct http_request *r);

/**
 * http_stream_on_drain() - Tell when a stream has room again
 * @fn: called from the loop each time the queue has fallen below half of stream_cap, after a write
 *      made it larger than that or was refused; NULL: no more calls
 */
void http_stream_on_drain(struct http_request *r, void (*fn)(struct http_request *r, void *arg),
			  void *arg);

/** http_stream_end() - Finish the answer after what is queued */
void http_stream_end(struct http_request *r);

/**
 * http_raw_begin() - Answer 101 and hand the connection over (WebSocket, SPDY)
 * @headers: "Upgrade: websocket\r\n"…; "Connection: Upgrade" is added
 * @on_data: called with what the peer sends from now on
 *
 * http_stream_write(), _pending(), _on_drain() and _end() then work on the bare connection. on_close tells
 * when the peer has closed it.
 */
void http_raw_begin(struct http_request *r, const char *headers,
		    void (*on_data)(struct http_request *r, const void *data, size_t len,
				    void *arg),
		    void *arg);

/**
 * http_raw_pause() - Stop or go on reading the bare connection
 * Whoever passes bytes on pauses while its own reader is slow: the peer then waits by TCP's window. Nothing is
 * handed to on_data meanwhile, but the end of the connection is noticed.
 */
void http_raw_pause(struct http_request *r, bool pause);

#endif
