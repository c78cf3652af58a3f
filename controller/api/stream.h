/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that go on: watches, logs and execs. The glue between calls and the server's streams. */
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
	struct http_client_config
		host_config; /* of connections to hosts; texts are borrowed from us */
	char *host_ca_pem, *host_cert_pem, *host_key_pem;
	struct list watches, logs, execs; /* running ones */
	struct measures *measures;
	struct gc *gc;
	struct account_keeper *accounts;
	struct api_site site;
};

/* Answer @r with a watch. Return: false when c->reply holds an error instead. */
bool watch_start(struct api_call *c, struct http_request *r);
void watch_free_all(struct api *a);

/* Answer @r with a container's log, now or when the host has answered. Return: as above */
bool log_start(struct api_call *c, struct http_request *r);
void log_free_all(struct api *a);
/* The same of what is behind a node's proxy. Return: as above */
bool proxy_start(struct api_call *c, struct http_request *r);

/* Answer @r with metrics, now or when the hosts have told. Return: as above */
struct measures *measures_new(struct api *a);
void measures_free(struct measures *m);
bool measure_start(struct api_call *c, struct http_request *r);

/* Answer @r with an exec or attach: the host's answer, and its bytes from then on. Return: as above */
bool exec_start(struct api_call *c, struct http_request *r);
void exec_free_all(struct api *a);

/* The container that was asked for, or the only one. Return: NULL when it answered. */
const char *host_container(struct api_call *c, const struct json *pod);
/* Append "https://ADDRESS:PORT" of the node. Return: false when it answered. */
bool host_url(struct api_call *c, const char *node, struct buf *url);
/* The same without a call. Return: 0; -ENOENT without an address */
int host_address(struct store *s, const char *node, struct buf *url);
/* The host's words as one line that may be shown */
void host_words(char *out, size_t size, const char *text);
/* Answer @r, whose call has gone, with a Status */
void host_refusal(struct http_request *r, int status, const char *message);

/* Send what a call made of c->reply. */
void reply_send(struct api_call *c, struct http_request *r);

#endif
