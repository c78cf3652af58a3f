// SPDX-License-Identifier: Apache-2.0
/* How large a pod's VM is, and what the pod counts for. */
#include "base/mem.h"
#include "pod/spec.h"

enum {
	NEED_MEMORY,
	NEED_CPU,
	NEED_REQUESTED_MEMORY,
	NEED_REQUESTED_CPU,
	NEED_REQUESTED_STORAGE,
	NEED_SCRATCH,
	NEED_COUNT,
};

/* What the containers need at a time, as given and as requested. */
struct spec_sum {
	uint64_t of[NEED_COUNT];
};

static struct spec_sum spec_need(const struct spec_container *c, uint64_t scratch_bytes)
{
	uint64_t m = c->memory_limit ? c->memory_limit : c->memory_request;
	uint64_t p = c->cpu_limit ? c->cpu_limit : c->cpu_request;

	return (struct spec_sum){{
		[NEED_MEMORY] = m ? m : SPEC_MEMORY_DEFAULT,
		[NEED_CPU] = p ? p : SPEC_CPU_DEFAULT_MILLIS,
		[NEED_REQUESTED_MEMORY] = c->memory_request,
		[NEED_REQUESTED_CPU] = c->cpu_request,
		[NEED_REQUESTED_STORAGE] = c->storage_request,
		[NEED_SCRATCH] = c->storage_limit ? c->storage_limit : scratch_bytes,
	}};
}

static uint64_t spec_add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/*
 * Init containers run one after another: the largest of them counts against the sum of the others. Sidecars
 * are part of that sum, and run beside each init container behind them.
 */
static struct spec_sum spec_most(const struct pod_spec *spec, uint64_t scratch_bytes)
{
	struct spec_sum most = {0}, sum = {0};

	for (uint32_t i = 0; i < spec->container_count; i++) {
		const struct spec_container *c = &spec->containers[i];
		struct spec_sum need = spec_need(c, scratch_bytes);
		bool stays = !c->init || c->sidecar;

		for (int k = 0; k < NEED_COUNT; k++) {
			most.of[k] = MAX(most.of[k], spec_add(sum.of[k], need.of[k]));
			sum.of[k] = stays ? spec_add(sum.of[k], need.of[k]) : sum.of[k];
		}
	}
	return most;
}

void spec_size(const struct pod_spec *spec, uint32_t max_vcpus, struct spec_size *size)
{
	struct spec_sum most = spec_most(spec, 0);
	uint64_t overhead = SPEC_GUEST_OVERHEAD + most.of[NEED_MEMORY] / SPEC_GUEST_OVERHEAD_PART;

	if (spec->class == SPEC_CLASS_FULL)
		overhead += SPEC_GUEST_OVERHEAD_FULL;
	if (spec->overhead_memory)
		overhead = spec->overhead_memory;
	size->vm_memory_bytes = most.of[NEED_MEMORY] + overhead;
	size->request_memory_bytes = most.of[NEED_REQUESTED_MEMORY] + spec->overhead_memory;
	size->request_cpu_millis = (uint32_t)MIN(most.of[NEED_REQUESTED_CPU], UINT32_MAX);
	size->request_storage_bytes = most.of[NEED_REQUESTED_STORAGE];
	size->vcpus = (uint32_t)MIN((most.of[NEED_CPU] + 999) / 1000, (uint64_t)max_vcpus);
	size->vcpus = MAX(size->vcpus, 1U);
}

uint64_t spec_scratch_bytes(const struct pod_spec *spec, uint64_t most)
{
	return MIN(spec_most(spec, most).of[NEED_SCRATCH], most);
}
