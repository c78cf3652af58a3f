// SPDX-License-Identifier: Apache-2.0
/*
 * An action lives from action_start() until it is over and, if it is a command, until its process is
 * reaped, whichever is later: a command that was cancelled or ran out of time is killed and stays in
 * the list, without an owner, until then.
 */
#include "action.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/str.h"
#include "exec.h"
#include "http.h"

#define ACTION_REDIRECTS_MAX 10

/* What only a GET needs, and needs room for. */
struct action_http {
	struct http_reply reply;
	unsigned int redirects;
	size_t sent, request_len;
	char path[GUEST_PATH_LEN_MAX + 1];
	char request[GUEST_PATH_LEN_MAX + 2048];
};

struct action {
	struct list node;
	struct container *container;
	const struct guest_action *what;
	action_over_fn *over;
	void *owner; /* NULL: cancelled, or told already */
	struct timer timer;
	uint64_t timeout_ms;
	struct defer later; /* an end that came within action_start() */
	enum action_result result;
	/* a command: */
	pid_t pid;
	struct watch report, output;
	bool timed_out;
	/* a connection: */
	struct watch watch;
	uint16_t port;
	char host[HTTP_HOST_MAX];
	struct action_http *http;
	size_t len;
	char text[ACTION_TEXT_MAX + 1];
};

static struct list actions = {&actions, &actions};

static void action_close(struct watch *w)
{
	watch_del(w);
	w->fd = fd_close(w->fd);
}

static void action_free(struct action *a)
{
	timer_cancel(&a->timer);
	defer_cancel(&a->later);
	action_close(&a->report);
	action_close(&a->output);
	action_close(&a->watch);
	list_del(&a->node);
	free(a->http);
	free(a);
}

/* Tells the owner; the action goes, unless there is a process to wait for. */
static void action_end(struct action *a, enum action_result result)
{
	void *owner = a->owner;

	a->owner = NULL;
	timer_cancel(&a->timer);
	if (owner)
		a->over(owner, result, a->text);
	if (a->pid <= 0)
		action_free(a);
}

static void action_say(struct action *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void action_say(struct action *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->text, sizeof(a->text), fmt, ap);
	va_end(ap);
}

static void action_end_later(struct defer *d)
{
	struct action *a = container_of(d, struct action, later);

	action_end(a, a->result);
}

static void action_end_soon(struct action *a, enum action_result result)
{
	a->result = result;
	loop_defer(a->timer.loop, &a->later, action_end_later);
}

/* ---- a command ---- */

static void action_kill(struct action *a)
{
	if (a->pid <= 0)
		return;
	/* Before its exec it has no group of its own. */
	kill(-a->pid, SIGKILL);
	kill(a->pid, SIGKILL);
}

