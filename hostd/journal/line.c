// SPDX-License-Identifier: Apache-2.0
/*
 * What comes in is not trusted: the kernel prints what devices call themselves, programs print what guests
 * and networks sent. So nothing but printable ASCII gets any further, into the ring, to a terminal or to a
 * receiver of syslog.
 */
#include "journal/line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define LINE_NS_PER_US 1000ULL

static const char *const line_levels[] = {
	[LINE_EMERG] = "emerg", [LINE_ALERT] = "alert", [LINE_CRIT] = "crit",
	[LINE_ERROR] = "error", [LINE_WARN] = "warn",	[LINE_NOTICE] = "notice",
	[LINE_INFO] = "info",	[LINE_DEBUG] = "debug",
};

const char *line_level_name(enum line_level level)
{
	return level < LINE_LEVEL_MAX ? line_levels[level] : "info";
}

enum line_level line_level_parse(const char *name, size_t len)
{
	for (size_t i = 0; i < LINE_LEVEL_MAX; i++)
		if (strlen(line_levels[i]) == len && memcmp(name, line_levels[i], len) == 0)
			return (enum line_level)i;
	return LINE_LEVEL_MAX;
}

static void line_clean(char *out, size_t size, const char *in, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (size_t i = 0; i < len && n + 5 <= size; i++) {
		unsigned char c = (unsigned char)in[i] == '\t' ? ' ' : (unsigned char)in[i];

		if (c >= 0x20 && c < 0x7f) {
			out[n++] = (char)c;
			continue;
		}
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	out[n] = '\0';
}

/* The number up to @end, which is passed. Return: 0 or -EBADMSG */
static int line_number(const char **at, const char *stop, char end, uint64_t *value)
{
	const char *p = memchr(*at, end, (size_t)(stop - *at));
	char digits[24];
	size_t len = p ? (size_t)(p - *at) : 0;

	if (!len || len >= sizeof(digits))
		return -EBADMSG;
	memcpy(digits, *at, len);
	digits[len] = '\0';
	*at = p + 1;
	return str_u64(digits, UINT64_MAX, value) < 0 ? -EBADMSG : 0;
}

int line_from_kmsg(const char *record, size_t len, uint64_t now_ns, uint64_t mono_us,
		   struct line *line, struct line_kmsg *k)
{
	const char *at = record, *end, *semicolon = memchr(record, ';', len);
	uint64_t priority, age_ns;

	if (!semicolon || line_number(&at, semicolon, ',', &priority) < 0 ||
	    line_number(&at, semicolon, ',', &k->number) < 0 ||
	    line_number(&at, semicolon, ',', &k->time_us) < 0 || priority > 1023)
		return -EBADMSG;
	k->facility = (unsigned int)priority >> 3;
	at = semicolon + 1;
	end = memchr(at, '\n', (size_t)(record + len - at));
	age_ns = mono_us > k->time_us ? (mono_us - k->time_us) * LINE_NS_PER_US : 0;
	line->time_ns = now_ns > age_ns ? now_ns - age_ns : now_ns;
	line->kernel = true;
	line->level = (enum line_level)(priority & 7);
	(void)str_copy(line->source, sizeof(line->source), "kernel");
	line_clean(line->text, sizeof(line->text), at, (size_t)((end ? end : record + len) - at));
	return 0;
}

/* The value of the word "KEY=VALUE" at *@at, which is passed with the blank behind it. NULL: it is another one */
static const char *line_word(const char **at, const char *end, const char *key, size_t *len)
{
	size_t key_len = strlen(key);
	const char *value = *at + key_len, *blank;

	if ((size_t)(end - *at) < key_len || memcmp(*at, key, key_len) != 0)
		return NULL;
	blank = memchr(value, ' ', (size_t)(end - value));
	if (!blank)
		return NULL;
	*len = (size_t)(blank - value);
	*at = blank + 1;
	return value;
}

static bool line_is_name(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!(name[i] >= 'a' && name[i] <= 'z') && !(name[i] >= '0' && name[i] <= '9') &&
		    name[i] != '-')
			return false;
	return len > 0 && len < LINE_SOURCE_MAX;
}

void line_from_program(const char *text, size_t len, uint64_t now_ns, struct line *line)
{
	const char *at = text, *end = text + len, *level, *name;
	size_t level_len = 0, name_len = 0, time_len;

	line->time_ns = now_ns;
	line->kernel = false;
	line->level = LINE_INFO;
	(void)str_copy(line->source, sizeof(line->source), "host");
	if (line_word(&at, end, "t=", &time_len) &&
	    (level = line_word(&at, end, "level=", &level_len)) != NULL &&
	    line_level_parse(level, level_len) != LINE_LEVEL_MAX &&
	    (name = line_word(&at, end, "prog=", &name_len)) != NULL &&
	    line_is_name(name, name_len)) {
		line->level = line_level_parse(level, level_len);
		memcpy(line->source, name, name_len);
		line->source[name_len] = '\0';
		text = at;
	}
	line_clean(line->text, sizeof(line->text), text, (size_t)(end - text));
}
