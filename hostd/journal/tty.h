/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing to a terminal that may be slow, blocked by flow control, or not there: nothing waits for it. What it
 * does not take waits in a bounded buffer; what does not fit there is dropped by whole pieces and counted.
 */
#ifndef JOURNAL_TTY_H
#define JOURNAL_TTY_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/loop.h"

#define TTY_WAITING_MAX ((size_t)64 << 10)

struct tty {
	struct loop *loop;
	struct watch writable;
	int fd; /* not blocking; -1: there is none */
	struct buf waiting;
	uint64_t dropped; /* pieces since the last tty_dropped() */
};

/** tty_init() - @fd: taken over, -1: all is thrown away */
void tty_init(struct tty *t, struct loop *loop, int fd);
void tty_done(struct tty *t);

/** tty_put() - Write a piece, whole or not at all */
void tty_put(struct tty *t, const void *data, size_t len);

/** tty_dropped() - How many pieces were dropped, once there is room again; 0: none, or not yet */
uint64_t tty_dropped(struct tty *t);

#endif
