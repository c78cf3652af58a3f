/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors that a human reads.
 *
 * Every function returns 0 (or a value >= 0) or -errno. One whose failure somebody must understand
 * takes a `struct err *` last: the function that fails writes the reason, each caller that knows
 * more puts its own words in front, so the message reads from the outside in:
 *
 *	pull nginx:1: layer 2: digest mismatch: Bad message
 *
 * The object lives on the caller's stack, has a fixed size and never allocates. A NULL err is
 * allowed everywhere and means that only the code matters.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stddef.h>

#define ERR_MSG_MAX 240

struct err {
	int code; /* -errno of the first failure, 0 if none */
	char msg[ERR_MSG_MAX];
};

#define ERR_INIT                     \
	{                            \
		.code = 0, .msg = "" \
	}

/**
 * err_set() - Record a failure with its reason
 * @e:    filled in, or NULL
 * @code: -errno; 0 and positive values are taken as -EIO
 * @fmt:  the reason, without errno's text and without a full stop
 *
 * Return: @code, so that a caller can write `return err_set(e, -EBADMSG, "...")`.
 */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/**
 * err_sys() - Record a failed system call: the reason, then errno's text
 * @e:    filled in, or NULL
 * @code: -errno
 * @fmt:  what was tried, e.g. "open %s"
 *
 * Return: @code.
 */
int err_sys(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/**
 * err_wrap() - Put the caller's context in front of a recorded failure
 * @e:    as the callee left it, or NULL; an empty one gets errno's text first
 * @code: what the callee returned
 * @fmt:  context; ": " is added
 *
 * Return: @code.
 */
int err_wrap(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** err_clear() - Forget what was recorded */
void err_clear(struct err *e);

/** err_msg() - The message, or errno's text when nothing was recorded; never NULL */
const char *err_msg(const struct err *e);

#endif
