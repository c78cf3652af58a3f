// SPDX-License-Identifier: Apache-2.0
/* The API's verbs, checks and tables, without its server. */
#include <errno.h>
#include <stdio.h>

#include "api_world.h"
#include "base/mem.h"

static void test_life(void **state)
{
	struct world *w = *state;
	char uid[64];

	add_pod(w, POD("a"));
	assert_string_equal(TEXT(w, "kind"), "Pod");
	assert_string_equal(TEXT(w, "status", "phase"), "Pending");
	assert_string_equal(TEXT(w, "status", "qosClass"), "BestEffort");
	assert_string_equal(TEXT(w, "spec", "restartPolicy"), "Always");
	assert_int_equal(json_int(AT(w, "spec", "terminationGracePeriodSeconds"), 0), 30);
	assert_string_equal(
		json_str(json_get(json_item(AT(w, "spec", "containers"), 0), "imagePullPolicy"),
			 ""),
		"Always");
	str_copy(uid, sizeof(uid), TEXT(w, "metadata", "uid"));

	assert_int_equal(ask(w, "POST", PODS, "", POD("a")), 409);
	assert_string_equal(TEXT(w, "reason"), "AlreadyExists");
	assert_string_equal(TEXT(w, "message"), "pods \"a\" already exists");
	assert_int_equal(ask(w, "GET", PODS "/none", "", ""), 404);
	assert_string_equal(TEXT(w, "message"), "pods \"none\" not found");
	assert_string_equal(TEXT(w, "details", "kind"), "pods");
	assert_int_equal(ask(w, "POST", "/api/v1/namespaces/nope/pods", "", POD("a")), 404);
	assert_string_equal(TEXT(w, "message"), "namespaces \"nope\" not found");

	/* unbound: it goes at once; a wrong uid keeps it */
	assert_int_equal(ask(w, "DELETE", PODS "/a", "", "{\"preconditions\":{\"uid\":\"other\"}}"),
			 409);
	assert_non_null(
		strstr(TEXT(w, "message"), "Precondition failed: UID in precondition: other"));
	assert_int_equal(ask(w, "DELETE", PODS "/a", "", ""), 200);
	assert_int_equal(ask(w, "GET", PODS "/a", "", ""), 404);
}

static void test_grace(void **state)
{
	static const char pb[] = "k8s\0\x0a\x13\x0a\x02v1\x12\x0d"
				 "DeleteOptions\x12\x02\x08\x00";
	struct world *w = *state;

	add_node(w, "h1");
	add_pod(w, POD("a"));
	assert_int_equal(ask(w, "POST", PODS "/a/binding", "",
			     "{\"target\":{\"kind\":\"Node\",\"name\":\"h1\"}}"),
			 201);
	assert_int_equal(ask(w, "POST", PODS "/a/binding", "", "{\"target\":{\"name\":\"h2\"}}"),
			 409);
	assert_non_null(strstr(TEXT(w, "message"), "already assigned to node \"h1\""));
	assert_int_equal(ask(w, "DELETE", PODS "/a", "", "{\"gracePeriodSeconds\":7}"), 200);
	assert_int_equal(json_int(AT(w, "metadata", "deletionGracePeriodSeconds"), 0), 7);
	assert_int_equal(ask(w, "GET", PODS "/a", "", ""), 200);
	assert_true(*TEXT(w, "metadata", "deletionTimestamp"));
	/* longer is no change, 0 as protobuf ends it */
	assert_int_equal(ask(w, "DELETE", PODS "/a", "", "{\"gracePeriodSeconds\":60}"), 200);
	assert_int_equal(json_int(AT(w, "metadata", "deletionGracePeriodSeconds"), 0), 7);
	w->type = "application/vnd.kubernetes.protobuf";
	assert_int_equal(ask_bytes(w, "DELETE", PODS "/a", "", pb, sizeof(pb) - 1), 200);
	w->type = NULL;
	assert_int_equal(ask(w, "GET", PODS "/a", "", ""), 404);

	add_pod(w, POD("b"));
	assert_int_equal(ask(w, "POST", PODS "/b/eviction", "",
			     "{\"deleteOptions\":{\"preconditions\":{\"uid\":\"other\"}}}"),
			 409);
	assert_int_equal(ask(w, "POST", PODS "/b/eviction", "", "{\"kind\":\"Eviction\"}"), 201);
	assert_int_equal(ask(w, "GET", PODS "/b", "", ""), 404);
}

