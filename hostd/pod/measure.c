// SPDX-License-Identifier: Apache-2.0
/*
 * What pods use. Nothing is counted between two questions: a measurement asks all guests at once, waits
 * for their answers, MEASURE_MS at most, and then reads what this host itself counts for their VMs.
 *
 * Of the two, the host's figures are the ones to trust: the control group has all that a pod costs, the
 * VM itself included, and they are there when the guest is silent. A guest speaks of its containers only;
 * what a hostile one says of them is numbers, and wrong for nobody but itself.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/figures.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "pod/impl.h"
#include "pod/summary.h"

#define MEASURE_MS	 2000
#define MEASURE_SLICE_NS 4000000
#define MEASURE_NS_US	 1000
#define MEASURE_NET_MAX	 ((size_t)256 << 10) /* /proc/net/dev */

/* ---- asking ---- */

static struct json *measure_pod(struct json_doc *doc, const struct pod *p, const char *interfaces);

static bool measure_waits(const struct pods *pods)
{
	const struct pod *p;

	list_for_each(p, &pods->all, node)
		if (p->stats_due && p->session)
			return true;
	return false;
}

static void measure_done(struct defer *d)
{
	struct pods *pods = container_of(d, struct pods, measured);
	struct pod *p;

	if (!pods->measuring || pods->stats_doc || measure_waits(pods))
		return;
	timer_cancel(&pods->measure_late);
	list_for_each(p, &pods->all, node)
		p->stats_due = false;
	pods->stats_doc = json_doc_new();
	pods->stats_list = json_new_arr(pods->stats_doc);
	(void)file_read(AT_FDCWD, "/proc/net/dev", &pods->stats_net, NULL);
	timer_set(&pods->measure_slice, 0);
}

static void measure_end(struct pods *pods)
{
	pods->stats_doc = json_doc_free(pods->stats_doc);
	pods->stats_list = NULL;
	buf_done(&pods->stats_net);
}

/* The pods that are left, as many as fit in a few milliseconds: then the loop has its turn. */
static void measure_slice(struct timer *t)
{
	struct pods *pods = container_of(t, struct pods, measure_slice);
	uint64_t begin_ns = clock_mono_ns();
	struct pod *p;

	list_for_each(p, &pods->all, node) {
		if (p->stats_pass == pods->measure_ask || !p->vm_there || p->vm_ended)
			continue;
		if (clock_mono_ns() - begin_ns > MEASURE_SLICE_NS) {
			timer_set(&pods->measure_slice, 0);
			return;
		}
		p->stats_pass = pods->measure_ask;
		json_push(pods->stats_doc, pods->stats_list,
			  measure_pod(pods->stats_doc, p, buf_str(&pods->stats_net)));
	}
	pods->measuring = false;
	pods->ops.on_measured(pods->stats_doc, pods->stats_list, pods->arg);
	measure_end(pods);
}

static void measure_late(struct timer *t)
{
	struct pods *pods = container_of(t, struct pods, measure_late);
	struct pod *p;

	list_for_each(p, &pods->all, node) {
		if (p->stats_due)
			log_warn("pod", "ev=guest_silent uid=%s pod=%s/%s", p->meta.uid, p->meta.ns,
				 p->meta.name);
		p->stats_due = false;
	}
	loop_defer(pods->config.loop, &pods->measured, measure_done);
}

void measure_init(struct pods *pods)
{
	timer_init(pods->config.loop, &pods->measure_late, measure_late);
	timer_init(pods->config.loop, &pods->measure_slice, measure_slice);
	buf_init(&pods->stats_net, MEASURE_NET_MAX);
}

void measure_free(struct pods *pods)
{
	timer_cancel(&pods->measure_late);
	timer_cancel(&pods->measure_slice);
	defer_cancel(&pods->measured);
	measure_end(pods);
}

void measure_told(struct pod *p, const struct guest_stats *m)
{
	struct pods *pods = p->pods;

	if (!p->stats_due || m->ask != pods->measure_ask)
		return; /* too late, or not asked for */
	p->stats_due = false;
	if (!p->stats)
		p->stats = mem_alloc(sizeof(*p->stats));
	*p->stats = *m;
	p->stats_ns = clock_real_ns();
	loop_defer(pods->config.loop, &pods->measured, measure_done);
}

