// SPDX-License-Identifier: Apache-2.0
/* Objects and tokens from an API that has them, refuses them, or answers with something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../lib/http/tests/certs.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "fake_api.h"
#include "node/parts.h"

#define MAP    "/api/v1/namespaces/prod/configmaps/settings"
#define SECRET "/api/v1/namespaces/prod/secrets/keys"
#define TOKEN  "/api/v1/namespaces/prod/serviceaccounts/robot/token"

static struct loop loop;
static struct node node;
static int answers;
static bool had_object, was_absent;
static char value[64], message[256];

static void on_fetched(void *arg, const struct node_fetched *result)
{
	const struct json *data = json_at(result->object, "data", "k", NULL);

	(void)arg;
	answers++;
	had_object = result->object != NULL;
	was_absent = result->absent;
	snprintf(message, sizeof(message), "%s", result->message);
	snprintf(value, sizeof(value), "%s",
		 json_str(data ? data : json_at(result->object, "status", "token", NULL), ""));
}

static void run_ms(uint64_t ms)
{
	uint64_t end_ms = clock_mono_ms() + ms;

	do
		assert_int_equal(loop_once(&loop, 5), 0);
	while (clock_mono_ms() < end_ms);
}

static struct node_fetch *start(enum node_object kind, const char *name)
{
	const struct node_fetch_spec spec = {
		.kind = kind,
		.ns = "prod",
		.name = name,
		.audience = "vault",
		.expiration_s = 3607,
		.pod = "web",
		.uid = "u-1",
	};

	return node_fetch(&node, &spec, on_fetched, NULL);
}

static void fetch(enum node_object kind, const char *name)
{
	uint64_t end_ms = clock_mono_ms() + 5000;

	answers = 0;
	start(kind, name);
	assert_int_equal(answers, 0); /* never from inside */
	while (!answers && clock_mono_ms() < end_ms)
		run_ms(1);
	assert_int_equal(answers, 1);
}

