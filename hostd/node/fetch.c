// SPDX-License-Identifier: Apache-2.0
/*
 * ConfigMaps and Secrets by name, and tokens of service accounts (authentication.k8s.io/v1
 * TokenRequest, POST to the account's subresource, bound to the pod as a node has to). And whether a client
 * of this host's endpoint may have what it asks for (authorization.k8s.io/v1 SubjectAccessReview).
 *
 * What comes back may be a Secret, so its text and its parsed form are cleared when they are given
 * back, and nothing of it is logged.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "node/parts.h"

struct node_fetch {
	struct kube_call *call;
	struct list node;
	enum node_object kind;
	void (*done)(void *arg, const struct node_fetched *result);
	void *arg;
};

static struct node_fetch *fetch_free(struct node_fetch *f)
{
	kube_cancel(f->call);
	list_del(&f->node);
	free(f);
	return NULL;
}

struct node_fetch *node_fetch_cancel(struct node_fetch *f)
{
	return f ? fetch_free(f) : NULL;
}

void fetches_done(struct list *fetches)
{
	while (!list_empty(fetches))
		fetch_free(list_entry(fetches->next, struct node_fetch, node));
}

/* An answer of another kind is a proxy's, or a server's that has lost its way. */
static bool fetch_is_whole(const struct node_fetch *f, const struct json *object)
{
	const char *token = json_str(json_at(object, "status", "token", NULL), "");
	const char *kind = json_str(json_get(object, "kind"), "");

	switch (f->kind) {
	case NODE_CONFIG_MAP:
		return str_eq(kind, "ConfigMap");
	case NODE_SECRET:
		return str_eq(kind, "Secret");
	case NODE_TOKEN:
		return *token != '\0';
	case NODE_REVIEW:
		return json_type(json_at(object, "status", "allowed", NULL)) == JSON_BOOL;
	}
	return false;
}

static void fetch_answer(void *arg, const struct kube_result *result)
{
	struct node_fetch *f = arg;
	void (*done)(void *, const struct node_fetched *) = f->done;
	void *done_arg = f->arg;
	struct node_fetched fetched = {
		.absent = result->status == 404,
		.message = result->message,
		.retry_after_ms = result->retry_after_ms,
	};

	if (result->status == 200 || result->status == 201) {
		if (fetch_is_whole(f, result->body))
			fetched.object = result->body;
		else
			fetched.message = "the server answered with something else";
	}
	f->call = NULL;
	fetch_free(f);
	done(done_arg, &fetched);
}

static struct json *fetch_token_request(struct json_doc *doc, const struct node_fetch_spec *spec)
{
	struct json *root = json_new_obj(doc), *s, *audiences, *ref;

	json_put_str(doc, root, "apiVersion", "authentication.k8s.io/v1");
	json_put_str(doc, root, "kind", "TokenRequest");
	s = json_obj_of(doc, root, "spec");
	audiences = json_arr_of(doc, s, "audiences");
	if (*spec->audience)
		json_push(doc, audiences, json_new_str(doc, spec->audience));
	json_put_int(doc, s, "expirationSeconds", spec->expiration_s);
	ref = json_obj_of(doc, s, "boundObjectRef");
	json_put_str(doc, ref, "apiVersion", "v1");
	json_put_str(doc, ref, "kind", "Pod");
	json_put_str(doc, ref, "name", spec->pod);
	json_put_str(doc, ref, "uid", spec->uid);
	return root;
}

static struct json *fetch_review(struct json_doc *doc, const struct node *n,
				 const struct node_fetch_spec *spec)
{
	struct json *root = json_new_obj(doc), *s, *groups, *what;

	json_put_str(doc, root, "apiVersion", "authorization.k8s.io/v1");
	json_put_str(doc, root, "kind", "SubjectAccessReview");
	s = json_obj_of(doc, root, "spec");
	json_put_str(doc, s, "user", spec->user);
	groups = json_arr_of(doc, s, "groups");
	for (size_t i = 0; i < spec->group_count; i++)
		json_push(doc, groups, json_new_str(doc, spec->groups[i]));
	what = json_obj_of(doc, s, "resourceAttributes");
	json_put_str(doc, what, "verb", spec->verb);
	json_put_str(doc, what, "version", "v1");
	json_put_str(doc, what, "resource", "nodes");
	json_put_str(doc, what, "subresource", spec->subresource);
	json_put_str(doc, what, "name", n->config.name);
	return root;
}

struct node_fetch *node_fetch(struct node *n, const struct node_fetch_spec *spec,
			      void (*done)(void *arg, const struct node_fetched *result), void *arg)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct node_fetch *f = mem_alloc(sizeof(*f));
	char path[KUBE_PATH_MAX];
	struct kube_request rq = {
		.method = "GET",
		.path = path,
		.reply_cap = FETCH_ANSWER_MAX,
		.done = fetch_answer,
		.arg = f,
	};

	f->kind = spec->kind;
	f->done = done;
	f->arg = arg;
	switch (spec->kind) {
	case NODE_CONFIG_MAP:
	case NODE_SECRET:
		snprintf(path, sizeof(path), "/api/v1/namespaces/%s/%s/%s", spec->ns,
			 spec->kind == NODE_SECRET ? "secrets" : "configmaps", spec->name);
		break;
	case NODE_TOKEN:
		snprintf(path, sizeof(path), "/api/v1/namespaces/%s/serviceaccounts/%s/token",
			 spec->ns, spec->name);
		doc = json_doc_new();
		rq.method = "POST";
		rq.body = fetch_token_request(doc, spec);
		break;
	case NODE_REVIEW:
		snprintf(path, sizeof(path), "/apis/authorization.k8s.io/v1/subjectaccessreviews");
		doc = json_doc_new();
		rq.method = "POST";
		rq.body = fetch_review(doc, n, spec);
		break;
	}
	list_add(&n->fetches, &f->node);
	f->call = kube_call(n->kube, &rq);
	return f;
}
