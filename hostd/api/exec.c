// SPDX-License-Identifier: Apache-2.0
/*
 * A request asks hostd for an exec and gets a socket; then the connection becomes a WebSocket or one of
 * SPDY, and bytes go to and fro by channels. A client that says much is not read while hostd does not take it, hostd is
 * not read while the client does not; nothing else is kept here than one packet and what the server's stream holds.
 */
#include "api/exec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/exec_end.h"
#include "api/exec_part.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define EXEC_REQUESTS_MAX 256

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
	if (q->speech && q->speech->done)
		q->speech->done(q);
	buf_done(&q->in);
	q->execs->count--;
	free(q);
}

/* ---- to the client ---- */

void exec_finish(struct exec_request *q, bool error)
{
	if (q->ended)
		return;
	q->ended = true;
	exec_close_pipe(q);
	q->speech->leave(q, error);
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

		q->speech->say(q, q->want_err ? CHANNEL_STDERR : CHANNEL_STDOUT, line, (size_t)n);
	}
	if (exec_end_status(end, q->attach && !*end->reason, &status) == 0)
		q->speech->say(q, CHANNEL_STATUS, status.data, status.len);
	buf_done(&status);
	exec_finish(q, false);
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
			q->speech->say(q, CHANNEL_STDOUT, packet + 1, len - 1);
		break;
	case EXEC_PIPE_STDERR:
		if (q->want_err)
			q->speech->say(q, CHANNEL_STDERR, packet + 1, len - 1);
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

static bool exec_may_say(const struct exec_request *q)
{
	return q->speech->ready(q) && http_stream_pending(q->http) <= EXEC_PENDING_MAX;
}

void exec_watch(struct exec_request *q)
{
	uint32_t events = q->packet_len ? EPOLLOUT : 0;

	if (exec_may_say(q))
		events |= EPOLLIN;
	if (q->pipe.fd >= 0)
		watch_mod(&q->pipe, events);
}

static void exec_read_pipe(struct exec_request *q)
{
	uint8_t packet[EXEC_PIPE_PACKET_MAX];

	while (q->pipe.fd >= 0 && exec_may_say(q)) {
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

void exec_put_packet(struct exec_request *q, enum exec_pipe_kind kind, const void *data, size_t len)
{
	q->packet[0] = (uint8_t)kind;
	memcpy(q->packet + 1, data, len);
	q->packet_len = 1 + len;
}

void exec_put_resize(struct exec_request *q, const char *text, size_t len)
{
	struct exec_pipe_resize resize;

	if (!exec_resize_parse(text, len, &resize))
		return;
	memcpy(q->packet, &resize, sizeof(resize));
	q->packet_len = sizeof(resize);
}

static void exec_take_input(struct exec_request *q)
{
	size_t pos = 0;

	while (!q->ended && exec_send_packet(q)) {
		size_t used = 0;
		int r = q->speech->take(q, (uint8_t *)q->in.data + pos, q->in.len - pos, &used);

		pos += used;
		if (r < 0)
			exec_finish(q, true);
		if (r <= 0)
			break;
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
		exec_finish(q, true);
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
	if (watch_add(q->execs->loop, &q->pipe, fd, EPOLLIN, exec_pipe_event) < 0) {
		fd_close(fd);
		http_reply_text(q->http, 500, "no room for another connection\n");
		return;
	}
	http_stream_on_drain(q->http, exec_drained, q);
	http_raw_begin(q->http, q->headers, exec_on_data, q);
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
	return str_query_flag(v);
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
	const char *upgrade = http_request_header(r, "upgrade");

	if (ws_has_token(http_request_header(r, "connection"), "upgrade"))
		q->speech = ws_has_token(upgrade, "websocket")	? &exec_ws
			    : ws_has_token(upgrade, "SPDY/3.1") ? &exec_spdy
								: NULL;
	return q->speech ? q->speech->greet(q)
			 : "exec and attach are served over WebSocket and SPDY/3.1 only";
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
