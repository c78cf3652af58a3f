// SPDX-License-Identifier: Apache-2.0
#include "http_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

static void handler_closed(struct http_request *r, void *arg)
{
	struct fixture *f = arg;

	f->closed++;
	if (f->pending == r)
		f->pending = NULL;
}

/* The body is a counter, so that a lost or doubled piece is seen */
static void stream_more(struct http_request *r, void *arg)
{
	struct fixture *f = arg;
	unsigned char piece[1000];

	while (f->stream_left) {
		size_t n = MIN(sizeof(piece), f->stream_left);
		int e;

		for (size_t i = 0; i < n; i++)
			piece[i] = (unsigned char)((f->stream_left - i) % 251);
		e = http_stream_write(r, piece, n);
		if (e == -ENOBUFS) {
			f->refused_room = true;
			return;
		}
		assert_int_equal(e, 0);
		f->stream_left -= n;
	}
	http_stream_end(r);
}

static void raw_echo(struct http_request *r, const void *data, size_t len, void *arg)
{
	(void)arg;
	assert_int_equal(http_stream_write(r, data, len), 0);
	if (memchr(data, '.', len))
		http_stream_end(r);
}

static void handle_echo(struct http_request *r)
{
	struct buf b = BUF_INIT(0);
	size_t len;
	const char *body = http_request_body(r, &len), *value;

	buf_printf(&b, "%s %s from %s\n", http_request_method(r), http_request_path(r),
		   http_request_address(r));
	for (size_t i = 0; (value = http_request_query_nth(r, "q", i)); i++)
		buf_printf(&b, "q=%s\n", value);
	if (http_request_header(r, "x-test"))
		buf_printf(&b, "x-test: %s\n", http_request_header(r, "x-test"));
	buf_append(&b, body, len);
	http_reply(r, 200, "text/plain", b.data, b.len, "X-More: yes\r\n");
	buf_done(&b);
}

static void handler(struct http_request *r, void *arg)
{
	struct fixture *f = arg;
	const char *path = http_request_path(r);

	f->requests++;
	f->peer = *http_request_peer(r);
	http_request_on_close(r, handler_closed, f);
	if (str_eq(path, "/stream")) {
		http_stream_begin(r, 200, "application/octet-stream");
		http_stream_on_drain(r, stream_more, f);
		stream_more(r, f);
	} else if (str_eq(path, "/watch")) {
		f->pending = r;
		http_stream_begin(r, 200, "application/json");
		assert_int_equal(http_stream_write(r, "{}\n", 3), 0);
	} else if (str_eq(path, "/wait")) {
		f->pending = r;
	} else if (str_eq(path, "/file")) {
		int fd = memfd_create("file", MFD_CLOEXEC);

		assert_int_equal(ftruncate(fd, 3000000), 0);
		assert_int_equal(pwrite(fd, "end", 3, 2999997), 3);
		assert_int_equal(http_reply_file(r, fd, "application/x-file"), 0);
	} else if (str_eq(path, "/raw")) {
		http_raw_begin(r, "Upgrade: echo\r\n", raw_echo, f);
	} else if (str_eq(path, "/redirect")) {
		http_reply(r, 302, NULL, NULL, 0, "Location: /x\r\n");
	} else if (str_eq(path, "/none")) {
		http_reply(r, 204, NULL, "no body here", 12,
			   NULL); /* it would be the next answer */
	} else if (str_eq(path, "/missing")) {
		http_reply_text(r, 404, "nothing at %s", path);
	} else {
		handle_echo(r);
	}
}

void fixture_start(struct fixture *f, const struct http_server_config *config,
		   const struct http_client_config *client)
{
	static const struct http_server_ops ops = {.on_request = handler};
	struct http_server_config c = *config;
	struct err e = ERR_INIT;

	*f = (struct fixture){.body = BUF_INIT(0)};
	c.address = "127.0.0.1";
	c.listen_fd = -1;
	assert_int_equal(loop_init(&f->loop), 0);
	if (http_server_new(&f->loop, &c, &ops, f, &f->server, &e) < 0)
		fail_msg("%s", err_msg(&e));
	assert_int_equal(http_client_new(&f->loop, client, &f->client, &e), 0);
	snprintf(f->base, sizeof(f->base), "%s://127.0.0.1:%u", c.cert_pem ? "https" : "http",
		 http_server_port(f->server));
}

void fixture_stop(struct fixture *f)
{
	f->client = http_client_free(f->client);
	f->server = http_server_free(f->server);
	assert_int_equal(f->requests, f->closed);
	loop_done(&f->loop);
	buf_done(&f->body);
}

bool fixture_run_until(struct fixture *f, const bool *flag, int ms)
{
	uint64_t end_ms = clock_mono_ms() + (uint64_t)ms;

	while (!*flag && clock_mono_ms() < end_ms)
		assert_int_equal(loop_once(&f->loop, 20), 0);
	return *flag;
}

void fixture_run(struct fixture *f, int ms)
{
	bool never = false;

	fixture_run_until(f, &never, ms);
}

static int call_data(struct http_call *call, const void *data, size_t len, void *arg)
{
	struct fixture *f = arg;

	(void)call;
	f->streamed += len;
	return buf_append(&f->body, data, len);
}

static void call_done(struct http_call *call, const struct http_reply *reply, const struct err *e,
		      void *arg)
{
	struct fixture *f = arg;

	(void)call;
	f->done = true;
	f->status = reply->status;
	str_copy(f->content_type, sizeof(f->content_type), reply->content_type);
	if (e)
		f->error = *e;
}

void fixture_call(struct fixture *f, const char *method, const char *path, const void *body,
		  size_t len)
{
	static const struct http_call_ops ops = {.on_data = call_data, .on_done = call_done};
	static const struct http_header headers[] = {{"X-Test", "a  b"}, {NULL, NULL}};
	_cleanup_free_ char *url = mem_printf("%s%s", f->base, path);
	struct http_call_spec spec = {
		.method = method,
		.url = url,
		.headers = headers,
		.body = body,
		.body_len = len,
		.timeout_ms = 20000,
	};
	struct err e = ERR_INIT;

	f->done = false;
	f->status = 0;
	f->streamed = 0;
	f->error = (struct err)ERR_INIT;
	buf_clear(&f->body);
	if (!http_call_start(f->client, &spec, &ops, f, &e))
		fail_msg("%s", err_msg(&e));
	assert_true(fixture_run_until(f, &f->done, 25000));
}

int fixture_connect(struct fixture *f)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(http_server_port(f->server)),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(fd_nonblock(fd), 0);
	return fd;
}

void fixture_send(struct fixture *f, int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return; /* the server has had enough */
		text += MAX(n, 0);
		len -= (size_t)MAX(n, 0);
		assert_int_equal(loop_once(&f->loop, 0), 0);
	}
}

bool fixture_read(struct fixture *f, int fd, struct buf *b, const char *until, int ms)
{
	uint64_t end_ms = clock_mono_ms() + (uint64_t)ms;

	while (clock_mono_ms() < end_ms && !(until && strstr(buf_str(b), until))) {
		char piece[4096];
		ssize_t n = recv(fd, piece, sizeof(piece), 0);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			return true;
		if (n > 0)
			assert_int_equal(buf_append(b, piece, (size_t)n), 0);
		assert_int_equal(loop_once(&f->loop, n > 0 ? 0 : 10), 0);
	}
	return false;
}
