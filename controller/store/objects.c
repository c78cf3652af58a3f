// SPDX-License-Identifier: Apache-2.0
/* Small changes of objects that several modules make: conditions, bindings, events. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/store.h"

const struct json *store_condition(const struct json *object, const char *type)
{
	struct json_iter it = json_iter(json_at(object, "status", "conditions", NULL));

	while (json_next(&it)) {
		if (str_eq(json_str(json_get(it.value, "type"), ""), type))
			return it.value;
	}
	return NULL;
}

bool store_set_condition(struct json_doc *doc, struct json *object, const char *type,
			 const char *status, const char *reason, const char *message)
{
	struct json *list = json_arr_of(doc, json_obj_of(doc, object, "status"), "conditions");
	struct json_iter it = json_iter(list);
	struct json *c = NULL;
	char now[CLOCK_RFC3339_MAX];

	while (!c && json_next(&it))
		c = str_eq(json_str(json_get(it.value, "type"), ""), type) ? it.value : NULL;
	if (c && str_eq(json_str(json_get(c, "status"), ""), status) &&
	    str_eq(json_str(json_get(c, "reason"), ""), reason) &&
	    str_eq(json_str(json_get(c, "message"), ""), message))
		return false;
	if (!c) {
		c = json_new_obj(doc);
		json_put_str(doc, c, "type", type);
		json_push(doc, list, c);
	}
	if (!str_eq(json_str(json_get(c, "status"), ""), status))
		json_put_str(doc, c, "lastTransitionTime", clock_rfc3339(now, time(NULL)));
	json_put_str(doc, c, "status", status);
	json_put(doc, c, "reason", *reason ? json_new_str(doc, reason) : NULL);
	json_put(doc, c, "message", *message ? json_new_str(doc, message) : NULL);
	return true;
}

int store_bind_pod(struct store *s, const char *namespace, const char *name, const char *node,
		   struct err *e)
{
	struct store_object *o = store_get(s, "pods", namespace, name);
	struct json_doc *doc;
	const char *has;

	if (!o)
		return err_set(e, -ENOENT, "pods \"%s\" not found", name);
	has = json_str(json_at(json_root(o->doc), "spec", "nodeName", NULL), "");
	if (*has)
		return err_set(e, -EEXIST, "pod %s is already assigned to node \"%s\"", name, has);
	if (json_at(json_root(o->doc), "metadata", "deletionTimestamp", NULL))
		return err_set(e, -EBUSY, "pod %s is being deleted, cannot be assigned to a host",
			       name);
	doc = json_doc_new();
	json_set_root(doc, json_copy(doc, json_root(o->doc)));
	json_put_str(doc, json_obj_of(doc, json_root(doc), "spec"), "nodeName", node);
	store_set_condition(doc, json_root(doc), "PodScheduled", "True", "", "");
	return store_update(s, "pods", namespace, name, o->rev, doc, NULL, e);
}

void store_event(struct store *s, const char *component, const char *kind,
		 const struct json *object, const char *type, const char *reason, const char *fmt,
		 ...)
{
	static const char *const copied[] = {"name", "namespace", "uid", "resourceVersion"};
	const struct json *meta = json_get(object, "metadata");
	const char *ns = json_str(json_get(meta, "namespace"), "default");
	struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc), *ref;
	char message[1024], name[300], now[CLOCK_RFC3339_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	snprintf(name, sizeof(name), "%.230s.%llx", json_str(json_get(meta, "name"), "x"),
		 (unsigned long long)clock_real_ns());
	clock_rfc3339(now, time(NULL));
	json_set_root(doc, root);
	json_put_str(doc, root, "kind", "Event");
	json_put_str(doc, root, "apiVersion", "v1");
	json_put_str(doc, json_obj_of(doc, root, "metadata"), "name", name);
	json_put_str(doc, json_get(root, "metadata"), "namespace", ns);
	ref = json_obj_of(doc, root, "involvedObject");
	json_put_str(doc, ref, "kind", kind);
	json_put_str(doc, ref, "apiVersion", "v1");
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++)
		json_put(doc, ref, copied[i], json_copy(doc, json_get(meta, copied[i])));
	json_put_str(doc, root, "type", type);
	json_put_str(doc, root, "reason", reason);
	json_put_str(doc, root, "message", message);
	json_put_str(doc, json_obj_of(doc, root, "source"), "component", component);
	json_put_str(doc, root, "firstTimestamp", now);
	json_put_str(doc, root, "lastTimestamp", now);
	json_put_int(doc, root, "count", 1);
	store_create(s, "events", ns, name, doc, NULL, NULL);
}
