// SPDX-License-Identifier: Apache-2.0
/*
 * The Summary that hostd-api serves and makes its other answers of: the host's part from host, the pods'
 * from pod. It is kubelets' stats/v1alpha1; what that has no place for stands under "hyper".
 */
#include "base/clock.h"
#include "base/mem.h"
#include "hostd.h"

#define STATS_NS_S 1000000000ULL

static void put(struct json_doc *doc, struct json *obj, const char *key, uint64_t value)
{
	json_put_int(doc, obj, key, (int64_t)MIN(value, (uint64_t)INT64_MAX));
}

static void put_time(struct json_doc *doc, struct json *obj, const char *key, uint64_t ns)
{
	char text[CLOCK_RFC3339_MAX];

	json_put_str(doc, obj, key, clock_rfc3339_nano(text, ns));
}

static struct json *put_obj(struct json_doc *doc, struct json *obj, const char *key, uint64_t ns)
{
	struct json *o = json_obj_of(doc, obj, key);

	put_time(doc, o, "time", ns);
	return o;
}

static void stats_cpu(struct json_doc *doc, struct json *node, const struct host_usage *u)
{
	struct json *o = put_obj(doc, node, "cpu", u->time_ns);

	put(doc, o, "usageCoreNanoSeconds", u->cpu_ns);
	o = json_obj_of(doc, json_obj_of(doc, node, "hyper"), "cpu");
	put(doc, o, "userNanoSeconds", u->cpu_user_ns);
	put(doc, o, "systemNanoSeconds", u->cpu_system_ns);
	put(doc, o, "idleNanoSeconds", u->cpu_idle_ns);
	put(doc, o, "iowaitNanoSeconds", u->cpu_iowait_ns);
	put(doc, o, "stealNanoSeconds", u->cpu_steal_ns);
}

static void stats_memory(struct json_doc *doc, struct json *node, const struct host_usage *u)
{
	struct json *o = put_obj(doc, node, "memory", u->time_ns);

	put(doc, o, "availableBytes",
	    u->memory_bytes - MIN(u->memory_bytes, u->memory_working_set_bytes));
	put(doc, o, "usageBytes", u->memory_used_bytes);
	put(doc, o, "workingSetBytes", u->memory_working_set_bytes);
	put(doc, o, "rssBytes", u->memory_anon_bytes);
	put(doc, o, "pageFaults", u->faults);
	put(doc, o, "majorPageFaults", u->major_faults);
	o = json_obj_of(doc, json_obj_of(doc, node, "hyper"), "memory");
	put(doc, o, "totalBytes", u->memory_bytes);
	put(doc, o, "freeBytes", u->memory_free_bytes);
	put(doc, o, "availableBytes", u->memory_available_bytes);
	put(doc, o, "shmemBytes", u->memory_shmem_bytes);
	put(doc, o, "slabBytes", u->memory_slab_bytes);
}

static void stats_net_fields(struct json_doc *doc, struct json *o, const struct host_usage_net *n)
{
	json_put_str(doc, o, "name", n->name);
	put(doc, o, "rxBytes", n->rx_bytes);
	put(doc, o, "rxErrors", n->rx_errors);
	put(doc, o, "txBytes", n->tx_bytes);
	put(doc, o, "txErrors", n->tx_errors);
}

static void stats_net(struct json_doc *doc, struct json *node, const struct host_usage *u)
{
	struct json *net, *list;

	if (!u->net_count)
		return;
	net = put_obj(doc, node, "network", u->time_ns);
	stats_net_fields(doc, net, &u->nets[0]);
	list = json_arr_of(doc, net, "interfaces");
	for (uint32_t i = 0; i < u->net_count; i++) {
		struct json *o = json_new_obj(doc);

		stats_net_fields(doc, o, &u->nets[i]);
		json_push(doc, list, o);
	}
}

static void stats_fs(struct json_doc *doc, struct json *o, const char *path)
{
	struct host_usage_fs fs;

	host_usage_fs(path, &fs);
	put(doc, o, "availableBytes", fs.free_bytes);
	put(doc, o, "capacityBytes", fs.bytes);
	put(doc, o, "usedBytes", fs.bytes - MIN(fs.bytes, fs.free_bytes));
	put(doc, o, "inodesFree", fs.inodes_free);
	put(doc, o, "inodes", fs.inodes);
	put(doc, o, "inodesUsed", fs.inodes - MIN(fs.inodes, fs.inodes_free));
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
	stats_net(doc, node, &u);
	stats_fs(doc, put_obj(doc, node, "fs", u.time_ns), h->paths.run);
	stats_fs(doc, put_obj(doc, json_obj_of(doc, node, "runtime"), "imageFs", u.time_ns),
		 h->image_dir);
	o = put_obj(doc, node, "rlimit", u.time_ns);
	put(doc, o, "maxpid", u.processes_max);
	put(doc, o, "curproc", u.processes);
	o = json_obj_of(doc, node, "hyper");
	put(doc, o, "cpus", h->inventory.cpus);
	json_put(doc, o, "load1", json_new_real(doc, u.load[0]));
	json_put(doc, o, "load5", json_new_real(doc, u.load[1]));
	json_put(doc, o, "load15", json_new_real(doc, u.load[2]));
	pods_states(h->pods, doc, json_obj_of(doc, o, "pods"));
	pods_counts(h->pods, doc, json_obj_of(doc, o, "counts"));
	if (h->node) {
		const struct node_counts calls = node_counts(h->node);

		o = json_obj_of(doc, o, "api");
		put(doc, o, "calls", calls.calls);
		put(doc, o, "failures", calls.failures);
		put(doc, o, "milliSeconds", calls.total_ms);
	}
}

void wire_measured(struct hostd *h)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc);
	uint64_t begin_ns = clock_mono_ns();

	stats_node(doc, json_obj_of(doc, root, "node"), h);
	pods_stats(h->pods, doc, json_arr_of(doc, root, "pods"));
	/* For so long the loop did nothing else; the pods were looked at in slices. */
	put(doc, json_at(root, "node", "hyper", NULL), "measureNanoSeconds",
	    clock_mono_ns() - begin_ns);
	if (h->api)
		api_measured(h->api, root);
}
