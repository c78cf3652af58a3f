// SPDX-License-Identifier: Apache-2.0
/*
 * libcurl connects and does TLS (CURLOPT_CONNECT_ONLY) on a multi handle of its own; then
 * the socket is watched here, and curl_easy_send() and curl_easy_recv() are as send(2) and recv(2). The request
 * and the head of the answer are ours to write and read.
 *
 * The owner may free the tunnel in a callback: `depth` keeps it until the last frame has gone.
 */
#include "http/tunnel.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "http/client_call.h"
#include "http/client_multi.h"

#define TUNNEL_READ	 ((size_t)16 << 10)
#define TUNNEL_ROUNDS	 8 /* before others get a turn */
#define TUNNEL_HEAD_MAX	 ((size_t)32 << 10)
#define TUNNEL_BODY_MAX	 ((size_t)64 << 10)
#define TUNNEL_OUT_MAX	 ((size_t)8 << 20)
#define TUNNEL_ANSWER_MS 30000 /* from the request to the head of the answer */
#define TUNNEL_LINE_END	 "\r\n\r\n"

enum tunnel_state {
	TUNNEL_CONNECT,
	TUNNEL_HEAD,
	TUNNEL_BODY, /* of an answer that is not 101 */
	TUNNEL_OPEN,
	TUNNEL_OVER,
};

struct http_tunnel {
	struct loop *loop;
	struct http_tunnel_ops ops;
	void *arg;
	struct http_multi multi;
	CURL *easy;
	struct timer turn, limit;
	struct defer work;
	struct watch watch;
	enum tunnel_state state;
	int depth;
	bool dead, paused, full;
	int status;
	size_t body_left;
	struct buf in; /* head, then the body of a refusal */
	struct buf out;
	size_t retry_len; /* of a send that is to be repeated as it was */
	char error[CURL_ERROR_SIZE];
};

static void tunnel_run(struct http_tunnel *t);

static void tunnel_destroy(struct http_tunnel *t)
{
	watch_del(&t->watch);
	timer_cancel(&t->turn);
	timer_cancel(&t->limit);
	defer_cancel(&t->work);
	if (t->multi.handle && t->easy)
		curl_multi_remove_handle(t->multi.handle, t->easy);
	curl_easy_cleanup(t->easy);
	http_multi_done(&t->multi);
	buf_done(&t->in);
	buf_done(&t->out);
	free(t);
}

static void tunnel_enter(struct http_tunnel *t)
{
	t->depth++;
}

static void tunnel_leave(struct http_tunnel *t)
{
	if (--t->depth == 0 && t->dead)
		tunnel_destroy(t);
}

struct http_tunnel *http_tunnel_free(struct http_tunnel *t)
{
	if (!t || t->dead)
		return NULL;
	tunnel_enter(t);
	t->dead = true;
	tunnel_leave(t);
	return NULL;
}

/* The last call; @e NULL for an end that is none of ours */
static void tunnel_over(struct http_tunnel *t, const struct err *e)
{
	if (t->state == TUNNEL_OVER || t->dead)
		return;
	t->state = TUNNEL_OVER;
	watch_del(&t->watch);
	timer_cancel(&t->limit);
	t->ops.on_closed(t, e, t->arg);
}

static void tunnel_fail(struct http_tunnel *t, int code, const char *what)
{
	struct err e = ERR_INIT;

	err_set(&e, code, "%s", what);
	tunnel_over(t, &e);
}

static void tunnel_refused(struct http_tunnel *t)
{
	t->state = TUNNEL_OVER;
	watch_del(&t->watch);
	timer_cancel(&t->limit);
	t->ops.on_refused(t, t->status, buf_str(&t->in), t->arg);
}

/* ---- the answer ---- */

