// SPDX-License-Identifier: Apache-2.0
/*
 * Discovery: what is served, made from the table of kinds; version, health, and as much OpenAPI as
 * makes kubectl leave validation to the server (reference: --validate of kubectl 1.20 and 1.27+).
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

#define VERSION_MINOR "32"

static const char *const groups[] = {"authentication.k8s.io", "authorization.k8s.io",
				     "certificates.k8s.io",   "coordination.k8s.io",
				     "node.k8s.io",	      "metrics.k8s.io"};

/* metrics.k8s.io is the last, for its kinds have names of the core's; it has no OpenAPI: nothing is written there. */
#define GROUPS_OPENAPI (ARRAY_SIZE(groups) - 1)

static const char *group_version(const char *group)
{
	const struct api_kind *k;

	for (size_t i = 0; (k = kind_at(i)); i++)
		if (str_eq(k->group, group))
			return k->version;
	return "v1"; /* reviews only */
}

/* Kinds that are asked and not kept. */
static const struct {
	const char *group, *plural, *kind;
} reviews[] = {
	{"authentication.k8s.io", "tokenreviews", "TokenReview"},
	{"authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview"},
	{"authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview"},
	{"authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview"},
	{"authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview"},
};

static struct json *words(struct json_doc *doc, const char *text)
{
	struct json *list = json_new_arr(doc);

	while (text && *text) {
		size_t len = strcspn(text, " ");

		json_push(doc, list, json_new_strn(doc, text, len));
		text += len + (text[len] == ' ');
	}
	return list;
}

static struct json *add_resource(struct json_doc *doc, struct json *list, const char *name,
				 const char *singular, const char *kind, bool namespaced)
{
	struct json *r = json_new_obj(doc);

	json_put_str(doc, r, "name", name);
	json_put_str(doc, r, "singularName", singular);
	json_put_bool(doc, r, "namespaced", namespaced);
	json_put_str(doc, r, "kind", kind);
	json_push(doc, list, r);
	return r;
}

static void add_subresource(struct json_doc *doc, struct json *list, const struct api_kind *k,
			    const char *sub)
{
	static const struct {
		const char *sub, *kind, *group, *version, *verbs;
	} special[] = {
		{"binding", "Binding", NULL, NULL, "create"},
		{"eviction", "Eviction", "policy", "v1", "create"},
		{"log", NULL, NULL, NULL, "get"},
		{"exec", "PodExecOptions", NULL, NULL, "create get"},
		{"attach", "PodAttachOptions", NULL, NULL, "create get"},
		{"portforward", "PodPortForwardOptions", NULL, NULL, "create get"},
		{"finalize", NULL, NULL, NULL, "update"},
		{"proxy", "NodeProxyOptions", NULL, NULL, "get"},
		{"token", "TokenRequest", "authentication.k8s.io", "v1", "create"},
	};
	char name[128];
	struct json *r;

	snprintf(name, sizeof(name), "%s/%s", k->plural, sub);
	r = add_resource(doc, list, name, "", k->kind, k->namespaced);
	json_put(doc, r, "verbs", words(doc, "get patch update"));
	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		if (!str_eq(special[i].sub, sub))
			continue;
		json_put(doc, r, "verbs", words(doc, special[i].verbs));
		if (special[i].kind)
			json_put_str(doc, r, "kind", special[i].kind);
		if (special[i].group) {
			json_put_str(doc, r, "group", special[i].group);
			json_put_str(doc, r, "version", special[i].version);
		}
	}
}

static void add_kind(struct json_doc *doc, struct json *list, const struct api_kind *k)
{
	struct json *r = add_resource(doc, list, k->plural, k->singular, k->kind, k->namespaced),
		    *v;
	const char *sub = k->subresources;
	char word[32];

	v = json_arr_of(doc, r, "verbs");
	for (unsigned int bit = 1; bit <= VERB_DELETE_ALL; bit <<= 1) {
		if (k->verbs & bit)
			json_push(doc, v, json_new_str(doc, verb_name((enum api_verb)bit)));
	}
	if (k->short_names)
		json_put(doc, r, "shortNames", words(doc, k->short_names));
	if (k->categories)
		json_put(doc, r, "categories", words(doc, k->categories));
	while (sub && *sub) {
		size_t len = strcspn(sub, " ");

		snprintf(word, sizeof(word), "%.*s", (int)len, sub);
		add_subresource(doc, list, k, word);
		sub += len + (sub[len] == ' ');
	}
}

