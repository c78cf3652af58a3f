// SPDX-License-Identifier: Apache-2.0
/* Pod validation, in the words of the real server (k8s.io/kubernetes, apis/core/validation). */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/quantity.h"
#include "base/str.h"
#include "internal.h"
#include "pod.h"

static bool one_of(const char *const *allowed, const char *value)
{
	for (; *allowed; allowed++) {
		if (str_eq(*allowed, value))
			return true;
	}
	return false;
}

static void check_enum(struct api_call *c, const struct json *o, const char *key,
		       const char *const *allowed, const char *path)
{
	const char *value = json_str(json_get(o, key), "");

	if (json_get(o, key) && !one_of(allowed, value))
		field_unsupported(c, value, allowed, "%s.%s", path, key);
}

static void check_label(struct api_call *c, const char *name, const char *path)
{
	char quoted[128];

	snprintf(quoted, sizeof(quoted), "\"%.100s\"", name);
	if (!*name)
		field_required(c, "", "%s", path);
	else if (!name_is_label(name))
		field_invalid(c, quoted, name_label_rule, "%s", path);
}

/* Whether an element before @index has the same value for @key. */
static bool seen_before(const struct json *list, size_t index, const char *key)
{
	const struct json *v = json_get(json_item(list, index), key);
	struct json_iter it = json_iter(list);

	while (v && index-- && json_next(&it)) {
		if (json_equal(json_get(it.value, key), v))
			return true;
	}
	return false;
}

static bool named(const struct json *list, const char *name)
{
	struct json_iter it = json_iter(list);

	while (json_next(&it)) {
		if (str_eq(json_str(json_get(it.value, "name"), ""), name))
			return true;
	}
	return false;
}

static void check_ports(struct api_call *c, const struct json *ports, const char *path)
{
	static const char *const protocols[] = {"SCTP", "TCP", "UDP", NULL};
	struct json_iter it = json_iter(ports);
	char at[200], value[32];

	for (size_t i = 0; json_next(&it); i++) {
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
		if (*json_str(json_get(it.value, "name"), "") && seen_before(ports, i, "name"))
			field_duplicate(c, json_str(json_get(it.value, "name"), ""), "%s.name", at);
		check_enum(c, it.value, "protocol", protocols, at);
	}
}

static void check_env(struct api_call *c, const struct json *env, const char *path)
{
	static const char rule[] =
		"a valid environment variable name must consist only of printable ASCII characters "
		"other than '='";
	struct json_iter it = json_iter(env);
	char quoted[128];

	for (size_t i = 0; json_next(&it); i++) {
		const char *name = json_str(json_get(it.value, "name"), "");

		snprintf(quoted, sizeof(quoted), "\"%.100s\"", name);
		if (!*name)
			field_required(c, "", "%s.env[%zu].name", path, i);
		else if (strchr(name, '='))
			field_invalid(c, quoted, rule, "%s.env[%zu].name", path, i);
		if (*json_str(json_get(it.value, "value"), "") && json_get(it.value, "valueFrom"))
			field_invalid(c, "\"\"", "may not be specified when `value` is not empty",
				      "%s.env[%zu].valueFrom", path, i);
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

static void check_resources(struct api_call *c, const struct json *r, const char *path)
{
	struct json_iter it = json_iter(json_get(r, "requests"));
	char want[64], limit[64], quoted[80], why[200];
	int64_t a, b;

	while (json_next(&it)) {
		const struct json *max = json_at(r, "limits", it.key, NULL);

		quantity_text(it.value, want, sizeof(want));
		if (quantity_parse(want, QUANTITY_MILLI, &a) < 0)
			continue; /* refused as a wrong type before */
		snprintf(quoted, sizeof(quoted), "\"%s\"", want);
		if (a < 0)
			field_invalid(c, quoted, "must be greater than or equal to 0",
				      "%s.resources.requests[%s]", path, it.key);
		if (!max || quantity_parse(quantity_text(max, limit, sizeof(limit)), QUANTITY_MILLI,
					   &b) < 0)
			continue;
		snprintf(why, sizeof(why), "must be less than or equal to %s limit of %s", it.key,
			 limit);
		if (a > b)
			field_invalid(c, quoted, why, "%s.resources.requests", path);
	}
}

static void check_mounts(struct api_call *c, const struct json *mounts, const struct json *volumes,
			 const char *path)
{
	struct json_iter it = json_iter(mounts);

	for (size_t i = 0; json_next(&it); i++) {
		const char *name = json_str(json_get(it.value, "name"), "");
		const char *where = json_str(json_get(it.value, "mountPath"), "");

		if (!*name)
			field_required(c, "", "%s.volumeMounts[%zu].name", path, i);
		else if (!named(volumes, name))
			field_unknown_ref(c, name, "%s.volumeMounts[%zu].name", path, i);
		if (!*where)
			field_required(c, "", "%s.volumeMounts[%zu].mountPath", path, i);
		else if (seen_before(mounts, i, "mountPath")) {
			char quoted[128];

			snprintf(quoted, sizeof(quoted), "\"%.100s\"", where);
			field_invalid(c, quoted, "must be unique", "%s.volumeMounts[%zu].mountPath",
				      path, i);
		}
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
		check_label(c, name, name_path);
		if (*name && (seen_before(containers, i, "name") || named(others, name)))
			field_duplicate(c, name, "%s", name_path);
		if (!*image)
			field_required(c, "", "%s.image", path);
		else if (strpbrk(image, " \t\n") == image ||
			 strchr(" \t\n", image[strlen(image) - 1]))
			field_invalid(c, image, "must not have leading or trailing whitespace",
				      "%s.image", path);
		check_enum(c, it.value, "imagePullPolicy", pull, path);
		check_enum(c, it.value, "terminationMessagePolicy", message, path);
		check_ports(c, json_get(it.value, "ports"), path);
		check_env(c, json_get(it.value, "env"), path);
		check_resources(c, json_get(it.value, "resources"), path);
		check_mounts(c, json_get(it.value, "volumeMounts"), json_get(spec, "volumes"),
			     path);
	}
}

static void check_volumes(struct api_call *c, const struct json *volumes)
{
	struct json_iter it = json_iter(volumes);
	char path[64];

	for (size_t i = 0; json_next(&it); i++) {
		const char *name = json_str(json_get(it.value, "name"), "");

		snprintf(path, sizeof(path), "spec.volumes[%zu].name", i);
		check_label(c, name, path);
		if (*name && seen_before(volumes, i, "name"))
			field_duplicate(c, name, "%s", path);
		if (json_count(it.value) > 2)
			field_forbidden(c, "may not specify more than 1 volume type",
					"spec.volumes[%zu]", i);
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
			check_enum(c, it.value, "operator", operators, path);
		if (*effect)
			check_enum(c, it.value, "effect", effects, path);
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
	check_volumes(c, json_get(spec, "volumes"));
	check_containers(c, spec, "containers");
	check_containers(c, spec, "initContainers");
	check_enum(c, spec, "restartPolicy", restart, "spec");
	check_enum(c, spec, "dnsPolicy", dns, "spec");
	check_tolerations(c, json_get(spec, "tolerations"));
	snprintf(value, sizeof(value), "%lld", (long long)deadline);
	if (deadline < 1 || deadline > INT32_MAX)
		field_invalid(c, value, "must be between 1 and 2147483647, inclusive",
			      "spec.activeDeadlineSeconds");
	if (*json_str(json_get(spec, "hostname"), "") &&
	    !name_is_label(json_str(json_get(spec, "hostname"), "")))
		check_label(c, json_str(json_get(spec, "hostname"), ""), "spec.hostname");
}
