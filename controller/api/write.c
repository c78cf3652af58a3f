// SPDX-License-Identifier: Apache-2.0
/*
 * create, update and patch. All three end in rest_store(): metadata that the server owns is put
 * right, the kind's defaults and checks run, the store decides about versions.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "account.h"
#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

static bool dry_run(const struct api_call *c)
{
	const char *v = query_get(&c->query, "dryRun");

	return v && str_eq(v, "All");
}

/* Kind and version of the body must be those of the path. Return: false when it answered. */
static bool check_type(struct api_call *c, struct json_doc *doc)
{
	char version[64];
	struct json *root = json_root(doc);
	const char *kind = json_str(json_get(root, "kind"), c->kind->kind);
	const char *have = json_str(json_get(root, "apiVersion"), "");

	kind_api_version(c->kind, version, sizeof(version));
	if (!json_is_obj(root)) {
		reply_fail(c, 400, "BadRequest", "the body must be a JSON object");
		return false;
	}
	if (!str_eq(kind, c->kind->kind) || (*have && !str_eq(have, version))) {
		reply_fail(
			c, 400, "BadRequest",
			"the API version in the data (%s, kind %.60s) does not match the expected "
			"API version (%s, kind %s)",
			*have ? have : version, kind, version, c->kind->kind);
		return false;
	}
	json_put_str(doc, root, "kind", c->kind->kind);
	json_put_str(doc, root, "apiVersion", version);
	return true;
}

static bool check_namespace(struct api_call *c, struct json_doc *doc, struct json *meta)
{
	const char *ns = json_str(json_get(meta, "namespace"), "");

	if (!c->kind->namespaced) {
		json_remove(meta, "namespace");
		return true;
	}
	if (*ns && !str_eq(ns, c->namespace)) {
		reply_fail(c, 400, "BadRequest",
			   "the namespace of the provided object does not match the namespace sent "
			   "on the request");
		return false;
	}
	json_put_str(doc, meta, "namespace", c->namespace);
	return true;
}

