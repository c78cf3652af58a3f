/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop: one level-triggered epoll set, one thread.
 *
 * A watch, timer or deferred call is embedded in its owner and registered by pointer; the callback
 * finds the owner with container_of(), so there is no user-data pointer. Nothing here allocates
 * after loop_init(). A callback may remove any watch, its own too, and may free the owner of its own
 * watch after removing it: an event that was already fetched for a removed watch is dropped. No
 * callback blocks; work that takes more than 10 ms belongs in a child process.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/list.h"

struct loop;

struct watch {
	void (*fn)(struct watch *w, uint32_t events); /* EPOLLIN… as epoll_wait() gave them */
	struct loop *loop; /* NULL while not registered */
	int fd;
};

struct timer {
	void (*fn)(struct timer *t);
	struct loop *loop; /* NULL before timer_init() */
	uint64_t due_ms; /* clock_mono_ms() */
	struct list node; /* in loop->timers, by due_ms, while armed */
};

struct defer {
	void (*fn)(struct defer *d);
	struct list node; /* in loop->deferred while pending */
};

#define LOOP_BATCH 64

struct loop {
	int epoll_fd;
	bool stopped;
	int exit_code;
	struct list timers; /* sorted by due time */
	struct list deferred;
	struct epoll_event batch[LOOP_BATCH];
	int batch_len, batch_pos;
};

/** loop_init() - Set up. Return: 0 or -errno */
int loop_init(struct loop *l);

/** loop_done() - Release; watches and timers still registered are forgotten */
void loop_done(struct loop *l);

/** loop_run() - Dispatch until loop_stop(). Return: the code given to loop_stop(), or -errno */
int loop_run(struct loop *l);

/**
 * loop_once() - Wait for and dispatch one round
 * @timeout_ms: longest wait; -1 for ever, 0 not at all
 * Return: 0 or -errno.
 */
int loop_once(struct loop *l, int timeout_ms);

/** loop_stop() - Make loop_run() return after the current callback */
void loop_stop(struct loop *l, int exit_code);

/**
 * watch_add() - Call @fn whenever @fd has one of @events (EPOLLIN | EPOLLOUT; errors always)
 * @w: caller's storage, not registered; borrowed until watch_del()
 * Return: 0 or -errno.
 */
int watch_add(struct loop *l, struct watch *w, int fd, uint32_t events,
	      void (*fn)(struct watch *w, uint32_t events));

/** watch_mod() - Change the events; what is no longer wanted does not come any more. Return: 0 or -errno */
int watch_mod(struct watch *w, uint32_t events);

/** watch_del() - Stop watching; the descriptor stays open; may be repeated (w zeroed at first) */
void watch_del(struct watch *w);

/** timer_init() - Tie a timer to a loop, not armed */
void timer_init(struct loop *l, struct timer *t, void (*fn)(struct timer *t));

/** timer_set() - Fire once in @delay_ms milliseconds; re-arms a running one */
void timer_set(struct timer *t, uint64_t delay_ms);

/** timer_cancel() - Disarm; may be repeated, also on a zeroed timer */
void timer_cancel(struct timer *t);

/** timer_armed() - Whether it will fire */
bool timer_armed(const struct timer *t);

/** loop_defer() - Call @fn once after the current callback, before the next wait; idempotent while pending */
void loop_defer(struct loop *l, struct defer *d, void (*fn)(struct defer *d));

/** defer_cancel() - Take a pending call back; may be repeated, also on a zeroed one */
void defer_cancel(struct defer *d);

/**
 * loop_signals() - Block signals and deliver them through the loop
 * @signals: zero-terminated list, e.g. { SIGTERM, SIGINT, 0 }
 * @fn:      reads nothing: called once per signal with its number
 * Return: 0 or -errno. One call per process; the signals stay blocked (proc_spawn() unblocks them
 *         in children).
 */
int loop_signals(struct loop *l, const int *signals, void (*fn)(int signo, void *arg), void *arg);

#endif
