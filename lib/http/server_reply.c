// SPDX-License-Identifier: Apache-2.0
/*
 * What handlers call: reading a request, and answering it. Answers only go into the connection's queue;
 * sending them is left to the loop, so nothing here can end a request under its handler's feet.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "server_conn.h"

#define REPLY_TEXT_MAX 1024

static const struct {
	int status;
	const char *reason;
} reply_reasons[] = {
	{100, "Continue"},
	{101, "Switching Protocols"},
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{204, "No Content"},
	{301, "Moved Permanently"},
	{302, "Found"},
	{304, "Not Modified"},
	{307, "Temporary Redirect"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{410, "Gone"},
	{413, "Content Too Large"},
	{415, "Unsupported Media Type"},
	{417, "Expectation Failed"},
	{422, "Unprocessable Content"},
	{426, "Upgrade Required"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
	{505, "HTTP Version Not Supported"},
};

const char *http_request_method(const struct http_request *r)
{
	return r->head.method;
}

const char *http_request_path(const struct http_request *r)
{
	return r->head.path;
}

const char *http_request_query_raw(const struct http_request *r)
{
	return r->head.query;
}

const char *http_request_query_nth(const struct http_request *r, const char *key, size_t n)
{
	for (size_t i = 0; i < r->head.param_count; i++)
		if (str_eq(r->head.params[i].name, key) && n-- == 0)
			return r->head.params[i].value;
	return NULL;
}

const char *http_request_query(const struct http_request *r, const char *key)
{
	return http_request_query_nth(r, key, 0);
}

const char *http_request_header(const struct http_request *r, const char *name)
{
	return http_head_header(&r->head, name);
}

const char *http_request_header_nth(const struct http_request *r, const char *name, size_t n)
{
	return http_head_header_nth(&r->head, name, n);
}

const void *http_request_body(const struct http_request *r, size_t *len)
{
	*len = r->body.len;
	return buf_str(&r->body);
}

const char *http_request_address(const struct http_request *r)
{
	return r->conn->address;
}

const struct http_peer *http_request_peer(const struct http_request *r)
{
	return &r->conn->peer;
}

void http_request_on_close(struct http_request *r, void (*fn)(struct http_request *r, void *arg),
			   void *arg)
{
	r->close_fn = fn;
	r->close_arg = arg;
}

static const char *reason_of(int status)
{
	for (size_t i = 0; i < ARRAY_SIZE(reply_reasons); i++)
		if (reply_reasons[i].status == status)
			return reply_reasons[i].reason;
	return "Status";
}

static void head_begin(struct buf *out, int status)
{
	char date[64];
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	buf_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status, reason_of(status), date);
}

/* Whether this may be the answer: the first one, and somebody is there to read it */
static bool reply_begin(struct http_request *r, int status, const char *content_type,
			const char *headers)
{
	struct buf *out = &r->conn->out;

	if (r->begun) {
		log_error("http", "path=%s msg=\"answered twice\"", r->head.path);
		return false;
	}
	r->begun = true;
	head_begin(out, status);
	if (content_type)
		buf_printf(out, "Content-Type: %s\r\n", content_type);
	if (headers)
		buf_puts(out, headers);
	return true;
}

/* The blank line; how the end of the answer is known must have been said */
static void reply_head_end(struct http_request *r)
{
	struct buf *out = &r->conn->out;

	if (r->last || !r->head.keep_alive)
		buf_puts(out, "Connection: close\r\n");
	else if (!r->head.http11)
		buf_puts(out, "Connection: keep-alive\r\n");
	buf_puts(out, "\r\n");
}

static bool reply_has_body(const struct http_request *r)
{
	return !str_eq(r->head.method, "HEAD");
}

static void reply_go(struct http_request *r)
{
	loop_defer(r->conn->server->loop, &r->conn->work, r->conn->work.fn);
}

