// SPDX-License-Identifier: Apache-2.0
/* Execs between two sockets: one end plays the guest, the other the client. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "proto/exec_pipe.h"
#include "vm/session_impl.h"

static struct loop loop;
static struct session_server *server;
static struct session *session;
static int guest; /* the guest's end */
static int closes;
static uint8_t buf[GUEST_FRAME_HEADER + GUEST_FRAME_PAYLOAD_MAX];

static void *on_hello(void *arg, struct session *s, uint32_t cid, const struct guest_hello *hello)
{
	(void)cid;
	(void)hello;
	session = s;
	return arg;
}

static bool on_log(void *pod, const struct guest_log *m)
{
	(void)pod;
	(void)m;
	return true;
}

static void on_closed(void *pod, struct session *s, const struct err *why)
{
	(void)pod;
	(void)s;
	(void)why;
	session = NULL;
	closes++;
}

static const struct session_events events = {
	.on_hello = on_hello, .on_log = on_log, .on_closed = on_closed};

static void turn(void)
{
	for (int i = 0; i < 60; i++)
		assert_int_equal(loop_once(&loop, 0), 0);
}

static void say(long len)
{
	assert_true(len > 0);
	assert_int_equal(send(guest, buf, (size_t)len, MSG_NOSIGNAL), len);
	turn();
}

/* The next frame for the guest. Return: its type, 0 when there is none */
static int hear(struct guest_frame *f)
{
	ssize_t n = recv(guest, buf, GUEST_FRAME_HEADER, MSG_DONTWAIT);

	if (n <= 0)
		return 0;
	f->len = (uint32_t)(buf[0] | buf[1] << 8 | buf[2] << 16);
	if (f->len)
		assert_int_equal(recv(guest, buf + n, f->len, MSG_WAITALL), f->len);
	assert_true(guest_frame_parse(buf, f->len + GUEST_FRAME_HEADER, f) > 0);
	return f->type;
}

static void begin(void)
{
	struct guest_hello m = {GUEST_MSG_VERSION_MIN, GUEST_MSG_VERSION_MAX, GUEST_STATE_RUNNING,
				5, "test"};
	struct guest_frame f;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(session_accept(server, fds[1], 7, NULL), 0);
	guest = fds[0];
	say(guest_hello_encode(&m, buf, sizeof(buf)));
	assert_int_equal(hear(&f), GUEST_MSG_WELCOME);
	assert_non_null(session);
}

static int set_up(void **state)
{
	static int owner;

	(void)state;
	closes = 0;
	assert_int_equal(loop_init(&loop), 0);
	server = session_server_new(&loop, &events, &owner);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(guest);
	server = session_server_free(server);
	loop_done(&loop);
	return 0;
}

static int start(bool attach, struct guest_exec *got)
{
	static const char *const args[] = {"cat"};
	struct guest_exec m = {
		.attach = attach, .with_stdin = true, .args = {args, attach ? 0 : 1}};
	struct err e = ERR_INIT;
	struct guest_frame f;
	int fd = session_exec(session, &m, &e), type;

	assert_true(fd >= 0);
	turn();
	do
		type = hear(&f);
	while (type == GUEST_MSG_SIGNAL); /* of one whose client has gone */
	assert_int_equal(type, GUEST_MSG_EXEC);
	assert_int_equal(guest_exec_decode(&f, got), 0);
	assert_int_equal(got->window, GUEST_EXEC_WINDOW);
	return fd;
}

static void give(uint16_t exec, const char *text)
{
	const struct guest_exec_output m = {
		.exec = exec, .data = text, .len = (uint32_t)strlen(text)};

	say(guest_exec_output_encode(&m, buf, sizeof(buf)));
}

static void end(uint16_t exec, uint8_t code)
{
	const struct guest_exec_end m = {.exec = exec, .code = code, .reason = "", .message = ""};

	say(guest_exec_end_encode(&m, buf, sizeof(buf)));
}

