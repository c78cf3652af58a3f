// SPDX-License-Identifier: Apache-2.0
/*
 * The parent's side against a stand-in for hypervm that keeps the protocol: this same program, when it
 * finds a SEQPACKET socket as descriptor 3. What it does is told by the VM's name. The real hypervm
 * is tried in QEMU.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "vm/vm.h"

#define WAIT_ROUNDS 200

struct fixture {
	struct loop loop;
	struct vm vm;
	struct vm_config config;
	struct vm_exit exit;
	int started, exited;
	char dir[64], kernel[80];
};

static void on_started(struct vm *vm)
{
	container_of(vm, struct fixture, vm)->started++;
}

static void on_exited(struct vm *vm, const struct vm_exit *x)
{
	struct fixture *f = container_of(vm, struct fixture, vm);

	f->exit = *x;
	f->exited++;
}

static const struct vm_events events = {.on_started = on_started, .on_exited = on_exited};

static void fake_send(uint32_t type, uint32_t reason, int code, int record_fd)
{
	struct vm_event ev = {.magic = VM_EVENT_MAGIC, .type = type};

	if (type == VM_EVENT_EXITED)
		ev.exit = (struct vm_exit){
			.magic = VM_EXIT_MAGIC, .reason = reason, .code = code, .detail = "fake"};
	if (record_fd >= 0 &&
	    pwrite(record_fd, &ev.exit, sizeof(ev.exit), 0) != (ssize_t)sizeof(ev.exit))
		_exit(99);
	if (send(VM_CONTROL_FD, &ev, sizeof(ev), MSG_NOSIGNAL) < 0)
		_exit(98);
}

/* What the packet must hold: the description and the very files. */
static bool fake_check(const struct vm_spec *s, const int *fds, size_t count)
{
	char layer[2];

	return s->magic == VM_SPEC_MAGIC && s->fd_count == count && s->vcpus == 2 &&
	       s->guest_cid == 77 && s->memory_bytes == (uint64_t)66 << 20 && s->uid == 4711 &&
	       s->disk_count == 1 && s->disks[0].extent_count == 2 &&
	       s->disks[0].flags == VM_DISK_READONLY && s->extents[1].size_bytes == 1 &&
	       pread(fds[s->extents[0].fd], layer, 2, 0) == 2 && layer[0] == 'A' &&
	       pread(fds[s->extents[1].fd], layer, 2, 0) == 1 && layer[0] == 'B' &&
	       memcmp(s->disks[0].serial, "layers", sizeof("layers")) == 0 &&
	       str_eq(s->cmdline, "hyper.test=1") && s->nic_count == 0;
}

static int fake_main(void)
{
	static struct vm_spec s;
	int fds[VM_FDS_MAX];
	size_t count;

	if (fd_recv(VM_CONTROL_FD, &s, sizeof(s), fds, VM_FDS_MAX, &count) != sizeof(s))
		return 97;
	if (!fake_check(&s, fds, count)) {
		fake_send(VM_EVENT_EXITED, VM_REASON_ERROR, -EINVAL, -1);
		return 96;
	}
	if (str_eq(s.name, "refuse")) {
		fake_send(VM_EVENT_EXITED, VM_REASON_ERROR, -ENOSPC, -1);
		return 125;
	}
	fake_send(VM_EVENT_STARTED, 0, 0, -1);
	if (str_eq(s.name, "crash")) {
		/* A real fault: the first of a PID namespace takes no signal from itself. */
		signal(SIGILL, SIG_DFL);
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
		__builtin_trap();
	}
	if (str_eq(s.name, "stay"))
		pause();
	if (str_eq(s.name, "late"))
		usleep(300000);
	/* Whoever listened may be gone: only the record counts then. */
	signal(SIGPIPE, SIG_IGN);
	fake_send(VM_EVENT_EXITED, VM_REASON_POWEROFF, 42, fds[s.exit_fd]);
	return 0;
}

static int make_file(const char *dir, const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(file_write(AT_FDCWD, path, text, strlen(text), 0600, NULL), 0);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));

	strcpy(f->dir, "/tmp/test_vm.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->kernel, sizeof(f->kernel), "%s/kernel", f->dir);
	fd_close(make_file(f->dir, "kernel", "kernel"));
	assert_int_equal(loop_init(&f->loop), 0);
	f->config = (struct vm_config){.dir = f->dir,
				       .hypervm = "/proc/self/exe",
				       .kernel = f->kernel,
				       .kvm = "/dev/null",
				       .vsock = "/dev/null",
				       .cmdline = "hyper.test=1",
				       .vcpus = 2,
				       .memory_bytes = ((uint64_t)64 << 20) + 1,
				       .cid = 77,
				       .uid = 4711,
				       .gid = 4711,
				       .cgroup_fd = -1};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vm_done(&f->vm);
	loop_done(&f->loop);
	file_remove_tree(AT_FDCWD, f->dir);
	free(f);
	return 0;
}

static int start(struct fixture *f, const char *name, struct err *e)
{
	struct vm_disk_file files[2] = {{.fd = make_file(f->dir, "a", "AA"), .size_bytes = 2},
					{.fd = make_file(f->dir, "b", "B"), .size_bytes = 1}};
	struct vm_disk_config disk = {
		.files = files, .count = 2, .readonly = true, .serial = "layers"};
	int r;

	f->config.name = name;
	f->config.disks = &disk;
	f->config.disk_count = 1;
	r = vm_start(&f->loop, &f->vm, &events, &f->config, e);
	fd_close(files[0].fd);
	fd_close(files[1].fd);
	return r;
}

