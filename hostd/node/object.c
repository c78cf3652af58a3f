// SPDX-License-Identifier: Apache-2.0
/*
 * What we say about ourselves. Quantities are written so that every client reads them alike: memory in
 * Ki, as the kernel counts it. Transition times are kept over a restart, as long as nothing changed.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "node/parts.h"

static void object_resources(struct json_doc *doc, struct json *status, const char *key,
			     const struct node_machine *m, uint64_t memory_bytes)
{
	struct json *o = json_obj_of(doc, status, key);

	json_put_fmt(doc, o, "cpu", "%u", m->cpus);
	json_put_fmt(doc, o, "memory", "%lluKi", (unsigned long long)(memory_bytes / 1024));
	json_put_fmt(doc, o, "pods", "%u", m->pods_max);
	json_put_fmt(doc, o, "ephemeral-storage", "%lluKi",
		     (unsigned long long)(m->storage_bytes / 1024));
	json_put_str(doc, o, "hugepages-2Mi", "0");
}

static void object_condition(struct json_doc *doc, struct json *list, const char *type,
			     const char *status, const char *reason, const char *message,
			     const char *since, const char *now)
{
	struct json *c = json_new_obj(doc);

	json_put_str(doc, c, "type", type);
	json_put_str(doc, c, "status", status);
	json_put_str(doc, c, "reason", reason);
	json_put_str(doc, c, "message", message);
	json_put_str(doc, c, "lastHeartbeatTime", now);
	json_put_str(doc, c, "lastTransitionTime", since);
	json_push(doc, list, c);
}

/* In the words of a kubelet, which is what people search for. */
static const struct object_pressure {
	const char *type, *yes, *no, *yes_message, *no_message;
} object_pressures[NODE_PRESSURE_MAX] = {
	[NODE_PRESSURE_MEMORY] = {"MemoryPressure", "HostHasInsufficientMemory",
				  "HostHasSufficientMemory",
				  "hostd has insufficient memory available",
				  "hostd has sufficient memory available"},
	[NODE_PRESSURE_DISK] = {"DiskPressure", "HostHasDiskPressure", "HostHasNoDiskPressure",
				"hostd has disk pressure", "hostd has no disk pressure"},
	[NODE_PRESSURE_PID] = {"PIDPressure", "HostHasInsufficientPID", "HostHasSufficientPID",
			       "hostd has insufficient PID available",
			       "hostd has sufficient PID available"},
};

static void object_conditions(struct json_doc *doc, struct json *status, struct object_state *state,
			      const char *now)
{
	struct json *list = json_arr_of(doc, status, "conditions");
	bool ready = !*state->not_ready_reason;

	if (!*state->ready_since)
		(void)str_copy(state->ready_since, sizeof(state->ready_since), now);
	for (int i = 0; i < NODE_PRESSURE_MAX; i++) {
		const struct object_pressure *p = &object_pressures[i];
		char *since = state->pressure_since[i];
		bool is = state->pressure[i];

		if (!*since)
			(void)str_copy(since, OBJECT_TIME_MAX, now);
		object_condition(doc, list, p->type, is ? "True" : "False", is ? p->yes : p->no,
				 is ? p->yes_message : p->no_message, since, now);
	}
	for (size_t i = 0; i < OBJECT_EXTRA_MAX; i++) {
		struct object_extra *x = &state->extra[i];

		if (!x->type)
			continue;
		if (!*x->since)
			(void)str_copy(x->since, sizeof(x->since), now);
		object_condition(doc, list, x->type, x->is ? "True" : "False", x->reason,
				 x->message, x->since, now);
	}
	object_condition(doc, list, "Ready", ready ? "True" : "False",
			 ready ? "HostReady" : state->not_ready_reason,
			 ready ? "hostd is ready to run HyperVMs" : state->not_ready_message,
			 state->ready_since, now);
}

static void object_address(struct json_doc *doc, struct json *list, const char *type,
			   const char *address)
{
	struct json *a = json_new_obj(doc);

	json_put_str(doc, a, "type", type);
	json_put_str(doc, a, "address", address);
	json_push(doc, list, a);
}

static void object_info(struct json_doc *doc, struct json *status, const struct node_config *config)
{
	struct json *i = json_obj_of(doc, status, "nodeInfo");
	const struct node_machine *m = &config->machine;

	json_put_str(doc, i, "machineID", m->machine_id);
	json_put_str(doc, i, "systemUUID", m->system_uuid);
	json_put_str(doc, i, "bootID", m->boot_id);
	json_put_str(doc, i, "kernelVersion", m->kernel_version);
	json_put_str(doc, i, "osImage", m->os_image);
	json_put_str(doc, i, "containerRuntimeVersion", config->runtime_version);
	json_put_str(doc, i, "kubeletVersion", NODE_KUBELET_VERSION);
	json_put_str(doc, i, "kubeProxyVersion", "");
	json_put_str(doc, i, "operatingSystem", "linux");
	json_put_str(doc, i, "architecture", "amd64");
}