const char *http_tunnel_header(const char *head, const char *name, char *out, size_t size)
{
	size_t name_len = strlen(name);

	for (const char *line = head; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *value = line + name_len + 1;
		size_t len;

		if (strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
			continue;
		value += strspn(value, " \t");
		len = strcspn(value, "\r\n");
		if (len >= size)
			return NULL;
		memcpy(out, value, len);
		out[len] = '\0';
		return out;
	}
	return NULL;
}

static void tunnel_body(struct http_tunnel *t, const char *data, size_t len)
{
	size_t n = MIN(len, t->body_left);

	buf_append(&t->in, data, MIN(n, TUNNEL_BODY_MAX - MIN(t->in.len, TUNNEL_BODY_MAX)));
	t->body_left -= n;
	if (!t->body_left)
		tunnel_refused(t);
}

/* The head is whole: @end is where it ends in t->in. */
static void tunnel_head(struct http_tunnel *t, size_t end)
{
	_cleanup_free_ char *head = mem_strndup(t->in.data, end);
	_cleanup_free_ char *rest = NULL;
	size_t rest_len = t->in.len - end;
	char length[24];
	uint64_t n = SIZE_MAX; /* until it is closed */

	if (sscanf(head, "HTTP/1.%*1d %3d", &t->status) != 1) {
		tunnel_fail(t, -EPROTO, "the answer is not HTTP/1.1");
		return;
	}
	rest = mem_alloc(rest_len + 1);
	memcpy(rest, t->in.data + end, rest_len);
	buf_clear(&t->in);
	if (t->status == 101) {
		t->state = TUNNEL_OPEN;
		timer_cancel(&t->limit);
		t->ops.on_open(t, head, t->arg);
		if (rest_len && !t->dead && t->state == TUNNEL_OPEN)
			t->ops.on_data(t, rest, rest_len, t->arg);
		return;
	}
	t->state = TUNNEL_BODY;
	if (http_tunnel_header(head, "Content-Length", length, sizeof(length)) &&
	    str_u64(length, INT32_MAX, &n) < 0)
		n = SIZE_MAX;
	t->body_left = (size_t)n;
	tunnel_body(t, rest, rest_len);
}

static void tunnel_take(struct http_tunnel *t, const char *data, size_t len)
{
	const char *end;

	switch (t->state) {
	case TUNNEL_OPEN:
		t->ops.on_data(t, data, len, t->arg);
		break;
	case TUNNEL_BODY:
		tunnel_body(t, data, len);
		break;
	case TUNNEL_HEAD:
		if (buf_append(&t->in, data, len) < 0) {
			tunnel_fail(t, -E2BIG, "the answer's head is too long");
			break;
		}
		end = strstr(buf_str(&t->in), TUNNEL_LINE_END);
		if (end)
			tunnel_head(t, (size_t)(end - t->in.data) + strlen(TUNNEL_LINE_END));
		else if (t->in.len > TUNNEL_HEAD_MAX)
			tunnel_fail(t, -E2BIG, "the answer's head is too long");
		break;
	case TUNNEL_CONNECT:
	case TUNNEL_OVER:
		break;
	}
}

static void tunnel_eof(struct http_tunnel *t)
{
	if (t->state == TUNNEL_BODY)
		tunnel_refused(t);
	else if (t->state == TUNNEL_OPEN)
		tunnel_over(t, NULL);
	else
		tunnel_fail(t, -ECONNRESET, "closed before it answered");
}

/* ---- the connection ---- */

static bool tunnel_live(const struct http_tunnel *t)
{
	return !t->dead && t->state != TUNNEL_OVER && t->state != TUNNEL_CONNECT;
}

static void tunnel_read(struct http_tunnel *t)
{
	char data[TUNNEL_READ];
	int round = 0;

	while (tunnel_live(t) && !t->paused) {
		size_t n = 0;
		CURLcode r;

		if (round++ == TUNNEL_ROUNDS) {
			timer_set(&t->turn, 0);
			return;
		}
		r = curl_easy_recv(t->easy, data, sizeof(data), &n);
		if (r == CURLE_AGAIN)
			return;
		if (r != CURLE_OK)
			tunnel_fail(t, -ECONNRESET, curl_easy_strerror(r));
		else if (n == 0)
			tunnel_eof(t);
		else
			tunnel_take(t, data, n);
	}
}

static void tunnel_flush(struct http_tunnel *t)
{
	while (tunnel_live(t) && t->out.len) {
		size_t len = t->retry_len ? t->retry_len : MIN(t->out.len, TUNNEL_READ), n = 0;
		CURLcode r = curl_easy_send(t->easy, t->out.data, len, &n);

		t->retry_len = r == CURLE_AGAIN ? len : 0;
		if (r == CURLE_AGAIN)
			break;
		if (r != CURLE_OK) {
			tunnel_fail(t, -EPIPE, curl_easy_strerror(r));
			return;
		}
		buf_consume(&t->out, n);
	}
	t->full = t->full || t->out.len > HTTP_TUNNEL_ROOM / 2;
	if (!tunnel_live(t) || !t->full || t->out.len > HTTP_TUNNEL_ROOM / 2)
		return;
	t->full = false;
	if (t->ops.on_room)
		t->ops.on_room(t, t->arg);
}

static void tunnel_run(struct http_tunnel *t)
{
	if (!tunnel_live(t))
		return;
	tunnel_enter(t);
	tunnel_flush(t);
	tunnel_read(t);
	if (tunnel_live(t))
		watch_mod(&t->watch, (t->paused ? 0 : EPOLLIN) | (t->out.len ? EPOLLOUT : 0));
	tunnel_leave(t);
}

static void tunnel_event(struct watch *w, uint32_t events)
{
	struct http_tunnel *t = container_of(w, struct http_tunnel, watch);

	/* Nothing is left to be read behind a reset. */
	if (events & (EPOLLERR | EPOLLHUP) && t->paused) {
		tunnel_enter(t);
		tunnel_fail(t, -ECONNRESET, "connection broke");
		tunnel_leave(t);
		return;
	}
	tunnel_run(t);
}

static void tunnel_work(struct defer *d)
{
	tunnel_run(container_of(d, struct http_tunnel, work));
}

static void tunnel_turn(struct timer *timer)
{
	tunnel_run(container_of(timer, struct http_tunnel, turn));
}

static void tunnel_late(struct timer *timer)
{
	struct http_tunnel *t = container_of(timer, struct http_tunnel, limit);

	tunnel_enter(t);
	tunnel_fail(t, -ETIMEDOUT, "no answer in time");
	tunnel_leave(t);
}

int http_tunnel_write(struct http_tunnel *t, const void *data, size_t len)
{
	if (t->state != TUNNEL_OPEN || t->dead)
		return -EPIPE;
	if (buf_append(&t->out, data, len) < 0)
		return -ENOMEM;
	t->full = t->full || t->out.len > HTTP_TUNNEL_ROOM / 2;
	loop_defer(t->loop, &t->work, tunnel_work);
	return 0;
}

size_t http_tunnel_pending(const struct http_tunnel *t)
{
	return t->out.len;
}

void http_tunnel_pause(struct http_tunnel *t, bool pause)
{
	t->paused = pause;
	loop_defer(t->loop, &t->work, tunnel_work);
}

/* ---- libcurl connects ---- */

static void tunnel_connected(struct http_tunnel *t, CURLcode result)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (result != CURLE_OK) {
		tunnel_fail(t, result == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : -ECONNREFUSED,
			    t->error[0] ? t->error : curl_easy_strerror(result));
		return;
	}
	t->state = TUNNEL_HEAD;
	curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &fd);
	if (fd == CURL_SOCKET_BAD ||
	    watch_add(t->loop, &t->watch, fd, EPOLLIN | EPOLLOUT, tunnel_event) < 0) {
		tunnel_fail(t, -EIO, "the connection cannot be used");
		return;
	}
	timer_set(&t->limit, TUNNEL_ANSWER_MS);
}

