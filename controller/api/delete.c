// SPDX-License-Identifier: Apache-2.0
/*
 * Deletion. A pod that is bound to a node gets its grace period: deletionTimestamp is set, the node
 * ends it and deletes it once more with a period of 0. Everything else goes at once, unless it has
 * finalizers; a namespace goes when it is empty.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

#define GRACE_DEFAULT_S 30

static bool read_body(struct api_call *c, struct delete_options *opt)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json *root, *pre;

	if (!rest_body(c, &doc))
		return false;
	root = json_root(doc);
	if (str_eq(c->sub, "eviction"))
		root = json_get(root, "deleteOptions");
	pre = json_get(root, "preconditions");
	opt->grace_s = json_int(json_get(root, "gracePeriodSeconds"), -1);
	str_copy(opt->uid, sizeof(opt->uid), json_str(json_get(pre, "uid"), ""));
	str_copy(opt->resource_version, sizeof(opt->resource_version),
		 json_str(json_get(pre, "resourceVersion"), ""));
	opt->dry_run |= json_count(json_get(root, "dryRun")) > 0;
	return true;
}

bool delete_options_read(struct api_call *c, struct delete_options *opt)
{
	const char *grace = query_get(&c->query, "gracePeriodSeconds");
	const char *dry = query_get(&c->query, "dryRun");
	uint64_t n;

	*opt = (struct delete_options){.grace_s = -1, .dry_run = dry && str_eq(dry, "All")};
	if (c->body_len && !read_body(c, opt))
		return false;
	if (grace && str_u64(grace, INT32_MAX, &n) == 0)
		opt->grace_s = (int64_t)n;
	return true;
}

static bool terminal(const struct json *pod)
{
	const char *phase = json_str(json_at(pod, "status", "phase", NULL), "");

	return str_eq(phase, "Succeeded") || str_eq(phase, "Failed");
}

/* How long the object may take to end; 0: it goes at once. */
static int64_t grace_of(const struct api_kind *k, const struct json *root,
			const struct delete_options *opt)
{
	int64_t grace = opt->grace_s;

	if (!str_eq(k->plural, "pods") || !*json_str(json_at(root, "spec", "nodeName", NULL), "") ||
	    terminal(root))
		return 0;
	if (grace < 0)
		grace = json_int(json_at(root, "spec", "terminationGracePeriodSeconds", NULL),
				 GRACE_DEFAULT_S);
	return MAX(grace, 0);
}

/* Set or shorten the time of the end. */
static int mark(struct store *s, const struct api_kind *k, struct store_object *o, int64_t grace,
		struct store_object **left, struct err *e)
{
	const struct json *old = json_get(json_root(o->doc), "metadata");
	struct json_doc *doc = json_doc_new();
	char when[CLOCK_RFC3339_MAX];
	struct json *meta;

	if (json_get(old, "deletionTimestamp") &&
	    json_int(json_get(old, "deletionGracePeriodSeconds"), 0) <= grace) {
		json_doc_free(doc);
		*left = o;
		return 0;
	}
	json_set_root(doc, json_copy(doc, json_root(o->doc)));
	meta = json_get(json_root(doc), "metadata");
	json_put_str(doc, meta, "deletionTimestamp", clock_rfc3339(when, time(NULL) + grace));
	if (!str_eq(k->plural, "namespaces"))
		json_put_int(doc, meta, "deletionGracePeriodSeconds", grace);
	else
		json_put_str(doc, json_obj_of(doc, json_root(doc), "status"), "phase",
			     "Terminating");
	return store_update(s, k->plural, o->namespace, o->name, o->rev, doc, left, e);
}

int object_delete(struct store *s, const struct api_kind *k, struct store_object *o,
		  const struct delete_options *opt, struct store_object **left, struct err *e)
{
	const struct json *root = json_root(o->doc);
	int64_t grace = grace_of(k, root, opt);
	bool wait = grace > 0 || json_count(json_at(root, "metadata", "finalizers", NULL)) ||
		    str_eq(k->plural, "namespaces");

	*left = NULL;
	if (opt->dry_run) {
		*left = wait ? o : NULL;
		return 0;
	}
	if (wait)
		return mark(s, k, o, grace, left, e);
	return store_delete(s, k->plural, o->namespace, o->name, o->rev, e);
}

bool delete_preconditions(struct api_call *c, const struct store_object *o,
			  const struct delete_options *opt)
{
	const struct json *meta = json_get(json_root(o->doc), "metadata");
	const char *uid = json_str(json_get(meta, "uid"), "");
	const char *rev = json_str(json_get(meta, "resourceVersion"), "");
	_cleanup_free_ char *why = NULL;

	if (*opt->uid && !str_eq(opt->uid, uid))
		why = mem_printf(
			"Precondition failed: UID in precondition: %s, UID in object meta: %s",
			opt->uid, uid);
	else if (*opt->resource_version && !str_eq(opt->resource_version, rev))
		why = mem_printf("Precondition failed: ResourceVersion in precondition: %s, "
				 "ResourceVersion in object meta: %s",
				 opt->resource_version, rev);
	if (why)
		reply_conflict(c, why);
	return !why;
}

void rest_delete(struct api_call *c)
{
	struct store_object *o = rest_object(c), *left;
	struct delete_options opt;
	struct err e = ERR_INIT;
	bool pod;
	int r;

	if (!o || !delete_options_read(c, &opt) || !delete_preconditions(c, o, &opt))
		return;
	if (str_eq(c->kind->plural, "namespaces") &&
	    (str_eq(c->name, "default") || str_eq(c->name, "kube-system") ||
	     str_eq(c->name, "kube-public") || str_eq(c->name, "kube-node-lease"))) {
		reply_fail(c, 403, "Forbidden",
			   "namespaces \"%s\" is forbidden: this namespace may not be deleted",
			   c->name);
		return;
	}
	pod = str_eq(c->kind->plural, "pods");
	store_ref(o);
	r = object_delete(c->store, c->kind, o, &opt, &left, &e);
	if (r < 0)
		reply_store_error(c, r, &e);
	else if (left || pod) /* a pod's last state, as the real server has it */
		reply_object(c, 200, left ? left : o);
	else
		reply_success(c, json_str(json_at(json_root(o->doc), "metadata", "uid", NULL), ""));
	store_unref(o);
}

void rest_delete_all(struct api_call *c)
{
	const char *ns = c->kind->namespaced ? c->namespace : NULL;
	char at_ns[API_NAME_MAX] = "", at_name[API_NAME_MAX] = "";
	struct store_object *o, *left;
	struct delete_options opt;
	struct err e = ERR_INIT;
	struct selector *sel;
	int r = 0;

	if (!delete_options_read(c, &opt))
		return;
	if (selector_new(query_get(&c->query, "labelSelector"),
			 query_get(&c->query, "fieldSelector"), c->kind, &sel, &e) < 0) {
		reply_fail(c, 400, "BadRequest", "%s", err_msg(&e));
		return;
	}
	while (r == 0 &&
	       (o = store_next(c->store, c->kind->plural, ns, at_ns, *at_name ? at_name : NULL))) {
		str_copy(at_ns, sizeof(at_ns), o->namespace);
		str_copy(at_name, sizeof(at_name), o->name);
		if (selector_matches(sel, json_root(o->doc)))
			r = object_delete(c->store, c->kind, o, &opt, &left, &e);
	}
	selector_free(sel);
	if (r < 0)
		reply_store_error(c, r, &e);
	else
		reply_success(c, NULL);
}
