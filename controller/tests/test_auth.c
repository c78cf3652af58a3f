// SPDX-License-Identifier: Apache-2.0
/* Who may do what: nodes, enrolling hosts, strangers. */
#include <errno.h>
#include <stdio.h>

#include "api_world.h"
#include "base/base64.h"
#include "base/mem.h"

static void test_node_rules(void **state)
{
	struct world *w = *state;

	add_pod(w, POD("mine"));
	add_pod(w,
		"{\"metadata\":{\"name\":\"other\"},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}");
	be(w, "system:node:h1", "system:nodes");
	assert_int_equal(ask(w, "POST", "/api/v1/nodes", "", "{\"metadata\":{\"name\":\"h2\"}}"),
			 403);
	assert_int_equal(
		ask(w, "POST", "/api/v1/nodes", "",
		    "{\"metadata\":{\"name\":\"h1\",\"labels\":{\"node-role.kubernetes.io/x\":\"\"}}}"),
		403);
	assert_int_equal(
		ask(w, "POST", "/api/v1/nodes", "",
		    "{\"metadata\":{\"name\":\"h1\",\"labels\":{\"kubernetes.io/os\":\"linux\"}}}"),
		201);
	assert_string_equal(json_str(json_get(json_item(AT(w, "spec", "taints"), 0), "key"), ""),
			    "node.kubernetes.io/not-ready");
	w->type = SMP;
	assert_int_equal(ask(w, "PATCH", "/api/v1/nodes/h1", "", "{\"spec\":{\"taints\":null}}"),
			 403);
	assert_int_equal(
		ask(w, "PATCH", "/api/v1/nodes/h1/status", "",
		    "{\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}"),
		200);
	assert_int_equal(ask(w, "PATCH", "/api/v1/nodes/h2/status", "", "{\"status\":{}}"), 403);
	w->type = NULL;
	assert_int_equal(ask(w, "DELETE", "/api/v1/nodes/h1", "", ""), 403);
	assert_int_equal(ask(w, "GET", "/api/v1/pods", "", ""), 403);
	assert_string_equal(
		TEXT(w, "message"),
		"pods is forbidden: User \"system:node:h1\" cannot list resource \"pods\" in API group \"\" at the cluster scope");
	assert_int_equal(ask(w, "GET", "/api/v1/pods", "fieldSelector=spec.nodeName%3Dh2", ""),
			 403);
	assert_int_equal(ask(w, "GET", "/api/v1/pods", "fieldSelector=spec.nodeName%3Dh1", ""),
			 200);
	assert_int_equal(ask(w, "GET", PODS "/mine", "", ""), 403);
	assert_int_equal(store_bind_pod(w->store, "default", "mine", "h1", NULL), 0);
	assert_int_equal(ask(w, "GET", PODS "/mine", "", ""), 200);
	assert_int_equal(ask(w, "DELETE", PODS "/other", "", ""), 403);
	assert_int_equal(ask(w, "POST", PODS, "", POD("x")), 403);
	assert_int_equal(ask(w, "POST", PODS "/mine/binding", "", "{}"), 403);
	assert_int_equal(ask(w, "GET", "/api/v1/namespaces/kube-system/secrets", "", ""), 403);
	assert_int_equal(ask(w, "GET", "/api/v1/namespaces/default/secrets/s", "", ""), 403);
	assert_int_equal(ask(w, "POST",
			     "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", "",
			     "{\"metadata\":{\"name\":\"h2\"}}"),
			 403);
	assert_int_equal(ask(w, "POST",
			     "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", "",
			     "{\"metadata\":{\"name\":\"h1\"}}"),
			 201);
	assert_int_equal(ask(w, "POST", "/api/v1/namespaces/default/events", "",
			     "{\"metadata\":{\"name\":\"e\"}}"),
			 201);
	be(w, "somebody", "people");
	assert_int_equal(ask(w, "GET", PODS, "", ""), 403);
	assert_int_equal(ask(w, "GET", "/api", "", ""), 200);
	memset(&w->user, 0, sizeof(w->user));
	assert_int_equal(ask(w, "GET", PODS, "", ""), 401);
	assert_int_equal(ask(w, "GET", "/healthz", "", ""), 200);
}

/* A WebSocket begins with a GET; who may read a pod may not execute in it. */
static void test_exec(void **state)
{
	struct world *w = *state;

	add_pod(w, POD("a"));
	assert_int_equal(store_bind_pod(w->store, "default", "a", "h1", NULL), 0);
	assert_int_equal(ask(w, "GET", PODS "/a/exec", "command=id&stdout=1", ""), -1);
	assert_int_equal(ask(w, "POST", PODS "/a/attach", "stdout=1", ""), -1);
	assert_int_equal(ask(w, "DELETE", PODS "/a/exec", "", ""), 404);
	be(w, "system:node:h1", "system:nodes");
	assert_int_equal(ask(w, "GET", PODS "/a", "", ""), 200);
	assert_int_equal(ask(w, "GET", PODS "/a/exec", "command=id&stdout=1", ""), 403);
	assert_non_null(strstr(TEXT(w, "message"), "cannot create resource \"pods/exec\""));
	assert_int_equal(ask(w, "GET", PODS "/a/attach", "stdout=1", ""), 403);
}

