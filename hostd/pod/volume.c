// SPDX-License-Identifier: Apache-2.0
/*
 * spec.volumes and the containers' volumeMounts.
 *
 * A volume is a piece of the pod's disk, memory, or files that the API has; what would have to come from
 * the host or from a storage driver is refused. Paths are checked here by their words alone: what they
 * meet inside of a container or volume, links among it, is the guest's to judge (guest/volume.c).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/quantity.h"
#include "base/str.h"
#include "pod/spec_impl.h"

#define VOLUME_NAME_MAX 63

static const struct {
	const char *field;
	enum spec_volume_kind kind;
} volume_kinds[] = {
	{"emptyDir", SPEC_VOLUME_DISK},	      {"configMap", SPEC_VOLUME_CONFIG_MAP},
	{"secret", SPEC_VOLUME_SECRET},	      {"downwardAPI", SPEC_VOLUME_DOWNWARD_API},
	{"projected", SPEC_VOLUME_PROJECTED},
};

static int volume_find(const struct pod_spec *s, const char *name)
{
	for (uint32_t i = 0; i < s->volume_count; i++)
		if (str_eq(s->volumes[i].name, name))
			return (int)i;
	return -1;
}

static int volume_empty_dir(struct spec_volume *v, const char *path, struct err *e)
{
	const char *medium = json_str(json_get(v->source, "medium"), "");
	char where[SPEC_PATH_MAX + 24];

	if (str_eq(medium, "Memory"))
		v->kind = SPEC_VOLUME_MEMORY;
	else if (*medium)
		return spec_refuse(e, "%s.emptyDir.medium", path);
	snprintf(where, sizeof(where), "%s.emptyDir.sizeLimit", path);
	return spec_quantity(json_get(v->source, "sizeLimit"), QUANTITY_UNITS, where,
			     &v->size_limit, e);
}

/* What a volume is: its one member beside the name. A volume that says nothing is an emptyDir. */
static int volume_kind(const struct json *obj, struct spec_volume *v, const char *path,
		       struct err *e)
{
	struct json_iter it = json_iter(obj);
	const char *first = NULL;

	while (json_next(&it)) {
		size_t k = 0;

		if (str_eq(it.key, "name") || json_type(it.value) == JSON_NULL)
			continue;
		while (k < ARRAY_SIZE(volume_kinds) && !str_eq(it.key, volume_kinds[k].field))
			k++;
		if (k == ARRAY_SIZE(volume_kinds))
			return spec_refuse(e, "%s.%s", path, it.key);
		if (first)
			return err_set(e, -EINVAL, "%s: both %s and %s", path, first, it.key);
		if (!json_is_obj(it.value))
			return err_set(e, -EINVAL, "%s.%s: not an object", path, it.key);
		first = volume_kinds[k].field;
		v->kind = volume_kinds[k].kind;
		v->source = it.value;
	}
	return v->kind == SPEC_VOLUME_DISK ? volume_empty_dir(v, path, e) : 0;
}

static bool volume_name_ok(const char *name)
{
	return *name && strlen(name) <= VOLUME_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

int spec_volumes(struct pod_spec *s, const struct json *spec, struct err *e)
{
	struct json_iter it = json_iter(json_get(spec, "volumes"));
	char path[SPEC_PATH_MAX];
	int r;

	for (uint32_t i = 0; json_next(&it); i++) {
		struct spec_volume v = {.index = i};

		v.name = json_str(json_get(it.value, "name"), "");
		snprintf(path, sizeof(path), "spec.volumes[%u]", i);
		r = volume_kind(it.value, &v, path, e);
		if (r < 0)
			return r;
		if (!volume_name_ok(v.name))
			return err_set(e, -EINVAL, "%s.name: not a name", path);
		if (volume_find(s, v.name) >= 0)
			return err_set(e, -EINVAL, "%s.name: used twice", path);
		r = spec_volume_is_files(v.kind) ? spec_files(s, &v, path, e) : 0;
		if (r < 0)
			return r;
		if (s->volume_count == GUEST_VOLUMES_MAX)
			return err_set(e, -ENOTSUP, "spec.volumes: more than %d",
				       GUEST_VOLUMES_MAX);
		s->volumes[s->volume_count++] = v;
	}
	return 0;
}

/*
 * Writes a path without empty components and ".", absolute if @absolute.
 * Return: it, kept with the spec; NULL for one that is too long or has ".." or control characters.
 */
static const char *mount_path(struct pod_spec *s, const char *path, bool absolute)
{
	char clean[GUEST_PATH_LEN_MAX + 1];
	size_t len = 0;

	for (const char *p = path; *p; p += strcspn(p, "/")) {
		size_t n;

		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (!n || (n == 1 && *p == '.'))
			continue;
		if (n > GUEST_NAME_MAX || (n == 2 && p[0] == '.' && p[1] == '.') ||
		    len + n + 2 > sizeof(clean))
			return NULL;
		if (len || absolute)
			clean[len++] = '/';
		memcpy(clean + len, p, n);
		len += n;
	}
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)clean[i] < ' ' || clean[i] == 0x7f)
			return NULL;
	return spec_text(s, clean, len);
}

