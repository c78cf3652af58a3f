// SPDX-License-Identifier: Apache-2.0
/*
 * List, then watch from the list's resourceVersion, for ever. A watch that ends cleanly is started
 * again from the last version seen; «too old» (410, as a status or as an ERROR event) drops the
 * version and lists again, and so does a watch that the server goes on refusing: it may have come back
 * from a backup and not know the version yet. A list that failed changes nothing: what runs keeps running.
 *
 * TCP alone notices a dead peer late, so a watch that outlives the time it asked for is cut off here.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "node/parts.h"

#define WATCH_RETRY_MS	   500
#define WATCH_RETRY_MAX_MS 15000
#define WATCH_MIN_S	   300
#define WATCH_SPREAD_S	   300
#define WATCH_GRACE_MS	   30000
#define WATCH_LIST_MS	   60000
#define WATCH_REFUSED_MAX  2
#define WATCH_LINE_MAX	   ((size_t)4 << 20) /* etcd takes 1.5 MiB an object */

static void pod_watch_next(struct pod_watch *w);

static int pod_watch_error(struct pod_watch *w, const struct json *object)
{
	int code = (int)json_int(json_get(object, "code"), 0);
	const char *reason = json_str(json_get(object, "reason"), "");
	char safe[200];

	log_info("node", "ev=watch_error code=%d reason=%s message=\"%s\"", code, reason,
		 str_printable(safe, sizeof(safe), json_str(json_get(object, "message"), "")));
	if (code == 410 || str_eq(reason, "Expired") || str_eq(reason, "Gone"))
		w->expired = true;
	return -ECANCELED;
}

static int pod_watch_line(void *arg, const char *text, size_t len)
{
	struct pod_watch *w = arg;
	_cleanup_json_ struct json_doc *doc = NULL;
	const struct json *object;
	struct err e = ERR_INIT;
	const char *type, *version;

	if (json_parse(text, len, &doc, &e) < 0) {
		log_warn("node", "ev=watch_garbage error=\"%s\"", err_msg(&e));
		return -EBADMSG;
	}
	type = json_str(json_get(json_root(doc), "type"), "");
	object = json_get(json_root(doc), "object");
	if (str_eq(type, "ERROR"))
		return pod_watch_error(w, object);
	version = json_str(json_at(object, "metadata", "resourceVersion", NULL), "");
	if (*version)
		(void)str_copy(w->version, sizeof(w->version), version);
	w->progress = true;
	if (str_eq(type, "ADDED"))
		w->node->ops.on_pod(NODE_POD_ADDED, object, w->node->arg);
	else if (str_eq(type, "MODIFIED"))
		w->node->ops.on_pod(NODE_POD_MODIFIED, object, w->node->arg);
	else if (str_eq(type, "DELETED"))
		w->node->ops.on_pod(NODE_POD_DELETED, object, w->node->arg);
	else if (!str_eq(type, "BOOKMARK"))
		log_debug("node", "ev=watch_unknown_type");
	return 0;
}

static int pod_watch_data(void *arg, const void *data, size_t len)
{
	struct pod_watch *w = arg;

	return split_feed(&w->split, data, len, pod_watch_line, w);
}

static void pod_watch_ended(void *arg, const struct kube_result *result)
{
	struct pod_watch *w = arg;
	bool clean = result->status == 200, gone = w->expired || result->status == 410;
	char safe[200];

	w->call = NULL;
	timer_cancel(&w->silence);
	buf_clear(&w->split.partial);
	w->refused = clean || !result->status ? 0 : w->refused + 1;
	if (gone || w->refused >= WATCH_REFUSED_MAX)
		w->version[0] = '\0';
	if (!clean && !gone)
		log_info("node", "ev=watch_cut status=%d error=\"%s\"", result->status,
			 str_printable(safe, sizeof(safe), result->message));
	/* Anything received means that the server works: start anew at once, else back off. */
	if (w->progress)
		retry_ok(&w->retry);
	retry_arm(&w->retry, result->retry_after_ms);
}

static void pod_watch_listed(void *arg, const struct kube_result *result)
{
	struct pod_watch *w = arg;
	const struct json *items = json_get(result->body, "items");
	const char *version =
		json_str(json_at(result->body, "metadata", "resourceVersion", NULL), "");
	char safe[200];

	w->call = NULL;
	/* Only a whole list may end pods: an object without items is no list. */
	if (result->status != 200 || !json_is_arr(items) || !*version ||
	    str_copy(w->version, sizeof(w->version), version) < 0) {
		log_warn("node", "ev=list_failed status=%d reason=%s error=\"%s\"", result->status,
			 result->reason, str_printable(safe, sizeof(safe), result->message));
		w->version[0] = '\0';
		retry_arm(&w->retry, result->retry_after_ms);
		return;
	}
	retry_ok(&w->retry);
	log_info("node", "ev=pods_listed count=%zu version=%s", json_count(items), w->version);
	w->node->ops.on_list(items, w->node->arg);
	pod_watch_next(w);
}

static void pod_watch_next(struct pod_watch *w)
{
	unsigned int seconds = WATCH_MIN_S + retry_random() % WATCH_SPREAD_S;
	char path[KUBE_PATH_MAX];
	struct kube_request rq = {.method = "GET", .path = path, .arg = w};
	int n;

	if (w->call)
		return;
	n = snprintf(path, sizeof(path), "/api/v1/pods?fieldSelector=spec.nodeName%%3D%s",
		     w->node->config.name);
	w->watching = *w->version != '\0';
	w->expired = w->progress = false;
	if (w->watching) {
		snprintf(
			path + n, sizeof(path) - (size_t)n,
			"&watch=true&allowWatchBookmarks=true&timeoutSeconds=%u&resourceVersion=%s",
			seconds, w->version);
		rq.timeout_ms = -1;
		rq.on_data = pod_watch_data;
		rq.done = pod_watch_ended;
		timer_set(&w->silence, seconds * 1000ULL + WATCH_GRACE_MS);
	} else {
		snprintf(path + n, sizeof(path) - (size_t)n, "&resourceVersion=0");
		rq.timeout_ms = WATCH_LIST_MS;
		rq.done = pod_watch_listed;
	}
	w->call = kube_call(w->node->kube, &rq);
}

static void pod_watch_due(struct timer *t)
{
	pod_watch_next(container_of(t, struct pod_watch, retry.timer));
}

static void pod_watch_silent(struct timer *t)
{
	struct pod_watch *w = container_of(t, struct pod_watch, silence);

	log_warn("node", "ev=watch_silent");
	pod_watch_start(w);
}

void pod_watch_init(struct pod_watch *w, struct node *node)
{
	*w = (struct pod_watch){.node = node};
	buf_init(&w->split.partial, WATCH_LINE_MAX);
	retry_init(node->config.loop, &w->retry, WATCH_RETRY_MS, WATCH_RETRY_MAX_MS, pod_watch_due);
	timer_init(node->config.loop, &w->silence, pod_watch_silent);
}

void pod_watch_done(struct pod_watch *w)
{
	w->call = kube_cancel(w->call);
	timer_cancel(&w->retry.timer);
	timer_cancel(&w->silence);
	buf_done(&w->split.partial);
}

void pod_watch_start(struct pod_watch *w)
{
	w->call = kube_cancel(w->call);
	timer_cancel(&w->silence);
	timer_cancel(&w->retry.timer);
	buf_clear(&w->split.partial);
	pod_watch_next(w);
}
