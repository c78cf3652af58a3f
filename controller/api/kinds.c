// SPDX-License-Identifier: Apache-2.0
/* Defaults and checks of the smaller kinds: nodes, namespaces, signing requests, accounts, runtime classes. */
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/quantity.h"
#include "base/str.h"
#include "internal.h"

#define NOT_READY	"node.kubernetes.io/not-ready"
#define EVENT_BYTES_MAX 16384

static void forbid(struct api_call *c, const char *what)
{
	reply_fail(c, 403, "Forbidden", "%s \"%s\" is forbidden: %s", c->kind->plural, c->name,
		   what);
}

static bool label_allowed(const char *key)
{
	static const char *const exact[] = {
		"kubernetes.io/hostname",
		"kubernetes.io/os",
		"kubernetes.io/arch",
		"topology.kubernetes.io/zone",
		"topology.kubernetes.io/region",
		"node.kubernetes.io/instance-type",
		"beta.kubernetes.io/os",
		"beta.kubernetes.io/arch",
		"beta.kubernetes.io/instance-type",
	};
	const char *slash = strchr(key, '/');
	char prefix[API_NAME_MAX];

	if (!slash || (size_t)(slash - key) >= sizeof(prefix))
		return true;
	memcpy(prefix, key, (size_t)(slash - key));
	prefix[slash - key] = '\0';
	if (str_eq(prefix, "node-restriction.kubernetes.io") ||
	    str_ends(prefix, ".node-restriction.kubernetes.io"))
		return false;
	if (!str_eq(prefix, "kubernetes.io") && !str_ends(prefix, ".kubernetes.io") &&
	    !str_eq(prefix, "k8s.io") && !str_ends(prefix, ".k8s.io"))
		return true;
	if (str_eq(prefix, "kubelet.kubernetes.io") || str_ends(prefix, ".kubelet.kubernetes.io") ||
	    str_eq(prefix, "node.kubernetes.io") || str_ends(prefix, ".node.kubernetes.io"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(exact); i++) {
		if (str_eq(exact[i], key))
			return true;
	}
	return false;
}

/* What a host is made of it tells itself (docs/hardware.md); which image it boots, and why, others do (docs/reimage.md). */
static bool annotations_kept(const struct json *was, const struct json *is)
{
	struct json_iter it = json_iter(was);

	while (json_next(&it))
		if (str_starts(it.key, "hypermetal.io/") &&
		    !str_eq(it.key, "hypermetal.io/inventory") &&
		    !str_eq(it.key, "hypermetal.io/disks") &&
		    !str_eq(it.key, "hypermetal.io/boot-times") &&
		    !str_eq(it.key, "hypermetal.io/wiped") &&
		    !json_equal(it.value, json_get(is, it.key)))
			return false;
	return true;
}

/* What NodeRestriction keeps from a node: foreign labels, its own taints; and annotations of ours. */
static void restrict_node(struct api_call *c, const struct json *root, const struct json *old)
{
	const struct json *labels = json_at(root, "metadata", "labels", NULL);
	struct json_iter it = json_iter(labels);
	char what[400];

	while (json_next(&it)) {
		if (label_allowed(it.key) ||
		    json_equal(json_at(old, "metadata", "labels", it.key, NULL), it.value))
			continue;
		snprintf(what, sizeof(what), "is not allowed to set the following labels: %.200s",
			 it.key);
		forbid(c, what);
		return;
	}
	if (!annotations_kept(json_at(old, "metadata", "annotations", NULL),
			      json_at(root, "metadata", "annotations", NULL)) ||
	    !annotations_kept(json_at(root, "metadata", "annotations", NULL),
			      json_at(old, "metadata", "annotations", NULL)))
		forbid(c, "is not allowed to modify annotations of hypermetal.io");
	else if (old && !json_equal(json_at(root, "spec", "taints", NULL),
				    json_at(old, "spec", "taints", NULL)))
		forbid(c, "is not allowed to modify taints");
}

static bool has_taint(const struct json *taints, const char *key)
{
	struct json_iter it = json_iter(taints);

	while (json_next(&it)) {
		if (str_eq(json_str(json_get(it.value, "key"), ""), key))
			return true;
	}
	return false;
}

void node_prepare(struct api_call *c, struct json_doc *doc, const struct json *old)
{
	struct json *root = json_root(doc), *spec, *taint;

	if (user_node(c->user) && !str_eq(user_node(c->user), c->name))
		forbid(c, "a node may only modify its own node object");
	else if (user_node(c->user))
		restrict_node(c, root, old);
	spec = json_obj_of(doc, root, "spec");
	if (json_type(json_get(spec, "unschedulable")) == JSON_NULL ||
	    !json_bool(json_get(spec, "unschedulable"), true))
		json_remove(spec, "unschedulable");
	if (old || has_taint(json_get(spec, "taints"), NOT_READY))
		return;
	taint = json_new_obj(doc); /* until the node's Ready has been seen */
	json_put_str(doc, taint, "key", NOT_READY);
	json_put_str(doc, taint, "effect", "NoSchedule");
	json_push(doc, json_arr_of(doc, spec, "taints"), taint);
}

/* Any host may write them, and nothing else bounds them. */
void event_prepare(struct api_call *c, struct json_doc *doc, const struct json *old)
{
	(void)doc;
	if (c->body_len > EVENT_BYTES_MAX)
		reply_fail(c, 413, "RequestEntityTooLarge", "an event may have %d bytes",
			   EVENT_BYTES_MAX);
	else if (!old && store_count(c->store, "events") >= API_EVENTS_MAX)
		reply_fail(c, 429, "TooManyRequests", "there are too many events, try again later");
}

void lease_prepare(struct api_call *c, struct json_doc *doc, const struct json *old)
{
	(void)doc;
	(void)old;
	if (user_node(c->user) &&
	    (!str_eq(user_node(c->user), c->name) || !str_eq(c->namespace, "kube-node-lease")))
		forbid(c, "can only access node lease with the same name as the requesting node");
}

void namespace_prepare(struct api_call *c, struct json_doc *doc, const struct json *old)
{
	struct json *root = json_root(doc), *meta = json_obj_of(doc, root, "metadata");
	struct json *finalizers;

	json_put_str(doc, json_obj_of(doc, meta, "labels"), "kubernetes.io/metadata.name", c->name);
	if (old) {
		json_put(doc, root, "spec", json_copy(doc, json_get(old, "spec")));
		return;
	}
	finalizers = json_arr_of(doc, json_obj_of(doc, root, "spec"), "finalizers");
	if (!json_count(finalizers))
		json_push(doc, finalizers, json_new_str(doc, "kubernetes"));
	json_put_str(doc, json_obj_of(doc, root, "status"), "phase", "Active");
}

/* spec says what is wanted and who asked; neither changes afterwards. */
void csr_prepare(struct api_call *c, struct json_doc *doc, const struct json *old)
{
	struct json *root = json_root(doc), *spec = json_obj_of(doc, root, "spec"), *groups;
	const char *request = json_str(json_get(spec, "request"), "");
	struct buf pem = BUF_INIT(65536);
	int64_t seconds = json_int(json_get(spec, "expirationSeconds"), 600);

	if (old) {
		json_put(doc, root, "spec", json_copy(doc, json_get(old, "spec")));
		return;
	}
	json_put_str(doc, spec, "username", c->user->name);
	groups = json_new_arr(doc);
	for (size_t i = 0; i < c->user->group_count; i++)
		json_push(doc, groups, json_new_str(doc, c->user->groups[i]));
	json_put(doc, spec, "groups", groups);
	json_remove(spec, "uid");
	json_remove(spec, "extra");
	if (!*request)
		field_required(c, "", "spec.request");
	else if (base64_decode(&pem, request) < 0 || !strstr(buf_str(&pem), "CERTIFICATE REQUEST"))
		field_invalid(c, "\"...\"", "PEM block type must be CERTIFICATE REQUEST",
			      "spec.request");
	if (!*json_str(json_get(spec, "signerName"), ""))
		field_required(c, "", "spec.signerName");
	if (!json_count(json_get(spec, "usages")))
		field_required(c, "", "spec.usages");
	if (seconds < 600)
		field_invalid(c, "",
			      "may not specify a duration less than 600 seconds (10 minutes)",
			      "spec.expirationSeconds");
	buf_done(&pem);
}

void service_account_prepare(struct api_call *c, struct json_doc *doc, const struct json *old)
{
	const struct json *root = json_root(doc);
	struct json_iter it = json_iter(json_get(root, "imagePullSecrets"));

	(void)old;
	for (size_t i = 0; json_next(&it); i++) {
		if (!*json_str(json_get(it.value, "name"), ""))
			field_required(c, "", "imagePullSecrets[%zu].name", i);
	}
}

/* node.k8s.io/v1: what a pod of the class runs on, costs besides its containers, and where it may go. */
void runtime_class_prepare(struct api_call *c, struct json_doc *doc, const struct json *old)
{
	const struct json *root = json_root(doc);
	const char *handler = json_str(json_get(root, "handler"), "");
	struct json_iter it = json_iter(json_at(root, "overhead", "podFixed", NULL));
	char quoted[128];
	int64_t n;

	snprintf(quoted, sizeof(quoted), "\"%.100s\"", handler);
	if (!name_is_label(handler))
		field_invalid(c, quoted, name_label_rule, "handler");
	if (old && !str_eq(handler, json_str(json_get(old, "handler"), "")))
		field_invalid(c, quoted, "field is immutable", "handler");
	while (json_next(&it)) {
		snprintf(quoted, sizeof(quoted), "\"%.100s\"", json_str(it.value, ""));
		if (quantity_parse(json_str(it.value, "0"), QUANTITY_MILLI, &n) == 0 && n < 0)
			field_invalid(c, quoted, "must be greater than or equal to 0",
				      "overhead.podFixed[%s]", it.key);
	}
	it = json_iter(json_at(root, "scheduling", "nodeSelector", NULL));
	while (json_next(&it)) {
		snprintf(quoted, sizeof(quoted), "\"%.100s\"", json_str(it.value, ""));
		if (!name_is_qualified(it.key) || !name_is_label_value(json_str(it.value, "")))
			field_invalid(c, quoted, name_label_value_rule, "scheduling.nodeSelector");
	}
}
