// SPDX-License-Identifier: Apache-2.0
/* What names, labels and annotations may look like (apimachinery, util/validation). */
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "base/str.h"
#include "internal.h"

#define LABEL_RE "[a-z0-9]([-a-z0-9]*[a-z0-9])?"

const char name_label_rule[] =
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
	"must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
	"used for validation is '" LABEL_RE "')";
const char name_subdomain_rule[] =
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
	"'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
	"for validation is '" LABEL_RE "(\\." LABEL_RE ")*')";
const char name_qualified_rule[] =
	"name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
	"with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
	"validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const char name_label_value_rule[] =
	"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
	"'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
	"or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

static bool is_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool label_ok(const char *s, size_t len)
{
	if (!len || len > 63 || !is_lower(s[0]) || !is_lower(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_lower(s[i]) && s[i] != '-')
			return false;
	}
	return true;
}

bool name_is_label(const char *s)
{
	return label_ok(s, strlen(s));
}

bool name_is_subdomain(const char *s)
{
	if (strlen(s) > 253)
		return false;
	for (;;) {
		size_t len = strcspn(s, ".");

		if (!len || !is_lower(s[0]) || !is_lower(s[len - 1]))
			return false;
		for (size_t i = 0; i < len; i++) {
			if (!is_lower(s[i]) && s[i] != '-')
				return false;
		}
		if (!s[len])
			return true;
		s += len + 1;
	}
}

static bool loose_ok(const char *s)
{
	size_t len = strlen(s);

	if (!len || len > 63 || !is_alnum(s[0]) || !is_alnum(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_alnum(s[i]) && !strchr("-_.", s[i]))
			return false;
	}
	return true;
}

/* [prefix/]name: a label's or annotation's key. */
bool name_is_qualified(const char *s)
{
	const char *slash = strchr(s, '/');
	char prefix[API_NAME_MAX];

	if (!slash)
		return loose_ok(s);
	if ((size_t)(slash - s) >= sizeof(prefix))
		return false;
	memcpy(prefix, s, (size_t)(slash - s));
	prefix[slash - s] = '\0';
	return name_is_subdomain(prefix) && loose_ok(slash + 1);
}

bool name_is_label_value(const char *s)
{
	return !*s || loose_ok(s);
}

#define ANNOTATIONS_BYTES_MAX ((size_t)256 << 10)

void name_random(char out[NAME_RANDOM_SIZE])
{
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
	unsigned char r[NAME_RANDOM_SIZE - 1];

	random_fill(r, sizeof(r));
	for (size_t i = 0; i < sizeof(r); i++)
		out[i] = letters[r[i] % (sizeof(letters) - 1)];
	out[sizeof(r)] = '\0';
}

static void check_map(struct api_call *c, const struct json *map, const char *field, bool labels)
{
	struct json_iter it = json_iter(map);
	char quoted[128];
	size_t total = 0;

	while (json_next(&it)) {
		total += strlen(it.key) + strlen(json_str(it.value, ""));
		snprintf(quoted, sizeof(quoted), "\"%.100s\"", it.key);
		if (!name_is_qualified(it.key))
			field_invalid(c, quoted, name_qualified_rule, "%s", field);
		snprintf(quoted, sizeof(quoted), "\"%.100s\"", json_str(it.value, ""));
		if (labels && !name_is_label_value(json_str(it.value, "")))
			field_invalid(c, quoted, name_label_value_rule, "%s", field);
	}
	if (!labels && total > ANNOTATIONS_BYTES_MAX)
		field_too_long(c, ANNOTATIONS_BYTES_MAX, "%s", field);
}

/* Names, labels and annotations of any object. */
void check_meta(struct api_call *c, const struct json *meta)
{
	const char *name = json_str(json_get(meta, "name"), "");
	char quoted[128];

	snprintf(quoted, sizeof(quoted), "\"%.100s\"", name);
	if (!*name)
		field_required(c, "name or generateName is required", "metadata.name");
	else if (str_eq(c->kind->plural, "namespaces") ? !name_is_label(name)
						       : !name_is_subdomain(name))
		field_invalid(c, quoted,
			      str_eq(c->kind->plural, "namespaces") ? name_label_rule
								    : name_subdomain_rule,
			      "metadata.name");
	check_map(c, json_get(meta, "labels"), "metadata.labels", true);
	check_map(c, json_get(meta, "annotations"), "metadata.annotations", false);
}
