// SPDX-License-Identifier: Apache-2.0
/*
 * The format is `TIME STREAM TAG TEXT`, one line each (kubernetes/cri-api, logging). The file was
 * written by hostd, but its text came from a container: nothing about it is trusted.
 */
#include "api/cri.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

#define CRI_CHUNK 65536
#define NS_PER_S  1000000000ULL

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

static int cri_option_bool(const char *value, const char *name, bool *out, struct err *e)
{
	if (!value)
		return 0;
	if (str_eq(value, "true") || str_eq(value, "1") || !*value)
		*out = true;
	else if (str_eq(value, "false") || str_eq(value, "0"))
		*out = false;
	else
		return err_set(e, -EINVAL, "%s must be true or false", name);
	return 0;
}

static int cri_option_number(const char *value, const char *name, uint64_t *out, struct err *e)
{
	if (str_u64(value, INT64_MAX, out) < 0)
		return err_set(e, -EINVAL, "%s must be a number, not negative", name);
	return 0;
}

static int cri_option_since(const char *seconds, const char *time, uint64_t now_ns,
			    struct cri_options *o, struct err *e)
{
	uint64_t s;
	int r;

	if (seconds && time)
		return err_set(e, -EINVAL, "at most one of sinceTime or sinceSeconds may be given");
	if (time && clock_parse_rfc3339(time, &o->since_ns) < 0)
		return err_set(e, -EINVAL, "sinceTime must be an RFC 3339 time");
	if (!seconds)
		return 0;
	r = cri_option_number(seconds, "sinceSeconds", &s, e);
	if (r == 0)
		o->since_ns = s < now_ns / NS_PER_S ? now_ns - s * NS_PER_S : 0;
	return r;
}

static int cri_option_stream(const char *stream, struct cri_options *o, struct err *e)
{
	if (!stream || str_eq(stream, "All"))
		return 0;
	o->want_stdout = str_eq(stream, "Stdout");
	o->want_stderr = str_eq(stream, "Stderr");
	if (!o->want_stdout && !o->want_stderr)
		return err_set(e, -EINVAL, "stream must be All, Stdout or Stderr");
	return 0;
}

int cri_options_parse(const char *(*get)(const char *key, const void *arg), const void *arg,
		      uint64_t now_ns, struct cri_options *o, struct err *e)
{
	const char *tail = get("tailLines", arg), *limit = get("limitBytes", arg);
	uint64_t n;
	int r;

	*o = (struct cri_options){.tail_lines = -1, .want_stdout = true, .want_stderr = true};
	r = cri_option_bool(get("follow", arg), "follow", &o->follow, e);
	if (r == 0)
		r = cri_option_bool(get("timestamps", arg), "timestamps", &o->timestamps, e);
	if (r == 0 && tail) {
		r = cri_option_number(tail, "tailLines", &n, e);
		if (r == 0)
			o->tail_lines = (int64_t)n;
	}
	if (r == 0 && limit) {
		o->limited = true;
		r = cri_option_number(limit, "limitBytes", &o->limit_bytes, e);
	}
	if (r == 0)
		r = cri_option_since(get("sinceSeconds", arg), get("sinceTime", arg), now_ns, o, e);
	if (r == 0)
		r = cri_option_stream(get("stream", arg), o, e);
	return r;
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

static int cri_filter_line(struct cri_filter *f, const char *text, size_t len, struct buf *out)
{
	struct cri_line line;
	int r = 0;

	if (cri_parse(text, len, &line) < 0 || line.time_ns < f->options.since_ns)
		return 0;
	if (line.is_stderr ? !f->options.want_stderr : !f->options.want_stdout)
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

/* Counts line ends from the file's end backwards; the last one belongs to the last line. */
int64_t cri_tail_offset(int fd, int64_t lines)
{
	_cleanup_free_ char *chunk = mem_alloc(CRI_CHUNK);
	struct stat st;
	int64_t end, ends = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (lines == 0)
		return st.st_size;
	for (end = st.st_size; end > 0;) {
		int64_t begin = MAX(end - CRI_CHUNK, 0);
		ssize_t n = pread(fd, chunk, (size_t)(end - begin), begin);

		if (n != end - begin)
			return n < 0 ? -errno : -EIO;
		for (int64_t i = n - 1; i >= 0; i--) {
			if (chunk[i] != '\n' || begin + i == st.st_size - 1)
				continue;
			if (++ends == lines)
				return begin + i + 1;
		}
		end = begin;
	}
	return 0;
}
