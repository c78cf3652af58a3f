// SPDX-License-Identifier: Apache-2.0
/*
 * Nothing of an exec's output is kept here: a pipe is read when the host has credit for it and the link has
 * room, straight into the frame, and else the process waits in write(2). Input waits in a buffer of the
 * window's size until the process reads it; only then the host gets its credit back.
 */
#include "exec_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define EXEC_MOD	    "exec"
#define EXEC_MAX	    (2 * GUEST_EXECS_MAX) /* orphans that are still ending count, too */
#define EXEC_CODE_NOT_FOUND 127 /* as a shell has it */
#define EXEC_CODE_NOT_RUN   126
#define EXEC_TTY_EOF	    4 /* VEOF of a new terminal */

static struct {
	struct loop *loop;
	void (*changed)(void);
	struct list all;
	uint32_t count;
} execs;

void exec_init(struct loop *l, void (*changed)(void))
{
	execs.loop = l;
	execs.changed = changed;
	list_init(&execs.all);
}

static struct exec *exec_find(uint16_t slot)
{
	struct exec *x;

	list_for_each(x, &execs.all, node)
		if (x->slot == slot && !x->orphan)
			return x;
	return NULL;
}

static void exec_close_in(struct exec *x)
{
	watch_del(&x->in_watch);
	x->in_fd = fd_close(x->in_fd);
	/* What nobody will read is as good as read. */
	x->in_owed += x->in_len;
	x->in_len = 0;
}

static void exec_close_out(struct exec_out *o)
{
	watch_del(&o->watch);
	o->fd = fd_close(o->fd);
	o->ready = false;
}

static void exec_free(struct exec *x)
{
	exec_close_in(x);
	exec_close_out(&x->out[0]);
	exec_close_out(&x->out[1]);
	watch_del(&x->report);
	fd_close(x->report.fd);
	timer_cancel(&x->kill);
	list_del(&x->node);
	execs.count--;
	free(x->in);
	free(x);
}

static void exec_fail(struct exec *x, uint8_t code, const char *reason, const char *message)
{
	x->ended = true;
	x->code = code;
	str_copy(x->failure.reason, sizeof(x->failure.reason), reason);
	str_copy(x->failure.message, sizeof(x->failure.message), message);
	execs.changed();
}

/* ---- output ---- */

static void exec_out_readable(struct watch *w, uint32_t events)
{
	struct exec_out *o = container_of(w, struct exec_out, watch);

	(void)events;
	watch_del(w);
	o->ready = true;
	execs.changed();
}

int exec_watch_out(struct exec_out *o, struct err *e)
{
	int r = watch_add(execs.loop, &o->watch, o->fd, EPOLLIN, exec_out_readable);

	return r < 0 ? err_sys(e, r, "watch an exec") : 0;
}

/* Return: a frame's length; 0 when there is nothing to send now */
static long exec_read_out(struct exec *x, int i, void *out, size_t size)
{
	static uint8_t data[GUEST_EXEC_DATA_MAX];
	struct exec_out *o = &x->out[i];
	ssize_t n;

	if (o->fd < 0 || !o->ready || !o->credit)
		return 0;
	do
		n = read(o->fd, data, MIN((size_t)o->credit, sizeof(data)));
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		o->credit -= (uint32_t)n;
		return guest_exec_output_encode(
			&(struct guest_exec_output){
				.exec = x->slot,
				.stream = i ? GUEST_STREAM_STDERR : GUEST_STREAM_STDOUT,
				.data = data,
				.len = (uint32_t)n,
			},
			out, size);
	}
	o->ready = false;
	/* Who else may still hold the pipe does not count when the process itself has ended. */
	if (n == 0 || errno != EAGAIN || x->ended || exec_watch_out(o, NULL) < 0)
		exec_close_out(o);
	return 0;
}

/* ---- input ---- */

static void exec_input_over(struct exec *x)
{
	exec_close_in(x);
	if (x->attach)
		container_input_end(x->container);
}

static void exec_write_in(struct exec *x);

static void exec_in_writable(struct watch *w, uint32_t events)
{
	struct exec *x = container_of(w, struct exec, in_watch);

	(void)events;
	exec_write_in(x);
	execs.changed();
}

static void exec_write_in(struct exec *x)
{
	static const uint8_t eof = EXEC_TTY_EOF;
	ssize_t n = 0;

	while (x->in_len && x->in_fd >= 0) {
		n = write(x->in_fd, x->in, x->in_len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		x->in_len -= (uint32_t)n;
		x->in_owed += (uint32_t)n;
		memmove(x->in, x->in + n, x->in_len);
	}
	/* A terminal has no end; but there is a character that says so. The host did not send it: no credit for it. */
	if (n >= 0 && x->in_eof && x->tty && x->in_fd >= 0)
		n = write(x->in_fd, &eof, sizeof(eof));
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		exec_close_in(x); /* nobody reads it */
	} else if (n < 0) {
		if (!x->in_watch.loop &&
		    watch_add(execs.loop, &x->in_watch, x->in_fd, EPOLLOUT, exec_in_writable) < 0)
			exec_close_in(x);
	} else if (x->in_eof) {
		exec_input_over(x);
	} else {
		watch_del(&x->in_watch);
	}
}

