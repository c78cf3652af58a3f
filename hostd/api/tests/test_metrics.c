// SPDX-License-Identifier: Apache-2.0
/*
 * What is written is read again by a parser of the text format as strict as Prometheus' own: HELP and TYPE in
 * front of each metric's samples, those together, names and labels of the allowed characters, numbers, no
 * series twice.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/metrics.h"
#include "api/rates.h"
#include "base/mem.h"
#include "base/str.h"

#define SERIES_MAX 512

static const char first[] =
	"{\"node\":{\"nodeName\":\"h1\",\"startTime\":\"2026-01-02T03:04:05Z\","
	"\"cpu\":{\"time\":\"2026-01-02T04:00:00.500000000Z\",\"usageCoreNanoSeconds\":12000000001},"
	"\"memory\":{\"time\":\"2026-01-02T04:00:00.500000000Z\",\"workingSetBytes\":104857600},"
	"\"hyper\":{\"cpus\":2,\"load1\":0.25,\"pods\":{\"run\":1,\"gone\":3},"
	"\"cpu\":{\"userNanoSeconds\":1000000000},\"memory\":{\"totalBytes\":4096}}},"
	"\"pods\":[{\"podRef\":{\"name\":\"web\",\"namespace\":\"de\\\"f\\\\a\\nult\",\"uid\":\"u1\"},"
	"\"cpu\":{\"time\":\"2026-01-02T04:00:00.600000000Z\",\"usageCoreNanoSeconds\":7000000},"
	"\"memory\":{\"time\":\"2026-01-02T04:00:00.600000000Z\",\"workingSetBytes\":17000000},"
	"\"hyper\":{\"runMilliSeconds\":61234},"
	"\"containers\":[{\"name\":\"a\",\"startTime\":\"2026-01-02T03:59:00.000000000Z\","
	"\"cpu\":{\"time\":\"2026-01-02T04:00:00.700000000Z\",\"usageCoreNanoSeconds\":5000000},"
	"\"memory\":{\"time\":\"2026-01-02T04:00:00.700000000Z\",\"workingSetBytes\":4096}},"
	"{\"name\":\"b\",\"startTime\":\"2026-01-02T03:59:01.250000000Z\","
	"\"cpu\":{\"time\":\"2026-01-02T04:00:00.700000000Z\",\"usageCoreNanoSeconds\":1},"
	"\"memory\":{\"time\":\"2026-01-02T04:00:00.700000000Z\",\"workingSetBytes\":8192}}]},"
	"{\"podRef\":{\"name\":\"silent\",\"namespace\":\"default\",\"uid\":\"u2\"},"
	"\"cpu\":{\"time\":\"2026-01-02T04:00:00.600000000Z\",\"usageCoreNanoSeconds\":9},"
	"\"memory\":{\"time\":\"2026-01-02T04:00:00.600000000Z\",\"workingSetBytes\":9},"
	"\"containers\":[]}]}";

/* Ten seconds later: the host used 5 s, the pod 2 s, container a 1 s; b was started anew. */
static const char second[] =
	"{\"node\":{\"nodeName\":\"h1\",\"startTime\":\"2026-01-02T03:04:06Z\","
	"\"cpu\":{\"time\":\"2026-01-02T04:00:10.500000000Z\",\"usageCoreNanoSeconds\":17000000001}},"
	"\"pods\":[{\"podRef\":{\"name\":\"web\",\"namespace\":\"default\",\"uid\":\"u1\"},"
	"\"cpu\":{\"time\":\"2026-01-02T04:00:10.600000000Z\",\"usageCoreNanoSeconds\":2007000000},"
	"\"containers\":[{\"name\":\"a\",\"startTime\":\"2026-01-02T03:59:00.000000000Z\","
	"\"cpu\":{\"time\":\"2026-01-02T04:00:10.700000000Z\",\"usageCoreNanoSeconds\":1005000000}},"
	"{\"name\":\"b\",\"startTime\":\"2026-01-02T04:00:08.000000000Z\","
	"\"cpu\":{\"time\":\"2026-01-02T04:00:10.700000000Z\",\"usageCoreNanoSeconds\":5000}}]}]}";

struct series {
	char name[128], labels[512];
	double value;
	long long time_ms; /* 0: none */
};

static struct series series[SERIES_MAX];
static size_t series_count;

static const char *read_name(const char *at, char *out, size_t size)
{
	size_t n = 0;

	assert_true(isalpha((unsigned char)*at) || *at == '_' || *at == ':');
	while (isalnum((unsigned char)at[n]) || at[n] == '_' || at[n] == ':')
		n++;
	assert_true(n < size);
	memcpy(out, at, n);
	out[n] = '\0';
	return at + n;
}

