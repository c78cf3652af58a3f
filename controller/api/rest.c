// SPDX-License-Identifier: Apache-2.0
/*
 * One call from its path to its answer: which resource, may he, does the verb exist, go.
 *
 *	/api/v1/[namespaces/NS/]RESOURCE[/NAME[/SUB]]
 *	/apis/GROUP/VERSION/[namespaces/NS/]RESOURCE[/NAME[/SUB]]
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "internal.h"
#include "token.h"

#define SEGMENTS_MAX 9

struct segments {
	size_t count;
	char text[SEGMENTS_MAX][API_NAME_MAX];
};

static int split_path(const char *path, struct segments *s)
{
	s->count = 0;
	while (*path == '/') {
		size_t len = strcspn(++path, "/");

		if (!len)
			break;
		if (s->count == SEGMENTS_MAX || len >= API_NAME_MAX)
			return -E2BIG;
		memcpy(s->text[s->count], path, len);
		s->text[s->count++][len] = '\0';
		path += len;
	}
	return 0;
}

/* What follows the first @count segments of a path that has them */
static const char *behind_segments(const char *path, size_t count)
{
	while (count--)
		path = strchrnul(path + 1, '/');
	return path;
}

/* Fill kind, namespace, name and sub. Return: whether the path is a resource's. */
static bool resolve(struct api_call *c)
{
	struct segments s;
	size_t at;
	const char *group, *version;

	if (split_path(c->path, &s) < 0 || s.count < 3)
		return false;
	if (str_eq(s.text[0], "api")) {
		group = "";
		version = s.text[1];
		at = 2;
	} else if (str_eq(s.text[0], "apis") && s.count >= 4) {
		group = s.text[1];
		version = s.text[2];
		at = 3;
	} else {
		return false;
	}
	/* What is behind a node's proxy is a path of that host's. */
	if (s.count > at + 2 && str_eq(group, "") && str_eq(s.text[at], "nodes") &&
	    str_eq(s.text[at + 2], "proxy")) {
		c->rest = behind_segments(c->path, at + 3);
		s.count = at + 3;
	}
	/* /namespaces/NS/RESOURCE, but not the namespace's own subresources */
	if (str_eq(s.text[at], "namespaces") && s.count >= at + 3 &&
	    !(s.count == at + 3 && str_eq(group, "") &&
	      (str_eq(s.text[at + 2], "status") || str_eq(s.text[at + 2], "finalize")))) {
		str_copy(c->namespace, sizeof(c->namespace), s.text[at + 1]);
		at += 2;
	}
	c->kind = kind_find(group, version, s.text[at]);
	if (!c->kind || (*c->namespace && !c->kind->namespaced) || s.count > at + 3)
		return false;
	if (s.count > at + 1)
		str_copy(c->name, sizeof(c->name), s.text[at + 1]);
	if (s.count > at + 2 && str_copy(c->sub, sizeof(c->sub), s.text[at + 2]) < 0)
		return false;
	return (!*c->sub || kind_has_sub(c->kind, c->sub)) &&
	       (!*c->name || !c->kind->namespaced || *c->namespace);
}

static bool find_verb(struct api_call *c)
{
	bool one = *c->name != '\0';
	const char *m = c->method;

	if (str_eq(m, "GET") || str_eq(m, "HEAD"))
		c->verb = query_bool(&c->query, "watch") ? VERB_WATCH : one ? VERB_GET : VERB_LIST;
	else if (str_eq(m, "POST") && (!one || *c->sub))
		c->verb = VERB_CREATE;
	else if (str_eq(m, "PUT") && one)
		c->verb = VERB_UPDATE;
	else if (str_eq(m, "PATCH") && one)
		c->verb = VERB_PATCH;
	else if (str_eq(m, "DELETE"))
		c->verb = one ? VERB_DELETE : VERB_DELETE_ALL;
	else
		return false;
	if (c->kind->namespaced && !*c->namespace &&
	    (c->verb == VERB_CREATE || c->verb == VERB_DELETE_ALL))
		return false;
	return c->kind->verbs & c->verb;
}

