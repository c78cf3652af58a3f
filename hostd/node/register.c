// SPDX-License-Identifier: Apache-2.0
/*
 * POST the Node; one that is there already is taken over: our labels are merged, the status is
 * patched. What others put there (taints, labels, cordon) survives. Then the status is sent when it
 * changed and every five minutes; the heartbeat proper is the Lease. What the machine is made of goes into
 * the metadata, by a patch of its own, when it changed.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "node/parts.h"

#define REG_RETRY_MS	 500
#define REG_RETRY_MAX_MS 30000
#define REG_REFRESH_MS	 300000

static void reg_create(struct reg *r);

static int64_t reg_now_s(void)
{
	return (int64_t)(clock_real_ns() / 1000000000ULL);
}

static void reg_failed(struct reg *r, const char *what, const struct kube_result *result)
{
	char safe[200];

	log_warn("node", "ev=register_failed step=%s status=%d reason=%s error=\"%s\"", what,
		 result->status, result->reason,
		 str_printable(safe, sizeof(safe), result->message));
	node_trouble(r->node, result->message);
	retry_arm(&r->retry, result->retry_after_ms);
}

/* The server has the status; what changed meanwhile is sent at once. */
static void reg_accepted(struct reg *r, const struct json *node)
{
	retry_ok(&r->retry);
	if (r->dirty || r->facts_due)
		retry_arm(&r->retry, -1);
	timer_set(&r->refresh, retry_jitter(REG_REFRESH_MS, 10));
	if (!r->registered) {
		r->registered = true;
		log_info("node", "ev=registered name=%s ready=%s", r->node->config.name,
			 *r->state.not_ready_reason ? r->state.not_ready_reason : "True");
	}
	node_registered(r->node, node);
}

static void reg_status_answer(void *arg, const struct kube_result *result)
{
	struct reg *r = arg;

	r->call = NULL;
	if (result->status == 404) {
		/* Somebody deleted the Node: it is made again, as a kubelet does at its restart. */
		r->registered = false;
		r->facts_due = r->facts != NULL;
		reg_failed(r, "status", result);
		return;
	}
	if (result->status != 200) {
		r->dirty = true;
		reg_failed(r, "status", result);
		return;
	}
	reg_accepted(r, result->body);
}

/* The list is replaced as a whole, so an empty one is sent, too. */
static void reg_add_images(const struct reg *r, struct json_doc *doc, struct json *status)
{
	struct node *n = r->node;

	if (n->ops.images)
		n->ops.images(doc, json_arr_of(doc, status, "images"), n->arg);
}

static void reg_send_status(struct reg *r)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc), *status;

	if (r->call)
		return;
	r->dirty = false;
	status = object_status(doc, &r->node->config, &r->state, reg_now_s());
	reg_add_images(r, doc, status);
	json_put(doc, root, "status", status);
	r->call = kube_patch(r->node->kube, root, reg_status_answer, r, "/api/v1/nodes/%s/status",
			     r->node->config.name);
}

/* The status follows by itself where it is due, too. */
static void reg_facts_answer(void *arg, const struct kube_result *result)
{
	struct reg *r = arg;
	char safe[200];

	r->call = NULL;
	if (result->status == 404)
		r->registered = false; /* as above */
	if (result->status == 404 || result->status == 401 || kube_transient(result)) {
		r->facts_due = true;
		reg_failed(r, "facts", result);
		return;
	}
	if (result->status != 200)
		log_error("node", "ev=facts_refused status=%d reason=%s error=\"%s\"",
			  result->status, result->reason,
			  str_printable(safe, sizeof(safe), result->message));
	retry_ok(&r->retry);
	if (r->dirty || r->facts_due)
		retry_arm(&r->retry, -1);
}

static void reg_send_facts(struct reg *r)
{
	r->facts_due = false;
	r->call = kube_patch(r->node->kube, json_root(r->facts), reg_facts_answer, r,
			     "/api/v1/nodes/%s", r->node->config.name);
}

static void reg_labels_answer(void *arg, const struct kube_result *result)
{
	struct reg *r = arg;

	r->call = NULL;
	if (result->status != 200) {
		reg_failed(r, "labels", result);
		return;
	}
	if (r->node->ops.on_before)
		r->node->ops.on_before(result->body, r->node->arg);
	object_remember(&r->state, &r->node->config, result->body);
	(void)str_copy(r->uid, sizeof(r->uid),
		       json_str(json_at(result->body, "metadata", "uid", NULL), ""));
	reg_send_status(r);
}