static void expect_invalid(struct world *w, const char *body, const char *message)
{
	int status = ask(w, "POST", PODS, "", body);

	if (status != 422 || !strstr(TEXT(w, "message"), message))
		fail_msg("%d %s", status, TEXT(w, "message"));
	assert_string_equal(TEXT(w, "reason"), "Invalid");
	assert_true(json_count(AT(w, "details", "causes")) > 0);
}

static void test_validation(void **state)
{
	struct world *w = *state;

	expect_invalid(w, "{\"metadata\":{\"name\":\"a\"},\"spec\":{}}",
		       "Pod \"a\" is invalid: spec.containers: Required value");
	expect_invalid(
		w,
		"{\"metadata\":{\"name\":\"A_\"},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}",
		"metadata.name: Invalid value: \"A_\": a lowercase RFC 1123 subdomain must");
	expect_invalid(
		w,
		"{\"metadata\":{\"name\":\"a\"},\"spec\":{\"containers\":[{\"name\":\"c\"},{\"name\":\"c\",\"image\":\"i\"}]}}",
		"[spec.containers[0].image: Required value, spec.containers[1].name: Duplicate value: \"c\"]");
	expect_invalid(
		w,
		"{\"metadata\":{\"name\":\"a\"},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}],"
		"\"initContainers\":[{\"name\":\"c\",\"image\":\"i\"}]}}",
		"spec.initContainers[0].name: Duplicate value: \"c\"");
	expect_invalid(
		w,
		"{\"metadata\":{\"name\":\"a\"},\"spec\":{\"restartPolicy\":\"X\",\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}",
		"spec.restartPolicy: Unsupported value: \"X\": supported values: \"Always\", \"OnFailure\", \"Never\"");
	expect_invalid(
		w,
		"{\"metadata\":{\"name\":\"a\"},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\","
		"\"ports\":[{\"containerPort\":70000}],\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/x\"}],"
		"\"resources\":{\"requests\":{\"cpu\":\"2\"},\"limits\":{\"cpu\":\"1\"}}}]}}",
		"spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive");
	assert_non_null(strstr(TEXT(w, "message"),
			       "spec.containers[0].volumeMounts[0].name: Not found: \"v\""));
	assert_non_null(strstr(TEXT(w, "message"), "must be less than or equal to cpu limit of 1"));
	expect_invalid(
		w,
		"{\"metadata\":{\"name\":\"a\",\"labels\":{\"x\":\"a b\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}",
		"metadata.labels: Invalid value: \"a b\"");
	assert_int_equal(store_count(w->store, "pods"), 0);
}

static void test_strict(void **state)
{
	static const char body[] =
		"{\"metadata\":{\"name\":\"a\"},\"spec\":{\"foo\":1,\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"imagee\":\"x\"}]}}";
	struct world *w = *state;

	assert_int_equal(ask(w, "POST", PODS, "fieldValidation=Strict", body), 400);
	assert_string_equal(
		TEXT(w, "message"),
		"Pod in version \"v1\" cannot be handled as a Pod: strict decoding error: "
		"unknown field \"spec.foo\", unknown field \"spec.containers[0].imagee\"");
	assert_int_equal(ask(w, "POST", PODS, "fieldValidation=Warn&dryRun=All", body), 201);
	assert_non_null(strstr(w->headers, "Warning: 299 - \"unknown field \\\"spec.foo\\\""));
	assert_int_equal(ask(w, "POST", PODS, "fieldValidation=Ignore&dryRun=All", body), 201);
	assert_string_equal(w->headers, "");
	assert_int_equal(store_count(w->store, "pods"), 0);
	assert_int_equal(ask(w, "POST", PODS, "", "{\"metadata\":{\"name\":7}}"), 400);
	assert_non_null(strstr(TEXT(w, "message"),
			       "cannot unmarshal number into Go struct field metadata.name"));
	assert_int_equal(ask(w, "POST", PODS, "", "{\"metadata\":"), 400);
	assert_int_equal(ask(w, "POST", PODS, "", "[]"), 400);
	assert_int_equal(ask(w, "POST", PODS, "", "{\"kind\":\"Node\",\"apiVersion\":\"v1\"}"),
			 400);
	assert_int_equal(ask(w, "POST", PODS, "",
			     "{\"metadata\":{\"name\":\"a\",\"namespace\":\"other\"}}"),
			 400);
}

