// SPDX-License-Identifier: Apache-2.0
/* hyper top: what hosts or pods use right now, the busiest first, from metrics.k8s.io. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/quantity.h"
#include "base/str.h"
#include "cmd.h"
#include "table.h"

#define TOP_API "/apis/metrics.k8s.io/v1beta1"
#define TOP_MIB (1024 * 1024)

struct top_options {
	bool hosts, all, containers, by_memory;
};

struct top_row {
	const char *ns, *name, *container;
	int64_t cpu_millis, bytes;
};

struct top_rows {
	struct top_row *at;
	size_t count, size;
};

static void top_add(struct top_rows *rows, struct top_row row)
{
	if (rows->count == rows->size) {
		size_t size = rows->size ? rows->size * 2 : 64;
		struct top_row *more = mem_array(size, sizeof(*more));

		if (rows->count)
			memcpy(more, rows->at, rows->count * sizeof(*more));
		free(rows->at);
		rows->at = more;
		rows->size = size;
	}
	rows->at[rows->count++] = row;
}

static void top_usage(const struct json *of, struct top_row *row)
{
	const struct json *usage = json_get(of, "usage");
	int64_t cpu = 0, bytes = 0;

	quantity_parse(json_str(json_get(usage, "cpu"), "0"), QUANTITY_MILLI, &cpu);
	quantity_parse(json_str(json_get(usage, "memory"), "0"), QUANTITY_UNITS, &bytes);
	row->cpu_millis = quantity_add(row->cpu_millis, MAX(cpu, 0));
	row->bytes = quantity_add(row->bytes, MAX(bytes, 0));
}

static void top_read(struct top_rows *rows, const struct top_options *o, const struct json *list)
{
	struct json_iter it = json_iter(json_get(list, "items"));

	while (json_next(&it)) {
		const struct json *meta = json_get(it.value, "metadata");
		struct json_iter c = json_iter(json_get(it.value, "containers"));
		struct top_row whole = {.ns = json_str(json_get(meta, "namespace"), ""),
					.name = json_str(json_get(meta, "name"), "")};

		if (o->hosts)
			top_usage(it.value, &whole);
		while (!o->hosts && json_next(&c)) {
			struct top_row one = whole;

			one.container = json_str(json_get(c.value, "name"), "");
			one.cpu_millis = one.bytes = 0;
			top_usage(c.value, o->containers ? &one : &whole);
			if (o->containers)
				top_add(rows, one);
		}
		if (!o->containers)
			top_add(rows, whole);
	}
}

static int top_order(int64_t a, int64_t b)
{
	return a < b ? 1 : a > b ? -1 : 0;
}

static int top_names(const struct top_row *x, const struct top_row *y)
{
	int r = strcmp(x->ns, y->ns);

	if (r == 0)
		r = strcmp(x->name, y->name);
	return r == 0 && x->container ? strcmp(x->container, y->container) : r;
}

static int top_by_cpu(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;
	int r = top_order(x->cpu_millis, y->cpu_millis);

	return r ? r : top_names(x, y);
}

static int top_by_memory(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;
	int r = top_order(x->bytes, y->bytes);

	return r ? r : top_names(x, y);
}

/* "12%" of what pods may use of a host, "" when that is not known */
static void top_share(char out[24], int64_t used, const struct json *node, const char *resource,
		      unsigned int scale)
{
	const char *text = json_str(json_at(node, "status", "allocatable", resource, NULL), "");
	int64_t all = 0;

	out[0] = '\0';
	if (quantity_parse(text, scale, &all) == 0 && all > 0)
		snprintf(out, 24, "%" PRId64 "%%", MIN(used, INT64_MAX / 100) * 100 / all);
}

static const struct json *top_node(const struct json *nodes, const char *name)
{
	struct json_iter it = json_iter(json_get(nodes, "items"));

	while (json_next(&it))
		if (str_eq(json_str(json_at(it.value, "metadata", "name", NULL), ""), name))
			return it.value;
	return NULL;
}

static void top_print_hosts(const struct top_rows *rows, const struct json *nodes)
{
	static const char *const headers[] = {"NAME", "CPU", "CPU%", "MEMORY", "MEMORY%", NULL};
	struct table *t = table_new(headers);

	for (size_t i = 0; i < rows->count; i++) {
		const struct top_row *row = &rows->at[i];
		const struct json *node = top_node(nodes, row->name);
		char cpu[24], memory[24], cpu_share[24], memory_share[24];
		const char *cells[] = {row->name, cpu, cpu_share, memory, memory_share};

		snprintf(cpu, sizeof(cpu), "%" PRId64 "m", row->cpu_millis);
		snprintf(memory, sizeof(memory), "%" PRId64 "Mi", row->bytes / TOP_MIB);
		top_share(cpu_share, row->cpu_millis, node, "cpu", QUANTITY_MILLI);
		top_share(memory_share, row->bytes, node, "memory", QUANTITY_UNITS);
		table_add(t, cells);
	}
	table_print(t, stdout);
}

