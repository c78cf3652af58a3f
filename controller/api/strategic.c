// SPDX-License-Identifier: Apache-2.0
/*
 * Strategic merge patch (apimachinery, util/strategicpatch): a merge patch that knows which lists
 * are sets of objects with a key, and that carries directives. The real server reads the keys from
 * struct tags; the names of the few lists that have one are unambiguous, so a table by name is enough.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

#define ORDER_PREFIX  "$setElementOrder/"
#define DELETE_PREFIX "$deleteFromPrimitiveList/"

static const struct {
	const char *field, *key;
} merge_keys[] = {
	{"containers", "name"},
	{"initContainers", "name"},
	{"ephemeralContainers", "name"},
	{"env", "name"},
	{"volumes", "name"},
	{"imagePullSecrets", "name"},
	{"secrets", "name"},
	{"ports", "containerPort"},
	{"volumeMounts", "mountPath"},
	{"volumeDevices", "devicePath"},
	{"hostAliases", "ip"},
	{"podIPs", "ip"},
	{"hostIPs", "ip"},
	{"conditions", "type"},
	{"addresses", "type"},
	{"topologySpreadConstraints", "topologyKey"},
	{"ownerReferences", "uid"},
};

static const char *merge_key(const char *field)
{
	for (size_t i = 0; i < ARRAY_SIZE(merge_keys); i++) {
		if (str_eq(merge_keys[i].field, field))
			return merge_keys[i].key;
	}
	return NULL;
}

static struct json *merge_object(struct json_doc *doc, struct json *target,
				 const struct json *patch);

static const char *directive(const struct json *v)
{
	return json_str(json_get(v, "$patch"), "");
}

/* Index of the element of @arr whose @key equals that of @like, or -1. */
static long find_item(const struct json *arr, const char *key, const struct json *like)
{
	const struct json *want = json_is_obj(like) ? json_get(like, key) : like;
	struct json_iter it = json_iter(arr);

	for (long i = 0; json_next(&it); i++) {
		const struct json *have = json_is_obj(it.value) ? json_get(it.value, key)
								: it.value;

		if (have && want && json_equal(have, want))
			return i;
	}
	return -1;
}

/* A keyed list: elements merge with the one of the same key or are appended. */
static struct json *merge_list(struct json_doc *doc, struct json *target, const char *key,
			       const struct json *patch)
{
	struct json_iter it = json_iter(patch);
	bool replace = false;

	while (json_next(&it))
		replace |= json_is_obj(it.value) && str_eq(directive(it.value), "replace") &&
			   json_count(it.value) == 1;
	if (replace || !json_is_arr(target))
		target = json_new_arr(doc);
	it = json_iter(patch);
	while (json_next(&it)) {
		const char *what = directive(it.value);
		long at = find_item(target, key, it.value);

		if (str_eq(what, "replace") && json_count(it.value) == 1)
			continue;
		if (str_eq(what, "delete")) {
			if (at >= 0)
				json_remove_item(target, (size_t)at);
		} else if (at >= 0) {
			struct json *old = json_item(target, (size_t)at);
			struct json *new = merge_object(doc, old, it.value);

			if (new != old)
				json_replace_item(target, (size_t)at, new);
		} else {
			json_push(doc, target, merge_object(doc, NULL, it.value));
		}
	}
	return target;
}

/* A list of plain values that is a set. */
static struct json *merge_set(struct json_doc *doc, struct json *target, const struct json *patch)
{
	struct json_iter it = json_iter(patch);

	if (!json_is_arr(target))
		target = json_new_arr(doc);
	while (json_next(&it)) {
		if (find_item(target, "", it.value) < 0)
			json_push(doc, target, json_copy(doc, it.value));
	}
	return target;
}

