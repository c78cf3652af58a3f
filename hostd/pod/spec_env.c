// SPDX-License-Identifier: Apache-2.0
/*
 * A container's env and envFrom, as they are written: what their values are is known when the VM
 * gets its orders (env.c).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/quantity.h"
#include "base/str.h"
#include "pod/spec_impl.h"

static const char *const env_fields[] = {
	"metadata.name",	   "metadata.namespace", "metadata.uid",   "spec.nodeName",
	"spec.serviceAccountName", "status.hostIP",	 "status.hostIPs", "status.podIP",
	"status.podIPs",
};

static const char *const env_maps[] = {"metadata.labels", "metadata.annotations"};

static const char *const env_resources[] = {
	"limits.cpu",	"limits.memory",   "limits.ephemeral-storage",
	"requests.cpu", "requests.memory", "requests.ephemeral-storage",
};

static bool env_among(const char *text, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(text, list[i]))
			return true;
	return false;
}

/* metadata.labels['KEY'] and metadata.annotations['KEY'] */
static bool env_map_key(struct pod_spec *s, const char *path, struct spec_field *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(env_maps); i++) {
		const char *rest = str_starts(path, env_maps[i]);
		size_t len = rest ? strlen(rest) : 0;

		if (len < 5 || strncmp(rest, "['", 2) != 0 || !str_eq(rest + len - 2, "']"))
			continue;
		f->path = env_maps[i];
		f->key = spec_text(s, rest + 2, len - 4);
		return f->key != NULL;
	}
	return false;
}

static int env_field(struct pod_spec *s, const struct json *ref, bool whole_maps, const char *path,
		     struct spec_field *f, struct err *e)
{
	const char *version = json_str(json_get(ref, "apiVersion"), "v1");

	f->path = json_str(json_get(ref, "fieldPath"), "");
	if (!str_eq(version, "v1"))
		return spec_refuse(e, "%s.fieldRef.apiVersion", path);
	if (env_among(f->path, env_fields, ARRAY_SIZE(env_fields)) ||
	    (whole_maps && env_among(f->path, env_maps, ARRAY_SIZE(env_maps))) ||
	    env_map_key(s, f->path, f))
		return 0;
	return err_set(e, -ENOTSUP, "%s.fieldRef.fieldPath: no such field", path);
}

static int env_resource(const struct json *ref, const char *path, struct spec_field *f,
			struct err *e)
{
	const char *resource = json_str(json_get(ref, "resource"), "");
	bool cpu = str_ends(resource, ".cpu");
	char where[SPEC_PATH_MAX + 40];
	uint64_t divisor = 0;
	int r;

	if (!env_among(resource, env_resources, ARRAY_SIZE(env_resources)))
		return err_set(e, -ENOTSUP, "%s.resourceFieldRef.resource: no such resource", path);
	snprintf(where, sizeof(where), "%s.resourceFieldRef.divisor", path);
	r = spec_quantity(json_get(ref, "divisor"), cpu ? QUANTITY_MILLI : QUANTITY_UNITS, where,
			  &divisor, e);
	f->resource = resource;
	f->container = json_str(json_get(ref, "containerName"), "");
	f->divisor = divisor ? divisor : cpu ? QUANTITY_MILLI : 1;
	return r;
}

int spec_field(struct pod_spec *s, const struct json *obj, bool in_volume, const char *path,
	       struct spec_field *f, struct err *e)
{
	const struct json *field = json_get(obj, "fieldRef");
	const struct json *resource = json_get(obj, "resourceFieldRef");

	*f = (struct spec_field){0};
	if (json_is_obj(field) == json_is_obj(resource))
		return err_set(e, -EINVAL, "%s: needs either fieldRef or resourceFieldRef", path);
	if (json_is_obj(field))
		return env_field(s, field, in_volume, path, f, e);
	return env_resource(resource, path, f, e);
}

int spec_object_name(const struct json *obj, const char *field, const char *path, const char **name,
		     struct err *e)
{
	*name = json_str(json_get(obj, field), "");
	return spec_name_ok(*name, SPEC_NAME_MAX)
		       ? 0
		       : err_set(e, -EINVAL, "%s.%s: not a name", path, field);
}