static void tunnel_act(struct http_multi *m, int fd, int events)
{
	struct http_tunnel *t = container_of(m, struct http_tunnel, multi);
	CURLMsg *msg;
	int n;

	tunnel_enter(t);
	curl_multi_socket_action(m->handle, fd, events, &n);
	while (!t->dead && (msg = curl_multi_info_read(m->handle, &n)))
		if (msg->msg == CURLMSG_DONE && t->state == TUNNEL_CONNECT)
			tunnel_connected(t, msg->data.result);
	tunnel_leave(t);
}

/* ---- the beginning ---- */

/* Writes the request's head. */
static int tunnel_request(struct http_tunnel *t, const struct http_tunnel_spec *spec,
			  const char *user_agent, struct err *e)
{
	const char *host = strstr(spec->url, "://"), *path;
	size_t start;

	if (!host || (!str_starts(spec->url, "https://") && !str_starts(spec->url, "http://")))
		return err_set(e, -EINVAL, "bad URL");
	host += 3;
	path = strchr(host, '/');
	if (!path || path == host || strpbrk(spec->url, " \r\n"))
		return err_set(e, -EINVAL, "bad URL");
	buf_printf(&t->out,
		   "%s %s HTTP/1.1\r\nHost: %.*s\r\nConnection: Upgrade\r\nUser-Agent: %s\r\n",
		   spec->method, path, (int)(path - host), host, user_agent);
	for (const struct http_header *h = spec->headers; h && h->name; h++) {
		start = t->out.len;
		if (!h->value)
			continue;
		buf_printf(&t->out, "%s: %s", h->name, h->value);
		if (strpbrk(buf_str(&t->out) + start, "\r\n"))
			return err_set(e, -EINVAL, "header %s: line break inside", h->name);
		buf_puts(&t->out, "\r\n");
	}
	return buf_puts(&t->out, "\r\n");
}

