// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int err_code(int code)
{
	return code < 0 ? code : -EIO;
}

/* @more: what follows behind a colon, or NULL. Return: @code as an error's */
__attribute__((format(printf, 3, 0))) static int err_vset(struct err *e, int code, const char *fmt,
							  va_list ap, const char *more)
{
	size_t len;

	code = err_code(code);
	if (!e)
		return code;
	e->code = code;
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	len = strlen(e->msg);
	if (more)
		snprintf(e->msg + len, sizeof(e->msg) - len, ": %s", more);
	return code;
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	code = err_vset(e, code, fmt, ap, NULL);
	va_end(ap);
	return code;
}

int err_sys(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	code = err_vset(e, code, fmt, ap, strerror(-err_code(code)));
	va_end(ap);
	return code;
}

int err_wrap(struct err *e, int code, const char *fmt, ...)
{
	char inner[ERR_MSG_MAX];
	va_list ap;

	code = err_code(code);
	if (!e)
		return code;
	snprintf(inner, sizeof(inner), "%s", e->msg[0] ? e->msg : strerror(-code));
	va_start(ap, fmt);
	err_vset(e, e->code ? e->code : code, fmt, ap, inner);
	va_end(ap);
	return code;
}

void err_clear(struct err *e)
{
	if (!e)
		return;
	e->code = 0;
	e->msg[0] = '\0';
}

const char *err_msg(const struct err *e)
{
	if (!e || !e->code)
		return "no error";
	return e->msg[0] ? e->msg : strerror(-e->code);
}