static void test_update(void **state)
{
	struct world *w = *state;
	char body[2000], rev[32];
	struct buf b = BUF_INIT(0);

	add_pod(w, POD("a"));
	str_copy(rev, sizeof(rev), TEXT(w, "metadata", "resourceVersion"));
	assert_int_equal(json_write(json_root(w->answer), &b), 0);
	str_copy(body, sizeof(body), buf_str(&b));
	buf_done(&b);
	assert_int_equal(ask(w, "PUT", PODS "/a", "", body), 200);
	assert_string_equal(TEXT(w, "metadata", "resourceVersion"), rev); /* nothing changed */

	w->type = "application/merge-patch+json";
	assert_int_equal(
		ask(w, "PATCH", PODS "/a", "", "{\"metadata\":{\"labels\":{\"x\":\"y\"}}}"), 200);
	assert_string_equal(TEXT(w, "metadata", "labels", "x"), "y");
	assert_int_equal(
		ask(w, "PATCH", PODS "/a", "", "{\"metadata\":{\"resourceVersion\":\"1\"}}"), 409);
	assert_non_null(strstr(
		TEXT(w, "message"),
		"Operation cannot be fulfilled on pods \"a\": the object has been modified"));
	assert_int_equal(ask(w, "PATCH", PODS "/a", "", "{\"metadata\":{\"uid\":\"u\"}}"), 422);
	assert_non_null(strstr(TEXT(w, "message"),
			       "metadata.uid: Invalid value: \"u\": field is immutable"));
	assert_int_equal(ask(w, "PATCH", PODS "/a", "", "{\"spec\":{\"nodeName\":\"h\"}}"), 422);
	assert_non_null(strstr(TEXT(w, "message"),
			       "spec: Forbidden: pod updates may not change fields other than"));
	assert_int_equal(ask(w, "PATCH", PODS "/a", "", "{\"status\":{\"phase\":\"Failed\"}}"),
			 200);
	assert_string_equal(TEXT(w, "status", "phase"), "Pending"); /* not by this door */
	w->type = "application/json";
	assert_int_equal(ask(w, "PUT", PODS "/a", "", body), 409);

	w->type = SMP;
	assert_int_equal(
		ask(w, "PATCH", PODS "/a", "",
		    "{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"nginx:2\"}]}}"),
		200);
	assert_int_equal(json_int(AT(w, "metadata", "generation"), 0), 2);
	assert_int_equal(
		ask(w, "PATCH", PODS "/a/status", "",
		    "{\"metadata\":{\"labels\":{\"z\":\"1\"}},\"status\":{\"phase\":\"Running\",\"podIP\":\"10.0.0.1\"}}"),
		200);
	assert_string_equal(TEXT(w, "status", "phase"), "Running");
	assert_string_equal(TEXT(w, "metadata", "labels", "z"), "");
	w->type = "text/plain";
	assert_int_equal(ask(w, "PATCH", PODS "/a", "", "{}"), 415);
	w->type = "application/apply-patch+yaml"; /* create or merge */
	assert_int_equal(
		ask(w, "PATCH", PODS "/new", "fieldManager=k",
		    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"new\"},"
		    "\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}"),
		201);
	assert_int_equal(ask(w, "PATCH", PODS "/newer", "fieldManager=k",
			     "{\"metadata\":{\"name\":\"other\"},"
			     "\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}"),
			 400);
	assert_int_equal(ask(w, "GET", PODS "/other", "", ""), 404);
	assert_int_equal(ask(w, "PATCH", PODS "/new", "fieldManager=k",
			     "{\"metadata\":{\"annotations\":{\"a\":\"b\"}}}"),
			 200);
}

