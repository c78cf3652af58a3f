// SPDX-License-Identifier: Apache-2.0
/* How large a pod's VM is, and what the pod counts for. */
#include "base/mem.h"
#include "pod/spec.h"

/* What the containers need at a time: of memory and CPU, as given and as requested. */
struct spec_sum {
	uint64_t of[4];
};

static struct spec_sum spec_need(const struct spec_container *c)
{
	uint64_t m = c->memory_limit ? c->memory_limit : c->memory_request;
	uint64_t p = c->cpu_limit ? c->cpu_limit : c->cpu_request;

	return (struct spec_sum){{m ? m : SPEC_MEMORY_DEFAULT, p ? p : SPEC_CPU_DEFAULT_MILLIS,
				  c->memory_request, c->cpu_request}};
}

/*
 * Init containers run one after another: the largest of them counts against the sum of the others. Sidecars
 * are part of that sum, and run beside each init container behind them.
 */
void spec_size(const struct pod_spec *spec, uint32_t max_vcpus, struct spec_size *size)
{
	struct spec_sum most = {0}, sum = {0};
	uint64_t overhead;

	for (uint32_t i = 0; i < spec->container_count; i++) {
		const struct spec_container *c = &spec->containers[i];
		struct spec_sum need = spec_need(c);
		bool stays = !c->init || c->sidecar;

		for (int k = 0; k < 4; k++) {
			most.of[k] = MAX(most.of[k], sum.of[k] + need.of[k]);
			sum.of[k] += stays ? need.of[k] : 0;
		}
	}
	overhead = SPEC_GUEST_OVERHEAD + most.of[0] / SPEC_GUEST_OVERHEAD_PART;
	if (spec->class == SPEC_CLASS_FULL)
		overhead += SPEC_GUEST_OVERHEAD_FULL;
	if (spec->overhead_memory)
		overhead = spec->overhead_memory;
	size->vm_memory_bytes = most.of[0] + overhead;
	size->request_memory_bytes = most.of[2] + spec->overhead_memory;
	size->request_cpu_millis = (uint32_t)MIN(most.of[3], UINT32_MAX);
	size->vcpus = (uint32_t)MIN((most.of[1] + 999) / 1000, (uint64_t)max_vcpus);
	size->vcpus = MAX(size->vcpus, 1U);
}
