// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd.h"
#include "kube/kubeconfig.h"
#include "table.h"

static const char config_text[] =
	"apiVersion: v1\nkind: Config\n"
	"clusters:\n- name: other\n  cluster: {server: \"https://no\"}\n"
	"- name: c\n  cluster:\n    server: https://127.0.0.1:6443/\n    certificate-authority-data: Q0E=\n"
	"users:\n- name: u\n  user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ}\n"
	"contexts:\n- name: x\n  context: {cluster: c, user: u, namespace: web}\n"
	"current-context: x\n";

static int parse(const char *text, struct kubeconfig *k, struct err *e)
{
	return kubeconfig_parse(text, strlen(text), "/nonexistent", k, e);
}

static void test_kubeconfig(void **state)
{
	struct err e = ERR_INIT;
	struct kubeconfig k;

	(void)state;
	assert_int_equal(parse(config_text, &k, &e), 0);
	assert_string_equal(k.server, "https://127.0.0.1:6443");
	assert_string_equal(k.ca_pem, "CA");
	assert_string_equal(k.cert_pem, "CERT");
	assert_string_equal(k.key_pem, "KEY");
	assert_string_equal(k.namespace, "web");
	assert_null(k.token);
	kubeconfig_done(&k);
}

static void test_kubeconfig_refuses(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"", "current-context"},
		{"[1, 2]", "current-context"},
		{"a: [", "line"},
		{"current-context: x", "names no cluster"},
		{"current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\n"
		 "clusters: [{name: c, cluster: {server: s, certificate-authority-data: '***'}}]",
		 "not base64"},
		{"current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\n"
		 "clusters: [{name: c, cluster: {server: s, certificate-authority: ca.crt}}]",
		 "/nonexistent/ca.crt"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err e = ERR_INIT;
		struct kubeconfig k;

		assert_true(parse(bad[i].text, &k, &e) < 0);
		if (!strstr(err_msg(&e), bad[i].says))
			fail_msg("case %zu: %s", i, err_msg(&e));
		assert_null(k.server);
	}
}

static void test_table(void **state)
{
	static const char *const headers[] = {"NAME", "STATUS", NULL};
	static const char *const web[] = {"web", "Running"}, *const odd[] = {"with\x1b[31m", NULL};
	struct table *t = table_new(headers);
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	table_add(t, web);
	table_add(t, odd);
	table_print(t, f);
	fclose(f);
	assert_string_equal(text, "NAME           STATUS\n"
				  "web            Running\n"
				  "with\\x1b[31m   -\n");
	free(text);
}

static void assert_status(const char *pod, const char *status, const char *reason)
{
	_cleanup_json_ struct json_doc *doc = NULL;

	assert_int_equal(json_parse(pod, strlen(pod), &doc, NULL), 0);
	assert_string_equal(cmd_pod_status(json_root(doc)), status);
	assert_string_equal(cmd_pod_reason(json_root(doc)), reason);
}

static void assert_exit_code(const char *pod, int64_t code)
{
	_cleanup_json_ struct json_doc *doc = NULL;

	assert_int_equal(json_parse(pod, strlen(pod), &doc, NULL), 0);
	assert_int_equal(cmd_pod_exit_code(json_root(doc)), code);
}

#define ENDED(more, status, code)                                                                 \
	"{" more "\"status\":{" status "\"phase\":\"Failed\",\"containerStatuses\":[{\"state\":{" \
	"\"terminated\":{\"reason\":\"Error\",\"exitCode\":" code "}}}]}}"

static void test_pod_exit_code(void **state)
{
	(void)state;
	assert_exit_code("{}", 0);
	assert_exit_code(ENDED("", "", "139"), 139);
	assert_exit_code(ENDED("", "", "0"), 0);
	/* The status is then about something else than the container's end. */
	assert_exit_code(ENDED("", "\"reason\":\"Evicted\",", "137"), 0);
	assert_exit_code(ENDED("\"metadata\":{\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"},", "",
			       "137"),
			 0);
}

