// SPDX-License-Identifier: Apache-2.0
/*
 * The life of a connection. Whatever happens (the socket is ready, a handler queued something, a timer
 * fired), conn_run() does all that can be done: send, end the answered request, receive, take in what
 * was received. It is called from the loop only and never from inside a handler's call, so it alone
 * closes connections and frees requests.
 *
 * Time limits: a handshake has a fixed one; a request must be complete within the server's idle time,
 * from its first byte to its last, however slowly bytes drip; so must each piece of an answer that the
 * peer does not read, unless the connection is bare: TCP's keepalive tells when its peer has died. A handler may
 * take as long as it likes.
 *
 * While a request is being answered its connection is still read, into a queue of limited size: that is
 * how the end of a peer that watches is noticed.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "server_conn.h"

#define CONN_READ_SIZE	  ((size_t)16 << 10)
#define CONN_FILE_PIECE	  ((size_t)64 << 10)
#define CONN_KEEP_OUT	  ((size_t)64 << 10) /* larger queues are freed when they have become empty */
#define CONN_ROUNDS	  16 /* before the other connections get a turn */
#define CONN_LINGER_MS	  2000
#define CONN_KEEPALIVE_S  30
#define CONN_HANDSHAKE_MS 15000
/* One that has said nothing for so long may be closed for another */
#define CONN_SILENT_MS 1000

static void request_free(struct http_request *r)
{
	if (r->close_fn)
		r->close_fn(r, r->close_arg);
	http_head_done(&r->head);
	buf_done(&r->body);
	fd_close(r->file_fd);
	free(r);
}

void conn_close(struct http_conn *conn)
{
	struct http_server *server = conn->server;

	/* From here on the request only tells that it has gone. */
	conn->eof = true;
	if (conn->request) {
		conn->request->ended = true;
		request_free(take_ptr(conn->request));
	}
	watch_del(&conn->watch);
	timer_cancel(&conn->timer);
	timer_cancel(&conn->turn);
	defer_cancel(&conn->work);
	list_del(&conn->node);
	tls_conn_free(conn->tls);
	fd_close(conn->fd);
	buf_done(&conn->in);
	buf_done(&conn->out);
	free(conn);
	server->conn_count--;
	server_conn_gone(server);
}

bool conn_is_idle(const struct http_conn *conn)
{
	/* A new one is given time to say something first. */
	return conn->state == CONN_HEAD && !conn->in.len && conn->out_pos == conn->out.len &&
	       (conn->served || clock_mono_ms() - conn->rest_ms >= CONN_SILENT_MS);
}

static void conn_rest(struct http_conn *conn)
{
	conn->state = CONN_HEAD;
	conn->in_seen = 0;
	conn->rest_ms = clock_mono_ms();
	timer_set(&conn->timer, conn->server->idle_ms);
	/* To the end of the list: the longest idle ones are in front. */
	list_del(&conn->node);
	list_add(&conn->server->conns, &conn->node);
}

static void conn_refuse(struct http_conn *conn, int status)
{
	reply_refuse(conn, status);
	buf_clear(&conn->in);
	conn->state = CONN_LINGER;
	timer_set(&conn->timer, CONN_LINGER_MS);
}

static ssize_t conn_recv(struct http_conn *conn, void *data, size_t size)
{
	ssize_t n;

	if (conn->tls)
		return tls_conn_read(conn->tls, data, size);
	n = recv(conn->fd, data, size, MSG_DONTWAIT);
	return n < 0 ? -(errno == EINTR ? EAGAIN : errno) : n;
}

