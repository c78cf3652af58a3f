/* SPDX-License-Identifier: Apache-2.0 */
/* Container log lines as the container runtime interface stores them, and what a client asks of them. */
#ifndef API_CRI_H
#define API_CRI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define CRI_LINE_MAX \
	(256 << 10) /* with its head; a longer one is cut into parts by who writes it */

struct cri_line {
	const char *time; /* RFC3339Nano, not terminated */
	size_t time_len;
	uint64_t time_ns;
	bool is_stderr;
	bool partial; /* tag P: the line goes on in the next one */
	const char *text;
	size_t text_len; /* without the newline */
};

/** cri_parse() - Read "TIME stdout|stderr F|P TEXT". Return: 0 or -EBADMSG */
int cri_parse(const char *line, size_t len, struct cri_line *out);

struct cri_options {
	bool follow, previous, timestamps;
	bool want_stdout, want_stderr;
	bool limited; /* limit_bytes is set */
	int64_t tail_lines; /* -1: all */
	const char *match; /* only lines with this text; NULL: all. Borrowed */
	uint64_t since_ns; /* 0: from the beginning */
	uint64_t limit_bytes;
};

/**
 * cri_options_parse() - Read a kubelet's query parameters (containerLogs)
 * @get: gives the decoded value of a key, or NULL
 * @now_ns: for sinceSeconds
 * Return: as log_query_parse().
 */
int cri_options_parse(const char *(*get)(const char *key, const void *arg), const void *arg,
		      uint64_t now_ns, struct cri_options *o, struct err *e);

/* The state of one client's view of one log */
struct cri_filter {
	struct cri_options options;
	struct buf line; /* an incomplete line of the file */
	uint64_t sent_bytes;
	bool in_line; /* the last part sent had no newline */
	bool done; /* limit reached */
};

void cri_filter_init(struct cri_filter *f, const struct cri_options *o);
void cri_filter_done(struct cri_filter *f);

/**
 * cri_filter_feed() - Turn a piece of the file into what the client gets
 * @out: appended to
 * Lines that cannot be read are dropped.
 * Return: 0, or as buf_append().
 */
int cri_filter_feed(struct cri_filter *f, const char *data, size_t len, struct buf *out);

/**
 * cri_tail_offset() - Where the last @o->tail_lines lines of a file begin
 * @lines: set to how many there are from there on
 * Return: the offset or -errno.
 */
int64_t cri_tail_offset(int fd, const struct cri_options *o, int64_t *lines);

#endif
