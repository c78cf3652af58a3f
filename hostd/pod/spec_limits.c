// SPDX-License-Identifier: Apache-2.0
/*
 * What a pod may take of disk and network, by annotations: Kubernetes has fields for processor and memory
 * only. Those of kubernetes.io are what its bandwidth plugin reads; ours win over them.
 */
#include <errno.h>

#include "base/mem.h"
#include "base/quantity.h"
#include "pod/spec_impl.h"

#define LIMIT_BITS 8U /* in a byte */

struct limit_key {
	const char *annotation;
	size_t field; /* in struct spec_limits */
	unsigned int divisor;
	uint64_t min; /* as annotated: below it nothing works any more */
};

/* Later ones win. */
static const struct limit_key limit_keys[] = {
	{"kubernetes.io/ingress-bandwidth", offsetof(struct spec_limits, net_ingress), LIMIT_BITS,
	 1000},
	{"kubernetes.io/egress-bandwidth", offsetof(struct spec_limits, net_egress), LIMIT_BITS,
	 1000},
	{"hypermetal.io/net-ingress", offsetof(struct spec_limits, net_ingress), LIMIT_BITS, 1000},
	{"hypermetal.io/net-egress", offsetof(struct spec_limits, net_egress), LIMIT_BITS, 1000},
	{"hypermetal.io/disk-bandwidth", offsetof(struct spec_limits, disk_bytes), 1, 4096},
	{"hypermetal.io/disk-iops", offsetof(struct spec_limits, disk_ops), 1, 1},
};

int spec_limits(struct pod_spec *s, const struct json *metadata, struct err *e)
{
	const struct json *annotations = json_get(metadata, "annotations");

	for (size_t i = 0; i < ARRAY_SIZE(limit_keys); i++) {
		const struct limit_key *k = &limit_keys[i];
		const struct json *v = json_get(annotations, k->annotation);
		int64_t value;

		if (!v)
			continue;
		if (!json_is_str(v) || quantity_parse(json_str(v, ""), QUANTITY_UNITS, &value) < 0)
			return err_set(e, -ENOTSUP, "metadata.annotations[%s]: not a quantity",
				       k->annotation);
		if (value < 0 || (uint64_t)value < k->min)
			return err_set(e, -ENOTSUP, "metadata.annotations[%s]: less than %llu",
				       k->annotation, (unsigned long long)k->min);
		*(uint64_t *)(void *)((char *)&s->limits + k->field) = (uint64_t)value / k->divisor;
	}
	return 0;
}
