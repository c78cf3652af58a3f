// SPDX-License-Identifier: Apache-2.0
#include "sched/fit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/quantity.h"
#include "base/str.h"

#define FIT_SCORE_MAX 1000

/* kube-scheduler's DefaultMilliCPURequest and DefaultMemoryRequest */
#define FIT_WEIGHT_CPU_MILLI	100
#define FIT_WEIGHT_MEMORY_BYTES (200LL << 20)

static const struct fit_resources fit_nothing;

static const char *text(const struct json *v)
{
	return json_str(v, "");
}

static int64_t quantity(const struct json *v, unsigned int scale)
{
	char number[32];
	int64_t n = 0;

	/* Clients may write plain numbers. */
	if (json_type(v) == JSON_INT) {
		snprintf(number, sizeof(number), "%lld", (long long)json_int(v, 0));
		quantity_parse(number, scale, &n);
	} else {
		quantity_parse(json_str(v, "0"), scale, &n);
	}
	return MAX(n, 0);
}

/* Adds a list of resources; what it does not name counts as @unsaid has it. */
static void add_list(struct fit_resources *r, const struct json *list,
		     const struct fit_resources *unsaid)
{
	const struct json *cpu = json_get(list, "cpu"), *memory = json_get(list, "memory");
	const struct json *storage = json_get(list, "ephemeral-storage");

	r->cpu_milli =
		quantity_add(r->cpu_milli, cpu ? quantity(cpu, QUANTITY_MILLI) : unsaid->cpu_milli);
	r->memory_bytes = quantity_add(r->memory_bytes, memory ? quantity(memory, QUANTITY_UNITS)
							       : unsaid->memory_bytes);
	r->storage_bytes = quantity_add(r->storage_bytes, quantity(storage, QUANTITY_UNITS));
}

static void resources_add(struct fit_resources *sum, const struct fit_resources *r)
{
	sum->cpu_milli = quantity_add(sum->cpu_milli, r->cpu_milli);
	sum->memory_bytes = quantity_add(sum->memory_bytes, r->memory_bytes);
	sum->storage_bytes = quantity_add(sum->storage_bytes, r->storage_bytes);
	sum->pods = quantity_add(sum->pods, r->pods);
}

static void resources_max(struct fit_resources *most, const struct fit_resources *r)
{
	most->cpu_milli = MAX(most->cpu_milli, r->cpu_milli);
	most->memory_bytes = MAX(most->memory_bytes, r->memory_bytes);
	most->storage_bytes = MAX(most->storage_bytes, r->storage_bytes);
}

/* An init container runs beside the sidecars before it; one that restarts always is one, and stays. */
static struct fit_resources pod_sum(const struct json *pod, const struct fit_resources *unsaid)
{
	struct fit_resources sum = {.pods = 1}, most = {0};
	struct json_iter it = json_iter(json_at(pod, "spec", "initContainers", NULL));

	while (json_next(&it)) {
		struct fit_resources init = sum;

		add_list(&init, json_at(it.value, "resources", "requests", NULL), unsaid);
		resources_max(&most, &init);
		if (str_eq(text(json_get(it.value, "restartPolicy")), "Always"))
			sum = init;
	}
	it = json_iter(json_at(pod, "spec", "containers", NULL));
	while (json_next(&it))
		add_list(&sum, json_at(it.value, "resources", "requests", NULL), unsaid);
	resources_max(&sum, &most);
	add_list(&sum, json_at(pod, "spec", "overhead", NULL), &fit_nothing);
	return sum;
}

struct fit_resources fit_pod_takes(const struct json *pod)
{
	return pod_sum(pod, &fit_nothing);
}

struct fit_resources fit_pod_weighs(const struct json *pod)
{
	static const struct fit_resources unsaid = {.cpu_milli = FIT_WEIGHT_CPU_MILLI,
						    .memory_bytes = FIT_WEIGHT_MEMORY_BYTES};

	return pod_sum(pod, &unsaid);
}

bool fit_pod_counts(const struct json *pod)
{
	const char *phase = text(json_at(pod, "status", "phase", NULL));

	return *text(json_at(pod, "spec", "nodeName", NULL)) && !str_eq(phase, "Succeeded") &&
	       !str_eq(phase, "Failed");
}

