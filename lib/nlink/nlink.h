/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to rtnetlink (libnl): a socket, and a message whose answer is waited for, which takes well under a
 * millisecond, so that an event loop can afford it.
 */
#ifndef NLINK_NLINK_H
#define NLINK_NLINK_H

#include "base/err.h"

struct nl_msg;
struct nl_sock;

/** nlink_open() - Connect to rtnetlink, until nl_socket_free(). Return: 0 or -errno */
int nlink_open(struct nl_sock **sk, struct err *e);

/**
 * nlink_send() - Send a message and wait until the kernel has done what it says
 * @m:    is freed; NULL: there was no memory for it
 * @what: for @e
 * Return: 0 or -errno.
 */
int nlink_send(struct nl_sock *sk, struct nl_msg *m, const char *what, struct err *e);

/** nlink_failed() - libnl's error code with what was tried, "WHAT NAME", in @e. Return: -errno */
int nlink_failed(struct err *e, int nl_code, const char *what, const char *name);

#endif
