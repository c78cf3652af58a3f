// SPDX-License-Identifier: Apache-2.0
/*
 * A session is a socket, two buffers and the log accounts of one guest.
 *
 * The guest is hostile by assumption. What it can make hostd hold is bounded: one frame of input per
 * connection, SESSION_STRANGERS_MAX connections per CID that said no HELLO yet, and never more than
 * GUEST_LOG_WINDOW uncredited bytes of a stream, for a guest that sends more is hung up on. Output
 * to a guest that does not read is capped as well, and what a guest tells of its containers (or by
 * connecting again and again) is limited in its rate. Execs are in exec.c.
 *
 * Nothing is freed inside a callback: a session that ends is taken off the loop at once and
 * closed from a deferred call, which is the only place that calls on_closed and frees.
 */
#include "vm/session_impl.h"

#include <errno.h>
#include <linux/vm_sockets.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"

#define SESSION_READ_BYTES (64 * 1024)
#define SESSION_IN_MAX	   (GUEST_FRAME_HEADER + GUEST_FRAME_PAYLOAD_MAX + SESSION_READ_BYTES)
#define SESSION_FILES_MAX  (4 * GUEST_FILES_FRAMES_MAX) /* bytes under way that FILES may add to */
#define SESSION_OUT_MAX \
	(SESSION_FILES_MAX + 2 * GUEST_RUN_FRAMES_MAX + 2 * GUEST_EXECS_MAX * GUEST_EXEC_WINDOW)
#define SESSION_STRANGERS_MAX  4
#define SESSION_ACCEPT_WAIT_MS 1000
#define SESSION_TOLD_MAX       1024 /* events at once: 64 containers that start, end and are probed */
#define SESSION_TOLD_EACH_MS   31

static void session_release(struct session *s)
{
	struct session_server *srv = s->srv;

	watch_del(&s->watch);
	timer_cancel(&s->hello_timer);
	timer_cancel(&s->alive_timer);
	defer_cancel(&s->close);
	list_del(&s->node);
	fd_close(s->watch.fd);
	exec_lost(s, err_msg(&s->why));
	if (s->pod)
		srv->events->on_closed(s->pod, s, &s->why);
	buf_done(&s->in);
	buf_done(&s->out);
	free(s);
}

static void session_close_now(struct defer *d)
{
	session_release(container_of(d, struct session, close));
}

void session_fail(struct session *s, int code, const char *what)
{
	if (s->closing)
		return;
	s->closing = true;
	err_set(&s->why, code, "%s", what);
	log_debug(SESSION_MOD, "cid=%u msg=\"%s\"", s->cid, what);
	watch_del(&s->watch);
	timer_cancel(&s->hello_timer);
	timer_cancel(&s->alive_timer);
	loop_defer(s->srv->loop, &s->close, session_close_now);
}

static void session_flush(struct session *s)
{
	while (s->out.len && !s->closing) {
		ssize_t n = send(s->watch.fd, s->out.data, s->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			session_fail(s, -errno, "connection to the guest broke");
			return;
		}
		if (n < 0)
			break;
		buf_consume(&s->out, (size_t)n);
	}
	if (s->closing || s->writing == (s->out.len > 0))
		return;
	s->writing = s->out.len > 0;
	if (!s->writing)
		buf_done(&s->out);
	watch_mod(&s->watch, s->writing ? EPOLLIN | EPOLLOUT : EPOLLIN);
	if (!s->writing)
		exec_flushed(s);
}

int session_write(struct session *s, const void *data, long len)
{
	int r;

	if (s->closing)
		return -ENOTCONN;
	r = len < 0 ? (int)len : buf_append(&s->out, data, (size_t)len);
	if (r < 0)
		session_fail(s, r, "guest does not read what it is sent");
	else
		session_flush(s);
	return r < 0 ? r : 0;
}

static void session_send_credits(struct session *s)
{
	uint8_t frame[SESSION_SMALL_FRAME];

	for (uint16_t i = 0; i < GUEST_STREAMS_MAX && !s->closing; i++) {
		struct session_stream *t = &s->streams[i];
		uint32_t kept = t->kept;

		if (!kept)
			continue;
		t->kept = 0;
		t->uncredited -= kept;
		session_write(s, frame, guest_credit_encode(i, kept, frame, sizeof(frame)));
	}
}