static void resource_list(struct api_call *c, const char *group)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc), *list;
	const struct api_kind *k;

	json_set_root(doc, root);
	json_put_str(doc, root, "kind", "APIResourceList");
	json_put_str(doc, root, "apiVersion", "v1");
	json_put_fmt(doc, root, "groupVersion", "%s%s%s", group, *group ? "/" : "",
		     group_version(group));
	list = json_arr_of(doc, root, "resources");
	for (size_t i = 0; (k = kind_at(i)); i++) {
		if (str_eq(k->group, group))
			add_kind(doc, list, k);
	}
	for (size_t i = 0; i < ARRAY_SIZE(reviews); i++) {
		if (str_eq(reviews[i].group, group))
			json_put(doc,
				 add_resource(doc, list, reviews[i].plural, "", reviews[i].kind,
					      false),
				 "verbs", words(doc, "create"));
	}
	reply_doc(c, 200, root);
}

static struct json *group_json(struct json_doc *doc, const char *group)
{
	struct json *g = json_new_obj(doc), *v = json_new_obj(doc);

	json_put_str(doc, g, "name", group);
	json_put_fmt(doc, v, "groupVersion", "%s/%s", group, group_version(group));
	json_put_str(doc, v, "version", group_version(group));
	json_push(doc, json_arr_of(doc, g, "versions"), json_copy(doc, v));
	json_put(doc, g, "preferredVersion", v);
	return g;
}

static void group_list(struct api_call *c)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc), *list;

	json_put_str(doc, root, "kind", "APIGroupList");
	json_put_str(doc, root, "apiVersion", "v1");
	list = json_arr_of(doc, root, "groups");
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		json_push(doc, list, group_json(doc, groups[i]));
	reply_doc(c, 200, root);
}

static void one_group(struct api_call *c, const char *group)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *g = group_json(doc, group);

	json_put_str(doc, g, "kind", "APIGroup");
	json_put_str(doc, g, "apiVersion", "v1");
	reply_doc(c, 200, g);
}

static void reply_json_text(struct api_call *c, const char *text)
{
	reply_text(c, 200, text, strlen(text));
}

static void reply_ok(struct api_call *c)
{
	c->reply.status = 200;
	c->reply.content_type = "text/plain; charset=utf-8";
	buf_puts(&c->reply.body, "ok");
}

bool discovery_handle(struct api_call *c)
{
	static const char version[] =
		"{\"major\":\"1\",\"minor\":\"" VERSION_MINOR
		"\",\"gitVersion\":\"v1." VERSION_MINOR
		".0+hypermetal\",\"gitCommit\":\"\",\"gitTreeState\":\"clean\",\"buildDate\":\"\","
		"\"goVersion\":\"\",\"compiler\":\"gcc\",\"platform\":\"linux/amd64\"}";
	const char *p = c->path, *rest;

	if (!str_eq(c->method, "GET") && !str_eq(c->method, "HEAD"))
		return false;
	if (str_eq(p, "/version")) {
		reply_json_text(c, version);
	} else if (str_eq(p, "/healthz") || str_eq(p, "/livez") || str_eq(p, "/readyz")) {
		reply_ok(c);
	} else if (str_eq(p, "/api")) {
		reply_json_text(c, "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"],"
				   "\"serverAddressByClientCIDRs\":[]}");
	} else if (str_eq(p, "/apis")) {
		group_list(c);
	} else if (str_eq(p, "/api/v1")) {
		resource_list(c, "");
	} else if ((rest = str_starts(p, "/apis/"))) {
		for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
			const char *behind = str_starts(rest, groups[i]);

			if (!behind || (*behind && (*behind != '/' ||
						    !str_eq(behind + 1, group_version(groups[i])))))
				continue;
			if (*behind)
				resource_list(c, groups[i]);
			else
				one_group(c, groups[i]);
			return true;
		}
		return false;
	} else {
		return false;
	}
	return true;
}