static void action_read_output(struct action *a)
{
	char drop[512] = {0};
	ssize_t n;

	for (;;) {
		size_t room = ACTION_TEXT_MAX - a->len;

		n = read(a->output.fd, room ? a->text + a->len : drop, room ? room : sizeof(drop));
		if (n <= 0)
			break;
		if (room)
			a->len += (size_t)n;
		a->text[a->len] = '\0';
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		action_close(&a->output);
}

static void action_output_event(struct watch *w, uint32_t events)
{
	(void)events;
	action_read_output(container_of(w, struct action, output));
}

static void action_report_event(struct watch *w, uint32_t events)
{
	struct action *a = container_of(w, struct action, report);
	struct child_report report;

	(void)events;
	if (child_report_take(w, &report) == 1) {
		a->result = ACTION_ERROR;
		action_say(a, "%s", report.message);
	}
}

static int action_command(struct action *a, struct err *e)
{
	_cleanup_fd_ int in = open("/dev/null", O_RDONLY | O_CLOEXEC), out = -1;
	int r = in < 0 ? -errno : fd_pipe(&a->output.fd, &out, false);

	if (r == 0)
		r = watch_add(a->timer.loop, &a->output, a->output.fd, EPOLLIN,
			      action_output_event);
	if (r < 0)
		return err_sys(e, r, "watch a probe");
	r = exec_spawn(a->container, &a->what->args, (int[3]){in, out, out}, false, &a->report.fd,
		       e);
	if (r < 0)
		return r;
	a->pid = r;
	/* Not watched, its end is still seen when the process is reaped. */
	(void)watch_add(a->timer.loop, &a->report, a->report.fd, EPOLLIN, action_report_event);
	return 0;
}

static void action_command_over(struct action *a, int status)
{
	a->pid = 0;
	if (!a->owner) {
		action_free(a);
		return;
	}
	if (a->report.fd >= 0)
		action_report_event(&a->report, EPOLLIN);
	if (a->result != ACTION_ERROR && !a->timed_out && a->output.fd >= 0)
		action_read_output(a);
	if (a->result != ACTION_ERROR &&
	    (a->timed_out || !WIFEXITED(status) || WEXITSTATUS(status)))
		a->result = ACTION_FAILED;
	if (a->timed_out)
		action_say(a, "command timed out after %llus",
			   (unsigned long long)a->timeout_ms / 1000);
	else if (a->result == ACTION_FAILED && !a->len)
		action_say(a, "command exited with %d",
			   WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	action_end(a, a->result);
}

bool action_reaped(pid_t pid, int status)
{
	struct action *a;

	list_for_each(a, &actions, node)
		if (a->pid == pid) {
			action_command_over(a, status);
			return true;
		}
	return false;
}

/* ---- a connection ---- */

static void action_connect(struct action *a);

static void action_socket_failed(struct action *a, const char *what, int code)
{
	char words[128];
	size_t n = (size_t)snprintf(words, sizeof(words), "%s", what);

	/* In lower case, as those know it who know a kubelet's: "connection refused" */
	if (code)
		snprintf(words + n, sizeof(words) - n, ": %s", strerror(code));
	for (; words[n]; n++)
		words[n] |= words[n] >= 'A' && words[n] <= 'Z' ? 0x20 : 0;
	if (a->http)
		action_say(a, "Get \"http://%s%.600s\": %s", a->host, a->http->path, words);
	else
		action_say(a, "%s", words);
	action_end_soon(a, ACTION_FAILED);
	action_close(&a->watch);
}

/* The status is there: judge it, or follow it. */
static void action_http_over(struct action *a)
{
	struct action_http *h = a->http;

	action_close(&a->watch);
	if (h->reply.status >= 300 && h->reply.status < 400 && h->reply.location[0]) {
		if (http_redirect(h->reply.location, a->host, h->path, &a->port)) {
			if (h->redirects++ < ACTION_REDIRECTS_MAX) {
				action_connect(a);
				return;
			}
			action_say(a, "Get \"http://%s%.600s\": stopped after %d redirects",
				   a->host, h->path, ACTION_REDIRECTS_MAX);
			action_end_soon(a, ACTION_FAILED);
			return;
		}
	}
	if (h->reply.status >= 200 && h->reply.status < 300) {
		action_end_soon(a, ACTION_OK);
	} else if (h->reply.status >= 300 && h->reply.status < 400) {
		action_say(a, "Probe terminated redirects, status %d, Location \"%.600s\"",
			   h->reply.status, h->reply.location);
		action_end_soon(a, ACTION_WARNING);
	} else {
		action_say(a, "HTTP probe failed with statuscode: %d", h->reply.status);
		action_end_soon(a, ACTION_FAILED);
	}
}

static void action_http_read(struct action *a)
{
	char data[2048];
	ssize_t n = read(a->watch.fd, data, sizeof(data));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && http_reply_add(&a->http->reply, data, (size_t)n) < 0) {
		action_socket_failed(a, "malformed HTTP response", 0);
		return;
	}
	if (a->http->reply.complete || (n <= 0 && a->http->reply.head_over))
		action_http_over(a);
	else if (n == 0)
		action_socket_failed(a, "EOF", 0);
	else if (n < 0)
		action_socket_failed(a, "read", errno);
}

static void action_http_write(struct action *a)
{
	struct action_http *h = a->http;
	ssize_t n = send(a->watch.fd, h->request + h->sent, h->request_len - h->sent, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		action_socket_failed(a, "write", errno);
		return;
	}
	h->sent += (size_t)n;
	if (h->sent == h->request_len)
		watch_mod(&a->watch, EPOLLIN);
}

static void action_socket_event(struct watch *w, uint32_t events)
{
	struct action *a = container_of(w, struct action, watch);
	socklen_t len = sizeof(int);
	int code = 0;

	if (a->http && a->http->sent == a->http->request_len) {
		action_http_read(a);
		return;
	}
	if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0)
		code = errno;
	if (code || !(events & EPOLLOUT)) {
		char what[64];

		snprintf(what, sizeof(what), "dial tcp %s: connect", a->host);
		action_socket_failed(a, what, code ? code : ECONNRESET);
	} else if (a->http) {
		action_http_write(a);
	} else {
		action_close(w);
		action_end_soon(a, ACTION_OK);
	}
}

