/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a reply; private to the client. */
#ifndef HTTP_CLIENT_REPLY_H
#define HTTP_CLIENT_REPLY_H

#include "http/client.h"

/** http_reply_init() - An empty reply whose body holds at most @cap bytes (0: 1 MiB) */
void http_reply_init(struct http_reply *reply, size_t cap);

/** http_reply_forget_head() - Drop what the head of a redirect or interim answer said */
void http_reply_forget_head(struct http_reply *reply);

/** http_reply_line() - Take in one line of a head. Return: whether it was the blank one at its end */
bool http_reply_line(struct http_reply *reply, const char *data, size_t len);

#endif
