// SPDX-License-Identifier: Apache-2.0
/* Pod defaults and what an update may change (k8s.io/kubernetes, core/v1 defaults and pod strategy). */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/quantity.h"
#include "base/str.h"
#include "internal.h"
#include "pod.h"

static void def_str(struct json_doc *doc, struct json *o, const char *key, const char *value)
{
	if (!*json_str(json_get(o, key), ""))
		json_put_str(doc, o, key, value);
}

static void def_int(struct json_doc *doc, struct json *o, const char *key, int64_t value)
{
	if (json_type(json_get(o, key)) != JSON_INT)
		json_put_int(doc, o, key, value);
}

static void def_obj(struct json_doc *doc, struct json *o, const char *key)
{
	if (!json_get(o, key))
		json_put(doc, o, key, json_new_obj(doc));
}

/* An image of no tag, or :latest, is looked for each time; a digest or a tag is not. */
static const char *pull_policy(const char *image)
{
	const char *slash = strrchr(image, '/');
	const char *colon = strchr(slash ? slash : image, ':');

	if (strchr(image, '@'))
		return "IfNotPresent";
	return !colon || str_eq(colon, ":latest") ? "Always" : "IfNotPresent";
}

static void default_probe(struct json_doc *doc, struct json *probe)
{
	struct json *http = json_get(probe, "httpGet");

	if (!json_is_obj(probe))
		return;
	def_int(doc, probe, "timeoutSeconds", 1);
	def_int(doc, probe, "periodSeconds", 10);
	def_int(doc, probe, "successThreshold", 1);
	def_int(doc, probe, "failureThreshold", 3);
	if (http) {
		def_str(doc, http, "path", "/");
		def_str(doc, http, "scheme", "HTTP");
	}
}

static void default_env(struct json_doc *doc, const struct json *list)
{
	struct json_iter it = json_iter(list);

	while (json_next(&it)) {
		struct json *ref = json_at(it.value, "valueFrom", "fieldRef", NULL);

		if (ref)
			def_str(doc, ref, "apiVersion", "v1");
	}
}

/* A limit without a request is the request. */
static void default_requests(struct json_doc *doc, struct json *resources)
{
	struct json_iter it = json_iter(json_get(resources, "limits"));

	while (json_next(&it)) {
		struct json *requests = json_obj_of(doc, resources, "requests");

		if (!json_get(requests, it.key))
			json_put(doc, requests, it.key, json_copy(doc, it.value));
	}
}

static void default_container(struct json_doc *doc, struct json *c, bool host_network)
{
	static const char *const probes[] = {"livenessProbe", "readinessProbe", "startupProbe"};
	struct json_iter it = json_iter(json_get(c, "ports"));

	def_str(doc, c, "terminationMessagePath", "/dev/termination-log");
	def_str(doc, c, "terminationMessagePolicy", "File");
	def_str(doc, c, "imagePullPolicy", pull_policy(json_str(json_get(c, "image"), "")));
	def_obj(doc, c, "resources");
	default_requests(doc, json_get(c, "resources"));
	default_env(doc, json_get(c, "env"));
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		default_probe(doc, json_get(c, probes[i]));
	while (json_next(&it)) {
		if (!json_is_obj(it.value))
			continue;
		def_str(doc, it.value, "protocol", "TCP");
		if (host_network)
			def_int(doc, it.value, "hostPort",
				json_int(json_get(it.value, "containerPort"), 0));
	}
}

static void default_volume(struct json_doc *doc, struct json *v)
{
	static const char *const with_mode[] = {"secret", "configMap", "downwardAPI", "projected"};

	if (json_count(v) == 1 && json_get(v, "name"))
		json_put(doc, v, "emptyDir", json_new_obj(doc));
	for (size_t i = 0; i < ARRAY_SIZE(with_mode); i++) {
		if (json_is_obj(json_get(v, with_mode[i])))
			def_int(doc, json_get(v, with_mode[i]), "defaultMode", 0644);
	}
}

