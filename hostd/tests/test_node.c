// SPDX-License-Identifier: Apache-2.0
/* The node's conversation with an API that answers well, badly, late or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "../../lib/http/tests/certs.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "fake_signer.h"
#include "node_harness.h"

static void test_enrolment(void **state)
{
	struct err e = ERR_INIT;
	char *signed_csr, path[PATH_MAX];
	const char *body;

	(void)state;
	harness_well();
	harness_rule("GET", FAKE_CSRS, 200, "{\"status\":{}}", 1);
	assert_int_equal(harness_start("abcdef.0123456789abcdef", &e), 0);
	harness_wait("POST", FAKE_CSRS, 1);
	assert_string_equal(fake_api_authorization(), "Bearer abcdef.0123456789abcdef");
	body = fake_api_body("POST", FAKE_CSRS);
	assert_true(has(body, "\"signerName\":\"kubernetes.io/kube-apiserver-client-kubelet\""));
	assert_true(has(body,
			"\"usages\":[\"digital signature\",\"key encipherment\",\"client auth\"]"));
	signed_csr = fake_sign("20250101000000", "20990101000000");
	harness_wait("GET", FAKE_CSRS "/node-csr-", 1);
	harness_rule("GET", FAKE_CSRS, 200, signed_csr, 1);
	harness_wait("POST", "/api/v1/nodes", 1);
	harness_wait("GET", WATCH, 1);
	body = fake_api_body("POST", "/api/v1/nodes");
	assert_true(has(body, "\"Port\":10251"));
	assert_true(has(body, "\"type\":\"Ready\",\"status\":\"True\""));
	assert_true(has(body, "{\"type\":\"InternalIP\",\"address\":\"192.0.2.7\"}"));
	assert_false(has(body, "$patch"));
	assert_string_equal(fake_api_authorization(), "");
	harness_wait("POST", LEASES, 1);
	assert_true(has(fake_api_body("POST", LEASES), "\"uid\":\"uid-1\""));
	assert_true(has(fake_api_body("POST", LEASES), "\"leaseDurationSeconds\":40"));
	assert_int_equal(harness.lists, 1);
	assert_int_equal(harness.list_size, 1);
	/* The serving certificate is another request, by another key. */
	harness_wait("POST", FAKE_CSRS, 2);
	assert_true(has(fake_api_body("POST", FAKE_CSRS), "kubernetes.io/kubelet-serving"));
	snprintf(path, sizeof(path), "%s/client.pem", harness.dir);
	assert_int_equal(access(path, R_OK), 0);
	snprintf(path, sizeof(path), "%s/client.key", harness.dir);
	assert_int_equal(access(path, R_OK), -1);
	free(signed_csr);
}

static void test_enrolment_interrupted(void **state)
{
	struct err e = ERR_INIT;
	char *first;

	(void)state;
	harness_well();
	harness_rule("GET", FAKE_CSRS, 200, "{\"status\":{}}", 0);
	assert_int_equal(harness_start("abcdef.0123456789abcdef", &e), 0);
	harness_wait("GET", FAKE_CSRS, 1);
	first = mem_strdup(fake_api_body("POST", FAKE_CSRS));
	harness.node = node_free(harness.node);
	/* The next hostd asks for the same with the same key; the server has it already. */
	harness_rule("POST", FAKE_CSRS, 409, "{\"reason\":\"AlreadyExists\"}", 0);
	assert_int_equal(harness_start("abcdef.0123456789abcdef", &e), 0);
	harness_wait("GET", FAKE_CSRS, 3);
	assert_int_equal(strncmp(first, fake_api_body("POST", FAKE_CSRS), 150), 0);
	free(first);
}

/* What is no answer to the request is asked for again, and what the server has lost is sent again. */
static void test_enrolment_nonsense(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	harness_well();
	harness_rule("POST", FAKE_CSRS, 200, "{}", 1);
	harness_rule("GET", FAKE_CSRS, 404, "{\"reason\":\"NotFound\"}", 1);
	assert_int_equal(harness_start("abcdef.0123456789abcdef", &e), 0);
	harness_wait("POST", FAKE_CSRS, 2);
	assert_int_equal(fake_api_count("GET", FAKE_CSRS), 0);
	harness_wait("GET", FAKE_CSRS, 1);
	harness_wait("POST", FAKE_CSRS, 3);
}

