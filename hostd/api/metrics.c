// SPDX-License-Identifier: Apache-2.0
/*
 * Tables: a metric is a name, what it says, and where in the Summary its numbers stand. All samples of a metric
 * must follow each other, so the tables are walked outside and hosts, pods or containers inside. A number that
 * is not there makes no sample: a guest that did not answer has none.
 */
#include "api/metrics.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define METRICS_NS_S  1000000000ULL
#define METRICS_NS_MS 1000000ULL
#define METRICS_KEY   64

enum metrics_unit {
	METRICS_PLAIN,
	METRICS_NS, /* shown in seconds */
	METRICS_MS,
	METRICS_TIME, /* an RFC 3339 text, shown in seconds since the epoch */
	METRICS_REAL,
};

enum metrics_of {
	METRICS_NODE,
	METRICS_POD,
	METRICS_CONTAINER,
};

/* One sample for each thing of its kind; rows with the same name are one metric. */
struct metrics_row {
	const char *name, *type, *help;
	enum metrics_of of;
	const char *labels; /* more labels, "mode=\"user\"" */
	const char *path; /* "cpu/usageCoreNanoSeconds" */
	enum metrics_unit unit;
	const char *time; /* path of the time stamp; NULL: none */
};

static const struct json *metrics_find(const struct json *o, const char *path)
{
	char key[METRICS_KEY];

	while (o && *path) {
		size_t len = strcspn(path, "/");

		if (len >= sizeof(key))
			return NULL;
		memcpy(key, path, len);
		key[len] = '\0';
		o = json_get(o, key);
		path += len + (path[len] == '/');
	}
	return o;
}

int metrics_label(const char *value, struct buf *out)
{
	int r = buf_puts(out, "\"");

	for (; *value && r == 0; value++) {
		if (*value == '\n')
			r = buf_puts(out, "\\n");
		else if (*value == '"' || *value == '\\')
			r = buf_printf(out, "\\%c", *value);
		else
			r = buf_append(out, value, 1);
	}
	return r < 0 ? r : buf_puts(out, "\"");
}

static int metrics_named(const char *comma, const char *name, const char *value, struct buf *out)
{
	int r = buf_printf(out, "%s%s=", comma, name);

	return r < 0 ? r : metrics_label(value, out);
}

static int metrics_labels(const struct metrics_row *row, const struct json *pod,
			  const struct json *container, struct buf *out)
{
	const struct json *ref = json_get(pod, "podRef");
	int r = buf_puts(out, "{");

	if (r == 0 && container) {
		r = metrics_named("", "container", json_str(json_get(container, "name"), ""), out);
		if (r == 0)
			r = buf_puts(out, ",");
	}
	if (r == 0 && pod)
		r = metrics_named("", "namespace", json_str(json_get(ref, "namespace"), ""), out);
	if (r == 0 && pod)
		r = metrics_named(",", "pod", json_str(json_get(ref, "name"), ""), out);
	if (r == 0 && row->labels)
		r = buf_printf(out, "%s%s", pod ? "," : "", row->labels);
	return r < 0 ? r : buf_puts(out, "}");
}

static int metrics_value(const struct metrics_row *row, const struct json *v, struct buf *out)
{
	uint64_t n = (uint64_t)MAX(json_int(v, 0), 0);

	switch (row->unit) {
	case METRICS_TIME:
		if (clock_parse_rfc3339(json_str(v, ""), &n) < 0)
			n = 0;
		/* fall through */
	case METRICS_NS:
		return buf_printf(out, " %llu.%09llu", (unsigned long long)(n / METRICS_NS_S),
				  (unsigned long long)(n % METRICS_NS_S));
	case METRICS_MS:
		return buf_printf(out, " %llu.%03llu", (unsigned long long)(n / 1000),
				  (unsigned long long)(n % 1000));
	case METRICS_REAL:
		return buf_printf(out, " %.2f", json_real(v, 0));
	case METRICS_PLAIN:
		break;
	}
	return buf_printf(out, " %llu", (unsigned long long)n);
}

