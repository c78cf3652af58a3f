// SPDX-License-Identifier: Apache-2.0
/*
 * hypervm opens nothing itself, so this is where its files are opened and where the packet that
 * describes the VM is made. vm.state is written after the start and before the caller hears of it;
 * should hostd die in between, the VM is an orphan in the pod's cgroup, and cleaning that up ends it.
 */
#include "vm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define VM_STATE_FILE	 "vm.state"
#define VM_EXIT_FILE	 "exit"
#define VM_COUNTERS_FILE "counters"
#define VM_CONSOLE_FILE	 "console.log"
#define VM_STATE_MAX	 256
#define VM_MEMORY_ALIGN	 ((uint64_t)2 << 20)

/* The packet under construction. Descriptors that were opened for it are closed by vm_packet_done(). */
struct vm_packet {
	struct vm_spec spec;
	int fds[VM_FDS_MAX];
	bool owned[VM_FDS_MAX];
};

static void vm_packet_done(struct vm_packet *p)
{
	for (uint32_t i = 0; i < p->spec.fd_count; i++)
		if (p->owned[i])
			fd_close(p->fds[i]);
	p->spec.fd_count = 0;
}

static int vm_add_fd(struct vm_packet *p, int fd, bool owned, uint32_t *index, struct err *e)
{
	if (p->spec.fd_count == VM_FDS_MAX) {
		if (owned)
			fd_close(fd);
		return err_set(e, -E2BIG, "more than %d files", VM_FDS_MAX);
	}
	*index = p->spec.fd_count;
	p->fds[*index] = fd;
	p->owned[*index] = owned;
	p->spec.fd_count++;
	return 0;
}

static int vm_open(struct vm_packet *p, int dirfd, const char *path, int flags, uint32_t *index,
		   struct err *e)
{
	int fd = openat(dirfd, path, flags | O_CLOEXEC | O_NOCTTY, 0600);

	return fd < 0 ? err_sys(e, -errno, "open %s", path) : vm_add_fd(p, fd, true, index, e);
}

static int vm_open_files(struct vm_packet *p, const struct vm_config *c, int dirfd, struct err *e)
{
	struct vm_spec *s = &p->spec;
	int r;

	s->initrd_fd = s->counters_fd = VM_FD_NONE;
	r = vm_open(p, AT_FDCWD, c->kvm ? c->kvm : "/dev/kvm", O_RDWR, &s->kvm_fd, e);
	if (r == 0)
		r = vm_open(p, AT_FDCWD, c->vsock ? c->vsock : "/dev/vhost-vsock", O_RDWR,
			    &s->vsock_fd, e);
	if (r == 0)
		r = vm_open(p, AT_FDCWD, c->kernel, O_RDONLY, &s->kernel_fd, e);
	if (r == 0 && c->initrd)
		r = vm_open(p, AT_FDCWD, c->initrd, O_RDONLY, &s->initrd_fd, e);
	if (r == 0)
		r = vm_open(p, dirfd, VM_CONSOLE_FILE, O_WRONLY | O_CREAT | O_APPEND,
			    &s->console_fd, e);
	if (r == 0)
		r = vm_open(p, dirfd, VM_EXIT_FILE, O_WRONLY | O_CREAT | O_TRUNC, &s->exit_fd, e);
	if (r == 0)
		r = vm_open(p, dirfd, VM_COUNTERS_FILE, O_RDWR | O_CREAT | O_TRUNC, &s->counters_fd,
			    e);
	if (r == 0 && ftruncate(p->fds[s->counters_fd], VM_COUNTERS_BYTES) < 0)
		r = err_sys(e, -errno, "make the counters");
	return r;
}

