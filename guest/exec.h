/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that the host has run beside a container's, and clients that are attached to a container.
 *
 *	starting ──► running ──► ended: what is left of its output goes out, then EXEC_END
 *	    └────────────┴─────► orphan: the host went away; SIGHUP, SIGKILL, no more words
 *
 * An attached client has no process: it is the way into the container's standard input, and ends with the
 * container's run.
 */
#ifndef GUEST_EXEC_H
#define GUEST_EXEC_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/loop.h"
#include "container.h"
#include "proto/guest_msg.h"

/** exec_init() - @changed: called when there may be something for exec_next() */
void exec_init(struct loop *l, void (*changed)(void));

/**
 * exec_frame() - Take EXEC, STDIN, RESIZE, SIGNAL or a CREDIT of an exec
 * @containers: @count of them; they live for ever
 */
void exec_frame(const struct guest_frame *f, struct container *containers, uint32_t count);

/** exec_next() - The next message for the host, as link.h's next() */
long exec_next(void *out, size_t size);

/** exec_reaped() - A process ended with @status of waitpid(2). Return: whether it was one of ours */
bool exec_reaped(pid_t pid, int status);

/**
 * exec_spawn() - Start a process beside a container's
 * @fds:       its standard descriptors; with @tty they are a terminal
 * @report_fd: set to where it reports how its start went (child_report_take()), not blocking, owned by the
 *             caller, also after a failure
 * Return: its pid; -errno.
 */
pid_t exec_spawn(const struct container *c, const struct guest_strings *args, const int fds[3],
		 bool tty, int *report_fd, struct err *e);

/** exec_orphan_all() - The host has gone: end all */
void exec_orphan_all(void);

#endif
