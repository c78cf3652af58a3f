// SPDX-License-Identifier: Apache-2.0
/* Sessions over socket pairs: the other end plays guests, well-behaved and not. */
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
#include "vm/session.h"

#define CID_KNOWN 7

/* What the owner saw; one pod at a time. */
struct owner {
	struct session *session;
	struct session *before; /* the session before this one */
	int hellos, closes, started, ended, failed, done;
	int last_closed_code;
	bool keep_logs;
	uint64_t log_bytes;
	char log[64];
	char reason[64];
	enum guest_state state;
};

static struct loop loop;
static struct owner owner;
static struct session_server *server;

static void *on_hello(void *arg, struct session *s, uint32_t cid, const struct guest_hello *hello)
{
	struct owner *o = arg;

	o->hellos++;
	o->state = hello->state;
	if (cid != CID_KNOWN)
		return NULL;
	o->before = o->session;
	o->session = s;
	return o;
}

static void on_started(void *pod, const struct guest_started *m)
{
	assert_int_equal(m->pid, 42);
	((struct owner *)pod)->started++;
}

static void on_exit_(void *pod, const struct guest_exit *m)
{
	assert_int_equal(m->code, 3);
	((struct owner *)pod)->ended++;
}

static void on_failed(void *pod, const struct guest_failed *m)
{
	struct owner *o = pod;

	o->failed++;
	strcpy(o->reason, m->reason);
}

static bool on_log(void *pod, const struct guest_log *m)
{
	struct owner *o = pod;

	o->log_bytes += m->len;
	if (m->len < sizeof(o->log))
		memcpy(o->log, m->data, m->len);
	return o->keep_logs;
}

static void on_done(void *pod)
{
	struct owner *o = pod;

	o->done++;
	session_stop(o->session, 0);
}

static void on_closed(void *pod, struct session *s, const struct err *why)
{
	struct owner *o = pod;

	o->closes++;
	o->last_closed_code = why->code;
	if (o->session == s)
		o->session = NULL;
}

static const struct session_events events = {
	.on_hello = on_hello,
	.on_started = on_started,
	.on_exit = on_exit_,
	.on_failed = on_failed,
	.on_log = on_log,
	.on_done = on_done,
	.on_closed = on_closed,
};

static int set_up(void **state)
{
	(void)state;
	owner = (struct owner){.keep_logs = true};
	assert_int_equal(loop_init(&loop), 0);
	server = session_server_new(&loop, &events, &owner);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	server = session_server_free(server);
	loop_done(&loop);
	return 0;
}

static void turn(void)
{
	for (int i = 0; i < 20; i++)
		assert_int_equal(loop_once(&loop, 0), 0);
}

static int connect_as(uint32_t cid)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(session_accept(server, fds[1], cid, NULL), 0);
	return fds[0];
}

static void say(int fd, const void *data, long len)
{
	assert_true(len > 0);
	assert_int_equal(send(fd, data, (size_t)len, MSG_NOSIGNAL), len);
	turn();
}

static void say_hello(int fd, enum guest_state state)
{
	struct guest_hello m = {1, GUEST_MSG_VERSION_MAX, state, 5, "test"};
	uint8_t data[128];

	say(fd, data, guest_hello_encode(&m, data, sizeof(data)));
}

/* The next frame that the host sent; type 0 at the end of the connection, -1 when there is none. */
static int hear(int fd, struct guest_frame *f, uint8_t *buf, size_t size)
{
	ssize_t n = recv(fd, buf, GUEST_FRAME_HEADER, MSG_DONTWAIT);

	if (n <= 0)
		return n == 0 || errno != EAGAIN ? 0 : -1;
	assert_int_equal(n, GUEST_FRAME_HEADER);
	f->len = (uint32_t)(buf[0] | buf[1] << 8 | buf[2] << 16);
	assert_true(f->len + GUEST_FRAME_HEADER <= size);
	if (f->len)
		assert_int_equal(recv(fd, buf + GUEST_FRAME_HEADER, f->len, MSG_WAITALL), f->len);
	assert_true(guest_frame_parse(buf, f->len + GUEST_FRAME_HEADER, f) > 0);
	return f->type;
}

