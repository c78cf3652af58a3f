// SPDX-License-Identifier: Apache-2.0
/* Exec over a WebSocket: the first byte of each message names its channel. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/exec_part.h"
#include "base/mem.h"
#include "base/str.h"

static int ws_say(struct exec_request *q, enum ws_op op, int channel, const void *data, size_t len)
{
	uint8_t frame[WS_HEAD_MAX + EXEC_PIPE_PACKET_MAX];
	size_t n = ws_head(frame, op, len + (channel >= 0), NULL);

	if (len > EXEC_PIPE_DATA_MAX)
		return -EMSGSIZE;
	if (channel >= 0)
		frame[n++] = (uint8_t)channel;
	memcpy(frame + n, data, len);
	return http_stream_write(q->http, frame, n + len);
}

static int exec_ws_say(struct exec_request *q, enum channel channel, const void *data, size_t len)
{
	return ws_say(q, WS_BINARY, (int)channel, data, len);
}

static void exec_ws_leave(struct exec_request *q, bool error)
{
	unsigned int code = error ? WS_CLOSE_ERROR : WS_CLOSE_NORMAL;
	const uint8_t why[2] = {(uint8_t)(code >> 8), (uint8_t)code};

	ws_say(q, WS_CLOSE, CHANNEL_NONE, why, sizeof(why));
}

static bool exec_ws_ready(const struct exec_request *q)
{
	(void)q;
	return true;
}

/* A short message that came whole */
static void take_small(struct exec_request *q)
{
	if (q->channel == CHANNEL_RESIZE)
		exec_put_resize(q, q->small, q->small_len);
	else if (q->channel == CHANNEL_CLOSE && str_eq(q->protocol, CHANNEL_V5) &&
		 q->small_len == 1 && q->small[0] == CHANNEL_STDIN && q->want_in)
		exec_put_packet(q, EXEC_PIPE_STDIN_END, "", 0);
}

static void take_data(struct exec_request *q, const struct ws_piece *p)
{
	const uint8_t *data = p->data;
	size_t len = p->len;

	if (p->first) {
		q->channel = CHANNEL_NONE;
		q->small_len = 0;
	}
	if (q->channel == CHANNEL_NONE && len) {
		q->channel = *data++;
		len--;
	}
	if (q->channel == CHANNEL_STDIN) {
		if (len && q->want_in)
			exec_put_packet(q, EXEC_PIPE_STDIN, data, len);
		return;
	}
	/* One that is too long is none that we know. */
	if (len > sizeof(q->small) - q->small_len)
		q->channel = CHANNEL_STATUS;
	else
		memcpy(q->small + q->small_len, data, len);
	q->small_len += MIN(len, sizeof(q->small) - q->small_len);
	if (p->last)
		take_small(q);
}

static int exec_ws_take(struct exec_request *q, uint8_t *data, size_t len, size_t *used)
{
	struct ws_piece p;
	long n = ws_read(&q->ws, data, len, EXEC_PIPE_DATA_MAX, &p);

	*used = n > 0 ? (size_t)n : 0;
	if (n <= 0)
		return (int)n;
	switch (p.op) {
	case WS_TEXT:
	case WS_BINARY:
		take_data(q, &p);
		break;
	case WS_PING:
		/* A client that asks without reading gets no more answers than fit. */
		if (http_stream_pending(q->http) <= EXEC_PENDING_MAX)
			ws_say(q, WS_PONG, CHANNEL_NONE, p.data, p.len);
		break;
	case WS_CLOSE:
		exec_finish(q, false);
		break;
	case WS_PONG:
	case WS_CONTINUATION:
		break;
	}
	return 1;
}

static const char *exec_ws_greet(struct exec_request *q)
{
	const struct http_request *r = q->http;
	const char *offered = http_request_header(r, "sec-websocket-protocol");
	const char *version = http_request_header(r, "sec-websocket-version");
	char accept[WS_ACCEPT_MAX];

	if (!str_eq(http_request_method(r), "GET"))
		return "a WebSocket begins with a GET";
	q->protocol = ws_has_token(offered, CHANNEL_V5)	  ? CHANNEL_V5
		      : ws_has_token(offered, CHANNEL_V4) ? CHANNEL_V4
							  : NULL;
	if (!q->protocol)
		return "none of the protocols is known; known are " CHANNEL_V5 " and " CHANNEL_V4;
	if (!version || !str_eq(version, "13") ||
	    !ws_accept(accept, http_request_header(r, "sec-websocket-key")))
		return "malformed WebSocket handshake";
	snprintf(q->headers, sizeof(q->headers),
		 "Upgrade: websocket\r\nSec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: %s\r\n",
		 accept, q->protocol);
	q->channel = CHANNEL_NONE;
	q->ws.from_client = true;
	return NULL;
}

const struct exec_speech exec_ws = {
	.greet = exec_ws_greet,
	.ready = exec_ws_ready,
	.say = exec_ws_say,
	.leave = exec_ws_leave,
	.take = exec_ws_take,
};