static const char *read_labels(const char *at, struct series *s)
{
	const char *begin = at;
	char name[64];

	do {
		at = read_name(at + 1, name, sizeof(name));
		assert_null(strchr(name, ':'));
		assert_true(at[0] == '=' && at[1] == '"');
		for (at += 2; *at != '"'; at++) {
			assert_true(*at && *at != '\n');
			if (*at == '\\') {
				at++;
				assert_true(*at == '\\' || *at == '"' || *at == 'n');
			}
		}
		at++;
	} while (*at == ',');
	assert_int_equal(*at, '}');
	assert_true((size_t)(at - begin) < sizeof(s->labels));
	memcpy(s->labels, begin + 1, (size_t)(at - begin - 1));
	return at + 1;
}

static void read_sample(const char *line, const char *metric)
{
	struct series *s = &series[series_count];
	char *end;

	assert_true(series_count < SERIES_MAX);
	memset(s, 0, sizeof(*s));
	line = read_name(line, s->name, sizeof(s->name));
	assert_string_equal(s->name, metric);
	if (*line == '{')
		line = read_labels(line, s);
	assert_int_equal(*line, ' ');
	s->value = strtod(line + 1, &end);
	assert_true(end > line + 1);
	if (*end == ' ')
		s->time_ms = strtoll(end + 1, &end, 10);
	assert_int_equal(*end, '\0');
	for (size_t i = 0; i < series_count; i++)
		assert_false(str_eq(series[i].name, s->name) &&
			     str_eq(series[i].labels, s->labels));
	series_count++;
}

