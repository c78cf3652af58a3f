// SPDX-License-Identifier: Apache-2.0
/*
 * The Summary that hostd-api serves and makes its other answers of: the host's part from host, the pods'
 * from pod. It is kubelets' stats/v1alpha1; what that has no place for stands under "hyper".
 */
#include "base/clock.h"
#include "base/mem.h"
#include "hostd.h"
#include "pod/summary.h"

#define STATS_NS_S 1000000000ULL

static void stats_cpu(struct json_doc *doc, struct json *node, const struct host_usage *u)
{
	struct json *o = summary_part(doc, node, "cpu", u->time_ns);

	summary_put(doc, o, "usageCoreNanoSeconds", u->cpu_ns);
	o = json_obj_of(doc, json_obj_of(doc, node, "hyper"), "cpu");
	summary_put(doc, o, "userNanoSeconds", u->cpu_user_ns);
	summary_put(doc, o, "systemNanoSeconds", u->cpu_system_ns);
	summary_put(doc, o, "idleNanoSeconds", u->cpu_idle_ns);
	summary_put(doc, o, "iowaitNanoSeconds", u->cpu_iowait_ns);
	summary_put(doc, o, "stealNanoSeconds", u->cpu_steal_ns);
}

static void stats_memory(struct json_doc *doc, struct json *node, const struct host_usage *u)
{
	struct json *o = summary_part(doc, node, "memory", u->time_ns);

	summary_put(doc, o, "availableBytes",
		    u->memory_bytes - MIN(u->memory_bytes, u->memory_working_set_bytes));
	summary_put_memory(doc, o,
			   &(struct summary_memory){.used_bytes = u->memory_used_bytes,
						    .working_set_bytes =
							    u->memory_working_set_bytes,
						    .rss_bytes = u->memory_anon_bytes,
						    .faults = u->faults,
						    .major_faults = u->major_faults});
	o = json_obj_of(doc, json_obj_of(doc, node, "hyper"), "memory");
	summary_put(doc, o, "totalBytes", u->memory_bytes);
	summary_put(doc, o, "freeBytes", u->memory_free_bytes);
	summary_put(doc, o, "availableBytes", u->memory_available_bytes);
	summary_put(doc, o, "shmemBytes", u->memory_shmem_bytes);
	summary_put(doc, o, "slabBytes", u->memory_slab_bytes);
}

static void stats_fs(struct json_doc *doc, struct json *o, const char *path)
{
	struct figures_fs fs;

	(void)figures_fs(path, &fs); /* missing: all zero */
	summary_put_fs(doc, o, &fs);
}

static void stats_node(struct json_doc *doc, struct json *node, const struct hostd *h)
{
	char boot[CLOCK_RFC3339_MAX];
	struct host_usage u;
	struct json *o;

	host_usage_read(&u);
	json_put_str(doc, node, "nodeName", h->settings.node_name);
	json_arr_of(doc, node, "systemContainers");
	json_put_str(doc, node, "startTime",
		     clock_rfc3339(boot, (int64_t)(u.boot_ns / STATS_NS_S)));
	stats_cpu(doc, node, &u);
	stats_memory(doc, node, &u);
	summary_put_nets(doc, node, u.nets, u.net_count, u.time_ns);
	stats_fs(doc, summary_part(doc, node, "fs", u.time_ns), h->paths.run);
	stats_fs(doc, summary_part(doc, json_obj_of(doc, node, "runtime"), "imageFs", u.time_ns),
		 h->image_dir);
	o = summary_part(doc, node, "rlimit", u.time_ns);
	summary_put(doc, o, "maxpid", u.processes_max);
	summary_put(doc, o, "curproc", u.processes);
	o = json_obj_of(doc, node, "hyper");
	summary_put(doc, o, "cpus", h->inventory.cpus);
	json_put(doc, o, "load1", json_new_real(doc, u.load[0]));
	json_put(doc, o, "load5", json_new_real(doc, u.load[1]));
	json_put(doc, o, "load15", json_new_real(doc, u.load[2]));
	pods_states(h->pods, doc, json_obj_of(doc, o, "pods"));
	pods_counts(h->pods, doc, json_obj_of(doc, o, "counts"));
	if (h->node) {
		const struct node_counts calls = node_counts(h->node);

		o = json_obj_of(doc, o, "api");
		summary_put(doc, o, "calls", calls.calls);
		summary_put(doc, o, "failures", calls.failures);
		summary_put(doc, o, "milliSeconds", calls.total_ms);
	}
}

void wire_on_measured(struct json_doc *doc, struct json *pods, void *arg)
{
	struct hostd *h = arg;
	struct json *root = json_new_obj(doc);
	uint64_t begin_ns = clock_mono_ns();

	stats_node(doc, json_obj_of(doc, root, "node"), h);
	json_put(doc, root, "pods", pods);
	/* For so long the loop did nothing else; the pods were looked at in slices. */
	summary_put(doc, json_at(root, "node", "hyper", NULL), "measureNanoSeconds",
		    clock_mono_ns() - begin_ns);
	if (h->api)
		api_measured(h->api, root);
}