static int metrics_sample(const struct metrics_row *row, const struct json *of,
			  const struct json *pod, const struct json *container, struct buf *out)
{
	const struct json *v = metrics_find(of, row->path);
	uint64_t ns;
	int r;

	if (!v)
		return 0;
	r = buf_puts(out, row->name);
	if (r == 0 && (pod || row->labels))
		r = metrics_labels(row, pod, container, out);
	if (r == 0)
		r = metrics_value(row, v, out);
	if (r == 0 && row->time &&
	    clock_parse_rfc3339(json_str(metrics_find(of, row->time), ""), &ns) == 0)
		r = buf_printf(out, " %llu", (unsigned long long)(ns / METRICS_NS_MS));
	return r < 0 ? r : buf_puts(out, "\n");
}

static int metrics_pods(const struct metrics_row *row, const struct json *pods, struct buf *out)
{
	struct json_iter p = json_iter(pods);
	int r = 0;

	while (r == 0 && json_next(&p)) {
		struct json_iter c = json_iter(json_get(p.value, "containers"));

		if (row->of == METRICS_POD)
			r = metrics_sample(row, p.value, p.value, NULL, out);
		while (r == 0 && row->of == METRICS_CONTAINER && json_next(&c))
			r = metrics_sample(row, c.value, p.value, c.value, out);
	}
	return r;
}

static int metrics_table(const struct metrics_row *rows, size_t count, const struct json *summary,
			 struct buf *out)
{
	const struct json *node = json_get(summary, "node"), *pods = json_get(summary, "pods");
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		const struct metrics_row *row = &rows[i];

		if (row->help)
			r = buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help,
				       row->name, row->type);
		if (r == 0 && row->of == METRICS_NODE)
			r = metrics_sample(row, node, NULL, NULL, out);
		else if (r == 0)
			r = metrics_pods(row, pods, out);
	}
	return r;
}

#define CPU_TIME "cpu/time"
#define MEM_TIME "memory/time"
#define CPU_PATH "cpu/usageCoreNanoSeconds"
#define MEM_PATH "memory/workingSetBytes"

int metrics_resource(const struct json *summary, struct buf *out)
{
	static const struct metrics_row rows[] = {
		{"container_cpu_usage_seconds_total", "counter",
		 "[STABLE] Cumulative cpu time consumed by the container in core-seconds",
		 METRICS_CONTAINER, NULL, CPU_PATH, METRICS_NS, CPU_TIME},
		{"container_memory_working_set_bytes", "gauge",
		 "[STABLE] Current working set of the container in bytes", METRICS_CONTAINER, NULL,
		 MEM_PATH, METRICS_PLAIN, MEM_TIME},
		{"container_start_time_seconds", "gauge",
		 "[STABLE] Start time of the container since unix epoch in seconds",
		 METRICS_CONTAINER, NULL, "startTime", METRICS_TIME, NULL},
		{"node_cpu_usage_seconds_total", "counter",
		 "[STABLE] Cumulative cpu time consumed by the node in core-seconds", METRICS_NODE,
		 NULL, CPU_PATH, METRICS_NS, CPU_TIME},
		{"node_memory_working_set_bytes", "gauge",
		 "[STABLE] Current working set of the node in bytes", METRICS_NODE, NULL, MEM_PATH,
		 METRICS_PLAIN, MEM_TIME},
		{"pod_cpu_usage_seconds_total", "counter",
		 "[STABLE] Cumulative cpu time consumed by the pod in core-seconds", METRICS_POD,
		 NULL, CPU_PATH, METRICS_NS, CPU_TIME},
		{"pod_memory_working_set_bytes", "gauge",
		 "[STABLE] Current working set of the pod in bytes", METRICS_POD, NULL, MEM_PATH,
		 METRICS_PLAIN, MEM_TIME},
	};
	int r = metrics_table(rows, ARRAY_SIZE(rows), summary, out);

	if (r == 0)
		r = buf_puts(
			out,
			"# HELP resource_scrape_error [STABLE] 1 if there was an error while getting "
			"container metrics, 0 otherwise\n"
			"# TYPE resource_scrape_error gauge\nresource_scrape_error 0\n"
			"# HELP scrape_error [ALPHA] 1 if there was an error while getting container "
			"metrics, 0 otherwise\n# TYPE scrape_error gauge\nscrape_error 0\n");
	return r;
}

