// SPDX-License-Identifier: Apache-2.0
/*
 * When the host runs short, the pod that took most beyond what it had asked for is ended, as a kubelet
 * does: one at a time, until what it held is free. A guest whose write finds the pool full waits
 * meanwhile, so the others lose time, not data.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "pod/impl.h"

struct evict_use {
	uint64_t used_bytes, asked_bytes;
};

static void evict_memory(const struct pod *p, struct evict_use *use)
{
	struct spec_size size;

	spec_size(p->spec, p->pods->config.cpus, &size);
	use->asked_bytes = size.request_memory_bytes;
	use->used_bytes = group_memory_bytes(p);
}

static void evict_scratch(const struct pod *p, struct evict_use *use)
{
	struct spec_size size;
	char path[PATH_MAX];
	struct stat st;

	spec_size(p->spec, p->pods->config.cpus, &size);
	prepare_scratch_path(p, path);
	use->asked_bytes = size.request_storage_bytes;
	use->used_bytes = stat(path, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

static uint64_t evict_excess(const struct evict_use *use)
{
	return use->used_bytes > use->asked_bytes ? use->used_bytes - use->asked_bytes : 0;
}

void pods_evict(struct pods *pods, enum pods_resource what, uint64_t left_bytes,
		uint64_t least_bytes)
{
	static const char *const names[] = {
		[PODS_MEMORY] = "memory", [PODS_SCRATCH] = "ephemeral-storage"};
	struct evict_use use, worst_use = {0};
	struct pod *p, *worst = NULL;
	char message[POD_MESSAGE_MAX];

	list_for_each(p, &pods->all, node) {
		if (!p->spec || !p->vm_there)
			continue;
		if (*p->phase)
			return; /* one is going: see what that gives first */
		(what == PODS_MEMORY ? evict_memory : evict_scratch)(p, &use);
		if (worst && evict_excess(&use) <= evict_excess(&worst_use))
			continue;
		worst = p;
		worst_use = use;
	}
	if (!worst || !evict_excess(&worst_use))
		return;
	snprintf(message, sizeof(message),
		 "The node was low on resource: %s. Threshold quantity: %lluKi, available: %lluKi. "
		 "The pod was using %lluKi, request is %lluKi.",
		 names[what], (unsigned long long)least_bytes >> 10,
		 (unsigned long long)left_bytes >> 10,
		 (unsigned long long)worst_use.used_bytes >> 10,
		 (unsigned long long)worst_use.asked_bytes >> 10);
	pod_end(worst, "Failed", "Evicted", message);
	worst->stop = true;
	worst->grace_s = 0;
	pod_kick(worst);
}
