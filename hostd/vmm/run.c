// SPDX-License-Identifier: Apache-2.0
/*
 * From a checked specification to a running guest.
 *
 * The jail comes first: kernel file, disks and the like are only looked at by a process that has no
 * rights left. Then the machine is built, all by this thread. Worker threads shut themselves in and
 * wait at a gate; it opens when everybody has, so no guest instruction runs beside an open thread.
 * After that the main thread waits for SIGTERM and takes back memory that the guest reports as free.
 * Whoever sees the end calls vm_end().
 */
#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "vmm/jail.h"
#include "vmm/vmm.h"

#define RUN_STACK_BYTES ((size_t)128 << 10)

/*
 * Our own parameters. console, quiet: panics are kept, and every other character would be an exit. panic,
 * reboot: end by a triple fault, at once. no_timer_check: there is no PIT whose interrupt could be
 * checked. The rest saves memory and faults: noreplace-smp keeps the kernel from rewriting 4 MiB of
 * its text for one processor, percpu_alloc from clearing 2 MiB for each, page_reporting gives
 * back 64 KiB at a time instead of 2 MiB, and a slab of which one object is used is 8 KiB instead of 32.
 */
#define RUN_CMDLINE                                                                             \
	"console=ttyS0 quiet panic=-1 reboot=t no_timer_check noreplace-smp percpu_alloc=page " \
	"page_reporting.page_reporting_order=4 slub_max_order=1"

struct run_thread {
	struct vm *vm;
	void (*body)(void *arg);
	void *arg;
	enum jail_thread kind;
};

static struct run_thread run_threads[VM_VCPUS_MAX + VM_DISKS_MAX];
static size_t run_thread_count;
static sem_t run_sealed, run_gate;

static void run_vcpu(void *arg)
{
	vcpu_run(arg);
}

static void run_disk(void *arg)
{
	blk_run(arg);
}

static void run_filter(struct vm *vm, enum jail_thread kind)
{
	struct err e = ERR_INIT;
	int r = vm->jailed ? jail_filter(kind, &e) : 0;

	if (r < 0)
		vm_end(vm, VM_REASON_ERROR, r, "%s", err_msg(&e));
}

static void *run_thread_main(void *arg)
{
	struct run_thread *t = arg;

	run_filter(t->vm, t->kind);
	sem_post(&run_sealed);
	while (sem_wait(&run_gate) < 0)
		;
	t->body(t->arg);
	return NULL;
}

static int run_start_thread(struct vm *vm, void (*body)(void *arg), void *arg,
			    enum jail_thread kind, struct err *e)
{
	struct run_thread *t = &run_threads[run_thread_count++];
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	*t = (struct run_thread){.vm = vm, .body = body, .arg = arg, .kind = kind};
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, RUN_STACK_BYTES);
	r = pthread_create(&thread, &attr, run_thread_main, t);
	pthread_attr_destroy(&attr);
	return r ? err_sys(e, -r, "start a thread") : 0;
}

static int run_start_threads(struct vm *vm, struct err *e)
{
	int r = 0;

	sem_init(&run_sealed, 0, 0);
	sem_init(&run_gate, 0, 0);
	for (unsigned int i = 0; r == 0 && i < vm->spec->disk_count; i++)
		r = run_start_thread(vm, run_disk, &vm->disks[i], JAIL_DISK, e);
	for (unsigned int i = 0; r == 0 && i < vm->spec->vcpus; i++)
		r = run_start_thread(vm, run_vcpu, &vm->vcpus[i], JAIL_VCPU, e);
	return r;
}

static int run_attach(struct vm *vm, struct vdev *d, struct err *e)
{
	int r = kvm_attach(vm, d, vm->dev_count, e);

	if (r == 0)
		vm->devs[vm->dev_count++] = d;
	return r;
}

static void run_serial_mark(struct serial *s, uint32_t mark)
{
	vm_mark(container_of(s, struct vm, serial), mark);
}

/* In the order in which the guest finds them: disks first, so that they are vda, vdb … */
static int run_add_devices(struct vm *vm, struct err *e)
{
	const struct vm_spec *s = vm->spec;
	int r = kvm_irq_line(vm, LAYOUT_SERIAL_IRQ, e);

	if (r < 0)
		return r;
	serial_init(&vm->serial, vm_fd_at(vm, s->console_fd), s->console_max_bytes, r,
		    run_serial_mark);
	r = 0;
	limit_init(&vm->disk_limit, s->disk_bytes_per_s, s->disk_ops_per_s);
	for (uint32_t i = 0; r == 0 && i < s->disk_count; i++) {
		vm->disks[i].limit = &vm->disk_limit;
		blk_init(&vm->disks[i], &vm->mem, s, &s->disks[i],
			 &vm->extents[s->disks[i].first_extent], vm->fds);
		vm->disks[i].counters = &vm->counters->disks[i];
		r = run_attach(vm, &vm->disks[i].dev, e);
	}
	for (uint32_t i = 0; r == 0 && i < s->nic_count; i++) {
		r = vnet_init(&vm->nics[i], &vm->mem, &s->nics[i], vm->fds, e);
		if (r == 0)
			r = run_attach(vm, &vm->nics[i].dev, e);
	}
	if (r == 0 && s->vsock_fd != VM_FD_NONE) {
		r = vvsock_init(&vm->vsock, &vm->mem, vm->fds[s->vsock_fd], s->guest_cid, e);
		if (r == 0)
			r = run_attach(vm, &vm->vsock.dev, e);
	}
	balloon_init(&vm->balloon, &vm->mem);
	return r < 0 ? r : run_attach(vm, &vm->balloon.dev, e);
}

