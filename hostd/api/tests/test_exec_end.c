// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/exec_end.h"
#include "base/mem.h"

static void expect_status(const struct exec_pipe_end *end, bool attach, const char *text)
{
	struct buf out = BUF_INIT(4096);

	assert_int_equal(exec_end_status(end, attach, &out), 0);
	assert_string_equal(buf_str(&out), text);
	buf_done(&out);
}

/* Word for word what a kubelet sends, as far as clients look at it */
static void statuses(void **state)
{
	struct exec_pipe_end end = {.kind = EXEC_PIPE_END};

	(void)state;
	expect_status(&end, false, "{\"metadata\":{},\"status\":\"Success\"}");
	end.code = 7;
	expect_status(&end, true, "{\"metadata\":{},\"status\":\"Success\"}");
	expect_status(&end, false,
		      "{\"metadata\":{},\"status\":\"Failure\",\"reason\":\"NonZeroExitCode\","
		      "\"message\":\"command terminated with non-zero exit code: exit status 7\","
		      "\"details\":{\"causes\":[{\"reason\":\"ExitCode\",\"message\":\"7\"}]}}");
	end.lost = true;
	strcpy(end.message, "gone");
	expect_status(&end, true,
		      "{\"metadata\":{},\"status\":\"Failure\",\"reason\":\"InternalError\","
		      "\"message\":\"gone\",\"code\":500}");
}

static void resizes(void **state)
{
	static const char *const bad[] = {"",
					  "{}",
					  "[]",
					  "{\"Width\":80}",
					  "{\"Width\":80,\"Height\":0}",
					  "{\"Width\":-1,\"Height\":24}",
					  "{\"Width\":80,\"Height\":65536}",
					  "{\"Width\":\"80\",\"Height\":24}",
					  "{\"Width\":80,\"Height\":24"};
	static const char good[] = "{\"Width\":80,\"Height\":24}\n";
	struct exec_pipe_resize r;

	(void)state;
	assert_true(exec_resize_parse(good, strlen(good), &r));
	assert_true(r.kind == EXEC_PIPE_RESIZE && r.cols == 80 && r.rows == 24);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (exec_resize_parse(bad[i], strlen(bad[i]), &r))
			fail_msg("taken: %s", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(statuses), cmocka_unit_test(resizes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
