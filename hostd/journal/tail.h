/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the ring line by line, from where one was, counting what was overwritten meanwhile. */
#ifndef JOURNAL_TAIL_H
#define JOURNAL_TAIL_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "journal/line.h"

/* Where a reader is: what comes next */
struct tail_at {
	uint64_t inode; /* of the file; 0: whatever is oldest */
	uint64_t offset; /* bytes */
	uint64_t number; /* of the line since boot; 0: not known */
};

struct tail {
	int dir_fd, fd;
	struct tail_at at;
	uint64_t read_offset; /* up to which the file is in @data */
	struct buf data; /* of the file from at.offset on */
};

/** tail_open() - @dir_fd: the ring's folder, borrowed; @at: from tail_at of an earlier reader, or zero */
void tail_open(struct tail *t, int dir_fd, const struct tail_at *at);
void tail_close(struct tail *t);

/**
 * tail_next() - The next line
 * @lost: how many were overwritten before it could be read is added
 * Return: 1; 0 when there is none yet; -errno.
 */
int tail_next(struct tail *t, struct line *l, uint64_t *lost);

/** tail_go() - Go back, or on, to @at: the next line is the one there */
void tail_go(struct tail *t, const struct tail_at *at);

#endif
