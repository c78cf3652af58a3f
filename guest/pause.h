/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that holds the pid namespace of a pod with shareProcessNamespace: its PID 1, which reaps what
 * nobody waits for. Pods that do not share their processes have none.
 */
#ifndef GUEST_PAUSE_H
#define GUEST_PAUSE_H

#include <sys/types.h>

#include "base/err.h"

#define PAUSE_NAME "pause" /* how hyperstart is executed to become it */

/**
 * pause_start() - Make the namespace
 * @pidfd: set to the process, owned by the caller
 * Return: its pid; -errno.
 */
pid_t pause_start(int *pidfd, struct err *e);

/** pause_main() - Be it */
_Noreturn void pause_main(void);

#endif
