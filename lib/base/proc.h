/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Child processes. All of them start here: only the named descriptors survive the exec, signal mask
 * and dispositions are reset, and the parent gets a pidfd that the loop can watch.
 */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct proc_spec {
	const char *const *argv; /* argv[0] is a path, NULL-terminated */
	const char *const *envp; /* NULL: an empty environment but PATH */
	const int *fds; /* fds[i] becomes descriptor i in the child; -1: /dev/null */
	size_t fd_count; /* descriptors 0..2 that are not listed go to /dev/null */
	int cgroup_fd; /* child is born in this cgroup v2 folder (CLONE_INTO_CGROUP); -1: ours */
	const char *cwd; /* NULL: ours */
	uint64_t namespaces; /* CLONE_NEW…: it is born in new ones of these kinds; needs root */
};

struct proc {
	pid_t pid;
	int pidfd;
};

/**
 * proc_spawn() - Start a program
 * @p: set on success; the caller closes p->pidfd after proc_reap()
 *
 * Return: 0; -errno when fork, descriptor set-up or exec fails (exec's own errno is reported).
 */
int proc_spawn(const struct proc_spec *spec, struct proc *p, struct err *e);

/** proc_reset_signals() - All signals as a new program expects them: default actions, none blocked. In a child */
void proc_reset_signals(void);

/**
 * proc_reap() - Collect an ended child without blocking
 * @exit_code: 0..255, or 128 + signal
 * Return: 1 when it was reaped, 0 while it runs, -errno (-ECHILD: not our child).
 */
int proc_reap(struct proc *p, int *exit_code);

/** proc_kill() - Signal through the pidfd. Return: 0 or -errno (-ESRCH: already gone) */
int proc_kill(const struct proc *p, int signo);

/**
 * proc_start_time() - A process's start time, which tells it from a later one with the same pid
 * @ticks: field 22 of /proc/PID/stat
 * Return: 0 or -errno.
 */
int proc_start_time(pid_t pid, uint64_t *ticks);

/**
 * proc_adopt() - Take hold of a process that somebody else started
 * @ticks: its recorded start time
 * Return: 0; -ESRCH when that process has gone, also when its pid lives on as another; -errno.
 */
int proc_adopt(pid_t pid, uint64_t ticks, struct proc *p);

#endif