void fit_host_init(struct fit_host *h, const struct json *node)
{
	const struct json *a = json_at(node, "status", "allocatable", NULL);

	*h = (struct fit_host){.node = node, .name = text(json_at(node, "metadata", "name", NULL))};
	add_list(&h->allocatable, a, &fit_nothing);
	h->allocatable.pods = quantity(json_get(a, "pods"), QUANTITY_UNITS);
}

void fit_host_add(struct fit_host *h, const struct json *pod)
{
	struct fit_resources takes = fit_pod_takes(pod), weighs = fit_pod_weighs(pod);

	resources_add(&h->taken, &takes);
	resources_add(&h->weight, &weighs);
	h->pods = realloc(h->pods, (h->pod_count + 1) * sizeof(*h->pods));
	if (!h->pods)
		abort();
	h->pods[h->pod_count++] = pod;
}

void fit_host_done(struct fit_host *h)
{
	free(h->pods);
	*h = (struct fit_host){0};
}

/* One toleration against one taint (core/v1 Toleration) */
static bool tolerates(const struct json *toleration, const struct json *taint)
{
	const char *key = text(json_get(toleration, "key")),
		   *effect = text(json_get(toleration, "effect"));
	const char *operator= text(json_get(toleration, "operator"));

	if (*effect && !str_eq(effect, text(json_get(taint, "effect"))))
		return false;
	if (*key && !str_eq(key, text(json_get(taint, "key"))))
		return false;
	if (str_eq(operator, "Exists"))
		return true;
	return *key && str_eq(text(json_get(toleration, "value")), text(json_get(taint, "value")));
}

static const struct json *untolerated_taint(const struct json *node, const struct json *pod)
{
	struct json_iter taint = json_iter(json_at(node, "spec", "taints", NULL));

	while (json_next(&taint)) {
		struct json_iter t = json_iter(json_at(pod, "spec", "tolerations", NULL));
		bool found = str_eq(text(json_get(taint.value, "effect")), "PreferNoSchedule");

		while (!found && json_next(&t))
			found = tolerates(t.value, taint.value);
		if (!found)
			return taint.value;
	}
	return NULL;
}

static bool in_list(const struct json *values, const char *value)
{
	struct json_iter it = json_iter(values);

	while (json_next(&it))
		if (str_eq(text(it.value), value))
			return true;
	return false;
}

/* core/v1 NodeSelectorRequirement */
static bool requirement_met(const struct json *req, const char *value)
{
	const char *operator= text(json_get(req, "operator"));
	const struct json *values = json_get(req, "values");
	long long bound = strtoll(text(json_item(values, 0)), NULL, 10);

	if (str_eq(operator, "In"))
		return value && in_list(values, value);
	if (str_eq(operator, "NotIn"))
		return !value || !in_list(values, value);
	if (str_eq(operator, "Exists"))
		return value;
	if (str_eq(operator, "DoesNotExist"))
		return !value;
	if (str_eq(operator, "Gt"))
		return value && strtoll(value, NULL, 10) > bound;
	if (str_eq(operator, "Lt"))
		return value && strtoll(value, NULL, 10) < bound;
	return false;
}

static bool term_met(const struct json *term, const struct json *node)
{
	const struct json *labels = json_at(node, "metadata", "labels", NULL);
	struct json_iter it = json_iter(json_get(term, "matchExpressions"));
	size_t count = 0;

	for (; json_next(&it); count++)
		if (!requirement_met(it.value,
				     json_str(json_get(labels, text(json_get(it.value, "key"))),
					      NULL)))
			return false;
	it = json_iter(json_get(term, "matchFields"));
	for (; json_next(&it); count++)
		if (!str_eq(text(json_get(it.value, "key")), "metadata.name") ||
		    !requirement_met(it.value, text(json_at(node, "metadata", "name", NULL))))
			return false;
	return count > 0; /* an empty term matches nothing */
}

static bool affinity_met(const struct json *pod, const struct json *node)
{
	const struct json *terms = json_at(pod, "spec", "affinity", "nodeAffinity",
					   "requiredDuringSchedulingIgnoredDuringExecution",
					   "nodeSelectorTerms", NULL);
	struct json_iter it = json_iter(json_at(pod, "spec", "nodeSelector", NULL));

	while (json_next(&it)) {
		const struct json *label =
			json_get(json_at(node, "metadata", "labels", NULL), it.key);

		if (!json_is_str(label) || !str_eq(text(label), text(it.value)))
			return false;
	}
	if (!terms)
		return true;
	it = json_iter(terms);
	while (json_next(&it))
		if (term_met(it.value, node))
			return true;
	return false;
}