static void expect_hung_up(int fd)
{
	static uint8_t buf[GUEST_FRAME_HEADER + GUEST_FRAME_PAYLOAD_MAX];
	struct guest_frame f;
	int type;

	turn();
	while ((type = hear(fd, &f, buf, sizeof(buf))) > 0)
		;
	assert_int_equal(type, 0);
	close(fd);
}

static int welcomed(uint32_t cid, enum guest_state state)
{
	struct guest_welcome w;
	struct guest_frame f;
	uint8_t buf[128];
	int fd = connect_as(cid);

	say_hello(fd, state);
	assert_int_equal(hear(fd, &f, buf, sizeof(buf)), GUEST_MSG_WELCOME);
	assert_int_equal(guest_welcome_decode(&f, &w), 0);
	assert_int_equal(w.version, GUEST_MSG_VERSION_MAX);
	assert_int_equal(w.log_window, GUEST_LOG_WINDOW);
	return fd;
}

static void a_pods_life(void **state)
{
	static const char *const args[] = {"true"};
	static uint8_t buf[GUEST_FRAME_HEADER + GUEST_FRAME_PAYLOAD_MAX];
	struct guest_run *run = mem_alloc(sizeof(*run)), *got = mem_alloc(sizeof(*got));
	struct guest_started started = {.pid = 42};
	struct guest_log line = {.data = "hi\n", .len = 3};
	struct guest_exit ended = {.code = 3};
	struct guest_failed failed = {.reason = "StartError", .message = ""};
	struct guest_stop stop;
	struct guest_frame f;
	uint16_t stream;
	uint32_t bytes;
	int fd = welcomed(CID_KNOWN, GUEST_STATE_WAITING);

	(void)state;
	run->layer_count = run->container_count = 1;
	run->layers[0].size_bytes = 4096;
	run->containers[0] =
		(struct guest_container){.name = "a", .layer_count = 1, .args = {args, 1}};
	assert_int_equal(session_send_run(owner.session, run, NULL), 0);
	assert_int_equal(session_send_run(owner.session, run, NULL), -EALREADY);
	turn();
	assert_int_equal(hear(fd, &f, buf, sizeof(buf)), GUEST_MSG_RUN);
	assert_int_equal(guest_run_decode(f.payload, f.len, got, NULL), 0);
	assert_string_equal(got->containers[0].args.at[0], "true");

	say(fd, buf, guest_started_encode(&started, buf, sizeof(buf)));
	say(fd, buf, guest_log_encode(&line, buf, sizeof(buf)));
	assert_string_equal(owner.log, "hi\n");
	assert_int_equal(hear(fd, &f, buf, sizeof(buf)), GUEST_MSG_CREDIT);
	assert_int_equal(guest_credit_decode(&f, &stream, &bytes), 0);
	assert_int_equal(stream, 0);
	assert_int_equal(bytes, 3);
	say(fd, "\0\0\0\0\xee\xee\0\0", 8); /* a type of the future */
	say(fd, buf, guest_exit_encode(&ended, buf, sizeof(buf)));
	say(fd, buf, guest_failed_encode(&failed, buf, sizeof(buf)));
	assert_int_equal(session_stop(owner.session, 500), 0);
	assert_int_equal(hear(fd, &f, buf, sizeof(buf)), GUEST_MSG_STOP);
	assert_int_equal(guest_stop_decode(&f, &stop), 0);
	assert_int_equal(stop.grace_ms, 500);
	assert_false(stop.done_seen);
	say(fd, buf, guest_done_encode(buf, sizeof(buf)));
	assert_int_equal(hear(fd, &f, buf, sizeof(buf)), GUEST_MSG_STOP);
	assert_int_equal(guest_stop_decode(&f, &stop), 0);
	assert_true(stop.done_seen);
	assert_int_equal(owner.started + owner.ended + owner.failed + owner.done, 4);
	assert_string_equal(owner.reason, "StartError");
	close(fd);
	turn();
	assert_int_equal(owner.closes, 1);
	assert_null(owner.session);
	free(run);
	free(got);
}

static void byte_by_byte(void **state)
{
	struct guest_log line = {.container = 1, .data = "x", .len = 1};
	uint8_t buf[128];
	int fd = welcomed(CID_KNOWN, GUEST_STATE_RUNNING);
	long len = guest_log_encode(&line, buf, sizeof(buf));

	(void)state;
	assert_int_equal(owner.state, GUEST_STATE_RUNNING);
	assert_int_equal(session_send_run(owner.session, NULL, NULL), -EALREADY);
	for (long i = 0; i < len; i++) {
		assert_int_equal(owner.log_bytes, 0);
		say(fd, buf + i, 1);
	}
	assert_int_equal(owner.log_bytes, 1);
	close(fd);
}

