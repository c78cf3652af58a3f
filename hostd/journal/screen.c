// SPDX-License-Identifier: Apache-2.0
#include "journal/screen.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define SCREEN_CLEAR	   "\033[0m\033[H\033[2J\033[?25l"
#define SCREEN_TEXT_MAX	   (SCREEN_COLUMNS - 1) /* a full line would wrap */
#define SCREEN_LABEL_WIDTH 14
#define SCREEN_VALUE_WIDTH (SCREEN_TEXT_MAX - SCREEN_LABEL_WIDTH - 1)
#define SCREEN_LONG_LINES  3 /* of a value that may have more than one */

static const struct {
	const char *name, *label;
	bool is_long;
} screen_fields[SCREEN_FIELD_MAX] = {
	[SCREEN_STATE] = {"state", "State", false},
	[SCREEN_REASON] = {"reason", "", true},
	[SCREEN_NAME] = {"name", "Name", false},
	[SCREEN_ADDRESSES] = {"addresses", "Address", true},
	[SCREEN_MAC] = {"mac", "MAC", false},
	[SCREEN_CONTROLLER] = {"controller", "Controller", false},
	[SCREEN_IMAGE] = {"image", "Image", false},
	[SCREEN_PODS] = {"pods", "Pods", false},
	[SCREEN_SINCE] = {"since", "Up since", false},
	[SCREEN_WHERE] = {"screen", NULL, false},
};

void screen_init(struct screen *s)
{
	*s = (struct screen){.error = ""};
	(void)str_copy(s->fields[SCREEN_STATE], SCREEN_VALUE_MAX, "Booting");
}

const char *screen_field_name(enum screen_field field)
{
	return screen_fields[field].name;
}

/* Only what every terminal shows as it is */
static void screen_keep(char *out, const char *value, size_t len)
{
	size_t n = MIN(len, (size_t)SCREEN_VALUE_MAX - 1);

	for (size_t i = 0; i < n; i++)
		out[i] = value[i] >= 0x20 && value[i] < 0x7f ? value[i] : '?';
	out[n] = '\0';
}

void screen_parse(struct screen *s, const char *text, size_t len)
{
	const char *end = text + len;

	memset(s->fields, 0, sizeof(s->fields));
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end;
		const char *equals = memchr(text, '=', (size_t)(stop - text));

		for (size_t i = 0; equals && i < SCREEN_FIELD_MAX; i++)
			if (strlen(screen_fields[i].name) == (size_t)(equals - text) &&
			    memcmp(text, screen_fields[i].name, (size_t)(equals - text)) == 0)
				screen_keep(s->fields[i], equals + 1, (size_t)(stop - equals - 1));
		text = stop + 1;
	}
}

bool screen_on_display(const struct screen *s)
{
	const char *where = s->fields[SCREEN_WHERE];

	return !str_eq(where, "serial") && !str_eq(where, "off");
}

bool screen_on_serial(const struct screen *s)
{
	const char *where = s->fields[SCREEN_WHERE];

	return str_eq(where, "serial") || str_eq(where, "both");
}

/* Where a value of more than one line is broken: at a blank, if there is one in the line's second half */
static size_t screen_break(const char *value)
{
	size_t len = strlen(value);

	if (len <= SCREEN_VALUE_WIDTH)
		return len;
	for (len = SCREEN_VALUE_WIDTH; len > SCREEN_VALUE_WIDTH / 2; len--)
		if (value[len] == ' ')
			return len;
	return SCREEN_VALUE_WIDTH;
}

static void screen_value(struct buf *out, const char *label, const char *value, int lines)
{
	for (int i = 0; i < lines && (*value || i == 0); i++) {
		size_t len = screen_break(value);

		buf_printf(out, "  %-*s%.*s\n", SCREEN_LABEL_WIDTH - 1, i ? "" : label, (int)len,
			   value);
		value += len;
		while (*value == ' ')
			value++;
	}
}

static void screen_rule(struct buf *out)
{
	char rule[SCREEN_TEXT_MAX + 1];

	memset(rule, '-', SCREEN_TEXT_MAX);
	rule[0] = ' ';
	rule[SCREEN_TEXT_MAX] = '\0';
	buf_printf(out, "%s\n", rule);
}

void screen_draw(const struct screen *s, struct buf *out)
{
	const char *name = s->fields[SCREEN_NAME];

	buf_puts(out, SCREEN_CLEAR);
	buf_printf(out, "  HyperMetal%*.64s\n", SCREEN_TEXT_MAX - (int)strlen("  HyperMetal"),
		   name);
	screen_rule(out);
	for (size_t i = 0; i < SCREEN_FIELD_MAX; i++) {
		if (!screen_fields[i].label || i == SCREEN_NAME || !*s->fields[i])
			continue;
		screen_value(out, screen_fields[i].label, s->fields[i],
			     screen_fields[i].is_long ? SCREEN_LONG_LINES : 1);
		if (i == SCREEN_STATE && !*s->fields[SCREEN_REASON])
			buf_puts(out, "\n");
		else if (i == SCREEN_REASON)
			buf_puts(out, "\n");
	}
	if (*s->error) {
		buf_puts(out, "\n");
		screen_value(out, "Last error", s->error, SCREEN_LONG_LINES);
	}
	screen_rule(out);
	if (*name)
		buf_printf(out, "  More: hyper host-logs %.50s\n", name);
}