void measure_lost(struct pod *p)
{
	if (p->stats_due)
		loop_defer(p->pods->config.loop, &p->pods->measured, measure_done);
	p->stats_due = false;
}

void pods_measure(struct pods *pods)
{
	struct pod *p;

	if (pods->measuring)
		return;
	pods->measuring = true;
	pods->measure_ask++;
	list_for_each(p, &pods->all, node)
		p->stats_due = p->session && p->state == POD_RUN &&
			       session_ask_stats(p->session, pods->measure_ask) == 0;
	timer_set(&pods->measure_late, MEASURE_MS);
	loop_defer(pods->config.loop, &pods->measured, measure_done);
}

/* ---- telling: as the stats/v1alpha1 Summary of a kubelet has it, ours under "hyper" ---- */

static uint64_t measure_logs(const struct pod *p, uint32_t container)
{
	static const char *const suffixes[] = {".log", ".log.1", ".prev.log"};
	uint64_t bytes = 0;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		char path[PATH_MAX];
		struct stat st;

		logs_path(p, p->spec->containers[container].name, suffixes[i], path);
		if (stat(path, &st) == 0)
			bytes += (uint64_t)st.st_size;
	}
	return bytes;
}

static void measure_container(struct json_doc *doc, struct json *list, const struct pod *p,
			      const struct guest_stats_container *c)
{
	const struct spec_container *s = &p->spec->containers[c->container];
	struct json *o = json_new_obj(doc), *part;

	json_put_str(doc, o, "name", s->name);
	summary_put_time(doc, o, "startTime", c->started_ns);
	part = summary_part(doc, o, "cpu", p->stats_ns);
	summary_put(doc, part, "usageCoreNanoSeconds", c->cpu_ns);
	part = summary_part(doc, o, "memory", p->stats_ns);
	if (s->memory_limit)
		summary_put(doc, part, "availableBytes",
			    s->memory_limit - MIN(s->memory_limit, c->working_set_bytes));
	summary_put_memory(doc, part,
			   &(struct summary_memory){.used_bytes = c->memory_bytes,
						    .working_set_bytes = c->working_set_bytes,
						    .rss_bytes = c->rss_bytes,
						    .faults = c->faults,
						    .major_faults = c->major_faults});
	summary_put(doc, summary_part(doc, o, "logs", p->stats_ns), "usedBytes",
		    measure_logs(p, c->container));
	part = json_obj_of(doc, o, "hyper");
	summary_put(doc, part, "userNanoSeconds", c->cpu_user_ns);
	summary_put(doc, part, "systemNanoSeconds", c->cpu_system_ns);
	summary_put(doc, part, "throttledNanoSeconds", c->throttled_ns);
	summary_put(doc, part, "throttledPeriods", c->throttled);
	summary_put(doc, part, "processes", c->pids);
	summary_put(doc, part, "oomKills", c->oom_kills);
	json_push(doc, list, o);
}

/* By the interface's counters on this host: what it receives, the guest has sent. */
static bool measure_tap(const struct pod *p, const char *interfaces, struct figures_net *n)
{
	struct figures_net host;
	char tap[16];

	if (!*p->ip || net_tap_name(p->ip, tap) < 0 || !figures_net(interfaces, tap, &host))
		return false;
	*n = (struct figures_net){
		.name = "eth0",
		.tx_bytes = host.rx_bytes,
		.tx_packets = host.rx_packets,
		.tx_errors = host.rx_errors,
		.tx_dropped = host.rx_dropped,
		.rx_bytes = host.tx_bytes,
		.rx_packets = host.tx_packets,
		.rx_errors = host.tx_errors,
		.rx_dropped = host.tx_dropped,
	};
	return true;
}

static void measure_net(struct json_doc *doc, struct json *o, const struct pod *p,
			const char *interfaces, uint64_t now_ns)
{
	struct figures_net n;
	struct json *more;

	if (!measure_tap(p, interfaces, &n))
		return;
	summary_put_nets(doc, o, &n, 1, now_ns);
	more = json_obj_of(doc, json_obj_of(doc, o, "hyper"), "network");
	summary_put(doc, more, "rxPackets", n.rx_packets);
	summary_put(doc, more, "rxDropped", n.rx_dropped);
	summary_put(doc, more, "txPackets", n.tx_packets);
	summary_put(doc, more, "txDropped", n.tx_dropped);
}

