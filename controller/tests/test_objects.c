// SPDX-License-Identifier: Apache-2.0
/* ConfigMap, Secret, ServiceAccount, RuntimeClass: what is taken, refused, folded and shown. */
#include <stdio.h>
#include <stdlib.h>

#include "api_world.h"
#include "base/mem.h"

#define MAPS	"/api/v1/namespaces/default/configmaps"
#define SECRETS "/api/v1/namespaces/default/secrets"
#define CLASSES "/apis/node.k8s.io/v1/runtimeclasses"
#define TABLE	"application/json;as=Table;v=v1;g=meta.k8s.io"

static int create(struct world *w, const char *path, const char *name, const char *members)
{
	_cleanup_free_ char *body = mem_printf("{\"metadata\":{\"name\":\"%s\"}%s%s}", name,
					       *members ? "," : "", members);

	return ask(w, "POST", path, "", body);
}

static void refused(struct world *w, int want, int status, const char *words)
{
	if (status != want || !strstr(TEXT(w, "message"), words))
		fail_msg("%d %s, not %d %s", status, TEXT(w, "message"), want, words);
}

static void test_config_map(void **state)
{
	struct world *w = *state;

	assert_int_equal(create(w, MAPS, "a",
				"\"data\":{\"k.txt\":\"v\",\"n\":null},"
				"\"binaryData\":{\"b\":\"AAEC\"}"),
			 201);
	assert_string_equal(TEXT(w, "data", "n"), "");
	refused(w, 422, create(w, MAPS, "b", "\"data\":{\"a/b\":\"v\"}"),
		"ConfigMap \"b\" is invalid: data[a/b]: Invalid value: \"a/b\": a valid config key must");
	refused(w, 422, create(w, MAPS, "b", "\"data\":{\"..x\":\"v\"}"),
		"must not start with '..'");
	refused(w, 422,
		create(w, MAPS, "b", "\"data\":{\"k\":\"v\"},\"binaryData\":{\"k\":\"AA==\"}"),
		"duplicate of key present in binaryData");
	refused(w, 400, create(w, MAPS, "b", "\"binaryData\":{\"k\":\"A\"}"), "illegal base64");
	refused(w, 400, create(w, MAPS, "b", "\"data\":{\"k\":5}"), "cannot unmarshal number");
	refused(w, 400,
		ask(w, "POST", MAPS, "fieldValidation=Strict",
		    "{\"metadata\":{\"name\":\"b\"},\"dato\":{}}"),
		"unknown field \"dato\"");

	w->accept = TABLE;
	assert_int_equal(ask(w, "GET", MAPS "/a", "", ""), 200);
	assert_int_equal(json_int(json_item(json_get(json_item(AT(w, "rows"), 0), "cells"), 1), 0),
			 3);
	w->accept = NULL;
}

static void test_size(void **state)
{
	struct world *w = *state;
	size_t len = ((size_t)1 << 20) + 1;
	char *big = malloc(len + 64);
	_cleanup_free_ char *members = NULL;

	memset(big, 'x', len);
	big[len] = '\0';
	members = mem_printf("\"data\":{\"k\":\"%s\"}", big);
	refused(w, 422, create(w, MAPS, "big", members),
		"[]: Too long: may not be more than 1048576 bytes");
	free(members);
	members = mem_printf("\"stringData\":{\"k\":\"%s\"}", big);
	refused(w, 422, create(w, SECRETS, "big", members), "data: Too long");
	big[len - 1] = '\0'; /* exactly 1 MiB */
	free(members);
	members = mem_printf("\"data\":{\"k\":\"%s\"}", big);
	assert_int_equal(create(w, MAPS, "fits", members), 201);
	free(big);
}

static void test_immutable(void **state)
{
	struct world *w = *state;

	assert_int_equal(create(w, MAPS, "m", "\"data\":{\"k\":\"v\"},\"immutable\":true"), 201);
	w->type = "application/merge-patch+json";
	refused(w, 422, ask(w, "PATCH", MAPS "/m", "", "{\"data\":{\"k\":\"w\"}}"),
		"data: Forbidden: field is immutable when `immutable` is set");
	refused(w, 422, ask(w, "PATCH", MAPS "/m", "", "{\"immutable\":null}"),
		"immutable: Forbidden: field is immutable");
	assert_int_equal(
		ask(w, "PATCH", MAPS "/m", "", "{\"metadata\":{\"labels\":{\"a\":\"b\"}}}"), 200);
	w->type = NULL;
	assert_int_equal(ask(w, "DELETE", MAPS "/m", "", ""), 200);

	assert_int_equal(create(w, SECRETS, "s", "\"data\":{\"k\":\"dg==\"}"), 201);
	w->type = "application/merge-patch+json";
	assert_int_equal(ask(w, "PATCH", SECRETS "/s", "", "{\"stringData\":{\"k\":\"w\"}}"), 200);
	assert_string_equal(TEXT(w, "data", "k"), "dw==");
	assert_null(AT(w, "stringData"));
	refused(w, 422, ask(w, "PATCH", SECRETS "/s", "", "{\"type\":\"other\"}"),
		"type: Invalid value: \"other\": field is immutable");
	assert_int_equal(ask(w, "PATCH", SECRETS "/s", "", "{\"immutable\":true}"), 200);
	refused(w, 422, ask(w, "PATCH", SECRETS "/s", "", "{\"stringData\":{\"k\":\"x\"}}"),
		"data: Forbidden");
}

