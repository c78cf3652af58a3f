// SPDX-License-Identifier: Apache-2.0
/*
 * A request asks hostd for an exec and gets a socket; then the connection becomes a WebSocket, and messages
 * go to and fro: the first byte of each names its channel. A client that says much is not read while hostd
 * does not take it, hostd is not read while the client does not; nothing else is kept here than one
 * packet and what the server's stream holds.
 */
#include "api/exec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/exec_end.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "http/channel.h"
#include "http/ws.h"

#define EXEC_REQUESTS_MAX 256
#define EXEC_PENDING_MAX \
	((size_t)512 << 10) /* half of what a stream holds: it tells when it is less */
#define EXEC_IN_MAX    ((size_t)256 << 10)
#define EXEC_SMALL_MAX 256 /* a message that must be whole to be understood */

struct execs {
	struct loop *loop;
	struct asker *asker;
	unsigned int count;
};

struct exec_request {
	struct execs *execs;
	struct http_request *http;
	struct ask ask;
	bool attach, tty, want_in, want_out, want_err;
	char accept[WS_ACCEPT_MAX];
	const char *protocol;
	struct watch pipe; /* to hostd; fd -1 */
	bool ended; /* the last was said to the client */
	bool paused; /* the client is not read */
	struct buf in; /* from the client, not looked at yet */
	struct ws_reader ws;
	int channel; /* of the message that is being read */
	char small[EXEC_SMALL_MAX];
	size_t small_len;
	uint8_t packet[EXEC_PIPE_PACKET_MAX]; /* for hostd */
	size_t packet_len;
};

struct execs *execs_new(struct loop *loop, struct asker *asker)
{
	struct execs *x = mem_alloc(sizeof(*x));

	x->loop = loop;
	x->asker = asker;
	return x;
}

static void exec_close_pipe(struct exec_request *q)
{
	watch_del(&q->pipe);
	q->pipe.fd = fd_close(q->pipe.fd);
}

static void exec_closed(struct http_request *r, void *arg)
{
	struct exec_request *q = arg;

	(void)r;
	exec_close_pipe(q);
	ask_cancel(&q->ask);
	buf_done(&q->in);
	q->execs->count--;
	free(q);
}

/* ---- to the client ---- */

static int exec_say(struct exec_request *q, enum ws_op op, int channel, const void *data,
		    size_t len)
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

static void exec_finish(struct exec_request *q, unsigned int code)
{
	const uint8_t why[2] = {(uint8_t)(code >> 8), (uint8_t)code};

	if (q->ended)
		return;
	q->ended = true;
	exec_close_pipe(q);
	exec_say(q, WS_CLOSE, CHANNEL_NONE, why, sizeof(why));
	http_stream_end(q->http);
}

static void exec_tell_end(struct exec_request *q, struct exec_pipe_end *end)
{
	struct buf status = BUF_INIT(EXEC_PIPE_DATA_MAX);

	end->reason[sizeof(end->reason) - 1] = '\0';
	end->message[sizeof(end->message) - 1] = '\0';
	/* What could not be started says so where a shell would. */
	if (!end->lost && *end->reason && !q->attach) {
		char line[sizeof(end->message) + 2];
		int n = snprintf(line, sizeof(line), "%s%s", end->message, q->tty ? "\r\n" : "\n");

		exec_say(q, WS_BINARY, q->want_err ? CHANNEL_STDERR : CHANNEL_STDOUT, line,
			 (size_t)n);
	}
	if (exec_end_status(end, q->attach && !*end->reason, &status) == 0)
		exec_say(q, WS_BINARY, CHANNEL_STATUS, status.data, status.len);
	buf_done(&status);
	exec_finish(q, WS_CLOSE_NORMAL);
}

static void exec_lost(struct exec_request *q)
{
	struct exec_pipe_end end = {.lost = true, .message = "the host has ended it"};

	exec_tell_end(q, &end);
}

static void exec_take_packet(struct exec_request *q, uint8_t *packet, size_t len)
{
	struct exec_pipe_end end;

	switch (packet[0]) {
	case EXEC_PIPE_STDOUT:
		if (q->want_out)
			exec_say(q, WS_BINARY, CHANNEL_STDOUT, packet + 1, len - 1);
		break;
	case EXEC_PIPE_STDERR:
		if (q->want_err)
			exec_say(q, WS_BINARY, CHANNEL_STDERR, packet + 1, len - 1);
		break;
	case EXEC_PIPE_END:
		if (len == sizeof(end)) {
			memcpy(&end, packet, sizeof(end));
			exec_tell_end(q, &end);
		} else {
			exec_lost(q);
		}
		break;
	default:
		break;
	}
}