/* The guest came back over a new connection before we saw the old one break. */
static void session_replace(struct session *s)
{
	struct session *old, *next;

	list_for_each_safe(old, next, &s->srv->sessions, node) {
		if (old == s || old->cid != s->cid || !old->pod)
			continue;
		err_set(&old->why, -ECONNRESET, "guest connected again");
		session_release(old);
	}
}

/* Return: whether this guest may have one event more */
static bool session_spend(struct session_server *srv, uint32_t cid)
{
	struct session_budget *b = &srv->budgets[cid % SESSION_BUDGETS];

	if (b->cid != cid)
		*b = (struct session_budget){.cid = cid};
	return bucket_take(&b->bucket, SESSION_TOLD_MAX, SESSION_TOLD_EACH_MS, clock_mono_ms());
}

static int session_hello(struct session *s, const struct guest_frame *f)
{
	struct guest_welcome welcome = {.log_window = GUEST_LOG_WINDOW};
	uint8_t frame[SESSION_SMALL_FRAME];
	struct guest_hello m;

	if (f->type != GUEST_MSG_HELLO || guest_hello_decode(f, &m) < 0)
		return -EPROTO;
	welcome.version = guest_version_pick(m.version_min, m.version_max);
	if (!welcome.version) {
		log_warn(SESSION_MOD,
			 "cid=%u min=%u max=%u msg=\"guest speaks no version we know\"", s->cid,
			 m.version_min, m.version_max);
		return -EPROTONOSUPPORT;
	}
	session_replace(s);
	timer_cancel(&s->hello_timer);
	if (session_write(s, frame, guest_welcome_encode(&welcome, frame, sizeof(frame))) < 0)
		return 0;
	s->run_sent = m.state != GUEST_STATE_WAITING;
	s->pod = s->srv->events->on_hello(s->srv->arg, s, s->cid, &m);
	return s->pod || s->closing ? 0 : -ENOENT;
}

static int session_log(struct session *s, const struct guest_frame *f)
{
	struct session_stream *t;
	struct guest_log m;
	int r = guest_log_decode(f, &m);

	if (r < 0)
		return r;
	t = &s->streams[f->stream];
	if ((t->seen && m.offset != t->next_offset) || m.len > GUEST_LOG_WINDOW - t->uncredited)
		return -EPROTO;
	t->seen = true;
	t->next_offset = m.offset + m.len;
	t->uncredited += m.len;
	exec_log(s, &m);
	if (s->srv->events->on_log(s->pod, &m))
		t->kept += m.len;
	return 0;
}

static bool session_is_event(uint16_t type)
{
	return type == GUEST_MSG_STARTED || type == GUEST_MSG_EXIT || type == GUEST_MSG_FAILED ||
	       type == GUEST_MSG_PROBED || type == GUEST_MSG_DONE;
}

static int session_frame(struct session *s, const struct guest_frame *f)
{
	const struct session_events *ev = s->srv->events;
	union {
		struct guest_started started;
		struct guest_exit exit;
		struct guest_failed failed;
		struct guest_stats stats;
		struct guest_probed probed;
	} m;
	int r = 0;

	if (!s->pod)
		return session_hello(s, f);
	if (session_is_event(f->type) && !session_spend(s->srv, s->cid))
		return -EDQUOT;
	switch (f->type) {
	case GUEST_MSG_STARTED:
		r = guest_started_decode(f, &m.started);
		if (r == 0)
			ev->on_started(s->pod, &m.started);
		break;
	case GUEST_MSG_EXIT:
		r = guest_exit_decode(f, &m.exit);
		if (r == 0)
			ev->on_exit(s->pod, &m.exit);
		break;
	case GUEST_MSG_FAILED:
		r = guest_failed_decode(f, &m.failed);
		if (r == 0)
			ev->on_failed(s->pod, &m.failed);
		break;
	case GUEST_MSG_PROBED:
		r = guest_probed_decode(f, &m.probed);
		if (r == 0)
			ev->on_probed(s->pod, &m.probed);
		break;
	case GUEST_MSG_LOG:
		r = session_log(s, f);
		break;
	case GUEST_MSG_STATS:
		r = guest_stats_decode(f, &m.stats);
		if (r == 0 && ev->on_stats)
			ev->on_stats(s->pod, &m.stats);
		break;
	case GUEST_MSG_DONE:
		s->done = true;
		ev->on_done(s->pod);
		break;
	case GUEST_MSG_EXEC_OUTPUT:
	case GUEST_MSG_EXEC_END:
	case GUEST_MSG_CREDIT:
		r = exec_frame(s, f);
		break;
	case GUEST_MSG_HELLO:
		r = -EPROTO;
		break;
	default: /* from a later version */
		break;
	}
	return r;
}

