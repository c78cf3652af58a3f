// SPDX-License-Identifier: Apache-2.0
/*
 * One entry per pod that has something to send. The latest status waits behind the one under way, the
 * deletion behind both; so the server sees terminal states before the object goes, and a burst of
 * changes costs two calls. An entry without work is freed.
 *
 * PUT_PARALLEL calls are under way at a time: a connection each for all pods of a host that has just
 * come back would keep the server, and us, busy with handshakes until they time out.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "node/parts.h"

#define PUT_RETRY_MS	 500
#define PUT_RETRY_MAX_MS 30000
#define PUT_PARALLEL	 8
#define PUT_NAME_MAX	 256
#define PUT_ADDR_MAX	 64

struct put {
	struct puts *puts;
	struct list node;
	char ns[PUT_NAME_MAX], name[PUT_NAME_MAX], uid[NODE_UID_MAX];
	struct json_doc *next; /* the status to send, NULL none */
	struct json_doc *sending; /* kept until the server has it */
	char api_ip[PUT_ADDR_MAX]; /* what the server has, "" nothing */
	bool remove;
	struct kube_call *call;
	struct retry retry;
};

static void put_step(struct put *p);

static void put_free(struct put *p)
{
	if (p->call)
		p->puts->under_way--;
	kube_cancel(p->call);
	timer_cancel(&p->retry.timer);
	list_del(&p->node);
	json_doc_free(p->next);
	json_doc_free(p->sending);
	free(p);
}

static void put_due(struct timer *t)
{
	put_step(container_of(t, struct put, retry.timer));
}

static struct put *put_of(struct puts *puts, const struct node_pod_ref *pod)
{
	struct put *p;

	list_for_each(p, &puts->pods, node)
		if (str_eq(p->uid, pod->uid))
			return p;
	p = mem_alloc(sizeof(*p));
	p->puts = puts;
	/* The API's names fit; what does not is refused by the server, not by us. */
	(void)str_copy(p->ns, sizeof(p->ns), pod->ns);
	(void)str_copy(p->name, sizeof(p->name), pod->name);
	(void)str_copy(p->uid, sizeof(p->uid), pod->uid);
	retry_init(puts->node->config.loop, &p->retry, PUT_RETRY_MS, PUT_RETRY_MAX_MS, put_due);
	list_add(&puts->pods, &p->node);
	return p;
}

/* A call has ended: the others first, then this one again. */
static void put_answered(struct put *p)
{
	struct puts *puts = p->puts;
	struct put *next;

	puts->under_way--;
	list_del(&p->node);
	list_add(&puts->pods, &p->node);
	list_for_each_safe(p, next, &puts->pods, node)
		put_step(p);
}

static void put_failed(struct put *p, const char *what, const struct kube_result *result)
{
	char safe[200];

	log_warn("node", "ev=%s_failed ns=%s pod=%s status=%d reason=%s error=\"%s\"", what, p->ns,
		 p->name, result->status, result->reason,
		 str_printable(safe, sizeof(safe), result->message));
}

static void put_status_answer(void *arg, const struct kube_result *result)
{
	struct put *p = arg;
	const char *ip;

	p->call = NULL;
	if (kube_transient(result) || result->status == 401) {
		put_failed(p, "status", result);
		if (!p->next)
			p->next = take_ptr(p->sending);
		p->sending = json_doc_free(p->sending);
		retry_arm(&p->retry, result->retry_after_ms);
		put_answered(p);
		return;
	}
	ip = json_str(json_get(json_root(p->sending), "podIP"), NULL);
	if (result->status == 200 && ip)
		(void)str_copy(p->api_ip, sizeof(p->api_ip), ip);
	/* 404, 409, 422: the pod has gone, or another has its name. Nothing to say about it any more. */
	if (result->status != 200 && result->status != 404)
		put_failed(p, "status", result);
	p->sending = json_doc_free(p->sending);
	retry_ok(&p->retry);
	put_answered(p);
}

