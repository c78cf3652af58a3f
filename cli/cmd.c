// SPDX-License-Identifier: Apache-2.0
#include "cmd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/quantity.h"
#include "base/str.h"

#define NS_PER_S 1000000000ULL

int cmd_fail(const struct err *e, const char *what)
{
	fprintf(stderr, "hyper: %s: %s\n", what, err_msg(e));
	return CMD_FAILED;
}

int cmd_usage(const char *command, const char *problem)
{
	fprintf(stderr, "hyper %s: %s\nTry `hyper help %s`.\n", command, problem, command);
	return CMD_USAGE;
}

int cmd_print_json(const struct json *v)
{
	struct buf b = BUF_INIT(0);
	int r = json_write_pretty(v, &b);

	if (r == 0)
		printf("%s\n", buf_str(&b));
	buf_done(&b);
	return r == 0 ? CMD_OK : CMD_FAILED;
}

char *cmd_pod_path(const struct cmd *c, const char *name)
{
	_cleanup_free_ char *ns = str_percent_encode(c->namespace), *pod = str_percent_encode(name);

	return mem_printf("/api/v1/namespaces/%s/pods/%s", ns, pod);
}

struct json *cmd_cordon_patch(struct json_doc *doc, bool cordon, bool ours)
{
	struct json *root = json_new_obj(doc), *meta = json_obj_of(doc, root, "metadata");

	json_put(doc, json_obj_of(doc, root, "spec"), "unschedulable",
		 cordon ? json_new_bool(doc, true) : json_new_null(doc));
	json_put(doc, json_obj_of(doc, meta, "annotations"), CMD_CORDON_KEY,
		 ours ? json_new_str(doc, "hyper") : json_new_null(doc));
	return root;
}

const char *cmd_bytes(char out[24], int64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	int64_t unit = 1, tenths;
	size_t u = 0;

	if (bytes < 0)
		return "-";
	for (; u < ARRAY_SIZE(units) - 1 && bytes / unit >= 1024; u++)
		unit *= 1024;
	tenths = bytes % unit / (unit / 10 + 1);
	if (tenths)
		snprintf(out, 24, "%" PRId64 ".%" PRId64 " %s", bytes / unit, tenths, units[u]);
	else
		snprintf(out, 24, "%" PRId64 " %s", bytes / unit, units[u]);
	return out;
}

const char *cmd_size(char out[24], const char *quantity)
{
	int64_t bytes;

	return quantity_parse(quantity, QUANTITY_UNITS, &bytes) < 0 ? "-" : cmd_bytes(out, bytes);
}

/* The same steps as kubectl: two units while the first is small */
const char *cmd_age(char out[16], const struct json *time)
{
	uint64_t then_ns, now_ns = clock_real_ns(), s;

	if (clock_parse_rfc3339(json_str(time, ""), &then_ns) < 0)
		return "-";
	s = now_ns > then_ns ? (now_ns - then_ns) / NS_PER_S : 0;
	if (s < 120)
		snprintf(out, 16, "%" PRIu64 "s", s);
	else if (s < 600)
		snprintf(out, 16, "%" PRIu64 "m%" PRIu64 "s", s / 60, s % 60);
	else if (s < 3 * 3600)
		snprintf(out, 16, "%" PRIu64 "m", s / 60);
	else if (s < 48 * 3600)
		snprintf(out, 16, "%" PRIu64 "h", s / 3600);
	else
		snprintf(out, 16, "%" PRIu64 "d", s / 86400);
	return out;
}

struct json *cmd_condition(const struct json *object, const char *type)
{
	struct json_iter it = json_iter(json_at(object, "status", "conditions", NULL));

	while (json_next(&it))
		if (str_eq(json_str(json_get(it.value, "type"), ""), type))
			return it.value;
	return NULL;
}

const char *cmd_node_ready(const struct json *node)
{
	const char *status = json_str(json_get(cmd_condition(node, "Ready"), "status"), "Unknown");

	if (str_eq(status, "True"))
		return "Ready";
	return str_eq(status, "False") ? "NotReady" : "Unknown";
}

bool cmd_node_runs(const struct json *node, const char *version)
{
	const char *image = json_str(json_at(node, "status", "nodeInfo", "osImage", NULL), "");
	const char *is = str_starts(image, "HyperMetal ");

	return is && str_eq(is, version);
}

const char *cmd_node_image(const struct json *node, char *out, size_t size)
{
	const char *is = json_str(json_at(node, "status", "nodeInfo", "osImage", NULL), "");
	const struct json *notes = json_at(node, "metadata", "annotations", NULL);
	const char *assigned = json_str(json_get(notes, CMD_IMAGE_KEY), "");
	const char *trouble = json_str(json_get(notes, CMD_TROUBLE_KEY), "");

	if (!str_eq(cmd_node_ready(node), "Ready")) /* worth more than what it runs */
		is = json_str(json_get(cmd_condition(node, "Ready"), "message"), "");
	if (*trouble)
		snprintf(out, size, "%s%s(%s)", is, *is ? " " : "", trouble);
	else if (*assigned && !cmd_node_runs(node, assigned))
		snprintf(out, size, "%s (%s at its next boot)", is, assigned);
	else
		(void)str_copy(out, size, is);
	return out;
}

/* The first container that has something to say about why it does not run */
static const struct json *cmd_pod_trouble(const struct json *pod)
{
	struct json_iter it = json_iter(json_at(pod, "status", "containerStatuses", NULL));

	while (json_next(&it)) {
		const struct json *waiting = json_at(it.value, "state", "waiting", NULL);
		const struct json *ended = json_at(it.value, "state", "terminated", NULL);

		if (json_get(waiting, "reason"))
			return waiting;
		if (ended)
			return ended;
	}
	return NULL;
}

const char *cmd_pod_status(const struct json *pod)
{
	const char *phase = json_str(json_at(pod, "status", "phase", NULL), "Unknown");
	const char *reason = json_str(json_at(pod, "status", "reason", NULL), NULL);
	const char *trouble = json_str(json_get(cmd_pod_trouble(pod), "reason"), NULL);

	if (json_at(pod, "metadata", "deletionTimestamp", NULL))
		return "Terminating";
	if (reason)
		return reason;
	return trouble ? trouble : phase;
}

int64_t cmd_pod_exit_code(const struct json *pod)
{
	if (json_at(pod, "metadata", "deletionTimestamp", NULL) ||
	    json_at(pod, "status", "reason", NULL))
		return 0;
	return json_int(json_get(cmd_pod_trouble(pod), "exitCode"), 0);
}

const char *cmd_pod_reason(const struct json *pod)
{
	const struct json *scheduled = cmd_condition(pod, "PodScheduled");
	const char *message = json_str(json_at(pod, "status", "message", NULL), NULL);

	if (!message)
		message = json_str(json_get(cmd_pod_trouble(pod), "message"), NULL);
	if (!message && str_eq(json_str(json_get(scheduled, "status"), ""), "False"))
		message = json_str(json_get(scheduled, "message"), NULL);
	return message ? message : "";
}