/* What the pod costs this host. */
static void measure_group(struct json_doc *doc, struct json *o, const struct pod *p,
			  uint64_t now_ns)
{
	_cleanup_fd_ int dir = group_find(p);
	char text[FIGURES_FILE_MAX];
	struct json *part;
	uint64_t used, idle;

	if (dir < 0)
		return;
	figures_read(dir, "cpu.stat", text, sizeof(text));
	part = summary_part(doc, o, "cpu", now_ns);
	summary_put(doc, part, "usageCoreNanoSeconds",
		    figures_line(text, "usage_usec") * MEASURE_NS_US);
	part = json_obj_of(doc, o, "hyper");
	summary_put(doc, part, "userNanoSeconds", figures_line(text, "user_usec") * MEASURE_NS_US);
	summary_put(doc, part, "systemNanoSeconds",
		    figures_line(text, "system_usec") * MEASURE_NS_US);
	summary_put(doc, part, "throttledNanoSeconds",
		    figures_line(text, "throttled_usec") * MEASURE_NS_US);
	used = figures_number(dir, "memory.current");
	figures_read(dir, "memory.stat", text, sizeof(text));
	idle = figures_line(text, "inactive_file");
	part = summary_part(doc, o, "memory", now_ns);
	summary_put_memory(doc, part,
			   &(struct summary_memory){.used_bytes = used,
						    .working_set_bytes = used - MIN(used, idle),
						    .rss_bytes = figures_line(text, "anon"),
						    .faults = figures_line(text, "pgfault"),
						    .major_faults =
							    figures_line(text, "pgmajfault")});
}

static void measure_vmm(struct json_doc *doc, struct json *hyper, const struct pod *p)
{
	struct vm_counters_vcpu exits = {0};
	struct vm_counters_disk disk = {0};
	struct vm_counters c;
	struct json *o;

	if (vm_counters(&p->vm, &c) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(c.vcpus); i++) {
		exits.io += c.vcpus[i].io;
		exits.mmio += c.vcpus[i].mmio;
		exits.signal += c.vcpus[i].signal;
		exits.other += c.vcpus[i].other;
	}
	for (size_t i = 0; i < ARRAY_SIZE(c.disks); i++) {
		disk.kicks += c.disks[i].kicks;
		disk.reads += c.disks[i].reads;
		disk.writes += c.disks[i].writes;
		disk.flushes += c.disks[i].flushes;
		disk.discards += c.disks[i].discards;
		disk.read_bytes += c.disks[i].read_bytes;
		disk.written_bytes += c.disks[i].written_bytes;
		disk.errors += c.disks[i].errors;
	}
	summary_put(doc, hyper, "givenBackBytes", c.given_back_bytes);
	o = json_obj_of(doc, hyper, "exits");
	summary_put(doc, o, "io", exits.io);
	summary_put(doc, o, "mmio", exits.mmio);
	summary_put(doc, o, "signal", exits.signal);
	summary_put(doc, o, "other", exits.other);
	o = json_obj_of(doc, hyper, "disk");
	summary_put(doc, o, "kicks", disk.kicks);
	summary_put(doc, o, "reads", disk.reads);
	summary_put(doc, o, "writes", disk.writes);
	summary_put(doc, o, "flushes", disk.flushes);
	summary_put(doc, o, "discards", disk.discards);
	summary_put(doc, o, "readBytes", disk.read_bytes);
	summary_put(doc, o, "writtenBytes", disk.written_bytes);
	summary_put(doc, o, "errors", disk.errors);
}

static void measure_volume(struct json_doc *doc, struct json *list, const struct pod *p,
			   const struct guest_stats_volume *v)
{
	struct json *o = json_new_obj(doc);

	summary_put_time(doc, o, "time", p->stats_ns);
	summary_put_fs(doc, o,
		       &(struct figures_fs){.bytes = v->bytes,
					    .free_bytes = v->free_bytes,
					    .inodes = v->inodes,
					    .inodes_free = v->inodes_free});
	json_put_str(doc, o, "name", p->spec->volumes[v->volume].name);
	json_push(doc, list, o);
}

