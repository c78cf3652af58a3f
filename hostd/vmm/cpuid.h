/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VMM_CPUID_H
#define VMM_CPUID_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

/* struct kvm_cpuid2 with room for what KVM supports */
#define CPUID_ENTRIES_MAX 192

struct cpuid {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entries[CPUID_ENTRIES_MAX];
};

/**
 * cpuid_adjust() - Turn what KVM supports into what processor @id of @count has
 * @c:            from KVM_GET_SUPPORTED_CPUID; may be adjusted again for the next processor
 * @tsc_deadline: KVM_CAP_TSC_DEADLINE_TIMER
 *
 * One socket, one thread a core. The timer features decide whether the guest looks for a PIT to
 * calibrate by, which is not there.
 * Source: Intel SDM 2A CPUID; AMD APM 3 appendix E; KVM api.rst KVM_GET_SUPPORTED_CPUID.
 */
void cpuid_adjust(struct cpuid *c, unsigned int id, unsigned int count, bool tsc_deadline);

/** cpuid_xstate() - XCR0 bits that the processor supports (leaf 0xd), 0 without XSAVE */
uint32_t cpuid_xstate(const struct cpuid *c);

#endif
