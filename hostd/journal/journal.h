/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's own log, seen from hostd. hostd-journal, which init keeps running beside hostd, takes what hostd and its
 * helpers write to their standard error, and the kernel's messages, to the ring (ring.h) and the console.
 *
 * Below RUN/journal, a folder that the image makes:
 *	pipe       a named pipe: the standard error of hostd and all that it starts
 *	log/       the ring
 *	status     what hostd tells of itself for the display (screen.h): KEY=VALUE lines
 *	syslog     where hostd-syslog is to ship the log to (ship.h): KEY=VALUE lines
 *	shipped    how far it got
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include "base/err.h"

#define JOURNAL_DIR	   "journal" /* below RUN */
#define JOURNAL_PIPE	   "pipe"
#define JOURNAL_RING	   "log"
#define JOURNAL_STATUS	   "status"
#define JOURNAL_SYSLOG	   "syslog"
#define JOURNAL_PIPE_BYTES (256 << 10)

/**
 * journal_pipe() - Make the pipe if it is missing and open both ends, which do not block
 * @path:    of the pipe
 * @read_fd: it can be written to as long as somebody has this one
 * Return: 0 or -errno.
 */
int journal_pipe(const char *path, int *read_fd, int *write_fd, struct err *e);

/**
 * journal_start() - Send standard output and error there from now on
 *
 * A write to it never blocks: while nobody reads, lines are dropped and counted (base/log.h). Without the folder
 * RUN/journal nothing changes.
 *
 * Return: 0; -ENOENT without the folder; -errno.
 */
int journal_start(const char *run_dir, struct err *e);

/**
 * journal_tell() - Tell the host's other processes: what to show on its display, where to ship its log to
 * @name: JOURNAL_STATUS or JOURNAL_SYSLOG
 * @text: the whole file; one that is there already is not written again
 * Return: 0; -ENOENT without the folder; -errno.
 */
int journal_tell(const char *run_dir, const char *name, const char *text, struct err *e);

#endif
