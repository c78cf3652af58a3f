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

/* One sample for each thing of its kind */
struct metrics_row {
	const char *
		name; /* NULL: one more of the metric above, whose row says all but path and labels */
	const char *type, *help;
	enum metrics_of of;
	const char *path; /* "cpu/usageCoreNanoSeconds" */
	const char *labels; /* more labels, "mode=\"user\"" */
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
	struct metrics_row row = {0};
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		if (rows[i].name) {
			row = rows[i];
			r = buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", row.name, row.help,
				       row.name, row.type);
		} else {
			row.path = rows[i].path;
			row.labels = rows[i].labels;
		}
		if (r == 0 && row.of == METRICS_NODE)
			r = metrics_sample(&row, node, NULL, NULL, out);
		else if (r == 0)
			r = metrics_pods(&row, pods, out);
	}
	return r;
}

#define CPU_TIME "cpu/time"
#define MEM_TIME "memory/time"
#define CPU_PATH "cpu/usageCoreNanoSeconds"
#define MEM_PATH "memory/workingSetBytes"

/* A metric with its first sample, of what it is about; then what else is known of that: labels, unit */
#define ROW(about, full_name, its_type, its_help, its_path, ...)                    \
	{                                                                           \
		.name = full_name, .type = its_type, .help = its_help, .of = about, \
		.path = its_path, __VA_ARGS__                                       \
	}

