/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the one who runs an exec (hostd) and the one who serves its client (hostd-api): a connected
 * SEQPACKET socket per exec, packets of one build.
 *
 * The first byte of a packet is its kind. Either side holds the other back by not reading. When the client
 * hangs up, the exec is ended; EXEC_PIPE_END is the last packet to the client.
 */
#ifndef PROTO_EXEC_PIPE_H
#define PROTO_EXEC_PIPE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/guest_msg.h"

#define EXEC_PIPE_DATA_MAX   GUEST_EXEC_DATA_MAX
#define EXEC_PIPE_PACKET_MAX (1 + EXEC_PIPE_DATA_MAX)

enum exec_pipe_kind {
	EXEC_PIPE_STDIN, /* to the exec: data follows */
	EXEC_PIPE_STDOUT, /* to the client: data follows */
	EXEC_PIPE_STDERR,
	EXEC_PIPE_END, /* to the client: struct exec_pipe_end */
	EXEC_PIPE_RESIZE, /* to the exec: struct exec_pipe_resize */
	EXEC_PIPE_STDIN_END, /* to the exec: the end of input */
};

struct exec_pipe_resize {
	uint8_t kind;
	uint16_t cols, rows;
};

struct exec_pipe_end {
	uint8_t kind;
	uint8_t code; /* as in struct guest_exec_end */
	bool lost; /* nobody knows how it ended: message says why */
	char reason[GUEST_REASON_MAX + 1]; /* "" unless it did not start */
	char message[GUEST_MESSAGE_MAX + 1];
};

_Static_assert(sizeof(struct exec_pipe_end) <= EXEC_PIPE_PACKET_MAX, "packets have one limit");

#endif