static struct json *merge_value(struct json_doc *doc, const char *field, struct json *old,
				const struct json *patch)
{
	const char *key = merge_key(field);

	if (json_is_obj(patch))
		return merge_object(doc, old, patch);
	if (json_is_arr(patch) && str_eq(field, "finalizers"))
		return merge_set(doc, old, patch);
	if (json_is_arr(patch) && key && !json_count(patch) && json_is_arr(old))
		return old;
	if (json_is_arr(patch) && key && json_is_obj(json_item(patch, 0)) &&
	    (json_get(json_item(patch, 0), key) || *directive(json_item(patch, 0))))
		return merge_list(doc, old, key, patch);
	return json_copy(doc, patch);
}

/* $deleteFromPrimitiveList/field: [values] */
static void delete_values(struct json *target, const char *field, const struct json *values)
{
	struct json *list = json_get(target, field);
	struct json_iter it = json_iter(values);

	while (json_next(&it)) {
		long at;

		while ((at = find_item(list, "", it.value)) >= 0)
			json_remove_item(list, (size_t)at);
	}
}

/*
 * $setElementOrder/field: the listed elements in that order; one that only the server has stays
 * behind the element that it stood behind.
 */
static void set_order(struct json_doc *doc, struct json *target, const char *field,
		      const struct json *order)
{
	const char *key = merge_key(field);
	struct json *old = json_get(target, field), *new = json_new_arr(doc);
	struct json_iter it = json_iter(order);

	if (!json_is_arr(old) || !json_is_arr(order))
		return;
	key = key ? key : "";
	for (size_t i = 0; i < json_count(old); i++) { /* unlisted ones at the head */
		struct json *v = json_item(old, i);

		if (find_item(order, key, v) >= 0)
			break;
		json_push(doc, new, json_copy(doc, v));
	}
	while (json_next(&it)) {
		long at = find_item(old, key, it.value);

		if (at < 0 || find_item(new, key, it.value) >= 0)
			continue;
		do {
			json_push(doc, new, json_copy(doc, json_item(old, (size_t)at)));
			at++;
		} while ((size_t)at < json_count(old) &&
			 find_item(order, key, json_item(old, (size_t)at)) < 0);
	}
	json_put(doc, target, field, new);
}

/* $retainKeys: [names]: every other member goes. */
static void retain_keys(struct json *target, const struct json *keys)
{
	for (bool again = true; again;) {
		struct json_iter it = json_iter(target);

		again = false;
		while (!again && json_next(&it)) {
			bool keep = false;

			for (size_t i = 0; i < json_count(keys) && !keep; i++)
				keep = str_eq(json_str(json_item(keys, i), ""), it.key);
			if (!keep)
				again = json_remove(target, it.key);
		}
	}
}

/* Return: the merged object, @target itself where it is one. */
static struct json *merge_object(struct json_doc *doc, struct json *target,
				 const struct json *patch)
{
	struct json_iter it = json_iter(patch);
	const char *field;

	if (!json_is_obj(patch))
		return json_copy(doc, patch);
	if (!json_is_obj(target) || str_eq(directive(patch), "replace"))
		target = json_new_obj(doc);
	while (json_next(&it)) {
		if ((field = str_starts(it.key, DELETE_PREFIX)))
			delete_values(target, field, it.value);
		if (*it.key == '$')
			continue;
		if (json_type(it.value) == JSON_NULL || str_eq(directive(it.value), "delete"))
			json_remove(target, it.key);
		else
			json_put(doc, target, it.key,
				 merge_value(doc, it.key, json_get(target, it.key), it.value));
	}
	it = json_iter(patch);
	while (json_next(&it)) {
		if ((field = str_starts(it.key, ORDER_PREFIX)))
			set_order(doc, target, field, it.value);
		else if (str_eq(it.key, "$retainKeys"))
			retain_keys(target, it.value);
	}
	return target;
}

int patch_strategic(struct json_doc *doc, const struct json *patch, struct err *e)
{
	if (!json_is_obj(patch))
		return err_set(e, -EBADMSG, "a strategic merge patch must be an object");
	json_set_root(doc, merge_object(doc, json_root(doc), patch));
	return 0;
}
