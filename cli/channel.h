/* SPDX-License-Identifier: Apache-2.0 */
/* A client's end of v5.channel.k8s.io: which message goes where, and what the last one says. */
#ifndef CLI_CHANNEL_H
#define CLI_CHANNEL_H

#include <stdbool.h>

#include "base/buf.h"
#include "http/channel.h"
#include "http/ws.h"

#define CHANNEL_STATUS_MAX ((size_t)64 << 10)

/* All zero at first. */
struct channel_reader {
	bool known; /* the channel of the message that is being read */
	uint8_t channel;
	struct buf status;
};

/** channel_done() - Release */
void channel_done(struct channel_reader *c);

/**
 * channel_take() - Take a piece of a message
 * @out: gets output, with the descriptor it is meant for
 * Return: whether the status is whole: channel_status() may be asked.
 */
bool channel_take(struct channel_reader *c, const struct ws_piece *p,
		  void (*out)(int fd, const void *data, size_t len, void *arg), void *arg);

struct channel_end {
	int code; /* the command's; -1: it did not end by itself */
	char message[512]; /* then, why */
};

/** channel_status() - How it ended. Return: false when the server has not said */
bool channel_status(const struct channel_reader *c, struct channel_end *end);

#endif
