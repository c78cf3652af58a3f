// SPDX-License-Identifier: Apache-2.0
/* Environments, and what they and downward volumes refer to. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "internal.h"
#include "pod.h"

#define MORE_THAN_ONE "may not have more than one field specified at a time"

/* metadata.labels['KEY'], metadata.annotations['KEY'] */
static bool check_subscript(struct api_call *c, const char *field, const char *path)
{
	const char *open = strstr(field, "['");
	size_t len = strlen(field), head = open ? (size_t)(open - field) : 0;
	char key[API_NAME_MAX + 80];

	if (!open || len < head + 4 || !str_ends(field, "']"))
		return false;
	snprintf(key, sizeof(key), "%.*s", (int)(len - head - 4), open + 2);
	if ((head != 15 || memcmp(field, "metadata.labels", 15) != 0) &&
	    (head != 20 || memcmp(field, "metadata.annotations", 20) != 0))
		part_string(c, field, "does not support subscript", path);
	else if (!name_is_qualified(key))
		part_string(c, key, name_qualified_rule, path);
	return true;
}

void pod_check_field_ref(struct api_call *c, const struct json *ref, bool volume, const char *path)
{
	static const char *const of_env[] = {"metadata.name",
					     "metadata.namespace",
					     "metadata.uid",
					     "spec.nodeName",
					     "spec.serviceAccountName",
					     "status.hostIP",
					     "status.hostIPs",
					     "status.podIP",
					     "status.podIPs",
					     NULL};
	static const char *const of_volume[] = {"metadata.annotations", "metadata.labels",
						"metadata.name",	"metadata.namespace",
						"metadata.uid",		NULL};
	const char *field = json_str(json_get(ref, "fieldPath"), "");

	if (!*field)
		field_required(c, "", "%s.fieldPath", path);
	else if (!check_subscript(c, field, path))
		part_enum(c, ref, "fieldPath", volume ? of_volume : of_env, path);
}

void pod_check_resource_ref(struct api_call *c, const struct json *ref, bool volume,
			    const char *path)
{
	static const char *const resources[] = {"limits.cpu",
						"limits.ephemeral-storage",
						"limits.memory",
						"requests.cpu",
						"requests.ephemeral-storage",
						"requests.memory",
						NULL};
	static const char bytes[] = " 0 1 1k 1M 1G 1T 1P 1E 1Ki 1Mi 1Gi 1Ti 1Pi 1Ei ";
	const char *resource = json_str(json_get(ref, "resource"), "");
	const struct json *divisor = json_get(ref, "divisor");
	bool cpu = str_ends(resource, ".cpu");
	char word[40], why[200];

	if (volume && !*json_str(json_get(ref, "containerName"), ""))
		field_required(c, "", "%s.containerName", path);
	if (!*resource) {
		field_required(c, "", "%s.resource", path);
		return;
	}
	part_enum(c, ref, "resource", resources, path);
	if (json_is_str(divisor))
		snprintf(word, sizeof(word), " %.30s ", json_str(divisor, ""));
	else
		snprintf(word, sizeof(word), " %lld ", (long long)json_int(divisor, 0));
	if (strstr(cpu ? " 0 1m 1 " : bytes, word))
		return;
	if (cpu)
		snprintf(why, sizeof(why),
			 "only divisor's values 1m and 1 are supported with the "
			 "cpu resource");
	else
		snprintf(why, sizeof(why),
			 "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, "
			 "1Pi, 1Ei are supported with the %s resource",
			 str_ends(resource, ".memory") ? "memory" : "local ephemeral storage");
	snprintf(word, sizeof(word), "%.30s", cpu ? "cpu" : resource);
	field_invalid(c, word, why, "%s.divisor", path);
}

