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
#include <unistd.h>

#include <cmocka.h>

#include "../../lib/http/tests/certs.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "fake_api.h"
#include "fake_signer.h"
#include "node/parts.h"

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
#define LIST   "/api/v1/pods?fieldSelector=spec.nodeName%3Dh1&resourceVersion=0"
#define WATCH  "/api/v1/pods?fieldSelector=spec.nodeName%3Dh1&watch=true"
#define POD(name, rv) \
	"{\"metadata\":{\"name\":\"" name "\",\"resourceVersion\":\"" rv "\"},\"spec\":{}}"

static struct loop loop;
static struct node *node;
static char dir[64], seen[1024];
static int lists, list_size, image_bytes;

static void on_pod(enum node_pod_event event, const struct json *pod, void *arg)
{
	(void)arg;
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "%c:%s ", "AMD"[event],
		 json_str(json_at(pod, "metadata", "name", NULL), "?"));
}

static void on_list(const struct json *pods, void *arg)
{
	(void)arg;
	lists++;
	list_size = (int)json_count(pods);
}

static void on_serving(const char *cert_pem, const char *key_pem, void *arg)
{
	(void)cert_pem;
	(void)key_pem;
	(void)arg;
	snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen), "serving ");
}

static void on_node(const struct json *object, void *arg)
{
	(void)object;
	(void)arg;
}

static void on_date(const char *date, void *arg)
{
	(void)date;
	(void)arg;
}

static void node_images(struct json_doc *doc, struct json *list, void *arg)
{
	struct json *image = json_new_obj(doc);

	(void)arg;
	json_put_int(doc, image, "sizeBytes", image_bytes);
	json_push(doc, list, image);
}

static void run_ms(uint64_t ms)
{
	uint64_t end_ms = clock_mono_ms() + ms;

	do
		assert_int_equal(loop_once(&loop, 5), 0);
	while (clock_mono_ms() < end_ms);
}

/* Runs until so many requests came, 5 s at most. */
static void wait_for(const char *method, const char *path, int count)
{
	uint64_t end_ms = clock_mono_ms() + 5000;

	while (fake_api_count(method, path) < count && clock_mono_ms() < end_ms)
		assert_int_equal(loop_once(&loop, 5), 0);
	if (fake_api_count(method, path) < count)
		fail_msg("%s %s came %d times, not %d", method, path, fake_api_count(method, path),
			 count);
	run_ms(20);
}

static int start_node(const char *token, struct err *e)
{
	static const struct node_ops ops = {
		.on_pod = on_pod,
		.on_list = on_list,
		.on_serving = on_serving,
		.on_node = on_node,
		.on_date = on_date,
		.images = node_images,
	};
	struct node_config config = {
		.loop = &loop,
		.api = fake_api_url(),
		.name = "h1",
		.ca_pem = TEST_CA_CRT,
		.token = token,
		.state_dir = dir,
		.runtime_version = "hostd://test",
		.address = "192.0.2.7",
		.port = 10251,
		.machine = {4, 110, 1 << 30, 1 << 29, 1 << 28, "m", "s", "b", "k", "os", "p"},
	};

	return node_new(&config, &ops, NULL, &node, e);
}

/* As an earlier life of hostd left it. */
static void have_identity(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/client.pem", dir);
	assert_int_equal(file_write(AT_FDCWD, path, TEST_CLIENT_CRT TEST_CLIENT_KEY,
				    strlen(TEST_CLIENT_CRT TEST_CLIENT_KEY), 0600, NULL),
			 0);
}

static void rule(const char *method, const char *path, int status, const char *body, int times)
{
	const struct fake_rule r = {method, path, status, body, NULL, times, false};

	fake_api_on(&r);
}

static void well_behaved(void)
{
	const struct fake_rule watch = {"GET", WATCH, 200, "", NULL, 0, true};

	rule("POST", "/api/v1/nodes", 201, NULL, 0);
	rule("PATCH", "/api/v1/nodes/h1/status", 200, "{\"metadata\":{}}", 0);
	rule("POST", LEASES, 201, NULL, 0);
	rule("PUT", LEASES, 200, NULL, 0);
	rule("POST", FAKE_CSRS, 201, NULL, 0);
	rule("GET", LIST, 200,
	     "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[" POD("a", "3") "]}", 0);
	fake_api_on(&watch);
}

/* A node that was enrolled before, at an API that answers well */
static void start_known(void)
{
	struct err e = ERR_INIT;

	well_behaved();
	have_identity();
	assert_int_equal(start_node(NULL, &e), 0);
}