static void expect_packet(int fd, uint8_t kind, const char *text)
{
	char packet[EXEC_PIPE_PACKET_MAX];
	ssize_t n = recv(fd, packet, sizeof(packet), MSG_DONTWAIT);

	assert_int_equal(n, strlen(text) + 1);
	assert_int_equal(packet[0], kind);
	assert_memory_equal(packet + 1, text, strlen(text));
}

static void expect_end(int fd, uint8_t code, bool lost)
{
	struct exec_pipe_end m;

	assert_int_equal(recv(fd, &m, sizeof(m), MSG_DONTWAIT), sizeof(m));
	assert_int_equal(m.kind, EXEC_PIPE_END);
	assert_int_equal(m.code, code);
	assert_int_equal(m.lost, lost);
	assert_int_equal(recv(fd, &m, sizeof(m), MSG_DONTWAIT), 0);
	close(fd);
}

static void a_whole_one(void **state)
{
	static const struct exec_pipe_resize resize = {EXEC_PIPE_RESIZE, 80, 24};
	static struct guest_exec got;
	struct guest_resize size;
	struct guest_stdin in;
	struct guest_frame f;
	uint16_t stream;
	uint32_t bytes;
	int fd;

	(void)state;
	begin();
	fd = start(false, &got);
	assert_string_equal(got.args.at[0], "cat");
	assert_int_equal(send(fd, "\0hello", 6, 0), 6);
	assert_int_equal(send(fd, &resize, sizeof(resize), 0), sizeof(resize));
	assert_int_equal(send(fd, (uint8_t[]){EXEC_PIPE_STDIN_END}, 1, 0), 1);
	turn();
	assert_int_equal(hear(&f), GUEST_MSG_STDIN);
	assert_int_equal(guest_stdin_decode(&f, &in), 0);
	assert_int_equal(in.len, 5);
	assert_memory_equal(in.data, "hello", 5);
	assert_int_equal(hear(&f), GUEST_MSG_RESIZE);
	assert_int_equal(guest_resize_decode(&f, &size), 0);
	assert_true(size.cols == 80 && size.rows == 24);
	assert_int_equal(hear(&f), GUEST_MSG_STDIN);
	assert_int_equal(guest_stdin_decode(&f, &in), 0);
	assert_int_equal(in.len, 0);
	give(got.exec, "hello");
	expect_packet(fd, EXEC_PIPE_STDOUT, "hello");
	assert_int_equal(hear(&f), GUEST_MSG_CREDIT);
	assert_int_equal(guest_credit_decode(&f, &stream, &bytes), 0);
	assert_int_equal(stream, GUEST_CREDIT_EXEC(got.exec, 0));
	assert_int_equal(bytes, 5);
	end(got.exec, 7);
	expect_end(fd, 7, false);
	/* The slot is free: the next one gets it. */
	fd = start(false, &got);
	assert_int_equal(got.exec, 0);
	close(fd);
	assert_int_equal(closes, 0);
}

/* The client's process is told SIGHUP; what it still writes goes nowhere, but is credited. */
static void client_dies(void **state)
{
	static struct guest_exec got;
	struct guest_signal sig;
	struct guest_frame f;
	int fd;

	(void)state;
	begin();
	fd = start(false, &got);
	close(fd);
	turn();
	assert_int_equal(hear(&f), GUEST_MSG_SIGNAL);
	assert_int_equal(guest_signal_decode(&f, &sig), 0);
	assert_int_equal(sig.signal, 1);
	assert_int_equal(sig.kill_ms, GUEST_EXEC_KILL_MS);
	give(got.exec, "bye");
	assert_int_equal(hear(&f), GUEST_MSG_CREDIT);
	end(got.exec, 129);
	assert_int_equal(hear(&f), 0);
	assert_int_equal(closes, 0);
}