static void exec_stdin(const struct guest_frame *f)
{
	struct guest_stdin m;
	struct exec *x;

	if (guest_stdin_decode(f, &m) < 0)
		return;
	x = exec_find(m.exec);
	if (!x || !x->in || x->in_eof || m.len > GUEST_EXEC_WINDOW - x->in_len)
		return;
	x->in_eof = !m.len;
	if (x->in_fd < 0) {
		x->in_owed += m.len;
	} else {
		memcpy(x->in + x->in_len, m.data, m.len);
		x->in_len += m.len;
		if (!x->in_watch.loop)
			exec_write_in(x);
	}
	execs.changed();
}

/* ---- start ---- */

static void exec_take_report(struct exec *x)
{
	struct child_report report;

	if (x->report.fd >= 0 && child_report_take(&x->report, &report) == 1)
		x->failure = report;
}

void exec_report_event(struct watch *w, uint32_t events)
{
	(void)events;
	exec_take_report(container_of(w, struct exec, report));
}

static void exec_attach(struct exec *x, const struct guest_exec *m)
{
	x->tty = x->container->spec->tty;
	if (x->in)
		x->in_fd = container_input(x->container);
	if (x->tty)
		terminal_resize(x->container->out[0].fd, m->cols, m->rows);
}

static struct exec *exec_new(const struct guest_exec *m, struct container *c)
{
	struct exec *x = execs.count < EXEC_MAX ? calloc(1, sizeof(*x)) : NULL;

	if (!x)
		return NULL;
	if (m->with_stdin) {
		x->in = malloc(GUEST_EXEC_WINDOW);
		if (!x->in) {
			free(x);
			return NULL;
		}
	}
	x->slot = m->exec;
	x->container = c;
	x->run_ms = c->started_ms;
	x->attach = m->attach;
	x->tty = m->tty;
	x->report.fd = x->in_fd = -1;
	for (int i = 0; i < 2; i++) {
		x->out[i].exec = x;
		x->out[i].fd = -1;
		x->out[i].credit = m->window;
	}
	list_add(&execs.all, &x->node);
	execs.count++;
	return x;
}

static void exec_kill_now(struct timer *t)
{
	struct exec *x = container_of(t, struct exec, kill);

	if (x->pid > 0) {
		kill(-x->pid, SIGKILL);
		kill(x->pid, SIGKILL);
	}
}

static void exec_begin(const struct guest_frame *f, struct container *containers, uint32_t count)
{
	static struct guest_exec m; /* 4 KiB of pointers */
	struct err e = ERR_INIT;
	struct exec *x;

	if (guest_exec_decode(f, &m) < 0 || m.container >= count || exec_find(m.exec))
		return;
	x = exec_new(&m, &containers[m.container]);
	if (!x) {
		log_warn(EXEC_MOD, "msg=\"no room for an exec\"");
		return;
	}
	timer_init(execs.loop, &x->kill, exec_kill_now);
	log_info(EXEC_MOD, "ev=exec slot=%u container=%s attach=%d tty=%d", x->slot,
		 x->container->spec->name, x->attach, x->tty);
	if (x->container->state != CONTAINER_RUNNING)
		exec_fail(x, EXEC_CODE_NOT_RUN, "ContainerNotRunning", "container not running");
	else if (m.attach)
		exec_attach(x, &m);
	else if (exec_start(execs.loop, x, &m, &e) < 0)
		exec_fail(x, EXEC_CODE_NOT_RUN, "StartError", err_msg(&e));
	execs.changed();
}

/* ---- what else the host says ---- */

static void exec_resize(const struct guest_frame *f)
{
	struct guest_resize m;
	struct exec *x;

	if (guest_resize_decode(f, &m) < 0)
		return;
	x = exec_find(m.exec);
	if (x && x->tty)
		terminal_resize(x->attach ? x->container->out[0].fd : x->out[0].fd, m.cols, m.rows);
}

static void exec_signal(const struct guest_frame *f)
{
	struct guest_signal m;
	struct exec *x;

	if (guest_signal_decode(f, &m) < 0)
		return;
	x = exec_find(m.exec);
	if (!x)
		return;
	if (x->attach) {
		/* As if the run were over: the host wants to hear the end. */
		x->hung_up = true;
		execs.changed();
	} else if (x->pid > 0) {
		if (m.kill_ms) {
			x->hung_up = true;
			timer_set(&x->kill, m.kill_ms);
		}
		/* Before its exec it has our blocked signals and no group of its own. */
		if (x->report.fd >= 0)
			kill(x->pid, SIGKILL);
		else
			kill(-x->pid, m.signal);
	}
}

