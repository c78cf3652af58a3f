/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl's multi interface on our loop; private to the client and the tunnel. */
#ifndef HTTP_CLIENT_MULTI_H
#define HTTP_CLIENT_MULTI_H

#include "base/list.h"
#include "base/loop.h"

struct http_multi {
	struct loop *loop;
	void *handle; /* libcurl's; NULL before http_multi_init() */
	struct timer timer;
	struct list socks;
	void (*act)(struct http_multi *m, int fd, int events);
};

/**
 * http_multi_init() - A multi handle whose sockets and timer are the loop's
 * @act: libcurl has something to do: the owner calls curl_multi_socket_action() with @fd and @events, which may
 *       call back into it, and takes the finished transfers
 * Return: 0; -ENOMEM.
 */
int http_multi_init(struct http_multi *m, struct loop *loop,
		    void (*act)(struct http_multi *m, int fd, int events));

/** http_multi_done() - Release it, also one that is all zero; its transfers were removed before */
void http_multi_done(struct http_multi *m);

/** http_curl_init() - Start libcurl, once for the program. Return: 0; -ENOMEM */
int http_curl_init(void);

#endif
