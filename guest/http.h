/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of HTTP/1.1 as a probe needs: a GET, and of its answer the status, the redirect, and where it ends.
 * Nothing here touches a socket.
 */
#ifndef GUEST_HTTP_H
#define GUEST_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/guest_msg.h"

#define HTTP_HEAD_MAX	  4096 /* of an answer; what lies behind is not looked at */
#define HTTP_BODY_MAX	  10240 /* is read and thrown away, as a kubelet reads it */
#define HTTP_LOCATION_MAX 1024
#define HTTP_HOST_MAX	  32 /* "255.255.255.255:65535" */

/**
 * http_request() - Write the request
 * @host: "10.1.2.3:80"; a Host among @headers takes its place
 * @path: "" = "/"
 * @out:  @size bytes
 * Return: bytes; -E2BIG.
 */
long http_request(const char *host, const char *path, const struct guest_strings *headers,
		  char *out, size_t size);

/* An answer while it comes in. */
struct http_reply {
	bool complete; /* its end is known and was reached */
	bool head_over;
	int status; /* 100..599 once head_over */
	char location[HTTP_LOCATION_MAX]; /* "" none */
	int64_t length; /* of the body; -1: until the connection ends, or chunked */
	bool chunked;
	size_t body; /* bytes so far */
	char tail[5]; /* the last of the body */
	size_t head_len;
	char head[HTTP_HEAD_MAX + 1];
};

/**
 * http_reply_add() - Take more of the answer
 * @r: zeroed at first
 * Return: 0; -EPROTO when it is none.
 */
int http_reply_add(struct http_reply *r, const char *data, size_t len);

/**
 * http_redirect() - Where a Location leads
 * @host: of the request, as in http_request()
 * @path: of the request; replaced by the new one. GUEST_PATH_LEN_MAX + 1 bytes
 * @port: of the request; replaced
 * Return: whether it stays on this host, by plain HTTP; else nothing is changed.
 */
bool http_redirect(const char *location, const char *host, char *path, uint16_t *port);

#endif