static void wait_for(struct fixture *f, const int *count)
{
	for (int i = 0; i < WAIT_ROUNDS && *count == 0; i++)
		assert_int_equal(loop_once(&f->loop, 50), 0);
	assert_int_equal(*count, 1);
}

static void test_poweroff(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(start(f, "poweroff", NULL), 0);
	assert_int_equal(f->started + f->exited, 0);
	wait_for(f, &f->exited);
	assert_int_equal(f->exit.reason, VM_REASON_POWEROFF);
	assert_int_equal(f->exit.code, 42);
	assert_string_equal(f->exit.detail, "fake");
}

static void test_crash_has_no_record(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(start(f, "crash", NULL), 0);
	wait_for(f, &f->exited);
	assert_int_equal(f->exit.reason, VM_REASON_NONE);
	assert_int_equal(f->exit.code, 128 + SIGILL);
}

static void test_refusal_comes_by_socket(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(start(f, "refuse", NULL), 0);
	wait_for(f, &f->exited);
	assert_int_equal(f->started, 0);
	assert_int_equal(f->exit.reason, VM_REASON_ERROR);
	assert_int_equal(f->exit.code, -ENOSPC);
}

static void test_kill(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(start(f, "stay", NULL), 0);
	wait_for(f, &f->started);
	assert_int_equal(f->exited, 0);
	assert_int_equal(vm_kill(&f->vm), 0);
	wait_for(f, &f->exited);
	assert_int_equal(f->exit.reason, VM_REASON_NONE);
	assert_int_equal(vm_kill(&f->vm), 0);
}

/* A hostd that dies lets go; the next one finds the VM by its folder. */
static void test_adopt_running(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(start(f, "stay", NULL), 0);
	wait_for(f, &f->started);
	vm_done(&f->vm);
	assert_int_equal(vm_adopt(&f->loop, &f->vm, &events, f->dir, NULL), 0);
	assert_int_equal(f->vm.cid, 77);
	assert_int_equal(vm_kill(&f->vm), 0);
	wait_for(f, &f->exited);
	assert_int_equal(f->exit.reason, VM_REASON_NONE);
}

static void test_adopt_ends_later(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(start(f, "late", NULL), 0);
	wait_for(f, &f->started);
	vm_done(&f->vm);
	assert_int_equal(vm_adopt(&f->loop, &f->vm, &events, f->dir, NULL), 0);
	wait_for(f, &f->exited);
	assert_int_equal(f->exit.reason, VM_REASON_POWEROFF);
	assert_int_equal(f->exit.code, 42);
}

static void test_adopt_ended(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(start(f, "poweroff", NULL), 0);
	wait_for(f, &f->exited);
	f->exited = 0;
	assert_int_equal(vm_adopt(&f->loop, &f->vm, &events, f->dir, NULL), 0);
	assert_int_equal(f->exited, 0);
	wait_for(f, &f->exited);
	assert_int_equal(f->exit.code, 42);
}

static void test_adopt_refuses_damage(void **state)
{
	static const char *const bad[] = {"", "pid=1 start=5 cid=3\n", "pid=-4 start=5 cid=3\n",
					  "pid=44 start=5\n", "pid=44 start=5 cid=3\nmore"};
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	assert_int_equal(vm_adopt(&f->loop, &f->vm, &events, f->dir, &e), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fd_close(make_file(f->dir, "vm.state", bad[i]));
		assert_int_equal(vm_adopt(&f->loop, &f->vm, &events, f->dir, &e), -EBADMSG);
	}
	assert_string_equal(e.msg, "vm.state is damaged");
}

static void test_start_failures_leave_nothing(void **state)
{
	struct fixture *f = *state;
	struct err e = ERR_INIT;

	f->config.hypervm = "/nonexistent";
	assert_int_equal(start(f, "x", &e), -ENOENT);
	assert_non_null(strstr(e.msg, "/nonexistent"));
	f->config.hypervm = "/proc/self/exe";
	f->config.kernel = "/nonexistent-kernel";
	assert_int_equal(start(f, "x", &e), -ENOENT);
	assert_non_null(strstr(e.msg, "/nonexistent-kernel"));
	assert_int_equal(vm_adopt(&f->loop, &f->vm, &events, f->dir, &e), -ENOENT);
	assert_int_equal(f->started + f->exited, 0);
}

static void test_too_many_layers(void **state)
{
	struct fixture *f = *state;
	struct vm_disk_file files[VM_EXTENTS_MAX + 1];
	struct vm_disk_config disk = {.files = files, .count = ARRAY_SIZE(files), .readonly = true};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		files[i] = (struct vm_disk_file){.fd = 0, .size_bytes = 1};
	f->config.name = "x";
	f->config.disks = &disk;
	f->config.disk_count = 1;
	assert_int_equal(vm_start(&f->loop, &f->vm, &events, &f->config, NULL), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_poweroff, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crash_has_no_record, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusal_comes_by_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kill, setup, teardown),
		cmocka_unit_test_setup_teardown(test_adopt_running, setup, teardown),
		cmocka_unit_test_setup_teardown(test_adopt_ends_later, setup, teardown),
		cmocka_unit_test_setup_teardown(test_adopt_ended, setup, teardown),
		cmocka_unit_test_setup_teardown(test_adopt_refuses_damage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_start_failures_leave_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many_layers, setup, teardown),
	};
	int type = 0;
	socklen_t len = sizeof(type);

	if (getsockopt(VM_CONTROL_FD, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	    type == SOCK_SEQPACKET)
		return fake_main();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