/* "# HELP", the first row of a metric; "", another of the same one */
#define HOST(name, type, help, labels, path, unit)                                          \
	{                                                                                   \
		"hypermetal_host_" name, type, help, METRICS_NODE, labels, path, unit, NULL \
	}
#define VM(name, type, help, labels, path, unit)                                         \
	{                                                                                \
		"hypermetal_vm_" name, type, help, METRICS_POD, labels, path, unit, NULL \
	}
#define BOX(name, type, help, path, unit)                                                      \
	{                                                                                      \
		"hypermetal_container_" name, type, help, METRICS_CONTAINER, NULL, path, unit, \
			NULL                                                                   \
	}

static const struct metrics_row metrics_host[] = {
	HOST("cpu_seconds_total", "counter", "Time of all processors by what it went for",
	     "mode=\"user\"", "hyper/cpu/userNanoSeconds", METRICS_NS),
	HOST("cpu_seconds_total", NULL, NULL, "mode=\"system\"", "hyper/cpu/systemNanoSeconds",
	     METRICS_NS),
	HOST("cpu_seconds_total", NULL, NULL, "mode=\"idle\"", "hyper/cpu/idleNanoSeconds",
	     METRICS_NS),
	HOST("cpu_seconds_total", NULL, NULL, "mode=\"iowait\"", "hyper/cpu/iowaitNanoSeconds",
	     METRICS_NS),
	HOST("cpu_seconds_total", NULL, NULL, "mode=\"steal\"", "hyper/cpu/stealNanoSeconds",
	     METRICS_NS),
	HOST("cpus", "gauge", "Processors", NULL, "hyper/cpus", METRICS_PLAIN),
	HOST("memory_bytes", "gauge", "Memory by kind", "kind=\"total\"", "hyper/memory/totalBytes",
	     METRICS_PLAIN),
	HOST("memory_bytes", NULL, NULL, "kind=\"free\"", "hyper/memory/freeBytes", METRICS_PLAIN),
	HOST("memory_bytes", NULL, NULL, "kind=\"available\"", "hyper/memory/availableBytes",
	     METRICS_PLAIN),
	HOST("memory_bytes", NULL, NULL, "kind=\"working_set\"", MEM_PATH, METRICS_PLAIN),
	HOST("memory_bytes", NULL, NULL, "kind=\"shmem\"", "hyper/memory/shmemBytes",
	     METRICS_PLAIN),
	HOST("memory_bytes", NULL, NULL, "kind=\"slab\"", "hyper/memory/slabBytes", METRICS_PLAIN),
	HOST("load", "gauge", "Load average", "minutes=\"1\"", "hyper/load1", METRICS_REAL),
	HOST("load", NULL, NULL, "minutes=\"5\"", "hyper/load5", METRICS_REAL),
	HOST("load", NULL, NULL, "minutes=\"15\"", "hyper/load15", METRICS_REAL),
	HOST("boot_time_seconds", "gauge", "When the host was started, since the epoch", NULL,
	     "startTime", METRICS_TIME),
	HOST("filesystem_bytes", "gauge", "Size of what images lie on", "fs=\"images\"",
	     "runtime/imageFs/capacityBytes", METRICS_PLAIN),
	HOST("filesystem_bytes", NULL, NULL, "fs=\"run\"", "fs/capacityBytes", METRICS_PLAIN),
	HOST("filesystem_free_bytes", "gauge", "Room left on it", "fs=\"images\"",
	     "runtime/imageFs/availableBytes", METRICS_PLAIN),
	HOST("filesystem_free_bytes", NULL, NULL, "fs=\"run\"", "fs/availableBytes", METRICS_PLAIN),
	HOST("network_receive_bytes_total", "counter", "By the first network interface", NULL,
	     "network/rxBytes", METRICS_PLAIN),
	HOST("network_transmit_bytes_total", "counter", "By the first network interface", NULL,
	     "network/txBytes", METRICS_PLAIN),
	HOST("vm_starts_total", "counter",
	     "VMs that were started, since hostd began, as all of these", "result=\"ok\"",
	     "hyper/counts/vmStarts", METRICS_PLAIN),
	HOST("vm_starts_total", NULL, NULL, "result=\"failed\"", "hyper/counts/vmStartFailures",
	     METRICS_PLAIN),
	HOST("vm_ends_total", "counter", "VMs that ended", NULL, "hyper/counts/vmEnds",
	     METRICS_PLAIN),
	HOST("vm_crashes_total", "counter",
	     "Those that did so of themselves, and not by a power-off", NULL,
	     "hyper/counts/vmCrashes", METRICS_PLAIN),
	HOST("pulls_total", "counter", "Images that were there when asked for, or were pulled",
	     "result=\"ok\"", "hyper/counts/pulls", METRICS_PLAIN),
	HOST("pulls_total", NULL, NULL, "result=\"failed\"", "hyper/counts/pullFailures",
	     METRICS_PLAIN),
	HOST("container_starts_total", "counter", "Containers that started", NULL,
	     "hyper/counts/containerStarts", METRICS_PLAIN),
	HOST("container_ends_total", "counter", "Containers that ended", NULL,
	     "hyper/counts/containerEnds", METRICS_PLAIN),
	HOST("oom_kills_total", "counter", "Containers that ended for want of memory", NULL,
	     "hyper/counts/oomKills", METRICS_PLAIN),
	HOST("api_calls_total", "counter", "Calls to the API that ended, watches aside", NULL,
	     "hyper/api/calls", METRICS_PLAIN),
	HOST("api_failures_total", "counter", "Those without an answer, or with 429 or 5xx", NULL,
	     "hyper/api/failures", METRICS_PLAIN),
	HOST("api_seconds_total", "counter", "The time that all of them took", NULL,
	     "hyper/api/milliSeconds", METRICS_MS),
	HOST("measure_seconds", "gauge",
	     "Time for which hostd did nothing but measure for this answer", NULL,
	     "hyper/measureNanoSeconds", METRICS_NS),
	HOST("processes", "gauge", "Processes and threads", NULL, "rlimit/curproc", METRICS_PLAIN),
};

