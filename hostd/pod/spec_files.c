// SPDX-License-Identifier: Apache-2.0
/*
 * Volumes whose contents are files that the API has: configMap, secret, downwardAPI, and projected, which
 * puts several of these into one folder, service account tokens among them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "pod/spec_impl.h"

#define FILES_MODE_DEFAULT  0644
#define FILES_TOKEN_MIN_S   600
#define FILES_TOKEN_MAX_S   ((int64_t)1 << 32)
#define FILES_TOKEN_DEFAULT 3600

static int files_mode(const struct json *v, int otherwise, const char *path, uint16_t *mode,
		      struct err *e)
{
	int64_t value = json_int(
		v, json_type(v) == JSON_NONE || json_type(v) == JSON_NULL ? otherwise : -1);

	if (value < 0 || value > 0777)
		return err_set(e, -EINVAL, "%s: not a mode from 0 to 0777", path);
	*mode = (uint16_t)value;
	return 0;
}

bool spec_file_path_ok(const char *path)
{
	return guest_path_valid(path) && strlen(path) <= GUEST_PATH_LEN_MAX &&
	       strncmp(path, "..", 2) != 0;
}

static int files_path(const struct json *obj, const char *where, const char **path, struct err *e)
{
	*path = json_str(json_get(obj, "path"), "");
	return spec_file_path_ok(*path)
		       ? 0
		       : err_set(e, -EINVAL, "%s.path: not a path inside of the volume", where);
}

static int files_items(struct pod_spec *s, const struct json *items, uint16_t mode,
		       const char *path, struct spec_source *src, struct err *e)
{
	struct json_iter it = json_iter(items);
	char where[SPEC_PATH_MAX + 64], field[SPEC_PATH_MAX + 80];
	int r = 0;

	src->items = spec_store(s, json_count(items), sizeof(*src->items));
	if (!src->items)
		return err_set(e, -EINVAL, "%s.items: more than %d", path, SPEC_LIST_MAX);
	for (unsigned int i = 0; r == 0 && json_next(&it); i++) {
		struct spec_item *item = &src->items[src->item_count++];

		snprintf(where, sizeof(where), "%s.items[%u]", path, i);
		snprintf(field, sizeof(field), "%s.mode", where);
		r = files_path(it.value, where, &item->path, e);
		if (r == 0)
			r = files_mode(json_get(it.value, "mode"), mode, field, &item->mode, e);
		if (r == 0 && src->kind == SPEC_SOURCE_DOWNWARD_API) {
			r = spec_field(s, it.value, true, where, &item->field, e);
			if (r == 0 && !item->field.path && !*item->field.container)
				r = err_set(e, -EINVAL, "%s.resourceFieldRef.containerName: none",
					    where);
			continue;
		}
		item->key = json_str(json_get(it.value, "key"), "");
		if (r == 0 && !*item->key)
			r = err_set(e, -EINVAL, "%s.key: none", where);
	}
	return r;
}

/* One source; its object's name is in @name_field. */
static int files_source(struct pod_spec *s, const struct json *obj, enum spec_source_kind kind,
			const char *name_field, uint16_t mode, const char *path,
			struct spec_source *src, struct err *e)
{
	int r = 0;

	src->kind = kind;
	src->mode = mode;
	src->optional = json_bool(json_get(obj, "optional"), false);
	if (kind != SPEC_SOURCE_DOWNWARD_API)
		r = spec_object_name(obj, name_field, path, &src->object, e);
	return r < 0 ? r : files_items(s, json_get(obj, "items"), mode, path, src, e);
}

static int files_token(const struct json *obj, uint16_t mode, const char *path,
		       struct spec_source *src, struct err *e)
{
	int64_t life_s = json_int(json_get(obj, "expirationSeconds"), FILES_TOKEN_DEFAULT);

	src->kind = SPEC_SOURCE_TOKEN;
	src->mode = mode;
	src->audience = json_str(json_get(obj, "audience"), "");
	src->expiration_s = life_s;
	if (life_s < FILES_TOKEN_MIN_S || life_s > FILES_TOKEN_MAX_S)
		return err_set(e, -EINVAL, "%s.expirationSeconds: not between %d and %lld", path,
			       FILES_TOKEN_MIN_S, (long long)FILES_TOKEN_MAX_S);
	return files_path(obj, path, &src->path, e);
}

