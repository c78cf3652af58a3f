/* SPDX-License-Identifier: Apache-2.0 */
/* One line of the journal, whoever said it: records of the kernel, and what programs wrote to their standard error. */
#ifndef JOURNAL_LINE_H
#define JOURNAL_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_SOURCE_MAX 24
#define LINE_TEXT_MAX	2048

/* Severities of syslog (RFC 5424 §6.2.1), which are the kernel's levels, too */
enum line_level {
	LINE_EMERG,
	LINE_ALERT,
	LINE_CRIT,
	LINE_ERROR,
	LINE_WARN,
	LINE_NOTICE,
	LINE_INFO,
	LINE_DEBUG,
	LINE_LEVEL_MAX,
};

struct line {
	uint64_t time_ns; /* since the epoch */
	bool kernel;
	enum line_level level;
	char source[LINE_SOURCE_MAX]; /* "kernel", or the program's name; [a-z0-9-] */
	char text[LINE_TEXT_MAX]; /* printable ASCII: all else is \xNN */
};

/* A record of /dev/kmsg */
struct line_kmsg {
	unsigned int facility; /* 0: the kernel itself */
	uint64_t number;
	uint64_t time_us; /* since boot */
};

/** line_level_name() - "error", "warn"…, never NULL */
const char *line_level_name(enum line_level level);

/** line_level_parse() - The level of that name. Return: LINE_LEVEL_MAX if there is none */
enum line_level line_level_parse(const char *name, size_t len);

/**
 * line_from_kmsg() - Read a record
 * @record: "PRIORITY,NUMBER,MICROSECONDS,FLAGS[,…];TEXT\n KEY=VALUE\n…"
 * @now_ns, @mono_us: the same moment since the epoch and since boot
 *
 * Return: 0; -EBADMSG.
 * Source: Linux Documentation/ABI/testing/dev-kmsg.
 */
int line_from_kmsg(const char *record, size_t len, uint64_t now_ns, uint64_t mono_us,
		   struct line *line, struct line_kmsg *k);

/**
 * line_from_program() - Read what a program wrote
 *
 * A line of base/log.h loses its time, level and program, which become the line's own; anything else is
 * a line of "host". What a program says of itself is believed.
 */
void line_from_program(const char *text, size_t len, uint64_t now_ns, struct line *line);

#endif
