/* SPDX-License-Identifier: Apache-2.0 */
/* One transfer; private to the client. */
#ifndef HTTP_CLIENT_CALL_H
#define HTTP_CLIENT_CALL_H

#include "base/list.h"
#include "http/client.h"

#define HTTP_LABEL_MAX 160
#define HTTP_ERROR_MAX 256

/* What all calls of a client share; its own copies */
struct http_origin {
	char *user_agent;
	char *ca_pem, *cert_pem, *key_pem; /* or NULL */
	long connect_timeout_ms;
};

struct http_call {
	struct list node; /* the client's */
	struct http_client *client;
	const struct http_origin *origin;
	void *easy; /* libcurl's handle of the transfer */
	void *headers; /* libcurl's list of what is sent */
	char *body;
	struct http_call_ops ops;
	void *arg;
	struct http_reply reply;
	bool follow, head_done;
	bool added; /* libcurl has it */
	bool cancelled; /* no callback any more */
	bool finished; /* result is valid */
	int abort_code;
	int result; /* libcurl's */
	char label[HTTP_LABEL_MAX]; /* method and URL without its query */
	char error[HTTP_ERROR_MAX]; /* libcurl's words */
};

/**
 * http_call_prepare() - Set up a transfer
 * @call: zeroed but for client, origin and easy; done with http_call_done() also after a failure
 * Return: 0; -EINVAL for a bad method, URL or header.
 */
int http_call_prepare(struct http_call *call, const struct http_call_spec *spec,
		      const struct http_call_ops *ops, void *arg, struct err *e);

/** http_call_set_tls() - Set versions, CA and client certificate of libcurl's handle @easy */
void http_call_set_tls(void *easy, const struct http_origin *o);

/** http_call_outcome() - Return: 0 when a complete answer came, else -errno with the reason */
int http_call_outcome(const struct http_call *call, struct err *e);

/** http_call_done() - Release what prepare made, but not the reply and not the handle */
void http_call_done(struct http_call *call);

#endif
