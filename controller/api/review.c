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

static void self_access_review(struct api_call *c, struct json_doc *doc)
{
	struct json *root = json_root(doc);

	json_put_bool(doc, json_obj_of(doc, root, "status"), "allowed",
		      allowed(c, json_get(root, "spec"), c->user));
	reply_doc(c, 201, root);
}

static void access_review(struct api_call *c, struct json_doc *doc)
{
	struct json *root = json_root(doc), *spec = json_get(root, "spec");
	struct json_iter it = json_iter(json_get(spec, "groups"));
	struct api_user u = {.name = ""};

	str_copy(u.name, sizeof(u.name), json_str(json_get(spec, "user"), ""));
	while (json_next(&it))
		user_add_group(&u, json_str(it.value, ""));
	json_put_bool(doc, json_obj_of(doc, root, "status"), "allowed", allowed(c, spec, &u));
	reply_doc(c, 201, root);
}

/* What somebody may do with a kind, or a part of it, is asked verb by verb: there is no second list of rules. */
static void add_rule(struct api_call *c, struct json_doc *doc, struct json *rules,
		     struct auth_ask *ask, unsigned int verbs)
{
	struct json *rule = json_new_obj(doc), *list = json_arr_of(doc, rule, "verbs");

	for (unsigned int bit = 1; bit <= VERB_DELETE_ALL; bit <<= 1) {
		ask->verb = verb_name((enum api_verb)bit);
		if ((verbs & bit) && auth_allowed(c->user, c->store, ask))
			json_push(doc, list, json_new_str(doc, ask->verb));
	}
	if (!json_count(list))
		return;
	json_push(doc, json_arr_of(doc, rule, "apiGroups"), json_new_str(doc, ask->group));
	json_push(doc, json_arr_of(doc, rule, "resources"),
		  json_new_fmt(doc, "%s%s%s", ask->resource, *ask->sub ? "/" : "", ask->sub));
	json_push(doc, rules, rule);
}

static void add_rules(struct api_call *c, struct json_doc *doc, struct json *rules,
		      const struct api_kind *k, const char *ns)
{
	struct auth_ask ask = {.group = k->group,
			       .resource = k->plural,
			       .sub = "",
			       .namespace = k->namespaced ? ns : "",
			       .name = ""};
	const char *sub = k->subresources;
	char word[32];

	add_rule(c, doc, rules, &ask, k->verbs);
	ask.sub = word;
	while (sub && *sub) {
		size_t len = strcspn(sub, " ");

		snprintf(word, sizeof(word), "%.*s", (int)len, sub);
		add_rule(c, doc, rules, &ask, VERB_GET | VERB_CREATE | VERB_UPDATE | VERB_PATCH);
		sub += len + (sub[len] == ' ');
	}
}

/* kubectl auth can-i --list. What depends on the object's name, as a node's rights do, is not in it. */
static void rules_review(struct api_call *c, struct json_doc *doc)
{
	static const struct api_kind reviews[] = {
		{.group = "authorization.k8s.io",
		 .plural = "selfsubjectaccessreviews",
		 .verbs = VERB_CREATE},
		{.group = "authorization.k8s.io",
		 .plural = "selfsubjectrulesreviews",
		 .verbs = VERB_CREATE},
		{.group = "authentication.k8s.io",
		 .plural = "selfsubjectreviews",
		 .verbs = VERB_CREATE},
	};
	struct json *root = json_root(doc), *status, *rules, *paths;
	const char *ns = json_str(json_at(root, "spec", "namespace", NULL), "");
	const struct api_kind *k;

	json_put(doc, root, "status", NULL);
	status = json_obj_of(doc, root, "status");
	rules = json_arr_of(doc, status, "resourceRules");
	for (size_t i = 0; (k = kind_at(i)); i++)
		add_rules(c, doc, rules, k, ns);
	for (size_t i = 0; i < ARRAY_SIZE(reviews); i++)
		add_rules(c, doc, rules, &reviews[i], ns);
	paths = json_new_obj(doc);
	json_push(doc, json_arr_of(doc, paths, "verbs"), json_new_str(doc, "get"));
	json_put(doc, paths, "nonResourceURLs", auth_paths(doc));
	json_push(doc, json_arr_of(doc, status, "nonResourceRules"), paths);
	json_put_bool(doc, status, "incomplete", user_node(c->user) != NULL);
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
		const char *group, *resource;
		void (*answer)(struct api_call *c, struct json_doc *doc);
	} reviews[] = {
		{"authorization.k8s.io", "selfsubjectaccessreviews", self_access_review},
		{"authorization.k8s.io", "selfsubjectrulesreviews", rules_review},
		{"authorization.k8s.io", "subjectaccessreviews", access_review},
		{"authentication.k8s.io", "tokenreviews", token_review},
		{"authentication.k8s.io", "selfsubjectreviews", self_review},
	};
	_cleanup_json_ struct json_doc *doc = NULL;
	struct auth_ask ask = {.verb = "create", .sub = "", .namespace = "", .name = ""};
	char path[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(reviews); i++) {
		snprintf(path, sizeof(path), "/apis/%s/v1/%s", reviews[i].group,
			 reviews[i].resource);
		if (str_eq(path, c->path))
			break;
	}
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
	else
		reviews[i].answer(c, doc);
	return true;
}
