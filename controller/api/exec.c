// SPDX-License-Identifier: Apache-2.0
/*
 * pods/exec and pods/attach: the client's upgrade is asked of the host that the pod is bound to, in the
 * kubelet's words, and when the host agrees bytes go both ways untouched. Neither direction is read while
 * the other end does not take what came.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "http/tunnel.h"
#include "http/ws.h"
#include "stream.h"

#define EXEC_URL_MAX	   ((size_t)96 << 10)
#define EXEC_SPDY	   "SPDY/3.1"
#define EXEC_PROTOCOLS_MAX 8 /* that a client offers in lines of their own */
#define EXEC_VALUE_MAX	   256 /* of a header that is passed on */

struct exec_stream {
	struct list node;
	struct http_request *r;
	struct http_tunnel *tunnel; /* NULL when it has ended */
	bool open; /* the client has its 101 */
};

static void exec_free(struct exec_stream *x)
{
	http_tunnel_free(x->tunnel);
	list_del(&x->node);
	free(x);
}

static void on_close(struct http_request *r, void *arg)
{
	(void)r;
	exec_free(arg);
}

/* ---- client to host ---- */

static void on_client_data(struct http_request *r, const void *data, size_t len, void *arg)
{
	struct exec_stream *x = arg;

	if (!x->tunnel)
		return;
	if (http_tunnel_write(x->tunnel, data, len) < 0)
		http_stream_end(r);
	else if (http_tunnel_pending(x->tunnel) > HTTP_TUNNEL_ROOM)
		http_raw_pause(r, true);
}

static void on_room(struct http_tunnel *t, void *arg)
{
	struct exec_stream *x = arg;

	(void)t;
	http_raw_pause(x->r, false);
}

/* ---- host to client ---- */

static void on_drain(struct http_request *r, void *arg)
{
	struct exec_stream *x = arg;

	(void)r;
	if (x->tunnel)
		http_tunnel_pause(x->tunnel, false);
}

static void on_host_data(struct http_tunnel *t, const void *data, size_t len, void *arg)
{
	struct exec_stream *x = arg;

	if (http_stream_write(x->r, data, len) < 0) {
		x->tunnel = http_tunnel_free(t);
		http_stream_end(x->r);
	} else if (http_stream_pending(x->r) > API_STREAM_CAP / 2) {
		http_tunnel_pause(t, true);
	}
}

static void on_open(struct http_tunnel *t, const char *head, void *arg)
{
	static const char *const names[] = {"Upgrade", "Sec-WebSocket-Accept",
					    "Sec-WebSocket-Protocol", "X-Stream-Protocol-Version"};
	struct exec_stream *x = arg;
	struct buf headers = BUF_INIT(4096);
	char value[EXEC_VALUE_MAX];

	(void)t;
	x->open = true;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (http_tunnel_header(head, names[i], value, sizeof(value)))
			buf_printf(&headers, "%s: %s\r\n", names[i], value);
	http_stream_on_drain(x->r, on_drain, x);
	http_raw_begin(x->r, buf_str(&headers), on_client_data, x);
	buf_done(&headers);
}

static void on_refused(struct http_tunnel *t, int status, const char *body, void *arg)
{
	struct exec_stream *x = arg;
	char message[400];

	x->tunnel = http_tunnel_free(t);
	host_words(message, sizeof(message), body);
	host_refusal(x->r, status >= 400 && status < 600 ? status : 502, message);
}

static void on_closed(struct http_tunnel *t, const struct err *e, void *arg)
{
	struct exec_stream *x = arg;
	char message[400];

	x->tunnel = http_tunnel_free(t);
	if (x->open) {
		http_stream_end(x->r);
		return;
	}
	snprintf(message, sizeof(message), "connect to the host: %s", err_msg(e));
	host_refusal(x->r, 500, message);
}

/* ---- the beginning ---- */

static void add_value(struct buf *url, const char *value)
{
	_cleanup_free_ char *encoded = str_percent_encode(value);

	buf_puts(url, encoded);
}

/* The kubelet's names for what kubectl asks. Return: 0; -E2BIG */
static int add_query(struct api_call *c, struct buf *url)
{
	static const char *const flags[][2] = {
		{"stdin", "input"}, {"stdout", "output"}, {"stderr", "error"}, {"tty", "tty"}};
	char sep = '?';

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (query_bool(&c->query, flags[i][0])) {
			buf_printf(url, "%c%s=1", sep, flags[i][1]);
			sep = '&';
		}
	}
	for (size_t i = 0; i < c->query.count && str_eq(c->sub, "exec"); i++) {
		if (!str_eq(c->query.pairs[i].key, "command"))
			continue;
		buf_printf(url, "%ccommand=", sep);
		add_value(url, c->query.pairs[i].value);
		sep = '&';
	}
	return buf_puts(url, "") < 0 || url->len >= EXEC_URL_MAX - 1 ? -E2BIG : 0;
}