/* Reads it all; every metric begins with HELP and TYPE and comes once. */
static void read_text(struct buf *text)
{
	static char seen[256][128];
	char metric[128] = "", kind[32], *save = NULL;
	size_t seen_count = 0;

	series_count = 0;
	assert_true(text->len && text->data[text->len - 1] == '\n');
	for (char *line = strtok_r(text->data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		const char *rest;

		if ((rest = str_starts(line, "# HELP "))) {
			rest = read_name(rest, metric, sizeof(metric));
			assert_true(rest[0] == ' ' && rest[1]);
			for (size_t i = 0; i < seen_count; i++)
				assert_string_not_equal(seen[i], metric);
			memcpy(seen[seen_count++], metric, sizeof(metric));
			line = strtok_r(NULL, "\n", &save);
			assert_non_null(line);
			rest = str_starts(line, "# TYPE ");
			assert_non_null(rest);
			assert_int_equal(sscanf(rest, "%127s %31s", metric, kind), 2);
			assert_string_equal(metric, seen[seen_count - 1]);
			assert_true(str_eq(kind, "counter") || str_eq(kind, "gauge"));
			assert_int_equal(str_ends(metric, "_total"), str_eq(kind, "counter"));
		} else {
			read_sample(line, metric);
		}
	}
}

static const struct series *find(const char *name, const char *labels)
{
	for (size_t i = 0; i < series_count; i++)
		if (str_eq(series[i].name, name) && str_eq(series[i].labels, labels))
			return &series[i];
	return NULL;
}

static void expect(const char *name, const char *labels, double value, long long time_ms)
{
	const struct series *s = find(name, labels);

	if (!s)
		fail_msg("no %s{%s}", name, labels);
	assert_true(s->value > value - 1e-6 && s->value < value + 1e-6);
	assert_int_equal(s->time_ms, time_ms);
}

static struct json_doc *parse(const char *text)
{
	struct json_doc *doc;

	assert_int_equal(json_parse(text, strlen(text), &doc, NULL), 0);
	return doc;
}

#define WEB "namespace=\"de\\\"f\\\\a\\nult\",pod=\"web\""

static void resource_is_what_metrics_server_reads(void **state)
{
	_cleanup_json_ struct json_doc *doc = parse(first);
	struct buf out = BUF_INIT(0);

	(void)state;
	assert_int_equal(metrics_resource(json_root(doc), &out), 0);
	read_text(&out);
	expect("node_cpu_usage_seconds_total", "", 12.000000001, 1767326400500);
	expect("node_memory_working_set_bytes", "", 104857600, 1767326400500);
	expect("pod_cpu_usage_seconds_total", WEB, 0.007, 1767326400600);
	expect("pod_memory_working_set_bytes", WEB, 17000000, 1767326400600);
	expect("container_cpu_usage_seconds_total", "container=\"a\"," WEB, 0.005, 1767326400700);
	expect("container_memory_working_set_bytes", "container=\"b\"," WEB, 8192, 1767326400700);
	expect("container_start_time_seconds", "container=\"b\"," WEB, 1767326341.25, 0);
	expect("pod_cpu_usage_seconds_total", "namespace=\"default\",pod=\"silent\"", 9e-9,
	       1767326400600);
	expect("resource_scrape_error", "", 0, 0);
	expect("scrape_error", "", 0, 0);
	/* 2 of the node, 2 of each pod, 3 of each container, 2 errors */
	assert_int_equal(series_count, 2 + 4 + 6 + 2);
	buf_done(&out);
}

static void all_is_well_formed(void **state)
{
	_cleanup_json_ struct json_doc *doc = parse(first), *empty = parse("{}");
	struct buf out = BUF_INIT(0);

	(void)state;
	assert_int_equal(metrics_all(json_root(doc), &out), 0);
	read_text(&out);
	expect("hypermetal_host_cpus", "", 2, 0);
	expect("hypermetal_host_load", "minutes=\"1\"", 0.25, 0);
	expect("hypermetal_host_cpu_seconds_total", "mode=\"user\"", 1, 0);
	expect("hypermetal_host_memory_bytes", "kind=\"total\"", 4096, 0);
	expect("hypermetal_host_boot_time_seconds", "", 1767323045, 0);
	expect("hypermetal_pods", "state=\"gone\"", 3, 0);
	expect("hypermetal_vm_uptime_seconds", WEB, 61.234, 0);
	expect("hypermetal_vm_memory_working_set_bytes", WEB, 17000000, 0);
	expect("hypermetal_container_cpu_seconds_total", "container=\"a\"," WEB, 0.005, 0);
	buf_clear(&out);
	assert_int_equal(metrics_all(json_root(empty), &out), 0);
	read_text(&out);
	assert_int_equal(series_count, 0);
	buf_done(&out);
}

static int64_t cores(const struct json *o)
{
	return json_int(json_at(o, "cpu", "usageNanoCores", NULL), -1);
}

static void two_make_a_rate(void **state)
{
	struct rates r = {0};
	const struct json *s, *pod, *list;

	(void)state;
	s = rates_add(&r, parse(first));
	assert_int_equal(cores(json_get(s, "node")), -1);
	assert_false(rates_known(&r));
	rates_add(&r, parse(first)); /* the same once more is no second one */
	assert_false(rates_known(&r));
	s = rates_add(&r, parse(second));
	assert_true(rates_known(&r));
	assert_int_equal(cores(json_get(s, "node")), 500000000);
	pod = json_item(json_get(s, "pods"), 0);
	list = json_get(pod, "containers");
	assert_int_equal(cores(pod), 200000000);
	assert_int_equal(cores(json_item(list, 0)), 100000000);
	assert_int_equal(cores(json_item(list, 1)), -1);
	s = rates_add(&r, parse(second));
	assert_int_equal(cores(json_get(s, "node")), 500000000);
	rates_done(&r);
}

static void old_ones_say_nothing(void **state)
{
	static const char later[] =
		"{\"node\":{\"cpu\":{\"time\":\"2026-01-02T04:10:00.500000000Z\","
		"\"usageCoreNanoSeconds\":99000000001}},\"pods\":[]}";
	struct rates r = {0};

	(void)state;
	rates_add(&r, parse(first));
	rates_add(&r, parse(later));
	assert_false(rates_known(&r));
	rates_done(&r);
}

/* A guest's counter may jump from 0 to the largest number within half a second. */
static void lies_stay_numbers(void **state)
{
	static const char before[] =
		"{\"node\":{\"cpu\":{\"time\":\"2026-01-02T04:00:00Z\",\"usageCoreNanoSeconds\":1}},"
		"\"pods\":[{\"podRef\":{\"uid\":\"u\"},\"containers\":[{\"name\":\"c\",\"cpu\":{"
		"\"time\":\"2026-01-02T04:00:00Z\",\"usageCoreNanoSeconds\":0}}]}]}";
	static const char after[] =
		"{\"node\":{\"cpu\":{\"time\":\"2026-01-02T04:00:01Z\",\"usageCoreNanoSeconds\":2}},"
		"\"pods\":[{\"podRef\":{\"uid\":\"u\"},\"containers\":[{\"name\":\"c\",\"cpu\":{"
		"\"time\":\"2026-01-02T04:00:00.5Z\",\"usageCoreNanoSeconds\":9223372036854775807}}]}]}";
	const struct json *list;
	struct rates r = {0};

	(void)state;
	rates_add(&r, parse(before));
	list = json_get(rates_add(&r, parse(after)), "pods");
	list = json_get(json_item(list, 0), "containers");
	assert_int_equal(cores(json_item(list, 0)), 1000000000000000);
	rates_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resource_is_what_metrics_server_reads),
		cmocka_unit_test(all_is_well_formed),
		cmocka_unit_test(two_make_a_rate),
		cmocka_unit_test(old_ones_say_nothing),
		cmocka_unit_test(lies_stay_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
