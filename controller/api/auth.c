// SPDX-License-Identifier: Apache-2.0
/*
 * Who asks, and what he may. Names come from a client certificate (CN, O), a bootstrap token or
 * a service account's; the rules are fixed: system:masters everything, a node what the node authorizer and NodeRestriction
 * leave it, an enrolling host its own signing request, a service account what its label hypermetal.io/role
 * says, in its own namespace.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "internal.h"
#include "token.h"

#define TOKEN_ID_LEN	 6
#define TOKEN_SECRET_LEN 16

bool user_in_group(const struct api_user *u, const char *group)
{
	for (size_t i = 0; i < u->group_count; i++) {
		if (str_eq(u->groups[i], group))
			return true;
	}
	return false;
}

void user_add_group(struct api_user *u, const char *group)
{
	if (u->group_count < API_GROUPS_MAX && strlen(group) < API_GROUP_MAX)
		str_copy(u->groups[u->group_count++], API_GROUP_MAX, group);
}

const char *user_node(const struct api_user *u)
{
	const char *name = str_starts(u->name, "system:node:");

	return name && *name && user_in_group(u, "system:nodes") ? name : NULL;
}

/* A member of a Secret's data as text. */
static void secret_text(const struct json *secret, const char *key, char *out, size_t size)
{
	struct buf b = BUF_INIT(4096);

	out[0] = '\0';
	if (base64_decode(&b, json_str(json_at(secret, "data", key, NULL), "")) == 0)
		str_copy(out, size, buf_str(&b));
	mem_wipe(b.data, b.len);
	buf_done(&b);
}

