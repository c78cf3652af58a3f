/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One action of a probe or a hook, from its beginning to its end: a command in the container, a GET, a
 * connection, or a sleep, each under a time limit.
 */
#ifndef GUEST_ACTION_H
#define GUEST_ACTION_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/loop.h"
#include "container.h"

#define ACTION_TEXT_MAX 900 /* of what it has to say; leaves room in GUEST_MESSAGE_MAX */
#define ACTION_NO_LIMIT 0

enum action_result {
	ACTION_OK,
	ACTION_WARNING, /* well, but there is something to say */
	ACTION_FAILED,
	ACTION_ERROR, /* it could not be made: says nothing about the container */
};

struct action;

/* The end of an action, never within action_start(); @text is valid for the call. */
typedef void action_over_fn(void *owner, enum action_result result, const char *text);

/**
 * action_start() - Begin
 * @what:       lives as long as the pod
 * @timeout_ms: after which it has failed; ACTION_NO_LIMIT
 * Return: the action, which frees itself after @over; NULL without memory.
 */
struct action *action_start(struct container *c, const struct guest_action *what,
			    uint64_t timeout_ms, action_over_fn *over, void *owner);

/** action_cancel() - End it without a word; a command of it is killed */
void action_cancel(struct action *a);

/** action_reaped() - A process ended with @status of waitpid(2). Return: whether it was an action's */
bool action_reaped(pid_t pid, int status);

#endif
