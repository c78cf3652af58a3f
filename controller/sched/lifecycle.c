// SPDX-License-Identifier: Apache-2.0
/*
 * The hosts' life, as kube-controller-manager's node lifecycle controller sees it.
 *
 * A host is alive while its Lease changes, or what it reports of itself. When a change was seen counts, by our own
 * monotonic clock: the host's may be wrong. A host that was silent for 40 s becomes Ready=Unknown and gets the
 * unreachable taint; Ready=False is the not-ready taint; Ready=True takes both away. Pressure is a taint each, too. Pods of a host
 * whose Node object is gone are removed. The timer waits for the next host that may become silent:
 * an idle fleet costs one wake-up per lease period.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "sched/internal.h"

#define LIFECYCLE_SILENT_MS	  40000
#define LIFECYCLE_NOT_READY	  "node.kubernetes.io/not-ready"
#define LIFECYCLE_UNREACHABLE	  "node.kubernetes.io/unreachable"
#define LIFECYCLE_LEASE_NAMESPACE "kube-node-lease"

/* A host that runs short gets no more pods until that has passed. */
static const struct {
	const char *condition, *taint;
} lifecycle_pressures[] = {
	{"MemoryPressure", "node.kubernetes.io/memory-pressure"},
	{"DiskPressure", "node.kubernetes.io/disk-pressure"},
	{"PIDPressure", "node.kubernetes.io/pid-pressure"},
};

struct host {
	char *name;
	uint64_t seen_ms; /* when its lease changed last, or when we first knew it */
	bool silent;
	struct list node;
};

struct lifecycle {
	struct store *store;
	struct store_sub nodes, leases, pods;
	struct timer next;
	struct list hosts;
};

static struct host *lifecycle_host(struct lifecycle *l, const char *name)
{
	struct host *h;

	list_for_each(h, &l->hosts, node)
		if (str_eq(h->name, name))
			return h;
	return NULL;
}

static struct host *lifecycle_add(struct lifecycle *l, const char *name)
{
	struct host *h = lifecycle_host(l, name);

	if (h)
		return h;
	h = mem_alloc(sizeof(*h));
	h->name = mem_strdup(name);
	h->seen_ms = clock_mono_ms();
	list_add(&l->hosts, &h->node);
	return h;
}

static void lifecycle_forget(struct host *h)
{
	list_del(&h->node);
	free(h->name);
	free(h);
}

static bool taint_is(const struct json *taint, const char *key)
{
	return str_eq(json_str(json_get(taint, "key"), ""), key) &&
	       str_eq(json_str(json_get(taint, "effect"), ""), "NoSchedule");
}

/* Return: whether anything changed */
static bool taint_set(struct json_doc *doc, struct json *node, const char *key, bool wanted)
{
	struct json *spec = json_obj_of(doc, node, "spec"), *taint;
	struct json *taints = json_get(spec, "taints");

	for (size_t i = 0; i < json_count(taints); i++) {
		if (!taint_is(json_item(taints, i), key))
			continue;
		if (!wanted)
			json_remove_item(taints, i);
		if (!wanted && json_count(taints) == 0)
			json_remove(spec, "taints");
		return !wanted;
	}
	if (!wanted)
		return false;
	taint = json_new_obj(doc);
	json_put_str(doc, taint, "key", key);
	json_put_str(doc, taint, "effect", "NoSchedule");
	json_push(doc, json_arr_of(doc, spec, "taints"), taint);
	return true;
}

/* Brings one Node object in line with what is known of its host. */
static void lifecycle_write(struct lifecycle *l, struct store_object *o, bool silent)
{
	struct json_doc *doc = sched_copy(o);
	struct json *node = json_root(doc);
	struct err e = ERR_INIT;
	const char *ready;
	bool changed = false;

	if (silent)
		changed = store_set_condition(doc, node, "Ready", "Unknown", "NodeStatusUnknown",
					      "Kubelet stopped posting node status.");
	ready = json_str(json_get(store_condition(node, "Ready"), "status"), "Unknown");
	changed |= taint_set(doc, node, LIFECYCLE_UNREACHABLE, silent);
	changed |= taint_set(doc, node, LIFECYCLE_NOT_READY, !silent && !str_eq(ready, "True"));
	for (size_t i = 0; i < ARRAY_SIZE(lifecycle_pressures); i++)
		changed |= taint_set(
			doc, node, lifecycle_pressures[i].taint,
			str_eq(json_str(json_get(store_condition(node,
								 lifecycle_pressures[i].condition),
						 "status"),
					""),
			       "True"));
	if (!changed) {
		json_doc_free(doc);
		return;
	}
	log_info("sched", "ev=host_state node=%s ready=%s silent=%d", o->name, ready, silent);
	if (store_update(l->store, SCHED_NODES, "", o->name, o->rev, doc, NULL, &e) < 0)
		log_warn("sched", "node=%s msg=\"%s\"", o->name, err_msg(&e));
}

/* Arms the timer for the host that would be the next to become silent. */
static void lifecycle_arm(struct lifecycle *l)
{
	uint64_t now_ms = clock_mono_ms(), first_ms = UINT64_MAX;
	const struct host *h;

	list_for_each(h, &l->hosts, node)
		if (!h->silent)
			first_ms = MIN(first_ms, h->seen_ms + LIFECYCLE_SILENT_MS);
	if (first_ms == UINT64_MAX)
		timer_cancel(&l->next);
	else
		timer_set(&l->next, first_ms > now_ms ? first_ms - now_ms : 0);
}

