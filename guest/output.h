/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One output stream of a container, from its pipe or terminal into a ring.
 *
 * The pipe outlives the container's restarts: PID 1 keeps its writing end, so there is no end of file
 * to handle, and what one run wrote last is read while the next one starts. A terminal is new for
 * each run. While the ring is full nothing is read, and the container waits in write(2).
 */
#ifndef GUEST_OUTPUT_H
#define GUEST_OUTPUT_H

#include "base/err.h"
#include "base/loop.h"
#include "ring.h"

struct output {
	struct loop *loop;
	void (*ready)(void); /* something came into the ring */
	struct watch watch; /* of the reading end; not registered while the ring is full */
	int fd; /* reading end, -1 before the first run */
	int write_fd; /* writing end of a pipe, -1 for a terminal */
	struct ring ring;
};

/** output_init() - @ready: called after output was read */
void output_init(struct output *o, struct loop *l, void (*ready)(void));

/** output_pipe() - The writing end of the pipe, made at the first call; borrowed. Return: or -errno */
int output_pipe(struct output *o, struct err *e);

/**
 * output_terminal() - A new terminal in place of the last
 * @pts: set to its number
 * Return: the container's end, owned by the caller; -errno.
 */
int output_terminal(struct output *o, int *pts, struct err *e);

/**
 * terminal_open() - Open a multiplexer's new terminal
 * @ptmx:  the multiplexer, just opened
 * @pts:   set to its number, or NULL
 * Return: the end for processes, owned by the caller; -errno.
 */
int terminal_open(int ptmx, int *pts, struct err *e);

/** terminal_resize() - Tell a terminal's processes its size; 0 is none */
void terminal_resize(int fd, uint16_t cols, uint16_t rows);

/** output_resume() - Read on if there is room again */
void output_resume(struct output *o);

/** output_drained() - Whether all that was written has been credited by the host */
bool output_drained(const struct output *o);

#endif