static void exec_watch(struct exec_request *q)
{
	uint32_t events = q->packet_len ? EPOLLOUT : 0;

	if (http_stream_pending(q->http) <= EXEC_PENDING_MAX)
		events |= EPOLLIN;
	if (q->pipe.fd >= 0)
		watch_mod(&q->pipe, events);
}

static void exec_read_pipe(struct exec_request *q)
{
	uint8_t packet[EXEC_PIPE_PACKET_MAX];

	while (q->pipe.fd >= 0 && http_stream_pending(q->http) <= EXEC_PENDING_MAX) {
		ssize_t n = recv(q->pipe.fd, packet, sizeof(packet), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			exec_lost(q);
			break;
		}
		exec_take_packet(q, packet, (size_t)n);
	}
	exec_watch(q);
}

static void exec_drained(struct http_request *r, void *arg)
{
	(void)r;
	exec_read_pipe(arg);
}

/* ---- from the client ---- */

static void exec_pause(struct exec_request *q, bool pause)
{
	if (q->paused != pause)
		http_raw_pause(q->http, pause);
	q->paused = pause;
}

/* Return: whether the way is free */
static bool exec_send_packet(struct exec_request *q)
{
	if (q->packet_len && q->pipe.fd >= 0 &&
	    send(q->pipe.fd, q->packet, q->packet_len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
	    (errno == EAGAIN || errno == EINTR))
		return false;
	/* When hostd has closed it, the end is told where it is read. */
	q->packet_len = 0;
	return true;
}

static void exec_put_packet(struct exec_request *q, enum exec_pipe_kind kind, const void *data,
			    size_t len)
{
	q->packet[0] = (uint8_t)kind;
	memcpy(q->packet + 1, data, len);
	q->packet_len = 1 + len;
}

/* A short message that came whole */
static void exec_take_small(struct exec_request *q)
{
	struct exec_pipe_resize resize;

	if (q->channel == CHANNEL_RESIZE && exec_resize_parse(q->small, q->small_len, &resize)) {
		memcpy(q->packet, &resize, sizeof(resize));
		q->packet_len = sizeof(resize);
	} else if (q->channel == CHANNEL_CLOSE && str_eq(q->protocol, CHANNEL_V5) &&
		   q->small_len == 1 && q->small[0] == CHANNEL_STDIN && q->want_in) {
		exec_put_packet(q, EXEC_PIPE_STDIN_END, "", 0);
	}
}

static void exec_take_data(struct exec_request *q, const struct ws_piece *p)
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
		exec_take_small(q);
}

static void exec_take_piece(struct exec_request *q, const struct ws_piece *p)
{
	switch (p->op) {
	case WS_TEXT:
	case WS_BINARY:
		exec_take_data(q, p);
		break;
	case WS_PING:
		/* A client that asks without reading gets no more answers than fit. */
		if (http_stream_pending(q->http) <= EXEC_PENDING_MAX)
			exec_say(q, WS_PONG, CHANNEL_NONE, p->data, p->len);
		break;
	case WS_CLOSE:
		exec_finish(q, WS_CLOSE_NORMAL);
		break;
	case WS_PONG:
	case WS_CONTINUATION:
		break;
	}
}

static void exec_take_input(struct exec_request *q)
{
	size_t pos = 0;

	while (!q->ended && exec_send_packet(q)) {
		struct ws_piece p;
		long n = ws_read(&q->ws, (uint8_t *)q->in.data + pos, q->in.len - pos,
				 EXEC_PIPE_DATA_MAX, &p);

		if (n < 0)
			exec_finish(q, WS_CLOSE_ERROR);
		if (n <= 0)
			break;
		pos += (size_t)n;
		exec_take_piece(q, &p);
	}
	buf_consume(&q->in, pos);
	if (q->ended)
		return;
	exec_pause(q, q->packet_len > 0);
	exec_watch(q);
}

static void exec_on_data(struct http_request *r, const void *data, size_t len, void *arg)
{
	struct exec_request *q = arg;

	(void)r;
	if (q->ended)
		return;
	if (buf_append(&q->in, data, len) < 0)
		exec_finish(q, WS_CLOSE_ERROR);
	else
		exec_take_input(q);
}

