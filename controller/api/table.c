// SPDX-License-Identifier: Apache-2.0
/* Tables: meta.k8s.io/v1 Table, which kubectl get prints as it comes. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "internal.h"
#include "table_columns.h"

/* Whether the first thing the client would take is a table. */
bool table_wanted(const char *accept)
{
	const char *table = strstr(accept, "as=Table"), *plain = strchr(accept, ',');

	return table && (!plain || table < plain);
}

static struct json *partial(struct json_doc *doc, const struct json *object, const char *include)
{
	struct json *o;

	if (include && str_eq(include, "Object"))
		return json_copy(doc, object);
	o = json_new_obj(doc);
	json_put_str(doc, o, "kind", "PartialObjectMetadata");
	json_put_str(doc, o, "apiVersion", "meta.k8s.io/v1");
	json_put(doc, o, "metadata", json_copy(doc, json_get(object, "metadata")));
	return o;
}

static struct json *column(struct json_doc *doc, const struct api_column *c)
{
	struct json *o = json_new_obj(doc);

	json_put_str(doc, o, "name", c->name);
	json_put_str(doc, o, "type", c->type);
	json_put_str(doc, o, "format", c->format);
	json_put_str(doc, o, "description", c->description);
	json_put_int(doc, o, "priority", c->priority);
	return o;
}

void table_make(struct json_doc *doc, const struct api_kind *k, const struct json *const *objects,
		size_t count, bool head, const char *include)
{
	struct json *t = json_new_obj(doc), *meta, *columns, *rows;

	json_set_root(doc, t);
	json_put_str(doc, t, "kind", "Table");
	json_put_str(doc, t, "apiVersion", "meta.k8s.io/v1");
	meta = json_obj_of(doc, t, "metadata");
	if (count == 1)
		json_put(doc, meta, "resourceVersion",
			 json_copy(doc, json_at(objects[0], "metadata", "resourceVersion", NULL)));
	columns = json_arr_of(doc, t, "columnDefinitions");
	for (size_t i = 0; head && i < k->column_count; i++)
		json_push(doc, columns, column(doc, &k->columns[i]));
	rows = json_arr_of(doc, t, "rows");
	for (size_t i = 0; i < count; i++) {
		struct json *row = json_new_obj(doc);

		k->cells(doc, json_arr_of(doc, row, "cells"), objects[i]);
		if (!include || !str_eq(include, "None"))
			json_put(doc, row, "object", partial(doc, objects[i], include));
		json_push(doc, rows, row);
	}
}

/* Two units of a duration, the second left out when it is 0. */
static void two(char *out, size_t size, long long a, char ua, long long b, char ub)
{
	if (b)
		snprintf(out, size, "%lld%c%lld%c", a, ua, b, ub);
	else
		snprintf(out, size, "%lld%c", a, ua);
}

/* apimachinery, util/duration.HumanDuration */
static void human(char *out, size_t size, long long s)
{
	long long m = s / 60, h = m / 60, d = h / 24;

	if (s < -1)
		snprintf(out, size, "<invalid>");
	else if (s < 120)
		snprintf(out, size, "%llds", MAX(s, 0LL));
	else if (m < 10)
		two(out, size, m, 'm', s % 60, 's');
	else if (m < 180)
		snprintf(out, size, "%lldm", m);
	else if (h < 8)
		two(out, size, h, 'h', m % 60, 'm');
	else if (h < 48)
		snprintf(out, size, "%lldh", h);
	else if (d < 8)
		two(out, size, d, 'd', h % 24, 'h');
	else if (d < 2 * 365)
		snprintf(out, size, "%lldd", d);
	else if (d < 8 * 365)
		two(out, size, d / 365, 'y', d % 365, 'd');
	else
		snprintf(out, size, "%lldy", d / 365);
}

char *table_age(char *out, size_t size, const char *timestamp)
{
	uint64_t ns;

	if (clock_parse_rfc3339(timestamp, &ns) < 0)
		snprintf(out, size, "<unknown>");
	else
		human(out, size, (long long)time(NULL) - (long long)(ns / 1000000000));
	return out;
}

