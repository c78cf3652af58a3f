// SPDX-License-Identifier: Apache-2.0
/* Filters are for ever, so each is tried in a child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/seccomp.h"

/* Makes system calls under a filter. Return: which of the promises was broken, 0 none */
static int child(uint32_t otherwise)
{
	static const int allowed[] = {SYS_exit_group, SYS_getpid};
	static const uint32_t families[] = {AF_INET, AF_INET6};
	struct seccomp s;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return 1;
	seccomp_begin(&s, otherwise);
	seccomp_allow_if(&s, SYS_socket, 0, families, ARRAY_SIZE(families));
	seccomp_allow(&s, allowed, ARRAY_SIZE(allowed));
	if (seccomp_apply(&s) < 0)
		return 2;
	if (syscall(SYS_getpid) <= 0)
		return 3;
	if (syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0) < 0 && errno == ENOSYS)
		return 4;
	if (syscall(SYS_socket, AF_UNIX, SOCK_DGRAM, 0) >= 0 || errno != ENOSYS)
		return 5;
	if (syscall(SYS_getppid) >= 0 || errno != ENOSYS)
		return 6;
	return 0;
}

/* The other way round: all but a few. Return: as child() */
static int refusing_child(void)
{
	static const int refused[] = {SYS_getppid, SYS_getpgid};
	static const uint32_t families[] = {AF_INET, AF_INET6};
	struct seccomp s;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return 1;
	seccomp_begin(&s, SECCOMP_RET_ALLOW);
	seccomp_refuse(&s, refused, ARRAY_SIZE(refused), SECCOMP_RET_ERRNO | EPERM);
	seccomp_refuse_bits(&s, SYS_dup3, 2, 0x30, SECCOMP_RET_ERRNO | EXDEV);
	seccomp_refuse_unless(&s, SYS_socket, 0, families, ARRAY_SIZE(families),
			      SECCOMP_RET_ERRNO | EXDEV);
	if (seccomp_apply(&s) < 0)
		return 2;
	if (syscall(SYS_getpid) <= 0 || syscall(SYS_close, -1) >= 0 || errno != EBADF)
		return 3;
	if (syscall(SYS_getppid) >= 0 || errno != EPERM || syscall(SYS_getpgid, 0) >= 0)
		return 4;
	if (syscall(SYS_dup3, -1, -1, 0x10) >= 0 || errno != EXDEV)
		return 5;
	if (syscall(SYS_dup3, -1, -1, 0x1000) >= 0 || errno == EXDEV)
		return 6;
	if (syscall(SYS_socket, AF_UNIX, SOCK_DGRAM, 0) >= 0 || errno != EXDEV)
		return 7;
	if (syscall(SYS_socket, AF_INET, 99, 0) >= 0 || errno == EXDEV)
		return 8;
	return 0;
}

static void test_refuse(void **state)
{
	int status = -1;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		syscall(SYS_exit_group, refusing_child());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int status_of_child(uint32_t otherwise)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		syscall(SYS_exit_group, child(otherwise));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void test_errno(void **state)
{
	int status = status_of_child(SECCOMP_RET_ERRNO | ENOSYS);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_kill(void **state)
{
	int status = status_of_child(SECCOMP_RET_KILL_PROCESS);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void test_too_long(void **state)
{
	static const int calls[SECCOMP_STEPS_MAX] = {SYS_read};
	struct seccomp s;

	(void)state;
	seccomp_begin(&s, SECCOMP_RET_KILL_PROCESS);
	seccomp_allow(&s, calls, ARRAY_SIZE(calls));
	assert_int_equal(seccomp_apply(&s), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refuse),
		cmocka_unit_test(test_errno),
		cmocka_unit_test(test_kill),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests_name("seccomp", tests, NULL, NULL);
}
