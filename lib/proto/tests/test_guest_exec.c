// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "proto/guest_msg.h"

static uint8_t data[GUEST_FRAME_HEADER + GUEST_FRAME_PAYLOAD_MAX];

static struct guest_frame parsed(long len)
{
	struct guest_frame f;

	assert_true(len > 0);
	assert_int_equal(guest_frame_parse(data, (size_t)len, &f), len);
	return f;
}

static void round_trips(void **state)
{
	static const char *const args[] = {"sh", "-c", "echo \"a b\"", ""};
	static struct guest_exec exec, exec2;
	struct guest_stdin in = {3, "hello", 5}, in2;
	struct guest_resize resize = {4, 80, 24}, resize2;
	struct guest_signal sig = {5, 1, 2000}, sig2;
	struct guest_exec_output out = {15, GUEST_STREAM_STDERR, "no\n", 3}, out2;
	struct guest_exec_end end = {6, 127, 0, "StartError", "no such file"}, end2;
	struct guest_frame f;
	uint16_t stream;
	uint32_t bytes;

	(void)state;
	exec = (struct guest_exec){
		.exec = 15,
		.container = 2,
		.tty = true,
		.with_stdin = true,
		.cols = 100,
		.rows = 40,
		.window = 65536,
		.args = {args, 4},
	};
	f = parsed(guest_exec_encode(&exec, data, sizeof(data)));
	assert_int_equal(guest_exec_decode(&f, &exec2), 0);
	assert_true(exec2.exec == 15 && exec2.container == 2 && exec2.tty && exec2.with_stdin &&
		    !exec2.attach);
	assert_true(exec2.cols == 100 && exec2.rows == 40 && exec2.window == 65536);
	assert_int_equal(exec2.args.count, 4);
	for (int i = 0; i < 4; i++)
		assert_string_equal(exec2.args.at[i], args[i]);

	f = parsed(guest_stdin_encode(&in, data, sizeof(data)));
	assert_int_equal(guest_stdin_decode(&f, &in2), 0);
	assert_true(in2.exec == 3 && in2.len == 5);
	assert_memory_equal(in2.data, "hello", 5);
	f = parsed(guest_resize_encode(&resize, data, sizeof(data)));
	assert_int_equal(guest_resize_decode(&f, &resize2), 0);
	assert_true(resize2.exec == 4 && resize2.cols == 80 && resize2.rows == 24);
	f = parsed(guest_signal_encode(&sig, data, sizeof(data)));
	assert_int_equal(guest_signal_decode(&f, &sig2), 0);
	assert_true(sig2.exec == 5 && sig2.signal == 1 && sig2.kill_ms == 2000);
	f = parsed(guest_exec_output_encode(&out, data, sizeof(data)));
	assert_int_equal(guest_exec_output_decode(&f, &out2), 0);
	assert_true(out2.exec == 15 && out2.stream == GUEST_STREAM_STDERR && out2.len == 3);
	assert_memory_equal(out2.data, "no\n", 3);
	f = parsed(guest_exec_end_encode(&end, data, sizeof(data)));
	assert_int_equal(guest_exec_end_decode(&f, &end2), 0);
	assert_true(end2.exec == 6 && end2.code == 127 && !end2.signal);
	assert_string_equal(end2.reason, "StartError");
	assert_string_equal(end2.message, "no such file");
	f = parsed(guest_credit_encode(GUEST_CREDIT_EXEC(15, 1), 9, data, sizeof(data)));
	assert_int_equal(guest_credit_decode(&f, &stream, &bytes), 0);
	assert_int_equal(stream, GUEST_CREDIT_STREAMS_MAX - 1);
}

