// SPDX-License-Identifier: Apache-2.0
/*
 * The scheduler: whenever a pod or a host changes, a pass over the pods that wait for a host, in the
 * order of their names, each to the best host that fits. Changes are gathered behind the current
 * callback, so a burst costs one pass; a pass with nothing waiting costs a walk over the pods.
 * What does not fit is told in the pod's PodScheduled condition, in kube-scheduler's words.
 */
#include "sched/sched.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "sched/fit.h"
#include "sched/internal.h"

#define SCHED_GATHER_MS	  5
#define SCHED_REASONS_MAX 16
#define SCHED_MESSAGE_MAX 1024

struct sched {
	struct loop *loop;
	struct store *store;
	struct store_sub pods, nodes;
	struct timer gather;
	struct lifecycle *lifecycle;
};

struct pass {
	struct fit_host *hosts;
	size_t count;
	struct store_object **held; /* references on what the hosts point into */
	size_t held_count;
};

struct json_doc *sched_copy(const struct store_object *o)
{
	struct json_doc *doc = json_doc_new();

	json_set_root(doc, json_copy(doc, json_root(o->doc)));
	return doc;
}

static void pass_hold(struct pass *p, struct store_object *o)
{
	p->held = realloc(p->held, (p->held_count + 1) * sizeof(*p->held));
	if (!p->held)
		abort();
	p->held[p->held_count++] = store_ref(o);
}

static struct fit_host *pass_host(struct pass *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++)
		if (str_eq(p->hosts[i].name, name))
			return &p->hosts[i];
	return NULL;
}

static void pass_begin(struct pass *p, struct store *s)
{
	struct store_object *o = NULL;

	*p = (struct pass){.hosts = mem_array(store_count(s, SCHED_NODES), sizeof(*p->hosts))};
	while ((o = store_next(s, SCHED_NODES, NULL, o ? o->namespace : NULL,
			       o ? o->name : NULL))) {
		pass_hold(p, o);
		fit_host_init(&p->hosts[p->count++], json_root(o->doc));
	}
	while ((o = store_next(s, SCHED_PODS, NULL, o ? o->namespace : NULL, o ? o->name : NULL))) {
		const struct json *pod = json_root(o->doc);
		struct fit_host *h;

		if (!fit_pod_counts(pod))
			continue;
		h = pass_host(p, json_str(json_at(pod, "spec", "nodeName", NULL), ""));
		if (!h)
			continue;
		pass_hold(p, o);
		fit_host_add(h, pod);
	}
}

static void pass_end(struct pass *p)
{
	for (size_t i = 0; i < p->count; i++)
		fit_host_done(&p->hosts[i]);
	for (size_t i = 0; i < p->held_count; i++)
		store_unref(p->held[i]);
	free(p->hosts);
	free(p->held);
}

struct reasons {
	char text[SCHED_REASONS_MAX][FIT_REASON_MAX];
	size_t hosts[SCHED_REASONS_MAX], count;
};

static void reasons_add(struct reasons *r, const char *text)
{
	size_t i = 0;

	while (i < r->count && !str_eq(r->text[i], text))
		i++;
	if (i == SCHED_REASONS_MAX)
		return;
	if (i == r->count)
		str_copy(r->text[r->count++], FIT_REASON_MAX, text);
	r->hosts[i]++;
}

/* "0/3 nodes are available: 1 Insufficient memory, 2 node(s) were unschedulable." */
static void reasons_message(const struct reasons *r, size_t hosts, char *out, size_t size)
{
	size_t len;

	if (hosts == 0) {
		str_copy(out, size, "no nodes available to schedule pods");
		return;
	}
	len = (size_t)snprintf(out, size, "0/%zu nodes are available:", hosts);
	for (size_t i = 0; i < r->count && len < size; i++)
		len += (size_t)snprintf(out + len, size - len, "%s %zu %s", i ? "," : "",
					r->hosts[i], r->text[i]);
	if (len < size)
		snprintf(out + len, size - len, ".");
}

static void sched_refuse(struct sched *s, struct store_object *o, const char *message)
{
	struct json_doc *doc = sched_copy(o);
	struct err e = ERR_INIT;

	if (!store_set_condition(doc, json_root(doc), "PodScheduled", "False", "Unschedulable",
				 message)) {
		json_doc_free(doc);
		return; /* told before */
	}
	store_event(s->store, "scheduler", "Pod", json_root(o->doc), "Warning", "FailedScheduling",
		    "%s", message);
	if (store_update(s->store, SCHED_PODS, o->namespace, o->name, o->rev, doc, NULL, &e) < 0)
		log_warn("sched", "pod=%s/%s msg=\"%s\"", o->namespace, o->name, err_msg(&e));
}

