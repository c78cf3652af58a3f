// SPDX-License-Identifier: Apache-2.0
/*
 * The machine as KVM sees it.
 *
 * The interrupt controllers are KVM's (PIC, I/O APIC, local APICs): an irqfd then reaches the guest
 * without this process. There is no PIT: the guest has kvm-clock and TSC-deadline timers, and a PIT
 * would cost a kernel thread a VM. Order: memory, then processors, CPUID before MSRs.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <linux/virtio_mmio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "vmm/cpuid.h"
#include "vmm/vmm.h"

#define KVM_API			 12
#define KVM_CR0_PE		 1U
#define KVM_CR0_ET		 0x10U
#define KVM_CR0_PG		 0x80000000U
#define KVM_CR4_PAE		 0x20U
#define KVM_EFER_LME		 0x100U
#define KVM_EFER_LMA		 0x400U
#define KVM_XCR0_WANTED		 7U
#define KVM_RFLAGS		 2U /* the bit that is always set */
#define KVM_MSR_MISC_ENABLE	 0x1a0U
#define KVM_MSR_MISC_FAST_STRING 1U
#define KVM_MSR_MTRR_DEF_TYPE	 0x2ffU
#define KVM_MSR_MTRR_WRITE_BACK	 0x806U /* enabled, everything write-back */
#define KVM_LAPIC_LVT_LINT0	 0x350U
#define KVM_LAPIC_LVT_LINT1	 0x360U
#define KVM_LAPIC_EXTINT	 0x700U
#define KVM_LAPIC_NMI		 0x400U

static int kvm_ioctl(int fd, unsigned long request, void *arg)
{
	int r;

	do
		r = ioctl(fd, request, arg);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

static int kvm_set_memory(const struct vm *vm)
{
	for (size_t i = 0; i < vm->mem.count; i++) {
		const struct gmem_region *g = &vm->mem.regions[i];
		struct kvm_userspace_memory_region slot = {
			.slot = (uint32_t)i,
			.guest_phys_addr = g->gpa,
			.memory_size = g->size_bytes,
			.userspace_addr = (uint64_t)(uintptr_t)g->hva,
		};
		int r = kvm_ioctl(vm->vm_fd, KVM_SET_USER_MEMORY_REGION, &slot);

		if (r < 0)
			return r;
	}
	return 0;
}

int kvm_create(struct vm *vm, struct err *e)
{
	int r, kvm = vm_fd_at(vm, vm->spec->kvm_fd);

	r = kvm_ioctl(kvm, KVM_GET_API_VERSION, NULL);
	if (r != KVM_API)
		return err_set(e, r < 0 ? r : -EPROTO, "the descriptor is no usable /dev/kvm");
	r = kvm_ioctl(kvm, KVM_CREATE_VM, NULL);
	if (r < 0)
		return err_sys(e, r, "KVM_CREATE_VM");
	vm->vm_fd = r;
	r = ioctl(vm->vm_fd, KVM_SET_TSS_ADDR, (unsigned long)LAYOUT_TSS) < 0 ? -errno : 0;
	if (r < 0)
		return err_sys(e, r, "KVM_SET_TSS_ADDR");
	r = kvm_ioctl(vm->vm_fd, KVM_CREATE_IRQCHIP, NULL);
	if (r < 0)
		return err_sys(e, r, "KVM_CREATE_IRQCHIP");
	r = kvm_set_memory(vm);
	return r < 0 ? err_sys(e, r, "KVM_SET_USER_MEMORY_REGION") : 0;
}

int kvm_irq_line(struct vm *vm, unsigned int irq, struct err *e)
{
	int r, fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct kvm_irqfd line = {.fd = (uint32_t)fd, .gsi = irq};

	if (fd < 0)
		return err_sys(e, -errno, "eventfd");
	r = kvm_ioctl(vm->vm_fd, KVM_IRQFD, &line);
	return r < 0 ? err_sys(e, r, "KVM_IRQFD, line %u", irq) : fd;
}

int kvm_attach(struct vm *vm, struct vdev *d, unsigned int slot, struct err *e)
{
	uint64_t page = LAYOUT_VIRTIO_BASE + (uint64_t)slot * LAYOUT_VIRTIO_STRIDE;
	int r = kvm_irq_line(vm, LAYOUT_VIRTIO_IRQ + slot, e);

	if (r < 0)
		return r;
	d->irq_fd = r;
	for (unsigned int i = 0; i < d->queue_count; i++) {
		struct kvm_ioeventfd notify = {.datamatch = i,
					       .addr = page + VIRTIO_MMIO_QUEUE_NOTIFY,
					       .len = sizeof(uint32_t),
					       .flags = KVM_IOEVENTFD_FLAG_DATAMATCH};

		d->kick_fds[i] = eventfd(0, EFD_CLOEXEC);
		if (d->kick_fds[i] < 0)
			return err_sys(e, -errno, "eventfd");
		notify.fd = d->kick_fds[i];
		r = kvm_ioctl(vm->vm_fd, KVM_IOEVENTFD, &notify);
		if (r < 0)
			return err_sys(e, r, "KVM_IOEVENTFD, device %u", slot);
	}
	return 0;
}

static struct kvm_segment kvm_flat_segment(uint16_t selector, uint8_t type, bool code64)
{
	return (struct kvm_segment){.selector = selector,
				    .limit = 0xffffffffU,
				    .type = type,
				    .present = 1,
				    .s = 1,
				    .g = 1,
				    .db = !code64,
				    .l = code64};
}

/* PVH: flat 32-bit protected mode. 64-bit protocol: long mode on our identity map. */
static int kvm_set_entry(const struct vcpu *cpu, const struct boot_entry *entry)
{
	struct kvm_regs regs = {.rip = entry->address, .rflags = KVM_RFLAGS};
	struct kvm_sregs s;
	int r = kvm_ioctl(cpu->fd, KVM_GET_SREGS, &s);

	if (r < 0)
		return r;
	s.cs = kvm_flat_segment(0x10, 0xb, !entry->pvh);
	s.ds = s.es = s.ss = s.fs = s.gs = kvm_flat_segment(0x18, 0x3, false);
	s.tr = (struct kvm_segment){.selector = 0x20, .limit = 0x67, .type = 0xb, .present = 1};
	s.idt = s.gdt = (struct kvm_dtable){0};
	s.cr0 = KVM_CR0_PE | KVM_CR0_ET;
	if (entry->pvh) {
		regs.rbx = LAYOUT_PVH_INFO;
	} else {
		regs.rsi = LAYOUT_ZERO_PAGE;
		s.cr0 |= KVM_CR0_PG;
		s.cr3 = LAYOUT_PAGE_TABLES;
		s.cr4 = KVM_CR4_PAE;
		s.efer = KVM_EFER_LME | KVM_EFER_LMA;
	}
	r = kvm_ioctl(cpu->fd, KVM_SET_SREGS, &s);
	return r < 0 ? r : kvm_ioctl(cpu->fd, KVM_SET_REGS, &regs);
}

static int kvm_set_msrs(const struct vcpu *cpu)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entries[2];
	} msrs = {
		.head.nmsrs = 2,
		.entries = {{.index = KVM_MSR_MISC_ENABLE, .data = KVM_MSR_MISC_FAST_STRING},
			    {.index = KVM_MSR_MTRR_DEF_TYPE, .data = KVM_MSR_MTRR_WRITE_BACK}},
	};
	int r = kvm_ioctl(cpu->fd, KVM_SET_MSRS, &msrs);

	return r < 0 ? r : r == 2 ? 0 : -EINVAL;
}