static void action_connect(struct action *a)
{
	uint32_t own = a->container->run->net.address;
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(a->port),
		.sin_addr.s_addr = htonl(a->what->address ? a->what->address
					 : own		  ? own
							  : INADDR_LOOPBACK),
	};
	char text[INET_ADDRSTRLEN];
	long n = 0;

	snprintf(a->host, sizeof(a->host), "%s:%u",
		 inet_ntop(AF_INET, &to.sin_addr, text, sizeof(text)), a->port);
	if (a->http) {
		memset(&a->http->reply, 0, sizeof(a->http->reply));
		a->http->sent = 0;
		n = http_request(a->host, a->http->path, &a->what->headers, a->http->request,
				 sizeof(a->http->request));
		a->http->request_len = (size_t)MAX(n, 0L);
	}
	a->watch.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (n < 0)
		action_socket_failed(a, "request", E2BIG);
	else if (a->watch.fd < 0 ||
		 (connect(a->watch.fd, (struct sockaddr *)&to, sizeof(to)) < 0 &&
		  errno != EINPROGRESS) ||
		 watch_add(a->timer.loop, &a->watch, a->watch.fd, EPOLLIN | EPOLLOUT,
			   action_socket_event) < 0)
		action_socket_failed(a, "connect", errno);
}

/* ---- */

static void action_time(struct timer *t)
{
	struct action *a = container_of(t, struct action, timer);

	if (a->what->kind == GUEST_ACTION_SLEEP) {
		action_end(a, ACTION_OK);
	} else if (a->what->kind == GUEST_ACTION_EXEC) {
		a->timed_out = true;
		action_kill(a); /* its end follows */
	} else {
		if (a->http)
			action_say(a,
				   "Get \"http://%s%.600s\": context deadline exceeded "
				   "(Client.Timeout exceeded while awaiting headers)",
				   a->host, a->http->path);
		else
			action_say(a, "dial tcp %s: i/o timeout", a->host);
		action_end(a, ACTION_FAILED);
	}
}

struct action *action_start(struct container *c, const struct guest_action *what,
			    uint64_t timeout_ms, action_over_fn *over, void *owner)
{
	struct action *a = calloc(1, sizeof(*a));
	struct err e = ERR_INIT;

	if (!a)
		return NULL;
	a->container = c;
	a->what = what;
	a->over = over;
	a->owner = owner;
	a->timeout_ms = timeout_ms;
	a->report.fd = a->output.fd = a->watch.fd = -1;
	a->port = what->port;
	list_add(&actions, &a->node);
	timer_init(c->backoff.loop, &a->timer, action_time);
	if (what->kind == GUEST_ACTION_SLEEP)
		timer_set(&a->timer, what->sleep_s * 1000ULL);
	else if (timeout_ms != ACTION_NO_LIMIT)
		timer_set(&a->timer, timeout_ms);
	if (what->kind == GUEST_ACTION_HTTP) {
		a->http = malloc(sizeof(*a->http));
		if (!a->http) {
			action_free(a);
			return NULL;
		}
		a->http->redirects = 0;
		str_copy(a->http->path, sizeof(a->http->path), what->path[0] ? what->path : "/");
	}
	if (what->kind == GUEST_ACTION_EXEC && action_command(a, &e) < 0) {
		action_say(a, "%s", err_msg(&e));
		action_end_soon(a, ACTION_ERROR);
	} else if (what->kind == GUEST_ACTION_HTTP || what->kind == GUEST_ACTION_TCP) {
		action_connect(a);
	}
	return a;
}

void action_cancel(struct action *a)
{
	a->owner = NULL;
	action_kill(a);
	if (a->pid <= 0)
		action_free(a);
	else
		timer_cancel(&a->timer);
}
