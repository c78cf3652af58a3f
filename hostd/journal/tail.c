// SPDX-License-Identifier: Apache-2.0
#include "journal/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "journal/ring.h"

#define TAIL_CHUNK 16384

void tail_open(struct tail *t, int dir_fd, const struct tail_at *at)
{
	*t = (struct tail){.dir_fd = dir_fd, .fd = -1, .at = *at};
	buf_init(&t->data, TAIL_CHUNK + RING_ENTRY_MAX);
}

static void tail_leave(struct tail *t)
{
	t->fd = fd_close(t->fd);
	buf_clear(&t->data);
}

void tail_close(struct tail *t)
{
	tail_leave(t);
	buf_done(&t->data);
}

void tail_go(struct tail *t, const struct tail_at *at)
{
	tail_leave(t);
	t->at = *at;
}

/* Return: the inode, 0 when there is no such file */
static uint64_t tail_inode(const struct tail *t, const char *name)
{
	struct stat st;

	return fstatat(t->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_ino : 0;
}

static int tail_take(struct tail *t, const char *name, uint64_t inode)
{
	struct stat st;

	t->fd = openat(t->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (t->fd < 0 || fstat(t->fd, &st) < 0)
		return -errno;
	if (st.st_ino != inode) { /* renamed between two looks */
		tail_leave(t);
		return -EAGAIN;
	}
	if (t->at.inode != inode)
		t->at = (struct tail_at){.inode = inode, .number = t->at.number};
	t->read_offset = t->at.offset;
	return 0;
}

/* The file that we were in; else the one behind it, or what is oldest of the ones there are */
static int tail_find(struct tail *t, bool behind)
{
	for (int tries = 0; tries < 3; tries++) {
		uint64_t newest = tail_inode(t, RING_NAME), older = tail_inode(t, RING_OLDER);
		bool was_older = older && older == t->at.inode;
		bool to_newest = !older || (was_older && behind) ||
				 (newest == t->at.inode && !behind);
		int r;

		if (!newest && !older)
			return -ENOENT;
		r = to_newest ? tail_take(t, RING_NAME, newest) : tail_take(t, RING_OLDER, older);
		if (r != -EAGAIN && r != -ENOENT)
			return r;
	}
	return -EAGAIN;
}

/* Return: 1 when more of the file came; 0 at its end; -errno */
static int tail_read(struct tail *t)
{
	ssize_t n;

	if (buf_reserve(&t->data, TAIL_CHUNK) < 0)
		return -E2BIG;
	n = pread(t->fd, t->data.data + t->data.len, TAIL_CHUNK, (off_t)t->read_offset);
	if (n <= 0)
		return n < 0 ? -errno : 0;
	t->data.len += (size_t)n;
	t->read_offset += (uint64_t)n;
	return 1;
}

/* "# N": the line behind it is number N */
static void tail_head(struct tail *t, const char *text, uint64_t *lost)
{
	uint64_t number = strtoull(text + 1, NULL, 10);

	if (t->at.number && number > t->at.number)
		*lost += number - t->at.number;
	t->at.number = number;
}

/* A line of what was read. Return: 1; 0 when there is no whole one */
static int tail_line(struct tail *t, struct line *l, uint64_t *lost)
{
	const char *newline;

	while (t->data.len && (newline = memchr(t->data.data, '\n', t->data.len)) != NULL) {
		size_t len = (size_t)(newline - t->data.data);
		bool head = *t->data.data == '#', good = false;

		if (head)
			tail_head(t, t->data.data, lost);
		else
			good = ring_parse(t->data.data, len, l) == 0;
		t->at.offset += len + 1;
		t->at.number += !head;
		buf_consume(&t->data, len + 1);
		if (good)
			return 1;
	}
	return 0;
}

int tail_next(struct tail *t, struct line *l, uint64_t *lost)
{
	int r = t->fd < 0 ? tail_find(t, false) : 0;
	bool moved = false;

	if (r == -ENOENT)
		return 0;
	while (r == 0) {
		if (tail_line(t, l, lost))
			return 1;
		r = tail_read(t);
		if (r > 0) {
			r = 0;
			moved = false;
			continue;
		}
		if (r < 0 || tail_inode(t, RING_NAME) == t->at.inode)
			return r;
		/* It was renamed: what was written before that may not have been seen yet */
		if (!moved) {
			moved = true;
			continue;
		}
		tail_leave(t);
		r = tail_find(t, true);
		moved = false;
	}
	return r;
}
