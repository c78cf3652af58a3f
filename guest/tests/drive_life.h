/* SPDX-License-Identifier: Apache-2.0 */
/* Probes and hooks of the test driver. */
#ifndef GUEST_DRIVE_LIFE_H
#define GUEST_DRIVE_LIFE_H

#include "proto/guest_msg.h"

/**
 * drive_life_option() - Take one of
 *	--startup, --readiness, --liveness WORD... ;
 *	--post-start, --pre-stop WORD... ;
 *	--termination PATH
 * A word is KEY=VALUE: exec (for sh -c), http (a path), port, header, sleep, delay, period, timeout, success, failure,
 * grace-ms.
 * Return: how many words were taken.
 */
int drive_life_option(char **argv, struct guest_life *life);

/** drive_life_print() - Show what a container's guest says of it */
void drive_life_print(const char *name, const struct guest_probed *m);

/** drive_add_string() - Append to a list; only to the one that was last appended to, or an empty one */
void drive_add_string(struct guest_strings *list, const char *s);

#endif
