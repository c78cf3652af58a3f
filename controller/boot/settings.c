// SPDX-License-Identifier: Apache-2.0
#include "boot/settings.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

struct line {
	const char *text;
	size_t len, key_len;
};

static bool key_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* The next line that says something. Return: 1, 0 at the end, -EINVAL */
static int next_line(const char **at, struct line *l)
{
	while (**at) {
		size_t len = strcspn(*at, "\n");
		const char *text = *at;

		*at += len + (text[len] == '\n');
		while (len && (*text == ' ' || *text == '\t'))
			text++, len--;
		while (len && strchr(" \t\r", text[len - 1]))
			len--;
		if (!len || *text == '#')
			continue;
		l->text = text;
		l->len = len;
		for (l->key_len = 0; l->key_len < len && key_char(text[l->key_len]); l->key_len++)
			;
		return l->key_len && l->key_len < len && text[l->key_len] == '=' ? 1 : -EINVAL;
	}
	return 0;
}

static bool has_key(const char *text, const struct line *wanted)
{
	struct line l;

	while (next_line(&text, &l) > 0)
		if (l.key_len == wanted->key_len && memcmp(l.text, wanted->text, l.key_len) == 0)
			return true;
	return false;
}

static int copy_lines(const char *text, const char *unless_in, struct buf *out, struct err *e)
{
	struct line l;
	int r;

	while ((r = next_line(&text, &l)) > 0) {
		if (unless_in && has_key(unless_in, &l))
			continue;
		if (buf_append(out, l.text, l.len) < 0 || buf_puts(out, "\n") < 0)
			return err_set(e, -E2BIG, "host settings are longer than %d bytes",
				       SETTINGS_MAX);
	}
	return r < 0 ? err_set(e, r, "host settings: \"%.*s\" is not KEY=VALUE",
			       (int)MIN(l.len, 60U), l.text)
		     : 0;
}

int settings_merge(const char *common, const char *own, struct buf *out, struct err *e)
{
	int r = copy_lines(common, own, out, e);

	return r < 0 ? r : copy_lines(own, NULL, out, e);
}

char *settings_get(const char *text, const char *key)
{
	char *value = NULL;
	struct line l;

	while (next_line(&text, &l) > 0) {
		if (l.key_len != strlen(key) || memcmp(l.text, key, l.key_len) != 0)
			continue;
		free(value);
		value = mem_strndup(l.text + l.key_len + 1, l.len - l.key_len - 1);
	}
	return value;
}
