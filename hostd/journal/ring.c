// SPDX-License-Identifier: Apache-2.0
/*
 * One writer, any number of readers without locks: lines are appended by one write(2) each, and a full file
 * is renamed, never cut. After a crash of the writer a line may be half; it is cut off before the next one.
 */
#include "journal/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define RING_MODE 0640

size_t ring_entry(const struct line *l, char *out)
{
	char time[CLOCK_RFC3339_MAX];

	return (size_t)snprintf(out, RING_ENTRY_MAX, "%s %s F %s %s %s\n",
				clock_rfc3339_nano(time, l->time_ns),
				l->kernel ? "stderr" : "stdout", l->source,
				line_level_name(l->level), l->text);
}

/* The next word of *@at, which is passed with its blank. Return: NULL when there is none */
static const char *ring_word(const char **at, const char *end, size_t *len)
{
	const char *word = *at, *blank = memchr(word, ' ', (size_t)(end - word));

	if (!blank)
		return NULL;
	*len = (size_t)(blank - word);
	*at = blank + 1;
	return word;
}

int ring_parse(const char *entry, size_t len, struct line *l)
{
	const char *at = entry, *end = entry + len;
	const char *words[5]; /* time, stream, tag, source, level */
	size_t lens[ARRAY_SIZE(words)];
	char time[CLOCK_RFC3339_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		words[i] = ring_word(&at, end, &lens[i]);
		if (!words[i])
			return -EBADMSG;
	}
	if (lens[0] >= sizeof(time) || lens[3] >= sizeof(l->source) ||
	    (size_t)(end - at) >= sizeof(l->text) || memchr(entry, '\0', len))
		return -EBADMSG;
	memcpy(time, words[0], lens[0]);
	time[lens[0]] = '\0';
	l->kernel = lens[1] == 6 && memcmp(words[1], "stderr", 6) == 0;
	l->level = line_level_parse(words[4], lens[4]);
	if (clock_parse_rfc3339(time, &l->time_ns) < 0 || l->level == LINE_LEVEL_MAX)
		return -EBADMSG;
	memcpy(l->source, words[3], lens[3]);
	l->source[lens[3]] = '\0';
	memcpy(l->text, at, (size_t)(end - at));
	l->text[end - at] = '\0';
	return 0;
}

/* An empty file, the older one being out of the way. Return: 0 or -errno */
static int ring_begin(struct ring *r)
{
	char head[32];
	int n = snprintf(head, sizeof(head), "# %llu\n", (unsigned long long)r->next);

	r->fd = openat(r->dir_fd, RING_NAME,
		       O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, RING_MODE);
	if (r->fd < 0)
		return -errno;
	r->used_bytes = (size_t)n;
	return fd_write_full(r->fd, head, (size_t)n);
}

static int ring_turn(struct ring *r)
{
	r->fd = fd_close(r->fd);
	if (renameat(r->dir_fd, RING_NAME, r->dir_fd, RING_OLDER) < 0 && errno != ENOENT)
		return -errno;
	return ring_begin(r);
}

/* What is there: how much of it is whole lines, and how far they count */
static void ring_count(struct ring *r, const struct buf *b)
{
	const char *at = buf_str(b), *end = at + b->len, *newline;

	r->next = 1;
	r->used_bytes = 0;
	if (str_starts(at, "# "))
		r->next = strtoull(at + 2, NULL, 10);
	while (at < end && (newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		r->next += *at != '#';
		at = newline + 1;
		r->used_bytes = (size_t)(at - buf_str(b));
	}
}

int ring_open(struct ring *r, int dir_fd, size_t file_bytes, struct err *e)
{
	struct buf b = BUF_INIT(file_bytes + RING_ENTRY_MAX);
	int n;

	*r = (struct ring){.dir_fd = dir_fd, .fd = -1, .file_bytes = file_bytes, .next = 1};
	n = file_read(dir_fd, RING_NAME, &b, NULL);
	if (n == 0) {
		ring_count(r, &b);
		r->fd = openat(dir_fd, RING_NAME, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
		n = r->fd < 0 || ftruncate(r->fd, (off_t)r->used_bytes) < 0 ? -errno : 0;
	} else {
		n = ring_turn(r); /* also away from what cannot be read */
	}
	buf_done(&b);
	return n < 0 ? err_sys(e, n, "open the journal") : 0;
}

void ring_close(struct ring *r)
{
	r->fd = fd_close(r->fd);
}

int ring_add(struct ring *r, const struct line *l)
{
	char entry[RING_ENTRY_MAX];
	size_t len = ring_entry(l, entry);
	int n = 0;

	if (r->fd < 0 || r->used_bytes + len > r->file_bytes)
		n = ring_turn(r);
	if (n == 0)
		n = fd_write_full(r->fd, entry, len);
	if (n < 0) {
		r->fd = fd_close(
			r->fd); /* half a line may be there: the next one goes into a new file */
		return n;
	}
	r->used_bytes += len;
	r->next++;
	return 0;
}
