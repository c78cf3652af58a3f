// SPDX-License-Identifier: Apache-2.0
/* Pod defaults (k8s.io/kubernetes, core/v1 defaults). */
#include <string.h>

#include "base/mem.h"
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

static void default_http(struct json_doc *doc, struct json *http)
{
	if (!json_is_obj(http))
		return;
	def_str(doc, http, "path", "/");
	def_str(doc, http, "scheme", "HTTP");
}

static void default_probe(struct json_doc *doc, struct json *probe)
{
	struct json *grpc = json_get(probe, "grpc");

	if (!json_is_obj(probe))
		return;
	def_int(doc, probe, "timeoutSeconds", 1);
	def_int(doc, probe, "periodSeconds", 10);
	def_int(doc, probe, "successThreshold", 1);
	def_int(doc, probe, "failureThreshold", 3);
	default_http(doc, json_get(probe, "httpGet"));
	if (json_is_obj(grpc) && !json_is_str(json_get(grpc, "service")))
		json_put_str(doc, grpc, "service", "");
}

static void default_refs(struct json_doc *doc, struct json *holder)
{
	struct json *field = json_get(holder, "fieldRef");
	struct json *resource = json_get(holder, "resourceFieldRef");

	if (json_is_obj(field))
		def_str(doc, field, "apiVersion", "v1");
	if (json_is_obj(resource) && !json_get(resource, "divisor"))
		json_put_str(doc, resource, "divisor", "0");
}

static void default_env(struct json_doc *doc, const struct json *list)
{
	struct json_iter it = json_iter(list);

	while (json_next(&it))
		default_refs(doc, json_get(it.value, "valueFrom"));
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
	static const char *const hooks[] = {"postStart", "preStop"};
	struct json_iter it = json_iter(json_get(c, "ports"));

	def_str(doc, c, "terminationMessagePath", "/dev/termination-log");
	def_str(doc, c, "terminationMessagePolicy", "File");
	def_str(doc, c, "imagePullPolicy", pull_policy(json_str(json_get(c, "image"), "")));
	def_obj(doc, c, "resources");
	default_requests(doc, json_get(c, "resources"));
	default_env(doc, json_get(c, "env"));
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		default_probe(doc, json_get(c, probes[i]));
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		default_http(doc, json_at(c, "lifecycle", hooks[i], "httpGet", NULL));
	while (json_next(&it)) {
		if (!json_is_obj(it.value))
			continue;
		def_str(doc, it.value, "protocol", "TCP");
		if (host_network)
			def_int(doc, it.value, "hostPort",
				json_int(json_get(it.value, "containerPort"), 0));
	}
}

static void default_items(struct json_doc *doc, const struct json *downward)
{
	struct json_iter it = json_iter(json_get(downward, "items"));

	while (json_next(&it))
		default_refs(doc, it.value);
}

static void default_projected(struct json_doc *doc, const struct json *projected)
{
	struct json_iter it = json_iter(json_get(projected, "sources"));

	while (json_next(&it)) {
		struct json *token = json_get(it.value, "serviceAccountToken");

		if (json_is_obj(token))
			def_int(doc, token, "expirationSeconds", 3600);
		default_items(doc, json_get(it.value, "downwardAPI"));
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
	default_items(doc, json_get(v, "downwardAPI"));
	default_projected(doc, json_get(v, "projected"));
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

void pod_default(struct json_doc *doc, struct json *spec, bool create)
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
	if (create && json_int(json_get(spec, "terminationGracePeriodSeconds"), 0) < 0)
		json_put_int(doc, spec, "terminationGracePeriodSeconds", 1);
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