static void cell(struct json_doc *doc, struct json *cells, const char *text)
{
	json_push(doc, cells, json_new_str(doc, text));
}

static void cell_age(struct json_doc *doc, struct json *cells, const struct json *object)
{
	char age[32];

	cell(doc, cells,
	     table_age(age, sizeof(age),
		       json_str(json_at(object, "metadata", "creationTimestamp", NULL), "")));
}

static void cell_name(struct json_doc *doc, struct json *cells, const struct json *object)
{
	cell(doc, cells, json_str(json_at(object, "metadata", "name", NULL), ""));
}

static const char *or_none(const struct json *v)
{
	const char *s = json_str(v, "");

	return *s ? s : "<none>";
}

void namespace_cells(struct json_doc *doc, struct json *cells, const struct json *object)
{
	cell_name(doc, cells, object);
	cell(doc, cells, json_str(json_at(object, "status", "phase", NULL), ""));
	cell_age(doc, cells, object);
}

void lease_cells(struct json_doc *doc, struct json *cells, const struct json *object)
{
	cell_name(doc, cells, object);
	cell(doc, cells, json_str(json_at(object, "spec", "holderIdentity", NULL), ""));
	cell_age(doc, cells, object);
}

void secret_cells(struct json_doc *doc, struct json *cells, const struct json *object)
{
	cell_name(doc, cells, object);
	cell(doc, cells, json_str(json_get(object, "type"), ""));
	json_push(doc, cells, json_new_int(doc, (int64_t)json_count(json_get(object, "data"))));
	cell_age(doc, cells, object);
}

void configmap_cells(struct json_doc *doc, struct json *cells, const struct json *object)
{
	size_t n =
		json_count(json_get(object, "data")) + json_count(json_get(object, "binaryData"));

	cell_name(doc, cells, object);
	json_push(doc, cells, json_new_int(doc, (int64_t)n));
	cell_age(doc, cells, object);
}

void service_account_cells(struct json_doc *doc, struct json *cells, const struct json *object)
{
	cell_name(doc, cells, object);
	json_push(doc, cells, json_new_int(doc, (int64_t)json_count(json_get(object, "secrets"))));
	cell_age(doc, cells, object);
}

void runtime_class_cells(struct json_doc *doc, struct json *cells, const struct json *object)
{
	cell_name(doc, cells, object);
	cell(doc, cells, json_str(json_get(object, "handler"), ""));
	cell_age(doc, cells, object);
}

void csr_cells(struct json_doc *doc, struct json *cells, const struct json *object)
{
	const struct json *spec = json_get(object, "spec");
	const struct json *conditions = json_at(object, "status", "conditions", NULL);
	struct json_iter it = json_iter(conditions);
	int64_t duration = json_int(json_get(spec, "expirationSeconds"), 0);
	const char *state = "", *failed = "";
	char text[64] = "<none>";

	while (json_next(&it)) {
		const char *type = json_str(json_get(it.value, "type"), "");

		if (str_eq(type, "Denied") || (str_eq(type, "Approved") && !*state))
			state = type;
		else if (str_eq(type, "Failed"))
			failed = ",Failed";
	}
	cell_name(doc, cells, object);
	cell_age(doc, cells, object);
	cell(doc, cells, or_none(json_get(spec, "signerName")));
	cell(doc, cells, json_str(json_get(spec, "username"), ""));
	if (duration)
		human(text, sizeof(text), duration);
	cell(doc, cells, text);
	snprintf(text, sizeof(text), "%s%s%s", *state ? state : "Pending", failed,
		 *json_str(json_at(object, "status", "certificate", NULL), "") ? ",Issued" : "");
	cell(doc, cells, text);
}