static bool port_clash(const struct json *a, const struct json *b)
{
	const char *ip_a = text(json_get(a, "hostIP")), *ip_b = text(json_get(b, "hostIP"));
	bool any = !*ip_a || !*ip_b || str_eq(ip_a, "0.0.0.0") || str_eq(ip_b, "0.0.0.0");

	return json_int(json_get(a, "hostPort"), 0) &&
	       json_int(json_get(a, "hostPort"), 0) == json_int(json_get(b, "hostPort"), 0) &&
	       str_eq(json_str(json_get(a, "protocol"), "TCP"),
		      json_str(json_get(b, "protocol"), "TCP")) &&
	       (any || str_eq(ip_a, ip_b));
}

static bool pods_clash(const struct json *a, const struct json *b)
{
	struct json_iter ca = json_iter(json_at(a, "spec", "containers", NULL));

	while (json_next(&ca)) {
		struct json_iter pa = json_iter(json_get(ca.value, "ports"));

		while (json_next(&pa)) {
			struct json_iter cb = json_iter(json_at(b, "spec", "containers", NULL));

			while (json_next(&cb)) {
				struct json_iter pb = json_iter(json_get(cb.value, "ports"));

				while (json_next(&pb))
					if (port_clash(pa.value, pb.value))
						return true;
			}
		}
	}
	return false;
}

static bool ports_free(const struct fit_host *h, const struct json *pod)
{
	for (size_t i = 0; i < h->pod_count; i++)
		if (pods_clash(h->pods[i], pod))
			return false;
	return true;
}

static bool ready(const struct json *node)
{
	struct json_iter it = json_iter(json_at(node, "status", "conditions", NULL));

	while (json_next(&it))
		if (str_eq(text(json_get(it.value, "type")), "Ready"))
			return str_eq(text(json_get(it.value, "status")), "True");
	return false;
}

static bool no(char *reason, const char *why)
{
	str_copy(reason, FIT_REASON_MAX, why);
	return false;
}

static bool resources_fit(const struct fit_host *h, const struct json *pod, char *reason)
{
	struct fit_resources want = fit_pod_takes(pod);

	if (want.pods > h->allocatable.pods - h->taken.pods)
		return no(reason, "Too many pods");
	if (want.cpu_milli > h->allocatable.cpu_milli - h->taken.cpu_milli)
		return no(reason, "Insufficient cpu");
	if (want.memory_bytes > h->allocatable.memory_bytes - h->taken.memory_bytes)
		return no(reason, "Insufficient memory");
	if (want.storage_bytes &&
	    want.storage_bytes > h->allocatable.storage_bytes - h->taken.storage_bytes)
		return no(reason, "Insufficient ephemeral-storage");
	return true;
}

bool fit_check(const struct fit_host *h, const struct json *pod, char *reason)
{
	const struct json *taint;

	if (json_bool(json_at(h->node, "spec", "unschedulable", NULL), false))
		return no(reason, "node(s) were unschedulable");
	taint = untolerated_taint(h->node, pod);
	if (taint) {
		snprintf(reason, FIT_REASON_MAX, "node(s) had untolerated taint {%.60s: %.60s}",
			 text(json_get(taint, "key")), text(json_get(taint, "value")));
		return false;
	}
	if (!ready(h->node))
		return no(reason, "node(s) were not ready");
	if (!affinity_met(pod, h->node))
		return no(reason, "node(s) didn't match Pod's node affinity/selector");
	if (!ports_free(h, pod))
		return no(reason, "node(s) didn't have free ports for the requested pod ports");
	return resources_fit(h, pod, reason);
}

static int64_t left(int64_t allocatable, int64_t taken)
{
	if (allocatable <= 0 || taken >= allocatable)
		return 0;
	return (int64_t)((double)(allocatable - taken) / (double)allocatable * FIT_SCORE_MAX);
}

int64_t fit_score(const struct fit_host *h, const struct json *pod)
{
	struct fit_resources more = fit_pod_weighs(pod);

	return left(h->allocatable.cpu_milli, quantity_add(h->weight.cpu_milli, more.cpu_milli)) +
	       left(h->allocatable.memory_bytes,
		    quantity_add(h->weight.memory_bytes, more.memory_bytes));
}
