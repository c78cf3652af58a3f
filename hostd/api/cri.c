// SPDX-License-Identifier: Apache-2.0
/*
 * The format is `TIME STREAM TAG TEXT`, one line each (kubernetes/cri-api, logging). The file was
 * written by hostd, but its text came from a container: nothing about it is trusted.
 */
#include "api/cri.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "kube/log_query.h"

#define NS_PER_S 1000000000ULL

static bool cri_field(const char **at, const char *end, const char **field, size_t *len)
{
	const char *space = memchr(*at, ' ', (size_t)(end - *at));

	if (!space)
		return false;
	*field = *at;
	*len = (size_t)(space - *at);
	*at = space + 1;
	return true;
}

static bool cri_is(const char *field, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(field, word, len) == 0;
}

int cri_parse(const char *line, size_t len, struct cri_line *out)
{
	const char *at = line, *end = line + len, *stream, *tag;
	size_t stream_len, tag_len;
	char time[CLOCK_RFC3339_MAX + 8];

	if (!cri_field(&at, end, &out->time, &out->time_len) ||
	    !cri_field(&at, end, &stream, &stream_len) || out->time_len >= sizeof(time))
		return -EBADMSG;
	if (!cri_field(&at, end, &tag, &tag_len)) {
		/* An empty text may come without the blank in front of it. */
		tag = at;
		tag_len = (size_t)(end - at);
		at = end;
	}
	memcpy(time, out->time, out->time_len);
	time[out->time_len] = '\0';
	if (clock_parse_rfc3339(time, &out->time_ns) < 0)
		return -EBADMSG;
	out->is_stderr = cri_is(stream, stream_len, "stderr");
	if (!out->is_stderr && !cri_is(stream, stream_len, "stdout"))
		return -EBADMSG;
	out->partial = cri_is(tag, tag_len, "P");
	if (!out->partial && !cri_is(tag, tag_len, "F"))
		return -EBADMSG;
	out->text = at;
	out->text_len = (size_t)(end - at);
	return 0;
}

int cri_options_parse(const char *(*get)(const char *key, const void *arg), const void *arg,
		      uint64_t now_ns, struct cri_options *o, struct err *e)
{
	struct log_query q;
	int r = log_query_parse(get, arg, &q, e);
	uint64_t since_s;

	if (r < 0)
		return r;
	*o = (struct cri_options){.follow = q.follow,
				  .previous = q.previous,
				  .timestamps = q.timestamps,
				  .want_stdout = q.want_stdout,
				  .want_stderr = q.want_stderr,
				  .limited = q.limit_bytes > 0,
				  .limit_bytes = (uint64_t)q.limit_bytes,
				  .tail_lines = q.tail_lines,
				  .since_ns = q.since_ns};
	since_s = (uint64_t)q.since_seconds;
	if (since_s && since_s < now_ns / NS_PER_S)
		o->since_ns = now_ns - since_s * NS_PER_S;
	return 0;
}

void cri_filter_init(struct cri_filter *f, const struct cri_options *o)
{
	*f = (struct cri_filter){.options = *o, .line = BUF_INIT(CRI_LINE_MAX)};
}

void cri_filter_done(struct cri_filter *f)
{
	buf_done(&f->line);
}

static int cri_filter_put(struct cri_filter *f, const char *data, size_t len, struct buf *out)
{
	if (f->options.limited) {
		len = MIN(len, f->options.limit_bytes - f->sent_bytes);
		f->done = f->sent_bytes + len == f->options.limit_bytes;
	}
	f->sent_bytes += len;
	return buf_append(out, data, len);
}

/* Whether a line, or a part of one, is what the client asked for */
static bool cri_wanted(const struct cri_line *line, const struct cri_options *o)
{
	if (line->is_stderr ? !o->want_stderr : !o->want_stdout)
		return false;
	return !o->match || memmem(line->text, line->text_len, o->match, strlen(o->match));
}

static int cri_filter_line(struct cri_filter *f, const char *text, size_t len, struct buf *out)
{
	struct cri_line line;
	int r = 0;

	if (cri_parse(text, len, &line) < 0 || line.time_ns < f->options.since_ns ||
	    !cri_wanted(&line, &f->options))
		return 0;
	if (f->options.timestamps && !f->in_line) {
		r = cri_filter_put(f, line.time, line.time_len, out);
		if (r == 0)
			r = cri_filter_put(f, " ", 1, out);
	}
	if (r == 0)
		r = cri_filter_put(f, line.text, line.text_len, out);
	if (r == 0 && !line.partial)
		r = cri_filter_put(f, "\n", 1, out);
	f->in_line = line.partial;
	return r;
}

int cri_filter_feed(struct cri_filter *f, const char *data, size_t len, struct buf *out)
{
	while (len && !f->done) {
		const char *newline = memchr(data, '\n', len);
		size_t n = newline ? (size_t)(newline - data) : len;
		int r = buf_append(&f->line, data, n);

		if (r == -ENOMEM)
			return r;
		/* A line over the cap is not ours: what of it fits is read, the rest dropped. */
		data += n;
		len -= n;
		if (!newline)
			break;
		data++;
		len--;
		r = cri_filter_line(f, buf_str(&f->line), f->line.len, out);
		buf_clear(&f->line);
		if (r < 0)
			return r;
	}
	return 0;
}

enum cri_part {
	CRI_NOTHING, /* of the other stream, or not to be read */
	CRI_MIDDLE,
	CRI_END, /* of a line */
};

static enum cri_part cri_part(const char *entry, size_t len, const struct cri_options *o)
{
	struct cri_line line;

	if (cri_parse(entry, len, &line) < 0 || !cri_wanted(&line, o))
		return CRI_NOTHING;
	return line.partial ? CRI_MIDDLE : CRI_END;
}

/*
 * Backwards from the end, entry by entry: a line is as many entries as its container took to write it, and the
 * end of the line before it is where it begins. The file is mapped, for it has one cap with the logs' writer,
 * who never cuts it short.
 */
int64_t cri_tail_offset(int fd, const struct cri_options *o, int64_t *lines)
{
	struct stat st;
	const char *text;
	int64_t end, at = 0;

	*lines = 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (o->tail_lines == 0 || st.st_size == 0)
		return st.st_size;
	text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return -errno;
	/* What follows the last newline is being written; it belongs to what follows. */
	for (end = st.st_size; end > 0 && text[end - 1] != '\n'; end--)
		;
	while (end > 0) {
		const char *nl = end > 1 ? memrchr(text, '\n', (size_t)end - 1) : NULL;
		int64_t begin = nl ? nl - text + 1 : 0;
		enum cri_part part = cri_part(text + begin, (size_t)(end - 1 - begin), o);

		/* The last line may have no end yet. */
		if (part != CRI_NOTHING && !*lines)
			*lines = 1;
		else if (part == CRI_END && ++*lines > o->tail_lines) {
			*lines = o->tail_lines;
			at = end;
			break;
		}
		end = begin;
	}
	munmap((void *)(size_t)text, (size_t)st.st_size);
	return at;
}