static void reg_take_over(struct reg *r)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc);

	json_put(doc, json_obj_of(doc, root, "metadata"), "labels",
		 object_labels(doc, &r->node->config));
	r->call = kube_patch(r->node->kube, root, reg_labels_answer, r, "/api/v1/nodes/%s",
			     r->node->config.name);
}

static void reg_create_answer(void *arg, const struct kube_result *result)
{
	struct reg *r = arg;

	r->call = NULL;
	if (result->status == 409) {
		reg_take_over(r);
		return;
	}
	if (result->status != 201) {
		reg_failed(r, "create", result);
		return;
	}
	(void)str_copy(r->uid, sizeof(r->uid),
		       json_str(json_at(result->body, "metadata", "uid", NULL), ""));
	reg_accepted(r, result->body);
}

static void reg_create(struct reg *r)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	const struct kube_request rq = {
		.method = "POST",
		.path = "/api/v1/nodes",
		.body = object_node(doc, &r->node->config, &r->state, reg_now_s()),
		.done = reg_create_answer,
		.arg = r,
	};

	r->dirty = false;
	r->call = kube_call(r->node->kube, &rq);
}

void reg_start(struct reg *r)
{
	if (r->call)
		return;
	if (r->registered && r->facts_due)
		reg_send_facts(r);
	else if (r->registered)
		reg_send_status(r);
	else
		reg_create(r);
}

static void reg_retry_due(struct timer *t)
{
	reg_start(container_of(t, struct reg, retry.timer));
}

static void reg_refresh_due(struct timer *t)
{
	struct reg *r = container_of(t, struct reg, refresh);

	r->dirty = true; /* also when facts are on their way, or go first */
	reg_start(r);
}

void reg_init(struct reg *r, struct node *node)
{
	*r = (struct reg){.node = node};
	retry_init(node->config.loop, &r->retry, REG_RETRY_MS, REG_RETRY_MAX_MS, reg_retry_due);
	timer_init(node->config.loop, &r->refresh, reg_refresh_due);
	if (node->config.not_ready_reason)
		reg_set_ready(r, node->config.not_ready_reason, node->config.not_ready_message);
}

void reg_done(struct reg *r)
{
	r->call = kube_cancel(r->call);
	timer_cancel(&r->retry.timer);
	timer_cancel(&r->refresh);
	r->facts = json_doc_free(r->facts);
}

/* A new document each time: values that were replaced stay in the memory of the old one. */
void reg_set_facts(struct reg *r, const struct json *labels, const char *name, const char *text)
{
	const struct json *was = json_get(json_root(r->facts), "metadata");
	struct json_doc *facts = json_doc_new();
	struct json *root = json_new_obj(facts), *meta = json_obj_of(facts, root, "metadata");

	json_set_root(facts, root);
	if (!labels)
		labels = json_get(was, "labels");
	if (labels)
		json_put(facts, meta, "labels", json_copy(facts, labels));
	if (json_get(was, "annotations"))
		json_put(facts, meta, "annotations",
			 json_copy(facts, json_get(was, "annotations")));
	json_put_str(facts, json_obj_of(facts, meta, "annotations"), name, text);
	json_doc_free(r->facts);
	r->facts = facts;
	r->facts_due = true;
	if (r->registered && !r->call)
		retry_arm(&r->retry, -1);
}

void reg_resend(struct reg *r)
{
	r->dirty = true;
	if (r->registered && !r->call)
		retry_arm(&r->retry, -1);
}

void reg_set_pressure(struct reg *r, enum node_pressure kind, bool is)
{
	struct object_state *s = &r->state;

	if (s->pressure[kind] == is)
		return;
	s->pressure[kind] = is;
	s->pressure_since[kind][0] = '\0';
	reg_resend(r);
}

void reg_set_condition(struct reg *r, const char *type, bool is, const char *reason,
		       const char *message)
{
	if (object_set(&r->state, type, is, reason, message))
		reg_resend(r);
}

void reg_set_ready(struct reg *r, const char *reason, const char *message)
{
	struct object_state *s = &r->state;

	if (str_eq(s->not_ready_reason, reason ? reason : ""))
		return;
	(void)str_copy(s->not_ready_reason, sizeof(s->not_ready_reason), reason ? reason : "");
	(void)str_copy(s->not_ready_message, sizeof(s->not_ready_message), message ? message : "");
	s->ready_since[0] = '\0';
	reg_resend(r);
}