/* A guest that does not take input holds the client back; a client that does not read, the guest. */
static void both_wait(void **state)
{
	static char packet[EXEC_PIPE_PACKET_MAX];
	static struct guest_exec got;
	struct guest_frame f;
	size_t sent = 0, heard = 0, credited = 0;
	int fd;

	(void)state;
	begin();
	fd = start(false, &got);
	for (int i = 0; i < 200; i++) {
		if (send(fd, packet, sizeof(packet), MSG_DONTWAIT) > 0)
			sent += sizeof(packet) - 1;
		turn();
	}
	while (hear(&f) == GUEST_MSG_STDIN)
		heard += f.len;
	assert_int_equal(heard, GUEST_EXEC_WINDOW);
	assert_true(sent < 200 * EXEC_PIPE_DATA_MAX);
	say(guest_credit_encode(GUEST_CREDIT_EXEC(0, 0), 2 * EXEC_PIPE_DATA_MAX, buf, sizeof(buf)));
	for (heard = 0; hear(&f) == GUEST_MSG_STDIN;)
		heard += f.len;
	assert_int_equal(heard, 2 * EXEC_PIPE_DATA_MAX);

	/* What fits the client's socket is credited, the window beyond it is not. */
	for (size_t i = 0; i < 100; i++) {
		const struct guest_exec_output m = {.data = packet, .len = GUEST_EXEC_DATA_MAX};

		if (i * GUEST_EXEC_DATA_MAX - credited + m.len > GUEST_EXEC_WINDOW)
			break;
		say(guest_exec_output_encode(&m, buf, sizeof(buf)));
		while (hear(&f) == GUEST_MSG_CREDIT)
			credited += GUEST_EXEC_DATA_MAX;
		sent = (i + 1) * GUEST_EXEC_DATA_MAX;
	}
	assert_int_equal(sent - credited, GUEST_EXEC_WINDOW);
	for (heard = 0; recv(fd, packet, sizeof(packet), MSG_DONTWAIT) > 0; turn())
		heard += EXEC_PIPE_DATA_MAX;
	assert_int_equal(heard, sent);
	while (hear(&f) == GUEST_MSG_CREDIT)
		credited += GUEST_EXEC_DATA_MAX;
	assert_int_equal(credited, sent);
	close(fd);
	assert_int_equal(closes, 0);
}

/* The next frame, or 0 when the session was closed. What the test waits for comes, however slow the machine is. */
static int hear_late(struct guest_frame *f)
{
	int type = 0, closed = closes;

	while (!type && closes == closed) {
		assert_int_equal(loop_once(&loop, 1000), 0);
		type = hear(f);
	}
	return type;
}

/* A guest that hangs is asked, given up, and its clients are told why; one that answers keeps them. */
static void guest_hangs(void **state)
{
	static const struct guest_stats stats;
	static struct guest_exec got;
	struct guest_frame f;
	uint32_t ask;
	int fd;

	(void)state;
	begin();
	server->alive_ms = 200;
	fd = start(false, &got);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(hear_late(&f), GUEST_MSG_STATS_ASK);
		assert_int_equal(guest_stats_ask_decode(&f, &ask), 0);
		assert_int_equal(ask, 0);
		assert_int_equal(closes, 0);
		say(guest_stats_encode(&stats, buf, sizeof(buf)));
	}
	assert_int_equal(hear_late(&f), GUEST_MSG_STATS_ASK);
	assert_int_equal(hear_late(&f), 0);
	assert_int_equal(closes, 1);
	expect_end(fd, 0, true);

	/* Nobody waits: nothing is asked, as no timer is set. */
	close(guest);
	begin();
	assert_false(timer_armed(&session->alive_timer));
}

