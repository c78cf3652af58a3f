// SPDX-License-Identifier: Apache-2.0
/* A hostile guest: whatever it sends, hostd keeps its word to the owner and loses only the guest. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vm/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct session *open_session;
static int clients[2] = {-1, -1}; /* of an exec and of one who is attached */
static uint64_t uncredited;

static void *on_hello(void *arg, struct session *s, uint32_t cid, const struct guest_hello *hello)
{
	static const char *const command = "cat";

	(void)cid;
	if (strlen(hello->build) > GUEST_NAME_MAX || open_session)
		abort();
	open_session = s;
	for (int i = 0; i < 2; i++) {
		struct guest_exec exec = {.attach = i, .with_stdin = true, .args = {&command, !i}};

		if (clients[i] < 0)
			clients[i] = session_exec(s, &exec, NULL);
	}
	return arg;
}

static void on_started(void *pod, const struct guest_started *m)
{
	if (!pod || m->container >= GUEST_CONTAINERS_MAX)
		abort();
}

static void on_ended(void *pod, const struct guest_exit *m)
{
	if (!pod || m->container >= GUEST_CONTAINERS_MAX || m->message_len > GUEST_TERMINATION_MAX)
		abort();
}

static void on_failed(void *pod, const struct guest_failed *m)
{
	if (!pod || strlen(m->message) > GUEST_MESSAGE_MAX)
		abort();
}

static void on_probed(void *pod, const struct guest_probed *m)
{
	if (!pod || m->container >= GUEST_CONTAINERS_MAX || m->kind >= GUEST_PROBE_KINDS)
		abort();
}

static bool on_log(void *pod, const struct guest_log *m)
{
	uncredited += m->len;
	if (!pod || uncredited > (uint64_t)GUEST_STREAMS_MAX * GUEST_LOG_WINDOW)
		abort();
	return m->offset % 2;
}

static void on_done(void *pod)
{
	if (!pod)
		abort();
	session_stop(open_session, 0);
}

static void on_closed(void *pod, struct session *s, const struct err *why)
{
	if (!pod || s != open_session || !why->code)
		abort();
	open_session = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct session_events events = {
		.on_hello = on_hello,
		.on_started = on_started,
		.on_exit = on_ended,
		.on_failed = on_failed,
		.on_probed = on_probed,
		.on_log = on_log,
		.on_done = on_done,
		.on_closed = on_closed,
	};
	struct session_server *srv;
	struct loop loop;
	int fds[2], owner;

	uncredited = 0;
	if (size > 60000 || loop_init(&loop) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return 0;
	srv = session_server_new(&loop, &events, &owner);
	if (session_accept(srv, fds[1], 3, NULL) < 0 ||
	    send(fds[0], data, size, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)size)
		abort();
	shutdown(fds[0], SHUT_WR);
	for (int i = 0; i < 8; i++)
		loop_once(&loop, 0);
	close(fds[0]);
	for (int i = 0; i < 2; i++) {
		if (clients[i] >= 0)
			close(clients[i]);
		clients[i] = -1;
	}
	session_server_free(srv);
	loop_done(&loop);
	if (open_session)
		abort();
	return 0;
}
