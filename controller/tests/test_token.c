// SPDX-License-Identifier: Apache-2.0
/* Service accounts: what namespaces have, tokens and when they end, what hosts and accounts may do. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "api/account.h"
#include "api/token.h"
#include "api_world.h"
#include "base/clock.h"
#include "base/mem.h"

#define NS(n)	    "/api/v1/namespaces/" n
#define TOKEN(name) NS("default") "/serviceaccounts/" name "/token"
#define MERGE	    "application/merge-patch+json"

/* A pod of the account "app" with a token volume, bound to a host. */
#define APP_POD(name)                                                                            \
	"{\"metadata\":{\"name\":\"" name                                                        \
	"\"},\"spec\":{\"serviceAccountName\":\"app\",\"automountServiceAccountToken\":false,"   \
	"\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"envFrom\":[{\"secretRef\":{\"name\":" \
	"\"" name "-secret\"}}]}],\"imagePullSecrets\":[{\"name\":\"pull\"}],\"volumes\":["      \
	"{\"name\":\"t\",\"projected\":{\"sources\":[{\"serviceAccountToken\":{\"path\":\"t\"}}" \
	",{\"serviceAccountToken\":{\"path\":\"v\",\"audience\":\"vault\"}},"                    \
	"{\"configMap\":{\"name\":\"" name "-map\"}},{\"secret\":{\"name\":\"" name              \
	"-key\"}}]}}]}}"

static void make_app(struct world *w)
{
	static const char *const secrets[] = {"mine-secret", "mine-key", "pull", "their-secret",
					      "unused"};
	static const char *const maps[] = {"mine-map", "their-map"};
	char body[200];

	assert_int_equal(ask(w, "POST", NS("default") "/serviceaccounts", "",
			     "{\"metadata\":{\"name\":\"app\"}}"),
			 201);
	assert_int_equal(ask(w, "POST", NS("default") "/serviceaccounts", "",
			     "{\"metadata\":{\"name\":\"other\"}}"),
			 201);
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
		snprintf(body, sizeof(body), "{\"metadata\":{\"name\":\"%s\"}}", secrets[i]);
		assert_int_equal(ask(w, "POST", NS("default") "/secrets", "", body), 201);
	}
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		snprintf(body, sizeof(body), "{\"metadata\":{\"name\":\"%s\"}}", maps[i]);
		assert_int_equal(ask(w, "POST", NS("default") "/configmaps", "", body), 201);
	}
	add_node(w, "h1");
	add_node(w, "h2");
	add_pod(w, APP_POD("mine"));
	add_pod(w, APP_POD("their"));
	assert_int_equal(store_bind_pod(w->store, "default", "mine", "h1", NULL), 0);
	assert_int_equal(store_bind_pod(w->store, "default", "their", "h2", NULL), 0);
}

static char *uid_of(struct world *w, const char *resource, const char *name)
{
	struct store_object *o = store_get(w->store, resource, "default", name);

	assert_non_null(o);
	return mem_strdup(json_str(json_at(json_root(o->doc), "metadata", "uid", NULL), ""));
}

/* A token bound to a pod, or to nothing when @pod is NULL. Return: the status */
static int request(struct world *w, const char *path, const char *pod, const char *uid,
		   const char *audience)
{
	_cleanup_free_ char *body = mem_printf(
		"{\"spec\":{\"audiences\":[%s%s%s]%s%s%s%s%s}}", *audience ? "\"" : "", audience,
		*audience ? "\"" : "",
		pod ? ",\"boundObjectRef\":{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\""
		    : "",
		pod ? pod : "", pod ? "\",\"uid\":\"" : "", pod ? uid : "", pod ? "\"}" : "");

	return ask(w, "POST", path, "", body);
}

static int check(struct world *w, const char *token, struct api_user *u)
{
	memset(u, 0, sizeof(*u));
	return token_user(w->store, &w->site, token, NULL, u, NULL);
}