static void tunnel_set_up(struct http_tunnel *t, const struct http_client_config *config,
			  const char *url)
{
	int timeout_ms = config->connect_timeout_ms ? config->connect_timeout_ms : 10000;
	const struct http_origin origin = {
		.ca_pem = (char *)(size_t)config->ca_pem,
		.cert_pem = (char *)(size_t)config->cert_pem,
		.key_pem = (char *)(size_t)config->key_pem,
	};

	curl_easy_setopt(t->easy, CURLOPT_URL, url);
	curl_easy_setopt(t->easy, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(t->easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->error);
	curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(t->easy, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(t->easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(t->easy, CURLOPT_TCP_KEEPIDLE, 30L);
	curl_easy_setopt(t->easy, CURLOPT_TCP_KEEPINTVL, 10L);
	curl_easy_setopt(t->easy, CURLOPT_TCP_KEEPCNT, 3L);
	http_call_set_tls(t->easy, &origin);
}

int http_tunnel_new(struct loop *loop, const struct http_client_config *config,
		    const struct http_tunnel_spec *spec, const struct http_tunnel_ops *ops,
		    void *arg, struct http_tunnel **tunnel, struct err *e)
{
	struct http_tunnel *t = mem_alloc(sizeof(*t));
	int r;

	t->loop = loop;
	t->ops = *ops;
	t->arg = arg;
	timer_init(loop, &t->turn, tunnel_turn);
	timer_init(loop, &t->limit, tunnel_late);
	buf_init(&t->in, TUNNEL_BODY_MAX + TUNNEL_READ);
	buf_init(&t->out, TUNNEL_OUT_MAX);
	r = tunnel_request(t, spec, config->user_agent ? config->user_agent : "hypermetal", e);
	if (r < 0) {
		tunnel_destroy(t);
		return r;
	}
	r = http_multi_init(&t->multi, loop, tunnel_act);
	t->easy = r == 0 ? curl_easy_init() : NULL;
	if (!t->easy) {
		tunnel_destroy(t);
		return err_set(e, -ENOMEM, "libcurl cannot start");
	}
	tunnel_set_up(t, config, spec->url);
	if (curl_multi_add_handle(t->multi.handle, t->easy) != CURLM_OK) {
		tunnel_destroy(t);
		return err_set(e, -ENOMEM, "libcurl cannot start");
	}
	*tunnel = t;
	return 0;
}