static void test_secret_types(void **state)
{
	struct world *w = *state;

	assert_int_equal(create(w, SECRETS, "o", "\"data\":{\"k\":null}"), 201);
	assert_string_equal(TEXT(w, "type"), "Opaque");
	refused(w, 400, create(w, SECRETS, "x", "\"data\":{\"k\":\"!!\"}"), "illegal base64");
	refused(w, 422, create(w, SECRETS, "x", "\"type\":\"kubernetes.io/tls\",\"data\":{}"),
		"[data[tls.crt]: Required value, data[tls.key]: Required value]");
	refused(w, 422, create(w, SECRETS, "x", "\"type\":\"kubernetes.io/basic-auth\""),
		"data[username]: Required value");
	assert_int_equal(create(w, SECRETS, "basic",
				"\"type\":\"kubernetes.io/basic-auth\","
				"\"stringData\":{\"password\":\"p\"}"),
			 201);
	refused(w, 422, create(w, SECRETS, "x", "\"type\":\"kubernetes.io/dockerconfigjson\""),
		"data[.dockerconfigjson]: Required value");
	refused(w, 422,
		create(w, SECRETS, "x",
		       "\"type\":\"kubernetes.io/dockerconfigjson\","
		       "\"stringData\":{\".dockerconfigjson\":\"{\"}"),
		"<secret contents redacted>");
	assert_int_equal(create(w, SECRETS, "pull",
				"\"type\":\"kubernetes.io/dockerconfigjson\","
				"\"stringData\":{\".dockerconfigjson\":"
				"\"{\\\"auths\\\":{}}\"}"),
			 201);
	refused(w, 422, create(w, SECRETS, "x", "\"type\":\"kubernetes.io/service-account-token\""),
		"metadata.annotations[kubernetes.io/service-account.name]: Required value");
}

static void test_runtime_class(void **state)
{
	struct world *w = *state;

	assert_int_equal(create(w, CLASSES, "c",
				"\"handler\":\"h\",\"overhead\":{\"podFixed\":"
				"{\"memory\":\"1Mi\"}}"),
			 201);
	refused(w, 422, create(w, CLASSES, "d", "\"handler\":\"H_\""), "handler: Invalid value");
	refused(w, 422,
		create(w, CLASSES, "d",
		       "\"handler\":\"h\",\"overhead\":{\"podFixed\":{\"memory\":\"-1\"}}"),
		"overhead.podFixed[memory]: Invalid value");
	w->type = "application/merge-patch+json";
	refused(w, 422, ask(w, "PATCH", CLASSES "/c", "", "{\"handler\":\"g\"}"),
		"handler: Invalid value: \"g\": field is immutable");
	w->type = NULL;
	w->accept = TABLE;
	assert_int_equal(ask(w, "GET", CLASSES, "", ""), 200);
	assert_string_equal(
		json_str(json_item(json_get(json_item(AT(w, "rows"), 0), "cells"), 1), ""), "h");
}

/* A host counts an event up by patching it. */
static void test_event_count(void **state)
{
	static const char event[] =
		"{\"metadata\":{\"name\":\"p.1\"},\"involvedObject\":{\"kind\":\"Pod\",\"name\":\"p\","
		"\"namespace\":\"default\"},\"reason\":\"BackOff\",\"message\":\"m\",\"type\":\"Warning\","
		"\"source\":{\"component\":\"hostd\"},\"firstTimestamp\":\"2026-01-01T00:00:00Z\","
		"\"lastTimestamp\":\"2026-01-01T00:00:00Z\",\"count\":1}";
	struct world *w = *state;
	const struct json *cells;

	be(w, "system:node:h1", "system:nodes");
	assert_int_equal(ask(w, "POST", "/api/v1/namespaces/default/events", "", event), 201);
	w->type = SMP;
	assert_int_equal(ask(w, "PATCH", "/api/v1/namespaces/default/events/p.1", "",
			     "{\"count\":7,\"lastTimestamp\":\"2026-01-01T01:00:00Z\"}"),
			 200);
	assert_int_equal(json_int(AT(w, "count"), 0), 7);
	assert_string_equal(TEXT(w, "firstTimestamp"), "2026-01-01T00:00:00Z");
	assert_int_equal(ask(w, "DELETE", "/api/v1/namespaces/default/events/p.1", "", ""), 403);
	be(w, "admin", "system:masters");
	w->type = NULL;
	w->accept = TABLE;
	assert_int_equal(ask(w, "GET", "/api/v1/namespaces/default/events",
			     "fieldSelector=involvedObject.name%3Dp,type%3DWarning", ""),
			 200);
	cells = json_get(json_item(AT(w, "rows"), 0), "cells");
	assert_string_equal(json_str(json_item(cells, 3), ""), "pod/p");
	assert_int_equal(json_int(json_item(cells, 8), 0), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_config_map),	WORLD_TEST(test_size),
		WORLD_TEST(test_immutable),	WORLD_TEST(test_secret_types),
		WORLD_TEST(test_runtime_class), WORLD_TEST(test_event_count),
	};

	return cmocka_run_group_tests_name("objects", tests, NULL, NULL);
}