static ssize_t conn_send(struct http_conn *conn, const void *data, size_t len)
{
	ssize_t n;

	if (conn->tls)
		return tls_conn_write(conn->tls, data, len);
	n = send(conn->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n < 0 ? -(errno == EINTR ? EAGAIN : errno) : n;
}

/* Puts the next piece of a file into the empty queue. Return: 0 or -errno */
static int conn_next_piece(struct http_conn *conn)
{
	struct http_request *r = conn->request;
	size_t want = (size_t)MIN(r->file_left, (uint64_t)CONN_FILE_PIECE);
	ssize_t n;

	if (buf_reserve(&conn->out, want) < 0)
		return -ENOMEM;
	n = read(r->file_fd, conn->out.data, want);
	if (n <= 0)
		return n < 0 ? -errno
			     : -ENODATA; /* it has shrunk: the announced length cannot be kept */
	conn->out.len = (size_t)n;
	r->file_left -= (uint64_t)n;
	return 0;
}

/* Sends what is queued until the socket takes no more. Return: 0 or -errno */
static int conn_flush(struct http_conn *conn)
{
	conn->blocked = false;
	while (conn->state != CONN_HANDSHAKE) {
		ssize_t n;
		int r;

		if (conn->out_pos == conn->out.len) {
			conn->out_pos = 0;
			buf_clear(&conn->out);
			if (!conn->request || !conn->request->file_left)
				break;
			r = conn_next_piece(conn);
			if (r < 0)
				return r;
		}
		n = conn_send(conn, conn->out.data + conn->out_pos, conn->out.len - conn->out_pos);
		if (n == -EAGAIN) {
			conn->blocked = true;
			/* Armed anew by each piece that goes out, below. A bare one may wait for a human. */
			if (conn->state != CONN_LINGER && conn->state != CONN_RAW &&
			    !timer_armed(&conn->timer))
				timer_set(&conn->timer, conn->server->idle_ms);
			return 0;
		}
		if (n <= 0)
			return n < 0 ? (int)n : -EPIPE;
		conn->out_pos += (size_t)n;
		if (conn->state == CONN_BUSY || conn->state == CONN_RAW)
			timer_cancel(&conn->timer);
		if (conn->out_pos > CONN_KEEP_OUT && conn->out_pos > conn->out.len / 2) {
			buf_consume(&conn->out, conn->out_pos);
			conn->out_pos = 0;
		}
	}
	if (conn->out.size > CONN_KEEP_OUT)
		buf_done(&conn->out);
	return 0;
}

/* Lets a writer go on. Return: whether it was called */
static bool conn_drained(struct http_conn *conn)
{
	struct http_request *r = conn->request;

	if (!r || r->ended || !r->drain_wanted || !r->drain_fn ||
	    http_stream_pending(r) >= conn->server->stream_cap / 2)
		return false;
	r->drain_wanted = false;
	r->drain_fn(r, r->drain_arg);
	return true;
}

/* Ends a request whose answer has been sent. Return: whether there was one */
static bool conn_finish(struct http_conn *conn)
{
	struct http_request *r = conn->request;
	bool keep;

	if (!r || !r->ended || conn->out_pos < conn->out.len || r->file_left)
		return false;
	conn->served = true;
	keep = r->head.keep_alive && !r->last && !conn->eof;
	conn->request = NULL;
	request_free(r);
	if (keep) {
		conn_rest(conn);
		return true;
	}
	/* Closing with unread input would reset the connection and may cost the peer the answer. */
	buf_clear(&conn->in);
	conn->state = CONN_LINGER;
	timer_set(&conn->timer, CONN_LINGER_MS);
	return true;
}

/* The answer is out: says so, then waits for the peer to close. Return: 0, or -errno to close */
static int conn_linger(struct http_conn *conn)
{
	if (conn->state != CONN_LINGER || conn->out_pos < conn->out.len)
		return 0;
	if (conn->eof)
		return -ECONNRESET;
	if (conn->parted)
		return 0;
	conn->parted = true;
	if (conn->tls)
		tls_conn_goodbye(conn->tls);
	return shutdown(conn->fd, SHUT_WR) < 0 ? -errno : 0;
}

static bool conn_has_room(const struct http_conn *conn)
{
	return conn->state != CONN_HANDSHAKE && !conn->eof && conn->in.len < HTTP_HEAD_MAX;
}

/* Receives once. Return: 1 when something or the end came, 0 when nothing did, -errno */
static int conn_fill(struct http_conn *conn)
{
	ssize_t n;

	if (!conn_has_room(conn))
		return 0;
	if (buf_reserve(&conn->in, CONN_READ_SIZE) < 0)
		return -ENOMEM;
	n = conn_recv(conn, conn->in.data + conn->in.len, CONN_READ_SIZE);
	if (n == -EAGAIN) {
		if (!conn->in.len)
			buf_done(&conn->in);
		return 0;
	}
	if (n < 0)
		return (int)n;
	if (n == 0) {
		conn->eof = true;
		return 1;
	}
	/* The time for a request starts with its first byte. */
	if (conn->state == CONN_HEAD && !conn->in.len)
		timer_set(&conn->timer, conn->server->idle_ms);
	conn->in.len += (size_t)n;
	if (conn->state == CONN_LINGER)
		buf_clear(&conn->in);
	return 1;
}

static bool conn_take_head(struct http_conn *conn)
{
	struct http_request *r;
	struct http_head head;
	size_t used;
	int status;

	if (!conn->in.len)
		return false;
	status = http_head_parse(conn->in.data, conn->in.len, conn->in_seen, &head, &used);
	if (status == -EAGAIN) {
		conn->in_seen = conn->in.len;
		return false;
	}
	if (status) {
		conn_refuse(conn, status);
		return true;
	}
	buf_consume(&conn->in, used);
	r = mem_alloc(sizeof(*r));
	r->conn = conn;
	r->head = head;
	r->file_fd = -1;
	buf_init(&r->body, conn->server->body_cap + CONN_READ_SIZE + HTTP_HEAD_MAX);
	conn->request = r;
	if (head.content_length > conn->server->body_cap) {
		request_free(take_ptr(conn->request));
		conn_refuse(conn, 413);
		return true;
	}
	if (head.expects_continue && !conn->in.len)
		buf_puts(&conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
	conn->state = CONN_BODY;
	return true;
}

/* Moves received bytes into a chunked body. Return: 1 when it is whole, 0, or the status to refuse with */
static int conn_take_chunks(struct http_conn *conn)
{
	struct http_request *r = conn->request;
	size_t start = r->body.len, len = conn->in.len;
	ssize_t rest;

	r->raw_bytes += len;
	/* One byte a chunk is six bytes of coding: more than that is no body but an attack. */
	if (buf_append(&r->body, conn->in.data, len) < 0 ||
	    r->raw_bytes > 8 * conn->server->body_cap + HTTP_HEAD_MAX)
		return 413;
	buf_clear(&conn->in);
	rest = http_chunks_decode(&r->chunks, r->body.data + start, &len);
	if (rest < 0 && rest != -EAGAIN)
		return 400;
	if (rest > 0)
		buf_append(&conn->in, r->body.data + start + len, (size_t)rest);
	r->body.len = start + len;
	r->body.data[r->body.len] = '\0';
	if (r->body.len > conn->server->body_cap)
		return 413;
	return rest >= 0;
}

static bool conn_take_body(struct http_conn *conn)
{
	struct http_request *r = conn->request;
	int status = 1;

	if (r->head.chunked) {
		status = conn->in.len ? conn_take_chunks(conn) : 0;
	} else {
		size_t left = (size_t)r->head.content_length - r->body.len;

		left = MIN(left, conn->in.len);
		if (left && buf_append(&r->body, conn->in.data, left) < 0)
			status = 413;
		if (left)
			buf_consume(&conn->in, left);
		if (status == 1)
			status = r->body.len == r->head.content_length;
	}
	if (status == 0)
		return false;
	if (status > 1) {
		request_free(take_ptr(conn->request));
		conn_refuse(conn, status);
		return true;
	}
	timer_cancel(&conn->timer);
	conn->state = CONN_BUSY;
	conn->server->ops.on_request(r, conn->server->arg);
	return true;
}

/* Does something with what was received. Return: whether there may be more to do */
static bool conn_take(struct http_conn *conn)
{
	struct http_request *r = conn->request;

	switch (conn->state) {
	case CONN_HEAD:
		return conn_take_head(conn);
	case CONN_BODY:
		return conn_take_body(conn);
	case CONN_BUSY:
		if (!r->raw)
			return false;
		conn->state = CONN_RAW;
		timer_cancel(&conn->timer);
		return true;
	case CONN_RAW:
		if (!conn->in.len || r->paused)
			return false;
		r->data_fn(r, conn->in.data, conn->in.len, r->data_arg);
		buf_clear(&conn->in);
		return true;
	case CONN_HANDSHAKE:
	case CONN_LINGER:
		return false;
	}
	return false;
}

/* Whether the end of what the peer sends is the end of the connection, too */
static bool conn_is_over(const struct http_conn *conn)
{
	return conn->eof && !(conn->request && conn->request->ended) &&
	       (conn->state != CONN_LINGER || conn->out_pos == conn->out.len);
}

/* Return: whether it has ended, well or not */
static bool conn_handshake(struct http_conn *conn)
{
	int r = tls_conn_handshake(conn->tls);

	if (r == -EAGAIN)
		return false;
	if (r == 0)
		r = tls_conn_peer(conn->tls, &conn->peer);
	if (r < 0) {
		/* Time for the peer to read the alert that says why. */
		tls_conn_free(take_ptr(conn->tls));
		conn->state = CONN_LINGER;
		timer_set(&conn->timer, CONN_LINGER_MS);
		return true;
	}
	conn_rest(conn);
	return true;
}

/* Return: 1 when something was done, 0 when nothing is left to do now, -errno to close */
static int conn_step(struct http_conn *conn)
{
	bool more;
	int r;

	if (conn->state == CONN_HANDSHAKE)
		return conn_handshake(conn);
	r = conn_flush(conn);
	if (r < 0)
		return r;
	more = conn_drained(conn);
	more = conn_finish(conn) || more;
	more = conn_take(conn) || more;
	r = conn_fill(conn);
	if (r < 0)
		return r;
	if (conn->eof && !more && conn_is_over(conn))
		return -ECONNRESET;
	return more || r > 0;
}

static void conn_run(struct http_conn *conn)
{
	uint32_t events;
	int r = 1;

	for (int i = 0; r > 0 && i < CONN_ROUNDS; i++)
		r = conn_step(conn);
	if (r >= 0)
		r = r > 0 ? r : conn_linger(conn);
	if (r < 0) {
		conn_close(conn);
		return;
	}
	if (r > 0)
		timer_set(&conn->turn, 0);
	events = conn_has_room(conn) || conn->state == CONN_HANDSHAKE ? EPOLLIN : 0;
	if (conn->blocked || (conn->tls && tls_conn_wants_write(conn->tls)))
		events |= EPOLLOUT;
	if (events != conn->events && watch_mod(&conn->watch, events) == 0)
		conn->events = events;
}

static void conn_ready(struct watch *w, uint32_t events)
{
	struct http_conn *conn = container_of(w, struct http_conn, watch);

	/* Both directions are closed: nothing can be answered any more. */
	if (events & (EPOLLERR | EPOLLHUP))
		conn_close(conn);
	else
		conn_run(conn);
}

static void conn_work(struct defer *d)
{
	conn_run(container_of(d, struct http_conn, work));
}

static void conn_next_turn(struct timer *t)
{
	conn_run(container_of(t, struct http_conn, turn));
}

static void conn_timeout(struct timer *t)
{
	struct http_conn *conn = container_of(t, struct http_conn, timer);
	bool partial = conn->state == CONN_BODY || (conn->state == CONN_HEAD && conn->in.len);

	if (!partial) {
		conn_close(conn);
		return;
	}
	if (conn->request)
		request_free(take_ptr(conn->request));
	conn_refuse(conn, 408);
	conn_run(conn);
}

void conn_new(struct http_server *server, int fd, const char *address)
{
	struct http_conn *conn = mem_alloc(sizeof(*conn));
	int one = 1;

	conn->server = server;
	conn->fd = fd;
	conn->work.fn = conn_work;
	str_copy(conn->address, sizeof(conn->address), address);
	buf_init(&conn->in, HTTP_HEAD_MAX + 2 * CONN_READ_SIZE);
	buf_init(&conn->out, 0);
	timer_init(server->loop, &conn->timer, conn_timeout);
	timer_init(server->loop, &conn->turn, conn_next_turn);
	list_init(&conn->node);
	list_add(&server->conns, &conn->node);
	server->conn_count++;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int){CONN_KEEPALIVE_S}, sizeof(int));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &(int){CONN_KEEPALIVE_S}, sizeof(int));
	if (server->tls) {
		conn->tls = tls_conn_new(server->tls, fd);
		timer_set(&conn->timer, MIN(server->idle_ms, (uint64_t)CONN_HANDSHAKE_MS));
	} else {
		conn_rest(conn);
	}
	conn->events = EPOLLIN;
	if ((server->tls && !conn->tls) ||
	    watch_add(server->loop, &conn->watch, fd, EPOLLIN, conn_ready) < 0)
		conn_close(conn);
}
