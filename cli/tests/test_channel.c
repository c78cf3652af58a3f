// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "channel.h"

struct outputs {
	char text[3][64];
};

static void out(int fd, const void *data, size_t len, void *arg)
{
	struct outputs *o = arg;

	assert_true(fd == STDOUT_FILENO || fd == STDERR_FILENO);
	strncat(o->text[fd], data, len);
}

static bool take(struct channel_reader *c, struct outputs *o, bool first, bool last,
		 const char *data, size_t len)
{
	const struct ws_piece p = {.op = WS_BINARY,
				   .first = first,
				   .last = last,
				   .data = (const uint8_t *)data,
				   .len = len};

	return channel_take(c, &p, out, o);
}

static void messages(void **state)
{
	struct channel_reader c = {0};
	struct outputs o = {0};
	struct channel_end end;

	(void)state;
	assert_false(take(&c, &o, true, true, "\1one", 4));
	assert_false(take(&c, &o, true, false, "", 0)); /* the channel comes in the next piece */
	assert_false(take(&c, &o, false, false, "\2", 1));
	assert_false(take(&c, &o, false, true, "two", 3));
	assert_false(take(&c, &o, true, true, "\1 three", 7));
	assert_false(take(&c, &o, true, true, "\7?", 2));
	assert_false(take(&c, &o, true, true, "", 0));
	assert_string_equal(o.text[1], "one three");
	assert_string_equal(o.text[2], "two");
	assert_false(channel_status(&c, &end));
	assert_false(take(&c, &o, true, false, "\3{\"status\":", 11));
	assert_true(take(&c, &o, false, true, "\"Success\"}", 10));
	assert_true(channel_status(&c, &end));
	assert_int_equal(end.code, 0);
	channel_done(&c);
}

static void ends(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *message;
	} cases[] = {
		{"\3{\"status\":\"Success\"}", 0, NULL},
		{"\3{\"status\":\"Failure\",\"message\":\"m\",\"details\":{\"causes\":[{\"reason\":\"X\"},"
		 "{\"reason\":\"ExitCode\",\"message\":\"7\"}]}}",
		 7, NULL},
		{"\3{\"status\":\"Failure\",\"message\":\"no pod\"}", -1, "no pod"},
		{"\3{\"status\":\"Failure\",\"details\":{\"causes\":[{\"reason\":\"ExitCode\",\"message\":\"x\"}]}}",
		 -1, "the command failed"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct channel_reader c = {0};
		struct outputs o = {0};
		struct channel_end end;

		assert_true(take(&c, &o, true, true, cases[i].text, strlen(cases[i].text)));
		assert_true(channel_status(&c, &end));
		assert_int_equal(end.code, cases[i].code);
		if (cases[i].message)
			assert_string_equal(end.message, cases[i].message);
		channel_done(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(messages), cmocka_unit_test(ends)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
