// SPDX-License-Identifier: Apache-2.0
/* Subresources that act instead of being kept. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "internal.h"
#include "token.h"

static void reply_created(struct api_call *c)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *s = status_json(doc, 201, "", "");

	reply_doc(c, 201, s);
}

static void bind(struct api_call *c)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct err e = ERR_INIT;
	const char *node;
	int r;

	if (!rest_object(c) || !rest_body(c, &doc))
		return;
	node = json_str(json_at(json_root(doc), "target", "name", NULL), "");
	if (!*node) {
		field_required(c, "", "target.name");
		reply_invalid(c);
		return;
	}
	r = store_bind_pod(c->store, c->namespace, c->name, node, &e);
	if (r == -EEXIST || r == -EBUSY)
		reply_conflict(c, err_msg(&e));
	else if (r < 0)
		reply_store_error(c, r, &e);
	else
		reply_created(c);
}

static void evict(struct api_call *c)
{
	struct store_object *o = rest_object(c), *left;
	struct delete_options opt;
	struct err e = ERR_INIT;
	int r;

	if (!o || !delete_options_read(c, &opt) || !delete_preconditions(c, o, &opt))
		return;
	store_ref(o);
	r = object_delete(c->store, c->kind, o, &opt, &left, &e);
	store_unref(o);
	if (r < 0)
		reply_store_error(c, r, &e);
	else
		reply_created(c);
}

bool subresource_handle(struct api_call *c)
{
	if (str_eq(c->kind->plural, "serviceaccounts") && c->verb == VERB_CREATE) {
		token_issue(c);
		return true;
	}
	if (str_eq(c->sub, "proxy") && c->verb == VERB_GET) {
		c->reply.stream = true;
		return true;
	}
	if (!str_eq(c->kind->plural, "pods"))
		return false;
	if (str_eq(c->sub, "log") && c->verb == VERB_GET) {
		c->reply.stream = true;
		return true;
	}
	if ((str_eq(c->sub, "exec") || str_eq(c->sub, "attach")) &&
	    (c->verb == VERB_GET || c->verb == VERB_CREATE)) {
		c->reply.stream = true;
		return true;
	}
	if (c->verb != VERB_CREATE)
		return false;
	if (str_eq(c->sub, "binding"))
		bind(c);
	else if (str_eq(c->sub, "eviction"))
		evict(c);
	else
		return false;
	return true;
}