static void test_namespace(void **state)
{
	struct world *w = *state;
	struct account_keeper *k;

	assert_int_equal(
		ask(w, "POST", "/api/v1/namespaces", "", "{\"metadata\":{\"name\":\"n\"}}"), 201);
	assert_int_equal(ask(w, "GET", NS("n") "/serviceaccounts/default", "", ""), 200);
	assert_false(json_bool(AT(w, "automountServiceAccountToken"), true));
	assert_int_equal(ask(w, "GET", NS("n") "/configmaps/kube-root-ca.crt", "", ""), 200);
	assert_string_equal(TEXT(w, "data", "ca.crt"), w->site.ca_pem);

	assert_int_equal(account_keeper_new(w->store, &w->site, &k, NULL), 0);
	assert_int_equal(ask(w, "DELETE", NS("n") "/serviceaccounts/default", "", ""), 200);
	assert_int_equal(ask(w, "DELETE", NS("n") "/configmaps/kube-root-ca.crt", "", ""), 200);
	store_dispatch(w->store);
	assert_int_equal(ask(w, "GET", NS("n") "/serviceaccounts/default", "", ""), 200);
	w->type = MERGE;
	assert_int_equal(ask(w, "PATCH", NS("n") "/configmaps/kube-root-ca.crt", "",
			     "{\"data\":{\"ca.crt\":\"mine\"}}"),
			 200);
	w->type = NULL;
	store_dispatch(w->store);
	assert_int_equal(ask(w, "GET", NS("n") "/configmaps/kube-root-ca.crt", "", ""), 200);
	assert_string_equal(TEXT(w, "data", "ca.crt"), w->site.ca_pem);
	/* not in one that is being deleted */
	assert_int_equal(ask(w, "DELETE", "/api/v1/namespaces/n", "", ""), 200);
	assert_int_equal(ask(w, "DELETE", NS("n") "/serviceaccounts/default", "", ""), 200);
	store_dispatch(w->store);
	assert_int_equal(ask(w, "GET", NS("n") "/serviceaccounts/default", "", ""), 404);
	account_keeper_free(k);
}

static void test_claims(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *uid = NULL, *account = NULL, *token = NULL;
	const struct json *claims;
	struct jwt t;
	struct api_user u;

	make_app(w);
	uid = uid_of(w, "pods", "mine");
	account = uid_of(w, "serviceaccounts", "app");
	assert_int_equal(request(w, TOKEN("app"), "mine", uid, ""), 201);
	token = mem_strdup(TEXT(w, "status", "token"));
	assert_int_equal(jwt_parse(token, &t, NULL), 0);
	claims = json_root(t.claims);
	assert_string_equal(json_str(json_item(json_get(claims, "aud"), 0), ""), API_ISSUER);
	assert_string_equal(json_str(json_get(claims, "sub"), ""),
			    "system:serviceaccount:default:app");
	assert_int_equal(
		json_int(json_get(claims, "exp"), 0) - json_int(json_get(claims, "iat"), 0), 3600);
	claims = json_get(claims, "kubernetes.io");
	assert_string_equal(json_str(json_at(claims, "pod", "uid", NULL), ""), uid);
	assert_string_equal(json_str(json_at(claims, "serviceaccount", "uid", NULL), ""), account);
	assert_string_equal(json_str(json_at(claims, "node", "name", NULL), ""), "h1");
	jwt_done(&t);

	assert_int_equal(check(w, token, &u), 0);
	assert_string_equal(u.name, "system:serviceaccount:default:app");
	assert_true(user_in_group(&u, "system:serviceaccounts:default"));
	assert_string_equal(u.pod_name, "mine");
	w->user = u;
	assert_int_equal(
		ask(w, "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", "", "{}"), 201);
	assert_string_equal(TEXT(w, "status", "userInfo", "uid"), account);
	assert_string_equal(json_str(json_item(AT(w, "status", "userInfo", "extra",
						  "authentication.kubernetes.io/pod-name"),
					       0),
				     ""),
			    "mine");
}

