// SPDX-License-Identifier: Apache-2.0
/*
 * How the parts follow each other: identity (on disk, or by the one-time token), Node, then Lease, pod
 * watch and the serving certificate side by side. A renewed identity reconnects the watch; everything
 * else takes it with its next call.
 */
#include "node/node.h"

#include <errno.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "node/parts.h"

#define NODE_CLIENT_SIGNER  "kubernetes.io/kube-apiserver-client-kubelet"
#define NODE_SERVING_SIGNER "kubernetes.io/kubelet-serving"

static void node_identity(void *arg, const char *cert_pem, const char *key_pem)
{
	struct node *n = arg;
	struct err e = ERR_INIT;
	bool renewed = n->reg.registered;

	if (kube_set_identity(n->kube, cert_pem, key_pem, &e) < 0) {
		log_error("node", "ev=identity_failed error=\"%s\"", err_msg(&e));
		return;
	}
	if (renewed) {
		pod_watch_start(&n->watch);
	} else {
		if (n->ops.on_identity)
			n->ops.on_identity(n->arg);
		reg_start(&n->reg);
	}
}

static void node_serving(void *arg, const char *cert_pem, const char *key_pem)
{
	struct node *n = arg;

	n->ops.on_serving(cert_pem, key_pem, n->arg);
}

/* Signers compare the addresses that a certificate shall be for with the Node's: that goes first. */
static void node_settle(struct node *n, const struct json *object)
{
	struct json_iter it = json_iter(json_at(object, "status", "addresses", NULL));

	while (n->moved && json_next(&it)) {
		if (!str_eq(json_str(json_get(it.value, "address"), ""), n->config.address))
			continue;
		n->moved = false;
		csr_again(&n->serving);
	}
}

void node_registered(struct node *n, const struct json *object)
{
	struct err e = ERR_INIT;

	node_trouble(n, NULL);
	n->ops.on_node(object, n->arg);
	node_settle(n, object);
	lease_start(&n->lease);
	if (n->watch.call || timer_armed(&n->watch.retry.timer))
		return;
	log_info("node", "ev=joined name=%s ms=%llu", n->config.name,
		 (unsigned long long)(clock_mono_ms() - n->started_ms));
	pod_watch_start(&n->watch);
	if (csr_load(&n->serving, &e) < 0)
		csr_request(&n->serving);
}

void node_trouble(struct node *n, const char *why)
{
	if (n->ops.on_trouble)
		n->ops.on_trouble(why, n->arg);
}

static void node_refused(void *arg, const char *reason, const char *message)
{
	(void)reason;
	node_trouble(arg, message);
}

static void node_waits(void *arg)
{
	node_trouble(arg, "");
}

static void node_init_certificates(struct node *n)
{
	const struct csr_config client = {
		.loop = n->config.loop,
		.kube = n->kube,
		.label = "client",
		.state_dir = n->config.state_dir,
		.signer = NODE_CLIENT_SIGNER,
		.usage = "client auth",
		.node_name = n->config.name,
		.issued = node_identity,
		.arg = n,
	};
	struct csr_config serving = client;

	serving.label = "serving";
	serving.signer = NODE_SERVING_SIGNER;
	serving.usage = "server auth";
	serving.dns[0] = n->config.name;
	serving.ips[0] = n->config.address;
	serving.issued = node_serving;
	csr_init(&n->client, &client);
	n->client.config.failed = node_refused;
	n->client.config.waiting = node_waits;
	csr_init(&n->serving, &serving);
}

static int node_begin(struct node *n, struct err *e)
{
	struct err why = ERR_INIT;
	int r;

	if (csr_load(&n->client, &why) == 0)
		return 0;
	log_info("node", "ev=enrol name=%s why=\"%s\"", n->config.name, err_msg(&why));
	if (!n->config.token)
		return err_set(e, -ENOKEY, "no identity (%s) and no token", err_msg(&why));
	r = kube_set_token(n->kube, n->config.token, e);
	if (r < 0)
		return err_wrap(e, r, "enrolment");
	csr_request(&n->client);
	return 0;
}

int node_new(const struct node_config *config, const struct node_ops *ops, void *arg,
	     struct node **node, struct err *e)
{
	struct node *n;
	int r = file_mkdirs(config->state_dir, 0700);

	if (r < 0)
		return err_sys(e, r, "make %s", config->state_dir);
	n = mem_alloc(sizeof(*n));
	n->config = *config;
	n->ops = *ops;
	n->arg = arg;
	n->started_ms = clock_mono_ms();
	n->kube = kube_new(config->loop, config->api, config->ca_pem);
	kube_on_date(n->kube, ops->on_date, arg);
	reg_init(&n->reg, n);
	lease_init(&n->lease, n);
	pod_watch_init(&n->watch, n);
	puts_init(&n->puts, n);
	events_init(&n->events, n);
	list_init(&n->fetches);
	node_init_certificates(n);
	r = node_begin(n, e);
	if (r < 0) {
		node_free(n);
		return r;
	}
	*node = n;
	return 0;
}

struct node *node_free(struct node *n)
{
	if (!n)
		return NULL;
	csr_done(&n->client);
	csr_done(&n->serving);
	reg_done(&n->reg);
	lease_done(&n->lease);
	pod_watch_done(&n->watch);
	puts_done(&n->puts);
	events_done(&n->events);
	fetches_done(&n->fetches);
	kube_free(n->kube);
	free(n);
	return NULL;
}

void node_put_status(struct node *n, const struct node_pod_ref *pod, const struct json *status)
{
	puts_status(&n->puts, pod, status);
}

void node_delete_pod(struct node *n, const struct node_pod_ref *pod)
{
	puts_delete(&n->puts, pod);
}

void node_event(struct node *n, const struct node_pod_ref *pod, const char *type,
		const char *reason, const char *message)
{
	events_send(&n->events, pod, type, reason, message);
}

void node_address_changed(struct node *n)
{
	/* The identity of before, on new connections: those that there are have lost their address */
	(void)csr_load(&n->client, NULL);
	n->moved = true;
	reg_resend(&n->reg);
}

struct node_counts node_counts(const struct node *n)
{
	const struct kube_counts c = kube_counts(n->kube);

	return (struct node_counts){c.calls, c.failures, c.total_ms};
}

void node_images_changed(struct node *n)
{
	reg_resend(&n->reg);
}

void node_set_pressure(struct node *n, enum node_pressure kind, bool is)
{
	reg_set_pressure(&n->reg, kind, is);
}

void node_set_facts(struct node *n, const struct json *labels, const char *name, const char *text)
{
	reg_set_facts(&n->reg, labels, name, text);
}

void node_set_condition(struct node *n, const char *type, bool is, const char *reason,
			const char *message)
{
	reg_set_condition(&n->reg, type, is, reason, message);
}

void node_set_room(struct node *n, uint64_t memory_alloc_bytes, uint64_t storage_bytes)
{
	n->config.machine.memory_alloc_bytes = memory_alloc_bytes;
	n->config.machine.storage_bytes = storage_bytes;
	reg_resend(&n->reg);
}

void node_set_ready(struct node *n, const char *reason, const char *message)
{
	reg_set_ready(&n->reg, reason, message);
}