static void strangers(void **state)
{
	struct guest_hello future = {GUEST_MSG_VERSION_MAX + 1, 99, GUEST_STATE_WAITING, 0, ""};
	uint8_t buf[128];
	int fd, fds[2], fd4[4];

	(void)state;
	fd = connect_as(99); /* nobody's CID */
	say_hello(fd, GUEST_STATE_WAITING);
	expect_hung_up(fd);
	assert_int_equal(owner.hellos, 1);

	fd = connect_as(CID_KNOWN); /* no common version */
	say(fd, buf, guest_hello_encode(&future, buf, sizeof(buf)));
	expect_hung_up(fd);

	fd = connect_as(CID_KNOWN); /* something else before HELLO */
	say(fd, buf, guest_done_encode(buf, sizeof(buf)));
	expect_hung_up(fd);

	for (int i = 0; i < 4; i++)
		fd4[i] = connect_as(CID_KNOWN);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(session_accept(server, fds[1], CID_KNOWN, NULL), -EBUSY);
	expect_hung_up(fds[0]);
	for (int i = 0; i < 4; i++)
		close(fd4[i]);
	turn();
	assert_int_equal(owner.hellos, 1);
	assert_int_equal(owner.closes, 0);
}

static void rule_breakers(void **state)
{
	static const char huge[] = "\x01\x00\x01\x00\x04\x00\x00\x00";
	struct guest_started started = {.container = GUEST_CONTAINERS_MAX};
	struct guest_log line = {.data = "x", .len = 1};
	uint8_t buf[128];
	int fd;

	(void)state;
	fd = welcomed(CID_KNOWN, GUEST_STATE_RUNNING);
	say(fd, huge, 8);
	expect_hung_up(fd);

	fd = welcomed(CID_KNOWN, GUEST_STATE_RUNNING);
	say(fd, buf, guest_started_encode(&started, buf, sizeof(buf)));
	expect_hung_up(fd);

	fd = welcomed(CID_KNOWN, GUEST_STATE_RUNNING); /* a gap in the output */
	say(fd, buf, guest_log_encode(&line, buf, sizeof(buf)));
	line.offset = 2;
	say(fd, buf, guest_log_encode(&line, buf, sizeof(buf)));
	expect_hung_up(fd);

	fd = welcomed(CID_KNOWN, GUEST_STATE_RUNNING); /* HELLO twice */
	say_hello(fd, GUEST_STATE_RUNNING);
	expect_hung_up(fd);
	assert_int_equal(owner.closes, 4);
	assert_int_equal(owner.started, 0);
}

/* Ends without end, then connections without end: both are cut off, and later it may go on. */
static void flooders(void **state)
{
	struct guest_exit ended = {.code = 3, .finished_ns = 1};
	uint8_t buf[128];
	int fd, refused = 0, fds[2];

	(void)state;
	fd = welcomed(CID_KNOWN, GUEST_STATE_RUNNING);
	for (int i = 0; i < 3000 && owner.session; i++) {
		long n = guest_exit_encode(&ended, buf, sizeof(buf));

		if (send(fd, buf, (size_t)n, MSG_NOSIGNAL) < 0)
			break;
		if (i % 50 == 0)
			turn();
	}
	turn();
	assert_null(owner.session);
	assert_int_equal(owner.last_closed_code, -EDQUOT);
	assert_in_range(owner.ended, 1000, 1100);
	close(fd);

	for (int i = 0; i < 50; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
		refused += session_accept(server, fds[1], CID_KNOWN, NULL) == -EBUSY;
		close(fds[0]);
		turn();
	}
	assert_in_range(refused, 40, 50);
	/* Another guest is not concerned, and this one recovers. */
	assert_int_equal(owner.hellos, 1);
	fd = connect_as(99);
	say_hello(fd, GUEST_STATE_WAITING);
	expect_hung_up(fd);
	assert_int_equal(owner.hellos, 2);
	usleep(200000);
	close(welcomed(CID_KNOWN, GUEST_STATE_RUNNING));
}