static void top_print_pods(const struct top_rows *rows, const struct top_options *o)
{
	const char *headers[6];
	struct table *t;
	size_t n = 0;

	if (o->all)
		headers[n++] = "NAMESPACE";
	headers[n++] = "NAME";
	if (o->containers)
		headers[n++] = "CONTAINER";
	headers[n++] = "CPU";
	headers[n++] = "MEMORY";
	headers[n] = NULL;
	t = table_new(headers);
	for (size_t i = 0; i < rows->count; i++) {
		const struct top_row *row = &rows->at[i];
		const char *cells[5];
		char cpu[24], memory[24];

		n = 0;
		if (o->all)
			cells[n++] = row->ns;
		cells[n++] = row->name;
		if (o->containers)
			cells[n++] = row->container;
		snprintf(cpu, sizeof(cpu), "%" PRId64 "m", row->cpu_millis);
		snprintf(memory, sizeof(memory), "%" PRId64 "Mi", row->bytes / TOP_MIB);
		cells[n++] = cpu;
		cells[n] = memory;
		table_add(t, cells);
	}
	table_print(t, stdout);
}

static int top_options(struct top_options *o, int argc, char **argv)
{
	static const struct option options[] = {{"all-namespaces", no_argument, NULL, 'A'},
						{"containers", no_argument, NULL, 'C'},
						{"sort", required_argument, NULL, 's'},
						{NULL, 0, NULL, 0}};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "A", options, NULL)) != -1) {
		if (option == 'A')
			o->all = true;
		else if (option == 'C')
			o->containers = true;
		else if (option == 's' && (str_eq(optarg, "cpu") || str_eq(optarg, "memory")))
			o->by_memory = str_eq(optarg, "memory");
		else
			return cmd_usage("top", "unknown option, or --sort is not cpu or memory");
	}
	if (argc - optind > 1)
		return cmd_usage("top", "hosts or pods?");
	if (optind < argc && !str_eq(argv[optind], "pods") && !str_eq(argv[optind], "hosts"))
		return cmd_usage("top", "hosts or pods?");
	o->hosts = optind < argc && str_eq(argv[optind], "hosts");
	if (o->hosts && (o->all || o->containers))
		return cmd_usage("top", "-A and --containers are for pods");
	return CMD_OK;
}

static int top_fail(int r, const struct err *e)
{
	if (r != -ENOENT)
		return cmd_fail(e, "top");
	fputs("hyper: top: this cluster does not serve metrics (metrics.k8s.io): the embedded "
	      "controller does, Kubernetes needs metrics-server\n",
	      stderr);
	return CMD_FAILED;
}

int cmd_top(struct cmd *c, int argc, char **argv)
{
	_cleanup_json_ struct json_doc *doc = NULL, *nodes = NULL;
	_cleanup_free_ char *ns = str_percent_encode(c->namespace), *path = NULL;
	struct top_options o = {0};
	struct top_rows rows = {0};
	struct err e = ERR_INIT;
	int r = top_options(&o, argc, argv);

	if (r != CMD_OK)
		return r;
	if (o.hosts || o.all)
		path = mem_printf(TOP_API "/%s", o.hosts ? "nodes" : "pods");
	else
		path = mem_printf(TOP_API "/namespaces/%s/pods", ns);
	r = api_call(c->api, "GET", path, NULL, &doc, &e);
	if (r < 0)
		return top_fail(r, &e);
	if (c->json)
		return cmd_print_json(json_root(doc));
	if (o.hosts && api_call(c->api, "GET", "/api/v1/nodes", NULL, &nodes, &e) < 0)
		return cmd_fail(&e, "top");
	top_read(&rows, &o, json_root(doc));
	if (rows.count)
		qsort(rows.at, rows.count, sizeof(*rows.at),
		      o.by_memory ? top_by_memory : top_by_cpu);
	if (o.hosts)
		top_print_hosts(&rows, json_root(nodes));
	else
		top_print_pods(&rows, &o);
	free(rows.at);
	return CMD_OK;
}
