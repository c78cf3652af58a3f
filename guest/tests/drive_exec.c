// SPDX-License-Identifier: Apache-2.0
/*
 * Plays the client of an exec. Input is sent packet by packet as the session takes it; output is shown
 * in lines, and counted. A small sum over it tells whether all came, in order.
 */
#include "drive_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "proto/exec_pipe.h"

#define EXEC_LINE	     4096
#define DRIVE_EXEC_LINGER_MS 300 /* then what it left behind would show */

static struct guest_exec spec;
static struct watch client;
static struct timer hang_up_timer, *ended_timer;
static const char *input_path;
static uint32_t hang_up_ms;
static bool wanted;
static int input_fd = -1;
static uint8_t packet[EXEC_PIPE_PACKET_MAX];
static size_t packet_len;
static uint64_t bytes[2], sum;

int drive_exec_option(char **argv)
{
	int n = 1;

	if (str_eq(argv[0], "--exec")) {
		wanted = true;
		for (; argv[n] && !str_eq(argv[n], ";") && n <= GUEST_EXEC_ARGS_MAX; n++)
			spec.strings[spec.args.count++] = argv[n];
		spec.args.at = spec.strings;
	} else if (str_eq(argv[0], "--attach")) {
		wanted = spec.attach = true;
	} else if (str_eq(argv[0], "--exec-tty")) {
		spec.tty = true;
		spec.cols = 100;
		spec.rows = 40;
	} else if (str_eq(argv[0], "--exec-input") && argv[1]) {
		input_path = argv[1];
		spec.with_stdin = true;
		n = 2;
	} else if (str_eq(argv[0], "--exec-hang-up") && argv[1]) {
		uint64_t ms = 0;

		n = str_u64(argv[1], UINT32_MAX, &ms) == 0 ? 2 : 0;
		hang_up_ms = (uint32_t)ms;
	} else {
		n = 0;
	}
	return n;
}

static void put(unsigned int stream, const uint8_t *data, size_t len)
{
	static struct {
		char text[EXEC_LINE];
		size_t len;
	} lines[2];

	bytes[stream] += len;
	for (size_t i = 0; i < len; i++) {
		__typeof__(*lines) *l = &lines[stream];

		sum = sum * 31 + data[i];
		if (data[i] != '\n')
			l->text[l->len++] = (char)data[i];
		if (data[i] != '\n' && l->len < EXEC_LINE)
			continue;
		if (bytes[stream] < EXEC_LINE)
			printf("exec %s: %.*s\n", stream ? "err" : "out", (int)l->len, l->text);
		l->len = 0;
	}
}

static void finish(const struct exec_pipe_end *end)
{
	if (!spec.attach)
		timer_set(ended_timer, DRIVE_EXEC_LINGER_MS);
	printf("exec_end code=%u lost=%d reason=%s message='%s' bytes=%llu/%llu sum=%llx\n",
	       end->code, end->lost, end->reason, end->message, (unsigned long long)bytes[0],
	       (unsigned long long)bytes[1], (unsigned long long)sum);
	watch_del(&client);
	client.fd = fd_close(client.fd);
	timer_cancel(&hang_up_timer);
}

static void send_input(void)
{
	for (;;) {
		ssize_t n;

		if (!packet_len && input_fd >= 0) {
			n = read(input_fd, packet + 1, sizeof(packet) - 1);
			packet[0] = n > 0 ? EXEC_PIPE_STDIN : EXEC_PIPE_STDIN_END;
			packet_len = n > 0 ? (size_t)n + 1 : 1;
			if (n <= 0)
				input_fd = fd_close(input_fd);
		}
		if (!packet_len) {
			watch_mod(&client, EPOLLIN);
			return;
		}
		if (send(client.fd, packet, packet_len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			return;
		packet_len = 0;
	}
}

static void client_event(struct watch *w, uint32_t events)
{
	static uint8_t in[EXEC_PIPE_PACKET_MAX];
	struct exec_pipe_end end;
	ssize_t n;

	if (events & EPOLLOUT)
		send_input();
	if (!(events & (EPOLLIN | EPOLLHUP)))
		return;
	n = recv(w->fd, in, sizeof(in), MSG_DONTWAIT);
	if (n > 0 && (in[0] == EXEC_PIPE_STDOUT || in[0] == EXEC_PIPE_STDERR)) {
		put(in[0] == EXEC_PIPE_STDERR, in + 1, (size_t)n - 1);
	} else if (n == (ssize_t)sizeof(end) && in[0] == EXEC_PIPE_END) {
		memcpy(&end, in, sizeof(end));
		finish(&end);
	} else if (n == 0 || (n < 0 && errno != EAGAIN)) {
		puts("exec_cut");
		watch_del(w);
	}
}

static void hang_up(struct timer *t)
{
	(void)t;
	puts("exec_hang_up");
	watch_del(&client);
	client.fd = fd_close(client.fd);
}

void drive_exec_begin(struct loop *l, struct session *s, struct timer *ended)
{
	struct err e = ERR_INIT;
	int fd;

	if (!wanted)
		return;
	wanted = false;
	ended_timer = ended;
	if (input_path)
		input_fd = open(input_path, O_RDONLY | O_CLOEXEC);
	fd = session_exec(s, &spec, &e);
	if (fd < 0 || watch_add(l, &client, fd, EPOLLIN | EPOLLOUT, client_event) < 0) {
		printf("exec_refused %s\n", err_msg(&e));
		return;
	}
	puts("exec_begun");
	timer_init(l, &hang_up_timer, hang_up);
	if (hang_up_ms)
		timer_set(&hang_up_timer, hang_up_ms);
}
