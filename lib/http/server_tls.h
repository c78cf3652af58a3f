/* SPDX-License-Identifier: Apache-2.0 */
/* TLS of accepted connections. Private to the server. */
#ifndef HTTP_SERVER_TLS_H
#define HTTP_SERVER_TLS_H

#include <stdbool.h>
#include <sys/types.h>

#include "http/server.h"

struct tls_server;
struct tls_conn;

/** tls_server_new() - Load certificate, key and client CA of @config. Return: 0 or -errno */
int tls_server_new(const struct http_server_config *config, struct tls_server **server,
		   struct err *e);
void tls_server_free(struct tls_server *server); /* NULL is fine */

/** tls_conn_new() - A connection on a non-blocking socket, which stays the caller's. NULL: no memory */
struct tls_conn *tls_conn_new(struct tls_server *server, int fd);
void tls_conn_free(struct tls_conn *conn); /* NULL is fine */

/*
 * Like the system calls: bytes, 0 at the end of the stream, -EAGAIN when the socket is not ready (for
 * writing if tls_conn_wants_write(), else for reading), or -errno. A write that answered -EAGAIN must be
 * repeated with the same bytes.
 */
int tls_conn_handshake(struct tls_conn *conn); /* 0 when done */
ssize_t tls_conn_read(struct tls_conn *conn, void *data, size_t size);
ssize_t tls_conn_write(struct tls_conn *conn, const void *data, size_t len);
bool tls_conn_wants_write(const struct tls_conn *conn);

/** tls_conn_goodbye() - Tell the peer that no more will come; best effort */
void tls_conn_goodbye(struct tls_conn *conn);

/** tls_conn_peer() - Who the client is, after the handshake. Return: 0; -EACCES for a subject we do not take */
int tls_conn_peer(struct tls_conn *conn, struct http_peer *peer);

#endif
