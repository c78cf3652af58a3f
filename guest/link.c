// SPDX-License-Identifier: Apache-2.0
#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"

#define LINK_MOD	  "link"
#define LINK_RETRY_MIN_MS 10
#define LINK_RETRY_MAX_MS 1000
#define LINK_FRAME_MAX	  (GUEST_FRAME_HEADER + GUEST_FRAME_PAYLOAD_MAX)
#define LINK_OUT_FREE_MIN (GUEST_FRAME_HEADER + 64 + GUEST_LOG_DATA_MAX) /* the longest we send */

static struct {
	struct loop *loop;
	const struct link_events *events;
	const char *device;
	struct watch watch;
	struct timer retry;
	uint32_t retry_ms;
	int fd;
	bool connected; /* HELLO is on its way */
	bool welcome;
	bool writing;
	size_t in_len, out_len;
	uint8_t in[LINK_FRAME_MAX], out[LINK_FRAME_MAX];
} link_;

static void link_down(const char *why, int code)
{
	bool was_up = link_.welcome;

	if (was_up)
		log_warn(LINK_MOD, "ev=link_down msg=\"%s: %s\"", why, strerror(-code));
	watch_del(&link_.watch);
	link_.fd = fd_close(link_.fd);
	link_.connected = link_.welcome = link_.writing = false;
	link_.in_len = link_.out_len = 0;
	timer_set(&link_.retry, link_.retry_ms);
	link_.retry_ms = MIN(link_.retry_ms * 2, (uint32_t)LINK_RETRY_MAX_MS);
	if (was_up)
		link_.events->down();
}

static void link_flush(void)
{
	size_t done = 0;

	while (done < link_.out_len) {
		ssize_t n = write(link_.fd, link_.out + done, link_.out_len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			link_down("write", -errno);
			return;
		}
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	link_.out_len -= done;
	memmove(link_.out, link_.out + done, link_.out_len);
	if (link_.writing != (link_.out_len > 0)) {
		link_.writing = link_.out_len > 0;
		watch_mod(&link_.watch, link_.writing ? EPOLLIN | EPOLLOUT : EPOLLIN);
	}
}

void link_pump(void)
{
	while (link_.welcome) {
		long n = 0;

		while (sizeof(link_.out) - link_.out_len >= LINK_OUT_FREE_MIN) {
			n = link_.events->next(link_.out + link_.out_len,
					       sizeof(link_.out) - link_.out_len);
			if (n <= 0)
				break;
			link_.out_len += (size_t)n;
		}
		if (link_.out_len)
			link_flush();
		if (n <= 0 || link_.out_len)
			return;
	}
}

static void link_frame(const struct guest_frame *f)
{
	struct guest_welcome m;

	if (link_.welcome) {
		link_.events->frame(f);
		return;
	}
	if (f->type != GUEST_MSG_WELCOME || guest_welcome_decode(f, &m) < 0 ||
	    !guest_version_pick(m.version, m.version)) {
		link_down("no WELCOME that we understand", -EPROTO);
		return;
	}
	link_.welcome = true;
	link_.retry_ms = LINK_RETRY_MIN_MS;
	log_info(LINK_MOD, "ev=link_up version=%u", m.version);
	link_.events->up(&m);
}

static void link_parse(void)
{
	struct guest_frame f;
	size_t pos = 0;
	long n = 0;

	while (link_.connected) {
		n = guest_frame_parse(link_.in + pos, link_.in_len - pos, &f);
		if (n <= 0)
			break;
		pos += (size_t)n;
		link_frame(&f);
	}
	if (!link_.connected)
		return;
	if (n < 0) {
		link_down("frame beyond the limit", (int)n);
		return;
	}
	link_.in_len -= pos;
	memmove(link_.in, link_.in + pos, link_.in_len);
	link_pump();
}

static void link_readable(void)
{
	/* There is always room: the buffer holds the longest frame, and whole ones are taken out. */
	ssize_t n = read(link_.fd, link_.in + link_.in_len, sizeof(link_.in) - link_.in_len);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		link_down("read", n < 0 ? -errno : -ECONNRESET);
		return;
	}
	link_.in_len += (size_t)n;
	link_parse();
}

static void link_hello(void)
{
	struct guest_hello m = {.version_min = GUEST_MSG_VERSION_MIN,
				.version_max = GUEST_MSG_VERSION_MAX,
				.uptime_ms = clock_mono_ms()};
	struct utsname u;
	long n;

	link_.connected = true;
	m.build = uname(&u) == 0 ? u.release : "";
	link_.events->hello(&m);
	n = guest_hello_encode(&m, link_.out, sizeof(link_.out));
	link_.out_len = n > 0 ? (size_t)n : 0;
	link_.writing = true; /* as the watch has it now; link_flush() corrects it */
	link_flush();
}

static void link_event(struct watch *w, uint32_t events)
{
	if (!link_.connected) {
		int code = 0;
		socklen_t len = sizeof(code);

		if (!link_.device && getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0)
			code = errno;
		if (code)
			link_down("connect", -code);
		else
			link_hello();
		return;
	}
	if (events & EPOLLOUT) {
		link_flush();
		link_pump();
	}
	if (link_.connected && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		link_readable();
}

static int link_open_device(void)
{
	struct termios t;
	int fd = open(link_.device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && tcgetattr(fd, &t) == 0) {
		cfmakeraw(&t);
		cfsetspeed(&t, B115200);
		tcsetattr(fd, TCSANOW, &t);
	}
	return fd;
}

static int link_open_vsock(void)
{
	struct sockaddr_vm host = {
		.svm_family = AF_VSOCK,
		.svm_cid = VMADDR_CID_HOST,
		.svm_port = GUEST_MSG_PORT,
	};
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&host, sizeof(host)) < 0 &&
	    errno != EINPROGRESS)
		fd = fd_close(fd);
	return fd;
}

static void link_connect(struct timer *t)
{
	(void)t;
	link_.fd = link_.device ? link_open_device() : link_open_vsock();
	if (link_.fd < 0) {
		link_down("connect", -errno);
		return;
	}
	if (watch_add(link_.loop, &link_.watch, link_.fd, EPOLLIN | EPOLLOUT, link_event) < 0)
		link_down("watch", -errno);
}

void link_start(struct loop *l, const struct link_events *events, const char *device)
{
	link_.loop = l;
	link_.events = events;
	link_.device = device;
	link_.fd = -1;
	link_.retry_ms = LINK_RETRY_MIN_MS;
	timer_init(l, &link_.retry, link_connect);
	link_connect(&link_.retry);
}
