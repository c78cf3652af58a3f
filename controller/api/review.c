// SPDX-License-Identifier: Apache-2.0
/* Questions to authentication.k8s.io and authorization.k8s.io: who is this, what may he. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "internal.h"
#include "token.h"

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

static void put_extra(struct json_doc *doc, struct json *user, const char *key, const char *prefix,
		      const char *value)
{
	_cleanup_free_ char *full = mem_printf("authentication.kubernetes.io/%s", key);

	if (*value)
		json_push(doc, json_arr_of(doc, json_obj_of(doc, user, "extra"), full),
			  json_new_fmt(doc, "%s%s", prefix, value));
}

/* authentication.k8s.io/v1 UserInfo */
static void put_user(struct json_doc *doc, struct json *user, const struct api_user *u)
{
	struct json *groups;

	json_put_str(doc, user, "username", u->name);
	if (*u->uid)
		json_put_str(doc, user, "uid", u->uid);
	groups = json_arr_of(doc, user, "groups");
	for (size_t i = 0; i < u->group_count; i++)
		json_push(doc, groups, json_new_str(doc, u->groups[i]));
	put_extra(doc, user, "credential-id", "JTI=", u->token_id);
	put_extra(doc, user, "node-name", "", u->node_name);
	put_extra(doc, user, "node-uid", "", u->node_uid);
	put_extra(doc, user, "pod-name", "", u->pod_name);
	put_extra(doc, user, "pod-uid", "", u->pod_uid);
}

static void token_review(struct api_call *c, struct json_doc *doc)
{
	struct json *root = json_root(doc), *spec = json_get(root, "spec");
	const struct json *audiences = json_get(spec, "audiences");
	const char *token = json_str(json_get(spec, "token"), "");
	_cleanup_free_ char *bearer = mem_printf("Bearer %s", token);
	struct json *status;
	struct api_user u = {.name = ""};
	struct err e = ERR_INIT;
	int r;

	if (json_count(audiences)) /* only our own tokens have any */
		r = token_user(c->store, c->site, token, audiences, &u, &e);
	else
		r = auth_bearer(c->store, c->site, bearer, &u);
	json_put(doc, root, "status", NULL);
	status = json_obj_of(doc, root, "status");
	json_put_bool(doc, status, "authenticated", r == 0);
	if (r == 0) {
		put_user(doc, json_obj_of(doc, status, "user"), &u);
		if (json_count(audiences))
			json_put(doc, status, "audiences", token_audiences(doc, token, audiences));
	} else {
		json_put_fmt(doc, status, "error", "invalid bearer token%s%s",
			     *err_msg(&e) ? ": " : "", err_msg(&e));
	}
	reply_doc(c, 201, root);
}

static void self_review(struct api_call *c, struct json_doc *doc)
{
	struct json *root = json_root(doc);

	json_put(doc, root, "status", NULL);
	put_user(doc, json_obj_of(doc, json_obj_of(doc, root, "status"), "userInfo"), c->user);
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
		{"/apis/authentication.k8s.io/v1/selfsubjectreviews", "authentication.k8s.io",
		 "selfsubjectreviews"},
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
	else if (i == 3)
		self_review(c, doc);
	else
		access_review(c, doc, i == 0);
	return true;
}