static void test_pod_status(void **state)
{
	(void)state;
	assert_status("{}", "Unknown", "");
	assert_status("{\"status\":{\"phase\":\"Running\"}}", "Running", "");
	assert_status("{\"metadata\":{\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"},"
		      "\"status\":{\"phase\":\"Running\"}}",
		      "Terminating", "");
	assert_status(
		"{\"status\":{\"phase\":\"Pending\",\"containerStatuses\":[{\"state\":{\"waiting\":"
		"{\"reason\":\"ErrImagePull\",\"message\":\"manifest unknown\"}}}]}}",
		"ErrImagePull", "manifest unknown");
	assert_status("{\"status\":{\"phase\":\"Failed\",\"reason\":\"UnsupportedPod\","
		      "\"message\":\"spec.hostNetwork\"}}",
		      "UnsupportedPod", "spec.hostNetwork");
	assert_status(
		"{\"status\":{\"phase\":\"Pending\",\"conditions\":[{\"type\":\"PodScheduled\","
		"\"status\":\"False\",\"message\":\"0/1 nodes are available\"}]}}",
		"Pending", "0/1 nodes are available");
	assert_status(
		"{\"status\":{\"phase\":\"Failed\",\"containerStatuses\":[{\"state\":{\"terminated\":"
		"{\"reason\":\"Error\",\"exitCode\":7}}}]}}",
		"Error", "");
}

static void assert_age(uint64_t seconds, const char *wanted)
{
	char time[CLOCK_RFC3339_MAX], age[16];
	_cleanup_json_ struct json_doc *doc = json_doc_new();

	clock_rfc3339(time, (int64_t)(clock_real_ns() / 1000000000 - seconds));
	assert_string_equal(cmd_age(age, json_new_str(doc, time)), wanted);
}

static void test_age(void **state)
{
	(void)state;
	assert_age(200, "3m20s");
	assert_age(1800, "30m");
	assert_age(5 * 3600, "5h");
	assert_age(3 * 86400, "3d");
	assert_string_equal(cmd_age((char[16]){0}, NULL), "-");
}

#define NODE(annotations, ready, message)                                                          \
	"{\"metadata\":{\"annotations\":{" annotations "}},\"status\":{\"nodeInfo\":{\"osImage\":" \
	"\"HyperMetal v1\"},\"conditions\":[{\"type\":\"Ready\",\"status\":\"" ready               \
	"\",\"message\":\"" message "\"}]}}"
#define IMAGE(version) "\"hypermetal.io/image\":\"" version "\""
#define TROUBLE	       ",\"hypermetal.io/image-trouble\":\"v2: bad\""

static void assert_image(const char *text, const char *wanted)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	char out[256];

	assert_int_equal(json_parse(text, strlen(text), &doc, NULL), 0);
	assert_string_equal(cmd_node_image(json_root(doc), out, sizeof(out)), wanted);
}

static void test_node_image(void **state)
{
	(void)state;
	assert_image("{}", "");
	assert_image(NODE("", "True", "fine"), "HyperMetal v1");
	assert_image(NODE(IMAGE("v1"), "True", "fine"), "HyperMetal v1");
	assert_image(NODE(IMAGE("v2"), "True", "fine"), "HyperMetal v1 (v2 at its next boot)");
	assert_image(NODE(IMAGE("v2") TROUBLE, "True", "fine"), "HyperMetal v1 (v2: bad)");
	assert_image(NODE("", "Unknown", "gone"), "gone");
	assert_image(NODE(IMAGE("v2") TROUBLE, "False", "no KVM"), "no KVM (v2: bad)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kubeconfig),    cmocka_unit_test(test_kubeconfig_refuses),
		cmocka_unit_test(test_table),	      cmocka_unit_test(test_pod_status),
		cmocka_unit_test(test_pod_exit_code), cmocka_unit_test(test_age),
		cmocka_unit_test(test_node_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
