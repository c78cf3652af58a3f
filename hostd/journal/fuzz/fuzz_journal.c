// SPDX-License-Identifier: Apache-2.0
/*
 * What the journal reads: records of /dev/kmsg, lines of programs, entries of the ring, what hostd tells of itself, where
 * to ship to; the first byte says which.
 */
#include <stdlib.h>
#include <string.h>

#include "journal/line.h"
#include "journal/ring.h"
#include "journal/screen.h"
#include "journal/ship.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void check(const struct line *l)
{
	char entry[RING_ENTRY_MAX];
	static struct line back;
	size_t len;

	for (const char *p = l->text; *p; p++)
		if (*p < 0x20 || *p >= 0x7f)
			abort();
	/* What is kept can be read again, as the same */
	len = ring_entry(l, entry);
	if (len >= sizeof(entry) || ring_parse(entry, len - 1, &back) < 0)
		abort();
	if (back.time_ns != l->time_ns || back.kernel != l->kernel || back.level != l->level ||
	    strcmp(back.source, l->source) != 0 || strcmp(back.text, l->text) != 0)
		abort();
}

static void check_screen(const char *text, size_t len)
{
	struct buf page = BUF_INIT(0);
	struct screen s;

	screen_init(&s);
	screen_parse(&s, text, len);
	screen_draw(&s, &page);
	for (const char *p = page.data; *p; p++)
		if ((*p < 0x20 && *p != '\n' && *p != '\033') || *p == 0x7f)
			abort();
	buf_done(&page);
}

static void check_ship(const char *text, size_t len)
{
	struct ship_config c;

	if (ship_parse(text, len, &c, NULL) == 0 && (!*c.target.host || !*c.target.port))
		abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const char *text = (const char *)data + 1;
	static struct line line;
	struct line_kmsg k;

	if (!size)
		return 0;
	if (*data == 'k') {
		if (line_from_kmsg(text, size - 1, 1700000000000000000ULL, 1000000, &line, &k) == 0)
			check(&line);
	} else if (*data == 'p') {
		line_from_program(text, size - 1, 1700000000000000000ULL, &line);
		check(&line);
	} else if (*data == 's') {
		check_screen(text, size - 1);
	} else if (*data == 'u') {
		check_ship(text, size - 1);
	} else {
		(void)ring_parse(text, size - 1, &line);
	}
	return 0;
}