void event_cells(struct json_doc *doc, struct json *cells, const struct json *object)
{
	const struct json *ref = json_get(object, "involvedObject");
	const char *last = json_str(json_get(object, "lastTimestamp"), "");
	const char *first = json_str(json_get(object, "firstTimestamp"), "");
	const char *made = json_str(json_get(object, "eventTime"), "");
	const char *component = json_str(json_at(object, "source", "component", NULL), "");
	const char *host = json_str(json_at(object, "source", "host", NULL), "");
	char age[32], text[256], kind[64];
	size_t i;

	str_copy(kind, sizeof(kind), json_str(json_get(ref, "kind"), ""));
	for (i = 0; kind[i]; i++)
		kind[i] = (char)(kind[i] >= 'A' && kind[i] <= 'Z' ? kind[i] + 32 : kind[i]);
	cell(doc, cells, table_age(age, sizeof(age), *last ? last : made));
	cell(doc, cells, json_str(json_get(object, "type"), ""));
	cell(doc, cells, json_str(json_get(object, "reason"), ""));
	snprintf(text, sizeof(text), "%s/%s", kind, json_str(json_get(ref, "name"), ""));
	cell(doc, cells, text);
	cell(doc, cells, json_str(json_get(ref, "fieldPath"), ""));
	snprintf(text, sizeof(text), "%s%s%s", component, *host ? ", " : "", host);
	cell(doc, cells, text);
	cell(doc, cells, json_str(json_get(object, "message"), ""));
	cell(doc, cells, table_age(age, sizeof(age), *first ? first : made));
	json_push(doc, cells, json_new_int(doc, json_int(json_get(object, "count"), 1)));
	cell_name(doc, cells, object);
}

static const char *node_address(const struct json *node, const char *type)
{
	struct json_iter it = json_iter(json_at(node, "status", "addresses", NULL));

	while (json_next(&it)) {
		if (str_eq(json_str(json_get(it.value, "type"), ""), type))
			return or_none(json_get(it.value, "address"));
	}
	return "<none>";
}

static void node_state(const struct json *node, char *out, size_t size)
{
	struct json_iter it = json_iter(json_at(node, "status", "conditions", NULL));
	const char *state = "Unknown";

	while (json_next(&it)) {
		if (str_eq(json_str(json_get(it.value, "type"), ""), "Ready"))
			state = str_eq(json_str(json_get(it.value, "status"), ""), "True")
					? "Ready"
					: "NotReady";
	}
	snprintf(out, size, "%s%s", state,
		 json_bool(json_at(node, "spec", "unschedulable", NULL), false)
			 ? ",SchedulingDisabled"
			 : "");
}

static void node_roles(const struct json *node, char *out, size_t size)
{
	struct json_iter it = json_iter(json_at(node, "metadata", "labels", NULL));
	const char *role;
	size_t n = 0;

	out[0] = '\0';
	while (json_next(&it)) {
		role = str_starts(it.key, "node-role.kubernetes.io/");
		if (role && *role && n < size)
			n += (size_t)snprintf(out + n, size - n, "%s%s", n ? "," : "", role);
	}
	if (!*out)
		str_copy(out, size, "<none>");
}

void node_cells(struct json_doc *doc, struct json *cells, const struct json *object)
{
	const struct json *info = json_at(object, "status", "nodeInfo", NULL);
	char text[256];

	cell_name(doc, cells, object);
	node_state(object, text, sizeof(text));
	cell(doc, cells, text);
	node_roles(object, text, sizeof(text));
	cell(doc, cells, text);
	cell_age(doc, cells, object);
	cell(doc, cells, json_str(json_get(info, "kubeletVersion"), ""));
	cell(doc, cells, node_address(object, "InternalIP"));
	cell(doc, cells, node_address(object, "ExternalIP"));
	cell(doc, cells, json_str(json_get(info, "osImage"), "<unknown>"));
	cell(doc, cells, json_str(json_get(info, "kernelVersion"), "<unknown>"));
	cell(doc, cells, json_str(json_get(info, "containerRuntimeVersion"), "<unknown>"));
}
