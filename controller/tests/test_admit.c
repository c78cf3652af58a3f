// SPDX-License-Identifier: Apache-2.0
/* What pods get from their ServiceAccount and RuntimeClass. */
#include <stdio.h>

#include "api_world.h"

#define ACCOUNTS "/api/v1/namespaces/default/serviceaccounts"
#define CLASSES	 "/apis/node.k8s.io/v1/runtimeclasses"
#define SA_PATH	 "/var/run/secrets/kubernetes.io/serviceaccount"

static int pod(struct world *w, const char *name, const char *spec)
{
	char body[1500];

	snprintf(
		body, sizeof(body),
		"{\"metadata\":{\"name\":\"%s\"},\"spec\":{%s%s\"containers\":["
		"{\"name\":\"a\",\"image\":\"i\"},{\"name\":\"b\",\"image\":\"i\",\"volumeMounts\":["
		"{\"name\":\"own\",\"mountPath\":\"" SA_PATH "\"}]}],"
		"\"initContainers\":[{\"name\":\"i\",\"image\":\"i\"}],"
		"\"volumes\":[{\"name\":\"own\"}]}}",
		name, spec, *spec ? "," : "");
	return ask(w, "POST", PODS, "", body);
}

static void refused(struct world *w, int status, const char *words)
{
	if (status != 403 || !strstr(TEXT(w, "message"), words))
		fail_msg("%d %s", status, TEXT(w, "message"));
}

static void account(struct world *w, const char *name, const char *members)
{
	char body[300];

	snprintf(body, sizeof(body), "{\"metadata\":{\"name\":\"%s\"}%s%s}", name,
		 *members ? "," : "", members);
	assert_int_equal(ask(w, "POST", ACCOUNTS, "", body), 201);
}

static const struct json *mount(struct world *w, const char *list, size_t container)
{
	const struct json *c = json_item(AT(w, "spec", list), container);

	return json_item(json_get(c, "volumeMounts"), 0);
}

static void test_account(void **state)
{
	struct world *w = *state;
	const struct json *volume, *sources;

	assert_int_equal(pod(w, "plain", ""), 201); /* the account "default" mounts nothing */
	assert_string_equal(TEXT(w, "spec", "serviceAccountName"), "default");
	assert_int_equal(json_count(AT(w, "spec", "volumes")), 1);
	refused(w, pod(w, "x", "\"serviceAccountName\":\"app\""),
		"pods \"x\" is forbidden: error looking up service account default/app: "
		"serviceaccount \"app\" not found");

	account(w, "app", "\"imagePullSecrets\":[{\"name\":\"pull\"}]");
	assert_int_equal(pod(w, "p", "\"serviceAccountName\":\"app\""), 201);
	volume = json_item(AT(w, "spec", "volumes"), 1);
	assert_non_null(str_starts(json_str(json_get(volume, "name"), ""), "kube-api-access-"));
	assert_int_equal(json_int(json_at(volume, "projected", "defaultMode", NULL), 0), 420);
	sources = json_at(volume, "projected", "sources", NULL);
	assert_int_equal(json_int(json_at(json_item(sources, 0), "serviceAccountToken",
					  "expirationSeconds", NULL),
				  0),
			 3607);
	assert_string_equal(json_str(json_at(json_item(sources, 1), "configMap", "name", NULL), ""),
			    "kube-root-ca.crt");
	assert_true(
		json_equal(json_get(mount(w, "containers", 0), "name"), json_get(volume, "name")));
	assert_true(json_bool(json_get(mount(w, "containers", 0), "readOnly"), false));
	assert_string_equal(json_str(json_get(mount(w, "initContainers", 0), "mountPath"), ""),
			    SA_PATH);
	assert_string_equal(json_str(json_get(mount(w, "containers", 1), "name"), ""), "own");
	assert_int_equal(
		json_count(json_get(json_item(AT(w, "spec", "containers"), 1), "volumeMounts")), 1);
	assert_string_equal(
		json_str(json_get(json_item(AT(w, "spec", "imagePullSecrets"), 0), "name"), ""),
		"pull");

	assert_int_equal(
		pod(w, "off",
		    "\"serviceAccountName\":\"app\",\"automountServiceAccountToken\":false,"
		    "\"imagePullSecrets\":[{\"name\":\"mine\"}]"),
		201);
	assert_int_equal(json_count(AT(w, "spec", "volumes")), 1);
	assert_string_equal(
		json_str(json_get(json_item(AT(w, "spec", "imagePullSecrets"), 0), "name"), ""),
		"mine");
	assert_int_equal(pod(w, "on", "\"automountServiceAccountToken\":true"), 201);
	assert_int_equal(json_count(AT(w, "spec", "volumes")), 2);
	/* a later change of the account changes no pod, and the pod can still be updated */
	assert_int_equal(ask(w, "DELETE", ACCOUNTS "/app", "", ""), 200);
	w->type = "application/merge-patch+json";
	assert_int_equal(
		ask(w, "PATCH", PODS "/p", "", "{\"metadata\":{\"labels\":{\"a\":\"b\"}}}"), 200);
}

static void test_runtime_class(void **state)
{
	static const char class[] =
		"{\"metadata\":{\"name\":\"c\"},\"handler\":\"h\",\"overhead\":{\"podFixed\":"
		"{\"memory\":\"32Mi\",\"cpu\":\"10m\"}},\"scheduling\":{\"nodeSelector\":{\"disk\":"
		"\"ssd\"},\"tolerations\":[{\"key\":\"t\",\"operator\":\"Exists\"}]}}";
	struct world *w = *state;

	refused(w, pod(w, "x", "\"runtimeClassName\":\"c\""),
		"pod rejected: RuntimeClass \"c\" not found");
	refused(w, pod(w, "x", "\"overhead\":{\"memory\":\"1Mi\"}"),
		"Pod Overhead set without corresponding RuntimeClass defined Overhead");
	assert_int_equal(ask(w, "POST", CLASSES, "", class), 201);
	assert_int_equal(pod(w, "p", "\"runtimeClassName\":\"c\",\"nodeSelector\":{\"a\":\"b\"}"),
			 201);
	assert_string_equal(TEXT(w, "spec", "overhead", "memory"), "32Mi");
	assert_string_equal(TEXT(w, "spec", "nodeSelector", "disk"), "ssd");
	assert_string_equal(TEXT(w, "spec", "nodeSelector", "a"), "b");
	assert_string_equal(
		json_str(json_get(json_item(AT(w, "spec", "tolerations"), 0), "key"), ""), "t");
	refused(w, pod(w, "x", "\"runtimeClassName\":\"c\",\"nodeSelector\":{\"disk\":\"hdd\"}"),
		"conflict: runtimeClass.scheduling.nodeSelector[disk] = ssd; "
		"pod.spec.nodeSelector[disk] = hdd");
	refused(w, pod(w, "x", "\"runtimeClassName\":\"c\",\"overhead\":{\"memory\":\"1Mi\"}"),
		"Pod's Overhead doesn't match");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_account),
		WORLD_TEST(test_runtime_class),
	};

	return cmocka_run_group_tests_name("admit", tests, NULL, NULL);
}
