/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostd's end of the conversation with the guests (proto/guest_msg.h).
 *
 * One listening socket serves all pods. A connection becomes a session when its HELLO came and the
 * owner recognised the CID; until then it has SESSION_HELLO_MS. A guest that breaks the rules loses
 * its connection and nothing else: a real hyperstart connects again and says everything anew. A
 * second connection from a CID takes the place of the first.
 *
 * The order of events on a session: on_hello, then any of the others, then on_closed exactly once,
 * after which the session is gone. Callbacks run on the loop, may call any session_*() function,
 * and get strings and data that are valid for the call.
 */
#ifndef HOSTD_VM_SESSION_H
#define HOSTD_VM_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "proto/guest_msg.h"
#include "proto/guest_stats.h"

#define SESSION_HELLO_MS 10000
#define SESSION_ALIVE_MS \
	15000 /* with execs: a silent guest is asked after it, and given up after it again */

struct session;
struct session_server;

struct session_events {
	/*
	 * A guest said HELLO. When hello->state is GUEST_STATE_WAITING the owner answers with
	 * session_send_run(), now or later. Return: what the other callbacks get as @pod; NULL: nobody
	 * we know, hang up.
	 */
	void *(*on_hello)(void *arg, struct session *s, uint32_t cid,
			  const struct guest_hello *hello);
	void (*on_started)(void *pod, const struct guest_started *m);
	void (*on_exit)(void *pod, const struct guest_exit *m);
	void (*on_failed)(void *pod, const struct guest_failed *m);
	void (*on_probed)(void *pod, const struct guest_probed *m);
	/*
	 * Output, in order and without gaps within one session; bytes that an earlier session of
	 * this process already delivered for the pod are told by m->offset. Return: true when it was
	 * kept; false: session_log_kept() will be called later, and the guest sends no more than
	 * GUEST_LOG_WINDOW meanwhile.
	 */
	bool (*on_log)(void *pod, const struct guest_log *m);
	/* What the containers use: the answer to session_ask_stats(); @m->ask as it was given there */
	void (*on_stats)(void *pod, const struct guest_stats *m);
	/* Nothing runs any more and all output was kept: keep the exits, then session_stop(). */
	void (*on_done)(void *pod);
	/* The connection is gone (@why says how), @s must not be used after the call. */
	void (*on_closed)(void *pod, struct session *s, const struct err *why);
};

/**
 * session_listen() - Listen for guests on GUEST_MSG_PORT of AF_VSOCK
 * @events: borrowed for ever
 * @arg:    for on_hello
 * @ret:    set on success; session_server_free() closes it and all sessions
 * Return: 0 or -errno (-EAFNOSUPPORT: no vsock in this kernel).
 */
int session_listen(struct loop *l, const struct session_events *events, void *arg,
		   struct session_server **ret, struct err *e);

/** session_server_free() - Close all sessions (on_closed is called for each) and stop listening */
struct session_server *session_server_free(struct session_server *srv);

/**
 * session_server_new() - A server without a listening socket, for connections made elsewhere
 * (tests, other transports); otherwise as session_listen().
 */
struct session_server *session_server_new(struct loop *l, const struct session_events *events,
					  void *arg);

/**
 * session_accept() - Take over a connected stream socket whose peer is @cid
 * Return: 0; -errno, the descriptor is closed in any case.
 */
int session_accept(struct session_server *srv, int fd, uint32_t cid, struct err *e);

/**
 * session_send_run() - Give the guest its pod; once, when it is WAITING
 * Return: 0; -EALREADY; -E2BIG or -EINVAL (nothing was sent) with the reason in @e.
 */
int session_send_run(struct session *s, const struct guest_run *run, struct err *e);

/**
 * session_send_files() - Give the guest the contents of a volume; before RUN, and again when they change
 * Return: 0; -E2BIG or -EINVAL for contents that cannot be sent; -ENOBUFS: the guest has yet to take what it
 *         was sent before, try later (the reason is in @e, the session goes on); -errno of a session that fails.
 */
int session_send_files(struct session *s, const struct guest_files *files, struct err *e);

/**
 * session_stop() - Ask the pod to end within @grace_ms, after on_done: let it power off
 * Return: 0 or -errno; a session that fails is closed from the loop, with on_closed.
 */
int session_stop(struct session *s, uint32_t grace_ms);

/** session_log_kept() - @bytes more of a stream were kept, after on_log returned false */
void session_log_kept(struct session *s, uint16_t container, enum guest_stream stream,
		      uint32_t bytes);

/**
 * session_exec() - Run a process in the pod, or attach to a container
 * @m: its exec and window are set here
 *
 * Return: the client's end of a connected socket (proto/exec_pipe.h), owned by the caller: what the process
 *         writes and how it ends comes out of it, its input goes in; closing it ends the process. -EBUSY:
 *         GUEST_EXECS_MAX run already; -EINVAL: arguments beyond the limits.
 */
int session_exec(struct session *s, struct guest_exec *m, struct err *e);

/**
 * session_ask_stats() - Ask what the containers use; on_stats follows, unless the guest is silent
 * @ask: a number that comes back with the answer
 * Return: 0 or -errno.
 */
int session_ask_stats(struct session *s, uint32_t ask);

/** session_close() - Hang up; on_closed is called from the loop */
void session_close(struct session *s);

#endif
