/* SPDX-License-Identifier: Apache-2.0 */
/* Inside a session: what session.c and exec.c share. */
#ifndef HOSTD_VM_SESSION_IMPL_H
#define HOSTD_VM_SESSION_IMPL_H

#include "base/bucket.h"
#include "base/buf.h"
#include "vm/session.h"

#define SESSION_MOD	    "session"
#define SESSION_SMALL_FRAME 64

struct exec;

/* How much a guest may still tell: connections and events cost log lines, writes and calls to the API. */
struct session_budget {
	uint32_t cid;
	struct bucket bucket;
};

#define SESSION_BUDGETS \
	256 /* guests share one where their CIDs clash, newest first: nobody runs dry by it */

struct session_server {
	struct loop *loop;
	const struct session_events *events;
	void *arg;
	struct watch listen; /* fd -1 without a listening socket */
	struct timer relisten;
	struct list sessions;
	unsigned int alive_ms; /* SESSION_ALIVE_MS; tests have less time */
	struct session_budget budgets[SESSION_BUDGETS];
};

struct session_stream {
	bool seen;
	uint64_t next_offset;
	uint32_t uncredited;
	uint32_t kept; /* part of uncredited that the next CREDIT gives back */
};

struct session {
	struct session_server *srv;
	struct list node;
	struct watch watch;
	struct timer hello_timer, alive_timer;
	struct defer close;
	uint32_t cid;
	void *pod; /* NULL until the owner recognised the guest */
	bool run_sent;
	bool done; /* on_done was called: the next STOP lets the guest power off */
	bool closing;
	bool writing; /* waits for EPOLLOUT */
	bool heard, asked; /* since alive_timer was set; by it */
	struct err why;
	struct buf in, out;
	struct session_stream streams[GUEST_STREAMS_MAX];
	struct exec *slots[GUEST_EXECS_MAX]; /* those that the guest has */
	struct list execs; /* and those whose end their client has still to read */
	unsigned int exec_count;
};

/** session_write() - Queue a frame for the guest. Return: 0 or -errno; a failing session is closed */
int session_write(struct session *s, const void *data, long len);

/** session_fail() - Hang up: on_closed() follows from a deferred call. @what: why, as users read it */
void session_fail(struct session *s, int code, const char *what);

/* ---- alive.c ---- */

void alive_init(struct session *s);

/** alive_watch() - Somebody waits for the guest: see that it lives until nobody does */
void alive_watch(struct session *s);

/* ---- exec.c ---- */

/** exec_frame() - Take a frame of an exec. Return: 0; -errno when the guest breaks the rules */
int exec_frame(struct session *s, const struct guest_frame *f);

/** exec_log() - A container wrote: tell those who are attached to it */
void exec_log(struct session *s, const struct guest_log *m);

/** exec_flushed() - The guest has taken all that was queued */
void exec_flushed(struct session *s);

/** exec_lost() - The session ends: so do its execs */
void exec_lost(struct session *s, const char *why);

#endif
