/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to a receiver of syslog: by UDP, TCP or TLS over TCP. Everything here waits, for a bounded time: it runs
 * in a process that has nothing else to do.
 */
#ifndef JOURNAL_LINK_H
#define JOURNAL_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define LINK_HOST_MAX 256

enum link_protocol { LINK_UDP, LINK_TCP, LINK_TLS };

struct link_target {
	enum link_protocol protocol;
	char host[LINK_HOST_MAX], port[8];
	const char *ca_pem; /* of TLS: whom to trust; NULL: @fingerprint */
	uint8_t fingerprint[32]; /* SHA-256 of the receiver's certificate (RFC 5425 §4.2.2) */
};

struct link_tls;

struct link {
	enum link_protocol protocol;
	int fd; /* -1: not connected */
	struct link_tls *tls;
	uint64_t sent_bytes; /* by the socket, frames of TLS and all */
};

/** link_open() - Look the name up, connect, shake hands. Return: 0 or -errno */
int link_open(struct link *l, const struct link_target *target, struct err *e);

void link_close(struct link *l);

/** link_send() - Send a message, on a stream with its length before it. Return: 0 or -errno: the link is of no use then */
int link_send(struct link *l, const char *message, size_t len);

/** link_alive() - Whether the other side has not closed it; what it says is thrown away */
bool link_alive(struct link *l);

/** link_acked() - How many of the bytes sent have been taken by the other machine; UDP: all */
uint64_t link_acked(const struct link *l);

/* ---- the socket, and TLS on it ---- */

/** link_wait() - Until it can be read, or written to. Return: 0; -ETIMEDOUT */
int link_wait(const struct link *l, bool to_write);

/** link_write() - Some bytes. Return: how many, or -errno */
int link_write(struct link *l, const void *data, size_t len);

int link_tls_open(struct link *l, const struct link_target *target, struct err *e);
void link_tls_close(struct link *l);
int link_tls_send(struct link *l, const void *data, size_t len);
/* Reads and drops. Return: 0; -ECONNRESET when it has been closed */
int link_tls_drain(struct link *l);

#endif