static int vm_add_disk(struct vm_packet *p, const struct vm_disk_config *c, struct err *e)
{
	struct vm_spec *s = &p->spec;
	struct vm_disk *d = &s->disks[s->disk_count];

	if (s->disk_count == VM_DISKS_MAX || c->count > VM_EXTENTS_MAX - s->extent_count)
		return err_set(e, -E2BIG, "more than %d disks or %d layers", VM_DISKS_MAX,
			       VM_EXTENTS_MAX);
	d->first_extent = s->extent_count;
	d->extent_count = (uint32_t)c->count;
	d->flags = c->readonly ? VM_DISK_READONLY : 0;
	if (c->serial)
		memcpy(d->serial, c->serial, strnlen(c->serial, sizeof(d->serial)));
	for (size_t i = 0; i < c->count; i++) {
		struct vm_extent *x = &s->extents[s->extent_count++];
		int r = vm_add_fd(p, c->files[i].fd, false, &x->fd, e);

		if (r < 0)
			return r;
		x->size_bytes = c->files[i].size_bytes;
	}
	s->disk_count++;
	return 0;
}

static int vm_add_nic(struct vm_packet *p, const struct vm_nic_config *c, struct err *e)
{
	struct vm_spec *s = &p->spec;
	struct vm_nic *n = &s->nics[s->nic_count];
	int r;

	if (s->nic_count == VM_NICS_MAX)
		return err_set(e, -E2BIG, "more than %d network interfaces", VM_NICS_MAX);
	r = vm_add_fd(p, c->tap_fd, false, &n->tap_fd, e);
	if (r == 0)
		r = vm_add_fd(p, c->vhost_fd, false, &n->vhost_fd, e);
	memcpy(n->mac, c->mac, sizeof(n->mac));
	n->mtu = c->mtu;
	s->nic_count++;
	return r;
}

static int vm_describe(struct vm_packet *p, const struct vm_config *c, int dirfd, struct err *e)
{
	struct vm_spec *s = &p->spec;
	int r;

	s->magic = VM_SPEC_MAGIC;
	s->version = VM_SPEC_VERSION;
	s->size_bytes = sizeof(*s);
	s->memory_bytes = (c->memory_bytes + VM_MEMORY_ALIGN - 1) & ~(VM_MEMORY_ALIGN - 1);
	s->vcpus = c->vcpus;
	s->guest_cid = c->cid;
	s->uid = c->uid;
	s->gid = c->gid;
	s->console_max_bytes = VM_CONSOLE_MAX_BYTES;
	s->disk_bytes_per_s = c->disk_bytes_per_s;
	s->disk_ops_per_s = c->disk_ops_per_s;
	if (str_copy(s->name, sizeof(s->name), c->name) < 0 ||
	    str_copy(s->cmdline, sizeof(s->cmdline), c->cmdline ? c->cmdline : "") < 0)
		return err_set(e, -ENAMETOOLONG, "name or command line");
	r = vm_open_files(p, c, dirfd, e);
	for (size_t i = 0; r == 0 && i < c->disk_count; i++)
		r = vm_add_disk(p, &c->disks[i], e);
	for (size_t i = 0; r == 0 && i < c->nic_count; i++)
		r = vm_add_nic(p, &c->nics[i], e);
	return r;
}

static int vm_open_dir(const char *dir, struct err *e)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, -errno, "open %s", dir) : fd;
}