static void lifecycle_due(struct timer *t)
{
	struct lifecycle *l = container_of(t, struct lifecycle, next);
	uint64_t now_ms = clock_mono_ms();
	struct host *h;

	list_for_each(h, &l->hosts, node) {
		struct store_object *o;

		if (h->silent || h->seen_ms + LIFECYCLE_SILENT_MS > now_ms)
			continue;
		h->silent = true;
		o = store_get(l->store, SCHED_NODES, "", h->name);
		if (o)
			lifecycle_write(l, o, true);
	}
	lifecycle_arm(l);
}

static void lifecycle_lease_event(struct store_sub *sub, const struct store_event *ev)
{
	struct lifecycle *l = container_of(sub, struct lifecycle, leases);
	struct host *h = lifecycle_host(l, ev->object->name);

	if (!h || ev->type == STORE_DELETED ||
	    !str_eq(ev->object->namespace, LIFECYCLE_LEASE_NAMESPACE))
		return;
	h->seen_ms = clock_mono_ms();
	h->silent = false; /* the host itself writes Ready again */
	if (!timer_armed(&l->next))
		lifecycle_arm(l);
}

static bool pod_is_on(const struct store_object *pod, const char *node)
{
	return str_eq(json_str(json_at(json_root(pod->doc), "spec", "nodeName", NULL), ""), node);
}

static void lifecycle_drop_pod(struct lifecycle *l, const struct store_object *pod)
{
	struct err e = ERR_INIT;

	log_info("sched", "ev=pod_orphaned pod=%s/%s", pod->namespace, pod->name);
	if (store_delete(l->store, SCHED_PODS, pod->namespace, pod->name, 0, &e) < 0)
		log_warn("sched", "pod=%s/%s msg=\"%s\"", pod->namespace, pod->name, err_msg(&e));
}

static void lifecycle_drop_pods(struct lifecycle *l, const char *node)
{
	struct store_object *o = NULL, *before = NULL;

	while ((o = store_next(l->store, SCHED_PODS, NULL, o ? o->namespace : NULL,
			       o ? o->name : NULL))) {
		store_ref(o);
		if (before)
			store_unref(before);
		before = o;
		if (pod_is_on(o, node))
			lifecycle_drop_pod(l, o);
	}
	if (before)
		store_unref(before);
}

static const char *heartbeat(const struct store_object *o)
{
	return json_str(json_get(store_condition(json_root(o->doc), "Ready"), "lastHeartbeatTime"),
			"");
}

/* A host that comes back says that it is Ready before it writes its Lease: that must not be taken for Unknown. */
static void lifecycle_reported(struct lifecycle *l, struct host *h, const struct store_event *ev)
{
	if (!ev->old || ev->type == STORE_DELETED ||
	    str_eq(heartbeat(ev->object), heartbeat(ev->old)))
		return;
	h->seen_ms = clock_mono_ms();
	h->silent = false;
	if (!timer_armed(&l->next))
		lifecycle_arm(l);
}

static void lifecycle_node_event(struct store_sub *sub, const struct store_event *ev)
{
	struct lifecycle *l = container_of(sub, struct lifecycle, nodes);
	struct host *h = lifecycle_host(l, ev->object->name);
	struct store_object *now = store_get(l->store, SCHED_NODES, "", ev->object->name);

	if (ev->type == STORE_DELETED && !now) {
		if (h)
			lifecycle_forget(h);
		lifecycle_drop_pods(l, ev->object->name);
		return;
	}
	if (!h) {
		h = lifecycle_add(l, ev->object->name);
		lifecycle_arm(l);
	}
	lifecycle_reported(l, h, ev);
	if (now)
		lifecycle_write(l, now, h->silent);
}

/* A pod that was bound while its host's Node was removed */
static void lifecycle_pod_event(struct store_sub *sub, const struct store_event *ev)
{
	struct lifecycle *l = container_of(sub, struct lifecycle, pods);
	const char *node =
		json_str(json_at(json_root(ev->object->doc), "spec", "nodeName", NULL), "");

	if (ev->type != STORE_DELETED && *node && !store_get(l->store, SCHED_NODES, "", node) &&
	    json_at(json_root(ev->object->doc), "metadata", "deletionTimestamp", NULL))
		lifecycle_drop_pod(l, ev->object);
}

int lifecycle_new(struct loop *loop, struct store *store, struct lifecycle **lifecycle,
		  struct err *e)
{
	struct lifecycle *l = mem_alloc(sizeof(*l));
	struct store_object *o = NULL;
	uint64_t rev = store_rev(store);
	int r;

	l->store = store;
	list_init(&l->hosts);
	timer_init(loop, &l->next, lifecycle_due);
	r = store_subscribe(store, &l->nodes, SCHED_NODES, rev, lifecycle_node_event);
	if (r == 0)
		r = store_subscribe(store, &l->leases, SCHED_LEASES, rev, lifecycle_lease_event);
	if (r == 0)
		r = store_subscribe(store, &l->pods, SCHED_PODS, rev, lifecycle_pod_event);
	if (r < 0) {
		lifecycle_free(l);
		return err_set(e, r, "node lifecycle: subscribe");
	}
	while ((o = store_next(store, SCHED_NODES, NULL, o ? o->namespace : NULL,
			       o ? o->name : NULL)))
		lifecycle_add(l, o->name);
	lifecycle_arm(l);
	*lifecycle = l;
	return 0;
}

struct lifecycle *lifecycle_free(struct lifecycle *l)
{
	struct host *h, *tmp;

	if (!l)
		return NULL;
	store_unsubscribe(&l->nodes);
	store_unsubscribe(&l->leases);
	store_unsubscribe(&l->pods);
	timer_cancel(&l->next);
	list_for_each_safe(h, tmp, &l->hosts, node)
		lifecycle_forget(h);
	free(l);
	return NULL;
}