static int setup(void **state)
{
	(void)state;
	(void)str_copy(dir, sizeof(dir), "/tmp/test_node.XXXXXX");
	assert_non_null(mkdtemp(dir));
	seen[0] = '\0';
	lists = 0;
	list_size = -1;
	image_bytes = 4096;
	assert_int_equal(loop_init(&loop), 0);
	fake_api_start(&loop);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	node = node_free(node);
	run_ms(10);
	fake_api_stop();
	loop_done(&loop);
	assert_int_equal(file_remove_tree(AT_FDCWD, dir), 0);
	return 0;
}

static bool has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

static void test_enrolment(void **state)
{
	struct err e = ERR_INIT;
	char *signed_csr, path[PATH_MAX];
	const char *body;

	(void)state;
	well_behaved();
	rule("GET", FAKE_CSRS, 200, "{\"status\":{}}", 1);
	assert_int_equal(start_node("abcdef.0123456789abcdef", &e), 0);
	wait_for("POST", FAKE_CSRS, 1);
	assert_string_equal(fake_api_authorization(), "Bearer abcdef.0123456789abcdef");
	body = fake_api_body("POST", FAKE_CSRS);
	assert_true(has(body, "\"signerName\":\"kubernetes.io/kube-apiserver-client-kubelet\""));
	assert_true(has(body,
			"\"usages\":[\"digital signature\",\"key encipherment\",\"client auth\"]"));
	signed_csr = fake_sign("20250101000000", "20990101000000");
	wait_for("GET", FAKE_CSRS "/node-csr-", 1);
	rule("GET", FAKE_CSRS, 200, signed_csr, 1);
	wait_for("POST", "/api/v1/nodes", 1);
	wait_for("GET", WATCH, 1);
	body = fake_api_body("POST", "/api/v1/nodes");
	assert_true(has(body, "\"Port\":10251"));
	assert_true(has(body, "\"type\":\"Ready\",\"status\":\"True\""));
	assert_true(has(body, "{\"type\":\"InternalIP\",\"address\":\"192.0.2.7\"}"));
	assert_false(has(body, "$patch"));
	assert_string_equal(fake_api_authorization(), "");
	wait_for("POST", LEASES, 1);
	assert_true(has(fake_api_body("POST", LEASES), "\"uid\":\"uid-1\""));
	assert_true(has(fake_api_body("POST", LEASES), "\"leaseDurationSeconds\":40"));
	assert_int_equal(lists, 1);
	assert_int_equal(list_size, 1);
	/* The serving certificate is another request, by another key. */
	wait_for("POST", FAKE_CSRS, 2);
	assert_true(has(fake_api_body("POST", FAKE_CSRS), "kubernetes.io/kubelet-serving"));
	snprintf(path, sizeof(path), "%s/client.pem", dir);
	assert_int_equal(access(path, R_OK), 0);
	snprintf(path, sizeof(path), "%s/client.key", dir);
	assert_int_equal(access(path, R_OK), -1);
	free(signed_csr);
}

static void test_enrolment_interrupted(void **state)
{
	struct err e = ERR_INIT;
	char *first;

	(void)state;
	well_behaved();
	rule("GET", FAKE_CSRS, 200, "{\"status\":{}}", 0);
	assert_int_equal(start_node("abcdef.0123456789abcdef", &e), 0);
	wait_for("GET", FAKE_CSRS, 1);
	first = mem_strdup(fake_api_body("POST", FAKE_CSRS));
	node = node_free(node);
	/* The next hostd asks for the same with the same key; the server has it already. */
	rule("POST", FAKE_CSRS, 409, "{\"reason\":\"AlreadyExists\"}", 0);
	assert_int_equal(start_node("abcdef.0123456789abcdef", &e), 0);
	wait_for("GET", FAKE_CSRS, 3);
	assert_int_equal(strncmp(first, fake_api_body("POST", FAKE_CSRS), 150), 0);
	free(first);
}

static void test_enrolment_refused(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	rule("POST", FAKE_CSRS, 401, "{\"reason\":\"Unauthorized\",\"message\":\"token used\"}", 0);
	assert_int_equal(start_node("abcdef.0123456789abcdef", &e), 0);
	wait_for("POST", FAKE_CSRS, 1);
	run_ms(300);
	assert_int_equal(fake_api_count("POST", FAKE_CSRS), 1); /* not hammered */
	node = node_free(node);
	assert_int_equal(start_node(NULL, &e), -ENOKEY);
	assert_true(has(err_msg(&e), "no token"));
}