int vm_counters(const struct vm *vm, struct vm_counters *out)
{
	_cleanup_fd_ int dirfd = vm_open_dir(vm->dir, NULL);
	_cleanup_fd_ int fd = dirfd < 0 ? -1
					: openat(dirfd, VM_COUNTERS_FILE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -ENOENT;
	return fd_read_full(fd, out, sizeof(*out));
}

static void vm_read_exit(const struct vm *vm, int status, struct vm_exit *x)
{
	_cleanup_fd_ int dirfd = vm_open_dir(vm->dir, NULL);
	struct buf b = BUF_INIT(sizeof(*x) + 1); /* a longer file is none of ours */

	if (dirfd >= 0 && file_read(dirfd, VM_EXIT_FILE, &b, NULL) == 0 && b.len == sizeof(*x))
		memcpy(x, b.data, sizeof(*x));
	buf_done(&b);
	if (x->magic != VM_EXIT_MAGIC)
		*x = vm->told;
	if (x->magic != VM_EXIT_MAGIC)
		*x = (struct vm_exit){.reason = VM_REASON_NONE, .code = status};
	x->detail[sizeof(x->detail) - 1] = '\0';
}

/* Both watches are off and the descriptors are closed before the owner hears of it. */
static void vm_report(struct vm *vm, int status)
{
	struct vm_exit x = {0};

	if (vm->reported)
		return;
	vm->reported = true;
	vm_read_exit(vm, status, &x);
	vm_done(vm);
	vm->events->on_exited(vm, &x);
}

/* Return: type of the event, 0 when there is none */
static uint32_t vm_read_event(struct vm *vm)
{
	struct vm_event ev;
	ssize_t n = recv(vm->control_fd, &ev, sizeof(ev), MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		watch_del(&vm->control);
	if (n != (ssize_t)sizeof(ev) || ev.magic != VM_EVENT_MAGIC)
		return 0;
	if (ev.type == VM_EVENT_EXITED)
		vm->told = ev.exit;
	return ev.type;
}

static void vm_control_ready(struct watch *w, uint32_t events)
{
	struct vm *vm = container_of(w, struct vm, control);

	(void)events;
	if (vm_read_event(vm) == VM_EVENT_STARTED && vm->events->on_started)
		vm->events->on_started(vm);
}

static void vm_process_ended(struct watch *w, uint32_t events)
{
	struct vm *vm = container_of(w, struct vm, process);
	int status = 0;

	(void)events;
	if (vm->ours && proc_reap(&vm->proc, &status) == 0)
		return;
	/* The last word may still be in the socket; «started» is no news any more. */
	while (vm->control_fd >= 0 && vm_read_event(vm))
		;
	vm_report(vm, status);
}

static void vm_was_gone(struct defer *d)
{
	vm_report(container_of(d, struct vm, gone), 0);
}

static int vm_write_state(const struct vm *vm, int dirfd, struct err *e)
{
	char text[VM_STATE_MAX];
	uint64_t ticks;
	int n, r = proc_start_time(vm->proc.pid, &ticks);

	if (r < 0)
		return err_sys(e, r, "start time of hypervm");
	n = snprintf(text, sizeof(text), "pid=%d start=%" PRIu64 " cid=%" PRIu32 "\n",
		     (int)vm->proc.pid, ticks, vm->cid);
	return file_write(dirfd, VM_STATE_FILE, text, (size_t)n, 0600, e);
}

/* On failure the child is dead and reaped, the caller closes the rest. */
static int vm_launch(struct loop *l, struct vm *vm, const struct vm_packet *p,
		     const struct vm_config *c, int dirfd, struct err *e)
{
	_cleanup_fd_ int theirs = -1;
	const char *argv[] = {c->hypervm, NULL};
	int pair[2], fds[] = {-1, -1, STDERR_FILENO, -1}, r, status;
	/* Here, since the VMM cannot do it: KVM ties a VM to its process, and entering one takes a fork. */
	struct proc_spec spec = {.argv = argv,
				 .fds = fds,
				 .fd_count = 4,
				 .namespaces = geteuid() ? 0 : CLONE_NEWPID};

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, -errno, "socketpair");
	vm->control_fd = pair[0];
	theirs = pair[1];
	fds[VM_CONTROL_FD] = theirs;
	spec.cgroup_fd = c->cgroup_fd;
	r = proc_spawn(&spec, &vm->proc, e);
	if (r < 0)
		return r;
	vm->ours = true;
	r = fd_send(vm->control_fd, &p->spec, sizeof(p->spec), p->fds, p->spec.fd_count);
	if (r < 0)
		err_sys(e, r, "describe the VM to hypervm");
	if (r == 0)
		r = vm_write_state(vm, dirfd, e);
	if (r == 0)
		r = watch_add(l, &vm->process, vm->proc.pidfd, EPOLLIN, vm_process_ended);
	if (r == 0)
		r = watch_add(l, &vm->control, vm->control_fd, EPOLLIN, vm_control_ready);
	if (r < 0) {
		proc_kill(&vm->proc, SIGKILL);
		while (proc_reap(&vm->proc, &status) == 0)
			usleep(1000);
		unlinkat(dirfd, VM_STATE_FILE, 0);
	}
	return r;
}

static int vm_init(struct vm *vm, const struct vm_events *events, const char *dir, struct err *e)
{
	*vm = (struct vm){.events = events, .control_fd = -1, .proc.pidfd = -1};
	return str_copy(vm->dir, sizeof(vm->dir), dir) < 0
		       ? err_set(e, -ENAMETOOLONG, "folder %s", dir)
		       : 0;
}

int vm_start(struct loop *l, struct vm *vm, const struct vm_events *events,
	     const struct vm_config *c, struct err *e)
{
	_cleanup_fd_ int dirfd = -1;
	struct vm_packet *p;
	int r = vm_init(vm, events, c->dir, e);

	if (r < 0)
		return r;
	vm->cid = c->cid;
	dirfd = vm_open_dir(c->dir, e);
	if (dirfd < 0)
		return dirfd;
	p = mem_alloc(sizeof(*p));
	r = vm_describe(p, c, dirfd, e);
	if (r == 0)
		r = vm_launch(l, vm, p, c, dirfd, e);
	if (r < 0)
		vm_done(vm);
	vm_packet_done(p);
	free(p);
	return r;
}

static int vm_read_state(int dirfd, pid_t *pid, uint64_t *ticks, uint32_t *cid, struct err *e)
{
	struct buf b = BUF_INIT(VM_STATE_MAX);
	int n = 0, r = file_read(dirfd, VM_STATE_FILE, &b, e);

	if (r == 0 && sscanf(buf_str(&b), "pid=%d start=%" SCNu64 " cid=%" SCNu32 "\n%n", pid,
			     ticks, cid, &n) != 3)
		r = err_set(e, -EBADMSG, "%s is damaged", VM_STATE_FILE);
	if (r == 0 && (*pid <= 1 || (size_t)n != b.len))
		r = err_set(e, -EBADMSG, "%s is damaged", VM_STATE_FILE);
	buf_done(&b);
	return r;
}

int vm_adopt(struct loop *l, struct vm *vm, const struct vm_events *events, const char *dir,
	     struct err *e)
{
	_cleanup_fd_ int dirfd = -1;
	uint64_t ticks;
	pid_t pid;
	int r = vm_init(vm, events, dir, e);

	if (r < 0)
		return r;
	dirfd = vm_open_dir(dir, e);
	if (dirfd < 0)
		return dirfd;
	r = vm_read_state(dirfd, &pid, &ticks, &vm->cid, e);
	if (r < 0)
		return r;
	r = proc_adopt(pid, ticks, &vm->proc);
	if (r == -ESRCH) {
		loop_defer(l, &vm->gone, vm_was_gone);
		return 0;
	}
	if (r < 0)
		return err_sys(e, r, "adopt process %d", (int)pid);
	r = watch_add(l, &vm->process, vm->proc.pidfd, EPOLLIN, vm_process_ended);
	if (r < 0) {
		vm_done(vm);
		return err_sys(e, r, "watch process %d", (int)pid);
	}
	return 0;
}

int vm_kill(struct vm *vm)
{
	int r = vm->proc.pid ? proc_kill(&vm->proc, SIGKILL) : 0;

	return r == -ESRCH ? 0 : r;
}

void vm_done(struct vm *vm)
{
	if (!vm->events)
		return;
	watch_del(&vm->process);
	watch_del(&vm->control);
	defer_cancel(&vm->gone);
	vm->proc.pidfd = fd_close(vm->proc.pidfd);
	vm->proc.pid = 0;
	vm->control_fd = fd_close(vm->control_fd);
}

const char *vm_reason_name(uint32_t reason)
{
	static const char *const names[] = {
		[VM_REASON_NONE] = "unknown", [VM_REASON_POWEROFF] = "poweroff",
		[VM_REASON_RESET] = "reset",  [VM_REASON_PANIC] = "panic",
		[VM_REASON_ERROR] = "error",  [VM_REASON_KILLED] = "killed",
	};

	return reason < ARRAY_SIZE(names) ? names[reason] : "unknown";
}
