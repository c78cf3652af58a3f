// SPDX-License-Identifier: Apache-2.0
/* metrics.k8s.io: discovery, rights, and what is made of the hosts' Summaries. */
#include <stdio.h>

#include "api_world.h"
#include "base/mem.h"

#define GROUP "/apis/metrics.k8s.io/v1beta1"

static char summary_text[2048];
static struct json_doc *summary_doc;

static void test_discovery(void **state)
{
	struct world *w = *state;
	const struct json *list;

	assert_int_equal(ask(w, "GET", "/apis", "", ""), 200);
	list = AT(w, "groups");
	list = json_item(list, json_count(list) - 1);
	assert_string_equal(json_str(json_get(list, "name"), ""), "metrics.k8s.io");
	assert_string_equal(json_str(json_at(list, "preferredVersion", "version", NULL), ""),
			    "v1beta1");
	assert_int_equal(ask(w, "GET", "/apis/metrics.k8s.io", "", ""), 200);
	assert_string_equal(TEXT(w, "preferredVersion", "groupVersion"), "metrics.k8s.io/v1beta1");
	assert_int_equal(ask(w, "GET", GROUP, "", ""), 200);
	assert_string_equal(TEXT(w, "groupVersion"), "metrics.k8s.io/v1beta1");
	assert_int_equal(json_count(AT(w, "resources")), 2);
	assert_int_equal(ask(w, "GET", "/apis/metrics.k8s.io/v1", "", ""), 404);
	assert_int_equal(ask(w, "GET", "/apis/coordination.k8s.io/v1", "", ""), 200);
	assert_string_equal(TEXT(w, "groupVersion"), "coordination.k8s.io/v1");
}

static void test_rights(void **state)
{
	struct world *w = *state;

	assert_int_equal(ask(w, "GET", GROUP "/nodes", "", ""), -1); /* the glue goes on */
	assert_int_equal(ask(w, "GET", GROUP "/pods", "", ""), -1);
	assert_int_equal(ask(w, "GET", GROUP "/namespaces/default/pods/a", "", ""), -1);
	assert_int_equal(ask(w, "POST", GROUP "/namespaces/default/pods", "", "{}"), 405);
	assert_int_equal(ask(w, "DELETE", GROUP "/nodes/h1", "", ""), 405);
	assert_int_equal(ask(w, "GET", GROUP "/nodes", "watch=true", ""), 405);
	assert_int_equal(ask(w, "GET", "/api/v1/nodes/h1/proxy/stats/summary", "", ""), -1);
	assert_int_equal(ask(w, "POST", "/api/v1/nodes/h1/proxy/run/default/a/c", "", ""), 404);
	be(w, "system:node:h1", "system:nodes");
	assert_int_equal(ask(w, "GET", GROUP "/nodes", "", ""), 403);
	assert_int_equal(ask(w, "GET", "/api/v1/nodes/h1/proxy/metrics", "", ""), 403);
	be(w, "someone", "people");
	assert_int_equal(ask(w, "GET", GROUP "/namespaces/default/pods", "", ""), 403);
	assert_string_equal(
		TEXT(w, "message"),
		"pods.metrics.k8s.io is forbidden: User \"someone\" cannot list resource "
		"\"pods\" in API group \"metrics.k8s.io\" in the namespace \"default\"");
}

static const struct json *summary(const char *node, void *arg)
{
	(void)arg;
	return str_eq(node, "h1") ? json_root(summary_doc) : NULL;
}

static void count_host(const char *node, void *arg)
{
	assert_string_equal(node, "h1");
	++*(int *)arg;
}

/* Return: the status; the answer is in w->answer */
static int metrics(struct world *w, const char *plural, const char *ns, const char *name,
		   const char *query)
{
	struct api_call *c = mem_alloc(sizeof(*c));
	struct metrics_ask a;
	int status, hosts = 0;

	c->store = w->store;
	c->kind = kind_find("metrics.k8s.io", "v1beta1", plural);
	str_copy(c->namespace, sizeof(c->namespace), ns);
	str_copy(c->name, sizeof(c->name), name);
	assert_int_equal(query_parse(&c->query, query), 0);
	json_doc_free(w->answer);
	w->answer = json_doc_new();
	if (metrics_ask_init(&a, c)) {
		metrics_hosts(&a, w->store, count_host, &hosts);
		status = metrics_make(&a, w->store, summary, NULL, w->answer);
	} else {
		status = c->reply.status;
	}
	metrics_ask_done(&a);
	query_done(&c->query);
	buf_done(&c->reply.body);
	free(c);
	return status;
}

static void bind(struct world *w, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), PODS "/%s/binding", name);
	assert_int_equal(ask(w, "POST", path, "", "{\"target\":{\"name\":\"h1\"}}"), 201);
}