static const struct metrics_row metrics_vm[] = {
	VM("cpu_seconds_total", "counter", "Time of processors, the guest's and the VMM's", NULL,
	   CPU_PATH, METRICS_NS),
	VM("throttled_seconds_total", "counter", "Time for which it waited at its limit", NULL,
	   "hyper/throttledNanoSeconds", METRICS_NS),
	VM("memory_bytes", "gauge", "Memory of the host that it takes", NULL, "memory/usageBytes",
	   METRICS_PLAIN),
	VM("memory_working_set_bytes", "gauge", "The same without idle pages of files", NULL,
	   MEM_PATH, METRICS_PLAIN),
	VM("guest_memory_bytes", "gauge", "Memory that the guest sees", NULL,
	   "hyper/guest/memoryBytes", METRICS_PLAIN),
	VM("guest_memory_available_bytes", "gauge", "Memory that the guest could still use", NULL,
	   "hyper/guest/availableBytes", METRICS_PLAIN),
	VM("uptime_seconds", "gauge", "Since its guest began to run the pod", NULL,
	   "hyper/runMilliSeconds", METRICS_MS),
	VM("network_receive_bytes_total", "counter", "Received by the pod", NULL, "network/rxBytes",
	   METRICS_PLAIN),
	VM("network_receive_packets_total", "counter", "Received by the pod", NULL,
	   "hyper/network/rxPackets", METRICS_PLAIN),
	VM("network_receive_dropped_total", "counter", "Packets that the pod did not take in time",
	   NULL, "hyper/network/rxDropped", METRICS_PLAIN),
	VM("network_transmit_bytes_total", "counter", "Sent by the pod", NULL, "network/txBytes",
	   METRICS_PLAIN),
	VM("network_transmit_packets_total", "counter", "Sent by the pod", NULL,
	   "hyper/network/txPackets", METRICS_PLAIN),
	VM("network_transmit_dropped_total", "counter", "Packets of the pod that were dropped",
	   NULL, "hyper/network/txDropped", METRICS_PLAIN),
	VM("exits_total", "counter", "Returns of the processors to the VMM, by cause",
	   "cause=\"io\"", "hyper/exits/io", METRICS_PLAIN),
	VM("exits_total", NULL, NULL, "cause=\"mmio\"", "hyper/exits/mmio", METRICS_PLAIN),
	VM("exits_total", NULL, NULL, "cause=\"signal\"", "hyper/exits/signal", METRICS_PLAIN),
	VM("exits_total", NULL, NULL, "cause=\"other\"", "hyper/exits/other", METRICS_PLAIN),
	VM("disk_requests_total", "counter", "Requests to its disks", "operation=\"read\"",
	   "hyper/disk/reads", METRICS_PLAIN),
	VM("disk_requests_total", NULL, NULL, "operation=\"write\"", "hyper/disk/writes",
	   METRICS_PLAIN),
	VM("disk_requests_total", NULL, NULL, "operation=\"flush\"", "hyper/disk/flushes",
	   METRICS_PLAIN),
	VM("disk_requests_total", NULL, NULL, "operation=\"discard\"", "hyper/disk/discards",
	   METRICS_PLAIN),
	VM("disk_errors_total", "counter", "Requests that failed", NULL, "hyper/disk/errors",
	   METRICS_PLAIN),
	VM("disk_read_bytes_total", "counter", "Read from its disks", NULL, "hyper/disk/readBytes",
	   METRICS_PLAIN),
	VM("disk_written_bytes_total", "counter", "Written to its disks", NULL,
	   "hyper/disk/writtenBytes", METRICS_PLAIN),
	VM("disk_kicks_total", "counter", "Notifications of its disks' queues", NULL,
	   "hyper/disk/kicks", METRICS_PLAIN),
	VM("given_back_bytes_total", "counter", "Memory that its guest gave back to the host", NULL,
	   "hyper/givenBackBytes", METRICS_PLAIN),
	VM("scratch_bytes", "gauge", "Size of the pod's private disk", NULL,
	   "ephemeral-storage/capacityBytes", METRICS_PLAIN),
	VM("scratch_used_bytes", "gauge", "Used of it", NULL, "ephemeral-storage/usedBytes",
	   METRICS_PLAIN),
};