static void test_referenced_secret(void **state)
{
	struct world *w = *state;

	assert_int_equal(ask(w, "POST", "/api/v1/namespaces/default/secrets", "",
			     "{\"metadata\":{\"name\":\"s\"},\"stringData\":{\"k\":\"foo\"}}"),
			 201);
	assert_string_equal(TEXT(w, "data", "k"), "Zm9v");
	add_pod(w,
		"{\"metadata\":{\"name\":\"a\"},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"env\":[{\"name\":\"K\","
		"\"valueFrom\":{\"secretKeyRef\":{\"name\":\"s\",\"key\":\"k\"}}}]}]}}");
	assert_int_equal(store_bind_pod(w->store, "default", "a", "h1", NULL), 0);
	be(w, "system:node:h1", "system:nodes");
	assert_int_equal(ask(w, "GET", "/api/v1/namespaces/default/secrets/s", "", ""), 200);
	be(w, "system:node:h2", "system:nodes");
	assert_int_equal(ask(w, "GET", "/api/v1/namespaces/default/secrets/s", "", ""), 403);
}

static void test_bootstrap_token(void **state)
{
	static const char secret[] =
		"{\"metadata\":{\"name\":\"bootstrap-token-abcdef\"},\"type\":\"bootstrap.kubernetes.io/token\",\"stringData\":{"
		"\"token-secret\":\"0123456789abcdef\",\"usage-bootstrap-authentication\":\"true\",\"expiration\":\"%s\","
		"\"auth-extra-groups\":\"system:bootstrappers:hosts,system:masters\"}}";
	struct world *w = *state;
	struct api_user u = {.name = ""};
	char body[700], pem[200] = "-----BEGIN CERTIFICATE REQUEST-----", csr[600];
	struct buf b = BUF_INIT(0);

	snprintf(body, sizeof(body), secret, "2999-01-01T00:00:00Z");
	assert_int_equal(ask(w, "POST", "/api/v1/namespaces/kube-system/secrets", "", body), 201);
	assert_int_equal(auth_bearer(w->store, NULL, "Bearer abcdef.0123456789abcdeX", &u),
			 -EACCES);
	assert_int_equal(auth_bearer(w->store, NULL, "Bearer abcdeg.0123456789abcdef", &u),
			 -EACCES);
	assert_int_equal(auth_bearer(w->store, NULL, "Bearer abc", &u), -EACCES);
	assert_int_equal(auth_bearer(w->store, NULL, "Basic x", &u), 0);
	assert_string_equal(u.name, "");
	assert_int_equal(auth_bearer(w->store, NULL, "Bearer abcdef.0123456789abcdef", &u), 0);
	assert_string_equal(u.name, "system:bootstrap:abcdef");
	assert_true(user_in_group(&u, "system:bootstrappers:hosts"));
	assert_false(user_in_group(&u, "system:masters"));

	w->user = u;
	base64_encode(&b, pem, strlen(pem));
	snprintf(
		csr, sizeof(csr),
		"{\"metadata\":{\"generateName\":\"csr-\"},\"spec\":{\"request\":\"%s\",\"username\":\"root\","
		"\"signerName\":\"x.io/y\",\"usages\":[\"client auth\"]}}",
		buf_str(&b));
	buf_done(&b);
	assert_int_equal(ask(w, "POST", "/apis/certificates.k8s.io/v1/certificatesigningrequests",
			     "", csr),
			 201);
	assert_string_equal(TEXT(w, "spec", "username"), "system:bootstrap:abcdef");
	snprintf(body, sizeof(body), "/apis/certificates.k8s.io/v1/certificatesigningrequests/%s",
		 TEXT(w, "metadata", "name"));
	assert_int_equal(ask(w, "GET", body, "", ""), 200);
	assert_int_equal(ask(w, "GET", "/apis/certificates.k8s.io/v1/certificatesigningrequests",
			     "", ""),
			 403);
	assert_int_equal(ask(w, "GET", PODS, "", ""), 403);
	str_copy(w->user.name, sizeof(w->user.name), "system:bootstrap:zzzzzz");
	assert_int_equal(ask(w, "GET", body, "", ""), 403);

	be(w, "admin", "system:masters");
	w->type = "application/merge-patch+json";
	assert_int_equal(ask(w, "PATCH",
			     "/api/v1/namespaces/kube-system/secrets/bootstrap-token-abcdef", "",
			     "{\"stringData\":{\"expiration\":\"2000-01-01T00:00:00Z\"}}"),
			 200);
	assert_int_equal(auth_bearer(w->store, NULL, "Bearer abcdef.0123456789abcdef", &u),
			 -EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_node_rules),
		WORLD_TEST(test_exec),
		WORLD_TEST(test_referenced_secret),
		WORLD_TEST(test_bootstrap_token),
	};

	return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