static void default_toleration(struct json_doc *doc, struct json *list, const char *key)
{
	struct json_iter it = json_iter(list);
	struct json *t = json_new_obj(doc);

	while (json_next(&it)) {
		const char *have = json_str(json_get(it.value, "key"), "");
		const char *effect = json_str(json_get(it.value, "effect"), "");

		if ((str_eq(have, key) || !*have) && (!*effect || str_eq(effect, "NoExecute")))
			return;
	}
	json_put_str(doc, t, "key", key);
	json_put_str(doc, t, "operator", "Exists");
	json_put_str(doc, t, "effect", "NoExecute");
	json_put_int(doc, t, "tolerationSeconds", 300);
	json_push(doc, list, t);
}

static void default_spec(struct json_doc *doc, struct json *spec, bool create)
{
	static const char *const lists[] = {"initContainers", "containers"};
	bool host_network = json_bool(json_get(spec, "hostNetwork"), false);
	const char *account = json_str(json_get(spec, "serviceAccount"), "");
	struct json_iter it;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		it = json_iter(json_get(spec, lists[i]));
		while (json_next(&it)) {
			if (json_is_obj(it.value))
				default_container(doc, it.value, host_network);
		}
	}
	it = json_iter(json_get(spec, "volumes"));
	while (json_next(&it)) {
		if (json_is_obj(it.value))
			default_volume(doc, it.value);
	}
	def_str(doc, spec, "restartPolicy", "Always");
	def_int(doc, spec, "terminationGracePeriodSeconds", 30);
	def_str(doc, spec, "dnsPolicy", "ClusterFirst");
	def_str(doc, spec, "serviceAccountName", *account ? account : "default");
	json_put_str(doc, spec, "serviceAccount",
		     json_str(json_get(spec, "serviceAccountName"), "default"));
	def_obj(doc, spec, "securityContext");
	def_str(doc, spec, "schedulerName", "default-scheduler");
	if (json_type(json_get(spec, "enableServiceLinks")) != JSON_BOOL)
		json_put_bool(doc, spec, "enableServiceLinks", true);
	def_int(doc, spec, "priority", 0);
	def_str(doc, spec, "preemptionPolicy", "PreemptLowerPriority");
	if (create) {
		struct json *tolerations = json_arr_of(doc, spec, "tolerations");

		default_toleration(doc, tolerations, "node.kubernetes.io/not-ready");
		default_toleration(doc, tolerations, "node.kubernetes.io/unreachable");
	}
}

static bool same_quantity(const struct json *a, const struct json *b)
{
	int64_t x = -1, y = -2;

	return quantity_parse(json_str(a, ""), QUANTITY_MILLI, &x) == 0 &&
	       quantity_parse(json_str(b, ""), QUANTITY_MILLI, &y) == 0 && x == y;
}

/* v1.PodQOSClass: cpu and memory of every container decide. */
static const char *qos_class(const struct json *spec)
{
	static const char *const names[] = {"cpu", "memory"};
	static const char *const lists[] = {"initContainers", "containers"};
	bool guaranteed = true, any = false;

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		struct json_iter it = json_iter(json_get(spec, lists[l]));

		while (json_next(&it)) {
			const struct json *r = json_get(it.value, "resources");

			for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
				const struct json *limit = json_at(r, "limits", names[i], NULL);
				const struct json *request = json_at(r, "requests", names[i], NULL);

				any |= limit || request;
				guaranteed &= limit && request && same_quantity(limit, request);
			}
		}
	}
	return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
}

/* Give a copy of @spec the values of @old in the fields that an update may change. */
static struct json *neutral(struct json_doc *doc, const struct json *spec, const struct json *old)
{
	static const char *const lists[] = {"initContainers", "containers"};
	static const char *const free_fields[] = {"activeDeadlineSeconds", "tolerations",
						  "terminationGracePeriodSeconds"};
	struct json *n = json_copy(doc, spec);