/* What changes while the Node is being created is sent at once, not with the next refresh. */
static void test_change_while_creating(void **state)
{
	(void)state;
	start_known();
	node_set_ready(node, "NoKvm", "this machine has no KVM");
	wait_for("PATCH", "/api/v1/nodes/h1/status", 1);
	assert_false(has(fake_api_body("POST", "/api/v1/nodes"), "NoKvm"));
	assert_true(has(fake_api_body("PATCH", "/api/v1/nodes/h1/status"), "NoKvm"));
}

static void test_take_over(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	well_behaved();
	have_identity();
	rule("POST", "/api/v1/nodes", 409, "{\"reason\":\"AlreadyExists\"}", 0);
	rule("PATCH", "/api/v1/nodes/h1", 200,
	     "{\"metadata\":{\"uid\":\"u7\"},\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":"
	     "\"True\",\"lastTransitionTime\":\"2026-01-01T00:00:00Z\"}]}}",
	     0);
	assert_int_equal(start_node(NULL, &e), 0);
	wait_for("PATCH", "/api/v1/nodes/h1/status", 1);
	assert_true(has(fake_api_body("PATCH", "/api/v1/nodes/h1/status"),
			"\"lastTransitionTime\":\"2026-01-01T00:00:00Z\""));
	assert_true(
		has(fake_api_body("PATCH", "/api/v1/nodes/h1/status"), "\"$patch\":\"replace\""));
	wait_for("GET", WATCH, 1);
	assert_int_equal(fake_api_count("POST", FAKE_CSRS), 1); /* serving only */
	assert_true(has(fake_api_body("PATCH", "/api/v1/nodes/h1/status"), "\"sizeBytes\":4096"));
	image_bytes = 8192;
	node_images_changed(node);
	wait_for("PATCH", "/api/v1/nodes/h1/status", 2);
	assert_true(has(fake_api_body("PATCH", "/api/v1/nodes/h1/status"), "\"sizeBytes\":8192"));
	node_set_ready(node, "Broken", "really");
	wait_for("PATCH", "/api/v1/nodes/h1/status", 3);
	assert_true(has(fake_api_body("PATCH", "/api/v1/nodes/h1/status"),
			"\"status\":\"False\",\"reason\":\"Broken\",\"message\":\"really\""));
	node_set_pressure(node, NODE_PRESSURE_DISK, true);
	wait_for("PATCH", "/api/v1/nodes/h1/status", 4);
	assert_true(has(fake_api_body("PATCH", "/api/v1/nodes/h1/status"),
			"\"DiskPressure\",\"status\":\"True\""));
	assert_true(has(fake_api_body("PATCH", "/api/v1/nodes/h1/status"),
			"\"MemoryPressure\",\"status\":\"False\""));
}

static void set_facts(const char *labels, const char *text)
{
	struct json_doc *doc;

	assert_int_equal(json_parse(labels, strlen(labels), &doc, NULL), 0);
	node_set_facts(node, json_root(doc), "x/all", text);
	json_doc_free(doc);
}

#define H1 "/api/v1/nodes/h1"

/* Before the Node is there, once it is, when the server is busy, refuses, or has lost the Node */
static void test_facts(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	well_behaved();
	have_identity();
	rule("POST", "/api/v1/nodes", 201, "{\"metadata\":{\"uid\":\"u7\"}}", 0);
	rule("PATCH", H1, 200, "{}", 0);
	assert_int_equal(start_node(NULL, &e), 0);
	set_facts("{\"a\":\"1\"}", "{1}");
	set_facts("{\"a\":\"2\",\"b\":null}", "{\"n\":2}");
	wait_for("PATCH", H1, 1);
	assert_string_equal(fake_api_body("PATCH", H1),
			    "{\"metadata\":{\"labels\":{\"a\":\"2\",\"b\":null},"
			    "\"annotations\":{\"x/all\":\"{\\\"n\\\":2}\"}}}");
	run_ms(1500);
	assert_int_equal(fake_api_count("PATCH", H1), 1);
	rule("PATCH", H1, 503, "{}", 1);
	set_facts("{\"a\":\"3\"}", "3");
	wait_for("PATCH", H1, 3); /* again, and it worked */
	rule("PATCH", H1, 422, "{}", 1);
	set_facts("{\"a\":\"4\"}", "4");
	node_set_ready(node, "Broken", "really");
	wait_for("PATCH", H1 "/status", 1); /* what is refused stands in nobody's way */
	assert_int_equal(fake_api_count("PATCH", H1), 5);
	rule("PATCH", H1, 404, "{}", 1);
	set_facts("{\"a\":\"5\"}", "5");
	wait_for("POST", "/api/v1/nodes", 2);
	wait_for("PATCH", H1, 7);
	assert_non_null(strstr(fake_api_body("PATCH", H1), "\"a\":\"5\""));
}