static int env_key(const struct json *ref, const char *path, struct spec_env *v, struct err *e)
{
	v->optional = json_bool(json_get(ref, "optional"), false);
	v->key = json_str(json_get(ref, "key"), "");
	if (!*v->key)
		return err_set(e, -EINVAL, "%s.key: none", path);
	return spec_object_name(ref, "name", path, &v->object, e);
}

static int env_value_from(struct pod_spec *s, const struct json *from, const char *path,
			  struct spec_env *v, struct err *e)
{
	static const char *const known[] = {"fieldRef", "resourceFieldRef", "configMapKeyRef",
					    "secretKeyRef"};
	struct json_iter it = json_iter(from);
	char where[SPEC_PATH_MAX + 48];
	const char *kind = NULL;

	while (json_next(&it)) {
		if (!json_is_obj(it.value))
			continue;
		if (!env_among(it.key, known, ARRAY_SIZE(known)))
			return spec_refuse(e, "%s.valueFrom.%s", path, it.key);
		if (kind)
			return err_set(e, -EINVAL, "%s.valueFrom: both %s and %s", path, kind,
				       it.key);
		kind = it.key;
	}
	if (!kind)
		return err_set(e, -EINVAL, "%s.valueFrom: none", path);
	snprintf(where, sizeof(where), "%s.valueFrom.%s", path, kind);
	if (str_eq(kind, "configMapKeyRef") || str_eq(kind, "secretKeyRef")) {
		v->kind = str_eq(kind, "secretKeyRef") ? SPEC_ENV_SECRET : SPEC_ENV_CONFIG_MAP;
		return env_key(json_get(from, kind), where, v, e);
	}
	v->kind = SPEC_ENV_FIELD;
	snprintf(where, sizeof(where), "%s.valueFrom", path);
	return spec_field(s, from, false, where, &v->field, e);
}

static int env_one(struct pod_spec *s, const struct json *obj, const char *path, struct spec_env *v,
		   struct err *e)
{
	const struct json *from = json_get(obj, "valueFrom");

	v->name = json_str(json_get(obj, "name"), "");
	v->value = json_str(json_get(obj, "value"), "");
	if (!*v->name || strchr(v->name, '='))
		return err_set(e, -EINVAL, "%s.name: not a name", path);
	/* As with a kubelet a value wins; the API server lets nobody have both. */
	if (*v->value || !json_is_obj(from))
		return 0;
	return env_value_from(s, from, path, v, e);
}

static int env_all(const struct json *obj, const char *path, struct spec_env *v, struct err *e)
{
	const struct json *map = json_get(obj, "configMapRef"),
			  *secret = json_get(obj, "secretRef");
	const struct json *ref = json_is_obj(map) ? map : secret;
	char where[SPEC_PATH_MAX + 24];

	if (json_is_obj(map) == json_is_obj(secret))
		return err_set(e, -EINVAL, "%s: needs either configMapRef or secretRef", path);
	snprintf(where, sizeof(where), "%s.%s", path, ref == map ? "configMapRef" : "secretRef");
	v->kind = ref == map ? SPEC_ENV_CONFIG_MAP : SPEC_ENV_SECRET;
	v->name = json_str(json_get(obj, "prefix"), "");
	v->optional = json_bool(json_get(ref, "optional"), false);
	if (strchr(v->name, '='))
		return err_set(e, -EINVAL, "%s.prefix: not the beginning of a name", path);
	return spec_object_name(ref, "name", where, &v->object, e);
}

int spec_env(struct pod_spec *s, const struct json *container, const char *path,
	     struct spec_container *c, struct err *e)
{
	const struct json *from = json_get(container, "envFrom"), *env = json_get(container, "env");
	struct json_iter it = json_iter(from);
	char where[SPEC_PATH_MAX + 24];
	int r = 0;

	c->env = spec_store(s, json_count(from) + json_count(env), sizeof(*c->env));
	if (!c->env)
		return err_set(e, -EINVAL, "%s.env: more than %d entries", path, SPEC_LIST_MAX);
	for (unsigned int i = 0; r == 0 && json_next(&it); i++) {
		snprintf(where, sizeof(where), "%s.envFrom[%u]", path, i);
		r = env_all(it.value, where, &c->env[c->env_count++], e);
	}
	it = json_iter(env);
	for (unsigned int i = 0; r == 0 && json_next(&it); i++) {
		snprintf(where, sizeof(where), "%s.env[%u]", path, i);
		r = env_one(s, it.value, where, &c->env[c->env_count++], e);
	}
	return r;
}