static void exec_credit(const struct guest_frame *f)
{
	uint16_t stream;
	uint32_t bytes;
	struct exec *x;

	if (guest_credit_decode(f, &stream, &bytes) < 0 || stream < GUEST_CREDIT_EXEC(0, 0))
		return;
	stream = (uint16_t)(stream - GUEST_CREDIT_EXEC(0, 0));
	x = exec_find(stream / 2);
	if (x && !x->attach)
		x->out[stream % 2].credit += MIN(bytes, UINT32_MAX - x->out[stream % 2].credit);
	execs.changed();
}

void exec_frame(const struct guest_frame *f, struct container *containers, uint32_t count)
{
	switch (f->type) {
	case GUEST_MSG_EXEC:
		exec_begin(f, containers, count);
		break;
	case GUEST_MSG_STDIN:
		exec_stdin(f);
		break;
	case GUEST_MSG_RESIZE:
		exec_resize(f);
		break;
	case GUEST_MSG_SIGNAL:
		exec_signal(f);
		break;
	case GUEST_MSG_CREDIT:
		exec_credit(f);
		break;
	default:
		break;
	}
}

/* ---- the end ---- */

static void exec_hang_up(struct exec *x)
{
	x->hung_up = true;
	if (x->pid <= 0)
		return;
	kill(x->report.fd >= 0 ? x->pid : -x->pid, x->report.fd >= 0 ? SIGKILL : SIGHUP);
	timer_set(&x->kill, GUEST_EXEC_KILL_MS);
}

void exec_orphan_all(void)
{
	struct exec *x, *next;

	list_for_each_safe(x, next, &execs.all, node) {
		x->orphan = true;
		exec_hang_up(x);
		/* Closing a terminal and pipes helps those who look for that. */
		exec_close_in(x);
		exec_close_out(&x->out[0]);
		exec_close_out(&x->out[1]);
		if (x->pid <= 0)
			exec_free(x);
	}
}

bool exec_reaped(pid_t pid, int status)
{
	struct exec *x;

	list_for_each(x, &execs.all, node) {
		if (x->pid != pid)
			continue;
		exec_take_report(x);
		/* What it started in its own group and nobody waits for. */
		if (x->hung_up)
			kill(-pid, SIGKILL);
		x->pid = 0;
		if (x->orphan) {
			exec_free(x);
			return true;
		}
		timer_cancel(&x->kill);
		x->ended = true;
		if (x->failure.reason[0]) {
			x->code = x->failure.error == -ENOENT ? EXEC_CODE_NOT_FOUND
							      : EXEC_CODE_NOT_RUN;
		} else if (WIFSIGNALED(status)) {
			x->signal = (uint8_t)WTERMSIG(status);
			x->code = (uint8_t)(128 + x->signal);
		} else {
			x->code = (uint8_t)WEXITSTATUS(status);
		}
		exec_close_in(x);
		for (int i = 0; i < 2; i++) {
			watch_del(&x->out[i].watch);
			x->out[i].ready = x->out[i].fd >= 0;
		}
		log_info(EXEC_MOD, "ev=exec_exit slot=%u code=%u", x->slot, x->code);
		execs.changed();
		return true;
	}
	return false;
}

/* An attached client stays until the container's output is with the host. */
static bool exec_attach_over(const struct exec *x)
{
	const struct container *c = x->container;
	bool runs = c->state == CONTAINER_RUNNING && c->started_ms == x->run_ms;

	return x->hung_up || (!runs && container_drained(c));
}

static long exec_tell_end(struct exec *x, void *out, size_t size)
{
	const struct guest_exec_end m = {
		.exec = x->slot,
		.code = x->code,
		.signal = x->signal,
		.reason = x->failure.reason,
		.message = x->failure.message,
	};
	long n = guest_exec_end_encode(&m, out, size);

	exec_free(x);
	return n;
}

static long exec_next_of(struct exec *x, void *out, size_t size)
{
	long n = 0;

	if (x->in_owed) {
		n = guest_credit_encode(GUEST_CREDIT_EXEC(x->slot, 0), x->in_owed, out, size);
		x->in_owed = 0;
		return n;
	}
	for (int i = 0; i < 2 && !n; i++)
		n = exec_read_out(x, i, out, size);
	if (n)
		return n;
	if (x->attach && !x->ended)
		x->ended = exec_attach_over(x);
	if (!x->ended || x->out[0].fd >= 0 || x->out[1].fd >= 0)
		return 0;
	return exec_tell_end(x, out, size);
}

long exec_next(void *out, size_t size)
{
	long n = 0;

	for (uint32_t i = execs.count; i > 0 && !n; i--) {
		struct exec *x = list_entry(execs.all.next, struct exec, node);

		/* Behind the others, so that each gets its turn */
		list_del(&x->node);
		list_add(&execs.all, &x->node);
		n = x->orphan ? 0 : exec_next_of(x, out, size);
	}
	return n;
}
