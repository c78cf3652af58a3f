// SPDX-License-Identifier: Apache-2.0
/*
 * ConfigMap and Secret: keys that may become file names, values that are what they say, sizes that a
 * host can carry, and none of it changed behind `immutable` (k8s.io/kubernetes, apis/core/validation).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/str.h"
#include "internal.h"
#include "pod.h"

#define DATA_BYTES_MAX ((size_t)1 << 20) /* core.MaxSecretSize */
#define KEY_MAX	       253
#define KEYS_MAX       8192 /* members are found by looking at each */
#define IMMUTABLE      "field is immutable when `immutable` is set"

/* What is wrong with a key, or NULL (apimachinery, IsConfigMapKey). */
const char *data_key_wrong(const char *key)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

	if (strlen(key) > KEY_MAX)
		return "must be no more than 253 characters";
	if (!*key || key[strspn(key, letters)])
		return "a valid config key must consist of alphanumeric characters, '-', '_' or "
		       "'.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for "
		       "validation is '[-._a-zA-Z0-9]+')";
	if (str_eq(key, "."))
		return "must not be '.'";
	if (str_eq(key, ".."))
		return "must not be '..'";
	return str_starts(key, "..") ? "must not start with '..'" : NULL;
}

static void check_key(struct api_call *c, const char *map, const char *key)
{
	const char *wrong = data_key_wrong(key);
	char quoted[128];

	snprintf(quoted, sizeof(quoted), "\"%.100s\"", key);
	if (wrong)
		field_invalid(c, quoted, wrong, "%s[%.150s]", map, key);
}

static bool too_many(struct api_call *c, const struct json *map, const char *field)
{
	if (json_count(map) > KEYS_MAX)
		field_forbidden(c, "may have 8192 keys", "%s", field);
	return json_count(map) > KEYS_MAX;
}

/* Values of null are empty, as Go reads them. */
static void no_nulls(struct json_doc *doc, struct json *map)
{
	struct json_iter it = json_iter(map);

	while (json_next(&it)) {
		if (json_type(it.value) == JSON_NULL) {
			json_put_str(doc, map, it.key, "");
			it = json_iter(map);
		}
	}
}

/* Bytes of a map of base64 texts. Return: false when one is none, which was answered. */
static bool count_bytes(struct api_call *c, const struct json *map, size_t *total)
{
	struct json_iter it = json_iter(map);
	bool ok = true;

	while (ok && json_next(&it)) {
		struct buf b;

		buf_init_secret(&b, 0);
		ok = base64_decode(&b, json_str(it.value, "")) == 0;
		*total += b.len;
		buf_done(&b);
		if (!ok)
			reply_fail(c, 400, "BadRequest",
				   "%s in version \"v1\" cannot be handled as a %s: illegal base64 "
				   "data in the value of \"%.100s\"",
				   c->kind->kind, c->kind->kind, it.key);
	}
	return ok;
}

/* An empty map equals one that is not there. */
static bool same_map(const struct json *a, const struct json *b)
{
	return (!json_count(a) && !json_count(b)) || json_equal(a, b);
}

static void check_immutable(struct api_call *c, const struct json *new, const struct json *old,
			    const char *const *maps)
{
	if (!json_bool(json_get(old, "immutable"), false))
		return;
	if (!json_bool(json_get(new, "immutable"), false))
		field_forbidden(c, IMMUTABLE, "immutable");
	for (; *maps; maps++) {
		if (!same_map(json_get(new, *maps), json_get(old, *maps)))
			field_forbidden(c, IMMUTABLE, "%s", *maps);
	}
}

void configmap_prepare(struct api_call *c, struct json_doc *doc, const struct json *old)
{
	static const char *const maps[] = {"data", "binaryData", NULL};
	struct json *root = json_root(doc), *data = json_get(root, "data");
	struct json *binary = json_get(root, "binaryData");
	struct json_iter it;
	size_t total = 0;

	if (too_many(c, data, "data") || too_many(c, binary, "binaryData"))
		return;
	no_nulls(doc, data);
	no_nulls(doc, binary);
	it = json_iter(data);
	while (json_next(&it)) {
		char quoted[128];

		check_key(c, "data", it.key);
		snprintf(quoted, sizeof(quoted), "\"%.100s\"", it.key);
		if (json_get(binary, it.key))
			field_invalid(c, quoted, "duplicate of key present in binaryData",
				      "data[%.150s]", it.key);
		total += strlen(json_str(it.value, ""));
	}
	it = json_iter(binary);
	while (json_next(&it))
		check_key(c, "binaryData", it.key);
	if (!count_bytes(c, binary, &total))
		return;
	if (total > DATA_BYTES_MAX)
		field_too_long(c, DATA_BYTES_MAX, "[]");
	if (old)
		check_immutable(c, root, old, maps);
}