static void attached(void **state)
{
	static const char zeros[GUEST_LOG_DATA_MAX];
	struct guest_log line = {.data = "one\n", .len = 4};
	static struct guest_exec got;
	struct guest_frame f;
	int fd, late;

	(void)state;
	begin();
	fd = start(true, &got);
	assert_true(got.attach);
	say(guest_log_encode(&line, buf, sizeof(buf)));
	expect_packet(fd, EXEC_PIPE_STDOUT, "one\n");
	line.stream = GUEST_STREAM_STDERR;
	say(guest_log_encode(&line, buf, sizeof(buf)));
	expect_packet(fd, EXEC_PIPE_STDERR, "one\n");
	line.container = 1; /* another's */
	line.stream = GUEST_STREAM_STDOUT;
	say(guest_log_encode(&line, buf, sizeof(buf)));
	end(got.exec, 0);
	expect_end(fd, 0, false);
	while (hear(&f))
		;

	/* One that lags is cut off, the container goes on. */
	late = start(true, &got);
	line = (struct guest_log){.data = zeros, .offset = 4};
	for (int i = 0; i < 200; i++) {
		line.len = GUEST_LOG_DATA_MAX;
		say(guest_log_encode(&line, buf, sizeof(buf)));
		line.offset += line.len;
	}
	assert_int_equal(closes, 0);
	end(got.exec, 0);
	for (int i = 0; i < 200; i++, turn()) {
		uint8_t packet[EXEC_PIPE_PACKET_MAX];

		if (recv(late, packet, sizeof(packet), MSG_DONTWAIT | MSG_PEEK) !=
		    EXEC_PIPE_PACKET_MAX)
			break;
		recv(late, packet, sizeof(packet), MSG_DONTWAIT);
	}
	expect_end(late, 0, true);
}

static void rule_breakers(void **state)
{
	static struct guest_exec got;
	struct guest_exec m = {.attach = true};
	struct err e = ERR_INIT;
	int fd;

	(void)state;
	begin();
	m.attach = false;
	assert_int_equal(session_exec(session, &m, &e), -EINVAL); /* nothing to execute */
	give(3, "x"); /* a slot that is free */
	assert_null(session);
	close(guest);
	begin();
	fd = start(false, &got);
	end(0, 0);
	expect_end(fd, 0, false);
	end(0, 0); /* twice */
	assert_null(session);
	close(guest);
	begin();
	fd = start(false, &got);
	say(guest_credit_encode(GUEST_CREDIT_EXEC(0, 0), 1, buf,
				sizeof(buf))); /* more than it had */
	assert_null(session);
	expect_end(fd, 0, true);
	close(guest);
	begin();
	for (int i = 0; i < GUEST_EXECS_MAX; i++)
		close(start(false, &got));
	m.attach = true;
	assert_int_equal(session_exec(session, &m, &e), -EBUSY);
}

/* A client that breaks the rules loses its exec, and nothing else. */
static void bad_clients(void **state)
{
	static const uint8_t bad[] = {EXEC_PIPE_STDOUT, EXEC_PIPE_END, 99, EXEC_PIPE_RESIZE};
	static uint8_t huge[EXEC_PIPE_PACKET_MAX + 1];
	static struct guest_exec got;
	struct guest_frame f;

	(void)state;
	begin();
	for (size_t i = 0; i <= ARRAY_SIZE(bad); i++) {
		int fd = start(false, &got);

		if (i < ARRAY_SIZE(bad))
			assert_int_equal(send(fd, &bad[i], 1, 0), 1);
		else
			assert_int_equal(send(fd, huge, sizeof(huge), 0), sizeof(huge));
		turn();
		assert_int_equal(hear(&f), GUEST_MSG_SIGNAL);
		assert_int_equal(recv(fd, huge, sizeof(huge), MSG_DONTWAIT), 0);
		close(fd);
		end(got.exec, 129);
	}
	assert_int_equal(closes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_whole_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(client_dies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(both_wait, set_up, tear_down),
		cmocka_unit_test_setup_teardown(guest_hangs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(attached, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rule_breakers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bad_clients, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