void http_reply(struct http_request *r, int status, const char *content_type, const void *data,
		size_t len, const char *headers)
{
	struct buf *out = &r->conn->out;
	/* Who passes a status on may have got one that has no body, or that answers nothing (RFC 9110 §15) */
	bool empty = status == 204 || status == 304;

	if (!reply_begin(r, status < 200 ? 502 : status, content_type, headers))
		return;
	if (!empty)
		buf_printf(out, "Content-Length: %zu\r\n", len);
	reply_head_end(r);
	/* Beyond the queue's cap the peer gets less than announced and a closed connection. */
	if (!empty && reply_has_body(r) && len && buf_append(out, data, len) < 0)
		r->last = true;
	r->ended = true;
	reply_go(r);
}

void http_reply_text(struct http_request *r, int status, const char *fmt, ...)
{
	char text[REPLY_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	http_reply(r, status, "text/plain; charset=utf-8", text, strlen(text), NULL);
}

int http_reply_file(struct http_request *r, int fd, const char *content_type)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (!reply_begin(r, 200, content_type, NULL))
		return -EALREADY;
	buf_printf(&r->conn->out, "Content-Length: %llu\r\n", (unsigned long long)st.st_size);
	reply_head_end(r);
	r->ended = true;
	if (reply_has_body(r)) {
		r->file_fd = fd;
		r->file_left = (uint64_t)st.st_size;
	} else {
		fd_close(fd);
	}
	reply_go(r);
	return 0;
}

void http_stream_begin(struct http_request *r, int status, const char *content_type)
{
	if (!reply_begin(r, status, content_type, NULL))
		return;
	r->chunked = r->head.http11;
	r->last = r->last || !r->head.http11; /* 1.0: the end of the connection is the end */
	if (r->chunked)
		buf_puts(&r->conn->out, "Transfer-Encoding: chunked\r\n");
	reply_head_end(r);
	reply_go(r);
}

void http_raw_begin(struct http_request *r, const char *headers,
		    void (*on_data)(struct http_request *r, const void *data, size_t len,
				    void *arg),
		    void *arg)
{
	if (!reply_begin(r, 101, NULL, headers))
		return;
	buf_puts(&r->conn->out, "Connection: Upgrade\r\n\r\n");
	r->raw = true;
	r->last = true;
	r->data_fn = on_data;
	r->data_arg = arg;
	reply_go(r);
}

void http_raw_pause(struct http_request *r, bool pause)
{
	r->paused = pause;
	if (!pause)
		reply_go(r);
}

size_t http_stream_pending(const struct http_request *r)
{
	return r->conn->out.len - r->conn->out_pos;
}

int http_stream_write(struct http_request *r, const void *data, size_t len)
{
	struct buf *out = &r->conn->out;
	size_t pending = http_stream_pending(r), cap = r->conn->server->stream_cap;

	if (!r->begun || r->ended || (r->conn->eof && !r->raw))
		return -EPIPE;
	if (pending >= cap) {
		r->drain_wanted = true;
		return -ENOBUFS;
	}
	if (!len || !reply_has_body(r))
		return 0;
	/* All or none: the room for the frame around it is asked for with it. */
	if (buf_reserve(out, len + 32) < 0)
		return -ENOBUFS;
	if (r->chunked)
		buf_printf(out, "%zx\r\n", len);
	buf_append(out, data, len);
	if (r->chunked)
		buf_puts(out, "\r\n");
	if (http_stream_pending(r) > cap / 2)
		r->drain_wanted = true;
	reply_go(r);
	return 0;
}

void http_stream_on_drain(struct http_request *r, void (*fn)(struct http_request *r, void *arg),
			  void *arg)
{
	r->drain_fn = fn;
	r->drain_arg = arg;
}

void http_stream_end(struct http_request *r)
{
	if (!r->begun || r->ended)
		return;
	if (r->chunked && reply_has_body(r))
		buf_puts(&r->conn->out, "0\r\n\r\n");
	r->ended = true;
	reply_go(r);
}

void reply_refuse(struct http_conn *conn, int status)
{
	const char *reason = reason_of(status);

	head_begin(&conn->out, status);
	buf_printf(
		&conn->out,
		"Content-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s\n",
		strlen(reason) + 1, reason);
}
