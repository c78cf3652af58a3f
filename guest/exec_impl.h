/* SPDX-License-Identifier: Apache-2.0 */
/* What exec.c and exec_start.c share. */
#ifndef GUEST_EXEC_IMPL_H
#define GUEST_EXEC_IMPL_H

#include "child.h"
#include "exec.h"

struct exec_out {
	struct exec *exec;
	struct watch watch;
	int fd; /* -1: at its end */
	uint32_t credit;
	bool ready; /* there may be something to read; then it is not watched */
};

struct exec {
	struct list node;
	uint16_t slot;
	bool orphan; /* the host does not know it any more */
	bool attach, tty;
	bool ended; /* no process any more; for attach: the container's run is over */
	bool hung_up;
	struct container *container;
	uint64_t run_ms; /* which run of it: its started_ms */
	pid_t pid; /* 0: none */
	struct watch report; /* of the starting process */
	struct timer kill;
	struct exec_out out[2];
	/* standard input; in NULL: none */
	struct watch in_watch;
	int in_fd; /* -1: closed */
	bool in_eof;
	uint8_t *in;
	uint32_t in_len;
	uint32_t in_owed; /* credit to give back */
	/* how it ended */
	uint8_t code, signal;
	struct child_report failure; /* reason "" when there was none */
};

/* ---- exec.c ---- */

/** exec_watch_out() - Tell when there is something to read. Return: 0 or -errno */
int exec_watch_out(struct exec_out *o, struct err *e);

/** exec_report_event() - The starting process has said why it failed, or was executed */
void exec_report_event(struct watch *w, uint32_t events);

/* ---- exec_start.c ---- */

/**
 * exec_start() - Start the process that @m describes
 * @l: the loop
 * Return: 0; -errno, then what was opened is closed with the exec.
 */
int exec_start(struct loop *l, struct exec *x, const struct guest_exec *m, struct err *e);

#endif
