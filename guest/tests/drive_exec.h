/* SPDX-License-Identifier: Apache-2.0 */
/* Execs of the test driver: one at a time, begun when the first container has started. */
#ifndef GUEST_DRIVE_EXEC_H
#define GUEST_DRIVE_EXEC_H

#include "vm/session.h"

/**
 * drive_exec_option() - Take one of
 *	--exec ARG... ;      run it
 *	--attach             attach to the container
 *	--exec-tty           in a terminal of 100 columns and 40 lines
 *	--exec-input FILE    with this as its input
 *	--exec-hang-up MS    the client goes away after so long
 * Return: how many words were taken.
 */
int drive_exec_option(char **argv);

/**
 * drive_exec_begin() - Start what the options say, if anything
 * @ended: set soon after an exec's end, so that the pod need not wait for its time
 */
void drive_exec_begin(struct loop *l, struct session *s, struct timer *ended);

#endif
