// SPDX-License-Identifier: Apache-2.0
/*
 * Events are for humans. The same words about the same object are one event that is counted, as a kubelet
 * counts: its number is told every ten seconds at most. New ones wait for their turn, and are dropped when
 * there are too many of them (a bucket of tokens, a queue of bounded length); dropped ones are counted in the log.
 */
#include <stdio.h>
#include <string.h>

#include "base/bucket.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "node/parts.h"

#define EVENTS_BURST	     50
#define EVENTS_REFILL_MS     200
#define EVENTS_UNDER_WAY_MAX 4
#define EVENTS_WAITING_MAX   64
#define EVENTS_MESSAGE_MAX   1024
#define EVENTS_COUNT_EACH_MS 10000
#define EVENTS_SAME_MS	     600000 /* then it is told as a new one */

/* A call, waiting or under way. */
struct event {
	struct events *events;
	struct kube_call *call; /* NULL: waiting */
	struct json_doc *body;
	const char *method;
	char path[KUBE_PATH_MAX];
	struct list node;
};

static bool events_allow(struct events *ev)
{
	if (ev->waiting < EVENTS_WAITING_MAX &&
	    bucket_take(&ev->bucket, EVENTS_BURST, EVENTS_REFILL_MS, clock_mono_ms()))
		return true;
	if (ev->dropped++ % 100 == 0)
		log_info("node", "ev=events_dropped count=%llu", (unsigned long long)ev->dropped);
	return false;
}

static void event_free(struct event *one)
{
	kube_cancel(one->call);
	list_del(&one->node);
	json_doc_free(one->body);
	free(one);
}

static void events_pump(struct events *ev);

static void event_answer(void *arg, const struct kube_result *result)
{
	struct event *one = arg;
	struct events *ev = one->events;
	char safe[200];

	if (result->status != 201 && result->status != 200)
		log_debug("node", "ev=event_failed status=%d error=\"%s\"", result->status,
			  str_printable(safe, sizeof(safe), result->message));
	one->call = NULL;
	ev->under_way--;
	event_free(one);
	events_pump(ev);
}

/* In their order, some at a time */
static void events_pump(struct events *ev)
{
	struct event *one;

	list_for_each(one, &ev->calls, node) {
		struct kube_request rq = {
			.method = one->method,
			.path = one->path,
			.done = event_answer,
			.arg = one,
		};

		if (ev->under_way >= EVENTS_UNDER_WAY_MAX)
			return;
		if (one->call)
			continue;
		rq.body = json_root(one->body);
		if (str_eq(one->method, "PATCH"))
			rq.content_type = "application/merge-patch+json";
		ev->waiting--;
		ev->under_way++;
		one->call = kube_call(ev->node->kube, &rq);
	}
}

/* Takes over @body. */
static void events_call(struct events *ev, const char *method, const char *path,
			struct json_doc *body)
{
	struct event *one = mem_alloc(sizeof(*one));

	*one = (struct event){.events = ev, .method = method, .body = body};
	(void)str_copy(one->path, sizeof(one->path), path);
	list_add(&ev->calls, &one->node);
	ev->waiting++;
	events_pump(ev);
}

/* Of all words that make two events the same */
static uint64_t event_hash(const char *const *words, size_t count)
{
	uint64_t hash = HASH_START;

	for (size_t i = 0; i < count; i++)
		hash = hash_more(hash, words[i], strlen(words[i]) + 1);
	return hash;
}

/* The event if it was told before, else the place that is longest unused. */
static struct event_known *events_find(struct events *ev, uint64_t hash, uint64_t now_ms)
{
	struct event_known *oldest = ev->known;

	for (size_t i = 0; i < ARRAY_SIZE(ev->known); i++) {
		struct event_known *k = &ev->known[i];

		if (k->count && k->hash == hash && now_ms - k->first_ms < EVENTS_SAME_MS)
			return k;
		if (k->last_ms < oldest->last_ms)
			oldest = k;
	}
	oldest->count = 0;
	return oldest;
}

static void events_recount(struct events *ev, struct event_known *k, uint64_t now_ms)
{
	struct json_doc *doc;
	struct json *root;
	char now[CLOCK_RFC3339_MAX];

	k->count++;
	k->last_ms = now_ms;
	if (now_ms - k->told_ms < EVENTS_COUNT_EACH_MS || !events_allow(ev))
		return;
	k->told_ms = now_ms;
	doc = json_doc_new();
	root = json_new_obj(doc);
	json_set_root(doc, root);
	clock_rfc3339(now, (int64_t)(clock_real_ns() / 1000000000ULL));
	json_put_int(doc, root, "count", k->count);
	json_put_str(doc, root, "lastTimestamp", now);
	events_call(ev, "PATCH", k->path, doc);
}

static void event_fill(struct json_doc *doc, struct json *root, const struct node *n,
		       const struct node_pod_ref *pod, const char *event)
{
	struct json *meta = json_obj_of(doc, root, "metadata"), *about;
	const char *ns = pod ? pod->ns : "default", *name = pod ? pod->name : n->config.name;

	json_put_str(doc, meta, "name", event);
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

static struct json_doc *event_body(const struct node *n, const struct node_pod_ref *pod,
				   const char *name, const char *type, const char *reason,
				   const char *message)
{
	struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc), *source;
	char now[CLOCK_RFC3339_MAX];

	json_set_root(doc, root);
	clock_rfc3339(now, (int64_t)(clock_real_ns() / 1000000000ULL));
	json_put_str(doc, root, "apiVersion", "v1");
	json_put_str(doc, root, "kind", "Event");
	event_fill(doc, root, n, pod, name);
	json_put_str(doc, root, "type", type);
	json_put_str(doc, root, "reason", reason);
	json_put_fmt(doc, root, "message", "%.*s", EVENTS_MESSAGE_MAX, message);
	source = json_obj_of(doc, root, "source");
	json_put_str(doc, source, "component", "hostd");
	json_put_str(doc, source, "host", n->config.name);
	json_put_str(doc, root, "firstTimestamp", now);
	json_put_str(doc, root, "lastTimestamp", now);
	json_put_int(doc, root, "count", 1);
	return doc;
}

void events_send(struct events *ev, const struct node_pod_ref *pod, const char *type,
		 const char *reason, const char *message)
{
	const char *ns = pod ? pod->ns : "default",
		   *about = pod ? pod->name : ev->node->config.name;
	const char *const words[] = {pod ? pod->uid : "", type, reason, message};
	uint64_t hash = event_hash(words, ARRAY_SIZE(words)), now_ms = clock_mono_ms();
	struct event_known *k = events_find(ev, hash, now_ms);
	char path[KUBE_PATH_MAX], name[NODE_PATH_MAX];

	if (k->count) {
		events_recount(ev, k, now_ms);
		return;
	}
	if (!events_allow(ev))
		return;
	snprintf(name, sizeof(name), "%s.%llx", about, (unsigned long long)clock_real_ns());
	*k = (struct event_known){.hash = hash, .count = 1, .first_ms = now_ms};
	k->last_ms = k->told_ms = now_ms;
	snprintf(k->path, sizeof(k->path), "/api/v1/namespaces/%s/events/%s", ns, name);
	snprintf(path, sizeof(path), "/api/v1/namespaces/%s/events", ns);
	events_call(ev, "POST", path, event_body(ev->node, pod, name, type, reason, message));
}

void events_init(struct events *ev, struct node *node)
{
	*ev = (struct events){.node = node};
	list_init(&ev->calls);
}

void events_done(struct events *ev)
{
	while (!list_empty(&ev->calls))
		event_free(list_entry(ev->calls.next, struct event, node));
}
