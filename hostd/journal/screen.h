/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one page that a display shows: who this host is, where it is, what it does, what went wrong last. Plain ASCII,
 * 80 by 25, the same on a serial line. What hostd knows comes as a file of KEY=VALUE lines (journal.h).
 */
#ifndef JOURNAL_SCREEN_H
#define JOURNAL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define SCREEN_COLUMNS	  80
#define SCREEN_ROWS	  25
#define SCREEN_VALUE_MAX  256
#define SCREEN_STATUS_MAX 8192 /* of the file */

/* What hostd tells, in the order in which it is shown */
enum screen_field {
	SCREEN_STATE, /* "Ready", "Waiting for approval"… */
	SCREEN_REASON, /* why, or what to do */
	SCREEN_NAME,
	SCREEN_ADDRESSES, /* with blanks between */
	SCREEN_MAC,
	SCREEN_CONTROLLER,
	SCREEN_IMAGE,
	SCREEN_PODS,
	SCREEN_SINCE, /* when it was booted */
	SCREEN_WHERE, /* "display" (default), "serial", "both", "off" */
	SCREEN_FIELD_MAX,
};

struct screen {
	char fields[SCREEN_FIELD_MAX][SCREEN_VALUE_MAX];
	char error[SCREEN_VALUE_MAX]; /* the last one, with its time; "" none */
};

/** screen_init() - What is shown before hostd said anything */
void screen_init(struct screen *s);

/** screen_field_name() - Its key in the file */
const char *screen_field_name(enum screen_field field);

/** screen_parse() - Take over what the file says, all of it; keys that are not known are passed over */
void screen_parse(struct screen *s, const char *text, size_t len);

/** screen_on_display(), screen_on_serial() - Where it is to be shown */
bool screen_on_display(const struct screen *s);
bool screen_on_serial(const struct screen *s);

/** screen_draw() - Append the page, with what clears a terminal before it */
void screen_draw(const struct screen *s, struct buf *out);

#endif
