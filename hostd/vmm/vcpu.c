// SPDX-License-Identifier: Apache-2.0
/*
 * A processor's thread: enter the guest, serve what KVM cannot, again. Few exits come here: the
 * register pages of devices, the serial port, the guest's two ports, and strays of a kernel that
 * looks for hardware, which find an empty bus.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/mem.h"
#include "vmm/vmm.h"

#define VCPU_PORT_I8042_DATA	0x60
#define VCPU_PORT_I8042_COMMAND 0x64
#define VCPU_PORT_CMOS_DATA	0x71
#define VCPU_I8042_RESET	0xfe

static void vcpu_port_out(struct vcpu *cpu, uint16_t port, const uint8_t *data, uint32_t size)
{
	struct vm *vm = cpu->vm;
	uint32_t value = 0;

	memcpy(&value, data, MIN(size, sizeof(value)));
	if (port - LAYOUT_SERIAL_PORT < SERIAL_PORTS && port >= LAYOUT_SERIAL_PORT && size == 1) {
		serial_out(&vm->serial, port - LAYOUT_SERIAL_PORT, *data);
	} else if (port == VM_PORT_MARK && size == 4) {
		vm_mark(vm, value);
	} else if (port == VM_PORT_EXIT && size == 4) {
		if ((value & 0xff) == VM_PORT_EXIT_POWEROFF)
			vm_end(vm, VM_REASON_POWEROFF, (int)(value >> 8 & 0xff), "%s", "");
		if ((value & 0xff) == VM_PORT_EXIT_RESET)
			vm_end(vm, VM_REASON_RESET, 0, "%s", "");
	} else if (port == VCPU_PORT_I8042_COMMAND && value == VCPU_I8042_RESET) {
		vm_end(vm, VM_REASON_RESET, 0, "keyboard controller");
	}
}

static void vcpu_port_in(struct vcpu *cpu, uint16_t port, uint8_t *data, uint32_t size)
{
	/* An empty bus floats high, but a set status bit there means «busy» to some drivers. */
	bool zero = port == VCPU_PORT_I8042_DATA || port == VCPU_PORT_I8042_COMMAND ||
		    port == VCPU_PORT_CMOS_DATA;

	if (port >= LAYOUT_SERIAL_PORT && port < LAYOUT_SERIAL_PORT + SERIAL_PORTS && size == 1)
		*data = serial_in(&cpu->vm->serial, port - LAYOUT_SERIAL_PORT);
	else
		memset(data, zero ? 0 : 0xff, size);
}

static void vcpu_io(struct vcpu *cpu)
{
	struct kvm_run *run = cpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
		if (run->io.direction == KVM_EXIT_IO_OUT)
			vcpu_port_out(cpu, run->io.port, data, run->io.size);
		else
			vcpu_port_in(cpu, run->io.port, data, run->io.size);
	}
}

static void vcpu_mmio(struct vcpu *cpu)
{
	struct kvm_run *run = cpu->run;
	uint64_t offset = run->mmio.phys_addr - LAYOUT_VIRTIO_BASE;
	uint64_t slot = offset / LAYOUT_VIRTIO_STRIDE;
	uint32_t reg = (uint32_t)(offset % LAYOUT_VIRTIO_STRIDE);

	if (slot >= cpu->vm->dev_count || run->mmio.len > sizeof(run->mmio.data)) {
		if (!run->mmio.is_write)
			memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
		return;
	}
	if (run->mmio.is_write)
		vdev_write(cpu->vm->devs[slot], reg, run->mmio.data, run->mmio.len);
	else
		vdev_read(cpu->vm->devs[slot], reg, run->mmio.data, run->mmio.len);
}

static _Noreturn void vcpu_failed(struct vcpu *cpu, int r)
{
	const struct kvm_run *run = cpu->run;

	if (r < 0)
		vm_end(cpu->vm, VM_REASON_ERROR, r, "KVM_RUN: %s", strerror(-r));
	if (run->exit_reason == KVM_EXIT_FAIL_ENTRY)
		vm_end(cpu->vm, VM_REASON_ERROR, -EIO, "entry refused, hardware reason %#llx",
		       (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
	if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		vm_end(cpu->vm, VM_REASON_ERROR, -EIO, "KVM internal error %u",
		       run->internal.suberror);
	vm_end(cpu->vm, VM_REASON_ERROR, -EIO, "exit reason %u", run->exit_reason);
}

void vcpu_run(struct vcpu *cpu)
{
	for (;;) {
		int r = ioctl(cpu->fd, KVM_RUN, 0) < 0 ? -errno : 0;

		if (r == -EINTR || r == -EAGAIN) {
			cpu->counters->signal++;
			continue;
		}
		if (r < 0)
			vcpu_failed(cpu, r);
		switch (cpu->run->exit_reason) {
		case KVM_EXIT_IO:
			cpu->counters->io++;
			vcpu_io(cpu);
			break;
		case KVM_EXIT_MMIO:
			cpu->counters->mmio++;
			vcpu_mmio(cpu);
			break;
		case KVM_EXIT_INTR:
			cpu->counters->other++;
			break;
		case KVM_EXIT_SHUTDOWN:
			vm_end(cpu->vm, VM_REASON_PANIC, 0, "triple fault on processor %u",
			       cpu->id);
		default:
			vcpu_failed(cpu, 0);
		}
	}
}
