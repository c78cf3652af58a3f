// SPDX-License-Identifier: Apache-2.0
/* What a node tells the API of itself and of its pods: facts, statuses, events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "node_harness.h"

static void set_facts(const char *labels, const char *text)
{
	struct json_doc *doc;

	assert_int_equal(json_parse(labels, strlen(labels), &doc, NULL), 0);
	node_set_facts(harness.node, json_root(doc), "x/all", text);
	json_doc_free(doc);
}

/* Before the Node is there, once it is, when the server is busy, refuses, or has lost the Node */
static void test_facts(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	harness_well();
	harness_identity();
	harness_rule("POST", "/api/v1/nodes", 201, "{\"metadata\":{\"uid\":\"u7\"}}", 0);
	harness_rule("PATCH", H1, 200, "{}", 0);
	assert_int_equal(harness_start(NULL, &e), 0);
	set_facts("{\"a\":\"1\"}", "{1}");
	set_facts("{\"a\":\"2\",\"b\":null}", "{\"n\":2}");
	harness_wait("PATCH", H1, 1);
	assert_string_equal(fake_api_body("PATCH", H1),
			    "{\"metadata\":{\"labels\":{\"a\":\"2\",\"b\":null},"
			    "\"annotations\":{\"x/all\":\"{\\\"n\\\":2}\"}}}");
	harness_run_ms(1500);
	assert_int_equal(fake_api_count("PATCH", H1), 1);
	harness_rule("PATCH", H1, 503, "{}", 1);
	set_facts("{\"a\":\"3\"}", "3");
	harness_wait("PATCH", H1, 3); /* again, and it worked */
	harness_rule("PATCH", H1, 422, "{}", 1);
	set_facts("{\"a\":\"4\"}", "4");
	node_set_ready(harness.node, "Broken", "really");
	harness_wait("PATCH", H1 "/status", 1); /* what is refused stands in nobody's way */
	assert_int_equal(fake_api_count("PATCH", H1), 5);
	harness_rule("PATCH", H1, 404, "{}", 1);
	set_facts("{\"a\":\"5\"}", "5");
	harness_wait("POST", "/api/v1/nodes", 2);
	harness_wait("PATCH", H1, 7);
	assert_non_null(strstr(fake_api_body("PATCH", H1), "\"a\":\"5\""));
	/* A second annotation stands beside the first */
	node_set_facts(harness.node, NULL, "x/more", "m");
	harness_wait("PATCH", H1, 8);
	assert_string_equal(fake_api_body("PATCH", H1),
			    "{\"metadata\":{\"labels\":{\"a\":\"5\"},"
			    "\"annotations\":{\"x/all\":\"5\",\"x/more\":\"m\"}}}");
}

/* One more condition: told once it is set, again when it changes, and only then begun anew */
static void test_condition(void **state)
{
	const char *body;

	(void)state;
	harness_known();
	harness_rule("PATCH", H1 "/status", 200, "{}", 0);
	harness_wait("GET", WATCH, 1);
	node_set_condition(harness.node, "Odd", true, "Smoke", "it \"smokes\"\nmuch");
	harness_wait("PATCH", H1 "/status", 1);
	body = fake_api_body("PATCH", H1 "/status");
	assert_true(has(body, "{\"type\":\"Odd\",\"status\":\"True\",\"reason\":\"Smoke\","
			      "\"message\":\"it \\\"smokes\\\"\\nmuch\""));
	node_set_condition(harness.node, "Odd", true, "Smoke", "it \"smokes\"\nmuch");
	harness_run_ms(1500);
	assert_int_equal(fake_api_count("PATCH", H1 "/status"), 1);
	node_set_condition(harness.node, "Odd", false, "Calm", "");
	node_set_condition(harness.node, "Even", false, "Calm", "");
	harness_wait("PATCH", H1 "/status", 2);
	body = fake_api_body("PATCH", H1 "/status");
	assert_true(has(body, "{\"type\":\"Odd\",\"status\":\"False\",\"reason\":\"Calm\""));
	assert_true(has(body, "{\"type\":\"Even\",\"status\":\"False\""));
	assert_false(has(body, "Smoke"));
}

