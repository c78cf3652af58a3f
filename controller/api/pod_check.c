// SPDX-License-Identifier: Apache-2.0
/* Pod validation, in the words of the real server (k8s.io/kubernetes, apis/core/validation). */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/quantity.h"
#include "base/str.h"
#include "internal.h"
#include "pod.h"

#define STANDARD_RESOURCES "cpu memory ephemeral-storage"

static void check_ports(struct api_call *c, const struct json *ports, const char *path)
{
	static const char *const protocols[] = {"SCTP", "TCP", "UDP", NULL};
	struct json_iter it = json_iter(ports);
	char at[POD_PATH_MAX], name_at[POD_PATH_MAX], value[32];

	for (size_t i = 0; json_next(&it); i++) {
		const char *name = json_str(json_get(it.value, "name"), "");
		int64_t port = json_int(json_get(it.value, "containerPort"), 0);
		int64_t host = json_int(json_get(it.value, "hostPort"), 0);

		snprintf(at, sizeof(at), "%s.ports[%zu]", path, i);
		snprintf(value, sizeof(value), "%lld", (long long)port);
		if (!port)
			field_required(c, "", "%s.containerPort", at);
		else if (port < 1 || port > 65535)
			field_invalid(c, value, "must be between 1 and 65535, inclusive",
				      "%s.containerPort", at);
		snprintf(value, sizeof(value), "%lld", (long long)host);
		if (host < 0 || host > 65535)
			field_invalid(c, value, "must be between 1 and 65535, inclusive",
				      "%s.hostPort", at);
		snprintf(name_at, sizeof(name_at), "%.180s.name", at);
		if (*name)
			part_port_name(c, name, name_at);
		if (*name && part_seen(ports, i, "name"))
			field_duplicate(c, name, "%s", name_at);
		part_enum(c, it.value, "protocol", protocols, at);
	}
}

static const char *quantity_text(const struct json *v, char *out, size_t size)
{
	if (json_is_str(v))
		str_copy(out, size, json_str(v, ""));
	else
		snprintf(out, size, "%lld", (long long)json_int(v, 0));
	return out;
}

/* cpu, memory, ephemeral-storage, hugepages-SIZE, and what has a domain. */
static void check_names(struct api_call *c, const struct json *list, const char *path)
{
	struct json_iter it = json_iter(list);
	char at[POD_PATH_MAX], value[64], quoted[80];
	int64_t n;

	while (json_next(&it)) {
		snprintf(at, sizeof(at), "%.120s[%.60s]", path, it.key);
		if (!name_is_qualified(it.key))
			part_string(c, it.key, name_qualified_rule, at);
		else if (!strchr(it.key, '/') && !words_have(STANDARD_RESOURCES, it.key) &&
			 !str_starts(it.key, "hugepages-"))
			part_string(c, it.key, "must be a standard resource for containers", at);
		quantity_text(it.value, value, sizeof(value));
		snprintf(quoted, sizeof(quoted), "\"%s\"", value);
		if (quantity_parse(value, QUANTITY_MILLI, &n) == 0 && n < 0)
			field_invalid(c, quoted, "must be greater than or equal to 0", "%s", at);
	}
}

static void check_resources(struct api_call *c, const struct json *r, const char *path)
{
	struct json_iter it = json_iter(json_get(r, "requests"));
	char want[64], limit[64], quoted[80], why[200], at[POD_PATH_MAX];
	int64_t a, b;

	snprintf(at, sizeof(at), "%.160s.resources.limits", path);
	check_names(c, json_get(r, "limits"), at);
	snprintf(at, sizeof(at), "%.160s.resources.requests", path);
	check_names(c, json_get(r, "requests"), at);
	while (json_next(&it)) {
		const struct json *max = json_at(r, "limits", it.key, NULL);

		quantity_text(it.value, want, sizeof(want));
		if (quantity_parse(want, QUANTITY_MILLI, &a) < 0)
			continue; /* refused as a wrong type before */
		snprintf(quoted, sizeof(quoted), "\"%s\"", want);
		if (!max || quantity_parse(quantity_text(max, limit, sizeof(limit)), QUANTITY_MILLI,
					   &b) < 0)
			continue;
		snprintf(why, sizeof(why), "must be less than or equal to %s limit of %s", it.key,
			 limit);
		if (a > b)
			field_invalid(c, quoted, why, "%s.resources.requests", path);
	}
}

