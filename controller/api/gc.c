// SPDX-License-Identifier: Apache-2.0
/*
 * What goes by itself: the content of namespaces that are being deleted, then these; events after an
 * hour, or sooner when there are many; leases of nodes that are gone. A sweep runs behind every deletion
 * of a namespace and once a minute.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "gc.h"
#include "internal.h"

#define SWEEP_MS      60000
#define RETRY_MS      500 /* while a namespace waits for its pods to end */
#define EVENT_KEEP_S  3600
#define EVENT_CROWD_S 300 /* when there are half as many as there may be */
#define LEASE_NS      "kube-node-lease"

struct gc {
	struct store *store;
	struct store_sub namespaces, nodes;
	struct timer timer;
};

/* Delete all of one kind in a namespace. Return: whether some are left, waiting. */
static bool empty_kind(struct store *s, const struct api_kind *k, const char *ns)
{
	const struct delete_options opt = {.grace_s = -1};
	struct store_object *o, *left;
	char at[API_NAME_MAX] = "";

	while ((o = store_next(s, k->plural, ns, ns, at))) {
		str_copy(at, sizeof(at), o->name);
		object_delete(s, k, o, &opt, &left, NULL);
	}
	return store_next(s, k->plural, ns, ns, "") != NULL;
}

static bool end_namespace(struct store *s, const char *ns)
{
	const struct api_kind *k;
	bool left = false;

	for (size_t i = 0; (k = kind_at(i)); i++) {
		if (k->namespaced && !k->computed)
			left |= empty_kind(s, k, ns);
	}
	if (left)
		return false;
	log_info("api", "ev=namespace_gone name=%s", ns);
	store_delete(s, "namespaces", "", ns, 0, NULL);
	return true;
}

/* Return: whether one of them is not done yet. */
static bool end_namespaces(struct store *s)
{
	char at[API_NAME_MAX] = "";
	struct store_object *o;
	bool waits = false;

	while ((o = store_next(s, "namespaces", NULL, "", at))) {
		str_copy(at, sizeof(at), o->name);
		if (json_at(json_root(o->doc), "metadata", "deletionTimestamp", NULL))
			waits |= !end_namespace(s, at);
	}
	return waits;
}

static bool event_old(const struct json *event, uint64_t now_s, uint64_t keep_s)
{
	const char *text = json_str(json_get(event, "lastTimestamp"), "");
	uint64_t ns;

	if (!*text)
		text = json_str(json_at(event, "metadata", "creationTimestamp", NULL), "");
	return clock_parse_rfc3339(text, &ns) < 0 || ns / 1000000000 + keep_s < now_s;
}

static void sweep_events(struct store *s)
{
	char at_ns[API_NAME_MAX] = "", at[API_NAME_MAX] = "";
	bool crowd = store_count(s, "events") > API_EVENTS_MAX / 2;
	uint64_t now_s = (uint64_t)time(NULL);
	struct store_object *o;

	while ((o = store_next(s, "events", NULL, at_ns, at))) {
		str_copy(at_ns, sizeof(at_ns), o->namespace);
		str_copy(at, sizeof(at), o->name);
		if (event_old(json_root(o->doc), now_s, crowd ? EVENT_CROWD_S : EVENT_KEEP_S))
			store_delete(s, "events", at_ns, at, 0, NULL);
	}
}

static void sweep_leases(struct store *s)
{
	struct store_object *o;
	char at[API_NAME_MAX] = "";

	while ((o = store_next(s, "leases", LEASE_NS, LEASE_NS, at))) {
		str_copy(at, sizeof(at), o->name);
		if (!store_get(s, "nodes", "", at) &&
		    json_at(json_root(o->doc), "metadata", "ownerReferences", NULL))
			store_delete(s, "leases", LEASE_NS, at, 0, NULL);
	}
}

static void on_timer(struct timer *t)
{
	struct gc *gc = container_of(t, struct gc, timer);

	sweep_events(gc->store);
	sweep_leases(gc->store);
	timer_set(t, end_namespaces(gc->store) ? RETRY_MS : SWEEP_MS);
}

static void on_namespace(struct store_sub *sub, const struct store_event *ev)
{
	struct gc *gc = container_of(sub, struct gc, namespaces);

	if (ev->type == STORE_MODIFIED &&
	    json_at(json_root(ev->object->doc), "metadata", "deletionTimestamp", NULL))
		timer_set(&gc->timer, end_namespaces(gc->store) ? RETRY_MS : SWEEP_MS);
}

static void on_node(struct store_sub *sub, const struct store_event *ev)
{
	struct gc *gc = container_of(sub, struct gc, nodes);

	if (ev->type == STORE_DELETED)
		sweep_leases(gc->store);
}

int gc_new(struct loop *loop, struct store *store, struct gc **out, struct err *e)
{
	struct gc *gc = mem_alloc(sizeof(*gc));
	int r;

	gc->store = store;
	timer_init(loop, &gc->timer, on_timer);
	timer_set(&gc->timer, RETRY_MS);
	r = store_subscribe(store, &gc->namespaces, "namespaces", store_rev(store), on_namespace);
	if (r == 0)
		r = store_subscribe(store, &gc->nodes, "nodes", store_rev(store), on_node);
	if (r < 0) {
		gc_free(gc);
		return err_set(e, r, "subscribe");
	}
	*out = gc;
	return 0;
}

struct gc *gc_free(struct gc *gc)
{
	if (!gc)
		return NULL;
	store_unsubscribe(&gc->namespaces);
	store_unsubscribe(&gc->nodes);
	timer_cancel(&gc->timer);
	free(gc);
	return NULL;
}
