/* SPDX-License-Identifier: Apache-2.0 */
/* Connections and requests as the server's files share them. Private to the server. */
#ifndef HTTP_SERVER_CONN_H
#define HTTP_SERVER_CONN_H

#include <netinet/in.h>

#include "base/buf.h"
#include "http/server.h"
#include "server_head.h"
#include "server_tls.h"

struct http_server {
	struct loop *loop;
	struct http_server_ops ops;
	void *arg;
	struct tls_server *tls; /* NULL: plain */
	struct watch listen;
	bool full; /* the listening socket is not watched */
	struct timer resume; /* listens again after descriptors had run out */
	struct list conns; /* the longest idle ones first */
	unsigned int conn_count, conn_max;
	size_t body_cap, stream_cap;
	uint64_t idle_ms;
};

/*
 * HANDSHAKE ─► HEAD ─► BODY ─► BUSY ─► HEAD …      BUSY ─► RAW after an Upgrade
 *                └───────┴────────┴─► LINGER: the answer is the last, what still comes is dropped
 */
enum conn_state {
	CONN_HANDSHAKE, /* TLS */
	CONN_HEAD, /* between requests and inside a head */
	CONN_BODY,
	CONN_BUSY, /* the handler has the request, or its answer is on the way */
	CONN_RAW,
	CONN_LINGER,
};

struct http_request {
	struct http_conn *conn;
	struct http_head head;
	struct buf body;
	struct http_chunks chunks;
	size_t raw_bytes; /* of a chunked body, coding included */
	void (*close_fn)(struct http_request *r, void *arg);
	void *close_arg;
	void (*drain_fn)(struct http_request *r, void *arg);
	void *drain_arg;
	void (*data_fn)(struct http_request *r, const void *data, size_t len, void *arg);
	void *data_arg;
	bool begun, ended; /* the answer */
	bool chunked, raw; /* how a stream is framed */
	bool last; /* close the connection behind the answer */
	bool drain_wanted;
	bool paused; /* a bare connection that is not to be read */
	int file_fd; /* what is left to send of a file; -1 */
	uint64_t file_left;
};

struct http_conn {
	struct http_server *server;
	struct list node;
	struct watch watch;
	struct timer timer; /* the time limit of the state */
	struct timer turn; /* goes on after the other connections had theirs */
	struct defer work; /* goes on once the current callback has returned */
	enum conn_state state;
	uint32_t events; /* watched */
	int fd;
	struct tls_conn *tls;
	struct buf in;
	size_t in_seen; /* of an incomplete head */
	struct buf out;
	size_t out_pos; /* sent already */
	bool blocked; /* the socket took no more */
	uint64_t rest_ms; /* since when it waits for a request */
	bool served; /* it has had one */
	bool eof;
	bool parted; /* we have said that no more will come */
	struct http_peer peer;
	struct http_request *request;
	char address[INET6_ADDRSTRLEN];
};

/** conn_new() - Serve an accepted socket, which is taken over */
void conn_new(struct http_server *server, int fd, const char *address);

/** conn_close() - Drop a connection with its request */
void conn_close(struct http_conn *conn);

/** conn_is_idle() - Whether it can make room for another: it waits for a request's first byte */
bool conn_is_idle(const struct http_conn *conn);

/** server_conn_gone() - There is room for one more connection */
void server_conn_gone(struct http_server *server);

/** reply_refuse() - Queue the server's own answer to a request that no handler sees */
void reply_refuse(struct http_conn *conn, int status);

#endif
