/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that go on: watches and logs. The glue between calls and the server's streams. */
#ifndef API_STREAM_H
#define API_STREAM_H

#include "http/client.h"
#include "http/server.h"
#include "internal.h"

/* A watcher that lags by more is cut and lists again; a log waits. */
#define API_STREAM_CAP ((size_t)16 << 20)

struct api {
	struct loop *loop;
	struct store *store;
	struct http_server *server;
	struct http_client *hosts; /* calls to hosts' 10250 */
	struct list watches, logs; /* running ones */
	struct gc *gc;
};

/* Answer @r with a watch. Return: false when c->reply holds an error instead. */
bool watch_start(struct api_call *c, struct http_request *r);
void watch_free_all(struct api *a);

/* Answer @r with a container's log, now or when the host has answered. Return: as above */
bool log_start(struct api_call *c, struct http_request *r);
void log_free_all(struct api *a);

/* Send what a call made of c->reply. */
void reply_send(struct api_call *c, struct http_request *r);

#endif
