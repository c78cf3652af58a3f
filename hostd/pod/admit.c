// SPDX-License-Identifier: Apache-2.0
/*
 * The last word on whether a pod fits: the scheduler may have seen an older state of this host. It is
 * counted as the scheduler counts, by requests, and answered as a kubelet answers.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "pod/impl.h"

static int admit_refuse(struct pod *p, const char *what, unsigned long long wanted,
			unsigned long long used, unsigned long long capacity)
{
	char reason[POD_REASON_MAX], message[POD_MESSAGE_MAX];

	snprintf(reason, sizeof(reason), "OutOf%s", what);
	snprintf(
		message, sizeof(message),
		"Node didn't have enough resource: %s, requested: %llu, used: %llu, capacity: %llu",
		what, wanted, used, capacity);
	pod_end(p, "Failed", reason, message);
	return -ENOSPC;
}

int pod_admit(struct pod *p)
{
	const struct pods_config *c = &p->pods->config;
	uint64_t memory = 0, cpu = 0, storage = 0, count = 0;
	struct spec_size size, other;
	struct pod *q;

	list_for_each(q, &p->pods->all, node) {
		if (q == p || !q->spec || q->state == POD_GONE || q->state == POD_NEW)
			continue;
		spec_size(q->spec, c->cpus, &other);
		memory += other.request_memory_bytes;
		cpu += other.request_cpu_millis;
		storage += other.request_storage_bytes;
		count++;
	}
	spec_size(p->spec, c->cpus, &size);
	if (!prepare_kernel(p) || access(prepare_kernel(p), R_OK) < 0) {
		pod_end(p, "Failed", "UnsupportedPod",
			"spec.runtimeClassName: this host has no kernel for it");
		return -ENOTSUP;
	}
	if (count + 1 > c->pods_max)
		return admit_refuse(p, "pods", 1, count, c->pods_max);
	if (memory + size.request_memory_bytes > c->memory_bytes)
		return admit_refuse(p, "memory", size.request_memory_bytes, memory,
				    c->memory_bytes);
	if (cpu + size.request_cpu_millis > c->cpus * 1000ULL)
		return admit_refuse(p, "cpu", size.request_cpu_millis, cpu, c->cpus * 1000ULL);
	if (size.request_storage_bytes > c->scratch_bytes - MIN(storage, c->scratch_bytes))
		return admit_refuse(p, "ephemeral-storage", size.request_storage_bytes, storage,
				    c->scratch_bytes);
	return 0;
}
