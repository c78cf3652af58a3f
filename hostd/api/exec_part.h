/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exec and the two ways in which a client may speak: WebSocket (exec_ws.c) and SPDY
 * (exec_spdy.c). Private to the exec files.
 */
#ifndef API_EXEC_PART_H
#define API_EXEC_PART_H

#include "api/ask.h"
#include "base/buf.h"
#include "base/loop.h"
#include "http/channel.h"
#include "http/server.h"
#include "http/spdy.h"
#include "http/ws.h"
#include "proto/exec_pipe.h"

#define EXEC_PENDING_MAX \
	((size_t)512 << 10) /* half of what a stream holds: it tells when it is less */
#define EXEC_IN_MAX    ((size_t)256 << 10)
#define EXEC_SMALL_MAX 256 /* a message that must be whole to be understood */
#define EXEC_STREAMS   5 /* CHANNEL_STDIN … CHANNEL_RESIZE */

struct exec_request;

/* How a client speaks. */
struct exec_speech {
	/* Check the request's head and fill q->headers. Return: NULL, or what the client did wrong */
	const char *(*greet)(struct exec_request *q);
	/* Whether output can be said now; until then none is taken from hostd */
	bool (*ready)(const struct exec_request *q);
	/* Say bytes on a channel, at most EXEC_PIPE_DATA_MAX. Return: as http_stream_write() */
	int (*say)(struct exec_request *q, enum channel channel, const void *data, size_t len);
	/* The last words; @error: the client broke the protocol */
	void (*leave)(struct exec_request *q, bool error);
	/*
	 * Take the next piece off what has come: at most one packet for hostd. @used: bytes used up, in
	 * any case. Return: 1; 0 when more must come; -EPROTO
	 */
	int (*take)(struct exec_request *q, uint8_t *data, size_t len, size_t *used);
	void (*done)(struct exec_request *q); /* NULL: nothing to release */
};

extern const struct exec_speech exec_ws, exec_spdy;

struct execs {
	struct loop *loop;
	struct asker *asker;
	unsigned int count;
};

struct exec_request {
	struct execs *execs;
	const struct exec_speech *speech;
	struct http_request *http;
	struct ask ask;
	bool attach, tty, want_in, want_out, want_err;
	char headers[256]; /* of the answer 101 */
	struct watch pipe; /* to hostd; fd -1 */
	bool ended; /* the last was said to the client */
	bool paused; /* the client is not read */
	struct buf in; /* from the client, not looked at yet */
	char small[EXEC_SMALL_MAX];
	size_t small_len;
	uint8_t packet[EXEC_PIPE_PACKET_MAX]; /* for hostd */
	size_t packet_len;
	/* exec_ws.c */
	const char *protocol;
	struct ws_reader ws;
	int channel; /* of the message that is being read */
	/* exec_spdy.c */
	struct spdy *spdy;
	uint32_t streams[EXEC_STREAMS], last_stream; /* 0: not there */
	struct timer patience;
};

/* exec.c */
void exec_put_packet(struct exec_request *q, enum exec_pipe_kind kind, const void *data,
		     size_t len);
void exec_put_resize(struct exec_request *q, const char *text, size_t len); /* if it is one */
void exec_finish(struct exec_request *q, bool error); /* everything ends */
void exec_watch(struct exec_request *q); /* after speech->ready() has changed */

#endif
