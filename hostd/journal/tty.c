// SPDX-License-Identifier: Apache-2.0
#include "journal/tty.h"

#include <errno.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

void tty_init(struct tty *t, struct loop *loop, int fd)
{
	*t = (struct tty){.loop = loop, .fd = fd};
	buf_init(&t->waiting, TTY_WAITING_MAX);
}

void tty_done(struct tty *t)
{
	watch_del(&t->writable);
	t->fd = fd_close(t->fd);
	buf_done(&t->waiting);
}

static void tty_writable(struct watch *w, uint32_t events);

/* As much as it takes now */
static void tty_flush(struct tty *t)
{
	while (t->waiting.len) {
		ssize_t n = write(t->fd, t->waiting.data, t->waiting.len);

		if (n > 0) {
			buf_consume(&t->waiting, (size_t)n);
		} else if (n < 0 && errno == EAGAIN) {
			if (!t->writable.loop &&
			    watch_add(t->loop, &t->writable, t->fd, EPOLLOUT, tty_writable) < 0)
				break;
			return;
		} else if (n == 0 || errno != EINTR) {
			break; /* hung up, as a line without carrier: what comes next is tried again */
		}
	}
	buf_clear(&t->waiting);
	watch_del(&t->writable);
}

static void tty_writable(struct watch *w, uint32_t events)
{
	(void)events;
	tty_flush(container_of(w, struct tty, writable));
}

void tty_put(struct tty *t, const void *data, size_t len)
{
	if (t->fd < 0)
		return;
	if (buf_append(&t->waiting, data, len) < 0)
		t->dropped++;
	else if (!t->writable.loop)
		tty_flush(t);
}

uint64_t tty_dropped(struct tty *t)
{
	uint64_t dropped = t->waiting.len < TTY_WAITING_MAX / 2 ? t->dropped : 0;

	t->dropped -= dropped;
	return dropped;
}
