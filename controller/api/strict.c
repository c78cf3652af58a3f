// SPDX-License-Identifier: Apache-2.0
/*
 * Field names and types of what clients send. A wrong type is refused always; an unknown name is
 * refused, warned of or ignored, as the client's fieldValidation says (Strict, Warn, Ignore). The
 * schema covers metadata of every kind, and the whole of those that users write (as of 1.32).
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/quantity.h"
#include "base/str.h"
#include "internal.h"
#include "schema.h"

#define UNKNOWN_MAX 16

struct check {
	struct api_call *call;
	struct buf unknown; /* `unknown field "a", unknown field "b"` */
	size_t unknown_count;
	char wrong[400]; /* the first wrong type */
};

static const char *type_word(const struct json *v)
{
	switch (json_type(v)) {
	case JSON_STR:
		return "string";
	case JSON_INT:
	case JSON_REAL:
		return "number";
	case JSON_BOOL:
		return "bool";
	case JSON_ARR:
		return "array";
	case JSON_OBJ:
		return "object";
	case JSON_NONE:
	case JSON_NULL:
		break;
	}
	return "null";
}

static void wrong_type(struct check *k, const struct json *v, const char *path, const char *want)
{
	if (!*k->wrong)
		snprintf(k->wrong, sizeof(k->wrong),
			 "json: cannot unmarshal %s into Go struct field %s of type %s",
			 type_word(v), path + (*path == '.'), want);
}

static void check_object(struct check *k, const struct json *v, const struct schema *s,
			 const char *path);

static void check_quantity(struct check *k, const struct json *v, const char *path)
{
	int64_t n;

	if (json_type(v) == JSON_INT || json_type(v) == JSON_REAL)
		return;
	if (!json_is_str(v))
		wrong_type(k, v, path, "resource.Quantity");
	else if (quantity_parse(json_str(v, ""), 1, &n) < 0 && !*k->wrong)
		snprintf(k->wrong, sizeof(k->wrong),
			 "quantities must match the regular expression "
			 "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
}

static void check_value(struct check *k, const struct json *v, const struct schema *f,
			const char *path)
{
	struct json_iter it;
	char sub[256];

	if (json_type(v) == JSON_NULL)
		return;
	switch (f->type) {
	case SCHEMA_STRING:
		if (!json_is_str(v))
			wrong_type(k, v, path, "string");
		break;
	case SCHEMA_INT:
		if (json_type(v) != JSON_INT)
			wrong_type(k, v, path, "int64");
		break;
	case SCHEMA_BOOL:
		if (json_type(v) != JSON_BOOL)
			wrong_type(k, v, path, "bool");
		break;
	case SCHEMA_INT_OR_STRING:
		if (!json_is_str(v) && json_type(v) != JSON_INT)
			wrong_type(k, v, path, "intstr.IntOrString");
		break;
	case SCHEMA_QUANTITY:
		check_quantity(k, v, path);
		break;
	case SCHEMA_ANY:
		break;
	case SCHEMA_OBJECT:
		if (!json_is_obj(v))
			wrong_type(k, v, path, "object");
		check_object(k, v, f->sub, path);
		break;
	case SCHEMA_MAP:
	case SCHEMA_LIST:
		if (f->type == SCHEMA_MAP ? !json_is_obj(v) : !json_is_arr(v))
			wrong_type(k, v, path, f->type == SCHEMA_MAP ? "map" : "[]");
		it = json_iter(v);
		for (size_t i = 0; json_next(&it); i++) {
			if (it.key)
				snprintf(sub, sizeof(sub), "%s.%s", path, it.key);
			else
				snprintf(sub, sizeof(sub), "%s[%zu]", path, i);
			check_value(k, it.value, f->sub, sub);
		}
		break;
	}
}

static void check_object(struct check *k, const struct json *v, const struct schema *s,
			 const char *path)
{
	struct json_iter it = json_iter(v);
	char sub[256];

	while (json_next(&it)) {
		const struct schema *f = s;

		while (f->name && !str_eq(f->name, it.key))
			f++;
		snprintf(sub, sizeof(sub), "%s.%s", path, it.key);
		if (f->name)
			check_value(k, it.value, f, sub);
		else if (k->unknown_count++ < UNKNOWN_MAX)
			buf_printf(&k->unknown, "%sunknown field \"%s\"",
				   k->unknown.len ? ", " : "", sub + 1);
	}
}

static bool report(struct check *k)
{
	struct api_call *c = k->call;
	const char *mode = query_get(&c->query, "fieldValidation");
	char version[64];

	kind_api_version(c->kind, version, sizeof(version));
	if (*k->wrong) {
		reply_fail(c, 400, "BadRequest",
			   "%s in version \"%s\" cannot be handled as a %s: %s", c->kind->kind,
			   c->kind->version, c->kind->kind, k->wrong);
		return false;
	}
	if (!k->unknown.len || (mode && str_eq(mode, "Ignore")))
		return true;
	if (mode && str_eq(mode, "Strict")) {
		reply_fail(
			c, 400, "BadRequest",
			"%s in version \"%s\" cannot be handled as a %s: strict decoding error: %s",
			c->kind->kind, c->kind->version, c->kind->kind, buf_str(&k->unknown));
		return false;
	}
	if (mode || !user_node(c->user))
		reply_warn(c, "%s", buf_str(&k->unknown));
	return true;
}

static void drop_nulls(struct json *v, const struct schema *s);

static void drop_in(struct json *v, const struct schema *f)
{
	struct json_iter it = json_iter(v);

	if (f->type == SCHEMA_OBJECT)
		drop_nulls(v, f->sub);
	while ((f->type == SCHEMA_LIST || f->type == SCHEMA_MAP) && json_next(&it))
		drop_in(it.value, f->sub);
}

/* A member of null is one that is not there; in a map it is an empty value, which its kind knows. */
static void drop_nulls(struct json *v, const struct schema *s)
{
	for (; s->name; s++) {
		struct json *member = json_get(v, s->name);

		if (json_type(member) == JSON_NULL)
			json_remove(v, s->name);
		else if (member)
			drop_in(member, s);
	}
}

bool strict_check(struct api_call *c, struct json *root)
{
	static const struct schema metadata = OBJ("metadata", schema_metadata);
	struct check k = {.call = c, .unknown = BUF_INIT(0)};
	struct json_iter it = json_iter(root);
	bool ok;

	if (c->kind->schema) {
		drop_nulls(root, c->kind->schema);
		check_object(&k, root, c->kind->schema, "");
	} else {
		while (json_next(&it)) {
			if (str_eq(it.key, "metadata"))
				check_value(&k, it.value, &metadata, ".metadata");
		}
	}
	ok = report(&k);
	buf_done(&k.unknown);
	return ok;
}