static void exec_pipe_event(struct watch *w, uint32_t events)
{
	struct exec_request *q = container_of(w, struct exec_request, pipe);

	if (events & EPOLLOUT)
		exec_take_input(q);
	if (q->pipe.fd >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		exec_read_pipe(q);
}

/* ---- the beginning ---- */

static void exec_begin(struct exec_request *q, int fd)
{
	char headers[256];

	if (watch_add(q->execs->loop, &q->pipe, fd, EPOLLIN, exec_pipe_event) < 0) {
		fd_close(fd);
		http_reply_text(q->http, 500, "no room for another connection\n");
		return;
	}
	snprintf(headers, sizeof(headers),
		 "Upgrade: websocket\r\nSec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: %s\r\n",
		 q->accept, q->protocol);
	http_stream_on_drain(q->http, exec_drained, q);
	http_raw_begin(q->http, headers, exec_on_data, q);
}

static void exec_answered(struct ask *a, const struct api_wire_answer *answer, int *fds,
			  size_t count)
{
	struct exec_request *q = container_of(a, struct exec_request, ask);

	if (answer->code == 0 && count == 1) {
		exec_begin(q, fds[0]);
		return;
	}
	for (size_t i = 0; i < count; i++)
		fd_close(fds[i]);
	http_reply_text(q->http, ask_status(answer->code), "%s\n", answer->msg);
}

static bool exec_flag(const struct http_request *r, const char *key, const char *other)
{
	const char *v = http_request_query(r, key);

	if (!v)
		v = http_request_query(r, other);
	return v && !str_eq(v, "0") && !str_eq(v, "false");
}

/* The arguments, one behind the other. Return: 0; -E2BIG */
static int exec_args(const struct http_request *r, struct api_wire_ask *m)
{
	const char *arg;

	m->arg_count = m->arg_bytes = 0;
	while ((arg = http_request_query_nth(r, "command", m->arg_count))) {
		size_t size = strlen(arg) + 1;

		if (m->arg_count == API_ARGS_MAX || size > sizeof(m->args) - m->arg_bytes)
			return -E2BIG;
		memcpy(m->args + m->arg_bytes, arg, size);
		m->arg_bytes += (uint32_t)size;
		m->arg_count++;
	}
	return 0;
}

/* Return: NULL, or what the client did wrong */
static const char *exec_handshake(struct exec_request *q, const struct http_request *r)
{
	const char *offered = http_request_header(r, "sec-websocket-protocol");
	const char *version = http_request_header(r, "sec-websocket-version");

	if (!str_eq(http_request_method(r), "GET") ||
	    !ws_has_token(http_request_header(r, "upgrade"), "websocket") ||
	    !ws_has_token(http_request_header(r, "connection"), "upgrade"))
		return "exec and attach are served over WebSocket only, not SPDY: use kubectl 1.30 or later";
	q->protocol = ws_has_token(offered, CHANNEL_V5)	  ? CHANNEL_V5
		      : ws_has_token(offered, CHANNEL_V4) ? CHANNEL_V4
							  : NULL;
	if (!q->protocol)
		return "none of the protocols is known; known are " CHANNEL_V5 " and " CHANNEL_V4;
	if (!version || !str_eq(version, "13") ||
	    !ws_accept(q->accept, http_request_header(r, "sec-websocket-key")))
		return "malformed WebSocket handshake";
	return NULL;
}

static const char *exec_prepare(struct exec_request *q, const char *rest, struct api_wire_ask *m)
{
	const char *wrong = exec_handshake(q, q->http);

	if (wrong)
		return wrong;
	m->kind = q->attach ? API_WIRE_ATTACH : API_WIRE_EXEC;
	memset(&m->query, 0, sizeof(m->query));
	if (ask_path(rest, &m->query) < 0)
		return "expected NAMESPACE/POD/CONTAINER";
	q->tty = exec_flag(q->http, "tty", "tty");
	q->want_in = exec_flag(q->http, "input", "stdin");
	q->want_out = exec_flag(q->http, "output", "stdout");
	q->want_err = exec_flag(q->http, "error", "stderr");
	m->tty = q->tty;
	m->with_stdin = q->want_in;
	if (!q->want_in && !q->want_out && !q->want_err)
		return "you must specify at least 1 of stdin, stdout, stderr";
	if (exec_args(q->http, m) < 0)
		return "too many arguments";
	if (!q->attach && !m->arg_count)
		return "you must specify at least 1 command";
	return NULL;
}

void execs_serve(struct execs *x, struct http_request *r, const char *rest, bool attach)
{
	static struct api_wire_ask m;
	struct exec_request *q;
	const char *wrong;

	if (x->count >= EXEC_REQUESTS_MAX) {
		http_reply_text(r, 503, "too many execs\n");
		return;
	}
	q = mem_alloc(sizeof(*q));
	q->execs = x;
	q->http = r;
	q->attach = attach;
	q->pipe.fd = -1;
	q->channel = CHANNEL_NONE;
	q->ws.from_client = true;
	q->ask.answered = exec_answered;
	buf_init(&q->in, EXEC_IN_MAX);
	x->count++;
	http_request_on_close(r, exec_closed, q);
	wrong = exec_prepare(q, rest, &m);
	if (wrong)
		http_reply_text(r, 400, "%s\n", wrong);
	else if (ask_send(x->asker, &q->ask, &m) < 0)
		http_reply_text(r, 503, "hostd does not answer\n");
}
