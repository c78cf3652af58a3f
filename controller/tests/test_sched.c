// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sched/fit.h"
#include "sched/sched.h"

#define READY "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]"
#define NODE(name, extra_spec, cpu, memory)                                                        \
	"{\"metadata\":{\"name\":\"" name "\",\"labels\":{\"kubernetes.io/hostname\":\"" name      \
	"\",\"gen\":\"7\"}},\"spec\":{" extra_spec "},\"status\":{\"allocatable\":{\"cpu\":\"" cpu \
	"\",\"memory\":\"" memory "\",\"pods\":\"110\"}," READY "}}"
#define POD(name, extra_spec, cpu, memory)                                                      \
	"{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"default\"},\"spec\":{" extra_spec \
	"\"containers\":[{\"name\":\"c\",\"ports\":[{\"hostPort\":80,\"containerPort\":80}],"   \
	"\"resources\":{\"requests\":{\"cpu\":\"" cpu "\",\"memory\":\"" memory "\"}}}]},"      \
	"\"status\":{\"phase\":\"Pending\"}}"

static struct json_doc *parse(const char *text)
{
	struct json_doc *doc = NULL;
	struct err e = ERR_INIT;

	if (json_parse(text, strlen(text), &doc, &e) < 0)
		fail_msg("%s: %s", err_msg(&e), text);
	return doc;
}

static void assert_fit(const char *node_text, const char *pod_text, const char *reason_wanted)
{
	_cleanup_json_ struct json_doc *node = parse(node_text), *pod = parse(pod_text);
	char reason[FIT_REASON_MAX] = "";
	struct fit_host h;

	fit_host_init(&h, json_root(node));
	if (fit_check(&h, json_root(pod), reason) != !reason_wanted)
		fail_msg("%s on %s: %s", pod_text, node_text, reason);
	assert_string_equal(reason, reason_wanted ? reason_wanted : "");
}

static void test_fit(void **state)
{
	static const char pod[] = POD("p", "", "500m", "128Mi");

	(void)state;
	assert_fit(NODE("a", "", "2", "1Gi"), pod, NULL);
	assert_fit(NODE("a", "", "2", "100Mi"), pod, "Insufficient memory");
	assert_fit(NODE("a", "", "400m", "1Gi"), pod, "Insufficient cpu");
	assert_fit(NODE("a", "\"unschedulable\":true", "2", "1Gi"), pod,
		   "node(s) were unschedulable");
	assert_fit(NODE("a",
			"\"taints\":[{\"key\":\"k\",\"value\":\"v\",\"effect\":\"NoSchedule\"}]",
			"2", "1Gi"),
		   pod, "node(s) had untolerated taint {k: v}");
	assert_fit(NODE("a", "\"taints\":[{\"key\":\"k\",\"effect\":\"PreferNoSchedule\"}]", "2",
			"1Gi"),
		   pod, NULL);
	assert_fit(
		"{\"metadata\":{\"name\":\"a\"},\"status\":{\"allocatable\":{\"cpu\":\"2\",\"memory\":\"1Gi\","
		"\"pods\":\"1\"}}}",
		pod, "node(s) were not ready");
	assert_fit(
		"{\"metadata\":{\"name\":\"a\"},\"status\":{\"allocatable\":{\"cpu\":\"2\",\"memory\":\"1Gi\","
		"\"pods\":\"0\"}," READY "}}",
		pod, "Too many pods");
	/* Sizes that overflow saturate. */
	assert_fit(NODE("a", "", "2", "1Gi"), POD("p", "", "1", "9223372036854775807"),
		   "Insufficient memory");
}

/* An init container is alone, a sidecar stays; disk space is counted as memory is. */
static void test_what_counts(void **state)
{
#define INIT(more, memory)                         \
	"\"initContainers\":[{\"name\":\"i\"" more \
	",\"resources\":{\"requests\":{\"memory\":\"" memory "\"}}}],"
#define STORAGE(size)                                                              \
	"{\"spec\":{\"containers\":[{\"name\":\"c\",\"resources\":{\"requests\":{" \
	"\"ephemeral-storage\":\"" size "\"}}}]}}"
	static const char node[] =
		"{\"metadata\":{\"name\":\"a\"},\"status\":{\"allocatable\":{\"cpu\":\"2\",\"memory\":\"1Gi\","
		"\"pods\":\"9\",\"ephemeral-storage\":\"1Gi\"}," READY "}}";

	(void)state;
	assert_fit(NODE("a", "", "2", "200Mi"), POD("p", INIT("", "150Mi"), "1", "100Mi"), NULL);
	assert_fit(NODE("a", "", "2", "200Mi"), POD("p", INIT("", "250Mi"), "1", "100Mi"),
		   "Insufficient memory");
	assert_fit(NODE("a", "", "2", "200Mi"),
		   POD("p", INIT(",\"restartPolicy\":\"Always\"", "150Mi"), "1", "100Mi"),
		   "Insufficient memory");
	assert_fit(node, STORAGE("1Gi"), NULL);
	assert_fit(node, STORAGE("1025Mi"), "Insufficient ephemeral-storage");
	assert_fit(NODE("a", "", "2", "1Gi"), POD("p", "", "1", "1Mi"), NULL);
	assert_fit(NODE("a", "", "2", "1Gi"), STORAGE("1Mi"), "Insufficient ephemeral-storage");
}

