// SPDX-License-Identifier: Apache-2.0
/*
 * Bytes from a client through the whole plain-text path of the server: one socket pair a run, the input
 * cut into pieces whose size its first byte tells. The handler answers in all the ways there are.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../server_conn.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct loop loop;
static struct http_server *server;

static void on_data(struct http_request *r, const void *data, size_t len, void *arg)
{
	(void)arg;
	http_stream_write(r, data, len);
}

static void on_request(struct http_request *r, void *arg)
{
	const char *path = http_request_path(r), *value;
	size_t len, sum = 0;

	(void)arg;
	if (path[0] != '/' || strstr(path, "/../"))
		abort();
	for (size_t i = 0; (value = http_request_query_nth(r, "q", i)); i++)
		sum += strlen(value);
	if (strlen(http_request_body(r, &len)) > len)
		abort();
	if (str_eq(path, "/s")) {
		http_stream_begin(r, 200, "text/plain");
		http_stream_write(r, path, strlen(path));
		http_stream_end(r);
	} else if (str_eq(path, "/r")) {
		http_raw_begin(r, "Upgrade: x\r\n", on_data, NULL);
	} else if (!str_eq(path, "/w")) {
		http_reply_text(r, 200, "%s %zu", http_request_method(r), sum);
	}
}

static void start(void)
{
	static const struct http_server_ops ops = {.on_request = on_request};
	struct http_server_config config = {
		.address = "127.0.0.1",
		.listen_fd = -1,
		.body_cap = 1000,
	};

	log_set_level(LOG_LEVEL_ERROR);
	if (loop_init(&loop) < 0 || http_server_new(&loop, &config, &ops, NULL, &server, NULL) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t piece = size ? 1U + data[0] * 16U : 1;
	int fds[2];

	if (!server)
		start();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		abort();
	conn_new(server, fds[1], "192.0.2.1");
	for (size_t at = 1; at < size; at += piece) {
		char drop[4096];

		if (send(fds[0], data + at, MIN(piece, size - at), MSG_NOSIGNAL) < 0)
			break;
		loop_once(&loop, 0);
		while (recv(fds[0], drop, sizeof(drop), 0) > 0)
			;
	}
	close(fds[0]);
	for (int i = 0; i < 20 && server->conn_count; i++)
		loop_once(&loop, 0);
	if (server->conn_count)
		abort();
	return 0;
}
