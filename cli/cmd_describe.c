// SPDX-License-Identifier: Apache-2.0
/* hyper describe: what one wants to know about a pod or a host when something is odd, in one page. */
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cmd.h"
#include "disks.h"
#include "inventory.h"
#include "table.h"

static void line(const char *name, const char *value)
{
	char safe[1024];

	if (value && *value)
		printf("%-14s %s\n", name, str_visible(safe, sizeof(safe), value));
}

static void container_end(const struct json *ended)
{
	int64_t signo = json_int(json_get(ended, "signal"), 0);

	printf("    state:     ended with code %lld (%s)",
	       (long long)json_int(json_get(ended, "exitCode"), -1),
	       json_str(json_get(ended, "reason"), "?"));
	if (signo > 0 && signo < NSIG)
		printf(" by signal %d (%s)", (int)signo, strsignal((int)signo));
	printf(", %s to %s\n", json_str(json_get(ended, "startedAt"), "?"),
	       json_str(json_get(ended, "finishedAt"), "?"));
}

static void container_state(const struct json *state)
{
	const struct json *running = json_get(state, "running"),
			  *ended = json_get(state, "terminated"),
			  *waiting = json_get(state, "waiting");

	if (running) {
		printf("    state:     running since %s\n",
		       json_str(json_get(running, "startedAt"), "?"));
	} else if (ended) {
		container_end(ended);
	} else if (waiting) {
		char safe[1024];

		printf("    state:     waiting: %s\n", json_str(json_get(waiting, "reason"), "?"));
		if (json_get(waiting, "message"))
			printf("    why:       %s\n",
			       str_visible(safe, sizeof(safe),
					   json_str(json_get(waiting, "message"), "")));
	}
}

static void pod_containers(const struct json *pod)
{
	struct json_iter it = json_iter(json_at(pod, "spec", "containers", NULL));
	const struct json *statuses = json_at(pod, "status", "containerStatuses", NULL);

	printf("\nContainers:\n");
	while (json_next(&it)) {
		const char *name = json_str(json_get(it.value, "name"), "");
		struct json_iter s = json_iter(statuses);

		printf("  %s\n    image:     %s\n", name,
		       json_str(json_get(it.value, "image"), ""));
		while (json_next(&s)) {
			if (!str_eq(json_str(json_get(s.value, "name"), ""), name))
				continue;
			if (*json_str(json_get(s.value, "imageID"), ""))
				printf("    image id:  %s\n",
				       json_str(json_get(s.value, "imageID"), ""));
			container_state(json_get(s.value, "state"));
			printf("    restarts:  %lld\n",
			       (long long)json_int(json_get(s.value, "restartCount"), 0));
		}
	}
}

static void conditions(const struct json *object)
{
	static const char *const headers[] = {"CONDITION", "STATUS", "REASON", "MESSAGE", NULL};
	struct json_iter it = json_iter(json_at(object, "status", "conditions", NULL));
	struct table *t = table_new(headers);

	while (json_next(&it)) {
		_cleanup_free_ char *message =
			mem_strdup(json_str(json_get(it.value, "message"), ""));
		const char *cells[] = {json_str(json_get(it.value, "type"), ""),
				       json_str(json_get(it.value, "status"), ""),
				       json_str(json_get(it.value, "reason"), ""), message};

		message[strcspn(message, "\n")] = '\0'; /* what is behind it: condition_lines() */
		table_add(t, cells);
	}
	printf("\n");
	table_print(t, stdout);
}

/* What a condition says in more than one line, such as the last ones of a kernel */
static void condition_lines(const struct json *object)
{
	struct json_iter it = json_iter(json_at(object, "status", "conditions", NULL));

	while (json_next(&it)) {
		const char *at = strchr(json_str(json_get(it.value, "message"), ""), '\n');
		char safe[1024];

		if (at)
			printf("\n%s:\n", str_visible(safe, sizeof(safe),
						      json_str(json_get(it.value, "reason"), "")));
		while (at) {
			size_t len = strcspn(++at, "\n");
			_cleanup_free_ char *one = mem_strndup(at, len);

			printf("  %s\n", str_visible(safe, sizeof(safe), one));
			at = at[len] ? at + len : NULL;
		}
	}
}

static void events(struct cmd *c, const char *ns, const char *kind, const char *name)
{
	static const char *const headers[] = {"AGE", "TYPE", "REASON", "MESSAGE", NULL};
	_cleanup_free_ char *ns_escaped = str_percent_encode(ns),
			    *name_escaped = str_percent_encode(name), *path = NULL;
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_iter it;
	struct table *t;

	path = mem_printf("/api/v1/namespaces/%s/events?fieldSelector=involvedObject.kind%%3D%s%%2C"
			  "involvedObject.name%%3D%s",
			  ns_escaped, kind, name_escaped);
	if (api_call(c->api, "GET", path, NULL, &doc, NULL) < 0)
		return;
	it = json_iter(json_get(json_root(doc), "items"));
	if (!json_count(json_get(json_root(doc), "items")))
		return;
	t = table_new(headers);
	while (json_next(&it)) {
		char age[16];
		const char *cells[] = {cmd_age(age, json_get(it.value, "lastTimestamp")),
				       json_str(json_get(it.value, "type"), ""),
				       json_str(json_get(it.value, "reason"), ""),
				       json_str(json_get(it.value, "message"), "")};

		table_add(t, cells);
	}
	printf("\n");
	table_print(t, stdout);
}

