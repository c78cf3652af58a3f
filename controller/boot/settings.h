/* SPDX-License-Identifier: Apache-2.0 */
/* Host settings: KEY=VALUE lines for all hosts and for one, merged; private to boot/. */
#ifndef BOOT_SETTINGS_H
#define BOOT_SETTINGS_H

#include "base/buf.h"
#include "base/err.h"

#define SETTINGS_MAX 65536

/**
 * settings_merge() - Lines of @own, and those of @common whose key is not in @own
 * Comments (#) and blank lines are dropped.
 * Return: 0; -EINVAL for a line that is not KEY=VALUE, named in @e.
 */
int settings_merge(const char *common, const char *own, struct buf *out, struct err *e);

/** settings_get() - The value of the last line with @key in merged text; free() it; NULL if there is none */
char *settings_get(const char *text, const char *key);

#endif