static void test_list(void **state)
{
	struct world *w = *state;
	char next[600];

	add_pod(w, POD("a"));
	add_pod(w, POD("b"));
	add_pod(w, POD("c"));
	assert_int_equal(ask(w, "GET", PODS, "limit=2", ""), 200);
	assert_string_equal(TEXT(w, "kind"), "PodList");
	assert_int_equal(json_count(AT(w, "items")), 2);
	assert_int_equal(json_int(AT(w, "metadata", "remainingItemCount"), 0), 1);
	snprintf(next, sizeof(next), "limit=2&continue=%s", TEXT(w, "metadata", "continue"));
	assert_int_equal(ask(w, "GET", PODS, next, ""), 200);
	assert_int_equal(json_count(AT(w, "items")), 1);
	assert_string_equal(TEXT(w, "metadata", "continue"), "");
	assert_int_equal(ask(w, "GET", PODS, "labelSelector=app+in+(a,c)", ""), 200);
	assert_int_equal(json_count(AT(w, "items")), 2);
	assert_int_equal(ask(w, "GET", "/api/v1/pods", "fieldSelector=metadata.name%3Db", ""), 200);
	assert_int_equal(json_count(AT(w, "items")), 1);
	assert_int_equal(ask(w, "GET", PODS, "fieldSelector=spec.nope%3Db", ""), 400);
	assert_int_equal(ask(w, "GET", PODS, "continue=%21", ""), 400);
	assert_int_equal(ask(w, "GET", PODS, "limit=x", ""), 400);
	assert_int_equal(ask(w, "GET", PODS, "watch=true", ""), -1);
	assert_int_equal(ask(w, "DELETE", PODS, "labelSelector=app%3Da", ""), 200);
	assert_int_equal(store_count(w->store, "pods"), 2);
	assert_int_equal(ask(w, "GET", "/api/v1/widgets", "", ""), 404);
	assert_string_equal(TEXT(w, "message"), "the server could not find the requested resource");
	assert_int_equal(ask(w, "POST", PODS "/a", "", "{}"), 405);
	assert_int_equal(ask(w, "POST", "/api/v1/pods", "", POD("x")), 405);
}

static const char *cell(struct world *w, size_t i)
{
	return json_str(json_item(json_get(json_item(AT(w, "rows"), 0), "cells"), i), "");
}

static void test_tables(void **state)
{
	static const char table[] = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
	struct world *w = *state;

	add_node(w, "h1");
	add_pod(w,
		"{\"metadata\":{\"generateName\":\"web-\"},\"spec\":{\"restartPolicy\":\"Never\",\"containers\":[{\"name\":\"c\",\"image\":\"i\"},{\"name\":\"d\",\"image\":\"i\"}]}}");
	char path[400], name[API_NAME_MAX];

	str_copy(name, sizeof(name), TEXT(w, "metadata", "name"));
	assert_int_equal(strlen(name), 9);
	snprintf(path, sizeof(path), PODS "/%s/status", name);
	w->accept = table;
	assert_int_equal(ask(w, "GET", PODS, "", ""), 200);
	assert_string_equal(TEXT(w, "kind"), "Table");
	assert_int_equal(json_count(AT(w, "columnDefinitions")), 9);
	assert_string_equal(cell(w, 1), "0/2");
	assert_string_equal(cell(w, 2), "Pending");
	assert_string_equal(cell(w, 5), "<none>");
	w->type = SMP;
	w->accept = NULL;
	assert_int_equal(
		ask(w, "PATCH", path, "",
		    "{\"status\":{\"phase\":\"Running\",\"podIP\":\"10.1.1.1\",\"containerStatuses\":["
		    "{\"name\":\"c\",\"ready\":true,\"restartCount\":2,\"state\":{\"running\":{}},"
		    "\"lastState\":{\"terminated\":{\"exitCode\":1,\"finishedAt\":\"2020-01-01T00:00:00Z\"}}},"
		    "{\"name\":\"d\",\"ready\":false,\"restartCount\":0,\"state\":{\"waiting\":{\"reason\":\"ImagePullBackOff\"}}}]}}"),
		200);
	w->accept = table;
	assert_int_equal(ask(w, "GET", PODS, "", ""), 200);
	assert_string_equal(cell(w, 1), "1/2");
	assert_string_equal(cell(w, 2), "ImagePullBackOff");
	assert_int_equal(strncmp(cell(w, 3), "2 (", 3), 0);
	assert_string_equal(cell(w, 5), "10.1.1.1");
	w->accept = NULL;
	assert_int_equal(ask(w, "PATCH", path, "",
			     "{\"status\":{\"phase\":\"Failed\",\"containerStatuses\":["
			     "{\"name\":\"c\",\"state\":{\"terminated\":{\"exitCode\":3}}}]}}"),
			 200);
	assert_int_equal(
		ask(w, "PATCH", path, "",
		    "{\"status\":{\"containerStatuses\":[{\"name\":\"c\",\"state\":{\"running\":{}}}]}}"),
		422);
	assert_non_null(
		strstr(TEXT(w, "message"), "may not be transitioned to non-terminated state"));
	w->accept = table;
	assert_int_equal(ask(w, "GET", PODS, "", ""), 200);
	assert_string_equal(cell(w, 2), "ExitCode:3");
	assert_int_equal(ask(w, "GET", "/api/v1/nodes", "", ""), 200);
	assert_string_equal(cell(w, 1), "Unknown");
	assert_string_equal(cell(w, 2), "<none>");
	assert_int_equal(ask(w, "GET", "/api/v1/namespaces/default", "", ""), 200);
	assert_string_equal(cell(w, 1), "Active");
}

