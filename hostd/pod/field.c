// SPDX-License-Identifier: Apache-2.0
/*
 * The downward API: what a pod may know of itself. Values and their spelling are a kubelet's
 * (pkg/fieldpath, pkg/api/v1/resource): resources are rounded up to the divisor, a limit that is not
 * set is what the node can give, maps are one line a key, sorted, the value quoted as Go quotes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "pod/impl.h"

#define FIELD_KEYS_MAX 4096

static const struct json *field_map(const struct pod *p, const char *path)
{
	const char *member = strchr(path, '.') + 1;

	if (p->fields)
		return json_get(json_root(p->fields), member);
	return json_at(json_root(p->spec->doc), "metadata", member, NULL);
}

static int field_quoted(struct buf *out, const char *text)
{
	static const char named[] = "\aa\bb\ff\nn\rr\tt\vv\\\\\"\"";
	int r = buf_puts(out, "\"");

	for (; r == 0 && *text; text++) {
		unsigned char c = (unsigned char)*text;
		const char *hit = NULL;

		for (const char *n = named; *n && !hit; n += 2)
			if (*n == *text)
				hit = n;
		if (hit)
			r = buf_printf(out, "\\%c", hit[1]);
		else if (c < ' ' || c == 0x7f)
			r = buf_printf(out, "\\x%02x", c);
		else
			r = buf_append(out, text, 1);
	}
	return r < 0 ? r : buf_puts(out, "\"");
}

static int field_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int field_map_text(const struct json *map, struct buf *out)
{
	size_t count = MIN(json_count(map), (size_t)FIELD_KEYS_MAX), n = 0;
	_cleanup_free_ const char **keys = mem_array(count + 1, sizeof(*keys));
	struct json_iter it = json_iter(map);
	int r = 0;

	while (json_is_obj(map) && n < count && json_next(&it))
		keys[n++] = it.key;
	qsort(keys, n, sizeof(*keys), field_compare);
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = buf_printf(out, "%s%s=", i ? "\n" : "", keys[i]);
		if (r == 0)
			r = field_quoted(out, json_str(json_get(map, keys[i]), ""));
	}
	return r;
}

/* Return: the value in thousandths for cpu, else in bytes */
static uint64_t field_quantity(const struct pod *p, const struct spec_container *c,
			       const char *resource)
{
	const struct pods_config *node = &p->pods->config;
	bool limit = str_starts(resource, "limits.") != NULL;

	if (str_ends(resource, ".cpu")) {
		if (limit)
			return c->cpu_limit ? c->cpu_limit : node->cpus * 1000ULL;
		return c->cpu_request;
	}
	if (str_ends(resource, ".memory")) {
		if (limit)
			return c->memory_limit ? c->memory_limit : node->memory_bytes;
		return c->memory_request;
	}
	if (limit)
		return c->storage_limit ? c->storage_limit : node->scratch_bytes;
	return c->storage_request ? c->storage_request : c->storage_limit;
}

static int field_resource(const struct pod *p, const struct spec_field *f, uint32_t index,
			  struct buf *out, struct err *e)
{
	uint64_t value;

	for (uint32_t i = 0; *f->container && i < p->spec->container_count; i++)
		if (str_eq(p->spec->containers[i].name, f->container))
			index = i;
	if (index >= p->spec->container_count ||
	    (*f->container && !str_eq(p->spec->containers[index].name, f->container)))
		return err_set(e, -EINVAL, "container %s not found", f->container);
	value = field_quantity(p, &p->spec->containers[index], f->resource);
	value = value / f->divisor + (value % f->divisor != 0);
	return buf_printf(out, "%llu", (unsigned long long)value);
}

int field_text(const struct pod *p, const struct spec_field *f, uint32_t index, struct buf *out,
	       struct err *e)
{
	const struct {
		const char *path, *value;
	} fields[] = {
		{"metadata.name", p->meta.name},
		{"metadata.namespace", p->meta.ns},
		{"metadata.uid", p->meta.uid},
		{"spec.nodeName", p->pods->config.node_name},
		{"spec.serviceAccountName", p->spec->service_account},
		{"status.hostIP", p->pods->config.host_ip},
		{"status.hostIPs", p->pods->config.host_ip},
		{"status.podIP", p->ip},
		{"status.podIPs", p->ip},
	};

	if (!f->path)
		return field_resource(p, f, index, out, e);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (str_eq(f->path, fields[i].path))
			return buf_puts(out, fields[i].value);
	if (f->key)
		return buf_puts(out, json_str(json_get(field_map(p, f->path), f->key), ""));
	return field_map_text(field_map(p, f->path), out);
}
