/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one VM of this process. Everything is set up by the main thread before the first vCPU runs and
 * never moves after that; what changes later belongs to a device, under its lock.
 */
#ifndef VMM_VMM_H
#define VMM_VMM_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/vm_counters.h"
#include "proto/vm_spec.h"
#include "vmm/boot.h"
#include "vmm/layout.h"
#include "vmm/mem.h"
#include "vmm/serial.h"
#include "vmm/virtio/balloon.h"
#include "vmm/virtio/blk.h"
#include "vmm/virtio/vhost.h"

struct kvm_run;
struct vm;

struct vcpu {
	struct vm *vm;
	unsigned int id;
	int fd;
	struct kvm_run *run;
	struct vm_counters_vcpu *counters;
};

struct vm {
	const struct vm_spec *spec;
	const int *fds;
	bool jailed;
	int control_fd; /* -1: nobody to tell */
	uint64_t start_ns; /* clock_mono_ns() */

	struct vm_counters *counters;
	struct gmem mem;
	int vm_fd;
	struct serial serial;
	struct blk disks[VM_DISKS_MAX];
	struct limit disk_limit;
	struct blk_extent extents[VM_EXTENTS_MAX];
	struct vnet nics[VM_NICS_MAX];
	struct vvsock vsock;
	struct balloon balloon;
	struct vdev *devs[LAYOUT_VIRTIO_MAX];
	unsigned int dev_count;
	struct vcpu vcpus[VM_VCPUS_MAX];
	char cmdline[LAYOUT_CMDLINE_MAX];
	uint32_t ended; /* atomic */
	uint64_t marks; /* atomic; bit n: mark n was logged */
};

/** vm_fd_at() - A passed descriptor by its index, -1 for VM_FD_NONE */
static inline int vm_fd_at(const struct vm *vm, uint32_t index)
{
	return index == VM_FD_NONE ? -1 : vm->fds[index];
}

/**
 * vm_run() - Build the machine, give up all rights, run it; ends by vm_end()
 * @vm: spec, fds, jailed, control_fd and start_ns are set, the rest is zero
 */
_Noreturn void vm_run(struct vm *vm);

/* kvm.c: the kernel's part of the machine */

/** kvm_create() - VM, interrupt controllers and memory. Return: 0 or -errno */
int kvm_create(struct vm *vm, struct err *e);

/** kvm_attach() - Tie @d to register page and line number @slot. Return: 0 or -errno */
int kvm_attach(struct vm *vm, struct vdev *d, unsigned int slot, struct err *e);

/** kvm_irq_line() - An eventfd that raises line @irq. Return: descriptor or -errno */
int kvm_irq_line(struct vm *vm, unsigned int irq, struct err *e);

/** kvm_create_vcpus() - All processors; the first starts at @entry. Return: 0 or -errno */
int kvm_create_vcpus(struct vm *vm, const struct boot_entry *entry, struct err *e);

/** vcpu_run() - A processor's thread: run the guest until the VM ends */
_Noreturn void vcpu_run(struct vcpu *cpu);

/* end.c */

/**
 * vm_end() - End VM and process: exit record, EXITED, one log line. The first caller decides
 * @code: as struct vm_exit.code
 * @fmt:  detail, "" for none
 *
 * Context: any thread; needs only the system calls that every thread may make.
 */
_Noreturn void vm_end(struct vm *vm, enum vm_reason reason, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/** vm_started() - Tell hostd that the processors run */
void vm_started(const struct vm *vm);

/** vm_age_ns() - Nanoseconds since this process began */
uint64_t vm_age_ns(const struct vm *vm);

/** vm_mark() - The guest wrote @mark to VM_PORT_MARK */
void vm_mark(struct vm *vm, uint32_t mark);

#endif
