// SPDX-License-Identifier: Apache-2.0
/* Rules that are for ever, so each is tried in a child. What needs root is tried by the scenarios. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox.h"

#define NOT_HERE 77

static int status_of(int (*child)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		syscall(SYS_exit_group, child());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Return: which of the promises was broken, 0 none */
static int landlocked(void)
{
	char byte;
	int fd = open("/proc/self/stat", O_RDONLY);

	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1U) < 1)
		return NOT_HERE;
	if (fd < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return 1;
	if (sandbox_landlock() < 0)
		return 2;
	if (open("/proc/self/stat", O_RDONLY) >= 0 || errno != EACCES)
		return 3;
	if (open("/", O_RDONLY | O_DIRECTORY) >= 0 || errno != EACCES)
		return 4;
	if (read(fd, &byte, 1) != 1) /* what was open stays open */
		return 5;
	return sandbox_landlock() == 0 ? 0 : 6; /* may be stacked */
}

static void test_landlock(void **state)
{
	int r = status_of(landlocked);

	(void)state;
	if (r == NOT_HERE)
		skip();
	assert_int_equal(r, 0);
}

static int limited(void)
{
	struct rlimit l;

	if (sandbox_limit(RLIMIT_NOFILE, 3) < 0 || getrlimit(RLIMIT_NOFILE, &l) < 0)
		return 1;
	if (l.rlim_cur != 3 || l.rlim_max != 3)
		return 2;
	return dup(0) < 0 && errno == EMFILE ? 0 : 3;
}

static void test_limit(void **state)
{
	(void)state;
	assert_int_equal(status_of(limited), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_landlock),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