static void sched_bind(struct sched *s, struct store_object *o, struct fit_host *h, struct pass *p)
{
	struct err e = ERR_INIT;
	int r = store_bind_pod(s->store, o->namespace, o->name, h->name, &e);

	if (r < 0) {
		log_warn("sched", "pod=%s/%s node=%s msg=\"%s\"", o->namespace, o->name, h->name,
			 err_msg(&e));
		return;
	}
	log_info("sched", "ev=pod_bound pod=%s/%s node=%s", o->namespace, o->name, h->name);
	store_event(s->store, "scheduler", "Pod", json_root(o->doc), "Normal", "Scheduled",
		    "Successfully assigned %s/%s to %s", o->namespace, o->name, h->name);
	pass_hold(p, o);
	fit_host_add(h, json_root(o->doc));
}

static void sched_pod(struct sched *s, struct pass *p, struct store_object *o)
{
	const struct json *pod = json_root(o->doc);
	struct reasons reasons = {.count = 0};
	struct fit_host *best = NULL;
	char reason[FIT_REASON_MAX], message[SCHED_MESSAGE_MAX];

	for (size_t i = 0; i < p->count; i++) {
		struct fit_host *h = &p->hosts[i];

		if (!fit_check(h, pod, reason))
			reasons_add(&reasons, reason);
		else if (!best || fit_score(h, pod) > fit_score(best, pod))
			best = h;
	}
	if (best) {
		sched_bind(s, o, best, p);
		return;
	}
	reasons_message(&reasons, p->count, message, sizeof(message));
	sched_refuse(s, o, message);
}

static bool sched_waits(const struct json *pod)
{
	const char *by = json_str(json_at(pod, "spec", "schedulerName", NULL), "default-scheduler");

	return !*json_str(json_at(pod, "spec", "nodeName", NULL), "") &&
	       !json_at(pod, "metadata", "deletionTimestamp", NULL) &&
	       str_eq(by, "default-scheduler");
}

static void sched_pass(struct timer *t)
{
	struct sched *s = container_of(t, struct sched, gather);
	struct store_object *o = NULL;
	struct pass p;
	bool begun = false;

	while ((o = store_next(s->store, SCHED_PODS, NULL, o ? o->namespace : NULL,
			       o ? o->name : NULL))) {
		if (!sched_waits(json_root(o->doc)))
			continue;
		if (!begun)
			pass_begin(&p, s->store);
		begun = true;
		pass_hold(&p, o); /* it is replaced in the store below, and is the walk's place */
		sched_pod(s, &p, o);
	}
	if (begun)
		pass_end(&p);
}

static void sched_changed(struct sched *s)
{
	if (!timer_armed(&s->gather))
		timer_set(&s->gather, SCHED_GATHER_MS);
}

static void sched_pod_event(struct store_sub *sub, const struct store_event *ev)
{
	(void)ev;
	sched_changed(container_of(sub, struct sched, pods));
}

static void sched_node_event(struct store_sub *sub, const struct store_event *ev)
{
	(void)ev;
	sched_changed(container_of(sub, struct sched, nodes));
}

int sched_new(struct loop *loop, struct store *store, struct sched **sched, struct err *e)
{
	struct sched *s = mem_alloc(sizeof(*s));
	int r;

	s->loop = loop;
	s->store = store;
	timer_init(loop, &s->gather, sched_pass);
	r = store_subscribe(store, &s->pods, SCHED_PODS, store_rev(store), sched_pod_event);
	if (r == 0)
		r = store_subscribe(store, &s->nodes, SCHED_NODES, store_rev(store),
				    sched_node_event);
	if (r < 0)
		err_set(e, r, "scheduler: subscribe");
	else
		r = lifecycle_new(loop, store, &s->lifecycle, e);
	if (r < 0) {
		sched_free(s);
		return r;
	}
	sched_changed(s);
	*sched = s;
	return 0;
}

struct sched *sched_free(struct sched *s)
{
	if (!s)
		return NULL;
	store_unsubscribe(&s->pods);
	store_unsubscribe(&s->nodes);
	timer_cancel(&s->gather);
	lifecycle_free(s->lifecycle);
	free(s);
	return NULL;
}
