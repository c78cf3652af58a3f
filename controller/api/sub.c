// SPDX-License-Identifier: Apache-2.0
/* Subresources that act instead of being kept, and the reviews of the auth groups. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

static void reply_created(struct api_call *c)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *s = status_json(doc, 201, "", "");

	reply_doc(c, 201, s);
}

static void bind(struct api_call *c)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct err e = ERR_INIT;
	const char *node;
	int r;

	if (!rest_object(c) || !rest_body(c, &doc))
		return;
	node = json_str(json_at(json_root(doc), "target", "name", NULL), "");
	if (!*node) {
		field_required(c, "", "target.name");
		reply_invalid(c);
		return;
	}
	r = store_bind_pod(c->store, c->namespace, c->name, node, &e);
	if (r == -EEXIST || r == -EBUSY)
		reply_conflict(c, err_msg(&e));
	else if (r < 0)
		reply_store_error(c, r, &e);
	else
		reply_created(c);
}

static void evict(struct api_call *c)
{
	struct store_object *o = rest_object(c), *left;
	struct delete_options opt;
	struct err e = ERR_INIT;
	int r;

	if (!o || !delete_options_read(c, &opt) || !delete_preconditions(c, o, &opt))
		return;
	store_ref(o);
	r = object_delete(c->store, c->kind, o, &opt, &left, &e);
	store_unref(o);
	if (r < 0)
		reply_store_error(c, r, &e);
	else
		reply_created(c);
}

bool subresource_handle(struct api_call *c)
{
	if (!str_eq(c->kind->plural, "pods"))
		return false;
	if (str_eq(c->sub, "log") && c->verb == VERB_GET) {
		c->reply.stream = true;
		return true;
	}
	if ((str_eq(c->sub, "exec") || str_eq(c->sub, "attach")) &&
	    (c->verb == VERB_GET || c->verb == VERB_CREATE)) {
		c->reply.stream = true;
		return true;
	}
	if (c->verb != VERB_CREATE)
		return false;
	if (str_eq(c->sub, "binding"))
		bind(c);
	else if (str_eq(c->sub, "eviction"))
		evict(c);
	else
		return false;
	return true;
}

/* spec.{resource,nonResource}Attributes as a question. */
static bool allowed(struct api_call *c, const struct json *spec, const struct api_user *u)
{
	const struct json *r = json_get(spec, "resourceAttributes");
	const struct json *n = json_get(spec, "nonResourceAttributes");
	struct auth_ask ask = {
		.verb = json_str(json_get(r ? r : n, "verb"), ""),
		.group = json_str(json_get(r, "group"), ""),
		.resource = json_str(json_get(r, "resource"), ""),
		.sub = json_str(json_get(r, "subresource"), ""),
		.namespace = json_str(json_get(r, "namespace"), ""),
		.name = json_str(json_get(r, "name"), ""),
		.path = r ? NULL : json_str(json_get(n, "path"), ""),
	};

	return auth_allowed(u, c->store, &ask);
}

static void access_review(struct api_call *c, struct json_doc *doc, bool self)
{
	struct json *root = json_root(doc), *spec = json_get(root, "spec");
	struct json_iter it = json_iter(json_get(spec, "groups"));
	struct api_user u = {.name = ""};

	str_copy(u.name, sizeof(u.name), json_str(json_get(spec, "user"), ""));
	while (json_next(&it))
		user_add_group(&u, json_str(it.value, ""));
	json_put_bool(doc, json_obj_of(doc, root, "status"), "allowed",
		      allowed(c, spec, self ? c->user : &u));
	reply_doc(c, 201, root);
}

static void token_review(struct api_call *c, struct json_doc *doc)
{
	struct json *root = json_root(doc), *status = json_obj_of(doc, root, "status"), *user,
		    *groups;
	_cleanup_free_ char *bearer =
		mem_printf("Bearer %.200s", json_str(json_at(root, "spec", "token", NULL), ""));
	struct api_user u = {.name = ""};
	bool ok = auth_bearer(c->store, bearer, &u) == 0;

	json_put_bool(doc, status, "authenticated", ok);
	if (ok) {
		user = json_obj_of(doc, status, "user");
		json_put_str(doc, user, "username", u.name);
		groups = json_arr_of(doc, user, "groups");
		for (size_t i = 0; i < u.group_count; i++)
			json_push(doc, groups, json_new_str(doc, u.groups[i]));
	}
	reply_doc(c, 201, root);
}

bool review_handle(struct api_call *c)
{
	static const struct {
		const char *path, *group, *resource;
	} reviews[] = {
		{"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "authorization.k8s.io",
		 "selfsubjectaccessreviews"},
		{"/apis/authorization.k8s.io/v1/subjectaccessreviews", "authorization.k8s.io",
		 "subjectaccessreviews"},
		{"/apis/authentication.k8s.io/v1/tokenreviews", "authentication.k8s.io",
		 "tokenreviews"},
	};
	_cleanup_json_ struct json_doc *doc = NULL;
	struct auth_ask ask = {.verb = "create", .sub = "", .namespace = "", .name = ""};
	size_t i = 0;

	while (i < ARRAY_SIZE(reviews) && !str_eq(reviews[i].path, c->path))
		i++;
	if (i == ARRAY_SIZE(reviews) || !str_eq(c->method, "POST"))
		return false;
	ask.group = reviews[i].group;
	ask.resource = reviews[i].resource;
	if (!auth_allowed(c->user, c->store, &ask)) {
		auth_refuse(c, &ask);
		return true;
	}
	if (!rest_body(c, &doc))
		return true;
	if (!json_is_obj(json_root(doc)))
		reply_fail(c, 400, "BadRequest", "the body must be a JSON object");
	else if (i == 2)
		token_review(c, doc);
	else
		access_review(c, doc, i == 0);
	return true;
}
