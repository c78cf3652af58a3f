// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

#define LOG_LINE_MAX 1024

static const char *const log_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static const char *log_program = "?";
static enum log_level log_max = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	log_max = level;
}

void log_init(const char *program)
{
	const char *want = getenv("HYPER_LOG");

	log_program = program;
	for (size_t i = 0; want && i < ARRAY_SIZE(log_names); i++)
		if (str_eq(want, log_names[i]))
			log_max = (enum log_level)i;
}

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
	uint64_t now_ms = clock_mono_ms();
	int saved = errno, head, body;
	char line[LOG_LINE_MAX];
	va_list ap;
	size_t len;

	if (level > log_max)
		return;
	head = snprintf(line, sizeof(line), "t=%llu.%03u level=%s prog=%s mod=%s ",
			(unsigned long long)(now_ms / 1000), (unsigned int)(now_ms % 1000),
			log_names[level], log_program, module);
	va_start(ap, fmt);
	body = vsnprintf(line + head, sizeof(line) - (size_t)head, fmt, ap);
	va_end(ap);
	len = MIN((size_t)head + (size_t)MAX(body, 0), sizeof(line) - 2);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < 0x20)
			line[i] = ' ';
	line[len] = '\n';
	if (write(STDERR_FILENO, line, len + 1) < 0) {
		/* Nowhere left to say so. */
	}
	errno = saved;
}
