// SPDX-License-Identifier: Apache-2.0
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "proto/guest_msg.h"

#define OUTPUT_ROOM_MIN 4096 /* reading in smaller pieces would only make more records */

void output_init(struct output *o, struct loop *l, void (*ready)(void))
{
	o->loop = l;
	o->ready = ready;
	o->fd = o->write_fd = -1;
}

static void output_close(struct output *o)
{
	watch_del(&o->watch);
	o->fd = fd_close(o->fd);
}

static void output_readable(struct watch *w, uint32_t events)
{
	static uint8_t data[GUEST_LOG_DATA_MAX];
	struct output *o = container_of(w, struct output, watch);
	size_t room = ring_room(&o->ring);
	ssize_t n;

	(void)events;
	if (room < OUTPUT_ROOM_MIN) {
		watch_del(&o->watch);
		return;
	}
	n = read(o->fd, data, MIN(room, sizeof(data)));
	if (n > 0)
		ring_put(&o->ring, clock_real_ns(), data, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		output_close(o); /* EIO: the terminal's last user has gone */
	o->ready();
}

static int output_watch(struct output *o, struct err *e)
{
	int r = watch_add(o->loop, &o->watch, o->fd, EPOLLIN, output_readable);

	return r < 0 ? err_sys(e, r, "watch a container's output") : 0;
}

int output_pipe(struct output *o, struct err *e)
{
	int r;

	if (o->write_fd >= 0)
		return o->write_fd;
	r = fd_pipe(&o->fd, &o->write_fd, false);
	if (r < 0)
		return err_sys(e, r, "make a pipe");
	r = output_watch(o, e);
	return r < 0 ? r : o->write_fd;
}

int terminal_open(int ptmx, int *pts, struct err *e)
{
	int unlock = 0, slave;

	if (ioctl(ptmx, TIOCSPTLCK, &unlock) < 0 || (pts && ioctl(ptmx, TIOCGPTN, pts) < 0))
		return err_sys(e, -errno, "unlock a terminal");
	slave = ioctl(ptmx, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return slave < 0 ? err_sys(e, -errno, "open a terminal") : slave;
}

void terminal_resize(int fd, uint16_t cols, uint16_t rows)
{
	const struct winsize size = {.ws_col = cols, .ws_row = rows};

	if (fd >= 0 && cols && rows && ioctl(fd, TIOCSWINSZ, &size) < 0)
		return; /* it is no terminal any more */
}

int output_terminal(struct output *o, int *pts, struct err *e)
{
	int slave;

	output_close(o);
	o->fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (o->fd < 0)
		return err_sys(e, -errno, "open a terminal");
	slave = terminal_open(o->fd, pts, e);
	if (slave >= 0 && output_watch(o, e) < 0) {
		fd_close(slave);
		return -EIO;
	}
	return slave;
}

void output_resume(struct output *o)
{
	if (o->fd >= 0 && !o->watch.loop && ring_room(&o->ring) >= OUTPUT_ROOM_MIN)
		output_watch(o, NULL);
}

bool output_drained(const struct output *o)
{
	int waiting = 0;

	if (!ring_empty(&o->ring))
		return false;
	if (o->write_fd <
	    0) /* a terminal is closed when all was read; before the first run none is */
		return o->fd < 0;
	if (ioctl(o->fd, FIONREAD, &waiting) < 0)
		waiting = 0;
	return waiting == 0;
}
