// SPDX-License-Identifier: Apache-2.0
/* The pod's row. STATUS is worked out as kubectl's users expect (k8s.io/kubernetes, printPod). */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "internal.h"
#include "table_columns.h"

struct pod_row {
	char reason[128];
	size_t ready, total;
	int64_t restarts;
	uint64_t last_restart_ns;
	char last_restart[40];
};

static bool condition_true(const struct json *pod, const char *type)
{
	struct json_iter it = json_iter(json_at(pod, "status", "conditions", NULL));

	while (json_next(&it)) {
		if (str_eq(json_str(json_get(it.value, "type"), ""), type))
			return str_eq(json_str(json_get(it.value, "status"), ""), "True");
	}
	return false;
}

static void count_restart(struct pod_row *row, const struct json *status)
{
	const char *at =
		json_str(json_at(status, "lastState", "terminated", "finishedAt", NULL), "");
	uint64_t ns;

	row->restarts += json_int(json_get(status, "restartCount"), 0);
	if (clock_parse_rfc3339(at, &ns) == 0 && ns > row->last_restart_ns) {
		row->last_restart_ns = ns;
		str_copy(row->last_restart, sizeof(row->last_restart), at);
	}
}

/* "Error", or what can be said of an end that has no reason. */
static void end_reason(const struct json *ended, const char *prefix, char *out, size_t size)
{
	const char *reason = json_str(json_get(ended, "reason"), "");
	long long signo = json_int(json_get(ended, "signal"), 0);
	long long code = json_int(json_get(ended, "exitCode"), 0);

	if (*reason)
		snprintf(out, size, "%s%s", prefix, reason);
	else if (signo)
		snprintf(out, size, "%sSignal:%lld", prefix, signo);
	else
		snprintf(out, size, "%sExitCode:%lld", prefix, code);
}

/* Return: whether init containers are still at work. */
static bool init_state(const struct json *pod, struct pod_row *row)
{
	const struct json *list = json_at(pod, "status", "initContainerStatuses", NULL);
	size_t total = json_count(json_at(pod, "spec", "initContainers", NULL));

	for (size_t i = 0; i < json_count(list); i++) {
		const struct json *status = json_item(list, i);
		const struct json *ended = json_at(status, "state", "terminated", NULL);
		const char *waits =
			json_str(json_at(status, "state", "waiting", "reason", NULL), "");

		count_restart(row, status);
		if (ended && json_int(json_get(ended, "exitCode"), 0) == 0)
			continue;
		if (ended)
			end_reason(ended, "Init:", row->reason, sizeof(row->reason));
		else if (*waits && !str_eq(waits, "PodInitializing"))
			snprintf(row->reason, sizeof(row->reason), "Init:%.100s", waits);
		else
			snprintf(row->reason, sizeof(row->reason), "Init:%zu/%zu", i, total);
		return true;
	}
	return false;
}

static void main_state(const struct json *pod, struct pod_row *row)
{
	const struct json *list = json_at(pod, "status", "containerStatuses", NULL);
	bool running = false;

	row->restarts = 0;
	row->last_restart_ns = 0;
	for (size_t i = json_count(list); i-- > 0;) {
		const struct json *status = json_item(list, i);
		const struct json *ended = json_at(status, "state", "terminated", NULL);
		const char *waits =
			json_str(json_at(status, "state", "waiting", "reason", NULL), "");

		count_restart(row, status);
		if (*waits)
			str_copy(row->reason, sizeof(row->reason), waits);
		else if (ended)
			end_reason(ended, "", row->reason, sizeof(row->reason));
		else if (json_bool(json_get(status, "ready"), false) &&
			 json_at(status, "state", "running", NULL)) {
			running = true;
			row->ready++;
		}
	}
	if (running && str_eq(row->reason, "Completed"))
		str_copy(row->reason, sizeof(row->reason),
			 condition_true(pod, "Ready") ? "Running" : "NotReady");
}

static void pod_row(const struct json *pod, struct pod_row *row)
{
	const char *phase = json_str(json_at(pod, "status", "phase", NULL), "");
	const char *reason = json_str(json_at(pod, "status", "reason", NULL), "");

	memset(row, 0, sizeof(*row));
	row->total = json_count(json_at(pod, "spec", "containers", NULL));
	str_copy(row->reason, sizeof(row->reason), *reason ? reason : phase);
	if (!init_state(pod, row))
		main_state(pod, row);
	if (!json_at(pod, "metadata", "deletionTimestamp", NULL))
		return;
	if (str_eq(reason, "NodeLost"))
		str_copy(row->reason, sizeof(row->reason), "Unknown");
	else if (!str_eq(phase, "Succeeded") && !str_eq(phase, "Failed"))
		str_copy(row->reason, sizeof(row->reason), "Terminating");
}

static void push(struct json_doc *doc, struct json *cells, const char *text)
{
	json_push(doc, cells, json_new_str(doc, *text ? text : "<none>"));
}

void pod_cells(struct json_doc *doc, struct json *cells, const struct json *object)
{
	const struct json *meta = json_get(object, "metadata"),
			  *status = json_get(object, "status");
	struct pod_row row;
	char age[32];

	pod_row(object, &row);
	push(doc, cells, json_str(json_get(meta, "name"), ""));
	json_push(doc, cells, json_new_fmt(doc, "%zu/%zu", row.ready, row.total));
	push(doc, cells, row.reason);
	if (row.restarts && row.last_restart_ns)
		json_push(doc, cells,
			  json_new_fmt(doc, "%lld (%s ago)", (long long)row.restarts,
				       table_age(age, sizeof(age), row.last_restart)));
	else
		json_push(doc, cells, json_new_fmt(doc, "%lld", (long long)row.restarts));
	push(doc, cells,
	     table_age(age, sizeof(age), json_str(json_get(meta, "creationTimestamp"), "")));
	push(doc, cells, json_str(json_get(status, "podIP"), ""));
	push(doc, cells, json_str(json_at(object, "spec", "nodeName", NULL), ""));
	push(doc, cells, json_str(json_get(status, "nominatedNodeName"), ""));
	push(doc, cells, "");
}
