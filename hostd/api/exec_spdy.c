// SPDX-License-Identifier: Apache-2.0
/*
 * Exec over SPDY, as kubectl up to 1.29 and API servers from 1.30 to 1.35 speak it: the client opens one
 * stream for each channel and says which by the header streamType. Output waits until all that were asked for are
 * there, as the client would miss it; a client that takes too long has lost.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/exec_part.h"
#include "base/mem.h"
#include "base/str.h"

#define STREAMS_MS	30000 /* kubelet's DefaultStreamCreationTimeout */
#define STREAM_GONE	UINT32_MAX /* it was there, nobody listens any more */
#define PROTOCOL_HEADER "x-stream-protocol-version"

static const char *const names[EXEC_STREAMS] = {
	[CHANNEL_STDIN] = "stdin",  [CHANNEL_STDOUT] = "stdout", [CHANNEL_STDERR] = "stderr",
	[CHANNEL_STATUS] = "error", [CHANNEL_RESIZE] = "resize",
};

static bool exec_spdy_ready(const struct exec_request *q)
{
	const uint32_t *s = q->streams;

	return s[CHANNEL_STATUS] && (!q->want_in || s[CHANNEL_STDIN]) &&
	       (!q->want_out || s[CHANNEL_STDOUT]) && (!q->want_err || s[CHANNEL_STDERR]);
}

static int exec_spdy_say(struct exec_request *q, enum channel channel, const void *data, size_t len)
{
	uint8_t frame[SPDY_HEAD + EXEC_PIPE_DATA_MAX];
	uint32_t stream = (unsigned int)channel < EXEC_STREAMS ? q->streams[channel] : 0;
	size_t n;

	if (len > EXEC_PIPE_DATA_MAX)
		return -EMSGSIZE;
	if (!stream || stream == STREAM_GONE || !len)
		return 0; /* nobody listens */
	n = spdy_data(frame, stream, len, false);
	memcpy(frame + n, data, len);
	return http_stream_write(q->http, frame, n + len);
}

static void exec_spdy_leave(struct exec_request *q, bool error)
{
	static const enum channel ours[] = {CHANNEL_STDOUT, CHANNEL_STDERR, CHANNEL_STATUS};
	uint8_t frame[SPDY_HEAD + 8];

	(void)error;
	timer_cancel(&q->patience);
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		uint32_t stream = q->streams[ours[i]];

		if (stream && stream != STREAM_GONE)
			http_stream_write(q->http, frame, spdy_data(frame, stream, 0, true));
	}
	http_stream_write(q->http, frame, spdy_goaway(frame, q->last_stream));
}

static void on_patience(struct timer *t)
{
	exec_finish(container_of(t, struct exec_request, patience), true);
}

static void open_stream(struct exec_request *q, uint32_t stream)
{
	bool was_ready = exec_spdy_ready(q);
	uint8_t frame[SPDY_REPLY_MAX];
	char type[16] = "";

	q->last_stream = stream;
	spdy_header(q->spdy, "streamtype", type, sizeof(type));
	for (size_t i = 0; i < EXEC_STREAMS; i++) {
		if (str_eq(type, names[i]) && !q->streams[i])
			q->streams[i] = stream;
	}
	/* One that we have no use for may be there all the same. */
	if (http_stream_pending(q->http) <= EXEC_PENDING_MAX)
		http_stream_write(q->http, frame, spdy_reply(q->spdy, frame, stream));
	if (!was_ready && exec_spdy_ready(q)) {
		timer_cancel(&q->patience);
		exec_watch(q);
	}
}

/* Sizes come as lines of JSON, as many as there are in a frame, or a part of one. */
static void take_resize(struct exec_request *q, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n') {
			exec_put_resize(q, q->small, q->small_len);
			q->small_len = 0;
		} else if (q->small_len < sizeof(q->small)) {
			q->small[q->small_len++] = (char)data[i];
		}
	}
}

static void end_stream(struct exec_request *q, uint32_t stream)
{
	if (stream && stream == q->streams[CHANNEL_STDIN] && q->want_in)
		exec_put_packet(q, EXEC_PIPE_STDIN_END, "", 0);
}

static void reset_stream(struct exec_request *q, uint32_t stream)
{
	bool output = stream == q->streams[CHANNEL_STDOUT] ||
		      stream == q->streams[CHANNEL_STDERR] || stream == q->streams[CHANNEL_STATUS];

	end_stream(q, stream);
	if (!exec_spdy_ready(q) || !output)
		return;
	for (size_t i = CHANNEL_STDOUT; i <= CHANNEL_STATUS; i++) {
		if (q->streams[i] == stream)
			q->streams[i] = STREAM_GONE;
	}
}

static int exec_spdy_take(struct exec_request *q, uint8_t *data, size_t len, size_t *used)
{
	uint8_t frame[SPDY_HEAD + 4];
	struct spdy_piece p;
	int r = spdy_read(q->spdy, data, len, EXEC_PIPE_DATA_MAX, used, &p);

	if (r <= 0)
		return r;
	switch (p.kind) {
	case SPDY_OPEN:
		open_stream(q, p.stream);
		break;
	case SPDY_DATA:
		if (p.stream && p.stream == q->streams[CHANNEL_STDIN] && q->want_in)
			exec_put_packet(q, EXEC_PIPE_STDIN, p.data, p.len);
		else if (p.stream && p.stream == q->streams[CHANNEL_RESIZE])
			take_resize(q, p.data, p.len);
		break;
	case SPDY_END:
		end_stream(q, p.stream);
		break;
	case SPDY_RESET:
		reset_stream(q, p.stream);
		break;
	case SPDY_PING:
		if (p.stream & 1 && http_stream_pending(q->http) <= EXEC_PENDING_MAX)
			http_stream_write(q->http, frame, spdy_ping(frame, p.stream));
		break;
	case SPDY_GOAWAY:
		exec_finish(q, false);
		break;
	case SPDY_OTHER:
		break;
	}
	return 1;
}

static const char *exec_spdy_greet(struct exec_request *q)
{
	const char *offered;

	for (size_t i = 0; (offered = http_request_header_nth(q->http, PROTOCOL_HEADER, i)); i++) {
		if (ws_has_token(offered, CHANNEL_V4))
			q->protocol = CHANNEL_V4;
	}
	if (!q->protocol)
		return "none of the protocols is known; known is " CHANNEL_V4;
	snprintf(q->headers, sizeof(q->headers),
		 "Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: %s\r\n", q->protocol);
	q->spdy = spdy_new();
	timer_init(q->execs->loop, &q->patience, on_patience);
	timer_set(&q->patience, STREAMS_MS);
	return NULL;
}

static void exec_spdy_done(struct exec_request *q)
{
	timer_cancel(&q->patience);
	q->spdy = spdy_free(q->spdy);
}

const struct exec_speech exec_spdy = {
	.greet = exec_spdy_greet,
	.ready = exec_spdy_ready,
	.say = exec_spdy_say,
	.leave = exec_spdy_leave,
	.take = exec_spdy_take,
	.done = exec_spdy_done,
};