static void test_bounds(void **state)
{
	static const char *const types[] = {
		"{\"spec\":7}",
		"{\"spec\":{\"audiences\":\"vault\"}}",
		"{\"spec\":{\"audiences\":[\"vault\",{}]}}",
		"{\"spec\":{\"expirationSeconds\":\"600\"}}",
		"{\"spec\":{\"expirationSeconds\":600.5}}",
		"{\"spec\":{\"boundObjectRef\":\"mine\"}}",
		"{\"spec\":{\"boundObjectRef\":{\"kind\":\"Pod\",\"name\":[\"mine\"]}}}",
	};
	struct world *w = *state;
	_cleanup_free_ char *uid = NULL;

	make_app(w);
	uid = uid_of(w, "pods", "mine");
	assert_int_equal(ask(w, "POST", TOKEN("app"), "", "{\"spec\":{\"expirationSeconds\":599}}"),
			 422);
	assert_int_equal(ask(w, "POST", TOKEN("app"), "",
			     "{\"spec\":{\"expirationSeconds\":9999999}}"),
			 201);
	assert_int_equal(json_int(AT(w, "spec", "expirationSeconds"), 0), 86400);
	assert_int_equal(request(w, TOKEN("nobody"), NULL, "", ""), 404);
	assert_int_equal(request(w, TOKEN("app"), "mine", "another", ""), 409);
	assert_int_equal(request(w, TOKEN("other"), "mine", uid, ""), 400);
	assert_int_equal(request(w, TOKEN("app"), "nobody", uid, ""), 404);
	assert_int_equal(ask(w, "POST", TOKEN("app"), "",
			     "{\"spec\":{\"boundObjectRef\":{\"kind\":\"Lease\",\"name\":\"x\"}}}"),
			 400);
	assert_int_equal(ask(w, "POST", TOKEN("app"), "", "[]"), 400);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		assert_int_equal(ask(w, "POST", TOKEN("app"), "", types[i]), 400);
		assert_non_null(strstr(TEXT(w, "message"), "cannot be handled as a TokenRequest"));
	}
	assert_int_equal(ask(w, "POST", TOKEN("app"), "", "{\"spec\":{\"boundObjectRef\":null}}"),
			 201);
	assert_int_equal(ask(w, "GET", TOKEN("app"), "", ""), 404);
}

/* Our own signature over other claims */
static int forged(struct world *w, const char *token, const char *key,
		  struct json *(*make)(struct json_doc *doc))
{
	struct buf b = BUF_INIT(0);
	struct api_user u;
	struct jwt t;
	int r;

	assert_int_equal(jwt_parse(token, &t, NULL), 0);
	json_put(t.claims, json_root(t.claims), key, make(t.claims));
	assert_int_equal(jwt_sign(w->site.tokens, json_root(t.claims), &b, NULL), 0);
	r = check(w, buf_str(&b), &u);
	buf_done(&b);
	jwt_done(&t);
	return r;
}

static struct json *now(struct json_doc *doc)
{
	return json_new_int(doc, time(NULL));
}

static struct json *soon(struct json_doc *doc)
{
	return json_new_int(doc, time(NULL) + 300);
}

static struct json *text(struct json_doc *doc)
{
	return json_new_str(doc, "x");
}

static struct json *audience(struct json_doc *doc)
{
	struct json *a = json_new_arr(doc);

	json_push(doc, a, json_new_str(doc, "vault"));
	return a;
}

static struct json *nothing(struct json_doc *doc)
{
	(void)doc;
	return NULL;
}

