// SPDX-License-Identifier: Apache-2.0
/* get and list: objects as they are stored, or as the rows of a table. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

void rest_get(struct api_call *c)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct store_object *o = rest_object(c);
	const struct json *root;

	if (!o)
		return;
	if (!table_wanted(c->accept)) {
		reply_object(c, 200, o);
		return;
	}
	root = json_root(o->doc);
	doc = json_doc_new();
	table_make(doc, c->kind, &root, 1, true, query_get(&c->query, "includeObject"));
	reply_doc(c, 200, json_root(doc));
}

/* The continue token: base64 of "namespace/name", the last object that was sent. */
static int continue_read(const char *token, char ns[API_NAME_MAX], char name[API_NAME_MAX])
{
	struct buf b = BUF_INIT(2 * API_NAME_MAX);
	int r = base64_decode(&b, token);
	const char *slash = strchr(buf_str(&b), '/');

	if (r == 0 &&
	    (!slash || strlen(buf_str(&b)) != b.len || (size_t)(slash - b.data) >= API_NAME_MAX ||
	     str_copy(name, API_NAME_MAX, slash + 1) < 0))
		r = -EBADMSG;
	if (r == 0) {
		memcpy(ns, b.data, (size_t)(slash - b.data));
		ns[slash - b.data] = '\0';
	}
	buf_done(&b);
	return r;
}

struct page {
	struct store_object **objects;
	size_t count, size, remaining;
};

static void page_add(struct page *p, struct store_object *o)
{
	if (p->count == p->size) {
		struct store_object **more = mem_array(p->size ? p->size * 2 : 64, sizeof(*more));

		if (p->count)
			memcpy(more, p->objects, p->count * sizeof(*more));
		free(p->objects);
		p->objects = more;
		p->size = p->size ? p->size * 2 : 64;
	}
	p->objects[p->count++] = o;
}

static void collect(struct api_call *c, const struct selector *sel, const char *ns,
		    const char *name, size_t limit, struct page *p)
{
	const char *only = c->kind->namespaced && *c->namespace ? c->namespace : NULL;
	struct store_object *o;

	for (; (o = store_next(c->store, c->kind->plural, only, ns, name));
	     ns = o->namespace, name = o->name) {
		if (!selector_matches(sel, json_root(o->doc)))
			continue;
		if (limit && p->count == limit)
			p->remaining++;
		else
			page_add(p, o);
	}
}

static void continue_token(const struct page *p, struct buf *token)
{
	const struct store_object *last = p->objects[p->count - 1];
	_cleanup_free_ char *plain = mem_printf("%s/%s", last->namespace, last->name);

	base64_encode(token, plain, strlen(plain));
}

static void send_table(struct api_call *c, const struct page *p, const char *token)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	const struct json **roots = mem_array(p->count + 1, sizeof(*roots));
	struct json *meta;

	for (size_t i = 0; i < p->count; i++)
		roots[i] = json_root(p->objects[i]->doc);
	table_make(doc, c->kind, roots, p->count, true, query_get(&c->query, "includeObject"));
	meta = json_obj_of(doc, json_root(doc), "metadata");
	json_put_fmt(doc, meta, "resourceVersion", "%llu", (unsigned long long)store_rev(c->store));
	if (*token) {
		json_put_str(doc, meta, "continue", token);
		json_put_int(doc, meta, "remainingItemCount", (int64_t)p->remaining);
	}
	reply_doc(c, 200, json_root(doc));
	free(roots);
}

static void send_list(struct api_call *c, const struct page *p, const char *token)
{
	struct buf *b = &c->reply.body;
	char version[64];

	c->reply.status = 200;
	c->reply.content_type = "application/json";
	buf_init(b, (size_t)1 << 30);
	buf_printf(b, "{\"kind\":\"%sList\",\"apiVersion\":\"%s\",\"metadata\":{", c->kind->kind,
		   kind_api_version(c->kind, version, sizeof(version)));
	buf_printf(b, "\"resourceVersion\":\"%llu\"", (unsigned long long)store_rev(c->store));
	if (*token)
		buf_printf(b, ",\"continue\":\"%s\",\"remainingItemCount\":%zu", token,
			   p->remaining);
	buf_puts(b, "},\"items\":[");
	for (size_t i = 0; i < p->count; i++) {
		if (i)
			buf_puts(b, ",");
		buf_append(b, p->objects[i]->text, p->objects[i]->len);
	}
	buf_puts(b, "]}\n");
}

void rest_list(struct api_call *c)
{
	const char *limit_text = query_get(&c->query, "limit");
	const char *from = query_get(&c->query, "continue");
	char ns[API_NAME_MAX] = "", name[API_NAME_MAX] = "";
	struct buf token = BUF_INIT(0);
	struct page p = {0};
	struct err e = ERR_INIT;
	struct selector *sel;
	uint64_t limit = 0;

	if (limit_text && *limit_text && str_u64(limit_text, INT64_MAX, &limit) < 0) {
		reply_fail(c, 400, "BadRequest", "invalid limit \"%.40s\"", limit_text);
		return;
	}
	if (from && *from && continue_read(from, ns, name) < 0) {
		reply_fail(c, 400, "BadRequest", "continue key is not valid");
		return;
	}
	if (selector_new(query_get(&c->query, "labelSelector"),
			 query_get(&c->query, "fieldSelector"), c->kind, &sel, &e) < 0) {
		reply_fail(c, 400, "BadRequest", "%s", err_msg(&e));
		return;
	}
	collect(c, sel, ns, *name ? name : NULL, limit, &p);
	if (p.remaining)
		continue_token(&p, &token);
	if (table_wanted(c->accept))
		send_table(c, &p, buf_str(&token));
	else
		send_list(c, &p, buf_str(&token));
	free(p.objects);
	buf_done(&token);
	selector_free(sel);
}
