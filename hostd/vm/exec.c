// SPDX-License-Identifier: Apache-2.0
/*
 * Execs: each is a slot of the guest and a socket to whoever serves the client.
 *
 * Nothing waits without a limit. The client is read only while the guest has room for what it may say; what
 * the guest sends beyond its window is a breach of the protocol, and it gets credit back only when the
 * client's socket has taken the bytes. A container does not wait for those who are attached to it: one
 * that lags by EXEC_LAG_MAX is cut off, the log has what it missed.
 *
 * A client that hangs up leaves its slot to the guest, which is told to end the process (SIGHUP, then
 * SIGKILL); its output is credited unread until EXEC_END frees the slot.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "proto/exec_pipe.h"
#include "vm/session_impl.h"

#define EXEC_LAG_MAX  ((size_t)256 << 10)
#define EXEC_LIVE_MAX (2 * GUEST_EXECS_MAX) /* with those whose end is not read yet */
#define EXEC_HEAD     3 /* of a queued packet: u16 length, u8 kind */

struct exec {
	struct session *s;
	struct list node;
	struct watch client; /* fd -1: it has hung up */
	struct defer end;
	uint16_t slot;
	uint16_t container;
	bool attach;
	bool in_slot; /* the guest has not said EXEC_END */
	bool ended; /* the last packet is in the queue */
	bool hung_up; /* the guest was told */
	bool input_ended;
	bool resize_due;
	uint16_t cols, rows;
	uint32_t in_room; /* bytes of STDIN that the guest takes */
	uint32_t uncredited[2];
	struct buf out; /* packets that the client's socket did not take */
};

static void exec_free(struct exec *x)
{
	watch_del(&x->client);
	fd_close(x->client.fd);
	defer_cancel(&x->end);
	if (x->in_slot)
		x->s->slots[x->slot] = NULL;
	x->s->exec_count--;
	list_del(&x->node);
	buf_done(&x->out);
	free(x);
}

static void exec_free_later(struct defer *d)
{
	exec_free(container_of(d, struct exec, end));
}

static void exec_settle(struct exec *x)
{
	bool idle = x->client.fd < 0 || (x->ended && !x->out.len);

	if (idle && !x->in_slot)
		loop_defer(x->s->srv->loop, &x->end, exec_free_later);
}

static void exec_tell_signal(struct exec *x)
{
	const struct guest_signal m = {
		.exec = x->slot, .signal = SIGHUP, .kill_ms = GUEST_EXEC_KILL_MS};
	uint8_t frame[SESSION_SMALL_FRAME];

	if (!x->in_slot || x->hung_up)
		return;
	x->hung_up = true;
	session_write(x->s, frame, guest_signal_encode(&m, frame, sizeof(frame)));
}

static void exec_credit(struct exec *x, unsigned int stream, uint32_t bytes)
{
	uint8_t frame[SESSION_SMALL_FRAME];

	if (!x->in_slot || x->attach || !bytes)
		return;
	bytes = MIN(bytes, x->uncredited[stream]);
	x->uncredited[stream] -= bytes;
	session_write(x->s, frame,
		      guest_credit_encode((uint16_t)GUEST_CREDIT_EXEC(x->slot, stream), bytes,
					  frame, sizeof(frame)));
}

static void exec_credit_packet(struct exec *x, uint8_t kind, size_t len)
{
	if (kind == EXEC_PIPE_STDOUT || kind == EXEC_PIPE_STDERR)
		exec_credit(x, kind == EXEC_PIPE_STDERR, (uint32_t)len);
}

static void exec_client_gone(struct exec *x)
{
	watch_del(&x->client);
	x->client.fd = fd_close(x->client.fd);
	buf_done(&x->out);
	for (unsigned int i = 0; i < 2; i++)
		exec_credit(x, i, x->uncredited[i]);
	exec_tell_signal(x);
	exec_settle(x);
}

/* Reads the client while the guest has room, writes to it while there is something. */
static void exec_watch(struct exec *x)
{
	uint32_t events = x->out.len ? EPOLLOUT : 0;

	if (x->in_slot && !x->hung_up && x->in_room >= EXEC_PIPE_DATA_MAX)
		events |= EPOLLIN;
	if (x->client.fd >= 0)
		watch_mod(&x->client, events);
}