static bool equal_in_constant_time(const char *a, const char *b, size_t len)
{
	unsigned char diff = 0;

	if (strlen(a) != len || strlen(b) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		diff |= (unsigned char)(a[i] ^ b[i]);
	return !diff;
}

static bool secret_valid(const struct json *secret, const char *given)
{
	char text[64] = "";
	uint64_t until;
	bool ok;

	secret_text(secret, "usage-bootstrap-authentication", text, sizeof(text));
	if (!str_eq(json_str(json_get(secret, "type"), ""), "bootstrap.kubernetes.io/token") ||
	    !str_eq(text, "true"))
		return false;
	secret_text(secret, "expiration", text, sizeof(text));
	if (*text && (clock_parse_rfc3339(text, &until) < 0 || until <= clock_real_ns()))
		return false;
	secret_text(secret, "token-secret", text, sizeof(text));
	ok = equal_in_constant_time(text, given, TOKEN_SECRET_LEN);
	mem_wipe(text, sizeof(text));
	return ok;
}

static int bootstrap_user(struct store *s, const char *token, struct api_user *out)
{
	char name[32] = "bootstrap-token-", groups[256];
	struct store_object *o;
	char *at = groups;

	if (strlen(token) != TOKEN_ID_LEN + 1 + TOKEN_SECRET_LEN || token[TOKEN_ID_LEN] != '.')
		return -EACCES;
	strncat(name, token, TOKEN_ID_LEN);
	o = store_get(s, "secrets", "kube-system", name);
	if (!o || !secret_valid(json_root(o->doc), token + TOKEN_ID_LEN + 1))
		return -EACCES;
	snprintf(out->name, sizeof(out->name), "system:bootstrap:%.*s", TOKEN_ID_LEN, token);
	user_add_group(out, "system:bootstrappers");
	secret_text(json_root(o->doc), "auth-extra-groups", groups, sizeof(groups));
	while (*at) {
		char *comma = strchrnul(at, ',');
		bool more = *comma;

		*comma = '\0';
		if (str_starts(at, "system:bootstrappers:"))
			user_add_group(out, at);
		at = comma + more;
	}
	user_add_group(out, "system:authenticated");
	return 0;
}

int auth_bearer(struct store *s, const struct api_site *site, const char *authorization,
		struct api_user *out)
{
	const char *token = str_starts(authorization, "Bearer "), *dot;

	if (!token)
		return 0;
	dot = strchr(token, '.');
	return dot && strchr(dot + 1, '.') ? token_user(s, site, token, NULL, out, NULL)
					   : bootstrap_user(s, token, out);
}

static bool is(const struct auth_ask *a, const char *group, const char *resource, const char *sub)
{
	return str_eq(a->group, group) && str_eq(a->resource, resource) && str_eq(a->sub, sub);
}

/* A pod's references to a Secret or ConfigMap: every "name" below a key that stands for one. */
static bool refers(const struct json *v, const char *const *keys, const char *name)
{
	struct json_iter it = json_iter(v);

	while (json_next(&it)) {
		for (size_t i = 0; it.key && keys[i]; i++) {
			if (!str_eq(it.key, keys[i]))
				continue;
			if (str_eq(json_str(it.value, ""), name) ||
			    str_eq(json_str(json_get(it.value, "name"), ""), name))
				return true;
		}
		if (refers(it.value, keys, name))
			return true;
	}
	return false;
}

/* What kube-api-access has in it; a pod's account may not say so, but then the token is not asked for. */
static bool own_account(const struct json *spec, const char *name)
{
	return str_eq(json_str(json_get(spec, "serviceAccountName"), "default"), name);
}

static bool pull_secret(const struct json *spec, const char *name)
{
	struct json_iter it = json_iter(json_get(spec, "imagePullSecrets"));

	while (json_next(&it)) {
		if (str_eq(json_str(json_get(it.value, "name"), ""), name))
			return true;
	}
	return false;
}

/* Whether a pod that is bound to the node uses the object. */
static bool node_uses(struct store *s, const char *node, const struct auth_ask *a)
{
	static const char *const secrets[] = {"secretName", "secret", "secretRef", "secretKeyRef",
					      NULL};
	static const char *const configs[] = {"configMap", "configMapRef", "configMapKeyRef", NULL};
	bool secret = str_eq(a->resource, "secrets");
	bool account = str_eq(a->resource, "serviceaccounts");
	struct store_object *o;
	const char *ns = NULL, *name = NULL;

	for (; (o = store_next(s, "pods", a->namespace, ns, name));
	     ns = o->namespace, name = o->name) {
		const struct json *spec = json_get(json_root(o->doc), "spec");

		if (!str_eq(json_str(json_get(spec, "nodeName"), ""), node))
			continue;
		if (account ? own_account(spec, a->name)
			    : refers(spec, secret ? secrets : configs, a->name) ||
				      (secret && pull_secret(spec, a->name)))
			return true;
	}
	return false;
}

static bool pod_bound(struct store *s, const char *node, const struct auth_ask *a)
{
	struct store_object *o = store_get(s, "pods", a->namespace, a->name);

	return o &&
	       str_eq(json_str(json_at(json_root(o->doc), "spec", "nodeName", NULL), ""), node);
}

static bool own_csr(struct store *s, const struct api_user *u, const struct auth_ask *a)
{
	struct store_object *o;

	if (!is(a, "certificates.k8s.io", "certificatesigningrequests", ""))
		return false;
	if (str_eq(a->verb, "create"))
		return true;
	if (!words_have("get list watch", a->verb) || !*a->name)
		return false;
	o = store_get(s, "certificatesigningrequests", "", a->name);
	return o &&
	       str_eq(json_str(json_at(json_root(o->doc), "spec", "username", NULL), ""), u->name);
}

static bool node_allowed(struct store *s, const char *node, const struct auth_ask *a)
{
	bool own = str_eq(a->name, node);

	if (is(a, "", "nodes", ""))
		return str_eq(a->verb, "create") ||
		       (own && words_have("get list watch update patch", a->verb));
	if (is(a, "", "nodes", "status"))
		return own && words_have("get update patch", a->verb);
	if (is(a, "coordination.k8s.io", "leases", ""))
		return str_eq(a->namespace, "kube-node-lease") &&
		       (str_eq(a->verb, "create") ||
			(own && words_have("get update patch delete", a->verb)));
	if (is(a, "", "pods", "") && words_have("list watch", a->verb))
		return a->node_selector;
	if (is(a, "", "pods", ""))
		return words_have("get delete", a->verb) && pod_bound(s, node, a);
	if (is(a, "", "pods", "status"))
		return words_have("get update patch", a->verb) && pod_bound(s, node, a);
	if (is(a, "", "pods", "eviction"))
		return str_eq(a->verb, "create") && pod_bound(s, node, a);
	if (is(a, "", "secrets", "") || is(a, "", "configmaps", "") ||
	    is(a, "", "serviceaccounts", ""))
		return *a->name && str_eq(a->verb, "get") && node_uses(s, node, a);
	if (is(a, "", "serviceaccounts", "token")) /* token.c asks for the pod */
		return *a->name && str_eq(a->verb, "create") && node_uses(s, node, a);
	if (is(a, "", "events", ""))
		return words_have("create update patch", a->verb);
	if (is(a, "node.k8s.io", "runtimeclasses", ""))
		return words_have("get list watch", a->verb);
	return (is(a, "authentication.k8s.io", "tokenreviews", "") ||
		is(a, "authorization.k8s.io", "subjectaccessreviews", "")) &&
	       str_eq(a->verb, "create");
}

/*
 * A service account reads or writes its own namespace when the label says so, nothing else: not the bindings
 * and statuses that hosts and scheduler write, not other namespaces, not what has none.
 */
static bool account_allowed(struct store *s, const struct api_user *u, const struct auth_ask *a)
{
	const char *who = str_starts(u->name, "system:serviceaccount:"), *name;
	char ns[API_NAME_MAX];
	struct store_object *o;
	const char *role;
	bool read = words_have("get list watch", a->verb);

	name = who ? strchr(who, ':') : NULL;
	if (!name || (size_t)(name - who) >= sizeof(ns))
		return false;
	memcpy(ns, who, (size_t)(name - who));
	ns[name - who] = '\0';
	o = store_get(s, "serviceaccounts", ns, name + 1);
	if (!o || !str_eq(ns, a->namespace))
		return false;
	role = json_str(json_at(json_root(o->doc), "metadata", "labels", API_ROLE_LABEL, NULL), "");
	if (!str_eq(role, "view") && !str_eq(role, "admin"))
		return false;
	if (is(a, "", "pods", "log") || is(a, "", "events", "") ||
	    is(a, "metrics.k8s.io", "pods", ""))
		return read;
	if (is(a, "", "pods", "") || is(a, "", "configmaps", "") ||
	    is(a, "", "serviceaccounts", ""))
		return read || str_eq(role, "admin");
	return str_eq(role, "admin") &&
	       (is(a, "", "secrets", "") || is(a, "", "serviceaccounts", "token") ||
		is(a, "", "pods", "exec") || is(a, "", "pods", "attach") ||
		is(a, "", "pods", "portforward") || is(a, "", "pods", "eviction"));
}

static const char *const open_paths[] = {"/api",     "/apis",	   "/openapi",
					 "/version", "/healthz",   "/livez",
					 "/readyz",  "/openid/v1", "/.well-known"};

struct json *auth_paths(struct json_doc *doc)
{
	struct json *list = json_new_arr(doc);

	for (size_t i = 0; i < ARRAY_SIZE(open_paths); i++) {
		json_push(doc, list, json_new_str(doc, open_paths[i]));
		json_push(doc, list, json_new_fmt(doc, "%s/*", open_paths[i]));
	}
	return list;
}

static bool path_allowed(const struct auth_ask *a)
{
	for (size_t i = 0; i < ARRAY_SIZE(open_paths); i++) {
		const char *rest = str_starts(a->path, open_paths[i]);

		if (rest && (!*rest || *rest == '/'))
			return true;
	}
	return false;
}

bool auth_allowed(const struct api_user *u, struct store *s, const struct auth_ask *ask)
{
	const char *node = user_node(u);

	if (user_in_group(u, "system:masters"))
		return true;
	if (ask->path)
		return path_allowed(ask); /* what is behind it decides itself */
	if (is(ask, "authorization.k8s.io", "selfsubjectaccessreviews", "") ||
	    is(ask, "authorization.k8s.io", "selfsubjectrulesreviews", "") ||
	    is(ask, "authentication.k8s.io", "selfsubjectreviews", ""))
		return *u->name && str_eq(ask->verb, "create");
	if (node)
		return node_allowed(s, node, ask) || own_csr(s, u, ask);
	if (user_in_group(u, "system:bootstrappers"))
		return own_csr(s, u, ask);
	return account_allowed(s, u, ask);
}

void auth_refuse(struct api_call *c, const struct auth_ask *ask)
{
	char resource[128], where[320] = " at the cluster scope", named[API_NAME_MAX + 4] = "";

	if (ask->path) {
		reply_fail(c, 403, "Forbidden", "forbidden: User \"%s\" cannot %s path \"%.200s\"",
			   c->user->name, ask->verb, ask->path);
		return;
	}
	snprintf(resource, sizeof(resource), "%s%s%s", ask->resource, *ask->sub ? "/" : "",
		 ask->sub);
	if (*ask->namespace)
		snprintf(where, sizeof(where), " in the namespace \"%s\"", ask->namespace);
	if (*ask->name)
		snprintf(named, sizeof(named), " \"%s\"", ask->name);
	reply_fail(
		c, 403, "Forbidden",
		"%s%s%s%s is forbidden: User \"%s\" cannot %s resource \"%s\" in API group \"%s\"%s",
		ask->resource, *ask->group ? "." : "", ask->group, named, c->user->name, ask->verb,
		resource, ask->group, where);
}

bool auth_impersonate(struct api_call *c, struct api_user *u, const char *as,
		      const char *const *groups, size_t group_count)
{
	const char *account = str_starts(as, "system:serviceaccount:");
	const char *name = account ? strchr(account, ':') : NULL;
	char group[API_GROUP_MAX];

	if (!user_in_group(u, "system:masters") || !*as || strlen(as) >= sizeof(u->name)) {
		reply_fail(c, 403, "Forbidden",
			   "users \"%.100s\" is forbidden: User \"%s\" cannot impersonate resource "
			   "\"users\" in API group \"\" at the cluster scope",
			   as, u->name);
		return false;
	}
	memset(u, 0, sizeof(*u));
	(void)str_copy(u->name, sizeof(u->name), as);
	for (size_t i = 0; i < group_count; i++)
		user_add_group(u, groups[i]);
	if (name && !group_count) {
		user_add_group(u, "system:serviceaccounts");
		snprintf(group, sizeof(group), "system:serviceaccounts:%.*s",
			 (int)MIN(name - account, (ptrdiff_t)64), account);
		user_add_group(u, group);
	}
	user_add_group(u, "system:authenticated");
	return true;
}
