// SPDX-License-Identifier: Apache-2.0
/*
 * The host is about to be restarted. Its pods end within their grace, but that is no end that the API
 * is told of: they stay bound to this host, and begin again when it is back. Only pods that are
 * deleted go on to their end as ever.
 */
#include "base/log.h"
#include "base/mem.h"
#include "pod/impl.h"

void pods_leave(struct pods *pods, uint32_t grace_max_s)
{
	struct pod *p;

	pods->leaving = true;
	list_for_each(p, &pods->all, node) {
		p->stop = true;
		p->grace_s = MIN(p->grace_s, MIN(p->spec ? p->spec->grace_s : 0, grace_max_s));
		pod_kick(p);
	}
}

bool pods_left(const struct pods *pods)
{
	const struct pod *p;

	list_for_each(p, &pods->all, node)
		if (p->vm_there)
			return false;
	return true;
}

struct pods_count pods_count(const struct pods *pods)
{
	struct pods_count count = {0};
	const struct pod *p;

	list_for_each(p, &pods->all, node) {
		count.all++;
		count.running += p->state == POD_RUN;
	}
	return count;
}

bool pod_leaves(const struct pod *p)
{
	return p->pods->leaving && !p->meta.deleting && !*p->phase;
}