/*
 * x87, SSE and AVX state on from the start, which the kernel sets anyway. The emulated SVM of QEMU's TCG
 * does not tell KVM when the guest sets it, so that CPUID would go on showing the size for x87.
 */
static int kvm_set_xcr0(const struct vcpu *cpu, const struct cpuid *cpuid)
{
	struct kvm_xcrs xcrs = {.nr_xcrs = 1};

	xcrs.xcrs[0].value = cpuid_xstate(cpuid) & KVM_XCR0_WANTED;
	return xcrs.xcrs[0].value ? kvm_ioctl(cpu->fd, KVM_SET_XCRS, &xcrs) : 0;
}

/* The local interrupt pins as firmware leaves them */
static int kvm_set_lapic(const struct vcpu *cpu)
{
	struct kvm_lapic_state lapic;
	int r = kvm_ioctl(cpu->fd, KVM_GET_LAPIC, &lapic);

	if (r < 0)
		return r;
	*(uint32_t *)(void *)&lapic.regs[KVM_LAPIC_LVT_LINT0] = KVM_LAPIC_EXTINT;
	*(uint32_t *)(void *)&lapic.regs[KVM_LAPIC_LVT_LINT1] = KVM_LAPIC_NMI;
	return kvm_ioctl(cpu->fd, KVM_SET_LAPIC, &lapic);
}

static int kvm_create_vcpu(struct vm *vm, unsigned int id, struct cpuid *cpuid, size_t run_bytes,
			   bool tsc_deadline, struct err *e)
{
	struct vcpu *cpu = &vm->vcpus[id];
	int r = ioctl(vm->vm_fd, KVM_CREATE_VCPU, (unsigned long)id);

	if (r < 0)
		return err_sys(e, -errno, "KVM_CREATE_VCPU");
	*cpu = (struct vcpu){.vm = vm, .id = id, .fd = r, .counters = &vm->counters->vcpus[id]};
	cpu->run = mmap(NULL, run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->fd, 0);
	if (cpu->run == MAP_FAILED)
		return err_sys(e, -errno, "map a processor");
	cpuid_adjust(cpuid, id, vm->spec->vcpus, tsc_deadline);
	r = kvm_ioctl(cpu->fd, KVM_SET_CPUID2, cpuid);
	if (r < 0)
		return err_sys(e, r, "KVM_SET_CPUID2");
	r = kvm_set_xcr0(cpu, cpuid);
	if (r < 0)
		return err_sys(e, r, "KVM_SET_XCRS");
	r = kvm_set_msrs(cpu);
	if (r < 0)
		return err_sys(e, r, "KVM_SET_MSRS");
	r = kvm_set_lapic(cpu);
	return r < 0 ? err_sys(e, r, "KVM_SET_LAPIC") : 0;
}

int kvm_create_vcpus(struct vm *vm, const struct boot_entry *entry, struct err *e)
{
	static struct cpuid cpuid = {.head.nent = CPUID_ENTRIES_MAX};
	int r, kvm = vm_fd_at(vm, vm->spec->kvm_fd);
	bool tsc_deadline;
	int run_bytes;

	r = kvm_ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid);
	if (r < 0)
		return err_sys(e, r, "KVM_GET_SUPPORTED_CPUID");
	run_bytes = kvm_ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
	if (run_bytes < (int)sizeof(struct kvm_run))
		return err_set(e, -EPROTO, "KVM_GET_VCPU_MMAP_SIZE: %d", run_bytes);
	tsc_deadline = ioctl(vm->vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
	for (unsigned int i = 0; i < vm->spec->vcpus; i++) {
		r = kvm_create_vcpu(vm, i, &cpuid, (size_t)run_bytes, tsc_deadline, e);
		if (r < 0)
			return r;
	}
	r = kvm_set_entry(&vm->vcpus[0], entry);
	return r < 0 ? err_sys(e, r, "set the first processor's registers") : 0;
}