	for (size_t i = 0; i < ARRAY_SIZE(free_fields); i++)
		json_put(doc, n, free_fields[i], json_copy(doc, json_get(old, free_fields[i])));
	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		struct json_iter it = json_iter(json_get(n, lists[l]));

		for (size_t i = 0; json_next(&it); i++) {
			const struct json *was = json_item(json_get(old, lists[l]), i);

			if (json_get(was, "image") && json_is_obj(it.value))
				json_put(doc, it.value, "image",
					 json_copy(doc, json_get(was, "image")));
		}
	}
	return n;
}

static bool tolerations_kept(const struct json *new, const struct json *old)
{
	struct json_iter it = json_iter(old);

	while (json_next(&it)) {
		struct json_iter have = json_iter(new);
		bool found = false;

		while (!found && json_next(&have))
			found = json_equal(have.value, it.value);
		if (!found)
			return false;
	}
	return true;
}

static void check_update(struct api_call *c, struct json_doc *doc, const struct json *spec,
			 const struct json *old)
{
	_cleanup_json_ struct json_doc *scratch = json_doc_new();
	int64_t grace = json_int(json_get(spec, "terminationGracePeriodSeconds"), 30);
	int64_t was = json_int(json_get(old, "terminationGracePeriodSeconds"), 30);

	(void)doc;
	if (!json_equal(neutral(scratch, spec, old), old) ||
	    !tolerations_kept(json_get(spec, "tolerations"), json_get(old, "tolerations")) ||
	    (grace != was && !(was < 0 && grace == 1)))
		field_forbidden(
			c,
			"pod updates may not change fields other than `spec.containers[*].image`,"
			"`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
			"`spec.tolerations` (only additions to existing tolerations),"
			"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
			"previously negative)",
			"spec");
}

void pod_prepare(struct api_call *c, struct json_doc *doc, const struct json *old)
{
	struct json *root = json_root(doc), *spec = json_obj_of(doc, root, "spec"), *status;

	if (!old && !pod_admit(c, doc, spec))
		return;
	default_spec(doc, spec, !old);
	pod_check(c, spec);
	if (old) {
		check_update(c, doc, spec, json_get(old, "spec"));
		return;
	}
	status = json_obj_of(doc, root, "status");
	json_put_str(doc, status, "phase", "Pending");
	json_put_str(doc, status, "qosClass", qos_class(spec));
}

/* A container that ended for good stays so (restartPolicy Never, and OnFailure after success). */
static void check_ended(struct api_call *c, const struct json *root, const struct json *old,
			const char *list)
{
	const char *policy = json_str(json_at(root, "spec", "restartPolicy", NULL), "");
	struct json_iter it = json_iter(json_at(old, "status", list, NULL));

	while (json_next(&it)) {
		const struct json *ended = json_at(it.value, "state", "terminated", NULL);
		struct json_iter now = json_iter(json_at(root, "status", list, NULL));
		const char *name = json_str(json_get(it.value, "name"), "");

		if (!ended || str_eq(policy, "Always") ||
		    (str_eq(policy, "OnFailure") && json_int(json_get(ended, "exitCode"), 0)))
			continue;
		while (json_next(&now)) {
			if (str_eq(json_str(json_get(now.value, "name"), ""), name) &&
			    !json_at(now.value, "state", "terminated", NULL))
				field_forbidden(c,
						"may not be transitioned to non-terminated state",
						"status.%s[%s].state", list, name);
		}
	}
}

void pod_prepare_status(struct api_call *c, struct json_doc *doc, const struct json *old)
{
	struct json *root = json_root(doc), *status = json_obj_of(doc, root, "status");
	const struct json *qos = json_at(old, "status", "qosClass", NULL);

	if (qos)
		json_put(doc, status, "qosClass", json_copy(doc, qos));
	check_ended(c, root, old, "containerStatuses");
}