/* Return: 0; -EAGAIN; another -errno when the client has gone */
static int exec_send(struct exec *x, uint8_t kind, const void *data, size_t len)
{
	struct iovec iov[2] = {{&kind, 1}, {(void *)(size_t)data, len}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

	return sendmsg(x->client.fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static void exec_flush(struct exec *x)
{
	while (x->out.len && x->client.fd >= 0) {
		const uint8_t *p = (const uint8_t *)x->out.data;
		size_t len = p[0] | (size_t)p[1] << 8;
		uint8_t kind = p[2];
		int r = exec_send(x, kind, p + EXEC_HEAD, len);

		if (r == -EAGAIN || r == -EINTR || r == -ENOBUFS)
			break;
		if (r < 0) {
			exec_client_gone(x);
			return;
		}
		buf_consume(&x->out, EXEC_HEAD + len);
		exec_credit_packet(x, kind, len);
	}
	if (!x->out.len)
		buf_done(&x->out);
	exec_watch(x);
	exec_settle(x);
}

/* @len: at most EXEC_PIPE_DATA_MAX; the caller has checked that the queue may grow */
static void exec_deliver(struct exec *x, uint8_t kind, const void *data, size_t len)
{
	const uint8_t head[EXEC_HEAD] = {(uint8_t)len, (uint8_t)(len >> 8), kind};

	if (x->client.fd < 0) {
		exec_credit_packet(x, kind, len);
		return;
	}
	if (buf_append(&x->out, head, sizeof(head)) < 0 || buf_append(&x->out, data, len) < 0) {
		exec_client_gone(x);
		return;
	}
	exec_flush(x);
}

/* The client's last packet; the kind is in front of it already. */
static void exec_tell_end(struct exec *x, const struct exec_pipe_end *end)
{
	if (x->ended)
		return;
	x->ended = true;
	exec_deliver(x, EXEC_PIPE_END, &end->code, sizeof(*end) - 1);
}

/* ---- from the client ---- */

static void exec_send_stdin(struct exec *x, const void *data, size_t len)
{
	const struct guest_stdin m = {.exec = x->slot, .data = data, .len = (uint32_t)len};
	uint8_t frame[GUEST_FRAME_HEADER + GUEST_EXEC_DATA_MAX];

	if (x->input_ended)
		return;
	x->input_ended = !len;
	x->in_room -= m.len;
	session_write(x->s, frame, guest_stdin_encode(&m, frame, sizeof(frame)));
}

static void exec_send_resize(struct exec *x)
{
	const struct guest_resize m = {.exec = x->slot, .cols = x->cols, .rows = x->rows};
	uint8_t frame[SESSION_SMALL_FRAME];

	/* Behind what waits already; of many, only the last. */
	x->resize_due = x->s->out.len > 0;
	if (!x->resize_due)
		session_write(x->s, frame, guest_resize_encode(&m, frame, sizeof(frame)));
}

/* Return: false when it breaks the rules */
static bool exec_take_packet(struct exec *x, const uint8_t *packet, size_t len)
{
	struct exec_pipe_resize resize;

	switch (packet[0]) {
	case EXEC_PIPE_STDIN:
		if (len > 1)
			exec_send_stdin(x, packet + 1, len - 1);
		return true;
	case EXEC_PIPE_STDIN_END:
		exec_send_stdin(x, NULL, 0);
		return true;
	case EXEC_PIPE_RESIZE:
		if (len != sizeof(resize))
			return false;
		memcpy(&resize, packet, sizeof(resize));
		x->cols = resize.cols;
		x->rows = resize.rows;
		exec_send_resize(x);
		return true;
	default:
		return false;
	}
}

static void exec_read_client(struct exec *x)
{
	uint8_t packet[EXEC_PIPE_PACKET_MAX];
	ssize_t n = recv(x->client.fd, packet, sizeof(packet), MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || (size_t)n > sizeof(packet) || !exec_take_packet(x, packet, (size_t)n))
		exec_client_gone(x);
	else
		exec_watch(x);
}

static void exec_client_event(struct watch *w, uint32_t events)
{
	struct exec *x = container_of(w, struct exec, client);

	if (events & EPOLLOUT)
		exec_flush(x);
	if (x->client.fd >= 0 && events & EPOLLIN)
		exec_read_client(x);
	if (x->client.fd >= 0 && events & (EPOLLHUP | EPOLLERR))
		exec_client_gone(x);
}

/* ---- from the guest ---- */

static int exec_output(struct session *s, const struct guest_frame *f)
{
	struct guest_exec_output m;
	struct exec *x;
	unsigned int stream;
	int r = guest_exec_output_decode(f, &m);

	if (r < 0)
		return r;
	x = s->slots[m.exec];
	stream = m.stream == GUEST_STREAM_STDERR;
	if (!x || x->attach || m.len > GUEST_EXEC_WINDOW - x->uncredited[stream])
		return -EPROTO;
	x->uncredited[stream] += m.len;
	if (m.len)
		exec_deliver(x, stream ? EXEC_PIPE_STDERR : EXEC_PIPE_STDOUT, m.data, m.len);
	return 0;
}

static int exec_end(struct session *s, const struct guest_frame *f)
{
	struct exec_pipe_end end = {.kind = EXEC_PIPE_END};
	struct guest_exec_end m;
	struct exec *x;
	int r = guest_exec_end_decode(f, &m);

	if (r < 0)
		return r;
	x = s->slots[m.exec];
	if (!x)
		return -EPROTO;
	x->in_slot = false;
	s->slots[m.exec] = NULL;
	end.code = m.code;
	str_copy(end.reason, sizeof(end.reason), m.reason);
	str_copy(end.message, sizeof(end.message), m.message);
	exec_tell_end(x, &end);
	exec_settle(x);
	return 0;
}

static int exec_stdin_credit(struct session *s, const struct guest_frame *f)
{
	uint16_t stream;
	uint32_t bytes;
	struct exec *x;
	int r = guest_credit_decode(f, &stream, &bytes);

	if (r < 0 || stream < GUEST_CREDIT_EXEC(0, 0))
		return -EPROTO;
	x = s->slots[(stream - GUEST_CREDIT_EXEC(0, 0)) / 2];
	if (!x)
		return 0;
	if (bytes > GUEST_EXEC_WINDOW - x->in_room)
		return -EPROTO;
	x->in_room += bytes;
	exec_watch(x);
	return 0;
}

int exec_frame(struct session *s, const struct guest_frame *f)
{
	switch (f->type) {
	case GUEST_MSG_EXEC_OUTPUT:
		return exec_output(s, f);
	case GUEST_MSG_EXEC_END:
		return exec_end(s, f);
	default:
		return exec_stdin_credit(s, f);
	}
}

void exec_log(struct session *s, const struct guest_log *m)
{
	struct exec_pipe_end late = {
		.kind = EXEC_PIPE_END,
		.lost = true,
		.message = "the client read too slowly; the log has what it missed",
	};
	struct exec *x;

	/* No exec is freed in here: that is left to deferred calls. */
	list_for_each(x, &s->execs, node) {
		if (!x->attach || !x->in_slot || x->ended || x->container != m->container ||
		    !m->len)
			continue;
		if (x->out.len <= EXEC_LAG_MAX) {
			exec_deliver(x,
				     m->stream == GUEST_STREAM_STDERR ? EXEC_PIPE_STDERR
								      : EXEC_PIPE_STDOUT,
				     m->data, m->len);
			continue;
		}
		exec_tell_signal(x);
		exec_tell_end(x, &late);
	}
}

void exec_flushed(struct session *s)
{
	struct exec *x;

	list_for_each(x, &s->execs, node)
		if (x->resize_due && x->in_slot)
			exec_send_resize(x);
}

void exec_lost(struct session *s, const char *why)
{
	struct exec_pipe_end end = {.kind = EXEC_PIPE_END, .lost = true};
	struct exec *x, *next;

	snprintf(end.message, sizeof(end.message), "the pod is out of reach: %s", why);
	list_for_each_safe(x, next, &s->execs, node) {
		x->in_slot = false;
		s->slots[x->slot] = NULL;
		exec_tell_end(x, &end);
		exec_free(x);
	}
}

/* ---- the way in ---- */

static int exec_find_slot(const struct session *s)
{
	for (int i = 0; i < GUEST_EXECS_MAX; i++)
		if (!s->slots[i])
			return i;
	return -EBUSY;
}

int session_exec(struct session *s, struct guest_exec *m, struct err *e)
{
	_cleanup_free_ void *frame = NULL;
	_cleanup_fd_ int theirs = -1;
	int pair[2], slot = exec_find_slot(s);
	struct exec *x;
	long len;

	if (s->closing || !s->run_sent)
		return err_set(e, -ENOTCONN, "the pod is not there yet");
	if (slot < 0 || s->exec_count >= EXEC_LIVE_MAX)
		return err_set(e, -EBUSY, "%d processes are being executed in the pod already",
			       GUEST_EXECS_MAX);
	m->exec = (uint16_t)slot;
	m->window = GUEST_EXEC_WINDOW;
	frame = mem_alloc(GUEST_FRAME_HEADER + GUEST_FRAME_PAYLOAD_MAX);
	len = guest_exec_encode(m, frame, GUEST_FRAME_HEADER + GUEST_FRAME_PAYLOAD_MAX);
	if (len < 0)
		return err_set(e, -EINVAL, "no command, or one beyond %d arguments or %d bytes",
			       GUEST_EXEC_ARGS_MAX, GUEST_EXEC_BYTES_MAX);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return err_sys(e, -errno, "socket of an exec");
	theirs = pair[1];
	x = mem_alloc(sizeof(*x));
	x->s = s;
	x->slot = m->exec;
	x->container = m->container;
	x->attach = m->attach;
	x->in_slot = true;
	x->in_room = GUEST_EXEC_WINDOW;
	x->client.fd = pair[0];
	buf_init(&x->out, 2 * EXEC_LAG_MAX);
	list_add(&s->execs, &x->node);
	s->exec_count++;
	s->slots[slot] = x;
	if (watch_add(s->srv->loop, &x->client, pair[0], EPOLLIN, exec_client_event) < 0 ||
	    session_write(s, frame, len) < 0) {
		exec_free(x);
		return err_set(e, -ENOTCONN, "the pod is out of reach");
	}
	alive_watch(s);
	return take_fd(&theirs);
}