/* Cut command lines are refused by boot_load(): a full buffer counts as too long. */
static void run_cmdline(struct vm *vm)
{
	size_t size = sizeof(vm->cmdline), n;

	n = (size_t)snprintf(vm->cmdline, size, "%s", RUN_CMDLINE);
	for (unsigned int i = 0; i < vm->dev_count && n < size; i++)
		n += (size_t)snprintf(vm->cmdline + n, size - n, " virtio_mmio.device=4K@%#x:%u",
				      LAYOUT_VIRTIO_BASE + i * LAYOUT_VIRTIO_STRIDE,
				      LAYOUT_VIRTIO_IRQ + i);
	if (n < size && vm->spec->cmdline[0])
		snprintf(vm->cmdline + n, size - n, " %s", vm->spec->cmdline);
}

/* Without a file somebody reads, the page is there all the same: who counts need not ask. */
static int run_counters(struct vm *vm, struct err *e)
{
	int fd = vm_fd_at(vm, vm->spec->counters_fd);
	void *page = mmap(NULL, VM_COUNTERS_BYTES, PROT_READ | PROT_WRITE,
			  fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

	if (page == MAP_FAILED)
		return err_sys(e, -errno, "map the counters");
	vm->counters = page;
	fd_close(fd);
	return 0;
}

static int run_build(struct vm *vm, struct err *e)
{
	const struct vm_spec *s = vm->spec;
	struct boot_source src = {.kernel_fd = vm_fd_at(vm, s->kernel_fd),
				  .initrd_fd = vm_fd_at(vm, s->initrd_fd),
				  .cmdline = vm->cmdline,
				  .vcpus = s->vcpus};
	struct boot_entry entry;
	int r;

	r = run_counters(vm, e);
	if (r == 0)
		r = gmem_init(&vm->mem, s->memory_bytes, e);
	if (r == 0)
		r = kvm_create(vm, e);
	if (r == 0)
		r = run_add_devices(vm, e);
	if (r < 0)
		return r;
	run_cmdline(vm);
	r = boot_load(&vm->mem, &src, &entry, e);
	if (r == 0)
		r = kvm_create_vcpus(vm, &entry, e);
	if (r < 0)
		return r;
	fd_close(src.kernel_fd);
	fd_close(src.initrd_fd);
	fd_close(vm_fd_at(vm, s->kvm_fd));
	return 0;
}

/* All signals are blocked for good, in every thread; the two that ask for the end can be read. */
static int run_block_signals(void)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* The main thread's work from then on. Return: when a signal came */
static void run_wait(struct vm *vm, int signal_fd)
{
	struct pollfd fds[] = {{.fd = signal_fd, .events = POLLIN},
			       {.fd = balloon_fd(&vm->balloon), .events = POLLIN}};
	eventfd_t n;

	while (!fds[0].revents) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			vm_end(vm, VM_REASON_ERROR, -errno, "poll: %s", strerror(errno));
		if (fds[1].revents && eventfd_read(fds[1].fd, &n) == 0)
			balloon_serve(&vm->balloon);
		vm->counters->given_back_bytes = vm->balloon.given_back_bytes;
	}
}

/* No file that we write to needs to become longer than this: console, exit record, disks */
static uint64_t run_file_bytes(const struct vm *vm)
{
	const struct vm_spec *s = vm->spec;
	uint64_t max = sizeof(struct vm_exit);
	struct stat st;

	if (vm_fd_at(vm, s->console_fd) >= 0 && fstat(vm_fd_at(vm, s->console_fd), &st) == 0)
		max = MAX(max, (uint64_t)st.st_size + s->console_max_bytes);
	for (uint32_t i = 0; i < s->disk_count; i++) {
		const struct vm_extent *x = &s->extents[s->disks[i].first_extent];

		if (!(s->disks[i].flags & VM_DISK_READONLY))
			max = MAX(max, (x->size_bytes + VM_EXTENT_ALIGN - 1) &
					       ~(uint64_t)(VM_EXTENT_ALIGN - 1));
	}
	return max;
}

void vm_run(struct vm *vm)
{
	const struct jail jail = {.uid = vm->spec->uid,
				  .gid = vm->spec->gid,
				  .memory_bytes = vm->spec->memory_bytes,
				  .file_bytes = run_file_bytes(vm)};
	struct err e = ERR_INIT;
	int r = 0, signal_fd = run_block_signals();

	if (vm->jailed)
		r = jail_enter(&jail, &e);
	if (r == 0)
		r = run_build(vm, &e);
	if (r == 0)
		r = run_start_threads(vm, &e);
	if (r == 0 && vm->jailed)
		r = jail_seal(&jail, &e);
	if (r < 0)
		vm_end(vm, VM_REASON_ERROR, r, "%s", err_msg(&e));
	run_filter(vm, JAIL_MAIN);
	for (size_t i = 0; i < run_thread_count; i++)
		while (sem_wait(&run_sealed) < 0)
			;
	vm_started(vm);
	for (size_t i = 0; i < run_thread_count; i++)
		sem_post(&run_gate);
	run_wait(vm, signal_fd);
	vm_end(vm, VM_REASON_KILLED, 0, "%s", "SIGTERM");
}