static void slow_consumer(void **state)
{
	static uint8_t data[GUEST_LOG_DATA_MAX], buf[GUEST_LOG_DATA_MAX + 64];
	struct guest_log line = {.container = 2, .stream = GUEST_STREAM_STDERR, .data = data};
	struct guest_frame f;
	uint16_t stream;
	uint32_t bytes;
	int fd = welcomed(CID_KNOWN, GUEST_STATE_RUNNING);

	(void)state;
	owner.keep_logs = false;
	line.len = sizeof(data);
	for (size_t i = 0; i < GUEST_LOG_WINDOW / sizeof(data); i++) {
		say(fd, buf, guest_log_encode(&line, buf, sizeof(buf)));
		line.offset += line.len;
	}
	assert_int_equal(owner.log_bytes, GUEST_LOG_WINDOW);
	assert_int_equal(hear(fd, &f, buf, sizeof(buf)), -1);
	session_log_kept(owner.session, 2, GUEST_STREAM_STDERR, 100);
	assert_int_equal(hear(fd, &f, buf, sizeof(buf)), GUEST_MSG_CREDIT);
	assert_int_equal(guest_credit_decode(&f, &stream, &bytes), 0);
	assert_int_equal(stream, 5);
	assert_int_equal(bytes, 100);
	line.len = 100;
	say(fd, buf, guest_log_encode(&line, buf, sizeof(buf)));
	line.offset += line.len;
	assert_int_equal(owner.closes, 0);
	line.len = 1; /* one more than the window */
	say(fd, buf, guest_log_encode(&line, buf, sizeof(buf)));
	expect_hung_up(fd);
	assert_int_equal(owner.log_bytes, GUEST_LOG_WINDOW + 100);
}

static void comes_back(void **state)
{
	int first = welcomed(CID_KNOWN, GUEST_STATE_RUNNING), second;
	struct session *s = owner.session;

	(void)state;
	second = welcomed(CID_KNOWN, GUEST_STATE_RUNNING);
	assert_int_equal(owner.closes, 1);
	assert_int_equal(owner.last_closed_code, -ECONNRESET);
	assert_null(owner.before); /* the first was closed before the second was announced */
	assert_ptr_not_equal(owner.session, s);
	expect_hung_up(first);
	session_close(owner.session);
	expect_hung_up(second);
	assert_int_equal(owner.closes, 2);
}

/* Files come before the orders, in as many frames as they need; a guest that takes none is not sent more. */
static void files_of_volumes(void **state)
{
	static uint8_t buf[GUEST_FRAME_HEADER + GUEST_FRAME_PAYLOAD_MAX];
	char *big = mem_alloc(GUEST_FILES_BYTES_MAX);
	struct guest_file file = {.path = "a", .data = big, .len = 3 * GUEST_FRAME_PAYLOAD_MAX};
	struct guest_files m = {.generation = 1, .files = &file, .count = 1};
	int fd = welcomed(CID_KNOWN, GUEST_STATE_WAITING), r = 0, n = 0;
	struct err e = ERR_INIT;
	struct guest_frame f = {0};

	(void)state;
	assert_int_equal(session_send_files(owner.session, &m, &e), 0);
	do {
		turn();
		assert_int_equal(hear(fd, &f, buf, sizeof(buf)), GUEST_MSG_FILES);
		n++;
	} while (f.stream);
	assert_int_equal(n, 4);
	file.path = "../a";
	assert_int_equal(session_send_files(owner.session, &m, &e), -EINVAL);
	file = (struct guest_file){.path = "a", .data = big, .len = GUEST_FILES_BYTES_MAX};
	for (n = 0; n < 10 && r == 0; n++)
		r = session_send_files(owner.session, &m, &e);
	assert_int_equal(r, -ENOBUFS);
	assert_true(n > 3);
	turn();
	assert_int_equal(owner.closes, 0);
	close(fd);
	turn();
	assert_int_equal(owner.closes, 1);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(files_of_volumes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_pods_life, set_up, tear_down),
		cmocka_unit_test_setup_teardown(byte_by_byte, set_up, tear_down),
		cmocka_unit_test_setup_teardown(strangers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rule_breakers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(flooders, set_up, tear_down),
		cmocka_unit_test_setup_teardown(slow_consumer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(comes_back, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