static const struct metrics_row metrics_container[] = {
	BOX("cpu_seconds_total", "counter", "Time of processors, by the guest's count", CPU_PATH,
	    METRICS_NS),
	BOX("throttled_seconds_total", "counter", "Time for which it waited at its limit",
	    "hyper/throttledNanoSeconds", METRICS_NS),
	BOX("throttled_periods_total", "counter", "Periods in which it reached its limit",
	    "hyper/throttledPeriods", METRICS_PLAIN),
	BOX("memory_bytes", "gauge", "Memory that is charged to it", "memory/usageBytes",
	    METRICS_PLAIN),
	BOX("memory_working_set_bytes", "gauge", "The same without idle pages of files", MEM_PATH,
	    METRICS_PLAIN),
	BOX("memory_rss_bytes", "gauge", "Memory that is not of files", "memory/rssBytes",
	    METRICS_PLAIN),
	BOX("major_faults_total", "counter", "Pages that had to be read", "memory/majorPageFaults",
	    METRICS_PLAIN),
	BOX("processes", "gauge", "Processes and threads", "hyper/processes", METRICS_PLAIN),
	BOX("oom_kills_total", "counter", "Processes killed for want of memory", "hyper/oomKills",
	    METRICS_PLAIN),
	BOX("log_bytes", "gauge", "Its logs on this host", "logs/usedBytes", METRICS_PLAIN),
	BOX("start_time_seconds", "gauge", "When it was started, since the epoch", "startTime",
	    METRICS_TIME),
};

static int metrics_states(const struct json *summary, struct buf *out)
{
	struct json_iter it = json_iter(metrics_find(summary, "node/hyper/pods"));
	int r = buf_puts(out, "# HELP hypermetal_pods Pods by what hostd is doing with them\n"
			      "# TYPE hypermetal_pods gauge\n");

	while (r == 0 && json_next(&it))
		r = buf_printf(out, "hypermetal_pods{state=\"%s\"} %lld\n", it.key,
			       (long long)json_int(it.value, 0));
	return r;
}

int metrics_all(const struct json *summary, struct buf *out)
{
	int r = metrics_table(metrics_host, ARRAY_SIZE(metrics_host), summary, out);

	if (r == 0)
		r = metrics_states(summary, out);
	if (r == 0)
		r = metrics_table(metrics_vm, ARRAY_SIZE(metrics_vm), summary, out);
	if (r == 0)
		r = metrics_table(metrics_container, ARRAY_SIZE(metrics_container), summary, out);
	return r;
}