static void test_tolerations_and_affinity(void **state)
{
	static const char tainted[] =
		NODE("a", "\"taints\":[{\"key\":\"k\",\"value\":\"v\",\"effect\":\"NoSchedule\"}]",
		     "2", "1Gi");
	static const char plain[] = NODE("a", "", "2", "1Gi");
	static const char mismatch[] = "node(s) didn't match Pod's node affinity/selector";

	(void)state;
#define TOLERATION(t) POD("p", "\"tolerations\":[" t "],", "1", "1Mi")
	assert_fit(tainted, TOLERATION("{\"operator\":\"Exists\"}"), NULL);
	assert_fit(tainted, TOLERATION("{\"key\":\"k\",\"value\":\"v\"}"), NULL);
	assert_fit(tainted, TOLERATION("{\"key\":\"k\",\"value\":\"w\"}"),
		   "node(s) had untolerated taint {k: v}");
	assert_fit(tainted,
		   TOLERATION("{\"key\":\"k\",\"operator\":\"Exists\",\"effect\":\"NoExecute\"}"),
		   "node(s) had untolerated taint {k: v}");
	assert_fit(plain, POD("p", "\"nodeSelector\":{\"gen\":\"7\"},", "1", "1Mi"), NULL);
	assert_fit(plain, POD("p", "\"nodeSelector\":{\"gen\":\"8\"},", "1", "1Mi"), mismatch);
#define AFFINITY(terms)                                                                            \
	POD("p",                                                                                   \
	    "\"affinity\":{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":{" \
	    "\"nodeSelectorTerms\":[" terms "]}}},",                                               \
	    "1", "1Mi")
#define EXPRESSION(key, op, values)                                                               \
	"{\"matchExpressions\":[{\"key\":\"" key "\",\"operator\":\"" op "\",\"values\":[" values \
	"]}]}"
	assert_fit(plain, AFFINITY(EXPRESSION("gen", "In", "\"6\",\"7\"")), NULL);
	assert_fit(plain, AFFINITY(EXPRESSION("gen", "NotIn", "\"7\"")), mismatch);
	assert_fit(
		plain,
		AFFINITY(EXPRESSION("gen", "NotIn", "\"7\"") "," EXPRESSION("gen", "Gt", "\"6\"")),
		NULL);
	assert_fit(plain, AFFINITY(EXPRESSION("gen", "Lt", "\"7\"")), mismatch);
	assert_fit(plain, AFFINITY(EXPRESSION("none", "DoesNotExist", "")), NULL);
	assert_fit(plain, AFFINITY("{}"), mismatch);
}

static void add(struct store *s, const char *resource, const char *namespace, const char *text)
{
	struct json_doc *doc = parse(text);
	_cleanup_free_ char *name =
		mem_strdup(json_str(json_at(json_root(doc), "metadata", "name", NULL), ""));
	struct err e = ERR_INIT;

	if (store_create(s, resource, namespace, name, doc, NULL, &e) < 0)
		fail_msg("%s", err_msg(&e));
}

static const char *node_of(struct store *s, const char *pod)
{
	const struct store_object *o = store_get(s, "pods", "default", pod);

	return json_str(json_at(json_root(o->doc), "spec", "nodeName", NULL), "");
}

static void settle(struct loop *l, struct store *s)
{
	for (int i = 0; i < 4; i++) {
		store_dispatch(s);
		assert_int_equal(loop_once(l, 10), 0);
	}
}

/* Pods are spread; the one that fits nowhere says why, and is placed once there is room. */
static void test_pass(void **state)
{
	struct store_config config = {.path = NULL};
	struct sched *sched = NULL;
	struct store *s = NULL;
	struct loop l;
	struct err e = ERR_INIT;
	const struct json *condition;

	(void)state;
	assert_int_equal(loop_init(&l), 0);
	assert_int_equal(store_open(&l, &config, &s, &e), 0);
	add(s, "nodes", "", NODE("a", "", "2", "300Mi"));
	assert_int_equal(sched_new(&l, s, &sched, &e), 0);
	add(s, "pods", "default", POD("p1", "", "1", "100Mi"));
	add(s, "pods", "default", POD("p2", "", "1", "100Mi"));
	settle(&l, s);
	assert_string_equal(node_of(s, "p1"), "a");
	/* The same host port cannot be had twice. */
	assert_string_equal(node_of(s, "p2"), "");
	condition = store_condition(json_root(store_get(s, "pods", "default", "p2")->doc),
				    "PodScheduled");
	assert_string_equal(
		json_str(json_get(condition, "message"), ""),
		"0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod "
		"ports.");
	add(s, "nodes", "", NODE("b", "", "2", "300Mi"));
	settle(&l, s);
	assert_string_equal(node_of(s, "p2"), "b");
	/* A host that is removed takes its pods along. */
	assert_int_equal(store_delete(s, "nodes", "", "b", 0, &e), 0);
	settle(&l, s);
	assert_null(store_get(s, "pods", "default", "p2"));
	assert_non_null(store_get(s, "pods", "default", "p1"));
	sched_free(sched);
	store_close(s);
	loop_done(&l);
}

static void add_plain(struct store *s, const char *name)
{
	_cleanup_free_ char *text = mem_printf(
		"{\"metadata\":{\"name\":\"%s\"},\"spec\":{\"containers\":[{\"name\":\"c\"}]}}",
		name);

	add(s, "pods", "default", text);
}

/* Pods that ask for nothing are spread, too, and keep away from a host that others fill. */
static void test_spread(void **state)
{
	static const char *const names[] = {"p1", "p2", "p3", "p4"};
	struct store_config config = {.path = NULL};
	size_t on_a = 0, on_b = 0, on_full = 0;
	struct sched *sched = NULL;
	struct store *s = NULL;
	struct loop l;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(loop_init(&l), 0);
	assert_int_equal(store_open(&l, &config, &s, &e), 0);
	add(s, "nodes", "", NODE("full", "", "2", "1Gi"));
	assert_int_equal(sched_new(&l, s, &sched, &e), 0);
	add(s, "pods", "default", POD("big", "", "1", "500Mi"));
	settle(&l, s);
	add(s, "nodes", "", NODE("a", "", "2", "1Gi"));
	add(s, "nodes", "", NODE("b", "", "2", "1Gi"));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		add_plain(s, names[i]);
	settle(&l, s);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		on_a += strcmp(node_of(s, names[i]), "a") == 0;
		on_b += strcmp(node_of(s, names[i]), "b") == 0;
		on_full += strcmp(node_of(s, names[i]), "full") == 0;
	}
	assert_int_equal(on_a, 2);
	assert_int_equal(on_b, 2);
	assert_int_equal(on_full, 0);
	sched_free(sched);
	store_close(s);
	loop_done(&l);
}