static void openapi_v2(struct api_call *c)
{
	/* swagger: "2.0" and nothing else: kubectl up to 1.26 then skips validation */
	static const char pb[] = {0x0a, 0x03, 0x32, 0x2e, 0x30};

	if (!strstr(c->accept, "protobuf")) {
		reply_json_text(c, "{\"swagger\":\"2.0\",\"info\":{\"title\":\"HyperMetal\","
				   "\"version\":\"v1." VERSION_MINOR ".0\"},\"paths\":{}}");
		return;
	}
	c->reply.status = 200;
	c->reply.content_type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
	buf_append(&c->reply.body, pb, sizeof(pb));
}

static void openapi_index(struct api_call *c)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc), *paths = json_obj_of(doc, root, "paths");

	for (size_t i = 0; i <= GROUPS_OPENAPI; i++) {
		const char *group = i ? groups[i - 1] : NULL;
		_cleanup_free_ char *path = group ? mem_printf("apis/%s/v1", group)
						  : mem_strdup("api/v1");
		struct json *p = json_obj_of(doc, paths, path);

		json_put_fmt(doc, p, "serverRelativeURL", "/openapi/v3/%s?hash=1", path);
	}
	reply_doc(c, 200, root);
}

static struct json *operation(struct json_doc *doc, const struct api_kind *k)
{
	static const char *const names[] = {"dryRun", "fieldManager", "fieldValidation"};
	struct json *op = json_new_obj(doc), *list, *gvk;

	gvk = json_obj_of(doc, op, "x-kubernetes-group-version-kind");
	json_put_str(doc, gvk, "group", k->group);
	json_put_str(doc, gvk, "version", k->version);
	json_put_str(doc, gvk, "kind", k->kind);
	list = json_arr_of(doc, op, "parameters");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct json *p = json_new_obj(doc);

		json_put_str(doc, p, "name", names[i]);
		json_put_str(doc, p, "in", "query");
		json_put_str(doc, json_obj_of(doc, p, "schema"), "type", "string");
		json_push(doc, list, p);
	}
	json_put(doc, op, "responses", json_new_obj(doc));
	return op;
}

static void openapi_group(struct api_call *c, const char *group)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc), *info, *paths;
	const struct api_kind *k;

	json_put_str(doc, root, "openapi", "3.0.0");
	info = json_obj_of(doc, root, "info");
	json_put_str(doc, info, "title", "HyperMetal");
	json_put_str(doc, info, "version", "v1." VERSION_MINOR ".0");
	paths = json_obj_of(doc, root, "paths");
	for (size_t i = 0; (k = kind_at(i)); i++) {
		_cleanup_free_ char *path =
			mem_printf("/%s%s/v1/%s%s/{name}", *group ? "apis/" : "api", group,
				   k->namespaced ? "namespaces/{namespace}/" : "", k->plural);
		struct json *p;

		if (!str_eq(k->group, group))
			continue;
		p = json_obj_of(doc, paths, path);
		json_put(doc, p, "post", operation(doc, k));
		json_put(doc, p, "put", operation(doc, k));
		json_put(doc, p, "patch", operation(doc, k));
	}
	reply_doc(c, 200, root);
}

bool openapi_handle(struct api_call *c)
{
	const char *rest;

	if (!str_eq(c->method, "GET"))
		return false;
	if (str_eq(c->path, "/openapi/v2"))
		openapi_v2(c);
	else if (str_eq(c->path, "/openapi/v3"))
		openapi_index(c);
	else if (str_eq(c->path, "/openapi/v3/api/v1"))
		openapi_group(c, "");
	else if ((rest = str_starts(c->path, "/openapi/v3/apis/")))
		for (size_t i = 0; i < GROUPS_OPENAPI; i++) {
			const char *behind = str_starts(rest, groups[i]);

			if (behind && str_eq(behind, "/v1")) {
				openapi_group(c, groups[i]);
				return true;
			}
		}
	return c->reply.status != 0;
}
