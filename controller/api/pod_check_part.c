// SPDX-License-Identifier: Apache-2.0
/* The small checks that those of pods are made of. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "internal.h"
#include "pod.h"

#define PORT_RULE "must be between 1 and 65535, inclusive"

void part_string(struct api_call *c, const char *value, const char *rule, const char *path)
{
	char quoted[128];

	snprintf(quoted, sizeof(quoted), "\"%.100s\"", value);
	field_invalid(c, quoted, rule, "%s", path);
}

static bool one_of(const char *const *allowed, const char *value)
{
	for (; *allowed; allowed++) {
		if (str_eq(*allowed, value))
			return true;
	}
	return false;
}

void part_enum(struct api_call *c, const struct json *o, const char *key,
	       const char *const *allowed, const char *path)
{
	const char *value = json_str(json_get(o, key), "");

	if (json_get(o, key) && !one_of(allowed, value))
		field_unsupported(c, value, allowed, "%s.%s", path, key);
}

void part_label(struct api_call *c, const char *name, const char *path)
{
	if (!*name)
		field_required(c, "", "%s", path);
	else if (!name_is_label(name))
		part_string(c, name, name_label_rule, path);
}

void part_int(struct api_call *c, const struct json *o, const char *key, int64_t min, int64_t max,
	      const char *rule, const char *path)
{
	int64_t v = json_int(json_get(o, key), min);
	char value[32];

	snprintf(value, sizeof(value), "%lld", (long long)v);
	if (v < min || v > max)
		field_invalid(c, value, rule, "%s.%s", path, key);
}

/* apimachinery, IsValidPortName */
void part_port_name(struct api_call *c, const char *name, const char *path)
{
	size_t len = strlen(name);

	if (len > 15)
		part_string(c, name, "must be no more than 15 characters", path);
	if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")])
		part_string(c, name,
			    "must contain only alpha-numeric characters (a-z, 0-9), and hyphens "
			    "(-)",
			    path);
	if (!strpbrk(name, "abcdefghijklmnopqrstuvwxyz"))
		part_string(c, name, "must contain at least one letter (a-z)", path);
	if (strstr(name, "--"))
		part_string(c, name, "must not contain consecutive hyphens", path);
	if (len && (name[0] == '-' || name[len - 1] == '-'))
		part_string(c, name, "must not begin or end with a hyphen", path);
}

void part_port(struct api_call *c, const struct json *v, const char *path)
{
	int64_t port = json_int(v, 0);
	char value[32];

	snprintf(value, sizeof(value), "%lld", (long long)port);
	if (json_is_str(v))
		part_port_name(c, json_str(v, ""), path);
	else if (port < 1 || port > 65535)
		field_invalid(c, value, PORT_RULE, "%s", path);
}

void part_relative(struct api_call *c, const char *file, const char *path)
{
	const char *at = file;

	if (*file == '/')
		part_string(c, file, "must be a relative path", path);
	while (at) {
		size_t len = strcspn(at, "/");

		if (len == 2 && memcmp(at, "..", 2) == 0) {
			part_string(c, file, "must not contain '..'", path);
			return;
		}
		at = at[len] ? at + len + 1 : NULL;
	}
}

bool part_seen(const struct json *list, size_t index, const char *key)
{
	const struct json *v = json_get(json_item(list, index), key);
	struct json_iter it = json_iter(list);

	while (v && index-- && json_next(&it)) {
		if (json_equal(json_get(it.value, key), v))
			return true;
	}
	return false;
}

bool part_named(const struct json *list, const char *name)
{
	struct json_iter it = json_iter(list);

	while (json_next(&it)) {
		if (str_eq(json_str(json_get(it.value, "name"), ""), name))
			return true;
	}
	return false;
}
