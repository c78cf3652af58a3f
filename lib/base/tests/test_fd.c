// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"

static void pipes(void **state)
{
	int ours = -1, theirs = -1;
	char c = 0;

	(void)state;
	for (int we_write = 0; we_write < 2; we_write++) {
		assert_int_equal(fd_pipe(&ours, &theirs, we_write), 0);
		assert_int_equal(fcntl(ours, F_GETFL) & (O_NONBLOCK | O_ACCMODE),
				 O_NONBLOCK | (we_write ? O_WRONLY : O_RDONLY));
		assert_int_equal(fcntl(theirs, F_GETFL) & (O_NONBLOCK | O_ACCMODE),
				 we_write ? O_RDONLY : O_WRONLY);
		assert_int_equal(fcntl(ours, F_GETFD) & fcntl(theirs, F_GETFD), FD_CLOEXEC);
		assert_int_equal(write(we_write ? ours : theirs, "x", 1), 1);
		assert_int_equal(read(we_write ? theirs : ours, &c, 1), 1);
		assert_int_equal(c, 'x');
		ours = fd_close(ours);
		theirs = fd_close(theirs);
	}
}

static void no_pipe(void **state)
{
	struct rlimit old, none;
	int ours = -1, theirs = -1;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(fd_pipe(&ours, &theirs, false), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(ours, -1);
	assert_int_equal(theirs, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pipes),
		cmocka_unit_test(no_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
