// SPDX-License-Identifier: Apache-2.0
/*
 * The heartbeat: a Lease in kube-node-lease, renewed every ten seconds. What the server last returned
 * is sent back with a new renewTime (the one object that is PUT whole). After any failure the object
 * is read again first: that answers 404, 409 and a restored database alike.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "node/parts.h"

#define LEASE_PATH	   "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
#define LEASE_DURATION_S   40
#define LEASE_PERIOD_MS	   (LEASE_DURATION_S * 1000 / 4)
#define LEASE_TIMEOUT_MS   8000
#define LEASE_RETRY_MS	   400
#define LEASE_RETRY_MAX_MS 7000

static void lease_send(struct lease *l);
static void lease_create(struct lease *l);

static void lease_failed(struct lease *l, const struct kube_result *result)
{
	char safe[200];

	/*
	 * Another one wrote it. That is also how an operator makes us look at our Node now (`hyper reboot`), which we do when
	 * it is renewed again: nobody watches the Node or asks for it every few seconds.
	 */
	if (result->status == 409)
		log_info("node", "ev=lease_changed name=%s", l->node->config.name);
	else if (!l->failing)
		log_warn("node", "ev=lease_failed status=%d reason=%s error=\"%s\"", result->status,
			 result->reason, str_printable(safe, sizeof(safe), result->message));
	if (result->status != 409)
		node_trouble(l->node, result->message);
	l->failing = true;
	l->object = json_doc_free(l->object);
	retry_arm(&l->retry, result->retry_after_ms);
}

static void lease_renewed(struct lease *l, const struct kube_result *result)
{
	struct json_doc *doc = json_doc_new();

	json_set_root(doc, json_copy(doc, result->body));
	json_doc_free(l->object);
	l->object = doc;
	if (l->failing || !l->renewed_ms)
		log_info("node", "ev=lease name=%s", l->node->config.name);
	/* Whoever watches leases may have called us Unknown meanwhile: say again that we are not. */
	if (l->failing)
		node_trouble(l->node, NULL);
	if (l->failing)
		reg_resend(&l->node->reg);
	l->failing = false;
	l->renewed_ms = clock_mono_ms();
	retry_ok(&l->retry);
	timer_set(&l->retry.timer, retry_jitter(LEASE_PERIOD_MS, 4));
}

static void lease_put_answer(void *arg, const struct kube_result *result)
{
	struct lease *l = arg;

	l->call = NULL;
	if (result->status == 200 || result->status == 201)
		lease_renewed(l, result);
	else
		lease_failed(l, result);
}

static void lease_get_answer(void *arg, const struct kube_result *result)
{
	struct lease *l = arg;

	l->call = NULL;
	if (result->status == 404) {
		lease_create(l);
	} else if (result->status == 200) {
		/* One of before: until we renew it, whoever watches leases may call us Unknown after we said Ready */
		l->failing = true;
		l->object = json_doc_new();
		json_set_root(l->object, json_copy(l->object, result->body));
		lease_send(l);
	} else {
		lease_failed(l, result);
	}
}

/* Ours, whoever wrote it before; the owner makes the server collect it with the Node. */
static void lease_fill(struct lease *l, struct json_doc *doc, struct json *root)
{
	struct json *meta = json_obj_of(doc, root, "metadata"), *spec, *owners, *owner;
	char now[CLOCK_RFC3339_MAX];

	if (*l->node->reg.uid) {
		owners = json_new_arr(doc);
		owner = json_new_obj(doc);
		json_put_str(doc, owner, "apiVersion", "v1");
		json_put_str(doc, owner, "kind", "Node");
		json_put_str(doc, owner, "name", l->node->config.name);
		json_put_str(doc, owner, "uid", l->node->reg.uid);
		json_push(doc, owners, owner);
		json_put(doc, meta, "ownerReferences", owners);
	}
	spec = json_obj_of(doc, root, "spec");
	json_put_str(doc, spec, "holderIdentity", l->node->config.name);
	json_put_int(doc, spec, "leaseDurationSeconds", LEASE_DURATION_S);
	json_put_str(doc, spec, "renewTime", clock_rfc3339_micro(now, clock_real_ns()));
}

static void lease_create(struct lease *l)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc), *meta;
	const struct kube_request rq = {
		.method = "POST",
		.path = LEASE_PATH,
		.body = root,
		.timeout_ms = LEASE_TIMEOUT_MS,
		.done = lease_put_answer,
		.arg = l,
	};

	json_put_str(doc, root, "apiVersion", "coordination.k8s.io/v1");
	json_put_str(doc, root, "kind", "Lease");
	meta = json_obj_of(doc, root, "metadata");
	json_put_str(doc, meta, "name", l->node->config.name);
	json_put_str(doc, meta, "namespace", "kube-node-lease");
	lease_fill(l, doc, root);
	l->call = kube_call(l->node->kube, &rq);
}

static void lease_send(struct lease *l)
{
	char path[KUBE_PATH_MAX];
	struct kube_request rq = {
		.method = "GET",
		.path = path,
		.timeout_ms = LEASE_TIMEOUT_MS,
		.done = lease_get_answer,
		.arg = l,
	};

	if (l->call)
		return;
	snprintf(path, sizeof(path), LEASE_PATH "/%s", l->node->config.name);
	if (l->object) {
		lease_fill(l, l->object, json_root(l->object));
		rq.method = "PUT";
		rq.body = json_root(l->object);
		rq.done = lease_put_answer;
	}
	l->call = kube_call(l->node->kube, &rq);
}

static void lease_due(struct timer *t)
{
	lease_send(container_of(t, struct lease, retry.timer));
}

void lease_init(struct lease *l, struct node *node)
{
	*l = (struct lease){.node = node};
	retry_init(node->config.loop, &l->retry, LEASE_RETRY_MS, LEASE_RETRY_MAX_MS, lease_due);
}

void lease_done(struct lease *l)
{
	l->call = kube_cancel(l->call);
	timer_cancel(&l->retry.timer);
	l->object = json_doc_free(l->object);
}

void lease_start(struct lease *l)
{
	if (!l->call && !timer_armed(&l->retry.timer))
		lease_send(l);
}
