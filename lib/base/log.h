/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logging: one logfmt line a message, to standard error.
 *
 *	t=12.345 level=info mod=pod uid=… msg="…"
 *
 * The format string is logfmt itself («uid=%s phase=%s»). Lines that carry `ev=` are a stable
 * interface: tests and tools search for them. Text from elsewhere goes through str_printable()
 * first. A process writes each line with one write(2), so lines of several processes never mix. A line that
 * is not taken, since nobody empties the pipe that standard error may be, is dropped; how many were is told
 * before the next one (`ev=log_lost lines=N`).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/**
 * log_init() - Name the program and read HYPER_LOG (error, warn, info, debug; default info)
 * @program: printed as `prog=`; a string that lives for ever
 */
void log_init(const char *program);

/** log_set_level() - Show messages up to @level */
void log_set_level(enum log_level level);

/** log_flush() - Wait, half a second at most, until what was said is out of the pipe: the machine is about to end */
void log_flush(void);

/** log_write() - Use the macros below */
void log_write(enum log_level level, const char *module, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(module, ...) log_write(LOG_LEVEL_ERROR, module, __VA_ARGS__)
#define log_warn(module, ...)  log_write(LOG_LEVEL_WARN, module, __VA_ARGS__)
#define log_info(module, ...)  log_write(LOG_LEVEL_INFO, module, __VA_ARGS__)
#define log_debug(module, ...) log_write(LOG_LEVEL_DEBUG, module, __VA_ARGS__)

#endif