static void test_enrolment_refused(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	harness_rule("POST", FAKE_CSRS, 401,
		     "{\"reason\":\"Unauthorized\",\"message\":\"token used\"}", 0);
	assert_int_equal(harness_start("abcdef.0123456789abcdef", &e), 0);
	harness_wait("POST", FAKE_CSRS, 1);
	harness_run_ms(300);
	assert_int_equal(fake_api_count("POST", FAKE_CSRS), 1); /* not hammered */
	harness.node = node_free(harness.node);
	assert_int_equal(harness_start(NULL, &e), -ENOKEY);
	assert_true(has(err_msg(&e), "no token"));
}

/* What changes while the Node is being created is sent at once, not with the next refresh. */
static void test_change_while_creating(void **state)
{
	(void)state;
	harness_known();
	node_set_ready(harness.node, "NoKvm", "this machine has no KVM");
	harness_wait("PATCH", "/api/v1/nodes/h1/status", 1);
	assert_false(has(fake_api_body("POST", "/api/v1/nodes"), "NoKvm"));
	assert_true(has(fake_api_body("PATCH", "/api/v1/nodes/h1/status"), "NoKvm"));
}

static void test_take_over(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	harness_well();
	harness_identity();
	harness_rule("POST", "/api/v1/nodes", 409, "{\"reason\":\"AlreadyExists\"}", 0);
	harness_rule(
		"PATCH", "/api/v1/nodes/h1", 200,
		"{\"metadata\":{\"uid\":\"u7\"},\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":"
		"\"True\",\"lastTransitionTime\":\"2026-01-01T00:00:00Z\"}]}}",
		0);
	assert_int_equal(harness_start(NULL, &e), 0);
	harness_wait("PATCH", "/api/v1/nodes/h1/status", 1);
	assert_true(has(fake_api_body("PATCH", "/api/v1/nodes/h1/status"),
			"\"lastTransitionTime\":\"2026-01-01T00:00:00Z\""));
	assert_true(
		has(fake_api_body("PATCH", "/api/v1/nodes/h1/status"), "\"$patch\":\"replace\""));
	harness_wait("GET", WATCH, 1);
	assert_int_equal(fake_api_count("POST", FAKE_CSRS), 1); /* serving only */
	assert_true(has(fake_api_body("PATCH", "/api/v1/nodes/h1/status"), "\"sizeBytes\":4096"));
	harness.image_bytes = 8192;
	node_images_changed(harness.node);
	harness_wait("PATCH", "/api/v1/nodes/h1/status", 2);
	assert_true(has(fake_api_body("PATCH", "/api/v1/nodes/h1/status"), "\"sizeBytes\":8192"));
	node_set_ready(harness.node, "Broken", "really");
	harness_wait("PATCH", "/api/v1/nodes/h1/status", 3);
	assert_true(has(fake_api_body("PATCH", "/api/v1/nodes/h1/status"),
			"\"status\":\"False\",\"reason\":\"Broken\",\"message\":\"really\""));
	node_set_pressure(harness.node, NODE_PRESSURE_DISK, true);
	harness_wait("PATCH", "/api/v1/nodes/h1/status", 4);
	assert_true(has(fake_api_body("PATCH", "/api/v1/nodes/h1/status"),
			"\"DiskPressure\",\"status\":\"True\""));
	assert_true(has(fake_api_body("PATCH", "/api/v1/nodes/h1/status"),
			"\"MemoryPressure\",\"status\":\"False\""));
}

static void test_server_is_late(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	harness_well();
	harness_identity();
	harness_rule("POST", "/api/v1/nodes", 503, "not json", 2);
	harness_rule("GET", LIST, 500, "{\"reason\":\"InternalError\"}", 1);
	assert_int_equal(harness_start(NULL, &e), 0);
	harness_wait("POST", "/api/v1/nodes", 3);
	harness_wait("GET", LIST, 1);
	assert_int_equal(harness.lists, 0); /* a failed list says nothing about pods */
	harness_wait("GET", WATCH, 1);
	assert_int_equal(harness.lists, 1);
}