/* stringData is for writing only: it ends in data. */
static void fold_strings(struct json_doc *doc, struct json *root)
{
	struct json *plain = json_get(root, "stringData"), *data;
	struct json_iter it;

	if (!plain)
		return;
	no_nulls(doc, plain);
	data = json_obj_of(doc, root, "data");
	it = json_iter(plain);
	while (json_next(&it)) {
		const char *text = json_str(it.value, "");
		struct buf b;

		buf_init_secret(&b, 0);
		base64_encode(&b, text, strlen(text));
		json_put_str(doc, data, it.key, buf_str(&b));
		buf_done(&b);
	}
	json_remove(root, "stringData");
}

/* A docker configuration: base64 of a JSON object. */
static void check_docker(struct api_call *c, const struct json *data, const char *key)
{
	struct json_doc *config = NULL;
	struct buf b;

	if (!json_get(data, key)) {
		field_required(c, "", "data[%s]", key);
		return;
	}
	buf_init_secret(&b, 0);
	base64_decode(&b, json_str(json_get(data, key), ""));
	if (json_parse(buf_str(&b), b.len, &config, NULL) < 0 || !json_is_obj(json_root(config)))
		field_invalid(c, "\"<secret contents redacted>\"", "it is not a JSON object",
			      "data[%s]", key);
	json_doc_free(config);
	buf_done(&b);
}

static void check_secret_type(struct api_call *c, const struct json *root)
{
	static const char account[] = "kubernetes.io/service-account.name";
	static const struct {
		const char *type, *needs[2];
		bool one_is_enough;
	} types[] = {
		{"kubernetes.io/basic-auth", {"username", "password"}, true},
		{"kubernetes.io/ssh-auth", {"ssh-privatekey", NULL}, false},
		{"kubernetes.io/tls", {"tls.crt", "tls.key"}, false},
	};
	const char *type = json_str(json_get(root, "type"), "");
	const struct json *data = json_get(root, "data");

	if (str_eq(type, "kubernetes.io/dockerconfigjson"))
		check_docker(c, data, ".dockerconfigjson");
	else if (str_eq(type, "kubernetes.io/dockercfg"))
		check_docker(c, data, ".dockercfg");
	else if (str_eq(type, "kubernetes.io/service-account-token") &&
		 !*json_str(json_at(root, "metadata", "annotations", account, NULL), ""))
		field_required(c, "", "metadata.annotations[%s]", account);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		bool some = false;

		if (!str_eq(types[i].type, type))
			continue;
		for (size_t n = 0; n < 2 && types[i].needs[n]; n++)
			some |= json_get(data, types[i].needs[n]) != NULL;
		for (size_t n = 0; n < 2 && types[i].needs[n]; n++) {
			if (!json_get(data, types[i].needs[n]) && !(some && types[i].one_is_enough))
				field_required(c, "", "data[%s]", types[i].needs[n]);
		}
	}
}

void secret_prepare(struct api_call *c, struct json_doc *doc, const struct json *old)
{
	static const char *const maps[] = {"data", NULL};
	struct json *root = json_root(doc);
	const char *was = json_str(json_get(old, "type"), "Opaque");
	struct json_iter it;
	size_t total = 0;

	if (!*json_str(json_get(root, "type"), ""))
		json_put_str(doc, root, "type", was);
	if (too_many(c, json_get(root, "data"), "data") ||
	    too_many(c, json_get(root, "stringData"), "stringData"))
		return;
	no_nulls(doc, json_get(root, "data"));
	fold_strings(doc, root);
	if (!count_bytes(c, json_get(root, "data"), &total))
		return;
	it = json_iter(json_get(root, "data"));
	while (json_next(&it))
		check_key(c, "data", it.key);
	if (total > DATA_BYTES_MAX)
		field_too_long(c, DATA_BYTES_MAX, "data");
	check_secret_type(c, root);
	if (!old)
		return;
	if (!str_eq(json_str(json_get(root, "type"), ""), was)) {
		char quoted[128];

		snprintf(quoted, sizeof(quoted), "\"%.100s\"",
			 json_str(json_get(root, "type"), ""));
		field_invalid(c, quoted, "field is immutable", "type");
	}
	check_immutable(c, root, old, maps);
}
