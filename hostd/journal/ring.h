/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal as files: DIR/log, and DIR/log.1 which is what was DIR/log before. Together they have a
 * bounded size. They lie in memory (/run) and are gone with the boot.
 *
 * Each line is "TIME STREAM F SOURCE LEVEL TEXT", as container logs have it, so that whoever serves those
 * (hostd/api) serves these: stream "stderr" is the kernel, "stdout" all programs. The first line of a file is
 * "# N", the number of the line behind it since boot, by which a reader counts what it has missed.
 */
#ifndef JOURNAL_RING_H
#define JOURNAL_RING_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "journal/line.h"

#define RING_NAME	"log"
#define RING_OLDER	"log.1"
#define RING_FILE_BYTES ((size_t)512 << 10) /* of each of the two */
#define RING_ENTRY_MAX	(LINE_TEXT_MAX + LINE_SOURCE_MAX + 64)

struct ring {
	int dir_fd, fd; /* -1: cannot be written now */
	size_t used_bytes, file_bytes;
	uint64_t next; /* number of the next line since boot */
};

/**
 * ring_open() - Go on behind what is there
 * @dir_fd:     folder, borrowed
 * @file_bytes: of each of the two files
 * Return: 0 or -errno.
 */
int ring_open(struct ring *r, int dir_fd, size_t file_bytes, struct err *e);

void ring_close(struct ring *r);

/** ring_add() - Append a line, and turn when the file is full. Return: 0; -errno, and the line is not kept */
int ring_add(struct ring *r, const struct line *l);

/** ring_entry() - Write a line as it lies in the ring. @out: RING_ENTRY_MAX bytes. Return: its length */
size_t ring_entry(const struct line *l, char *out);

/**
 * ring_parse() - Read an entry without its newline
 * @len: of @entry
 * Return: 0; -EBADMSG.
 */
int ring_parse(const char *entry, size_t len, struct line *l);

#endif