static int describe_pod(struct cmd *c, const char *name)
{
	_cleanup_free_ char *path = cmd_pod_path(c, name);
	_cleanup_json_ struct json_doc *doc = NULL;
	const struct json *pod;
	struct err e = ERR_INIT;
	char age[16];

	if (api_call(c->api, "GET", path, NULL, &doc, &e) < 0)
		return cmd_fail(&e, "describe");
	pod = json_root(doc);
	if (c->json)
		return cmd_print_json(pod);
	line("Pod:", name);
	line("Namespace:", json_str(json_at(pod, "metadata", "namespace", NULL), ""));
	line("Status:", cmd_pod_status(pod));
	line("Why:", cmd_pod_reason(pod));
	line("Host:", json_str(json_at(pod, "spec", "nodeName", NULL), ""));
	line("Address:", json_str(json_at(pod, "status", "podIP", NULL), ""));
	line("Age:", cmd_age(age, json_at(pod, "metadata", "creationTimestamp", NULL)));
	line("Restart:", json_str(json_at(pod, "spec", "restartPolicy", NULL), ""));
	line("Uid:", json_str(json_at(pod, "metadata", "uid", NULL), ""));
	pod_containers(pod);
	conditions(pod);
	events(c, c->namespace, "Pod", name);
	return CMD_OK;
}

/* How long the parts of its boot took, as it says itself (docs/what-happened.md); a foreign text: nothing is printed of it but numbers */
static void boot_times(const struct json *node)
{
	static const char *const parts[][3] = {
		{"firmwareMs", "firmware", "power-on until it starts the boot loader"},
		{"loaderMs", "boot loader", "until it has started the kernel"},
		{"fetchMs", "  fetching", "from the boot script to the last file"},
		{"kernelMs", "kernel", "until its first program"},
		{"earlyMs", "early stage", "until the root image's init"},
		{"initMs", "init", "until hostd runs"},
		{"devicesMs", "devices", "until drivers are loaded"},
		{"networkMs", "network", "until there is an address"},
		{"enrolMs", "enrolment", "until there is an identity"},
		{"readyMs", "registration", "until the API has it Ready"},
		{"totalMs", "total", "from the kernel's start"},
	};
	static const char *const headers[] = {"BOOT", "MS", "WHAT", NULL};
	const char *text =
		json_str(json_at(node, "metadata", "annotations", CMD_TIMES_KEY, NULL), NULL);
	_cleanup_json_ struct json_doc *doc = NULL;
	struct table *t;

	if (!text || json_parse(text, strlen(text), &doc, NULL) < 0)
		return;
	t = table_new(headers);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int64_t ms = json_int(json_get(json_root(doc), parts[i][0]), -1);
		char number[32];

		if (ms < 0)
			continue;
		snprintf(number, sizeof(number), "%" PRId64, ms);
		table_add(t, (const char *[]){parts[i][1], number, parts[i][2]});
	}
	printf("\n");
	table_print(t, stdout);
}

static int describe_host(struct cmd *c, const char *name)
{
	static const char *const info[][2] = {{"Kernel:", "kernelVersion"},
					      {"Image:", "osImage"},
					      {"Runtime:", "containerRuntimeVersion"},
					      {"Machine id:", "machineID"},
					      {"System uuid:", "systemUUID"},
					      {"Boot id:", "bootID"}};
	_cleanup_free_ char *escaped = str_percent_encode(name),
			    *path = mem_printf("/api/v1/nodes/%s", escaped);
	_cleanup_json_ struct json_doc *doc = NULL;
	_cleanup_json_ struct json_doc *inventory = NULL, *disks = NULL;
	const struct json *node;
	struct json_iter it;
	struct err e = ERR_INIT;
	char age[16];

	if (api_call(c->api, "GET", path, NULL, &doc, &e) < 0)
		return cmd_fail(&e, "describe");
	node = json_root(doc);
	inventory = inventory_of(node);
	disks = disks_of(node);
	if (c->json) {
		if (inventory)
			json_put(doc, json_root(doc), "inventory",
				 json_copy(doc, json_root(inventory)));
		if (disks)
			json_put(doc, json_root(doc), "disks", json_copy(doc, json_root(disks)));
		return cmd_print_json(node);
	}
	line("Host:", name);
	line("Status:", cmd_node_ready(node));
	line("Age:", cmd_age(age, json_at(node, "metadata", "creationTimestamp", NULL)));
	it = json_iter(json_at(node, "status", "addresses", NULL));
	while (json_next(&it))
		line("Address:", json_str(json_get(it.value, "address"), ""));
	line("CPU:", json_str(json_at(node, "status", "capacity", "cpu", NULL), ""));
	line("Memory:", json_str(json_at(node, "status", "capacity", "memory", NULL), ""));
	line("For pods:", json_str(json_at(node, "status", "allocatable", "memory", NULL), ""));
	for (size_t i = 0; i < ARRAY_SIZE(info); i++)
		line(info[i][0],
		     json_str(json_at(node, "status", "nodeInfo", info[i][1], NULL), ""));
	line("Assigned:",
	     json_str(json_at(node, "metadata", "annotations", CMD_IMAGE_KEY, NULL), ""));
	line("Trouble:",
	     json_str(json_at(node, "metadata", "annotations", CMD_TROUBLE_KEY, NULL), ""));
	conditions(node);
	condition_lines(node);
	boot_times(node);
	if (inventory)
		inventory_print(json_root(inventory), stdout);
	if (disks)
		disks_print(json_root(disks), stdout);
	events(c, "default", "Node", name);
	return CMD_OK;
}

int cmd_describe(struct cmd *c, int argc, char **argv)
{
	if (argc == 3 && (str_eq(argv[1], "host") || str_eq(argv[1], "node")))
		return describe_host(c, argv[2]);
	if (argc == 3 && str_eq(argv[1], "pod"))
		return describe_pod(c, argv[2]);
	if (argc != 2)
		return cmd_usage("describe", "which pod? or: host NAME");
	return describe_pod(c, argv[1]);
}