static void test_event_flood(void **state)
{
	struct world *w = *state;
	char *body = mem_alloc(20000);
	char name[32];

	assert_int_equal(ask(w, "POST", "/api/v1/namespaces/default/events", "",
			     "{\"metadata\":{\"name\":\"e\"}}"),
			 201);
	snprintf(body, 20000, "{\"metadata\":{\"name\":\"f\"},\"message\":\"%016000d\"}", 0);
	assert_int_equal(ask(w, "POST", "/api/v1/namespaces/default/events", "", body), 201);
	snprintf(body, 20000, "{\"metadata\":{\"name\":\"g\"},\"message\":\"%017000d\"}", 0);
	assert_int_equal(ask(w, "POST", "/api/v1/namespaces/default/events", "", body), 413);
	free(body);
	for (int i = 0; i < API_EVENTS_MAX - 2; i++) {
		struct json_doc *doc = json_doc_new();

		json_set_root(doc, json_new_obj(doc));
		snprintf(name, sizeof(name), "x%d", i);
		assert_int_equal(store_create(w->store, "events", "default", name, doc, NULL, NULL),
				 0);
	}
	assert_int_equal(ask(w, "POST", "/api/v1/namespaces/default/events", "",
			     "{\"metadata\":{\"name\":\"h\"}}"),
			 429);
	assert_string_equal(TEXT(w, "reason"), "TooManyRequests");
}

static void test_age(void **state)
{
	char out[32];

	(void)state;
	assert_string_equal(table_age(out, sizeof(out), ""), "<unknown>");
	assert_string_equal(table_age(out, sizeof(out), "9999-01-01T00:00:00Z"), "<invalid>");
	assert_true(table_wanted("application/json;as=Table;v=v1;g=meta.k8s.io,application/json"));
	assert_false(table_wanted("application/json,application/json;as=Table;v=v1;g=meta.k8s.io"));
	assert_false(table_wanted("*/*"));
}

static void test_discovery(void **state)
{
	struct world *w = *state;

	assert_int_equal(ask(w, "GET", "/version", "", ""), 200);
	assert_string_equal(TEXT(w, "major"), "1");
	assert_int_equal(ask(w, "GET", "/api", "", ""), 200);
	assert_string_equal(TEXT(w, "kind"), "APIVersions");
	assert_int_equal(ask(w, "GET", "/apis", "", ""), 200);
	assert_int_equal(json_count(AT(w, "groups")), 6);
	assert_int_equal(ask(w, "GET", "/api/v1", "", ""), 200);
	assert_true(json_count(AT(w, "resources")) > 10);
	assert_int_equal(ask(w, "GET", "/apis/coordination.k8s.io/v1", "", ""), 200);
	assert_int_equal(ask(w, "GET", "/apis/nope/v1", "", ""), 404);
	assert_int_equal(ask(w, "GET", "/openapi/v3", "", ""), 200);
	assert_int_equal(ask(w, "GET", "/openapi/v3/apis/certificates.k8s.io/v1", "", ""), 200);
	assert_int_equal(
		ask(w, "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "",
		    "{\"spec\":{\"resourceAttributes\":{\"verb\":\"get\",\"resource\":\"pods\"}}}"),
		201);
	assert_true(json_bool(AT(w, "status", "allowed"), false));
	assert_int_equal(
		ask(w, "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", "",
		    "{\"spec\":{\"user\":\"u\",\"resourceAttributes\":{\"verb\":\"get\",\"resource\":\"pods\"}}}"),
		201);
	assert_false(json_bool(AT(w, "status", "allowed"), true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_life),	     WORLD_TEST(test_grace),
		WORLD_TEST(test_validation), WORLD_TEST(test_strict),
		WORLD_TEST(test_update),     WORLD_TEST(test_list),
		WORLD_TEST(test_tables),     WORLD_TEST(test_event_flood),
		WORLD_TEST(test_age),	     WORLD_TEST(test_discovery),
	};

	return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
