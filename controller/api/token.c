// SPDX-License-Identifier: Apache-2.0
/*
 * Tokens of service accounts (authentication.k8s.io/v1 TokenRequest). A token names its account by uid and
 * may be bound to a pod, a secret or a node; it is worth nothing once one of them is gone or another has its name.
 * So nothing has to be kept or revoked here: the key and the store decide.
 *
 * A host gets tokens only for accounts of its own pods, bound to these, and only for audiences that the pod's volumes
 * name (the NodeRestriction admission and ServiceAccountNodeAudienceRestriction).
 */
#include "token.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "schema.h"

#define LIFETIME_DEFAULT_S 3600
#define LIFETIME_MIN_S	   600
#define LIFETIME_MAX_S	   86400
#define AUDIENCES_MAX	   16
#define SKEW_S		   60 /* a clock that was set back */
#define GONE_S		   60 /* so long a token outlives the end of a deletion's grace */

struct token_request {
	const struct json *account; /* the ServiceAccount */
	const struct json *bound; /* the object that it is bound to, or NULL */
	const char *bound_kind;
	const struct json *audiences;
	int64_t lifetime_s;
};

static const char *meta_str(const struct json *object, const char *key)
{
	return json_str(json_at(object, "metadata", key, NULL), "");
}

static const struct json *find(struct store *s, const char *resource, const char *ns,
			       const char *name)
{
	struct store_object *o = store_get(s, resource, ns, name);

	return o ? json_root(o->doc) : NULL;
}

static const struct api_kind request_kind = {.group = "authentication.k8s.io",
					     .version = "v1",
					     .plural = "tokenrequests",
					     .kind = "TokenRequest",
					     .schema = schema_tokenrequest};

/* What is of a wrong type must not pass for what was left out. Return: false when it answered. */
static bool check_types(struct api_call *c, struct json *root)
{
	const struct api_kind *account = c->kind;
	bool ok;

	c->kind = &request_kind;
	ok = strict_check(c, root);
	c->kind = account;
	return ok;
}

/* Fill in what was left out, check the rest. Return: false when it answered. */
static bool read_spec(struct api_call *c, struct json_doc *doc, struct token_request *t)
{
	struct json *spec = json_obj_of(doc, json_root(doc), "spec");
	struct json *audiences = json_arr_of(doc, spec, "audiences");
	char value[32];

	if (!json_count(audiences))
		json_push(doc, audiences, json_new_str(doc, API_ISSUER));
	if (json_count(audiences) > AUDIENCES_MAX)
		field_forbidden(c, "may have 16 entries", "spec.audiences");
	if (json_type(json_get(spec, "expirationSeconds")) != JSON_INT)
		json_put_int(doc, spec, "expirationSeconds", LIFETIME_DEFAULT_S);
	t->lifetime_s = json_int(json_get(spec, "expirationSeconds"), 0);
	snprintf(value, sizeof(value), "%lld", (long long)t->lifetime_s);
	if (t->lifetime_s < LIFETIME_MIN_S)
		field_invalid(c, value, "may not specify a duration less than 10 minutes",
			      "spec.expirationSeconds");
	if (t->lifetime_s > LIFETIME_MAX_S)
		json_put_int(doc, spec, "expirationSeconds", t->lifetime_s = LIFETIME_MAX_S);
	t->audiences = audiences;
	if (c->error_count) {
		c->kind = &request_kind;
		reply_invalid(c);
	}
	return !c->error_count;
}

/* The object of boundObjectRef. Return: false when it answered. */
static bool find_bound(struct api_call *c, const struct json *ref, struct token_request *t)
{
	static const struct {
		const char *kind, *resource;
		bool namespaced;
	} kinds[] = {{"Pod", "pods", true}, {"Secret", "secrets", true}, {"Node", "nodes", false}};
	const char *kind = json_str(json_get(ref, "kind"), "");
	const char *version = json_str(json_get(ref, "apiVersion"), "v1");
	const char *name = json_str(json_get(ref, "name"), "");
	const char *uid = json_str(json_get(ref, "uid"), "");
	size_t i = 0;

	while (i < ARRAY_SIZE(kinds) && !str_eq(kinds[i].kind, kind))
		i++;
	if (i == ARRAY_SIZE(kinds) || !str_eq(version, "v1")) {
		reply_fail(c, 400, "BadRequest",
			   "cannot bind token to object of type %.60s, Kind=%.60s", version, kind);
		return false;
	}
	t->bound = find(c->store, kinds[i].resource, kinds[i].namespaced ? c->namespace : "", name);
	t->bound_kind = kinds[i].kind;
	if (!t->bound) {
		reply_fail(c, 404, "NotFound", "%s \"%.253s\" not found", kinds[i].resource, name);
	} else if (*uid && !str_eq(uid, meta_str(t->bound, "uid"))) {
		_cleanup_free_ char *why = mem_printf(
			"the UID in the bound object reference (%.60s) does not match the UID in "
			"record. The object might have been deleted and then recreated",
			uid);

		reply_conflict(c, why);
		return false;
	} else if (i == 0 &&
		   !str_eq(c->name, json_str(json_at(t->bound, "spec", "serviceAccountName", NULL),
					     "default"))) {
		reply_fail(c, 400, "BadRequest",
			   "cannot bind token for serviceaccount \"%s\" to pod running with "
			   "different serviceaccount name.",
			   c->name);
		return false;
	}
	return t->bound != NULL;
}