static void check_containers(struct api_call *c, const struct json *spec, const char *list)
{
	static const char *const pull[] = {"Always", "IfNotPresent", "Never", NULL};
	static const char *const message[] = {"FallbackToLogsOnError", "File", NULL};
	const struct json *containers = json_get(spec, list);
	const struct json *others = str_eq(list, "initContainers") ? json_get(spec, "containers")
								   : NULL;
	struct json_iter it = json_iter(containers);
	char path[100], name_path[120];

	for (size_t i = 0; json_next(&it); i++) {
		const char *name = json_str(json_get(it.value, "name"), "");
		const char *image = json_str(json_get(it.value, "image"), "");

		snprintf(path, sizeof(path), "spec.%s[%zu]", list, i);
		snprintf(name_path, sizeof(name_path), "%s.name", path);
		part_label(c, name, name_path);
		if (*name && (part_seen(containers, i, "name") || part_named(others, name)))
			field_duplicate(c, name, "%s", name_path);
		if (!*image)
			field_required(c, "", "%s.image", path);
		else if (strpbrk(image, " \t\n") == image ||
			 strchr(" \t\n", image[strlen(image) - 1]))
			field_invalid(c, image, "must not have leading or trailing whitespace",
				      "%s.image", path);
		part_enum(c, it.value, "imagePullPolicy", pull, path);
		part_enum(c, it.value, "terminationMessagePolicy", message, path);
		check_ports(c, json_get(it.value, "ports"), path);
		pod_check_env(c, it.value, path);
		check_resources(c, json_get(it.value, "resources"), path);
		pod_check_mounts(c, it.value, json_get(spec, "volumes"), path);
		pod_check_probes(c, spec, it.value, others != NULL, path);
		snprintf(name_path, sizeof(name_path), "%s.securityContext", path);
		pod_check_security(c, json_get(it.value, "securityContext"), name_path);
	}
}

static void check_selector(struct api_call *c, const struct json *selector)
{
	struct json_iter it = json_iter(selector);

	while (json_next(&it)) {
		if (!name_is_qualified(it.key))
			part_string(c, it.key, name_qualified_rule, "spec.nodeSelector");
		if (!name_is_label_value(json_str(it.value, "")))
			part_string(c, json_str(it.value, ""), name_label_value_rule,
				    "spec.nodeSelector");
	}
}

static void check_tolerations(struct api_call *c, const struct json *list)
{
	static const char *const operators[] = {"Equal", "Exists", NULL};
	static const char *const effects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute", NULL};
	struct json_iter it = json_iter(list);
	char path[64];

	for (size_t i = 0; json_next(&it); i++) {
		const char *op = json_str(json_get(it.value, "operator"), "");
		const char *effect = json_str(json_get(it.value, "effect"), "");

		snprintf(path, sizeof(path), "spec.tolerations[%zu]", i);
		if (*op)
			part_enum(c, it.value, "operator", operators, path);
		if (*effect)
			part_enum(c, it.value, "effect", effects, path);
		if (!*json_str(json_get(it.value, "key"), "") && !str_eq(op, "Exists"))
			field_invalid(
				c, "\"\"",
				"operator must be Exists when `key` is empty, which means \"match "
				"all values and all keys\"",
				"%s.operator", path);
	}
}

void pod_check(struct api_call *c, const struct json *spec)
{
	static const char *const restart[] = {"Always", "OnFailure", "Never", NULL};
	static const char *const dns[] = {"ClusterFirstWithHostNet", "ClusterFirst", "Default",
					  "None", NULL};
	int64_t deadline = json_int(json_get(spec, "activeDeadlineSeconds"), 1);
	char value[32];

	if (!json_count(json_get(spec, "containers")))
		field_required(c, "", "spec.containers");
	pod_check_volumes(c, json_get(spec, "volumes"));
	check_containers(c, spec, "containers");
	check_containers(c, spec, "initContainers");
	part_enum(c, spec, "restartPolicy", restart, "spec");
	part_enum(c, spec, "dnsPolicy", dns, "spec");
	pod_check_pod_security(c, spec);
	pod_check_dns(c, spec);
	check_selector(c, json_get(spec, "nodeSelector"));
	check_tolerations(c, json_get(spec, "tolerations"));
	snprintf(value, sizeof(value), "%lld", (long long)deadline);
	if (deadline < 1 || deadline > INT32_MAX)
		field_invalid(c, value, "must be between 1 and 2147483647, inclusive",
			      "spec.activeDeadlineSeconds");
	if (*json_str(json_get(spec, "hostname"), "") &&
	    !name_is_label(json_str(json_get(spec, "hostname"), "")))
		part_label(c, json_str(json_get(spec, "hostname"), ""), "spec.hostname");
	if (*json_str(json_get(spec, "subdomain"), ""))
		part_label(c, json_str(json_get(spec, "subdomain"), ""), "spec.subdomain");
}