struct json *object_status(struct json_doc *doc, const struct node_config *config,
			   struct object_state *state, int64_t now_s)
{
	struct json *s = json_new_obj(doc), *addresses, *endpoint, *replace;
	char now[CLOCK_RFC3339_MAX];

	clock_rfc3339(now, now_s);
	object_resources(doc, s, "capacity", &config->machine, config->machine.memory_bytes);
	object_resources(doc, s, "allocatable", &config->machine,
			 config->machine.memory_alloc_bytes);
	object_conditions(doc, s, state, now);
	addresses = json_arr_of(doc, s, "addresses");
	object_address(doc, addresses, "InternalIP", config->address);
	object_address(doc, addresses, "Hostname", config->name);
	/* Lists of addresses merge by type: without this an old one of another type would stay. */
	replace = json_new_obj(doc);
	json_put_str(doc, replace, "$patch", "replace");
	json_push(doc, addresses, replace);
	endpoint = json_obj_of(doc, json_obj_of(doc, s, "daemonEndpoints"), "kubeletEndpoint");
	json_put_int(doc, endpoint, "Port", config->port);
	object_info(doc, s, config);
	return s;
}

struct json *object_labels(struct json_doc *doc, const struct node_config *config)
{
	struct json *l = json_new_obj(doc);

	json_put_str(doc, l, "kubernetes.io/hostname", config->name);
	json_put_str(doc, l, "kubernetes.io/os", "linux");
	json_put_str(doc, l, "kubernetes.io/arch", "amd64");
	/* Load-balancer controllers put every Node into their pools: nothing listens on node ports here. */
	json_put_str(doc, l, "node.kubernetes.io/exclude-from-external-load-balancers", "true");
	return l;
}

struct json *object_node(struct json_doc *doc, const struct node_config *config,
			 struct object_state *state, int64_t now_s)
{
	struct json *n = json_new_obj(doc), *meta, *addresses;

	json_put_str(doc, n, "apiVersion", "v1");
	json_put_str(doc, n, "kind", "Node");
	meta = json_obj_of(doc, n, "metadata");
	json_put_str(doc, meta, "name", config->name);
	json_put(doc, meta, "labels", object_labels(doc, config));
	json_put(doc, n, "spec", json_new_obj(doc));
	json_put(doc, n, "status", object_status(doc, config, state, now_s));
	addresses = json_at(n, "status", "addresses", NULL);
	json_remove_item(addresses, json_count(addresses) - 1); /* $patch is for patches */
	return n;
}

bool object_set(struct object_state *state, const char *type, bool is, const char *reason,
		const char *message)
{
	struct object_extra *x = state->extra, now = {.type = type, .is = is};

	while (x->type && !str_eq(x->type, type) && x < &state->extra[OBJECT_EXTRA_MAX - 1])
		x++;
	(void)str_copy(now.reason, sizeof(now.reason), reason);
	(void)str_copy(now.message, sizeof(now.message), message);
	if (x->type && str_eq(x->type, type) && x->is == is && str_eq(x->reason, now.reason) &&
	    str_eq(x->message, now.message))
		return false;
	*x = now;
	return true;
}

/* What was said of this boot stands; what was said of another one began anew with this one. */
static void object_remember_extra(struct object_state *state, const char *type, const char *status,
				  const char *since)
{
	for (size_t i = 0; i < OBJECT_EXTRA_MAX; i++) {
		struct object_extra *x = &state->extra[i];

		if (x->type && str_eq(x->type, type) && str_eq(status, x->is ? "True" : "False"))
			(void)str_copy(x->since, sizeof(x->since), since);
	}
}

void object_remember(struct object_state *state, const struct node_config *config,
		     const struct json *node)
{
	const char *boot_id = json_str(json_at(node, "status", "nodeInfo", "bootID", NULL), "");
	bool same_boot = str_eq(boot_id, config->machine.boot_id);
	const char *want = *state->not_ready_reason ? "False" : "True";
	struct json_iter it = json_iter(json_at(node, "status", "conditions", NULL));

	while (json_next(&it)) {
		const char *type = json_str(json_get(it.value, "type"), "");
		const char *status = json_str(json_get(it.value, "status"), "");
		const char *since = json_str(json_get(it.value, "lastTransitionTime"), "");

		if (same_boot)
			object_remember_extra(state, type, status, since);
		if (str_eq(type, "Ready") && str_eq(status, want))
			(void)str_copy(state->ready_since, sizeof(state->ready_since), since);
		for (int i = 0; i < NODE_PRESSURE_MAX; i++)
			if (str_eq(type, object_pressures[i].type) &&
			    str_eq(status, state->pressure[i] ? "True" : "False"))
				(void)str_copy(state->pressure_since[i], OBJECT_TIME_MAX, since);
	}
}