static void test_end(void **state)
{
	static const char *const claims[] = {"exp", "nbf", "iss", "sub", "aud", "kubernetes.io"};
	struct world *w = *state;
	_cleanup_free_ char *uid = NULL, *token = NULL, *free_token = NULL;
	char end[CLOCK_RFC3339_MAX];
	struct json_doc *doc;
	struct api_user u;

	make_app(w);
	uid = uid_of(w, "pods", "mine");
	assert_int_equal(request(w, TOKEN("app"), "mine", uid, ""), 201);
	token = mem_strdup(TEXT(w, "status", "token"));
	assert_int_equal(request(w, TOKEN("app"), NULL, "", ""), 201);
	free_token = mem_strdup(TEXT(w, "status", "token"));
	assert_int_equal(check(w, token, &u), 0);
	assert_int_equal(check(w, free_token, &u), 0);

	assert_int_equal(forged(w, token, "exp", soon), 0);
	assert_int_equal(forged(w, token, "exp", now), -EACCES);
	assert_int_equal(forged(w, token, "nbf", soon), -EACCES);
	assert_int_equal(forged(w, token, "aud", audience), -EACCES);
	for (size_t i = 0; i < ARRAY_SIZE(claims); i++) {
		assert_int_equal(forged(w, token, claims[i], nothing), -EACCES);
		assert_int_equal(forged(w, token, claims[i], text), -EACCES);
	}

	/* a pod that should have ended a minute ago */
	doc = json_doc_new();
	json_set_root(doc,
		      json_copy(doc,
				json_root(store_get(w->store, "pods", "default", "mine")->doc)));
	json_put_str(doc, json_get(json_root(doc), "metadata"), "deletionTimestamp",
		     clock_rfc3339(end, time(NULL) - 61));
	assert_int_equal(store_update(w->store, "pods", "default", "mine", 0, doc, NULL, NULL), 0);
	assert_int_equal(check(w, token, &u), -EACCES);
	/* one of the same name is another */
	assert_int_equal(store_delete(w->store, "pods", "default", "mine", 0, NULL), 0);
	add_pod(w, APP_POD("mine"));
	assert_int_equal(check(w, token, &u), -EACCES);
	assert_int_equal(check(w, free_token, &u), 0);
	assert_int_equal(ask(w, "DELETE", NS("default") "/serviceaccounts/app", "", ""), 200);
	assert_int_equal(check(w, free_token, &u), -EACCES);
	assert_int_equal(ask(w, "POST", NS("default") "/serviceaccounts", "",
			     "{\"metadata\":{\"name\":\"app\"}}"),
			 201);
	assert_int_equal(check(w, free_token, &u), -EACCES);
}

static int review(struct world *w, const char *token, const char *audiences)
{
	_cleanup_free_ char *body =
		mem_printf("{\"spec\":{\"token\":\"%s\",\"audiences\":[%s]}}", token, audiences);

	assert_int_equal(ask(w, "POST", "/apis/authentication.k8s.io/v1/tokenreviews", "", body),
			 201);
	return json_bool(AT(w, "status", "authenticated"), false);
}

static void test_review(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *token = NULL, *vault = NULL;

	make_app(w);
	assert_int_equal(request(w, TOKEN("app"), NULL, "", ""), 201);
	token = mem_strdup(TEXT(w, "status", "token"));
	assert_int_equal(request(w, TOKEN("app"), NULL, "", "vault"), 201);
	vault = mem_strdup(TEXT(w, "status", "token"));
	assert_true(review(w, token, ""));
	assert_string_equal(TEXT(w, "status", "user", "username"),
			    "system:serviceaccount:default:app");
	assert_false(review(w, token, "\"vault\""));
	assert_false(review(w, vault, ""));
	assert_true(review(w, vault, "\"x\",\"vault\""));
	assert_string_equal(json_str(json_item(AT(w, "status", "audiences"), 0), ""), "vault");
	assert_false(review(w, "a.b.c", ""));
	assert_null(AT(w, "status", "user"));
	w->user = (struct api_user){.name = ""}; /* strangers see the keys, nothing else */
	assert_int_equal(ask(w, "GET", "/openid/v1/jwks", "", ""), 200);
	assert_int_equal(ask(w, "GET", "/.well-known/openid-configuration", "", ""), 200);
	assert_string_equal(TEXT(w, "issuer"), API_ISSUER);
}

static int get(struct world *w, const char *path)
{
	return ask(w, "GET", path, "", "");
}