static void measure_guest(struct json_doc *doc, struct json *o, struct json *containers,
			  const struct pod *p)
{
	const struct guest_stats *m = p->stats;
	struct json *part;

	for (uint32_t i = 0; i < m->container_count; i++)
		if (m->containers[i].container < p->spec->container_count)
			measure_container(doc, containers, p, &m->containers[i]);
	part = summary_part(doc, o, "ephemeral-storage", p->stats_ns);
	summary_put_fs(doc, part,
		       &(struct figures_fs){.bytes = m->scratch_bytes,
					    .free_bytes = m->scratch_free_bytes,
					    .inodes = m->scratch_inodes,
					    .inodes_free = m->scratch_inodes_free});
	for (uint32_t i = 0; i < m->volume_count; i++)
		if (m->volumes[i].volume < p->spec->volume_count)
			measure_volume(doc, json_arr_of(doc, o, "volume"), p, &m->volumes[i]);
	part = json_obj_of(doc, json_obj_of(doc, o, "hyper"), "guest");
	summary_put(doc, part, "memoryBytes", m->memory_bytes);
	summary_put(doc, part, "availableBytes", m->memory_available_bytes);
}

static struct json *measure_pod(struct json_doc *doc, const struct pod *p, const char *interfaces)
{
	struct json *o = json_new_obj(doc), *ref = json_obj_of(doc, o, "podRef"), *containers,
		    *hyper;
	uint64_t now_ns = clock_real_ns();

	json_put_str(doc, ref, "name", p->meta.name);
	json_put_str(doc, ref, "namespace", p->meta.ns);
	json_put_str(doc, ref, "uid", p->meta.uid);
	summary_put_time(doc, o, "startTime", p->start_ns);
	containers = json_arr_of(doc, o, "containers");
	hyper = json_obj_of(doc, o, "hyper");
	summary_put(doc, hyper, "cid", p->cid);
	if (p->run_since_ms)
		summary_put(doc, hyper, "runMilliSeconds", clock_mono_ms() - p->run_since_ms);
	measure_vmm(doc, hyper, p);
	measure_group(doc, o, p, now_ns);
	measure_net(doc, o, p, interfaces, now_ns);
	/* A guest that did not answer this time has nothing to say. */
	if (p->stats && p->stats->ask == p->pods->measure_ask && p->spec)
		measure_guest(doc, o, containers, p);
	return o;
}

int pods_list(struct pods *pods, struct buf *out)
{
	struct pod *p;
	bool first = true;
	int r = buf_puts(out,
			 "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{},\"items\":[");

	/* One document at a time: a host's pods may be long together. */
	list_for_each(p, &pods->all, node) {
		_cleanup_json_ struct json_doc *doc = NULL;

		if (r < 0)
			break;
		if (p->silent || store_load_spec(p->dir, &doc, NULL) < 0)
			continue;
		json_put(doc, json_root(doc), "status", status_make(doc, p));
		r = first ? 0 : buf_puts(out, ",");
		first = false;
		if (r == 0)
			r = json_write(json_root(doc), out);
	}
	return r < 0 ? r : buf_puts(out, "]}");
}

void pods_counts(const struct pods *pods, struct json_doc *doc, struct json *obj)
{
	const struct pods_counts *c = &pods->counts;

	summary_put(doc, obj, "vmStarts", c->vm_starts);
	summary_put(doc, obj, "vmStartFailures", c->vm_start_failures);
	summary_put(doc, obj, "vmEnds", c->vm_ends);
	summary_put(doc, obj, "vmCrashes", c->vm_crashes);
	summary_put(doc, obj, "pulls", c->pulls);
	summary_put(doc, obj, "pullFailures", c->pull_failures);
	summary_put(doc, obj, "containerStarts", c->container_starts);
	summary_put(doc, obj, "containerEnds", c->container_ends);
	summary_put(doc, obj, "oomKills", c->oom_kills);
}

void pods_states(const struct pods *pods, struct json_doc *doc, struct json *obj)
{
	const struct pod *p;

	for (int s = 0; s < POD_STATE_MAX; s++) {
		uint64_t count = 0;

		list_for_each(p, &pods->all, node)
			count += p->state == (enum pod_state)s;
		summary_put(doc, obj, pod_state_name((enum pod_state)s), count);
	}
}