static bool mount_is_below(const char *path, const char *top)
{
	size_t len = strlen(top);

	return strncmp(path, top, len) == 0 && (!path[len] || path[len] == '/');
}

static int mount_place(struct pod_spec *s, const struct json *obj, const char *path,
		       struct spec_mount *m, struct err *e)
{
	const char *at = json_str(json_get(obj, "mountPath"), "");
	const char *sub = json_str(json_get(obj, "subPath"), "");
	const char *expr = json_str(json_get(obj, "subPathExpr"), "");
	const char *field = *expr ? "subPathExpr" : "subPath";

	if (*sub && *expr)
		return err_set(e, -EINVAL, "%s: both subPath and subPathExpr", path);
	m->path = mount_path(s, at, true);
	if (!m->path || !*m->path)
		return err_set(e, -EINVAL, "%s.mountPath: not a path to mount at", path);
	/* What is masked there must stay so. */
	if (mount_is_below(m->path, "/proc"))
		return err_set(e, -EINVAL, "%s.mountPath: nothing can be mounted in /proc", path);
	m->expand = *expr;
	sub = m->expand ? expr : sub;
	m->sub_path = *sub == '/' ? NULL : mount_path(s, sub, false);
	if (!m->sub_path)
		return err_set(e, -EINVAL, "%s.%s: not a path inside of the volume", path, field);
	return 0;
}

static int mount_read(struct pod_spec *s, const struct json *obj, const char *path,
		      struct spec_mount *m, struct err *e)
{
	const char *recursive = json_str(json_get(obj, "recursiveReadOnly"), "Disabled");
	const char *propagation = json_str(json_get(obj, "mountPropagation"), "None");
	int volume = volume_find(s, json_str(json_get(obj, "name"), ""));

	if (volume < 0)
		return err_set(e, -EINVAL, "%s.name: no such volume", path);
	if (!str_eq(recursive, "Disabled"))
		return spec_refuse(e, "%s.recursiveReadOnly", path);
	if (!str_eq(propagation, "None"))
		return spec_refuse(e, "%s.mountPropagation", path);
	m->volume = (uint16_t)volume;
	m->read_only = json_bool(json_get(obj, "readOnly"), false) ||
		       spec_volume_is_files(s->volumes[volume].kind);
	return mount_place(s, obj, path, m, e);
}

static size_t mount_depth(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

/* A mount below another one comes after it; otherwise in the pod's order. */
static void mount_insert(struct spec_container *c, const struct spec_mount *m)
{
	uint32_t at = c->mount_count++;

	for (; at && mount_depth(c->mounts[at - 1].path) > mount_depth(m->path); at--)
		c->mounts[at] = c->mounts[at - 1];
	c->mounts[at] = *m;
}

int spec_mounts(struct pod_spec *s, const struct json *container, const char *path,
		struct spec_container *c, struct err *e)
{
	const struct json *mounts = json_get(container, "volumeMounts");
	struct json_iter it = json_iter(mounts);
	char where[SPEC_PATH_MAX + 32];
	uint32_t before = 0;

	if (!json_count(mounts))
		return 0;
	for (uint32_t i = 0; i < s->container_count; i++)
		before += s->containers[i].mount_count;
	c->mounts = spec_store(s, json_count(mounts), sizeof(*c->mounts));
	if (!c->mounts || before + json_count(mounts) > GUEST_MOUNTS_MAX)
		return err_set(e, -ENOTSUP, "%s.volumeMounts: more than %d mounts in a pod", path,
			       GUEST_MOUNTS_MAX);
	for (unsigned int i = 0; json_next(&it); i++) {
		struct spec_mount m = {0};
		int r;

		snprintf(where, sizeof(where), "%s.volumeMounts[%u]", path, i);
		r = mount_read(s, it.value, where, &m, e);
		if (r < 0 || !m.path) /* either says the other, which the analyser cannot know */
			return r;
		for (uint32_t k = 0; k < c->mount_count; k++)
			if (str_eq(c->mounts[k].path, m.path))
				return err_set(e, -EINVAL, "%s.mountPath: used twice", where);
		mount_insert(c, &m);
	}
	return 0;
}