static bool allowed(struct api_call *c)
{
	struct auth_ask ask = {.verb = verb_name(c->verb),
			       .group = c->kind->group,
			       .resource = c->kind->plural,
			       .sub = c->sub,
			       .namespace = c->namespace,
			       .name = c->name};
	const char *node = user_node(c->user), *fields = query_get(&c->query, "fieldSelector");
	struct selector *sel = NULL;
	bool ok;

	/* A WebSocket begins with a GET, but to execute something is not to read. */
	if (words_have("exec attach portforward", c->sub))
		ask.verb = "create";

	if (node && fields && (c->verb == VERB_LIST || c->verb == VERB_WATCH) &&
	    selector_new(NULL, fields, c->kind, &sel, NULL) == 0) {
		const char *want = selector_field(sel, "spec.nodeName");
		const char *name = selector_field(sel, "metadata.name");

		ask.node_selector = want && str_eq(want, node);
		if (name && !*ask.name)
			ask.name = name;
	}
	ok = auth_allowed(c->user, c->store, &ask);
	if (!ok)
		auth_refuse(c, &ask);
	selector_free(sel);
	return ok;
}

/* The object that the path names, or a 404. */
struct store_object *rest_object(struct api_call *c)
{
	struct store_object *o = store_get(c->store, c->kind->plural, c->namespace, c->name);

	if (!o)
		reply_not_found(c, c->name);
	return o;
}

/* Read the body as JSON. Return: false when it answered. */
bool rest_body(struct api_call *c, struct json_doc **doc)
{
	struct err e = ERR_INIT;
	const char *type = c->content_type;
	bool protobuf = protobuf_is(c->body, c->body_len);
	int r;

	if (protobuf)
		r = protobuf_parse(c->body, c->body_len, doc, &e);
	else if (*type && !str_starts(type, "application/json") && !strstr(type, "patch") &&
		 !str_starts(type, "*/*"))
		r = -ENOTSUP;
	else
		r = json_parse(c->body, c->body_len, doc, &e);
	if (r == -ENOTSUP)
		reply_fail(
			c, 415, "UnsupportedMediaType",
			"the body of the request was in an unknown format - accepted media types "
			"include: application/json");
	else if (r < 0)
		reply_fail(c, 400, "BadRequest", "couldn't get version/kind; %s parse error: %s",
			   protobuf ? "protobuf" : "json", err_msg(&e));
	return r == 0;
}

static void dispatch(struct api_call *c)
{
	if (c->kind->computed) {
		c->reply.stream = true;
		return;
	}
	if (*c->sub && subresource_handle(c))
		return;
	if (*c->sub && !str_eq(c->sub, "status") && !str_eq(c->sub, "approval") &&
	    !str_eq(c->sub, "finalize")) {
		reply_no_resource(c);
		return;
	}
	switch (c->verb) {
	case VERB_GET:
		rest_get(c);
		break;
	case VERB_LIST:
		rest_list(c);
		break;
	case VERB_WATCH:
		c->reply.stream = true;
		break;
	case VERB_CREATE:
		if (*c->sub)
			reply_fail(
				c, 405, "MethodNotAllowed",
				"the server does not allow this method on the requested resource");
		else
			rest_create(c);
		break;
	case VERB_UPDATE:
		rest_update(c);
		break;
	case VERB_PATCH:
		rest_patch(c);
		break;
	case VERB_DELETE:
		rest_delete(c);
		break;
	case VERB_DELETE_ALL:
		rest_delete_all(c);
		break;
	}
}

static bool public_path(const char *path)
{
	return str_eq(path, "/healthz") || str_eq(path, "/livez") || str_eq(path, "/readyz") ||
	       str_eq(path, "/version") || str_eq(path, "/openid/v1/jwks") ||
	       str_eq(path, "/.well-known/openid-configuration");
}

/* Everything that is not an object's path. */
static void handle_other(struct api_call *c)
{
	struct auth_ask ask = {.verb = str_eq(c->method, "GET") ? "get" : c->method,
			       .path = c->path};

	if (!auth_allowed(c->user, c->store, &ask))
		auth_refuse(c, &ask);
	else if (!review_handle(c) && !discovery_handle(c) && !openapi_handle(c) &&
		 !token_discovery(c) && !image_handle(c))
		reply_no_resource(c);
}

void rest_handle(struct api_call *c)
{
	if (!*c->user->name && !public_path(c->path)) {
		reply_fail(c, 401, "Unauthorized", "Unauthorized");
	} else if (!resolve(c)) {
		c->kind = NULL;
		c->name[0] = '\0';
		handle_other(c);
	} else if (!find_verb(c)) {
		reply_fail(c, 405, "MethodNotAllowed",
			   "the server does not allow this method on the requested resource");
	} else if (allowed(c)) {
		dispatch(c);
	}
}
