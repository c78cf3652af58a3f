/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a container's process, or one beside it: from clone to exec. */
#ifndef GUEST_CHILD_H
#define GUEST_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/loop.h"
#include "proto/guest_msg.h"

#define CHILD_EXIT_START_ERROR 128 /* as containerd gives for a container that could not start */

/* What a container's process says through its pipe when it cannot become the container. */
struct child_report {
	char reason[GUEST_REASON_MAX + 1];
	char message[512];
	int32_t error; /* -errno of what failed */
};

struct child_spec {
	const struct guest_run *run;
	uint32_t index;
	const struct guest_strings *args; /* what to execute */
	int join_fd; /* pidfd of the container's process, to run beside it; -1: be the container */
	int pids_fd; /* pidfd of whose pid namespace a container shares; -1: one of its own */
	int fds[3]; /* standard input, output, error */
	bool tty; /* they are a terminal */
	int pts; /* number in /dev/pts of the terminal that becomes /dev/console, or -1 */
	int cgroup_fd; /* the process is born in this group */
	int report_fd; /* closes at exec, or gets one struct child_report */
};

/**
 * child_start() - Make the process
 * Return: its pid, -errno. It reports over report_fd how that went on; nothing here waits.
 */
pid_t child_start(const struct child_spec *spec, struct err *e);

/**
 * child_report_take() - Read the report when it is there, and close its pipe
 * @w:      on the pipe's end, which does not block; or not watching, but with its fd
 * Return: 1 @report is set; 0 it was executed; -EAGAIN not known yet, the pipe stays; -errno.
 */
int child_report_take(struct watch *w, struct child_report *report);

#endif
