/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket (RFC 6455): the key of the handshake, and frames in both directions.
 *
 * Reading takes whatever has come and gives messages piece by piece, so that neither a long message nor one
 * in a thousand fragments needs memory. Only control frames, which are short, come whole.
 */
#ifndef HTTP_WS_H
#define HTTP_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WS_ACCEPT_MAX	29 /* with its NUL */
#define WS_KEY_MAX	25
#define WS_HEAD_MAX	14
#define WS_CONTROL_MAX	125
#define WS_CLOSE_NORMAL 1000
#define WS_CLOSE_ERROR	1002 /* the peer breaks the protocol */

enum ws_op {
	WS_CONTINUATION = 0,
	WS_TEXT = 1,
	WS_BINARY = 2,
	WS_CLOSE = 8,
	WS_PING = 9,
	WS_PONG = 10,
};

/* All zero at first, but for @from_client. */
struct ws_reader {
	bool from_client; /* the peer is a client: its frames must be masked, a server's must not */
	/* private */
	bool in_message_, in_frame_, fin_;
	uint8_t op_; /* of the message */
	uint64_t left_; /* of the frame's payload */
	uint8_t mask_[4];
	unsigned int mask_at_;
};

struct ws_piece {
	enum ws_op op; /* WS_TEXT or WS_BINARY for the whole of a message, or of a control frame */
	bool first, last; /* of the message; both for a control frame */
	const uint8_t *data; /* in the caller's bytes, unmasked; valid as long as they are */
	size_t len; /* may be 0 */
};

/**
 * ws_read() - Take the next piece off received bytes
 * @data: unmasked in place
 * @max:  longest piece of a message
 * Return: bytes used up, then @p is set; 0 when more must come; -EPROTO: the peer breaks the protocol.
 */
long ws_read(struct ws_reader *r, uint8_t *data, size_t len, size_t max, struct ws_piece *p);

/**
 * ws_head() - Write a frame's head (FIN is set)
 * @mask: the four bytes that a client masks its payload with, by ws_mask(); NULL for a server
 * Return: its length.
 */
size_t ws_head(uint8_t out[WS_HEAD_MAX], enum ws_op op, uint64_t len, const uint8_t mask[4]);

/** ws_mask() - Mask a whole payload in place, or unmask it */
void ws_mask(uint8_t *data, size_t len, const uint8_t mask[4]);

/** ws_accept() - Sec-WebSocket-Accept for a Sec-WebSocket-Key. Return: @out; NULL for no such key */
const char *ws_accept(char out[WS_ACCEPT_MAX], const char *key);

/** ws_key() - A new Sec-WebSocket-Key. Return: @out */
const char *ws_key(char out[WS_KEY_MAX]);

/** ws_has_token() - Whether a header's comma-separated list has a word, in any case */
bool ws_has_token(const char *list, const char *word);

#endif
