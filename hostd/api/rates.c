// SPDX-License-Identifier: Apache-2.0
#include "api/rates.h"

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

#define RATES_NS_MS 1000000ULL
#define RATES_NS_S  1000000000.0
#define RATES_MAX   1e15 /* a million processors; what a guest says may be any number */

static uint64_t rates_time(const struct json *cpu)
{
	uint64_t ns;

	return clock_parse_rfc3339(json_str(json_get(cpu, "time"), ""), &ns) < 0 ? 0 : ns;
}

/* @now and @before are a node, pod or container of two summaries. */
static void rates_one(struct json_doc *doc, struct json *now, const struct json *before)
{
	static const char key[] = "usageCoreNanoSeconds";
	struct json *cpu = json_get(now, "cpu");
	const struct json *old = json_get(before, "cpu");
	uint64_t at_ns = rates_time(cpu), old_ns = rates_time(old);
	int64_t used = json_int(json_get(cpu, key), -1), had = json_int(json_get(old, key), -1);
	double rate;

	if (used < 0 || had < 0 || used < had || at_ns <= old_ns ||
	    at_ns - old_ns > RATES_OLD_MS * RATES_NS_MS)
		return;
	rate = (double)(used - had) * RATES_NS_S / (double)(at_ns - old_ns);
	json_put_int(doc, cpu, "usageNanoCores", (int64_t)MIN(rate, RATES_MAX));
}

static const char *rates_uid(const struct json *pod)
{
	return json_str(json_at(pod, "podRef", "uid", NULL), "");
}

static const struct json *rates_find(const struct json *list, const char *name,
				     const char *(*name_of)(const struct json *o))
{
	struct json_iter it = json_iter(list);

	while (json_next(&it))
		if (str_eq(name_of(it.value), name))
			return it.value;
	return NULL;
}

static const char *rates_name(const struct json *o)
{
	return json_str(json_get(o, "name"), "");
}

static const char *rates_start(const struct json *o)
{
	return json_str(json_get(o, "startTime"), "");
}

static void rates_all(struct json_doc *doc, const struct json *before)
{
	struct json *root = json_root(doc);
	struct json_iter p = json_iter(json_get(root, "pods"));
	uint64_t now_ns = rates_time(json_at(root, "node", "cpu", NULL));
	uint64_t old_ns = rates_time(json_at(before, "node", "cpu", NULL));

	if (now_ns > old_ns)
		json_put_int(doc, json_obj_of(doc, root, "hyper"), "windowMilliSeconds",
			     (int64_t)((now_ns - old_ns) / RATES_NS_MS));
	rates_one(doc, json_get(root, "node"), json_get(before, "node"));
	while (json_next(&p)) {
		const struct json *old =
			rates_find(json_get(before, "pods"), rates_uid(p.value), rates_uid);
		struct json_iter c = json_iter(json_get(p.value, "containers"));

		rates_one(doc, p.value, old);
		while (json_next(&c)) {
			const struct json *was = rates_find(json_get(old, "containers"),
							    rates_name(c.value), rates_name);

			/* One that was started anew counts from zero. */
			if (str_eq(rates_start(c.value), rates_start(was)))
				rates_one(doc, c.value, was);
		}
	}
}

void rates_done(struct rates *r)
{
	json_doc_free(r->last);
	json_doc_free(r->before);
	*r = (struct rates){0};
}

const struct json *rates_add(struct rates *r, struct json_doc *doc)
{
	const struct json *node = json_get(json_root(doc), "node");
	const struct json *last = r->last ? json_get(json_root(r->last), "node") : NULL;

	if (last && rates_time(json_get(node, "cpu")) == rates_time(json_get(last, "cpu"))) {
		json_doc_free(doc);
		return json_root(r->last);
	}
	json_doc_free(r->before);
	r->before = r->last;
	r->last = doc;
	if (r->before)
		rates_all(doc, json_root(r->before));
	return json_root(doc);
}

bool rates_known(const struct rates *r)
{
	return r->last &&
	       json_at(json_root(r->last), "node", "cpu", "usageNanoCores", NULL) != NULL;
}
