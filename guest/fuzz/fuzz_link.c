// SPDX-License-Identifier: Apache-2.0
/*
 * hyperstart's end of the connection: any bytes from the host go through the real link and the real execs.
 * What lies beyond the process is faked: the vsock socket is a socket pair, an exec starts pipes and no
 * process, and no signal is sent.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "container.h"
#include "exec_impl.h"
#include "link.h"
#include "output.h"

#define FUZZ_PIECE 700 /* bytes in one read, so that frames are cut */
#define FUZZ_FDS   64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct loop loop;
static struct guest_container spec;
static struct container containers[2];
static int host = -1; /* the other end of the link */
static int held[FUZZ_FDS]; /* the process' ends of its pipes */
static size_t held_count;
static pid_t last_pid;

/* In the place of libc's */
int socket(int domain, int type, int protocol)
{
	int pair[2];

	(void)domain;
	(void)protocol;
	if (host >= 0 || socketpair(AF_UNIX, type, 0, pair) < 0) {
		errno = ECONNREFUSED;
		return -1;
	}
	host = pair[1];
	return pair[0];
}

int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)fd;
	(void)addr;
	(void)len;
	return 0;
}

int kill(pid_t pid, int sig)
{
	(void)pid;
	if (sig < 0 || sig > 64)
		abort();
	return 0;
}

static void hold(int fd)
{
	if (held_count < FUZZ_FDS)
		held[held_count++] = fd;
	else
		close(fd);
}

int exec_start(struct loop *l, struct exec *x, const struct guest_exec *m, struct err *e)
{
	int pipes[2];

	(void)l;
	if (!m->args.count)
		return err_set(e, -EINVAL, "no command");
	for (uint32_t i = 0; i < m->args.count; i++)
		if (strlen(m->args.at[i]) > GUEST_STR_MAX)
			abort();
	for (int i = 0; i < 2; i++) {
		if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) < 0)
			return -errno;
		x->out[i].fd = pipes[0];
		if (write(pipes[1], "hello", 5) != 5 || exec_watch_out(&x->out[i], e) < 0)
			abort();
		hold(pipes[1]);
	}
	if (x->in) {
		if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) < 0)
			return -errno;
		x->in_fd = pipes[1];
		hold(pipes[0]);
	}
	x->pid = ++last_pid;
	return 0;
}

int child_report_take(struct watch *w, struct child_report *r)
{
	(void)r;
	watch_del(w);
	w->fd = fd_close(w->fd);
	return 0;
}

int container_input(const struct container *c)
{
	return c == &containers[0] ? open("/dev/null", O_WRONLY | O_CLOEXEC | O_NONBLOCK) : -1;
}

void container_input_end(struct container *c)
{
	if (c < containers || c >= containers + ARRAY_SIZE(containers))
		abort();
}

bool container_drained(const struct container *c)
{
	return c->index;
}

void terminal_resize(int fd, uint16_t cols, uint16_t rows)
{
	(void)fd;
	(void)cols;
	(void)rows;
}

static void hello(struct guest_hello *m)
{
	m->state = GUEST_STATE_WAITING;
}

static void up(const struct guest_welcome *m)
{
	(void)m;
}

static void frame(const struct guest_frame *f)
{
	exec_frame(f, containers, ARRAY_SIZE(containers));
}

static long next(void *out, size_t size)
{
	return exec_next(out, size);
}

static void drain_host(void)
{
	uint8_t sink[4096];

	while (recv(host, sink, sizeof(sink), MSG_DONTWAIT) > 0)
		;
}

/* The host hangs up; all processes end. Nothing may be left of the execs. */
static void finish(void)
{
	uint8_t out[GUEST_FRAME_HEADER + GUEST_FRAME_PAYLOAD_MAX];

	host = fd_close(host);
	for (int i = 0; i < 4; i++)
		loop_once(&loop, 0);
	exec_orphan_all();
	for (pid_t pid = 1; pid <= last_pid; pid++)
		exec_reaped(pid, pid % 3);
	while (held_count)
		close(held[--held_count]);
	if (exec_next(out, sizeof(out)) != 0)
		abort();
	last_pid = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct link_events events = {
		.hello = hello, .up = up, .down = exec_orphan_all, .frame = frame, .next = next};

	if (size > 60000)
		return 0;
	signal(SIGPIPE, SIG_IGN); /* the kernel spares PID 1 */
	log_set_level(LOG_LEVEL_ERROR);
	if (loop_init(&loop) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(containers); i++) {
		spec.name = "c";
		containers[i] = (struct container){.index = (uint16_t)i,
						   .spec = &spec,
						   .state = CONTAINER_RUNNING,
						   .started_ms = 1};
	}
	exec_init(&loop, link_pump);
	link_start(&loop, &events, NULL);
	for (size_t pos = 0; pos < size && host >= 0; pos += FUZZ_PIECE) {
		size_t n = MIN(size - pos, (size_t)FUZZ_PIECE);

		if (send(host, data + pos, n, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)n)
			break;
		loop_once(&loop, 0);
		drain_host();
		loop_once(&loop, 0);
	}
	finish();
	loop_done(&loop);
	return 0;
}