/* A host that was taken over asks for everything. */
static void test_hostile_host(void **state)
{
	static const char *const mine[] = {"secrets/mine-secret", "secrets/mine-key",
					   "secrets/pull", "configmaps/mine-map",
					   "serviceaccounts/app"};
	static const char *const theirs[] = {"secrets/their-secret",
					     "secrets/unused",
					     "secrets/nobody",
					     "configmaps/their-map",
					     "configmaps/kube-root-ca.crt",
					     "serviceaccounts/other",
					     "serviceaccounts/default"};
	static const char *const lists[] = {"secrets", "configmaps", "serviceaccounts"};
	struct world *w = *state;
	_cleanup_free_ char *uid = NULL, *their = NULL;
	char path[200];

	make_app(w);
	uid = uid_of(w, "pods", "mine");
	their = uid_of(w, "pods", "their");
	be(w, "system:node:h1", "system:nodes");
	for (size_t i = 0; i < ARRAY_SIZE(mine); i++) {
		snprintf(path, sizeof(path), NS("default") "/%s", mine[i]);
		assert_int_equal(get(w, path), 200);
		assert_int_equal(ask(w, "PUT", path, "", "{}"), 403);
		assert_int_equal(ask(w, "PATCH", path, "", "{}"), 403);
		assert_int_equal(ask(w, "DELETE", path, "", ""), 403);
		assert_int_equal(ask(w, "GET", path, "watch=1", ""), 403);
		snprintf(path, sizeof(path), NS("kube-system") "/%s", mine[i]);
		assert_int_equal(get(w, path), 403);
	}
	for (size_t i = 0; i < ARRAY_SIZE(theirs); i++) {
		snprintf(path, sizeof(path), NS("default") "/%s", theirs[i]);
		assert_int_equal(get(w, path), 403);
	}
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		snprintf(path, sizeof(path), NS("default") "/%s", lists[i]);
		assert_int_equal(get(w, path), 403);
		assert_int_equal(ask(w, "GET", path, "watch=1", ""), 403);
		assert_int_equal(
			ask(w, "GET", path, "fieldSelector=metadata.name%3Dmine-secret", ""), 403);
		assert_int_equal(ask(w, "DELETE", path, "", ""), 403);
		snprintf(path, sizeof(path), "/api/v1/%s", lists[i]);
		assert_int_equal(get(w, path), 403);
	}
	assert_int_equal(request(w, TOKEN("app"), "mine", uid, ""), 201);
	assert_int_equal(request(w, TOKEN("app"), "mine", uid, "vault"), 201);
	assert_int_equal(request(w, TOKEN("app"), "mine", uid, "bank"), 403);
	assert_non_null(strstr(TEXT(w, "message"), "audience \"bank\" not found"));
	assert_int_equal(request(w, TOKEN("app"), NULL, "", ""), 403);
	assert_int_equal(request(w, TOKEN("app"), "mine", "", ""), 403);
	assert_int_equal(request(w, TOKEN("app"), "their", their, ""), 403);
	assert_int_equal(request(w, TOKEN("other"), "mine", uid, ""), 403);
	assert_int_equal(request(w, TOKEN("default"), NULL, "", ""), 403);
	assert_int_equal(ask(w, "POST", TOKEN("app"), "",
			     "{\"spec\":{\"boundObjectRef\":{\"kind\":\"Node\",\"name\":\"h1\"}}}"),
			 403);
}

static void role(struct world *w, const char *name)
{
	char body[100];

	be(w, "admin", "system:masters");
	snprintf(body, sizeof(body), "{\"metadata\":{\"labels\":{\"hypermetal.io/role\":\"%s\"}}}",
		 name);
	w->type = MERGE;
	assert_int_equal(ask(w, "PATCH", NS("default") "/serviceaccounts/app", "", body), 200);
	w->type = NULL;
	be(w, "system:serviceaccount:default:app", "system:serviceaccounts");
}