int metrics_resource(const struct json *summary, struct buf *out)
{
	static const struct metrics_row rows[] = {
		ROW(METRICS_CONTAINER, "container_cpu_usage_seconds_total", "counter",
		    "[STABLE] Cumulative cpu time consumed by the container in core-seconds",
		    CPU_PATH, .unit = METRICS_NS, .time = CPU_TIME),
		ROW(METRICS_CONTAINER, "container_memory_working_set_bytes", "gauge",
		    "[STABLE] Current working set of the container in bytes", MEM_PATH,
		    .time = MEM_TIME),
		ROW(METRICS_CONTAINER, "container_start_time_seconds", "gauge",
		    "[STABLE] Start time of the container since unix epoch in seconds", "startTime",
		    .unit = METRICS_TIME),
		ROW(METRICS_NODE, "node_cpu_usage_seconds_total", "counter",
		    "[STABLE] Cumulative cpu time consumed by the node in core-seconds", CPU_PATH,
		    .unit = METRICS_NS, .time = CPU_TIME),
		ROW(METRICS_NODE, "node_memory_working_set_bytes", "gauge",
		    "[STABLE] Current working set of the node in bytes", MEM_PATH,
		    .time = MEM_TIME),
		ROW(METRICS_POD, "pod_cpu_usage_seconds_total", "counter",
		    "[STABLE] Cumulative cpu time consumed by the pod in core-seconds", CPU_PATH,
		    .unit = METRICS_NS, .time = CPU_TIME),
		ROW(METRICS_POD, "pod_memory_working_set_bytes", "gauge",
		    "[STABLE] Current working set of the pod in bytes", MEM_PATH, .time = MEM_TIME),
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

#define HOST(name, ...) ROW(METRICS_NODE, "hypermetal_host_" name, __VA_ARGS__)
#define VM(name, ...)	ROW(METRICS_POD, "hypermetal_vm_" name, __VA_ARGS__)
#define BOX(name, ...)	ROW(METRICS_CONTAINER, "hypermetal_container_" name, __VA_ARGS__)
/* One more sample of the metric above */
#define ALSO(its_path, its_labels)                     \
	{                                              \
		.path = its_path, .labels = its_labels \
	}

static const struct metrics_row metrics_host[] = {
	HOST("cpu_seconds_total", "counter", "Time of all processors by what it went for",
	     "hyper/cpu/userNanoSeconds", .labels = "mode=\"user\"", .unit = METRICS_NS),
	ALSO("hyper/cpu/systemNanoSeconds", "mode=\"system\""),
	ALSO("hyper/cpu/idleNanoSeconds", "mode=\"idle\""),
	ALSO("hyper/cpu/iowaitNanoSeconds", "mode=\"iowait\""),
	ALSO("hyper/cpu/stealNanoSeconds", "mode=\"steal\""),
	HOST("cpus", "gauge", "Processors", "hyper/cpus"),
	HOST("memory_bytes", "gauge", "Memory by kind", "hyper/memory/totalBytes",
	     .labels = "kind=\"total\""),
	ALSO("hyper/memory/freeBytes", "kind=\"free\""),
	ALSO("hyper/memory/availableBytes", "kind=\"available\""),
	ALSO(MEM_PATH, "kind=\"working_set\""),
	ALSO("hyper/memory/shmemBytes", "kind=\"shmem\""),
	ALSO("hyper/memory/slabBytes", "kind=\"slab\""),
	HOST("load", "gauge", "Load average", "hyper/load1", .labels = "minutes=\"1\"",
	     .unit = METRICS_REAL),
	ALSO("hyper/load5", "minutes=\"5\""),
	ALSO("hyper/load15", "minutes=\"15\""),
	HOST("boot_time_seconds", "gauge", "When the host was started, since the epoch",
	     "startTime", .unit = METRICS_TIME),
	HOST("filesystem_bytes", "gauge", "Size of what images lie on",
	     "runtime/imageFs/capacityBytes", .labels = "fs=\"images\""),
	ALSO("fs/capacityBytes", "fs=\"run\""),
	HOST("filesystem_free_bytes", "gauge", "Room left on it", "runtime/imageFs/availableBytes",
	     .labels = "fs=\"images\""),
	ALSO("fs/availableBytes", "fs=\"run\""),
	HOST("network_receive_bytes_total", "counter", "By the first network interface",
	     "network/rxBytes"),
	HOST("network_transmit_bytes_total", "counter", "By the first network interface",
	     "network/txBytes"),
	HOST("vm_starts_total", "counter",
	     "VMs that were started, since hostd began, as all of these", "hyper/counts/vmStarts",
	     .labels = "result=\"ok\""),
	ALSO("hyper/counts/vmStartFailures", "result=\"failed\""),
	HOST("vm_ends_total", "counter", "VMs that ended", "hyper/counts/vmEnds"),
	HOST("vm_crashes_total", "counter",
	     "Those that did so of themselves, and not by a power-off", "hyper/counts/vmCrashes"),
	HOST("pulls_total", "counter", "Images that were there when asked for, or were pulled",
	     "hyper/counts/pulls", .labels = "result=\"ok\""),
	ALSO("hyper/counts/pullFailures", "result=\"failed\""),
	HOST("container_starts_total", "counter", "Containers that started",
	     "hyper/counts/containerStarts"),
	HOST("container_ends_total", "counter", "Containers that ended",
	     "hyper/counts/containerEnds"),
	HOST("oom_kills_total", "counter", "Containers that ended for want of memory",
	     "hyper/counts/oomKills"),
	HOST("api_calls_total", "counter", "Calls to the API that ended, watches aside",
	     "hyper/api/calls"),
	HOST("api_failures_total", "counter", "Those without an answer, or with 429 or 5xx",
	     "hyper/api/failures"),
	HOST("api_seconds_total", "counter", "The time that all of them took",
	     "hyper/api/milliSeconds", .unit = METRICS_MS),
	HOST("measure_seconds", "gauge",
	     "Time for which hostd did nothing but measure for this answer",
	     "hyper/measureNanoSeconds", .unit = METRICS_NS),
	HOST("processes", "gauge", "Processes and threads", "rlimit/curproc"),
};

static const struct metrics_row metrics_vm[] = {
	VM("cpu_seconds_total", "counter", "Time of processors, the guest's and the VMM's",
	   CPU_PATH, .unit = METRICS_NS),
	VM("throttled_seconds_total", "counter", "Time for which it waited at its limit",
	   "hyper/throttledNanoSeconds", .unit = METRICS_NS),
	VM("memory_bytes", "gauge", "Memory of the host that it takes", "memory/usageBytes"),
	VM("memory_working_set_bytes", "gauge", "The same without idle pages of files", MEM_PATH),
	VM("guest_memory_bytes", "gauge", "Memory that the guest sees", "hyper/guest/memoryBytes"),
	VM("guest_memory_available_bytes", "gauge", "Memory that the guest could still use",
	   "hyper/guest/availableBytes"),
	VM("uptime_seconds", "gauge", "Since its guest began to run the pod",
	   "hyper/runMilliSeconds", .unit = METRICS_MS),
	VM("network_receive_bytes_total", "counter", "Received by the pod", "network/rxBytes"),
	VM("network_receive_packets_total", "counter", "Received by the pod",
	   "hyper/network/rxPackets"),
	VM("network_receive_dropped_total", "counter", "Packets that the pod did not take in time",
	   "hyper/network/rxDropped"),
	VM("network_transmit_bytes_total", "counter", "Sent by the pod", "network/txBytes"),
	VM("network_transmit_packets_total", "counter", "Sent by the pod",
	   "hyper/network/txPackets"),
	VM("network_transmit_dropped_total", "counter", "Packets of the pod that were dropped",
	   "hyper/network/txDropped"),
	VM("exits_total", "counter", "Returns of the processors to the VMM, by cause",
	   "hyper/exits/io", .labels = "cause=\"io\""),
	ALSO("hyper/exits/mmio", "cause=\"mmio\""),
	ALSO("hyper/exits/signal", "cause=\"signal\""),
	ALSO("hyper/exits/other", "cause=\"other\""),
	VM("disk_requests_total", "counter", "Requests to its disks", "hyper/disk/reads",
	   .labels = "operation=\"read\""),
	ALSO("hyper/disk/writes", "operation=\"write\""),
	ALSO("hyper/disk/flushes", "operation=\"flush\""),
	ALSO("hyper/disk/discards", "operation=\"discard\""),
	VM("disk_errors_total", "counter", "Requests that failed", "hyper/disk/errors"),
	VM("disk_read_bytes_total", "counter", "Read from its disks", "hyper/disk/readBytes"),
	VM("disk_written_bytes_total", "counter", "Written to its disks",
	   "hyper/disk/writtenBytes"),
	VM("disk_kicks_total", "counter", "Notifications of its disks' queues", "hyper/disk/kicks"),
	VM("given_back_bytes_total", "counter", "Memory that its guest gave back to the host",
	   "hyper/givenBackBytes"),
	VM("scratch_bytes", "gauge", "Size of the pod's private disk",
	   "ephemeral-storage/capacityBytes"),
	VM("scratch_used_bytes", "gauge", "Used of it", "ephemeral-storage/usedBytes"),
};

static const struct metrics_row metrics_container[] = {
	BOX("cpu_seconds_total", "counter", "Time of processors, by the guest's count", CPU_PATH,
	    .unit = METRICS_NS),
	BOX("throttled_seconds_total", "counter", "Time for which it waited at its limit",
	    "hyper/throttledNanoSeconds", .unit = METRICS_NS),
	BOX("throttled_periods_total", "counter", "Periods in which it reached its limit",
	    "hyper/throttledPeriods"),
	BOX("memory_bytes", "gauge", "Memory that is charged to it", "memory/usageBytes"),
	BOX("memory_working_set_bytes", "gauge", "The same without idle pages of files", MEM_PATH),
	BOX("memory_rss_bytes", "gauge", "Memory that is not of files", "memory/rssBytes"),
	BOX("major_faults_total", "counter", "Pages that had to be read", "memory/majorPageFaults"),
	BOX("processes", "gauge", "Processes and threads", "hyper/processes"),
	BOX("oom_kills_total", "counter", "Processes killed for want of memory", "hyper/oomKills"),
	BOX("log_bytes", "gauge", "Its logs on this host", "logs/usedBytes"),
	BOX("start_time_seconds", "gauge", "When it was started, since the epoch", "startTime",
	    .unit = METRICS_TIME),
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
