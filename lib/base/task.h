/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A helper program that is run once for what it says: its output is collected up to a cap, its end awaited up to a
 * deadline. The loop waits for nothing. A process that cannot be killed, because a driver hangs, is still running for
 * whoever asks; one that is left behind by task_stop() is nobody's.
 */
#ifndef BASE_TASK_H
#define BASE_TASK_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/proc.h"

struct task {
	struct loop *loop;
	struct proc proc; /* pidfd -1: none runs */
	int fd; /* of what it says, -1 */
	struct watch out, ended;
	struct timer deadline;
	struct buf reply; /* what it has said; emptied when the next one starts */
	bool late, long_winded; /* why it was killed */
	/*
	 * It has ended, and all that it said is in @reply. @code: 0..255, or 128 + signal. Called from the loop; another
	 * may be started from inside.
	 */
	void (*on_end)(struct task *t, int code);
	void (*on_output)(
		struct task *t); /* there is more in @reply, which may be consumed; or NULL */
};

/** task_init() - @cap: most bytes that it may say before it is killed */
void task_init(struct task *t, struct loop *loop, size_t cap,
	       void (*on_end)(struct task *t, int code));

/**
 * task_start() - Run a program, with our stderr and nothing to read
 * @argv:	 argv[0] is a path; ends with NULL
 * @deadline_ms: it is killed then; 0: never
 * Return: 0; -EBUSY while the last one still runs; -errno.
 */
int task_start(struct task *t, const char *const *argv, int deadline_ms, struct err *e);

bool task_running(const struct task *t);

/** task_why() - Words for an end with a code that is not 0; @e is set to them. Return: -EIO */
int task_why(const struct task *t, int code, struct err *e);

/** task_stop() - Kill it without waiting, and forget it; may be repeated */
void task_stop(struct task *t);

#endif
