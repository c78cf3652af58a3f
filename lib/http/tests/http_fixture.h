/* SPDX-License-Identifier: Apache-2.0 */
/* A server, a client and a loop between them; requests come from the client or as raw bytes. */
#ifndef HTTP_TESTS_FIXTURE_H
#define HTTP_TESTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "http/client.h"
#include "http/server.h"

struct fixture {
	struct loop loop;
	struct http_server *server;
	struct http_client *client;
	char base[64]; /* http://127.0.0.1:PORT */
	/* What the server's handler saw and did */
	int requests, closed;
	bool refused_room; /* a stream write answered -ENOBUFS */
	struct http_peer peer;
	size_t stream_left;
	struct http_request *pending; /* for /wait: answered by nobody */
	/* What the last call of the client brought */
	bool done;
	struct err error;
	int status;
	struct buf body;
	char content_type[64];
	size_t streamed; /* bytes of on_data */
};

/** fixture_start() - Start the server (config may be changed before) on any port of loopback */
void fixture_start(struct fixture *f, const struct http_server_config *config,
		   const struct http_client_config *client);
void fixture_stop(struct fixture *f);

/** fixture_call() - One call to @path; returns when it has ended */
void fixture_call(struct fixture *f, const char *method, const char *path, const void *body,
		  size_t len);

/** fixture_run_until() - Run the loop until *@flag or for @ms at most. Return: *@flag */
bool fixture_run_until(struct fixture *f, const bool *flag, int ms);

/** fixture_run() - Run the loop for a while */
void fixture_run(struct fixture *f, int ms);

/** fixture_connect() - A raw connection, non-blocking */
int fixture_connect(struct fixture *f);

/** fixture_send() - Send all of @text while the loop runs */
void fixture_send(struct fixture *f, int fd, const char *text, size_t len);

/** fixture_read() - Append what comes until @until is in it, the end of the stream, or @ms are over.
 *  Return: whether the stream has ended */
bool fixture_read(struct fixture *f, int fd, struct buf *b, const char *until, int ms);

#endif