/* What only the server may write. */
static void clean_meta(struct json *meta)
{
	static const char *const keys[] = {"managedFields", "selfLink"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		json_remove(meta, keys[i]);
}

/* generateName: the prefix and a random tail. */
static void generate_name(struct json_doc *doc, struct json *meta)
{
	const char *prefix = json_str(json_get(meta, "generateName"), "");
	char tail[NAME_RANDOM_SIZE];

	if (*json_str(json_get(meta, "name"), "") || !*prefix)
		return;
	name_random(tail);
	json_put_fmt(doc, meta, "name", "%.240s%s", prefix, tail);
}

static bool namespace_open(struct api_call *c)
{
	struct store_object *ns;
	struct json *meta;

	if (!c->kind->namespaced)
		return true;
	ns = store_get(c->store, "namespaces", "", c->namespace);
	if (!ns) {
		c->kind = kind_find("", "v1", "namespaces");
		reply_not_found(c, c->namespace);
		return false;
	}
	meta = json_get(json_root(ns->doc), "metadata");
	if (json_get(meta, "deletionTimestamp")) {
		reply_fail(c, 403, "Forbidden",
			   "%s \"%s\" is forbidden: unable to create new content in namespace %s "
			   "because it is being terminated",
			   c->kind->plural, c->name, c->namespace);
		return false;
	}
	return true;
}

/* The main resource and its status are written apart; metadata is the main resource's. */
static void split_status(const struct api_call *c, struct json_doc *doc, const struct json *old)
{
	struct json *root = json_root(doc);
	static const char *const kept[] = {"metadata", "spec"};

	if (!c->kind->has_status || (!old && c->kind->status_at_create))
		return;
	if (!*c->sub) {
		json_put(doc, root, "status", old ? json_copy(doc, json_get(old, "status")) : NULL);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		json_put(doc, root, kept[i], json_copy(doc, json_get(old, kept[i])));
	if (str_eq(c->sub, "approval")) { /* conditions are all it may change */
		struct json *conditions =
			json_copy(doc, json_at(root, "status", "conditions", NULL));

		json_put(doc, root, "status", json_copy(doc, json_get(old, "status")));
		json_put(doc, json_obj_of(doc, root, "status"), "conditions", conditions);
	}
}

/* What an update may not touch keeps its value; a deletion goes on. */
static void keep_meta(struct json_doc *doc, struct json *meta, const struct json *old)
{
	static const char *const keys[] = {"deletionTimestamp", "deletionGracePeriodSeconds",
					   "generation", "generateName"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		json_put(doc, meta, keys[i], json_copy(doc, json_get(old, keys[i])));
}

/* An object that waited only for its finalizers goes when the last one does. */
static bool finished(struct json *meta)
{
	return json_get(meta, "deletionTimestamp") && !json_count(json_get(meta, "finalizers")) &&
	       json_int(json_get(meta, "deletionGracePeriodSeconds"), -1) == 0;
}

static void answer_new(struct api_call *c, struct json_doc *doc)
{
	struct store_object *o;
	struct err e = ERR_INIT;
	int r;

	if (dry_run(c)) {
		if (store_get(c->store, c->kind->plural, c->namespace, c->name))
			reply_store_error(c, -EEXIST, &e);
		else
			reply_doc(c, 201, json_root(doc));
		json_doc_free(doc);
		return;
	}
	r = store_create(c->store, c->kind->plural, c->namespace, c->name, doc, &o, &e);
	if (r < 0) {
		reply_store_error(c, r, &e);
		return;
	}
	reply_object(c, 201, o);
	if (str_eq(c->kind->plural, "namespaces"))
		account_fill_namespace(c->store, c->site, c->name, NULL);
}

static void answer_changed(struct api_call *c, struct json_doc *doc, struct store_object *old,
			   uint64_t rev)
{
	struct json *meta = json_get(json_root(doc), "metadata");
	struct store_object *o;
	struct err e = ERR_INIT;
	bool gone = finished(meta);
	int r;

	if (rev && rev != old->rev) {
		json_doc_free(doc);
		reply_store_error(c, -ESTALE, &e);
		return;
	}
	if (dry_run(c)) {
		json_put(doc, meta, "resourceVersion",
			 json_copy(doc, json_at(json_root(old->doc), "metadata", "resourceVersion",
						NULL)));
		reply_doc(c, 200, json_root(doc));
		json_doc_free(doc);
		return;
	}
	r = store_update(c->store, c->kind->plural, c->namespace, c->name, rev, doc, &o, &e);
	if (r < 0) {
		reply_store_error(c, r, &e);
		return;
	}
	reply_object(c, 200, o);
	if (gone)
		store_delete(c->store, c->kind->plural, c->namespace, c->name, 0, &e);
}

void rest_store(struct api_call *c, struct json_doc *doc, struct store_object *old, uint64_t rev)
{
	const struct json *was = old ? json_root(old->doc) : NULL;
	struct json *meta = json_obj_of(doc, json_root(doc), "metadata");

	clean_meta(meta);
	if (old)
		keep_meta(doc, meta, json_get(was, "metadata"));
	split_status(c, doc, was);
	meta = json_obj_of(doc, json_root(doc), "metadata");
	if (!old && c->kind->has_generation)
		json_put_int(doc, meta, "generation", 1);
	if (!*c->sub) {
		check_meta(c, meta);
		if (c->kind->prepare)
			c->kind->prepare(c, doc, was);
	} else if (c->kind->prepare_status) {
		c->kind->prepare_status(c, doc, was);
	}
	if (c->reply.status || c->error_count) {
		if (!c->reply.status)
			reply_invalid(c);
		json_doc_free(doc);
	} else if (old) {
		answer_changed(c, doc, old, rev);
	} else {
		answer_new(c, doc);
	}
}

/* Where the URL has a name the body must have it, too; that of an apply may leave it out. Return: false when it answered. */
static bool check_url_name(struct api_call *c, struct json_doc *doc, struct json *meta)
{
	const char *name = json_str(json_get(meta, "name"), "");

	if (!*c->name || str_eq(name, c->name))
		return true;
	if (*name || c->verb != VERB_PATCH) {
		reply_fail(
			c, 400, "BadRequest",
			"the name of the object (%.100s) does not match the name on the URL (%s)",
			name, c->name);
		return false;
	}
	json_put_str(doc, meta, "name", c->name);
	return true;
}

void rest_create(struct api_call *c)
{
	static const char *const unset[] = {"uid",
					    "resourceVersion",
					    "creationTimestamp",
					    "deletionTimestamp",
					    "deletionGracePeriodSeconds",
					    "generation"};
	struct json_doc *doc = NULL;
	struct json *meta;

	if (!namespace_open(c) || !rest_body(c, &doc))
		return;
	if (!check_type(c, doc) || !strict_check(c, json_root(doc)))
		goto out;
	meta = json_obj_of(doc, json_root(doc), "metadata");
	if (!check_namespace(c, doc, meta))
		goto out;
	for (size_t i = 0; i < ARRAY_SIZE(unset); i++)
		json_remove(meta, unset[i]);
	generate_name(doc, meta);
	if (!check_url_name(c, doc, meta))
		goto out;
	if (str_copy(c->name, sizeof(c->name), json_str(json_get(meta, "name"), "")) < 0) {
		reply_fail(c, 400, "BadRequest", "metadata.name is too long");
		goto out;
	}
	rest_store(c, take_ptr(doc), NULL, 0);
out:
	json_doc_free(doc);
}

/* The version and uid that the sender saw. Return: false when it answered. */
static bool check_seen(struct api_call *c, const struct json *meta, const struct store_object *old,
		       uint64_t *rev)
{
	const char *uid = json_str(json_get(meta, "uid"), "");
	const char *seen = json_str(json_get(meta, "resourceVersion"), "");
	const char *have = json_str(json_at(json_root(old->doc), "metadata", "uid", NULL), "");
	char quoted[128];

	*rev = 0;
	if (*seen && str_u64(seen, UINT64_MAX, rev) < 0) {
		reply_fail(c, 400, "BadRequest", "invalid resource version \"%.40s\"", seen);
		return false;
	}
	if (!*uid || str_eq(uid, have))
		return true;
	snprintf(quoted, sizeof(quoted), "\"%.60s\"", uid);
	if (c->verb == VERB_PATCH) {
		field_invalid(c, quoted, "field is immutable", "metadata.uid");
		reply_invalid(c);
	} else {
		_cleanup_free_ char *why = mem_printf("Precondition failed: UID in precondition: "
						      "%.60s, UID in object meta: %s",
						      uid, have);

		reply_conflict(c, why);
	}
	return false;
}

void rest_update(struct api_call *c)
{
	struct store_object *old = rest_object(c);
	struct json_doc *doc = NULL;
	struct json *meta;
	uint64_t rev;

	if (!old || !rest_body(c, &doc))
		return;
	if (!check_type(c, doc) || !strict_check(c, json_root(doc)))
		goto out;
	meta = json_obj_of(doc, json_root(doc), "metadata");
	if (!check_url_name(c, doc, meta))
		goto out;
	if (check_namespace(c, doc, meta) && check_seen(c, meta, old, &rev))
		rest_store(c, take_ptr(doc), old, rev);
out:
	json_doc_free(doc);
}

static int patch_apply(struct api_call *c, struct json_doc *doc, const struct json *patch,
		       struct err *e)
{
	const char *type = c->content_type;

	if (str_starts(type, "application/json-patch+json"))
		return patch_json(doc, patch, e);
	if (str_starts(type, "application/merge-patch+json"))
		return patch_merge(doc, patch, e);
	if (str_starts(type, "application/strategic-merge-patch+json") ||
	    str_starts(type, "application/apply-patch+yaml"))
		return patch_strategic(doc, patch, e);
	return -ENOTSUP;
}

void rest_patch(struct api_call *c)
{
	bool apply = str_starts(c->content_type, "application/apply-patch") != NULL;
	struct store_object *old = store_get(c->store, c->kind->plural, c->namespace, c->name);
	struct json_doc *patch = NULL, *doc = NULL;
	struct err e = ERR_INIT;
	struct json *meta;
	uint64_t rev;
	int r;

	if (!old && apply && !*c->sub) { /* create or merge; no field ownership is kept */
		rest_create(c);
		return;
	}
	if (!old) {
		reply_not_found(c, c->name);
		return;
	}
	if (!rest_body(c, &patch))
		return;
	doc = json_doc_new();
	json_set_root(doc, json_copy(doc, json_root(old->doc)));
	r = patch_apply(c, doc, json_root(patch), &e);
	if (r == -ENOTSUP)
		reply_fail(
			c, 415, "UnsupportedMediaType",
			"the body of the request was in an unknown format - accepted media types "
			"include: application/json-patch+json, application/merge-patch+json, "
			"application/strategic-merge-patch+json, application/apply-patch+yaml");
	else if (r < 0)
		reply_fail(c, str_starts(c->content_type, "application/json-patch") ? 422 : 400,
			   r == -EBADMSG ? "BadRequest" : "Invalid",
			   "the server rejected our request: %s", err_msg(&e));
	if (r < 0 || !check_type(c, doc) || !strict_check(c, json_root(doc)))
		goto out;
	meta = json_obj_of(doc, json_root(doc), "metadata");
	json_put_str(doc, meta, "name", c->name);
	if (json_equal(json_get(meta, "resourceVersion"),
		       json_at(json_root(old->doc), "metadata", "resourceVersion", NULL)))
		json_remove(meta, "resourceVersion");
	if (check_namespace(c, doc, meta) && check_seen(c, meta, old, &rev))
		rest_store(c, take_ptr(doc), old, rev);
out:
	json_doc_free(patch);
	json_doc_free(doc);
}
