// SPDX-License-Identifier: Apache-2.0
#include "vmm/cpuid.h"

#define CPUID_1_ECX_TSC_DEADLINE (1U << 24)
#define CPUID_1_ECX_HYPERVISOR	 (1U << 31)
#define CPUID_1_EDX_HTT		 (1U << 28)
#define CPUID_6_EAX_ARAT	 (1U << 2)
#define CPUID_LEVEL_SMT		 1U
#define CPUID_LEVEL_CORE	 2U

/* Bits of the APIC id that number the cores */
static uint32_t cpuid_core_bits(unsigned int count)
{
	uint32_t bits = 0;

	while ((1U << bits) < count)
		bits++;
	return bits;
}

static void cpuid_set_topology(struct kvm_cpuid_entry2 *x, unsigned int id, unsigned int count)
{
	/* Level 0 has one thread, level 1 all cores, then the list ends. */
	x->eax = x->index == 1 ? cpuid_core_bits(count) : 0;
	x->ebx = x->index == 0 ? 1 : x->index == 1 ? count : 0;
	x->ecx = x->index;
	if (x->index == 0)
		x->ecx |= CPUID_LEVEL_SMT << 8;
	else if (x->index == 1)
		x->ecx |= CPUID_LEVEL_CORE << 8;
	x->edx = id;
}

static void cpuid_adjust_entry(struct kvm_cpuid_entry2 *x, unsigned int id, unsigned int count,
			       bool tsc_deadline)
{
	switch (x->function) {
	case 1:
		x->ebx = (x->ebx & 0x0000ffffU) | id << 24 | count << 16;
		x->ecx |= CPUID_1_ECX_HYPERVISOR;
		if (tsc_deadline)
			x->ecx |= CPUID_1_ECX_TSC_DEADLINE;
		if (count > 1)
			x->edx |= CPUID_1_EDX_HTT;
		else
			x->edx &= ~CPUID_1_EDX_HTT;
		break;
	case 4: /* cores a package, threads that share this cache: only the last level is shared */
		x->eax &= 0x00003fffU;
		x->eax |= ((1U << cpuid_core_bits(count)) - 1) << 26;
		if ((x->eax >> 5 & 7) >= 3)
			x->eax |= (count - 1) << 14;
		break;
	case 6:
		x->eax |= CPUID_6_EAX_ARAT;
		break;
	case 0xa: /* no performance counters */
		x->eax = x->ebx = x->ecx = x->edx = 0;
		break;
	case 0xb:
	case 0x1f:
		cpuid_set_topology(x, id, count);
		break;
	case 0x80000008:
		x->ecx = (count - 1) | cpuid_core_bits(count) << 12;
		break;
	case 0x8000001e:
		x->eax = id;
		x->ebx = id;
		x->ecx = 0;
		break;
	}
}

void cpuid_adjust(struct cpuid *c, unsigned int id, unsigned int count, bool tsc_deadline)
{
	for (uint32_t i = 0; i < c->head.nent; i++)
		cpuid_adjust_entry(&c->entries[i], id, count, tsc_deadline);
}

uint32_t cpuid_xstate(const struct cpuid *c)
{
	for (uint32_t i = 0; i < c->head.nent; i++)
		if (c->entries[i].function == 0xd && c->entries[i].index == 0)
			return c->entries[i].eax;
	return 0;
}
