// SPDX-License-Identifier: Apache-2.0
/*
 * Timers live in one list sorted by due time and are served from epoll_wait()'s timeout: a daemon
 * has a few dozen, arming is a short walk, and an idle loop costs no descriptor and no wake-up.
 * Events are fetched in batches; what watch_mod() and watch_del() no longer want is taken out of the
 * current batch, too.
 */
#include "base/loop.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

int loop_init(struct loop *l)
{
	*l = (struct loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
	list_init(&l->timers);
	list_init(&l->deferred);
	return l->epoll_fd < 0 ? -errno : 0;
}

void loop_done(struct loop *l)
{
	l->epoll_fd = fd_close(l->epoll_fd);
}

void loop_stop(struct loop *l, int exit_code)
{
	l->stopped = true;
	l->exit_code = exit_code;
}

static void loop_run_deferred(struct loop *l)
{
	while (!list_empty(&l->deferred)) {
		struct defer *d = list_entry(l->deferred.next, struct defer, node);

		list_del(&d->node);
		d->fn(d);
	}
}

static void loop_run_timers(struct loop *l)
{
	uint64_t now_ms = clock_mono_ms();

	while (!l->stopped && !list_empty(&l->timers)) {
		struct timer *t = list_entry(l->timers.next, struct timer, node);

		if (t->due_ms > now_ms)
			break;
		list_del(&t->node);
		t->fn(t);
		loop_run_deferred(l);
	}
}

static int loop_wait_ms(const struct loop *l, int timeout_ms)
{
	uint64_t now_ms, due_ms;

	if (!list_empty(&l->deferred))
		return 0;
	if (list_empty(&l->timers))
		return timeout_ms;
	now_ms = clock_mono_ms();
	due_ms = list_entry(l->timers.next, struct timer, node)->due_ms;
	due_ms = due_ms > now_ms ? MIN(due_ms - now_ms, (uint64_t)INT_MAX) : 0;
	return timeout_ms < 0 ? (int)due_ms : MIN(timeout_ms, (int)due_ms);
}

int loop_once(struct loop *l, int timeout_ms)
{
	int n = epoll_wait(l->epoll_fd, l->batch, LOOP_BATCH, loop_wait_ms(l, timeout_ms));

	if (n < 0 && errno != EINTR)
		return -errno;
	l->batch_len = MAX(n, 0);
	for (l->batch_pos = 0; l->batch_pos < l->batch_len && !l->stopped; l->batch_pos++) {
		struct watch *w = l->batch[l->batch_pos].data.ptr;

		if (!w)
			continue;
		w->fn(w, l->batch[l->batch_pos].events);
		loop_run_deferred(l);
	}
	l->batch_len = 0;
	loop_run_timers(l);
	loop_run_deferred(l);
	return 0;
}

int loop_run(struct loop *l)
{
	while (!l->stopped) {
		int r = loop_once(l, -1);

		if (r < 0)
			return r;
	}
	return l->exit_code;
}

int watch_add(struct loop *l, struct watch *w, int fd, uint32_t events,
	      void (*fn)(struct watch *w, uint32_t events))
{
	struct epoll_event ev = {.events = events, .data.ptr = w};

	*w = (struct watch){.fn = fn, .fd = fd};
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
		return -errno;
	w->loop = l;
	return 0;
}

/* Takes @events of @w, or the whole entry when none is left, from what waits in the current batch. */
static void loop_forget(struct loop *l, const struct watch *w, uint32_t events)
{
	for (int i = l->batch_pos; i < l->batch_len; i++) {
		if (l->batch[i].data.ptr != w)
			continue;
		l->batch[i].events &= ~events;
		if (!l->batch[i].events)
			l->batch[i].data.ptr = NULL;
	}
}

int watch_mod(struct watch *w, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = w};

	if (!w->loop)
		return -EINVAL;
	loop_forget(w->loop, w, ~(events | EPOLLERR | EPOLLHUP));
	return epoll_ctl(w->loop->epoll_fd, EPOLL_CTL_MOD, w->fd, &ev) < 0 ? -errno : 0;
}

void watch_del(struct watch *w)
{
	struct loop *l = w->loop;

	if (!l)
		return;
	epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
	loop_forget(l, w, UINT32_MAX);
	w->loop = NULL;
}

void timer_init(struct loop *l, struct timer *t, void (*fn)(struct timer *t))
{
	*t = (struct timer){.fn = fn, .loop = l};
	list_init(&t->node);
}

void timer_set(struct timer *t, uint64_t delay_ms)
{
	struct list *at;

	list_del(&t->node);
	t->due_ms = clock_mono_ms() + delay_ms;
	for (at = t->loop->timers.prev; at != &t->loop->timers; at = at->prev)
		if (list_entry(at, struct timer, node)->due_ms <= t->due_ms)
			break;
	list_add(at->next, &t->node);
}

void timer_cancel(struct timer *t)
{
	if (t->loop)
		list_del(&t->node);
}

bool timer_armed(const struct timer *t)
{
	return t->loop && !list_empty(&t->node);
}

void loop_defer(struct loop *l, struct defer *d, void (*fn)(struct defer *d))
{
	if (d->node.next && !list_empty(&d->node))
		return;
	d->fn = fn;
	list_init(&d->node);
	list_add(&l->deferred, &d->node);
}

void defer_cancel(struct defer *d)
{
	if (d->node.next)
		list_del(&d->node);
}

static struct {
	struct watch watch;
	void (*fn)(int signo, void *arg);
	void *arg;
} loop_signal;

static void loop_signal_ready(struct watch *w, uint32_t events)
{
	struct signalfd_siginfo info;

	(void)events;
	while (read(w->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		loop_signal.fn((int)info.ssi_signo, loop_signal.arg);
}

int loop_signals(struct loop *l, const int *signals, void (*fn)(int signo, void *arg), void *arg)
{
	sigset_t set;
	int fd, r;

	sigemptyset(&set);
	for (; *signals; signals++)
		sigaddset(&set, *signals);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	loop_signal.fn = fn;
	loop_signal.arg = arg;
	r = watch_add(l, &loop_signal.watch, fd, EPOLLIN, loop_signal_ready);
	if (r < 0)
		fd_close(fd);
	return r;
}