static void test_status(void **state)
{
	const struct node_pod_ref pod = {"default", "web", "u1", NULL};
	struct json_doc *doc = json_doc_new();
	struct json *status = json_new_obj(doc);
	static const struct fake_rule busy = {
		"PATCH",
		"/api/v1/namespaces/default/pods/web/status",
		429,
		"{}",
		"Retry-After: 1\r\n",
		1,
		false,
	};
	struct json *condition = json_new_obj(doc);
	uint64_t start_ms;

	(void)state;
	harness_known();
	harness_wait("GET", WATCH, 1);
	harness_rule("PATCH", "/api/v1/namespaces/default/pods/web/status", 200, "{}", 0);
	harness_rule("DELETE", "/api/v1/namespaces/default/pods/web", 200, "{}", 0);
	fake_api_on(&busy);
	json_put_str(doc, condition, "type", "Ready");
	json_push(doc, json_arr_of(doc, status, "conditions"), condition);
	json_put_str(doc, status, "phase", "Pending");
	start_ms = clock_mono_ms();
	node_put_status(harness.node, &pod, status);
	json_put_str(doc, status, "phase", "Running");
	node_put_status(harness.node, &pod, status);
	json_put_str(doc, status, "phase", "Succeeded");
	node_put_status(harness.node, &pod, status);
	node_delete_pod(harness.node, &pod);
	harness_wait("DELETE", "/api/v1/namespaces/default/pods/web", 1);
	/* The first was refused for a second; what came meanwhile was sent as one, before the deletion. */
	assert_true(clock_mono_ms() - start_ms >= 1000);
	assert_int_equal(fake_api_count("PATCH", busy.path), 2);
	assert_string_equal(
		fake_api_body("PATCH", busy.path),
		"{\"metadata\":{\"uid\":\"u1\"},\"status\":{\"conditions\":[{\"type\":\"Ready\","
		"\"reason\":null,\"message\":null}],\"phase\":\"Succeeded\"}}");
	assert_true(has(fake_api_body("DELETE", "/api/v1/namespaces/default/pods/web"),
			"\"gracePeriodSeconds\":0,\"preconditions\":{\"uid\":\"u1\"}"));
	assert_true(list_empty(&harness.node->puts.pods));
	/* Another pod has the name now: dropped. */
	harness_rule("PATCH", busy.path, 422, "{\"reason\":\"Invalid\"}", 0);
	node_put_status(harness.node, &pod, status);
	harness_wait("PATCH", busy.path, 3);
	assert_true(list_empty(&harness.node->puts.pods));
	json_doc_free(doc);
}

/* The first address is a plain list; only another one replaces what the server has. */
static void test_status_address(void **state)
{
	static const char path[] = "/api/v1/namespaces/default/pods/web/status";
	struct json_doc *doc = json_doc_new();
	struct json *status = json_new_obj(doc), *ip = json_new_obj(doc);
	struct node_pod_ref pod = {"default", "web", "u1", NULL};

	(void)state;
	harness_known();
	harness_wait("GET", WATCH, 1);
	harness_rule("PATCH", path, 200, "{}", 0);
	json_put_str(doc, status, "podIP", "10.88.0.2");
	json_put_str(doc, ip, "ip", "10.88.0.2");
	json_push(doc, json_arr_of(doc, status, "podIPs"), ip);
	node_put_status(harness.node, &pod, status);
	harness_wait("PATCH", path, 1);
	assert_true(has(fake_api_body("PATCH", path), "\"podIPs\":[{\"ip\":\"10.88.0.2\"}]"));
	pod.api_ip = "10.88.0.2";
	node_put_status(harness.node, &pod, status);
	harness_wait("PATCH", path, 2);
	assert_false(has(fake_api_body("PATCH", path), "$patch"));
	pod.api_ip = "10.88.0.9";
	node_put_status(harness.node, &pod, status);
	harness_wait("PATCH", path, 3);
	assert_true(has(fake_api_body("PATCH", path),
			"\"podIPs\":[{\"ip\":\"10.88.0.2\"},{\"$patch\":\"replace\"}]"));
	json_doc_free(doc);
}

static void test_events_are_limited(void **state)
{
	char words[32];
	struct err e = ERR_INIT;

	(void)state;
	harness_well();
	harness_identity();
	harness_rule("POST", "/api/v1/namespaces/default/events", 201, "{}", 0);
	assert_int_equal(harness_start(NULL, &e), 0);
	harness_wait("GET", WATCH, 1);
	/* The same words are one event. */
	for (int i = 0; i < 100; i++)
		node_event(harness.node, NULL, "Warning", "Test", "words");
	harness_run_ms(100);
	assert_int_equal(fake_api_count("POST", "/api/v1/namespaces/default/events"), 1);
	assert_int_equal(harness.node->events.known[0].count, 100);
	harness.node->events.known[0].told_ms -= 10000;
	harness_rule("PATCH", harness.node->events.known[0].path, 200, "{}", 0);
	node_event(harness.node, NULL, "Warning", "Test", "words");
	harness_wait("PATCH", harness.node->events.known[0].path, 1);
	assert_true(
		has(fake_api_body("PATCH", harness.node->events.known[0].path), "\"count\":101"));
	/* Others wait for their turn; those beyond the bucket are dropped. */
	for (int i = 0; i < 100; i++) {
		snprintf(words, sizeof(words), "words %d", i);
		node_event(harness.node, NULL, "Warning", "Test", words);
	}
	harness_wait("POST", "/api/v1/namespaces/default/events", 49);
	harness_run_ms(100);
	assert_true(fake_api_count("POST", "/api/v1/namespaces/default/events") <= 55);
	assert_true(
		has(fake_api_body("POST", "/api/v1/namespaces/default/events"),
		    "\"involvedObject\":{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"name\":\"h1\""));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, harness_setup, harness_teardown)
	const struct CMUnitTest tests[] = {
		T(test_facts),		T(test_condition),	    T(test_status),
		T(test_status_address), T(test_events_are_limited),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