static void session_parse(struct session *s)
{
	struct guest_frame f;
	size_t pos = 0;
	long n = 0;

	while (!s->closing && pos < s->in.len) {
		int r;

		n = guest_frame_parse(s->in.data + pos, s->in.len - pos, &f);
		if (n <= 0)
			break;
		pos += (size_t)n;
		r = session_frame(s, &f);
		if (r == -ENOENT && !s->pod)
			session_fail(s, r, "nobody knows this guest");
		else if (r == -EDQUOT)
			session_fail(s, r, "guest tells too much");
		else if (r < 0)
			session_fail(s, r, "guest broke the protocol");
	}
	if (n < 0)
		session_fail(s, (int)n, "guest sent a frame beyond the limit");
	buf_consume(&s->in, pos);
	if (!s->in.len)
		buf_done(&s->in);
	session_send_credits(s);
}

static void session_readable(struct session *s)
{
	ssize_t n;

	if (buf_reserve(&s->in, SESSION_READ_BYTES) < 0) {
		session_fail(s, -ENOMEM, "no memory for the guest's data");
		return;
	}
	n = recv(s->watch.fd, s->in.data + s->in.len, SESSION_READ_BYTES, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		session_fail(s, n < 0 ? -errno : -ECONNRESET, "guest hung up");
		return;
	}
	s->heard = true;
	s->in.len += (size_t)n;
	s->in.data[s->in.len] = '\0';
	session_parse(s);
}

