/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Summary that kubelets serve (k8s.io/kubelet, stats/v1alpha1) is made of. The host's part is written
 * in hostd/wire_stats.c, a pod's in measure.c.
 */
#ifndef POD_SUMMARY_H
#define POD_SUMMARY_H

#include <stdint.h>

#include "base/figures.h"
#include "json/json.h"

/** summary_put() - A number; one that JSON's readers may not take is the largest that they do */
void summary_put(struct json_doc *doc, struct json *obj, const char *key, uint64_t value);

/** summary_put_time() - @ns: since the epoch */
void summary_put_time(struct json_doc *doc, struct json *obj, const char *key, uint64_t ns);

/** summary_part() - The member "cpu", "memory"… with the time at which it was measured. Return: it */
struct json *summary_part(struct json_doc *doc, struct json *obj, const char *key, uint64_t ns);

struct summary_memory {
	uint64_t used_bytes, working_set_bytes, rss_bytes, faults, major_faults;
};

/** summary_put_memory() - MemoryStats, all but availableBytes */
void summary_put_memory(struct json_doc *doc, struct json *obj, const struct summary_memory *m);

/** summary_put_fs() - FsStats */
void summary_put_fs(struct json_doc *doc, struct json *obj, const struct figures_fs *fs);

/** summary_put_nets() - The member "network" with all interfaces; the first of them is the default one */
void summary_put_nets(struct json_doc *doc, struct json *obj, const struct figures_net *nets,
		      uint32_t count, uint64_t ns);

#endif