static void test_server_is_late(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	well_behaved();
	have_identity();
	rule("POST", "/api/v1/nodes", 503, "not json", 2);
	rule("GET", LIST, 500, "{\"reason\":\"InternalError\"}", 1);
	assert_int_equal(start_node(NULL, &e), 0);
	wait_for("POST", "/api/v1/nodes", 3);
	wait_for("GET", LIST, 1);
	assert_int_equal(lists, 0); /* a failed list says nothing about pods */
	wait_for("GET", WATCH, 1);
	assert_int_equal(lists, 1);
}

static void test_watch(void **state)
{
	(void)state;
	start_known();
	wait_for("GET", WATCH, 1);
	assert_true(fake_api_stream(
		"{\"type\":\"ADDED\",\"object\":" POD("a", "6") "}\n{\"type\":\"MODI"));
	run_ms(30);
	assert_string_equal(seen, "A:a ");
	assert_true(fake_api_stream(
		"FIED\",\"object\":" POD("a", "7") "}\n{\"type\":\"DELETED\",\"object\":" POD(
			"b", "8") "}\n{\"type\":\"BOOKMARK\",\"object\":" POD("", "9") "}\n"));
	run_ms(30);
	assert_string_equal(seen, "A:a M:a D:b ");
	/* A clean end: on from the bookmark, without a list. */
	assert_true(
		fake_api_stream("{\"type\":\"ADDED\",\"object\":{\"me")); /* cut in the middle */
	assert_true(fake_api_stream(NULL));
	wait_for("GET", WATCH, 2);
	assert_int_equal(lists, 1);
	assert_true(fake_api_index("GET", WATCH) >= 0);
	assert_string_equal(node->watch.version, "9");
	assert_string_equal(seen, "A:a M:a D:b ");
	/* Too old: list again, then watch from what it said. */
	assert_true(fake_api_stream(
		"{\"type\":\"ERROR\",\"object\":{\"code\":410,\"reason\":\"Expired\"}}\n"));
	wait_for("GET", WATCH, 3);
	assert_int_equal(lists, 2);
	assert_string_equal(node->watch.version, "5");
	/* Garbage costs the connection only. */
	assert_true(fake_api_stream("hello\n"));
	wait_for("GET", WATCH, 4);
	assert_int_equal(lists, 2);
	/* The same as a status. */
	rule("GET", WATCH, 410, "{\"code\":410,\"reason\":\"Gone\"}", 1);
	assert_true(fake_api_stream(NULL));
	wait_for("GET", LIST, 3);
	assert_int_equal(lists, 3);
	/* A version that the server does not take, however often: it is asked for another. */
	wait_for("GET", WATCH, 6);
	rule("GET", WATCH, 504, "{\"code\":504,\"reason\":\"Timeout\"}", 2);
	assert_true(fake_api_stream(NULL));
	wait_for("GET", LIST, 4);
	assert_int_equal(lists, 4);
	wait_for("GET", WATCH, 9);
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
	start_known();
	wait_for("GET", WATCH, 1);
	rule("PATCH", "/api/v1/namespaces/default/pods/web/status", 200, "{}", 0);
	rule("DELETE", "/api/v1/namespaces/default/pods/web", 200, "{}", 0);
	fake_api_on(&busy);
	json_put_str(doc, condition, "type", "Ready");
	json_push(doc, json_arr_of(doc, status, "conditions"), condition);
	json_put_str(doc, status, "phase", "Pending");
	start_ms = clock_mono_ms();
	node_put_status(node, &pod, status);
	json_put_str(doc, status, "phase", "Running");
	node_put_status(node, &pod, status);
	json_put_str(doc, status, "phase", "Succeeded");
	node_put_status(node, &pod, status);
	node_delete_pod(node, &pod);
	wait_for("DELETE", "/api/v1/namespaces/default/pods/web", 1);
	/* The first was refused for a second; what came meanwhile was sent as one, before the deletion. */
	assert_true(clock_mono_ms() - start_ms >= 1000);
	assert_int_equal(fake_api_count("PATCH", busy.path), 2);
	assert_string_equal(
		fake_api_body("PATCH", busy.path),
		"{\"metadata\":{\"uid\":\"u1\"},\"status\":{\"conditions\":[{\"type\":\"Ready\","
		"\"reason\":null,\"message\":null}],\"phase\":\"Succeeded\"}}");
	assert_true(has(fake_api_body("DELETE", "/api/v1/namespaces/default/pods/web"),
			"\"gracePeriodSeconds\":0,\"preconditions\":{\"uid\":\"u1\"}"));
	assert_true(list_empty(&node->puts.pods));
	/* Another pod has the name now: dropped. */
	rule("PATCH", busy.path, 422, "{\"reason\":\"Invalid\"}", 0);
	node_put_status(node, &pod, status);
	wait_for("PATCH", busy.path, 3);
	assert_true(list_empty(&node->puts.pods));
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
	start_known();
	wait_for("GET", WATCH, 1);
	rule("PATCH", path, 200, "{}", 0);
	json_put_str(doc, status, "podIP", "10.88.0.2");
	json_put_str(doc, ip, "ip", "10.88.0.2");
	json_push(doc, json_arr_of(doc, status, "podIPs"), ip);
	node_put_status(node, &pod, status);
	wait_for("PATCH", path, 1);
	assert_true(has(fake_api_body("PATCH", path), "\"podIPs\":[{\"ip\":\"10.88.0.2\"}]"));
	pod.api_ip = "10.88.0.2";
	node_put_status(node, &pod, status);
	wait_for("PATCH", path, 2);
	assert_false(has(fake_api_body("PATCH", path), "$patch"));
	pod.api_ip = "10.88.0.9";
	node_put_status(node, &pod, status);
	wait_for("PATCH", path, 3);
	assert_true(has(fake_api_body("PATCH", path),
			"\"podIPs\":[{\"ip\":\"10.88.0.2\"},{\"$patch\":\"replace\"}]"));
	json_doc_free(doc);
}