static void session_event(struct watch *w, uint32_t events)
{
	struct session *s = container_of(w, struct session, watch);

	if (events & EPOLLOUT)
		session_flush(s);
	if (!s->closing && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		session_readable(s);
}

static void session_silent(struct timer *t)
{
	session_fail(container_of(t, struct session, hello_timer), -ETIMEDOUT,
		     "guest said no HELLO in time");
}

static bool session_too_many_strangers(const struct session_server *srv, uint32_t cid)
{
	const struct session *s;
	int n = 0;

	list_for_each(s, &srv->sessions, node)
		n += s->cid == cid && !s->pod;
	return n >= SESSION_STRANGERS_MAX;
}

int session_accept(struct session_server *srv, int fd, uint32_t cid, struct err *e)
{
	struct session *s;
	int r = fd_nonblock(fd);

	if (r == 0 && (session_too_many_strangers(srv, cid) || !session_spend(srv, cid)))
		r = -EBUSY;
	if (r < 0) {
		fd_close(fd);
		return err_sys(e, r, "take connection of guest %u", cid);
	}
	s = mem_alloc(sizeof(*s));
	s->srv = srv;
	s->cid = cid;
	buf_init(&s->in, SESSION_IN_MAX);
	buf_init_secret(&s->out, SESSION_OUT_MAX);
	r = watch_add(srv->loop, &s->watch, fd, EPOLLIN, session_event);
	if (r < 0) {
		fd_close(fd);
		free(s);
		return err_sys(e, r, "watch connection of guest %u", cid);
	}
	timer_init(srv->loop, &s->hello_timer, session_silent);
	timer_set(&s->hello_timer, SESSION_HELLO_MS);
	alive_init(s);
	list_init(&s->execs);
	list_add(&srv->sessions, &s->node);
	return 0;
}

int session_send_run(struct session *s, const struct guest_run *run, struct err *e)
{
	_cleanup_free_ void *frames = NULL;
	long room, len;
	int r = 0;

	if (s->run_sent)
		return err_set(e, -EALREADY, "guest %u has its pod already", s->cid);
	room = guest_run_room(run, e);
	if (room < 0)
		return (int)room;
	frames = mem_alloc((size_t)room);
	len = guest_run_encode(run, frames, (size_t)room, e);
	if (len >= 0) {
		s->run_sent = true;
		r = session_write(s, frames, len);
	}
	mem_wipe(frames, (size_t)room);
	if (len < 0)
		return (int)len;
	return r < 0 ? err_sys(e, r, "send the pod to guest %u", s->cid) : 0;
}

int session_send_files(struct session *s, const struct guest_files *files, struct err *e)
{
	long room = guest_files_room(files, e), len;
	_cleanup_free_ void *frames = NULL;
	int r = 0;

	if (room < 0)
		return (int)room;
	frames = mem_alloc((size_t)room);
	len = guest_files_encode(files, frames, (size_t)room, e);
	if (len >= 0 && s->out.len + (size_t)len > SESSION_FILES_MAX)
		r = err_set(e, -ENOBUFS, "guest %u has yet to take the files it was sent", s->cid);
	else if (len >= 0)
		r = session_write(s, frames, len);
	mem_wipe(frames, (size_t)room);
	if (len < 0)
		return (int)len;
	return r < 0 && r != -ENOBUFS ? err_sys(e, r, "send files to guest %u", s->cid) : r;
}

int session_stop(struct session *s, uint32_t grace_ms)
{
	struct guest_stop m = {.grace_ms = grace_ms, .done_seen = s->done};
	uint8_t frame[SESSION_SMALL_FRAME];

	return session_write(s, frame, guest_stop_encode(&m, frame, sizeof(frame)));
}

int session_ask_stats(struct session *s, uint32_t ask)
{
	uint8_t frame[SESSION_SMALL_FRAME];

	return session_write(s, frame, guest_stats_ask_encode(ask, frame, sizeof(frame)));
}

void session_log_kept(struct session *s, uint16_t container, enum guest_stream stream,
		      uint32_t bytes)
{
	struct session_stream *t;

	if (container >= GUEST_CONTAINERS_MAX)
		return;
	t = &s->streams[container * 2 + (stream == GUEST_STREAM_STDERR)];
	t->kept += MIN(bytes, t->uncredited - t->kept);
	session_send_credits(s);
}

void session_close(struct session *s)
{
	session_fail(s, -ECANCELED, "closed");
}

static void server_accept(struct watch *w, uint32_t events)
{
	struct session_server *srv = container_of(w, struct session_server, listen);
	struct sockaddr_vm peer = {.svm_cid = VMADDR_CID_ANY};
	socklen_t len = sizeof(peer);
	struct err e = ERR_INIT;
	int fd;

	(void)events;
	fd = accept4(w->fd, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0) {
		if (session_accept(srv, fd, peer.svm_cid, &e) < 0)
			log_debug(SESSION_MOD, "msg=\"%s\"", err_msg(&e));
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
		log_warn(SESSION_MOD, "msg=\"cannot accept guests: %s\"", strerror(errno));
		watch_mod(w, 0);
		timer_set(&srv->relisten, SESSION_ACCEPT_WAIT_MS);
	}
}

static void server_relisten(struct timer *t)
{
	watch_mod(&container_of(t, struct session_server, relisten)->listen, EPOLLIN);
}

struct session_server *session_server_new(struct loop *l, const struct session_events *events,
					  void *arg)
{
	struct session_server *srv = mem_alloc(sizeof(*srv));

	srv->loop = l;
	srv->events = events;
	srv->arg = arg;
	srv->listen.fd = -1;
	srv->alive_ms = SESSION_ALIVE_MS;
	timer_init(l, &srv->relisten, server_relisten);
	list_init(&srv->sessions);
	return srv;
}

struct session_server *session_server_free(struct session_server *srv)
{
	struct session *s, *next;

	if (!srv)
		return NULL;
	list_for_each_safe(s, next, &srv->sessions, node) {
		err_set(&s->why, -ECANCELED, "closed");
		session_release(s);
	}
	watch_del(&srv->listen);
	timer_cancel(&srv->relisten);
	fd_close(srv->listen.fd);
	free(srv);
	return NULL;
}

int session_listen(struct loop *l, const struct session_events *events, void *arg,
		   struct session_server **ret, struct err *e)
{
	struct sockaddr_vm addr = {
		.svm_family = AF_VSOCK,
		.svm_cid = VMADDR_CID_ANY,
		.svm_port = GUEST_MSG_PORT,
	};
	_cleanup_fd_ int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct session_server *srv;
	int r;

	if (fd < 0)
		return err_sys(e, -errno, "open a vsock socket");
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, SOMAXCONN) < 0)
		return err_sys(e, -errno, "listen on vsock port %d", GUEST_MSG_PORT);
	srv = session_server_new(l, events, arg);
	r = watch_add(l, &srv->listen, fd, EPOLLIN, server_accept);
	if (r < 0) {
		srv->listen.fd = -1;
		session_server_free(srv);
		return err_sys(e, r, "watch vsock port %d", GUEST_MSG_PORT);
	}
	take_fd(&fd);
	*ret = srv;
	return 0;
}
