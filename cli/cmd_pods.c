// SPDX-License-Identifier: Apache-2.0
/* hyper list, stop and rm. */
#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd.h"
#include "table.h"

#define RM_POLL_MS  200
#define RM_MARGIN_S 60

static void list_ports(const struct json *pod, struct buf *out)
{
	struct json_iter c = json_iter(json_at(pod, "spec", "containers", NULL));

	while (json_next(&c)) {
		struct json_iter p = json_iter(json_get(c.value, "ports"));

		while (json_next(&p)) {
			int64_t host = json_int(json_get(p.value, "hostPort"), 0);

			if (host)
				buf_printf(out, "%s%lld:%lld", out->len ? "," : "", (long long)host,
					   (long long)json_int(json_get(p.value, "containerPort"),
							       0));
		}
	}
}

/* The status, and the exit code of the container that it comes from: "Error(139)" */
static void list_status(char *out, size_t size, const struct json *pod)
{
	const char *status = cmd_pod_status(pod);
	int64_t code = cmd_pod_exit_code(pod);

	if (code)
		snprintf(out, size, "%s(%lld)", status, (long long)code);
	else
		str_copy(out, size, status);
}

static void list_row(struct table *t, const struct json *pod, bool all)
{
	struct json_iter it = json_iter(json_at(pod, "status", "containerStatuses", NULL));
	size_t ready = 0, count = json_count(json_at(pod, "spec", "containers", NULL));
	long long restarts = 0;
	struct buf ports = BUF_INIT(4096);
	char age[16], counts[32], restarts_text[24], status[128];
	const char *cells[10];
	size_t n = 0;

	while (json_next(&it)) {
		ready += json_bool(json_get(it.value, "ready"), false);
		restarts += json_int(json_get(it.value, "restartCount"), 0);
	}
	snprintf(counts, sizeof(counts), "%zu/%zu", ready, count);
	snprintf(restarts_text, sizeof(restarts_text), "%lld", restarts);
	list_ports(pod, &ports);
	if (all)
		cells[n++] = json_str(json_at(pod, "metadata", "namespace", NULL), "");
	cells[n++] = json_str(json_at(pod, "metadata", "name", NULL), "");
	list_status(status, sizeof(status), pod);
	cells[n++] = status;
	cells[n++] = counts;
	cells[n++] = restarts_text;
	cells[n++] = cmd_age(age, json_at(pod, "metadata", "creationTimestamp", NULL));
	cells[n++] = json_str(json_at(pod, "spec", "nodeName", NULL), "");
	cells[n++] = json_str(json_at(pod, "status", "podIP", NULL), "");
	cells[n++] = buf_str(&ports);
	cells[n] = json_str(
		json_get(json_item(json_at(pod, "spec", "containers", NULL), 0), "image"), "");
	table_add(t, cells);
	buf_done(&ports);
}

int cmd_list(struct cmd *c, int argc, char **argv)
{
	static const char *const headers[] = {"NAMESPACE", "NAME",  "STATUS", "READY",
					      "RESTARTS",  "AGE",   "HOST",   "ADDRESS",
					      "PORTS",	   "IMAGE", NULL};
	bool all = argc > 1 && (str_eq(argv[1], "-A") || str_eq(argv[1], "--all-namespaces"));
	_cleanup_free_ char *ns = str_percent_encode(c->namespace),
			    *path = all ? mem_strdup("/api/v1/pods")
					: mem_printf("/api/v1/namespaces/%s/pods", ns);
	_cleanup_json_ struct json_doc *doc = NULL;
	struct err e = ERR_INIT;
	struct json_iter it;
	struct table *t;

	if (argc > 1 + all)
		return cmd_usage("list", "takes no name");
	if (api_call(c->api, "GET", path, NULL, &doc, &e) < 0)
		return cmd_fail(&e, "list");
	if (c->json)
		return cmd_print_json(json_root(doc));
	t = table_new(headers + !all);
	it = json_iter(json_get(json_root(doc), "items"));
	while (json_next(&it))
		list_row(t, it.value, all);
	table_print(t, stdout);
	return CMD_OK;
}

struct rm {
	bool force, wait;
	int64_t grace_s; /* -1: as the pod says */
};

static int rm_wait(struct cmd *c, const char *name, const char *path, const char *uid,
		   int64_t grace_s)
{
	uint64_t deadline_ms = clock_mono_ms() + (uint64_t)(grace_s + RM_MARGIN_S) * 1000;

	for (;;) {
		_cleanup_json_ struct json_doc *doc = NULL;
		struct err e = ERR_INIT;
		int r = api_call(c->api, "GET", path, NULL, &doc, &e);

		if (r == -ENOENT)
			return CMD_OK;
		if (r < 0)
			return cmd_fail(&e, name);
		if (!str_eq(json_str(json_at(json_root(doc), "metadata", "uid", NULL), ""), uid))
			return CMD_OK; /* another one of that name already */
		if (clock_mono_ms() > deadline_ms) {
			fprintf(stderr,
				"hyper: rm: %s is still ending; is its host there? `hyper rm -f` forgets it\n",
				name);
			return CMD_FAILED;
		}
		usleep(RM_POLL_MS * 1000);
	}
}

static int rm_one(struct cmd *c, const struct rm *o, const char *name)
{
	_cleanup_free_ char *path = cmd_pod_path(c, name), *uid = NULL;
	_cleanup_json_ struct json_doc *doc = NULL, *options = json_doc_new();
	struct json *body = json_new_obj(options);
	struct err e = ERR_INIT;
	int64_t grace_s;
	int r;

	json_put_str(options, body, "apiVersion", "v1");
	json_put_str(options, body, "kind", "DeleteOptions");
	if (o->force || o->grace_s >= 0)
		json_put_int(options, body, "gracePeriodSeconds", o->force ? 0 : o->grace_s);
	if (api_call(c->api, "GET", path, NULL, &doc, &e) < 0)
		return cmd_fail(&e, "rm");
	uid = mem_strdup(json_str(json_at(json_root(doc), "metadata", "uid", NULL), ""));
	grace_s = json_int(json_at(json_root(doc), "spec", "terminationGracePeriodSeconds", NULL),
			   30);
	r = api_call(c->api, "DELETE", path, body, NULL, &e);
	if (r < 0 && r != -ENOENT)
		return cmd_fail(&e, "rm");
	if (o->wait &&
	    rm_wait(c, name, path, uid, o->grace_s >= 0 ? o->grace_s : grace_s) != CMD_OK)
		return CMD_FAILED;
	if (!c->json)
		printf("%s\n", name);
	return CMD_OK;
}

int cmd_rm(struct cmd *c, int argc, char **argv)
{
	static const struct option options[] = {{"force", no_argument, NULL, 'f'},
						{"time", required_argument, NULL, 't'},
						{"no-wait", no_argument, NULL, 'W'},
						{NULL, 0, NULL, 0}};
	struct rm o = {.wait = true, .grace_s = -1};
	int option, status = CMD_OK;
	uint64_t n;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "ft:", options, NULL)) != -1) {
		if (option == 'f' && str_eq(argv[0], "rm"))
			o.force = true;
		else if (option == 'W')
			o.wait = false;
		else if (option != 't' || str_u64(optarg, INT32_MAX, &n) < 0)
			return cmd_usage(argv[0], "unknown option, or one that takes a number");
		else
			o.grace_s = (int64_t)n;
	}
	if (optind >= argc)
		return cmd_usage(argv[0], "which pod?");
	for (int i = optind; i < argc; i++)
		if (rm_one(c, &o, argv[i]) != CMD_OK)
			status = CMD_FAILED;
	return status;
}