static void test_taints_follow_ready(void **state)
{
	struct store_config config = {.path = NULL};
	struct sched *sched = NULL;
	struct store *s = NULL;
	struct json_doc *doc;
	struct loop l;
	struct err e = ERR_INIT;
	const struct json *node;

	(void)state;
	assert_int_equal(loop_init(&l), 0);
	assert_int_equal(store_open(&l, &config, &s, &e), 0);
	assert_int_equal(sched_new(&l, s, &sched, &e), 0);
	add(s, "nodes", "", "{\"metadata\":{\"name\":\"a\"},\"spec\":{}}");
	settle(&l, s);
	node = json_root(store_get(s, "nodes", "", "a")->doc);
	assert_string_equal(
		json_str(json_get(json_item(json_at(node, "spec", "taints", NULL), 0), "key"), ""),
		"node.kubernetes.io/not-ready");
	doc = json_doc_new();
	json_set_root(doc, json_copy(doc, node));
	store_set_condition(doc, json_root(doc), "Ready", "True", "KubeletReady", "");
	assert_int_equal(store_update(s, "nodes", "", "a", 0, doc, NULL, &e), 0);
	settle(&l, s);
	node = json_root(store_get(s, "nodes", "", "a")->doc);
	assert_null(json_at(node, "spec", "taints", NULL));
	sched_free(sched);
	store_close(s);
	loop_done(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fit),
		cmocka_unit_test(test_what_counts),
		cmocka_unit_test(test_tolerations_and_affinity),
		cmocka_unit_test(test_pass),
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_taints_follow_ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
