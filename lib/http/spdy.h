/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SPDY/3.1 as far as a server needs it for Kubernetes' streams (draft-mbelshe-httpbis-spdy-00 and the
 * 3.1 changes; what speaks it is moby/spdystream): streams that the client opens, data both ways.
 *
 * There are no windows: the clients know none. Who does not want more stops reading the connection. Reading takes
 * whatever has come; data is given piece by piece, only control frames, which are short, come whole.
 */
#ifndef HTTP_SPDY_H
#define HTTP_SPDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPDY_CONTROL_MAX 16384 /* bytes of a control frame that is taken */
#define SPDY_BLOCK_MAX	 16384 /* bytes of a block of headers when it is unpacked */
#define SPDY_HEAD	 8
#define SPDY_REPLY_MAX	 40

struct spdy; /* one connection's state */

struct spdy *spdy_new(void);
struct spdy *spdy_free(struct spdy *s);

enum spdy_kind {
	SPDY_OPEN, /* a stream; its headers by spdy_header() until the next read */
	SPDY_DATA,
	SPDY_END, /* the client says no more on the stream */
	SPDY_RESET, /* the client wants nothing more of it */
	SPDY_PING,
	SPDY_GOAWAY,
	SPDY_OTHER, /* nothing that matters */
};

struct spdy_piece {
	enum spdy_kind kind;
	uint32_t stream; /* of a ping its number */
	const uint8_t *data; /* SPDY_DATA: in the caller's bytes */
	size_t len;
};

/**
 * spdy_read() - Take the next piece off received bytes
 * @max:  longest piece of data
 * @used: bytes used up, may be 0
 * Return: 1 and @p is set; 0 when more must come; -EPROTO: the peer breaks the protocol.
 */
int spdy_read(struct spdy *s, const uint8_t *data, size_t len, size_t max, size_t *used,
	      struct spdy_piece *p);

/** spdy_header() - A header (lower-case name) of the stream that was just opened. Return: whether it has it and it fits */
bool spdy_header(const struct spdy *s, const char *name, char *out, size_t size);

/* Frames to the client; all return their length. */
size_t spdy_reply(struct spdy *s, uint8_t out[SPDY_REPLY_MAX],
		  uint32_t stream); /* it is accepted */
size_t spdy_data(uint8_t out[SPDY_HEAD], uint32_t stream, size_t len, bool end); /* head only */
size_t spdy_ping(uint8_t out[SPDY_HEAD + 4], uint32_t number);
size_t spdy_goaway(uint8_t out[SPDY_HEAD + 8], uint32_t last_stream);

#endif