static void test_figures(void **state)
{
	struct world *w = *state;
	const struct json *one, *usage;

	add_node(w, "h1");
	add_pod(w, POD("a"));
	add_pod(w, POD("b"));
	add_pod(w, POD("unbound"));
	bind(w, "a");
	bind(w, "b");
	assert_int_equal(ask(w, "GET", PODS "/a", "", ""), 200);
	snprintf(
		summary_text, sizeof(summary_text),
		"{\"node\":{\"cpu\":{\"time\":\"2026-01-02T03:04:05.678Z\",\"usageNanoCores\":250000000},"
		"\"memory\":{\"workingSetBytes\":104857600}},\"hyper\":{\"windowMilliSeconds\":1100},"
		"\"pods\":[{\"podRef\":{\"uid\":\"%s\"},\"cpu\":{\"time\":\"2026-01-02T03:04:06Z\"},"
		"\"containers\":[{\"name\":\"c\",\"cpu\":{\"usageNanoCores\":7},"
		"\"memory\":{\"workingSetBytes\":4096}},{\"name\":\"new\",\"cpu\":{},"
		"\"memory\":{\"workingSetBytes\":4096}}]}]}",
		TEXT(w, "metadata", "uid"));
	assert_int_equal(json_parse(summary_text, strlen(summary_text), &summary_doc, NULL), 0);

	assert_int_equal(metrics(w, "nodes", "", "", ""), 200);
	assert_string_equal(TEXT(w, "kind"), "NodeMetricsList");
	assert_int_equal(json_count(AT(w, "items")), 1);
	one = json_item(AT(w, "items"), 0);
	assert_string_equal(json_str(json_at(one, "metadata", "name", NULL), ""), "h1");
	assert_string_equal(json_str(json_at(one, "usage", "cpu", NULL), ""), "250000000n");
	assert_string_equal(json_str(json_at(one, "usage", "memory", NULL), ""), "102400Ki");
	assert_string_equal(json_str(json_get(one, "timestamp"), ""), "2026-01-02T03:04:05Z");
	assert_string_equal(json_str(json_get(one, "window"), ""), "1.100s");

	assert_int_equal(metrics(w, "nodes", "", "h1", ""), 200);
	assert_string_equal(TEXT(w, "kind"), "NodeMetrics");
	assert_int_equal(metrics(w, "nodes", "", "h9", ""), 404);
	assert_string_equal(TEXT(w, "message"), "nodes.metrics.k8s.io \"h9\" not found");

	/* b has not told yet; the container that is too young for a rate is left out */
	assert_int_equal(metrics(w, "pods", "", "", ""), 200);
	assert_int_equal(json_count(AT(w, "items")), 1);
	one = json_item(AT(w, "items"), 0);
	assert_string_equal(json_str(json_at(one, "metadata", "namespace", NULL), ""), "default");
	assert_string_equal(json_str(json_at(one, "metadata", "labels", "app", NULL), ""), "a");
	assert_int_equal(json_count(json_get(one, "containers")), 1);
	usage = json_get(json_item(json_get(one, "containers"), 0), "usage");
	assert_string_equal(json_str(json_get(usage, "cpu"), ""), "7n");
	assert_string_equal(json_str(json_get(usage, "memory"), ""), "4Ki");

	assert_int_equal(metrics(w, "pods", "default", "", "labelSelector=app%3Db"), 200);
	assert_int_equal(json_count(AT(w, "items")), 0);
	assert_int_equal(metrics(w, "pods", "default", "", "labelSelector=app%3Da"), 200);
	assert_int_equal(json_count(AT(w, "items")), 1);
	assert_int_equal(metrics(w, "pods", "kube-system", "", ""), 200);
	assert_int_equal(json_count(AT(w, "items")), 0);
	assert_int_equal(metrics(w, "pods", "default", "a", ""), 200);
	assert_string_equal(TEXT(w, "kind"), "PodMetrics");
	assert_int_equal(metrics(w, "pods", "default", "b", ""), 404);
	assert_int_equal(metrics(w, "pods", "default", "", "labelSelector=%3D%3D"), 400);
	summary_doc = json_doc_free(summary_doc);
}

/* A host may say anything: what is no time leaves its objects out, what is no window of ours is not repeated. */
static void test_nonsense(void **state)
{
	static const char *const times[] = {"\"\"", "\"soon\"", "7", "\"2026-01-02T03:04:05.678\"",
					    "\"2026-13-02T03:04:05Z\""};
	struct world *w = *state;
	const struct json *one;

	add_node(w, "h1");
	for (size_t i = 0; i <= ARRAY_SIZE(times); i++) {
		bool good = i == ARRAY_SIZE(times);

		snprintf(summary_text, sizeof(summary_text),
			 "{\"node\":{\"cpu\":{\"time\":%s,\"usageNanoCores\":1},"
			 "\"memory\":{\"workingSetBytes\":1024}},"
			 "\"hyper\":{\"windowMilliSeconds\":9223372036854775807}}",
			 good ? "\"2026-01-02T05:04:05.678+02:00\"" : times[i]);
		assert_int_equal(json_parse(summary_text, strlen(summary_text), &summary_doc, NULL),
				 0);
		assert_int_equal(metrics(w, "nodes", "", "h1", ""), good ? 200 : 404);
		assert_int_equal(metrics(w, "nodes", "", "", ""), 200);
		assert_int_equal(json_count(AT(w, "items")), good);
		summary_doc = json_doc_free(summary_doc);
	}
	one = json_item(AT(w, "items"), 0);
	assert_string_equal(json_str(json_get(one, "timestamp"), ""), "2026-01-02T03:04:05Z");
	assert_string_equal(json_str(json_at(one, "metadata", "creationTimestamp", NULL), ""),
			    "2026-01-02T03:04:05Z");
	assert_string_equal(json_str(json_get(one, "window"), ""), "10s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_discovery),
		WORLD_TEST(test_rights),
		WORLD_TEST(test_figures),
		WORLD_TEST(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
