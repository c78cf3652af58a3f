// SPDX-License-Identifier: Apache-2.0
/* Volumes and where they are mounted. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/quantity.h"
#include "base/str.h"
#include "internal.h"
#include "pod.h"

#define MODE_RULE "must be a number between 0 and 0777 (octal), both inclusive"
#define MODE_MAX  0777

/* What a file of a volume may be called. */
static void check_file(struct api_call *c, const struct json *item, const char *path)
{
	const char *file = json_str(json_get(item, "path"), "");
	char at[POD_PATH_MAX];

	snprintf(at, sizeof(at), "%s.path", path);
	if (!*file)
		field_required(c, "", "%s", at);
	part_relative(c, file, at);
	if (str_starts(file, "..") && !str_starts(file, "../") && !str_eq(file, ".."))
		part_string(c, file, "must not start with '..'", at);
	part_int(c, item, "mode", 0, MODE_MAX, MODE_RULE, path);
}

static void check_items(struct api_call *c, const struct json *items, const char *path)
{
	struct json_iter it = json_iter(items);
	char at[POD_PATH_MAX];

	for (size_t i = 0; json_next(&it); i++) {
		snprintf(at, sizeof(at), "%s.items[%zu]", path, i);
		if (!*json_str(json_get(it.value, "key"), ""))
			field_required(c, "", "%s.key", at);
		check_file(c, it.value, at);
	}
}

static void check_downward(struct api_call *c, const struct json *v, const char *path)
{
	struct json_iter it = json_iter(json_get(v, "items"));
	char at[POD_PATH_MAX], ref[POD_PATH_MAX];

	for (size_t i = 0; json_next(&it); i++) {
		const struct json *field = json_get(it.value, "fieldRef");
		const struct json *resource = json_get(it.value, "resourceFieldRef");

		snprintf(at, sizeof(at), "%s.items[%zu]", path, i);
		check_file(c, it.value, at);
		snprintf(ref, sizeof(ref), "%.160s.%s", at,
			 field ? "fieldRef" : "resourceFieldRef");
		if (field && resource)
			part_string(c, "resource",
				    "fieldRef and resourceFieldRef can not be specified "
				    "simultaneously",
				    at);
		else if (field)
			pod_check_field_ref(c, field, true, ref);
		else if (resource)
			pod_check_resource_ref(c, resource, true, ref);
		else
			field_required(c, "one of fieldRef and resourceFieldRef is required", "%s",
				       at);
	}
}

static void check_token(struct api_call *c, const struct json *token, const char *path)
{
	int64_t seconds = json_int(json_get(token, "expirationSeconds"), 3600);
	char value[32];

	snprintf(value, sizeof(value), "%lld", (long long)seconds);
	if (seconds < 600)
		field_invalid(c, value, "may not specify a duration less than 10 minutes",
			      "%s.expirationSeconds", path);
	else if (seconds > (int64_t)1 << 32)
		field_invalid(c, value, "may not specify a duration larger than 2^32 seconds",
			      "%s.expirationSeconds", path);
	check_file(c, token, path);
}

static void check_projected(struct api_call *c, const struct json *v, const char *path)
{
	static const char *const types[] = {"secret", "configMap", "downwardAPI",
					    "serviceAccountToken", "clusterTrustBundle"};
	struct json_iter it = json_iter(json_get(v, "sources"));
	char at[POD_PATH_MAX];

	for (size_t i = 0; json_next(&it); i++) {
		size_t count = 0;

		for (size_t t = 0; t < ARRAY_SIZE(types); t++) {
			const struct json *s = json_get(it.value, types[t]);

			if (!json_is_obj(s))
				continue;
			snprintf(at, sizeof(at), "%s.sources[%zu].%s", path, i, types[t]);
			if (count++)
				field_forbidden(c, "may not specify more than 1 volume type", "%s",
						at);
			else if (t < 2 && !*json_str(json_get(s, "name"), ""))
				field_required(c, "", "%s.name", at);
			if (t < 2)
				check_items(c, json_get(s, "items"), at);
			else if (t == 2)
				check_downward(c, s, at);
			else if (t == 3)
				check_token(c, s, at);
		}
		if (!count)
			field_required(c, "must specify a volume type", "%s.sources[%zu]", path, i);
	}
}

static void check_size(struct api_call *c, const struct json *v, const char *path)
{
	const struct json *limit = json_get(v, "sizeLimit");
	int64_t n = json_int(limit, 0);

	if ((json_is_str(limit) && quantity_parse(json_str(limit, ""), QUANTITY_UNITS, &n) < 0) ||
	    n < 0)
		field_forbidden(c, "SizeLimit field must be a valid resource quantity",
				"%s.sizeLimit", path);
}

