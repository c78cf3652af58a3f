// SPDX-License-Identifier: Apache-2.0
/*
 * pods/log and nodes/proxy: fetched from the host that the pod is bound to (GET /containerLogs… of its 10250, TLS on
 * both sides) and passed on as it comes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "kube/log_query.h"
#include "stream.h"

struct log_stream {
	struct list node;
	struct http_request *r; /* NULL when the client has gone */
	struct http_call *call; /* NULL when the host has answered */
	bool begun;
	int status;
	struct buf error; /* body of an answer that is not 200 */
};

static void log_free(struct log_stream *l)
{
	if (l->call)
		http_call_cancel(l->call);
	list_del(&l->node);
	buf_done(&l->error);
	free(l);
}

static void on_close(struct http_request *r, void *arg)
{
	(void)r;
	log_free(arg);
}

/* The client has read on: so may we. */
static void on_drain(struct http_request *r, void *arg)
{
	struct log_stream *l = arg;

	(void)r;
	if (l->call)
		http_call_pause(l->call, false);
}

static void on_head(struct http_call *call, const struct http_reply *reply, void *arg)
{
	struct log_stream *l = arg;

	(void)call;
	l->status = reply->status;
	if (reply->status != 200)
		return;
	l->begun = true;
	http_stream_begin(l->r, 200, *reply->content_type ? reply->content_type : "text/plain");
	http_stream_on_drain(l->r, on_drain, l);
}

static int on_data(struct http_call *call, const void *data, size_t len, void *arg)
{
	struct log_stream *l = arg;
	int r;

	if (!l->begun)
		return buf_append(&l->error, data, len);
	r = http_stream_write(l->r, data, len);
	if (r == 0 && http_stream_pending(l->r) > API_STREAM_CAP / 2)
		http_call_pause(call, true);
	return r;
}

static void on_done(struct http_call *call, const struct http_reply *reply, const struct err *e,
		    void *arg)
{
	struct log_stream *l = arg;
	char message[400];

	(void)call;
	(void)reply;
	l->call = NULL;
	if (l->begun) {
		http_stream_end(l->r);
	} else if (l->status) {
		host_words(message, sizeof(message), buf_str(&l->error));
		host_refusal(l->r, l->status, message);
	} else {
		snprintf(message, sizeof(message), "the host does not answer: %s", err_msg(e));
		host_refusal(l->r, 500, message);
	}
}

static const char *query_of(const char *key, const void *arg)
{
	return query_get(arg, key);
}

static void add_number(struct buf *url, char *sep, const char *key, int64_t n)
{
	buf_printf(url, "%c%s=%lld", *sep, key, (long long)n);
	*sep = '&';
}

/* What is asked of the log, as the host is asked. Return: false when it answered */
static bool add_params(struct api_call *c, struct buf *url)
{
	const char *text = query_get(&c->query, "pattern"); /* of a host's own log */
	_cleanup_free_ char *pattern = text ? str_percent_encode(text) : NULL;
	struct err e = ERR_INIT;
	struct log_query q;
	char sep = '?';
	int r = log_query_parse(query_of, &c->query, &q, &e);

	if (r == -EBADMSG) {
		reply_fail(c, 400, "BadRequest", "%s", err_msg(&e));
		return false;
	}
	if (r < 0) {
		reply_fail(c, 422, "Invalid", "PodLogOptions \"%s\" is invalid: %s", c->name,
			   err_msg(&e));
		return false;
	}
	if (q.follow)
		add_number(url, &sep, "follow", 1);
	if (q.previous)
		add_number(url, &sep, "previous", 1);
	if (q.timestamps)
		add_number(url, &sep, "timestamps", 1);
	if (q.tail_lines >= 0)
		add_number(url, &sep, "tailLines", q.tail_lines);
	if (q.limit_bytes)
		add_number(url, &sep, "limitBytes", q.limit_bytes);
	if (q.since_seconds)
		add_number(url, &sep, "sinceSeconds", q.since_seconds);
	if (q.since_ns) {
		char time[CLOCK_RFC3339_MAX];

		buf_printf(url, "%csinceTime=%s", sep, clock_rfc3339_nano(time, q.since_ns));
		sep = '&';
	}
	if (!q.want_stdout || !q.want_stderr) {
		buf_printf(url, "%cstream=%s", sep, q.want_stdout ? "Stdout" : "Stderr");
		sep = '&';
	}
	if (pattern && str_eq(c->sub, "proxy"))
		buf_printf(url, "%cpattern=%s", sep, pattern);
	return true;
}

/* Answers @r with what is at @url. Return: false when c->reply has an error instead */
static bool pass_on(struct api_call *c, struct http_request *r, const char *url)
{
	static const struct http_call_ops ops = {
		.on_head = on_head, .on_data = on_data, .on_done = on_done};
	const struct http_call_spec spec = {.method = "GET", .url = url, .timeout_ms = -1};
	struct log_stream *l = mem_alloc(sizeof(*l));
	struct err e = ERR_INIT;

	l->r = r;
	buf_init(&l->error, 65536);
	list_add(&c->api->logs, &l->node);
	l->call = http_call_start(c->api->hosts, &spec, &ops, l, &e);
	if (!l->call) {
		reply_fail(c, 500, "InternalError", "call the host: %s", err_msg(&e));
		log_free(l);
		return false;
	}
	http_request_on_close(r, on_close, l);
	return true;
}

bool proxy_start(struct api_call *c, struct http_request *r)
{
	/* What a host shows of itself. Logs and execs have ways of their own, with rights of their own. */
	static const char *const paths[] = {"/healthz",	  "/metrics",	    "/metrics/resource",
					    "/pods",	  "/stats/summary", "/logs/",
					    "/logs/host", "/logs/kernel",   "/logs/programs"};
	struct buf url = BUF_INIT(4096);
	size_t i = 0;
	bool sent, log;

	while (i < ARRAY_SIZE(paths) && !str_eq(c->rest, paths[i]))
		i++;
	if (i == ARRAY_SIZE(paths)) {
		reply_no_resource(c);
		return false;
	}
	if (!rest_object(c) || !host_url(c, c->name, &url)) {
		buf_done(&url);
		return false;
	}
	buf_puts(&url, paths[i]);
	log = str_starts(paths[i], "/logs/") != NULL;
	sent = (!log || add_params(c, &url)) && pass_on(c, r, buf_str(&url));
	buf_done(&url);
	return sent;
}

bool log_start(struct api_call *c, struct http_request *r)
{
	struct store_object *o = rest_object(c);
	struct buf url = BUF_INIT(4096);
	const char *node, *container;
	bool sent;

	if (!o)
		return false;
	node = json_str(json_at(json_root(o->doc), "spec", "nodeName", NULL), "");
	container = host_container(c, json_root(o->doc));
	if (!container)
		return false;
	if (!*node) { /* nobody has it yet, nothing was said */
		c->reply.status = 200;
		c->reply.content_type = "text/plain";
		return false;
	}
	if (!host_url(c, node, &url)) {
		buf_done(&url);
		return false;
	}
	buf_printf(&url, "/containerLogs/%s/%s/%s", c->namespace, c->name, container);
	sent = add_params(c, &url) && pass_on(c, r, buf_str(&url));
	buf_done(&url);
	return sent;
}

void log_free_all(struct api *a)
{
	struct log_stream *l, *tmp;

	list_for_each_safe(l, tmp, &a->logs, node) {
		http_request_on_close(l->r, NULL, NULL);
		log_free(l);
	}
}
