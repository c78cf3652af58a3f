// SPDX-License-Identifier: Apache-2.0
/*
 * metrics.k8s.io/v1beta1: nothing of it is kept. An answer is made of the objects in the store, for who there
 * is, and of the hosts' Summaries, for what they use (k8s.io/metrics, types.go).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

#define METRICS_WINDOW	      "10s" /* when the host does not tell */
#define METRICS_WINDOW_MAX_MS 3600000
#define METRICS_KIB	      1024
#define METRICS_NS_PER_S      1000000000

bool metrics_ask_init(struct metrics_ask *a, struct api_call *c)
{
	struct err e = ERR_INIT;

	*a = (struct metrics_ask){.kind = c->kind};
	str_copy(a->namespace, sizeof(a->namespace), c->namespace);
	str_copy(a->name, sizeof(a->name), c->name);
	/* Fields are the core object's. */
	if (selector_new(query_get(&c->query, "labelSelector"),
			 query_get(&c->query, "fieldSelector"),
			 kind_find("", "v1", c->kind->plural), &a->selector, &e) == 0)
		return true;
	reply_fail(c, 400, "BadRequest", "%s", err_msg(&e));
	return false;
}

void metrics_ask_done(struct metrics_ask *a)
{
	a->selector = selector_free(a->selector);
}

/* The next object that is asked for, behind the last one. */
static struct store_object *metrics_next(const struct metrics_ask *a, struct store *s,
					 const struct store_object *last)
{
	const char *only = a->kind->namespaced && *a->namespace ? a->namespace : NULL;
	struct store_object *o;

	if (*a->name) {
		o = last ? NULL : store_get(s, a->kind->plural, a->namespace, a->name);
		return o && selector_matches(a->selector, json_root(o->doc)) ? o : NULL;
	}
	while ((o = store_next(s, a->kind->plural, only, last ? last->namespace : NULL,
			       last ? last->name : NULL))) {
		if (selector_matches(a->selector, json_root(o->doc)))
			return o;
		last = o;
	}
	return NULL;
}

static const char *metrics_host(const struct metrics_ask *a, const struct store_object *o)
{
	return a->kind->namespaced
		       ? json_str(json_at(json_root(o->doc), "spec", "nodeName", NULL), "")
		       : o->name;
}

void metrics_hosts(const struct metrics_ask *a, struct store *s,
		   void (*fn)(const char *node, void *arg), void *arg)
{
	struct store_object *o = NULL;

	while ((o = metrics_next(a, s, o)))
		if (*metrics_host(a, o))
			fn(metrics_host(a, o), arg);
}

/* Return: whether both figures are there; without them there is no object */
static bool metrics_usage(struct json_doc *doc, struct json *out, const struct json *from)
{
	int64_t cores = json_int(json_at(from, "cpu", "usageNanoCores", NULL), -1);
	int64_t bytes = json_int(json_at(from, "memory", "workingSetBytes", NULL), -1);
	struct json *usage;

	if (cores < 0 || bytes < 0)
		return false;
	usage = json_obj_of(doc, out, "usage");
	json_put_fmt(doc, usage, "cpu", "%lldn", (long long)cores);
	json_put_fmt(doc, usage, "memory", "%lldKi", (long long)(bytes / METRICS_KIB));
	return true;
}

/*
 * The head of an object; @from has its figures, and their time. Clients refuse a whole list for one
 * time that is none or one window that is beyond Go's durations. Return: NULL when there is no time
 */