/* Whether one of a pod's token volumes is for the audience; "" there is this API. */
static bool pod_has_audience(const struct json *pod, const char *audience)
{
	struct json_iter v = json_iter(json_at(pod, "spec", "volumes", NULL));

	while (json_next(&v)) {
		struct json_iter s = json_iter(json_at(v.value, "projected", "sources", NULL));

		while (json_next(&s)) {
			const struct json *token = json_get(s.value, "serviceAccountToken");
			const char *has = json_str(json_get(token, "audience"), "");

			if (token && str_eq(*has ? has : API_ISSUER, audience))
				return true;
		}
	}
	return false;
}

static bool __attribute__((format(printf, 2, 3))) forbid(struct api_call *c, const char *fmt, ...)
{
	char why[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	reply_fail(c, 403, "Forbidden", "serviceaccounts \"%s\" is forbidden: %s", c->name, why);
	return false;
}

/* What a host may ask for. Return: false when it answered. */
static bool node_may(struct api_call *c, const struct json *ref, const struct token_request *t)
{
	const char *node = user_node(c->user);
	struct json_iter it = json_iter(t->audiences);

	if (!node)
		return true;
	if (!t->bound || !str_eq(t->bound_kind, "Pod"))
		return forbid(c, "node requested token not bound to a pod");
	if (!*json_str(json_get(ref, "uid"), ""))
		return forbid(c, "node requested token with a pod binding without a uid");
	if (!str_eq(json_str(json_at(t->bound, "spec", "nodeName", NULL), ""), node))
		return forbid(c,
			      "node requested token bound to a pod scheduled on a different node");
	while (json_next(&it)) {
		if (!pod_has_audience(t->bound, json_str(it.value, "")))
			return forbid(c, "audience \"%.200s\" not found in pod spec volume",
				      json_str(it.value, ""));
	}
	return true;
}

static void put_ref(struct json_doc *doc, struct json *claims, const char *key, const char *name,
		    const char *uid)
{
	struct json *o = json_obj_of(doc, claims, key);

	json_put_str(doc, o, "name", name);
	if (*uid)
		json_put_str(doc, o, "uid", uid);
}

/* The claims, as the real server writes them. */
static struct json *make_claims(struct api_call *c, struct json_doc *doc,
				const struct token_request *t, int64_t now_s)
{
	struct json *claims = json_new_obj(doc), *k;
	char id[STORE_UID_SIZE];

	store_new_uid(id);
	json_put(doc, claims, "aud", json_copy(doc, t->audiences));
	json_put_int(doc, claims, "exp", now_s + t->lifetime_s);
	json_put_int(doc, claims, "iat", now_s);
	json_put_str(doc, claims, "iss", API_ISSUER);
	json_put_str(doc, claims, "jti", id);
	k = json_obj_of(doc, claims, "kubernetes.io");
	json_put_str(doc, k, "namespace", c->namespace);
	if (t->bound && str_eq(t->bound_kind, "Pod")) {
		const char *node = json_str(json_at(t->bound, "spec", "nodeName", NULL), "");
		const struct json *object = find(c->store, "nodes", "", node);

		if (*node)
			put_ref(doc, k, "node", node, meta_str(object, "uid"));
		put_ref(doc, k, "pod", meta_str(t->bound, "name"), meta_str(t->bound, "uid"));
	} else if (t->bound) {
		put_ref(doc, k, str_eq(t->bound_kind, "Node") ? "node" : "secret",
			meta_str(t->bound, "name"), meta_str(t->bound, "uid"));
	}
	put_ref(doc, k, "serviceaccount", c->name, meta_str(t->account, "uid"));
	json_put_int(doc, claims, "nbf", now_s);
	json_put_fmt(doc, claims, "sub", "system:serviceaccount:%s:%s", c->namespace, c->name);
	return claims;
}

static void answer(struct api_call *c, struct json_doc *doc, const struct token_request *t)
{
	struct json *root = json_root(doc), *meta, *status;
	int64_t now_s = (int64_t)time(NULL);
	char when[CLOCK_RFC3339_MAX];
	struct err e = ERR_INIT;
	struct buf token;

	buf_init_secret(&token, JWT_BYTES_MAX);
	if (jwt_sign(c->site->tokens, make_claims(c, doc, t, now_s), &token, &e) < 0) {
		reply_fail(c, 500, "InternalError", "failed to generate token: %s", err_msg(&e));
		buf_done(&token);
		return;
	}
	json_put_str(doc, root, "kind", "TokenRequest");
	json_put_str(doc, root, "apiVersion", "authentication.k8s.io/v1");
	meta = json_obj_of(doc, root, "metadata");
	json_put_str(doc, meta, "name", c->name);
	json_put_str(doc, meta, "namespace", c->namespace);
	json_put_str(doc, meta, "creationTimestamp", clock_rfc3339(when, now_s));
	status = json_obj_of(doc, root, "status");
	json_put_str(doc, status, "token", buf_str(&token));
	json_put_str(doc, status, "expirationTimestamp",
		     clock_rfc3339(when, now_s + t->lifetime_s));
	reply_doc(c, 201, root);
	buf_done(&token);
}

void token_issue(struct api_call *c)
{
	struct store_object *o = rest_object(c);
	struct token_request t = {.bound = NULL};
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json *ref;

	if (!o || !rest_body(c, &doc))
		return;
	if (!json_is_obj(json_root(doc))) {
		reply_fail(c, 400, "BadRequest", "the body must be a JSON object");
		return;
	}
	if (!c->site || !c->site->tokens) {
		reply_fail(c, 500, "InternalError", "there is no key to sign tokens with");
		return;
	}
	if (!check_types(c, json_root(doc)))
		return;
	t.account = json_root(o->doc);
	ref = json_at(json_root(doc), "spec", "boundObjectRef", NULL);
	if (read_spec(c, doc, &t) && (!json_is_obj(ref) || find_bound(c, ref, &t)) &&
	    node_may(c, ref, &t))
		answer(c, doc, &t);
}

static bool has_audience(const struct json *claims, const struct json *audiences)
{
	struct json_iter it = json_iter(json_get(claims, "aud"));

	while (json_next(&it)) {
		const char *has = json_str(it.value, "");
		struct json_iter want = json_iter(audiences);

		if (!audiences && str_eq(has, API_ISSUER))
			return true;
		while (json_next(&want)) {
			if (*has && str_eq(has, json_str(want.value, "")))
				return true;
		}
	}
	return false;
}

/* Whether what a token refers to is there, is that one, and is not long gone. */
static bool alive(const struct json *object, const char *uid, int64_t now_s)
{
	const char *end = meta_str(object, "deletionTimestamp");
	uint64_t ns;

	if (!object || !str_eq(meta_str(object, "uid"), uid))
		return false;
	return !*end ||
	       (clock_parse_rfc3339(end, &ns) == 0 && (int64_t)(ns / 1000000000) + GONE_S > now_s);
}

static int check_bound(struct store *s, const struct json *k, const char *ns, int64_t now_s,
		       struct err *e)
{
	static const struct {
		const char *claim, *resource;
	} refs[] = {{"pod", "pods"}, {"secret", "secrets"}, {"node", "nodes"}};

	for (size_t i = 0; i < ARRAY_SIZE(refs); i++) {
		const struct json *ref = json_get(k, refs[i].claim), *object;
		bool node = i == 2;

		if (!ref || (node && json_get(k, "pod")))
			continue; /* the node of a pod is said, not a condition */
		object = find(s, refs[i].resource, node ? "" : ns,
			      json_str(json_get(ref, "name"), ""));
		if (!alive(object, json_str(json_get(ref, "uid"), "-"), now_s))
			return err_set(e, -EACCES, "the %s that it is bound to is gone",
				       refs[i].claim);
	}
	return 0;
}

static void fill_user(const struct json *claims, const char *ns, const char *uid,
		      struct api_user *u)
{
	const struct json *k = json_get(claims, "kubernetes.io");
	char group[API_GROUP_MAX];

	(void)str_copy(u->name, sizeof(u->name), json_str(json_get(claims, "sub"), ""));
	(void)str_copy(u->uid, sizeof(u->uid), uid);
	(void)str_copy(u->token_id, sizeof(u->token_id), json_str(json_get(claims, "jti"), ""));
	(void)str_copy(u->pod_name, sizeof(u->pod_name),
		       json_str(json_at(k, "pod", "name", NULL), ""));
	(void)str_copy(u->pod_uid, sizeof(u->pod_uid),
		       json_str(json_at(k, "pod", "uid", NULL), ""));
	(void)str_copy(u->node_name, sizeof(u->node_name),
		       json_str(json_at(k, "node", "name", NULL), ""));
	(void)str_copy(u->node_uid, sizeof(u->node_uid),
		       json_str(json_at(k, "node", "uid", NULL), ""));
	user_add_group(u, "system:serviceaccounts");
	snprintf(group, sizeof(group), "system:serviceaccounts:%.64s", ns);
	user_add_group(u, group);
	user_add_group(u, "system:authenticated");
}

static int check_claims(struct store *s, const struct json *claims, const struct json *audiences,
			struct api_user *out, struct err *e)
{
	const struct json *k = json_get(claims, "kubernetes.io");
	const char *ns = json_str(json_get(k, "namespace"), "");
	const char *name = json_str(json_at(k, "serviceaccount", "name", NULL), "");
	const char *uid = json_str(json_at(k, "serviceaccount", "uid", NULL), "-");
	_cleanup_free_ char *sub = mem_printf("system:serviceaccount:%s:%s", ns, name);
	int64_t now_s = (int64_t)time(NULL);
	int r;

	if (!str_eq(json_str(json_get(claims, "iss"), ""), API_ISSUER) ||
	    !str_eq(json_str(json_get(claims, "sub"), ""), sub) || strlen(sub) >= API_USER_MAX)
		return err_set(e, -EACCES, "it is not of this issuer");
	if (json_int(json_get(claims, "exp"), 0) <= now_s)
		return err_set(e, -EACCES, "it has expired");
	if (json_int(json_get(claims, "nbf"), INT64_MAX) > now_s + SKEW_S)
		return err_set(e, -EACCES, "it is not valid yet");
	if (!has_audience(claims, audiences))
		return err_set(e, -EACCES, "it is for another audience");
	if (!alive(find(s, "serviceaccounts", ns, name), uid, now_s))
		return err_set(e, -EACCES, "its service account is gone");
	r = check_bound(s, k, ns, now_s, e);
	if (r == 0)
		fill_user(claims, ns, uid, out);
	return r;
}

int token_user(struct store *s, const struct api_site *site, const char *token,
	       const struct json *audiences, struct api_user *out, struct err *e)
{
	_cleanup_json_ struct json_doc *doc = NULL;

	if (!site || !site->tokens)
		return err_set(e, -EACCES, "no tokens are issued here");
	if (jwt_verify(site->tokens, token, &doc, e) < 0)
		return -EACCES;
	return check_claims(s, json_root(doc), audiences, out, e);
}

struct json *token_audiences(struct json_doc *doc, const char *token, const struct json *audiences)
{
	struct json *both = json_new_arr(doc);
	struct json_iter it = json_iter(audiences);
	struct jwt t;

	if (jwt_parse(token, &t, NULL) < 0)
		return both;
	while (json_next(&it)) {
		struct json_iter has = json_iter(json_get(json_root(t.claims), "aud"));

		while (json_next(&has)) {
			if (json_equal(it.value, has.value))
				json_push(doc, both, json_copy(doc, it.value));
		}
	}
	jwt_done(&t);
	return both;
}

bool token_discovery(struct api_call *c)
{
	bool keys = str_eq(c->path, "/openid/v1/jwks");
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json *root;

	if ((!keys && !str_eq(c->path, "/.well-known/openid-configuration")) || !c->site ||
	    !c->site->tokens)
		return false;
	doc = json_doc_new();
	root = json_new_obj(doc);
	if (keys) {
		json_push(doc, json_arr_of(doc, root, "keys"), jwt_key_json(c->site->tokens, doc));
	} else {
		json_put_str(doc, root, "issuer", API_ISSUER);
		json_put_fmt(doc, root, "jwks_uri", "https://%s/openid/v1/jwks",
			     c->host ? c->host : "kubernetes.default.svc");
		json_push(doc, json_arr_of(doc, root, "response_types_supported"),
			  json_new_str(doc, "id_token"));
		json_push(doc, json_arr_of(doc, root, "subject_types_supported"),
			  json_new_str(doc, "public"));
		json_push(doc, json_arr_of(doc, root, "id_token_signing_alg_values_supported"),
			  json_new_str(doc, "ES256"));
	}
	reply_doc(c, 200, root);
	if (keys)
		c->reply.content_type = "application/jwk-set+json";
	return true;
}
