// SPDX-License-Identifier: Apache-2.0
/*
 * pstore shows what a kernel saved when it panicked as files, removed by unlinking them. A store of small records (EFI
 * variables have a KiB) holds one dump in parts, the youngest first; each part begins with a line of its own. A dump
 * of a panic counts more than one of an oops, a later one more than an earlier one.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "fate/fate.h"

#define RECORDS_LINE_MAX   140
#define RECORDS_WINDOW_MAX 512 /* lines of a dump that are looked at, from its end */
#define RECORDS_BEFORE	   6 /* lines that are told before the headline */
#define RECORDS_AFTER	   16
#define RECORDS_CONSOLE	   12

struct piece {
	bool panic;
	unsigned int count, part;
	struct buf text;
};

struct line {
	const char *at;
	size_t len;
};

int fate_record_head(const char *text, size_t len, bool *panic, unsigned int *count,
		     unsigned int *part)
{
	char head[48], kind[8];
	const char *end = memchr(text, '\n', MIN(len, sizeof(head)));
	int used = 0;

	if (!end)
		return -EINVAL;
	memcpy(head, text, (size_t)(end - text));
	head[end - text] = '\0';
	if (sscanf(head, "%7[A-Za-z]#%6u Part%6u%n", kind, count, part, &used) != 3 || head[used])
		return -EINVAL;
	*panic = str_eq(kind, "Panic");
	if (!*panic && !str_eq(kind, "Oops"))
		return -EINVAL;
	return (int)(end - text) + 1;
}

/* The last lines of a text, in their order, without "<4>" in front */
static size_t split(const char *text, size_t len, struct line *lines, size_t max)
{
	const char *end = text + len;
	size_t n = max;

	while (end > text && n) {
		const char *start = memrchr(text, '\n', (size_t)(end - text));
		struct line l = {start ? start + 1 : text, 0};

		l.len = (size_t)(end - l.at);
		end = start ? start : text;
		if (l.len >= 3 && l.at[0] == '<' && isdigit((unsigned char)l.at[1])) {
			const char *close = memchr(l.at, '>', MIN(l.len, 5U));

			if (close) {
				l.len -= (size_t)(close + 1 - l.at);
				l.at = close + 1;
			}
		}
		if (l.len)
			lines[--n] = l;
	}
	memmove(lines, lines + n, (max - n) * sizeof(*lines));
	return max - n;
}

/* Printable, cut, and without the tail of a cut line */
static void put(char *out, size_t size, const char *at, size_t len)
{
	size_t used = strlen(out), n = MIN(len, (size_t)RECORDS_LINE_MAX);

	if (used + n + 2 > size)
		return;
	if (used)
		out[used++] = '\n';
	for (size_t i = 0; i < n; i++)
		out[used++] = isprint((unsigned char)at[i]) ? at[i] : '?';
	out[used] = '\0';
}

static const char *find(const struct line *l, const char *words)
{
	return memmem(l->at, l->len, words, strlen(words));
}

/* The line that says what happened: the last word that hostd or, without one, the kernel had. @count: none */
static size_t headline(const struct line *lines, size_t count, const char **at)
{
	static const char *const words[] = {
		"Kernel panic - not syncing: ", "Oops: ", "BUG: ", "kernel BUG at "};

	for (size_t w = 0; w < ARRAY_SIZE(words); w++)
		for (size_t i = count; i-- > 0;) {
			*at = find(&lines[i], words[w]);
			if (*at)
				return i;
		}
	return count;
}

void fate_records_pick(const char *text, size_t len, struct fate_records *r)
{
	struct line *lines = mem_array(RECORDS_WINDOW_MAX, sizeof(*lines));
	size_t count = split(text, len, lines, RECORDS_WINDOW_MAX), at, from;
	const char *what;

	r->headline[0] = r->lines[0] = '\0';
	at = headline(lines, count, &what);
	if (at < count) {
		put(r->headline, sizeof(r->headline), what,
		    (size_t)(lines[at].at + lines[at].len - what));
		from = at > RECORDS_BEFORE ? at - RECORDS_BEFORE : 0;
		count = MIN(count, at + RECORDS_AFTER + 1);
	} else {
		from = count > RECORDS_CONSOLE ? count - RECORDS_CONSOLE : 0;
	}
	for (size_t i = from; i < count; i++)
		put(r->lines, sizeof(r->lines), lines[i].at, lines[i].len);
	free(lines);
}

/* Panics first, then what was dumped last, then in the order in which it was written */
static int compare(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->panic != y->panic)
		return x->panic ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->part == y->part ? 0 : x->part > y->part ? -1 : 1;
}

static void take_dump(struct piece *pieces, size_t count, struct fate_records *r)
{
	struct buf whole = BUF_INIT(FATE_TEXT_BYTES);

	if (!count)
		return;
	qsort(pieces, count, sizeof(*pieces), compare);
	r->panic = pieces[0].panic;
	r->oops = !r->panic;
	for (size_t i = 0;
	     i < count && pieces[i].panic == pieces[0].panic && pieces[i].count == pieces[0].count;
	     i++)
		(void)buf_append(&whole, buf_str(&pieces[i].text), pieces[i].text.len);
	fate_records_pick(buf_str(&whole), whole.len, r);
	buf_done(&whole);
}

static int read_some(int dir, const char *name, struct buf *text)
{
	_cleanup_fd_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char data[4096];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, data, sizeof(data))) > 0)
		if (buf_append(text, data, (size_t)n) < 0)
			break; /* as much as is wanted of it */
	return n < 0 ? -errno : 0;
}

/* Return: whether it became a piece of a dump */
static bool read_file(int dir, const char *name, struct piece *p, struct fate_records *r)
{
	struct buf text = BUF_INIT(FATE_FILE_BYTES);
	bool dump = str_starts(name, "dmesg-"), console = str_starts(name, "console-");
	int used = -EINVAL;

	if ((dump || console) && read_some(dir, name, &text) == 0 && text.len) {
		if (dump)
			used = fate_record_head(buf_str(&text), text.len, &p->panic, &p->count,
						&p->part);
		else if (!*r->headline && !*r->lines)
			fate_records_pick(buf_str(&text), text.len, r);
		r->console |= console;
	}
	if (used >= 0) {
		p->text = (struct buf)BUF_INIT(FATE_FILE_BYTES);
		(void)buf_append(&p->text, buf_str(&text) + used, text.len - (size_t)used);
	}
	buf_done(&text);
	return used >= 0;
}

int fate_records_read(const char *path, struct fate_records *r, struct err *e)
{
	struct piece *pieces;
	struct dirent *entry;
	DIR *dir = opendir(path);
	size_t count = 0;

	*r = (struct fate_records){.count = 0};
	if (!dir)
		return err_sys(e, -errno, "open %s", path);
	pieces = mem_array(FATE_FILES_MAX, sizeof(*pieces));
	while (r->count < FATE_FILES_MAX && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' ||
		    str_copy(r->names[r->count], FATE_NAME_MAX, entry->d_name) < 0)
			continue;
		r->count++;
		if (read_file(dirfd(dir), entry->d_name, &pieces[count], r))
			count++;
	}
	closedir(dir);
	take_dump(pieces, count, r);
	for (size_t i = 0; i < count; i++)
		buf_done(&pieces[i].text);
	free(pieces);
	return 0;
}

void fate_records_remove(const char *path, struct fate_records *r)
{
	_cleanup_fd_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; dir >= 0 && i < r->count; i++)
		(void)unlinkat(dir, r->names[i], 0);
	r->count = 0;
}
