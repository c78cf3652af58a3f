// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

#define LOG_LINE_MAX	1024
#define LOG_FLUSH_US	25000
#define LOG_FLUSH_TRIES 20

static const char *const log_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static const char *log_program = "?";
static enum log_level log_max = LOG_LEVEL_INFO;
static unsigned long log_lost; /* lines since the last one that was taken */

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

/* Return: whether it was taken; a pipe that is full takes nothing */
static bool log_put(char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < 0x20)
			line[i] = ' ';
	line[len] = '\n';
	return write(STDERR_FILENO, line, len + 1) >= 0;
}

void log_flush(void)
{
	struct stat st;
	int left = 1;

	if (fstat(STDERR_FILENO, &st) < 0 || !S_ISFIFO(st.st_mode))
		return;
	for (int i = 0; i < LOG_FLUSH_TRIES && left; i++) {
		usleep(LOG_FLUSH_US);
		if (ioctl(STDERR_FILENO, FIONREAD, &left) < 0)
			return;
	}
	usleep(LOG_FLUSH_US); /* it was read: the console has it soon */
}

static int log_head(char *line, enum log_level level, const char *module)
{
	uint64_t now_ms = clock_mono_ms();

	return snprintf(line, LOG_LINE_MAX, "t=%llu.%03u level=%s prog=%s mod=%s ",
			(unsigned long long)(now_ms / 1000), (unsigned int)(now_ms % 1000),
			log_names[level], log_program, module);
}

static void log_tell_lost(void)
{
	char line[LOG_LINE_MAX];
	int len = log_head(line, LOG_LEVEL_WARN, "log");

	len += snprintf(line + len, sizeof(line) - (size_t)len, "ev=log_lost lines=%lu", log_lost);
	if (log_put(line, (size_t)len))
		log_lost = 0;
}

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
	int saved = errno, head, body;
	char line[LOG_LINE_MAX];
	va_list ap;

	if (level > log_max)
		return;
	if (log_lost)
		log_tell_lost();
	head = log_head(line, level, module);
	va_start(ap, fmt);
	body = vsnprintf(line + head, sizeof(line) - (size_t)head, fmt, ap);
	va_end(ap);
	if (!log_put(line, MIN((size_t)head + (size_t)MAX(body, 0), sizeof(line) - 2)))
		log_lost++;
	errno = saved;
}