static void rule(const char *method, const char *path, int status, const char *body, int times)
{
	const struct fake_rule r = {method, path, status, body, NULL, times, false};

	fake_api_on(&r);
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(loop_init(&loop), 0);
	fake_api_start(&loop);
	node = (struct node){.config.loop = &loop};
	list_init(&node.fetches);
	node.kube = kube_new(&loop, fake_api_url(), TEST_CA_CRT);
	assert_int_equal(kube_set_token(node.kube, "t", NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fetches_done(&node.fetches);
	node.kube = kube_free(node.kube);
	run_ms(10);
	fake_api_stop();
	loop_done(&loop);
	return 0;
}

static void test_objects(void **state)
{
	(void)state;
	rule("GET", MAP, 200, "{\"kind\":\"ConfigMap\",\"data\":{\"k\":\"v1\"}}", 0);
	rule("GET", SECRET, 200, "{\"kind\":\"Secret\",\"data\":{\"k\":\"djI=\"}}", 0);
	fetch(NODE_CONFIG_MAP, "settings");
	assert_string_equal(value, "v1");
	fetch(NODE_SECRET, "keys");
	assert_string_equal(value, "djI=");
	assert_true(had_object && !was_absent);
}

static void test_refusals(void **state)
{
	(void)state;
	rule("GET", MAP, 200, "{\"kind\":\"ConfigMap\",\"data\":{\"k\":\"v1\"}}", 0);
	rule("GET", MAP, 403,
	     "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"no relationship found\"}",
	     1);
	rule("GET", MAP, 404,
	     "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"no such map\"}", 1);
	fetch(NODE_CONFIG_MAP, "settings");
	assert_true(!had_object && was_absent);
	fetch(NODE_CONFIG_MAP, "settings");
	assert_true(!had_object && !was_absent);
	assert_string_equal(message, "no relationship found");
	fetch(NODE_CONFIG_MAP, "settings");
	assert_true(had_object);
}

static void test_foreign_answers(void **state)
{
	char *huge = mem_alloc(FETCH_ANSWER_MAX + 64);

	(void)state;
	memset(huge, ' ', FETCH_ANSWER_MAX + 32);
	memcpy(huge, "{\"kind\":\"Secret\"", 16);
	huge[FETCH_ANSWER_MAX + 32] = '}';
	rule("GET", SECRET, 200, huge, 1);
	fetch(NODE_SECRET, "keys");
	assert_false(had_object);
	assert_non_null(strstr(message, "larger than"));
	rule("GET", SECRET, 200, "{\"kind\":\"ConfigMap\",\"data\":{}}", 1);
	fetch(NODE_SECRET, "keys");
	assert_string_equal(message, "the server answered with something else");
	rule("GET", SECRET, 200, "<html>", 1);
	fetch(NODE_SECRET, "keys");
	assert_true(!had_object && !was_absent);
	free(huge);
}

static void test_token(void **state)
{
	const char *body;

	(void)state;
	rule("POST", TOKEN, 201, "{\"kind\":\"TokenRequest\",\"status\":{\"token\":\"abc\"}}", 1);
	fetch(NODE_TOKEN, "robot");
	assert_string_equal(value, "abc");
	body = fake_api_body("POST", TOKEN);
	assert_non_null(strstr(body, "\"audiences\":[\"vault\"],\"expirationSeconds\":3607"));
	assert_non_null(strstr(body, "\"boundObjectRef\":{\"apiVersion\":\"v1\",\"kind\":\"Pod\","
				     "\"name\":\"web\",\"uid\":\"u-1\"}"));
	rule("POST", TOKEN, 201, "{\"kind\":\"TokenRequest\",\"status\":{\"token\":\"\"}}", 1);
	fetch(NODE_TOKEN, "robot");
	assert_false(had_object);
}

/* May a client of ours have our metrics? */
static void test_review(void **state)
{
	static const char path[] = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
	static const char *const groups[] = {"monitors", "system:authenticated"};
	const struct node_fetch_spec spec = {
		.kind = NODE_REVIEW,
		.user = "prometheus",
		.groups = groups,
		.group_count = ARRAY_SIZE(groups),
		.verb = "get",
		.subresource = "metrics",
	};

	(void)state;
	node.config.name = "h1";
	rule("POST", path, 201, "{\"kind\":\"SubjectAccessReview\",\"status\":{\"allowed\":true}}",
	     1);
	rule("POST", path, 201, "{\"kind\":\"SubjectAccessReview\",\"status\":{}}", 1);
	for (int i = 0; i < 2; i++) {
		uint64_t end_ms = clock_mono_ms() + 5000;

		answers = 0;
		node_fetch(&node, &spec, on_fetched, NULL);
		while (!answers && clock_mono_ms() < end_ms)
			run_ms(1);
		assert_int_equal(answers, 1);
		assert_int_equal(had_object,
				 i == 1); /* the rule that was added last is used first */
	}
	assert_non_null(strstr(
		fake_api_body("POST", path),
		"\"user\":\"prometheus\",\"groups\":[\"monitors\",\"system:authenticated\"],"
		"\"resourceAttributes\":{\"verb\":\"get\",\"version\":\"v1\",\"resource\":\"nodes\","
		"\"subresource\":\"metrics\",\"name\":\"h1\"}"));
}

static void test_cancel(void **state)
{
	struct node_fetch *f;

	(void)state;
	rule("GET", MAP, 200, "{\"kind\":\"ConfigMap\"}", 0);
	answers = 0;
	f = start(NODE_CONFIG_MAP, "settings");
	assert_null(node_fetch_cancel(f));
	assert_null(node_fetch_cancel(NULL));
	run_ms(50);
	assert_int_equal(answers, 0);
	start(NODE_CONFIG_MAP, "settings"); /* ended by the teardown */
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_objects), T(test_refusals), T(test_foreign_answers),
		T(test_token),	 T(test_review),   T(test_cancel),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