static int files_projection(struct pod_spec *s, const struct json *obj, uint16_t mode,
			    const char *path, struct spec_source *src, struct err *e)
{
	static const char *const kinds[] = {
		[SPEC_SOURCE_CONFIG_MAP] = "configMap",
		[SPEC_SOURCE_SECRET] = "secret",
		[SPEC_SOURCE_DOWNWARD_API] = "downwardAPI",
		[SPEC_SOURCE_TOKEN] = "serviceAccountToken",
	};
	struct json_iter it = json_iter(obj);
	char where[SPEC_PATH_MAX + 48];
	size_t found = ARRAY_SIZE(kinds);

	while (json_next(&it)) {
		size_t k = 0;

		if (!it.key || json_type(it.value) == JSON_NULL)
			continue;
		while (k < ARRAY_SIZE(kinds) && !str_eq(it.key, kinds[k]))
			k++;
		if (k == ARRAY_SIZE(kinds))
			return spec_refuse(e, "%s.%s", path, it.key);
		if (found < ARRAY_SIZE(kinds))
			return err_set(e, -EINVAL, "%s: both %s and %s", path, kinds[found],
				       kinds[k]);
		found = k;
	}
	if (found == ARRAY_SIZE(kinds))
		return err_set(e, -EINVAL, "%s: says nothing", path);
	snprintf(where, sizeof(where), "%s.%s", path, kinds[found]);
	obj = json_get(obj, kinds[found]);
	if (found == SPEC_SOURCE_TOKEN)
		return files_token(obj, mode, where, src, e);
	return files_source(s, obj, (enum spec_source_kind)found, "name", mode, where, src, e);
}

static int files_projected(struct pod_spec *s, struct spec_volume *v, uint16_t mode,
			   const char *path, struct err *e)
{
	const struct json *list = json_get(v->source, "sources");
	struct json_iter it = json_iter(list);
	char where[SPEC_PATH_MAX + 32];
	int r = 0;

	v->sources = spec_store(s, json_count(list), sizeof(*v->sources));
	if (!v->sources)
		return err_set(e, -EINVAL, "%s.sources: more than %d", path, SPEC_LIST_MAX);
	for (unsigned int i = 0; r == 0 && json_next(&it); i++) {
		snprintf(where, sizeof(where), "%s.sources[%u]", path, i);
		r = files_projection(s, it.value, mode, where, &v->sources[v->source_count++], e);
	}
	return r;
}

int spec_files(struct pod_spec *s, struct spec_volume *v, const char *volume_path, struct err *e)
{
	static const struct {
		const char *field, *name;
		enum spec_source_kind kind;
	} kinds[] = {
		[SPEC_VOLUME_CONFIG_MAP] = {"configMap", "name", SPEC_SOURCE_CONFIG_MAP},
		[SPEC_VOLUME_SECRET] = {"secret", "secretName", SPEC_SOURCE_SECRET},
		[SPEC_VOLUME_DOWNWARD_API] = {"downwardAPI", "", SPEC_SOURCE_DOWNWARD_API},
		[SPEC_VOLUME_PROJECTED] = {"projected", "", SPEC_SOURCE_TOKEN},
	};
	char path[SPEC_PATH_MAX], where[SPEC_PATH_MAX + 16];
	uint16_t mode;
	int r;

	snprintf(path, sizeof(path), "%s.%s", volume_path, kinds[v->kind].field);
	snprintf(where, sizeof(where), "%s.defaultMode", path);
	r = files_mode(json_get(v->source, "defaultMode"), FILES_MODE_DEFAULT, where, &mode, e);
	if (r < 0)
		return r;
	if (v->kind == SPEC_VOLUME_PROJECTED)
		return files_projected(s, v, mode, path, e);
	v->sources = spec_store(s, 1, sizeof(*v->sources));
	if (!v->sources)
		return -E2BIG;
	v->source_count = 1;
	return files_source(s, v->source, kinds[v->kind].kind, kinds[v->kind].name, mode, path,
			    v->sources, e);
}