static bool container_runs(const struct json *pod, const char *name)
{
	struct json_iter it = json_iter(json_at(pod, "status", "containerStatuses", NULL));

	while (json_next(&it))
		if (str_eq(json_str(json_get(it.value, "name"), ""), name))
			return json_at(it.value, "state", "running", NULL) != NULL;
	return false;
}

/*
 * kubectl asks a second time, for SPDY, whatever the first answer was, and shows the answer to that: so it must say
 * what is wrong with the pod before it says what is wrong with the client.
 */
static bool check(struct api_call *c, struct http_request *r, const struct json *pod,
		  const char *container)
{
	const char *phase = json_str(json_at(pod, "status", "phase", NULL), "");
	const char *upgrade = http_request_header(r, "upgrade");

	if (str_eq(phase, "Succeeded") || str_eq(phase, "Failed"))
		reply_fail(c, 400, "BadRequest",
			   "cannot exec into a container in a completed pod; current phase is %s",
			   phase);
	else if (!*json_str(json_at(pod, "spec", "nodeName", NULL), ""))
		reply_fail(c, 400, "BadRequest", "pod %s does not have a host assigned", c->name);
	else if (!container_runs(pod, container))
		reply_fail(c, 400, "BadRequest", "container %s of pod %s is not running", container,
			   c->name);
	else if (!ws_has_token(upgrade, "websocket") && !ws_has_token(upgrade, EXEC_SPDY))
		reply_fail(c, 400, "BadRequest",
			   "%s is served over WebSocket and " EXEC_SPDY " only", c->sub);
	else
		return true;
	return false;
}

static int connect_host(struct api_call *c, struct exec_stream *x, const char *url, struct err *e)
{
	static const struct http_tunnel_ops ops = {
		.on_open = on_open,
		.on_data = on_host_data,
		.on_room = on_room,
		.on_refused = on_refused,
		.on_closed = on_closed,
	};
	bool spdy = ws_has_token(http_request_header(x->r, "upgrade"), EXEC_SPDY);
	struct http_header headers[5 + EXEC_PROTOCOLS_MAX] = {
		{"Upgrade", spdy ? EXEC_SPDY : "websocket"},
		{"Sec-WebSocket-Version", http_request_header(x->r, "sec-websocket-version")},
		{"Sec-WebSocket-Key", http_request_header(x->r, "sec-websocket-key")},
		{"Sec-WebSocket-Protocol", http_request_header(x->r, "sec-websocket-protocol")},
	};
	const struct http_tunnel_spec spec = {
		.method = spdy ? "POST" : "GET", .url = url, .headers = headers};

	for (size_t i = 0; i < EXEC_PROTOCOLS_MAX; i++) {
		const char *p = http_request_header_nth(x->r, "x-stream-protocol-version", i);

		if (p)
			headers[4 + i] = (struct http_header){"X-Stream-Protocol-Version", p};
	}

	return http_tunnel_new(c->api->loop, &c->api->host_config, &spec, &ops, x, &x->tunnel, e);
}

bool exec_start(struct api_call *c, struct http_request *r)
{
	struct store_object *o = rest_object(c);
	struct buf url = BUF_INIT(EXEC_URL_MAX);
	struct err e = ERR_INIT;
	const char *container;
	struct exec_stream *x;
	int status = 0;

	if (!o)
		return false;
	container = host_container(c, json_root(o->doc));
	if (!container || !check(c, r, json_root(o->doc), container) ||
	    !host_url(c, json_str(json_at(json_root(o->doc), "spec", "nodeName", NULL), ""),
		      &url)) {
		buf_done(&url);
		return false;
	}
	buf_printf(&url, "/%s/%s/%s/%s", c->sub, c->namespace, c->name, container);
	x = mem_alloc(sizeof(*x));
	x->r = r;
	list_add(&c->api->execs, &x->node);
	if (add_query(c, &url) < 0) {
		status = 400;
		err_set(&e, -E2BIG, "the command is too long");
	} else if (connect_host(c, x, buf_str(&url), &e) < 0) {
		status = 500;
	}
	buf_done(&url);
	if (status) {
		reply_fail(c, status, status == 400 ? "BadRequest" : "InternalError", "%s",
			   err_msg(&e));
		exec_free(x);
		return false;
	}
	http_request_on_close(r, on_close, x);
	return true;
}

void exec_free_all(struct api *a)
{
	struct exec_stream *x, *next;

	list_for_each_safe(x, next, &a->execs, node) {
		http_request_on_close(x->r, NULL, NULL);
		exec_free(x);
	}
}