static void test_watch(void **state)
{
	(void)state;
	harness_known();
	harness_wait("GET", WATCH, 1);
	assert_true(fake_api_stream(
		"{\"type\":\"ADDED\",\"object\":" POD("a", "6") "}\n{\"type\":\"MODI"));
	harness_run_ms(30);
	assert_string_equal(harness.seen, "A:a ");
	assert_true(fake_api_stream(
		"FIED\",\"object\":" POD("a", "7") "}\n{\"type\":\"DELETED\",\"object\":" POD(
			"b", "8") "}\n{\"type\":\"BOOKMARK\",\"object\":" POD("", "9") "}\n"));
	harness_run_ms(30);
	assert_string_equal(harness.seen, "A:a M:a D:b ");
	/* A clean end: on from the bookmark, without a list. */
	assert_true(
		fake_api_stream("{\"type\":\"ADDED\",\"object\":{\"me")); /* cut in the middle */
	assert_true(fake_api_stream(NULL));
	harness_wait("GET", WATCH, 2);
	assert_int_equal(harness.lists, 1);
	assert_true(fake_api_index("GET", WATCH) >= 0);
	assert_string_equal(harness.node->watch.version, "9");
	assert_string_equal(harness.seen, "A:a M:a D:b ");
	/* Too old: list again, then watch from what it said. */
	assert_true(fake_api_stream(
		"{\"type\":\"ERROR\",\"object\":{\"code\":410,\"reason\":\"Expired\"}}\n"));
	harness_wait("GET", WATCH, 3);
	assert_int_equal(harness.lists, 2);
	assert_string_equal(harness.node->watch.version, "5");
	/* Garbage costs the connection only. */
	assert_true(fake_api_stream("hello\n"));
	harness_wait("GET", WATCH, 4);
	assert_int_equal(harness.lists, 2);
	/* The same as a status. */
	harness_rule("GET", WATCH, 410, "{\"code\":410,\"reason\":\"Gone\"}", 1);
	assert_true(fake_api_stream(NULL));
	harness_wait("GET", LIST, 3);
	assert_int_equal(harness.lists, 3);
	/* A version that the server does not take, however often: it is asked for another. */
	harness_wait("GET", WATCH, 6);
	harness_rule("GET", WATCH, 504, "{\"code\":504,\"reason\":\"Timeout\"}", 2);
	assert_true(fake_api_stream(NULL));
	harness_wait("GET", LIST, 4);
	assert_int_equal(harness.lists, 4);
	harness_wait("GET", WATCH, 9);
}

static void test_lease_conflict(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	harness_well();
	harness_identity();
	harness_rule(
		"GET", LEASES "/h1", 200,
		"{\"metadata\":{\"name\":\"h1\",\"resourceVersion\":\"77\"},\"spec\":{\"holderIdentity\":\"x\"}}",
		0);
	harness_rule("PUT", LEASES, 409, "{\"reason\":\"Conflict\"}", 1);
	assert_int_equal(harness_start(NULL, &e), 0);
	harness_wait("PUT", LEASES, 2);
	assert_int_equal(fake_api_count("GET", LEASES), 2);
	assert_true(has(fake_api_body("PUT", LEASES), "\"resourceVersion\":\"77\""));
	assert_true(has(fake_api_body("PUT", LEASES), "\"holderIdentity\":\"h1\""));
	assert_true(harness.node->lease.renewed_ms > 0);
	/* Somebody else wrote it: that is how we are asked to look at our Node. */
	harness_wait("PATCH", "/api/v1/nodes/h1/status", 1);
}

static void test_times(void **state)
{
	const struct x509_cert cert = {.not_before_s = 1000, .not_after_s = 2000};
	struct retry r = {.base_ms = 500, .max_ms = 8000};

	(void)state;
	assert_int_equal(csr_renew_at(&cert), 1700);
	for (unsigned int i = 0; i < 40; i++) {
		uint32_t top = MIN(500U << MIN(i, 10U), 8000U);

		r.attempt = i;
		assert_int_equal(retry_delay(&r, 0), top / 2);
		assert_in_range(retry_delay(&r, 12345 + i), top / 2, top);
	}
	for (int i = 0; i < 50; i++)
		assert_in_range(retry_jitter(10000, 4), 9600, 10400);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, harness_setup, harness_teardown)
	const struct CMUnitTest tests[] = {
		T(test_enrolment),
		T(test_enrolment_interrupted),
		T(test_enrolment_refused),
		T(test_enrolment_nonsense),
		T(test_change_while_creating),
		T(test_take_over),
		T(test_server_is_late),
		T(test_watch),
		T(test_lease_conflict),
		T(test_times),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