static void check_key_ref(struct api_call *c, const struct json *ref, const char *path)
{
	const char *key = json_str(json_get(ref, "key"), "");
	char at[POD_PATH_MAX];

	if (!*json_str(json_get(ref, "name"), ""))
		field_required(c, "", "%s.name", path);
	snprintf(at, sizeof(at), "%s.key", path);
	if (!*key)
		field_required(c, "", "%s", at);
	else if (data_key_wrong(key))
		part_string(c, key, data_key_wrong(key), at);
}

static void check_value_from(struct api_call *c, const struct json *var, const char *path)
{
	static const char *const sources[] = {"fieldRef", "resourceFieldRef", "configMapKeyRef",
					      "secretKeyRef"};
	const struct json *from = json_get(var, "valueFrom");
	char at[POD_PATH_MAX];
	size_t count = 0;

	if (!json_is_obj(from))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		const struct json *ref = json_get(from, sources[i]);

		if (!json_is_obj(ref))
			continue;
		count++;
		snprintf(at, sizeof(at), "%s.%s", path, sources[i]);
		if (i == 0)
			pod_check_field_ref(c, ref, false, at);
		else if (i == 1)
			pod_check_resource_ref(c, ref, false, at);
		else
			check_key_ref(c, ref, at);
	}
	if (!count)
		part_string(c, "",
			    "must specify one of: `fieldRef`, `resourceFieldRef`, "
			    "`configMapKeyRef` or `secretKeyRef`",
			    path);
	else if (*json_str(json_get(var, "value"), ""))
		part_string(c, "", "may not be specified when `value` is not empty", path);
	else if (count > 1)
		part_string(c, "", MORE_THAN_ONE, path);
}

static bool name_wrong(const char *name)
{
	for (; *name; name++) {
		if (*name < ' ' || *name > '~' || *name == '=')
			return true;
	}
	return false;
}

static const char name_rule[] =
	"a valid environment variable name must consist only of printable ASCII characters "
	"other than '='";

static void check_env(struct api_call *c, const struct json *env, const char *path)
{
	struct json_iter it = json_iter(env);
	char at[POD_PATH_MAX];

	for (size_t i = 0; json_next(&it); i++) {
		const char *name = json_str(json_get(it.value, "name"), "");

		snprintf(at, sizeof(at), "%s.env[%zu].name", path, i);
		if (!*name)
			field_required(c, "", "%s", at);
		else if (name_wrong(name))
			part_string(c, name, name_rule, at);
		snprintf(at, sizeof(at), "%s.env[%zu].valueFrom", path, i);
		check_value_from(c, it.value, at);
	}
}

static void check_env_from(struct api_call *c, const struct json *list, const char *path)
{
	static const char *const sources[] = {"configMapRef", "secretRef"};
	struct json_iter it = json_iter(list);
	char at[POD_PATH_MAX];

	for (size_t i = 0; json_next(&it); i++) {
		const char *prefix = json_str(json_get(it.value, "prefix"), "");
		size_t count = 0;

		snprintf(at, sizeof(at), "%s.envFrom[%zu].prefix", path, i);
		if (name_wrong(prefix))
			part_string(c, prefix, name_rule, at);
		for (size_t s = 0; s < ARRAY_SIZE(sources); s++) {
			const struct json *ref = json_get(it.value, sources[s]);

			count += json_is_obj(ref);
			if (json_is_obj(ref) && !*json_str(json_get(ref, "name"), ""))
				field_required(c, "", "%s.envFrom[%zu].%s.name", path, i,
					       sources[s]);
		}
		snprintf(at, sizeof(at), "%s.envFrom", path);
		if (!count)
			part_string(c, "", "must specify one of: `configMapRef` or `secretRef`",
				    at);
		else if (count > 1)
			part_string(c, "", MORE_THAN_ONE, at);
	}
}

void pod_check_env(struct api_call *c, const struct json *container, const char *path)
{
	check_env(c, json_get(container, "env"), path);
	check_env_from(c, json_get(container, "envFrom"), path);
}