static void check_source(struct api_call *c, const char *type, const struct json *v,
			 const char *path)
{
	if (str_eq(type, "emptyDir"))
		check_size(c, v, path);
	else if (str_eq(type, "hostPath") && !*json_str(json_get(v, "path"), ""))
		field_required(c, "", "%s.path", path);
	else if (str_eq(type, "persistentVolumeClaim") && !*json_str(json_get(v, "claimName"), ""))
		field_required(c, "", "%s.claimName", path);
	else if (str_eq(type, "secret") && !*json_str(json_get(v, "secretName"), ""))
		field_required(c, "", "%s.secretName", path);
	else if (str_eq(type, "configMap") && !*json_str(json_get(v, "name"), ""))
		field_required(c, "", "%s.name", path);
	if (str_eq(type, "secret") || str_eq(type, "configMap"))
		check_items(c, json_get(v, "items"), path);
	else if (str_eq(type, "downwardAPI"))
		check_downward(c, v, path);
	else if (str_eq(type, "projected"))
		check_projected(c, v, path);
	part_int(c, v, "defaultMode", 0, MODE_MAX, MODE_RULE, path);
}

void pod_check_volumes(struct api_call *c, const struct json *volumes)
{
	struct json_iter it = json_iter(volumes);
	char path[POD_PATH_MAX];

	for (size_t i = 0; json_next(&it); i++) {
		const char *name = json_str(json_get(it.value, "name"), "");
		struct json_iter type = json_iter(it.value);
		size_t count = 0;

		snprintf(path, sizeof(path), "spec.volumes[%zu].name", i);
		part_label(c, name, path);
		if (*name && part_seen(volumes, i, "name"))
			field_duplicate(c, name, "%s", path);
		while (json_next(&type)) {
			if (str_eq(type.key, "name") || !json_is_obj(type.value))
				continue;
			snprintf(path, sizeof(path), "spec.volumes[%zu].%.60s", i, type.key);
			if (count++)
				field_forbidden(c, "may not specify more than 1 volume type", "%s",
						path);
			else
				check_source(c, type.key, type.value, path);
		}
		if (!count)
			field_required(c, "must specify a volume type", "spec.volumes[%zu]", i);
	}
}

static void check_propagation(struct api_call *c, const struct json *mount,
			      const struct json *container, const char *path)
{
	static const char *const allowed[] = {"Bidirectional", "HostToContainer", "None", NULL};
	const struct json *privileged = json_at(container, "securityContext", "privileged", NULL);

	part_enum(c, mount, "mountPropagation", allowed, path);
	if (str_eq(json_str(json_get(mount, "mountPropagation"), ""), "Bidirectional") &&
	    !json_bool(privileged, false))
		field_forbidden(c,
				"Bidirectional mount propagation is available only to privileged "
				"containers",
				"%s.mountPropagation", path);
}

void pod_check_mounts(struct api_call *c, const struct json *container, const struct json *volumes,
		      const char *path)
{
	const struct json *mounts = json_get(container, "volumeMounts");
	struct json_iter it = json_iter(mounts);
	char at[POD_PATH_MAX], sub[POD_PATH_MAX];

	for (size_t i = 0; json_next(&it); i++) {
		const char *name = json_str(json_get(it.value, "name"), "");
		const char *where = json_str(json_get(it.value, "mountPath"), "");
		const char *part = json_str(json_get(it.value, "subPath"), "");
		const char *expr = json_str(json_get(it.value, "subPathExpr"), "");

		snprintf(at, sizeof(at), "%.120s.volumeMounts[%zu]", path, i);
		if (!*name)
			field_required(c, "", "%s.name", at);
		else if (!part_named(volumes, name))
			field_unknown_ref(c, name, "%s.name", at);
		snprintf(sub, sizeof(sub), "%.180s.mountPath", at);
		if (!*where)
			field_required(c, "", "%s", sub);
		else if (part_seen(mounts, i, "mountPath"))
			part_string(c, where, "must be unique", sub);
		snprintf(sub, sizeof(sub), "%.180s.subPath", at);
		part_relative(c, part, sub);
		snprintf(sub, sizeof(sub), "%.180s.subPathExpr", at);
		if (*part && *expr)
			part_string(c, expr, "subPathExpr and subPath are mutually exclusive", sub);
		part_relative(c, expr, sub);
		check_propagation(c, it.value, container, at);
	}
}
