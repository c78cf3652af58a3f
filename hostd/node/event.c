// SPDX-License-Identifier: Apache-2.0
/*
 * Events are for humans: sent once, never repeated, and dropped when there are too many of them (a
 * bucket of tokens, a few calls at a time). Dropped ones are counted in the log.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "node/parts.h"

#define EVENTS_BURST	     25
#define EVENTS_REFILL_MS     1000
#define EVENTS_UNDER_WAY_MAX 8
#define EVENTS_MESSAGE_MAX   1024

struct event {
	struct events *events;
	struct kube_call *call;
	struct list node;
};

static bool events_allow(struct events *ev)
{
	uint64_t now_ms = clock_mono_ms(), fresh = (now_ms - ev->refilled_ms) / EVENTS_REFILL_MS;

	if (fresh) {
		ev->tokens = (unsigned int)MIN(ev->tokens + fresh, (uint64_t)EVENTS_BURST);
		ev->refilled_ms = now_ms;
	}
	if (!ev->tokens || ev->under_way >= EVENTS_UNDER_WAY_MAX) {
		if (ev->dropped++ % 100 == 0)
			log_info("node", "ev=events_dropped count=%llu",
				 (unsigned long long)ev->dropped);
		return false;
	}
	ev->tokens--;
	return true;
}

static void event_answer(void *arg, const struct kube_result *result)
{
	struct event *one = arg;
	char safe[200];

	if (result->status != 201 && result->status != 200)
		log_debug("node", "ev=event_failed status=%d error=\"%s\"", result->status,
			  str_printable(safe, sizeof(safe), result->message));
	one->events->under_way--;
	list_del(&one->node);
	free(one);
}

static void event_fill(struct json_doc *doc, struct json *root, const struct node *n,
		       const struct node_pod_ref *pod)
{
	struct json *meta = json_obj_of(doc, root, "metadata"), *about;
	const char *ns = pod ? pod->ns : "default", *name = pod ? pod->name : n->config.name;

	json_put_fmt(doc, meta, "name", "%s.%llx", name, (unsigned long long)clock_real_ns());
	json_put_str(doc, meta, "namespace", ns);
	about = json_obj_of(doc, root, "involvedObject");
	json_put_str(doc, about, "apiVersion", "v1");
	json_put_str(doc, about, "kind", pod ? "Pod" : "Node");
	json_put_str(doc, about, "name", name);
	if (pod)
		json_put_str(doc, about, "namespace", ns);
	/* kubectl looks for a Node's events under its name as uid. */
	json_put_str(doc, about, "uid", pod ? pod->uid : name);
}

void events_send(struct events *ev, const struct node_pod_ref *pod, const char *type,
		 const char *reason, const char *message)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc), *source;
	char path[KUBE_PATH_MAX], now[CLOCK_RFC3339_MAX];
	struct kube_request rq = {
		.method = "POST",
		.path = path,
		.body = root,
		.done = event_answer,
	};
	struct event *one;

	if (!events_allow(ev))
		return;
	clock_rfc3339(now, (int64_t)(clock_real_ns() / 1000000000ULL));
	json_put_str(doc, root, "apiVersion", "v1");
	json_put_str(doc, root, "kind", "Event");
	event_fill(doc, root, ev->node, pod);
	json_put_str(doc, root, "type", type);
	json_put_str(doc, root, "reason", reason);
	json_put_fmt(doc, root, "message", "%.*s", EVENTS_MESSAGE_MAX, message);
	source = json_obj_of(doc, root, "source");
	json_put_str(doc, source, "component", "hostd");
	json_put_str(doc, source, "host", ev->node->config.name);
	json_put_str(doc, root, "firstTimestamp", now);
	json_put_str(doc, root, "lastTimestamp", now);
	json_put_int(doc, root, "count", 1);
	snprintf(path, sizeof(path), "/api/v1/namespaces/%s/events", pod ? pod->ns : "default");
	one = mem_alloc(sizeof(*one));
	one->events = ev;
	rq.arg = one;
	list_add(&ev->calls, &one->node);
	ev->under_way++;
	one->call = kube_call(ev->node->kube, &rq);
}

void events_init(struct events *ev, struct node *node)
{
	*ev = (struct events){.node = node, .tokens = EVENTS_BURST, .refilled_ms = clock_mono_ms()};
	list_init(&ev->calls);
}

void events_done(struct events *ev)
{
	while (!list_empty(&ev->calls)) {
		struct event *one = list_entry(ev->calls.next, struct event, node);

		kube_cancel(one->call);
		list_del(&one->node);
		free(one);
	}
}