static struct json *metrics_head(struct json_doc *doc, const struct metrics_ask *a,
				 const struct store_object *o, const struct json *summary,
				 const struct json *from)
{
	struct json *out = json_new_obj(doc), *meta;
	const struct json *labels = json_at(json_root(o->doc), "metadata", "labels", NULL);
	int64_t window_ms = json_int(json_at(summary, "hyper", "windowMilliSeconds", NULL), 0);
	char when[CLOCK_RFC3339_MAX];
	uint64_t ns;

	if (clock_parse_rfc3339(json_str(json_at(from, "cpu", "time", NULL), ""), &ns) < 0)
		return NULL;
	clock_rfc3339(when, (int64_t)(ns / METRICS_NS_PER_S));
	json_put_str(doc, out, "kind", a->kind->kind);
	json_put_str(doc, out, "apiVersion", "metrics.k8s.io/v1beta1");
	meta = json_obj_of(doc, out, "metadata");
	json_put_str(doc, meta, "name", o->name);
	if (a->kind->namespaced)
		json_put_str(doc, meta, "namespace", o->namespace);
	json_put_str(doc, meta, "creationTimestamp", when);
	if (labels)
		json_put(doc, meta, "labels", json_copy(doc, labels));
	json_put_str(doc, out, "timestamp", when);
	if (window_ms > 0 && window_ms <= METRICS_WINDOW_MAX_MS)
		json_put_fmt(doc, out, "window", "%lld.%03llds", (long long)window_ms / 1000,
			     (long long)window_ms % 1000);
	else
		json_put_str(doc, out, "window", METRICS_WINDOW);
	return out;
}

static const struct json *metrics_pod_of(const struct json *summary, const struct store_object *o)
{
	const char *uid = json_str(json_at(json_root(o->doc), "metadata", "uid", NULL), "");
	struct json_iter it = json_iter(json_get(summary, "pods"));

	while (json_next(&it))
		if (str_eq(json_str(json_at(it.value, "podRef", "uid", NULL), ""), uid))
			return it.value;
	return NULL;
}

/* Return: the object; NULL when there is nothing to tell */
static struct json *metrics_pod(struct json_doc *doc, const struct metrics_ask *a,
				const struct store_object *o, const struct json *summary)
{
	const struct json *pod = metrics_pod_of(summary, o);
	struct json_iter it = json_iter(json_get(pod, "containers"));
	struct json *out = metrics_head(doc, a, o, summary, pod), *list;

	if (!out)
		return NULL;
	list = json_arr_of(doc, out, "containers");
	while (json_next(&it)) {
		struct json *c = json_new_obj(doc);

		json_put_str(doc, c, "name", json_str(json_get(it.value, "name"), ""));
		if (metrics_usage(doc, c, it.value))
			json_push(doc, list, c);
	}
	return json_count(list) ? out : NULL;
}

static struct json *metrics_node(struct json_doc *doc, const struct metrics_ask *a,
				 const struct store_object *o, const struct json *summary)
{
	const struct json *node = json_get(summary, "node");
	struct json *out = metrics_head(doc, a, o, summary, node);

	return out && metrics_usage(doc, out, node) ? out : NULL;
}

int metrics_make(const struct metrics_ask *a, struct store *s,
		 const struct json *(*summary)(const char *node, void *arg), void *arg,
		 struct json_doc *doc)
{
	struct json *root = json_new_obj(doc), *items;
	struct store_object *o = NULL;
	char words[2 * API_NAME_MAX];

	json_put_fmt(doc, root, "kind", "%sList", a->kind->kind);
	json_put_str(doc, root, "apiVersion", "metrics.k8s.io/v1beta1");
	json_obj_of(doc, root, "metadata");
	items = json_arr_of(doc, root, "items");
	while ((o = metrics_next(a, s, o))) {
		const char *host = metrics_host(a, o);
		const struct json *from = *host ? summary(host, arg) : NULL;
		struct json *one;

		if (!from)
			continue;
		one = a->kind->namespaced ? metrics_pod(doc, a, o, from)
					  : metrics_node(doc, a, o, from);
		if (one)
			json_push(doc, items, one);
	}
	if (!*a->name) {
		json_set_root(doc, root);
		return 200;
	}
	if (json_count(items)) {
		json_set_root(doc, json_item(items, 0));
		return 200;
	}
	snprintf(words, sizeof(words), "%s.metrics.k8s.io \"%s\" not found", a->kind->plural,
		 a->name);
	json_set_root(doc, status_json(doc, 404, "NotFound", words));
	return 404;
}