/* A slot is an index behind the decoder: none beyond the last gets there. */
static void slots_are_checked(void **state)
{
	static const char *const args[] = {"true"};
	static struct guest_exec exec;
	struct guest_stdin in = {0};
	struct guest_resize resize = {0};
	struct guest_signal sig = {.signal = 1};
	struct guest_exec_output out = {0};
	struct guest_exec_end end = {.reason = "", .message = ""};
	struct guest_frame f;

	(void)state;
	exec = (struct guest_exec){.args = {args, 1}};
	f = parsed(guest_exec_encode(&exec, data, sizeof(data)));
	f.stream = GUEST_EXECS_MAX;
	assert_int_equal(guest_exec_decode(&f, &exec), -EBADMSG);
	f = parsed(guest_resize_encode(&resize, data, sizeof(data)));
	f.stream = GUEST_EXECS_MAX;
	assert_int_equal(guest_resize_decode(&f, &resize), -EBADMSG);
	assert_int_equal(guest_resize_encode(&resize, data, sizeof(data)), -EINVAL);
	f = parsed(guest_signal_encode(&sig, data, sizeof(data)));
	f.stream = GUEST_EXECS_MAX;
	assert_int_equal(guest_signal_decode(&f, &sig), -EBADMSG);
	f = parsed(guest_exec_end_encode(&end, data, sizeof(data)));
	f.stream = UINT16_MAX;
	assert_int_equal(guest_exec_end_decode(&f, &end), -EBADMSG);
	f = parsed(guest_exec_output_encode(&out, data, sizeof(data)));
	f.stream = GUEST_EXECS_MAX;
	assert_int_equal(guest_exec_output_decode(&f, &out), -EBADMSG);
	f = parsed(guest_stdin_encode(&in, data, sizeof(data)));
	f.stream = GUEST_EXECS_MAX;
	assert_int_equal(guest_stdin_decode(&f, &in), -EBADMSG);
}

static void limits(void **state)
{
	static const char *many[GUEST_EXEC_ARGS_MAX + 1];
	static char big[GUEST_EXEC_BYTES_MAX];
	static struct guest_exec exec;
	struct guest_stdin in = {.data = data, .len = GUEST_EXEC_DATA_MAX + 1};
	struct guest_exec_output out = {.data = data, .len = GUEST_EXEC_DATA_MAX + 1};
	struct guest_signal sig = {.signal = 0};
	struct guest_exec_end end = {.reason = "", .message = ""};
	struct guest_frame f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = "x";
	exec.args = (struct guest_strings){many, GUEST_EXEC_ARGS_MAX};
	assert_true(guest_exec_encode(&exec, data, sizeof(data)) > 0);
	exec.args.count++;
	assert_int_equal(guest_exec_encode(&exec, data, sizeof(data)), -EINVAL);
	memset(big, 'x', sizeof(big) - 1);
	many[0] = big;
	exec.args.count = 1;
	assert_true(guest_exec_encode(&exec, data, sizeof(data)) > 0);
	exec.args.count = 2;
	assert_int_equal(guest_exec_encode(&exec, data, sizeof(data)), -EINVAL);
	/* Nothing to execute, but attaching needs nothing */
	exec.args.count = 0;
	assert_int_equal(guest_exec_encode(&exec, data, sizeof(data)), -EINVAL);
	exec.attach = true;
	assert_true(guest_exec_encode(&exec, data, sizeof(data)) > 0);
	assert_int_equal(guest_stdin_encode(&in, data, sizeof(data)), -EINVAL);
	assert_int_equal(guest_exec_output_encode(&out, data, sizeof(data)), -EINVAL);
	assert_int_equal(guest_signal_encode(&sig, data, sizeof(data)), -EINVAL);
	sig.signal = 65;
	assert_int_equal(guest_signal_encode(&sig, data, sizeof(data)), -EINVAL);
	/* Cut short anywhere */
	f = parsed(guest_exec_end_encode(&end, data, sizeof(data)));
	while (f.len--)
		assert_int_equal(guest_exec_end_decode(&f, &end), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trips),
		cmocka_unit_test(slots_are_checked),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