static void put_delete_answer(void *arg, const struct kube_result *result)
{
	struct put *p = arg;

	p->call = NULL;
	if (kube_transient(result) || result->status == 401) {
		put_failed(p, "delete", result);
		retry_arm(&p->retry, result->retry_after_ms);
		put_answered(p);
		return;
	}
	if (result->status >= 300 && result->status != 404 && result->status != 409)
		put_failed(p, "delete", result);
	p->remove = false;
	put_answered(p);
}

static void put_null_if_missing(struct json_doc *doc, struct json *obj, const char *key)
{
	if (!json_get(obj, key))
		json_put(doc, obj, key, json_new_null(doc));
}

/*
 * A status object as a strategic merge patch that leaves nothing of an older one behind: conditions
 * merge by type and keep members that are not named, addresses merge by address. The server takes a
 * directive in a list that it does not have yet for an element of it, so that is only sent when there
 * is another address to replace.
 */
static struct json *put_patch(struct json_doc *doc, const struct json *status, const char *api_ip)
{
	struct json *s = json_copy(doc, status), *ips = json_get(s, "podIPs"), *replace;
	struct json_iter it = json_iter(json_get(s, "conditions"));

	while (json_next(&it)) {
		put_null_if_missing(doc, it.value, "reason");
		put_null_if_missing(doc, it.value, "message");
	}
	if (json_is_arr(ips) && *api_ip && !str_eq(api_ip, json_str(json_get(s, "podIP"), ""))) {
		replace = json_new_obj(doc);
		json_put_str(doc, replace, "$patch", "replace");
		json_push(doc, ips, replace);
	}
	return s;
}

static void put_send_status(struct put *p)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc);

	p->sending = take_ptr(p->next);
	json_put_str(doc, json_obj_of(doc, root, "metadata"), "uid", p->uid);
	json_put(doc, root, "status", put_patch(doc, json_root(p->sending), p->api_ip));
	p->call = kube_patch(p->puts->node->kube, root, put_status_answer, p,
			     "/api/v1/namespaces/%s/pods/%s/status", p->ns, p->name);
}

static void put_send_delete(struct put *p)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc);
	char path[KUBE_PATH_MAX];
	const struct kube_request rq = {
		.method = "DELETE",
		.path = path,
		.body = root,
		.done = put_delete_answer,
		.arg = p,
	};

	json_put_str(doc, root, "apiVersion", "v1");
	json_put_str(doc, root, "kind", "DeleteOptions");
	json_put_int(doc, root, "gracePeriodSeconds", 0);
	json_put_str(doc, json_obj_of(doc, root, "preconditions"), "uid", p->uid);
	snprintf(path, sizeof(path), "/api/v1/namespaces/%s/pods/%s", p->ns, p->name);
	p->call = kube_call(p->puts->node->kube, &rq);
}

static void put_step(struct put *p)
{
	if (p->call || timer_armed(&p->retry.timer))
		return;
	if (!p->next && !p->remove) {
		put_free(p);
		return;
	}
	if (p->puts->under_way >= PUT_PARALLEL)
		return;
	p->puts->under_way++;
	if (p->next)
		put_send_status(p);
	else
		put_send_delete(p);
}

void puts_init(struct puts *p, struct node *node)
{
	p->node = node;
	list_init(&p->pods);
}

void puts_done(struct puts *p)
{
	while (!list_empty(&p->pods))
		put_free(list_entry(p->pods.next, struct put, node));
}

void puts_status(struct puts *puts, const struct node_pod_ref *pod, const struct json *status)
{
	struct put *p = put_of(puts, pod);

	if (pod->api_ip && *pod->api_ip)
		(void)str_copy(p->api_ip, sizeof(p->api_ip), pod->api_ip);
	json_doc_free(p->next);
	p->next = json_doc_new();
	json_set_root(p->next, json_copy(p->next, status));
	put_step(p);
}

void puts_delete(struct puts *puts, const struct node_pod_ref *pod)
{
	struct put *p = put_of(puts, pod);

	p->remove = true;
	put_step(p);
}
