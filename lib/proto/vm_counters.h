/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hypervm counts while it runs: one page that hostd made and hypervm maps, so that it outlives hostd and
 * costs hypervm plain stores. Each counter has one writing thread; each thread has cache lines of its own.
 *
 * Whoever reads takes a number for a number and nothing more: hypervm may be in a guest's hands. A reader may see
 * a moment in which some counters are ahead of others.
 */
#ifndef PROTO_VM_COUNTERS_H
#define PROTO_VM_COUNTERS_H

#include <stdint.h>

#include "proto/vm_spec.h"

#define VM_COUNTERS_BYTES 4096 /* of the file and the mapping */

/* Returns of KVM_RUN to user space, by what they were for; a processor's thread */
struct vm_counters_vcpu {
	uint64_t io, mmio, signal, other;
	uint64_t reserved[4];
};

/* A disk's thread */
struct vm_counters_disk {
	uint64_t kicks; /* times that it was woken */
	uint64_t reads, writes, flushes, discards; /* requests */
	uint64_t read_bytes, written_bytes;
	uint64_t errors; /* requests that failed */
};

struct vm_counters {
	uint64_t given_back_bytes; /* memory that the guest reported as free; main thread */
	uint64_t reserved[7];
	struct vm_counters_vcpu vcpus[VM_VCPUS_MAX];
	struct vm_counters_disk disks[VM_DISKS_MAX];
};

_Static_assert(sizeof(struct vm_counters_vcpu) == 64, "a cache line");
_Static_assert(sizeof(struct vm_counters_disk) == 64, "a cache line");
_Static_assert(sizeof(struct vm_counters) <= VM_COUNTERS_BYTES, "layout");

#endif