static void test_roles(void **state)
{
	static const char review_body[] =
		"{\"spec\":{\"resourceAttributes\":{\"verb\":\"list\",\"resource\":\"pods\","
		"\"namespace\":\"default\"}}}";
	static const char path[] = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
	struct world *w = *state;

	make_app(w);
	be(w, "system:serviceaccount:default:app", "system:serviceaccounts");
	assert_int_equal(get(w, PODS), 403);
	assert_int_equal(get(w, "/api"), 200);
	assert_int_equal(ask(w, "POST", path, "", review_body), 201);
	assert_false(json_bool(AT(w, "status", "allowed"), true));
	role(w, "view");
	assert_int_equal(ask(w, "POST", path, "", review_body), 201);
	assert_true(json_bool(AT(w, "status", "allowed"), false));
	assert_int_equal(get(w, PODS), 200);
	assert_int_equal(get(w, "/api/v1/pods"), 403);
	assert_int_equal(get(w, NS("kube-system") "/pods"), 403);
	assert_int_equal(get(w, NS("default") "/secrets"), 403);
	assert_int_equal(get(w, "/api/v1/nodes"), 403);
	assert_int_equal(ask(w, "POST", PODS, "", POD("x")), 403);
	assert_int_equal(get(w, PODS "/mine/exec"), 403);
	assert_int_equal(request(w, TOKEN("app"), NULL, "", ""), 403);
	role(w, "admin");
	assert_int_equal(ask(w, "POST", PODS, "", POD("x")), 201);
	assert_int_equal(get(w, NS("default") "/secrets"), 200);
	assert_int_equal(get(w, NS("kube-system") "/secrets"), 403);
	assert_int_equal(ask(w, "POST", PODS "/x/binding", "", "{}"), 403);
	assert_int_equal(ask(w, "PUT", PODS "/x/status", "", "{}"), 403);
	assert_int_equal(ask(w, "POST", "/api/v1/namespaces", "", "{}"), 403);
	assert_int_equal(request(w, TOKEN("app"), NULL, "", ""), 201);
	/* kubectl auth can-i --list: nothing but what was just seen */
	assert_int_equal(ask(w, "POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", "",
			     "{\"spec\":{\"namespace\":\"default\"}}"),
			 201);
	{
		struct json_iter it = json_iter(AT(w, "status", "resourceRules"));
		size_t count = 0;

		while (json_next(&it)) {
			const char *what =
				json_str(json_item(json_get(it.value, "resources"), 0), "");

			assert_false(words_have("nodes namespaces pods/binding pods/status leases",
						what));
			count += words_have("pods secrets pods/exec serviceaccounts/token", what);
		}
		assert_int_equal(count, 5); /* pods are of metrics.k8s.io, too */
	}
	role(w, "root");
	assert_int_equal(get(w, PODS), 403);
	be(w, "system:serviceaccount:default", "system:serviceaccounts");
	assert_int_equal(get(w, PODS), 403);
}

static void test_impersonation(void **state)
{
	static const char *const groups[] = {"system:nodes"};
	struct world *w = *state;
	struct api_call *c = mem_alloc(sizeof(*c));
	struct api_user u = w->user;

	assert_true(auth_impersonate(c, &u, "system:serviceaccount:n:a", NULL, 0));
	assert_string_equal(u.name, "system:serviceaccount:n:a");
	assert_true(user_in_group(&u, "system:serviceaccounts:n"));
	assert_false(user_in_group(&u, "system:masters"));
	assert_false(auth_impersonate(c, &u, "root", NULL, 0)); /* not twice */
	u = w->user;
	assert_true(auth_impersonate(c, &u, "system:node:h1", groups, 1));
	assert_string_equal(user_node(&u), "h1");
	assert_true(user_in_group(&u, "system:authenticated"));
	assert_false(auth_impersonate(c, &u, "x", NULL, 0));
	assert_int_equal(c->reply.status, 403);
	u = w->user;
	assert_false(auth_impersonate(c, &u, "", groups, 1));
	buf_done(&c->reply.body);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_namespace), WORLD_TEST(test_claims),
		WORLD_TEST(test_bounds),    WORLD_TEST(test_end),
		WORLD_TEST(test_review),    WORLD_TEST(test_hostile_host),
		WORLD_TEST(test_roles),	    WORLD_TEST(test_impersonation),
	};

	return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
