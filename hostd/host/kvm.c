// SPDX-License-Identifier: Apache-2.0
/*
 * One VM that is never run, held for as long as hostd lives. KVM switches parts of itself by rewriting the
 * kernel's text: when the first VM comes and the last one goes, and whenever the last processor enables
 * its interrupt controller (apic_sw_disabled). Each time all processors of the host are stopped. As this
 * VM's processor never enables its own, none of it is done for a pod. (Emulators are known to run old
 * translations of such text, too: docs/qemu-test.md.)
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "base/fd.h"
#include "base/mem.h"
#include "host/host.h"

int host_kvm_hold(struct err *e)
{
	_cleanup_fd_ int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm = -1;
	int vcpu;

	if (kvm < 0)
		return err_sys(e, -errno, "open /dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		return err_sys(e, -errno, "KVM_CREATE_VM");
	if (ioctl(vm, KVM_CREATE_IRQCHIP, 0) < 0)
		return err_sys(e, -errno, "KVM_CREATE_IRQCHIP");
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	return vcpu < 0 ? err_sys(e, -errno, "KVM_CREATE_VCPU") : vcpu; /* which holds the VM */
}