static void test_lease_conflict(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	well_behaved();
	have_identity();
	rule("GET", LEASES "/h1", 200,
	     "{\"metadata\":{\"name\":\"h1\",\"resourceVersion\":\"77\"},\"spec\":{\"holderIdentity\":\"x\"}}",
	     0);
	rule("PUT", LEASES, 409, "{\"reason\":\"Conflict\"}", 1);
	assert_int_equal(start_node(NULL, &e), 0);
	wait_for("PUT", LEASES, 2);
	assert_int_equal(fake_api_count("GET", LEASES), 2);
	assert_true(has(fake_api_body("PUT", LEASES), "\"resourceVersion\":\"77\""));
	assert_true(has(fake_api_body("PUT", LEASES), "\"holderIdentity\":\"h1\""));
	assert_true(node->lease.renewed_ms > 0);
	/* Somebody else wrote it: that is how we are asked to look at our Node. */
	wait_for("PATCH", "/api/v1/nodes/h1/status", 1);
}

static void test_events_are_limited(void **state)
{
	char words[32];
	struct err e = ERR_INIT;

	(void)state;
	well_behaved();
	have_identity();
	rule("POST", "/api/v1/namespaces/default/events", 201, "{}", 0);
	assert_int_equal(start_node(NULL, &e), 0);
	wait_for("GET", WATCH, 1);
	/* The same words are one event. */
	for (int i = 0; i < 100; i++)
		node_event(node, NULL, "Warning", "Test", "words");
	run_ms(100);
	assert_int_equal(fake_api_count("POST", "/api/v1/namespaces/default/events"), 1);
	assert_int_equal(node->events.known[0].count, 100);
	node->events.known[0].told_ms -= 10000;
	rule("PATCH", node->events.known[0].path, 200, "{}", 0);
	node_event(node, NULL, "Warning", "Test", "words");
	wait_for("PATCH", node->events.known[0].path, 1);
	assert_true(has(fake_api_body("PATCH", node->events.known[0].path), "\"count\":101"));
	/* Others wait for their turn; those beyond the bucket are dropped. */
	for (int i = 0; i < 100; i++) {
		snprintf(words, sizeof(words), "words %d", i);
		node_event(node, NULL, "Warning", "Test", words);
	}
	wait_for("POST", "/api/v1/namespaces/default/events", 49);
	run_ms(100);
	assert_true(fake_api_count("POST", "/api/v1/namespaces/default/events") <= 55);
	assert_true(
		has(fake_api_body("POST", "/api/v1/namespaces/default/events"),
		    "\"involvedObject\":{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"name\":\"h1\""));
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
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_enrolment),
		T(test_enrolment_interrupted),
		T(test_enrolment_refused),
		T(test_change_while_creating),
		T(test_take_over),
		T(test_facts),
		T(test_server_is_late),
		T(test_watch),
		T(test_status),
		T(test_status_address),
		T(test_events_are_limited),
		T(test_lease_conflict),
		T(test_times),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
