// SPDX-License-Identifier: Apache-2.0
/* JSON Merge Patch (RFC 7386) and JSON Patch (RFC 6902 with pointers of RFC 6901). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

#define OPS_MAX 10000 /* as the real server */
#define COPY_MAX \
	((size_t)3 << 20) /* of all copies together, as JSON: each may double the document */

static struct json *merge(struct json_doc *doc, struct json *target, const struct json *patch)
{
	struct json_iter it = json_iter(patch);

	if (!json_is_obj(patch))
		return json_copy(doc, patch);
	if (!json_is_obj(target))
		target = json_new_obj(doc);
	while (json_next(&it)) {
		struct json *old = json_get(target, it.key);

		if (json_type(it.value) == JSON_NULL)
			json_remove(target, it.key);
		else if (json_is_obj(it.value) && json_is_obj(old))
			merge(doc, old, it.value);
		else
			json_put(doc, target, it.key, merge(doc, NULL, it.value));
	}
	return target;
}

int patch_merge(struct json_doc *doc, const struct json *patch, struct err *e)
{
	if (!json_is_obj(patch))
		return err_set(e, -EBADMSG, "a merge patch must be an object");
	json_set_root(doc, merge(doc, json_root(doc), patch));
	return 0;
}

/* Where a pointer leads: the container and the last token. */
struct place {
	struct json *parent; /* NULL: the whole document */
	char *token; /* malloc'ed, unescaped */
	size_t index; /* in an array; count for "-" */
	struct json *value; /* what is there, or NULL */
};

static char *take_token(const char **path)
{
	size_t len = strcspn(*path, "/"), n = 0;
	char *token = mem_strndup(*path, len);

	for (size_t i = 0; i < len; i++) {
		if (token[i] == '~' && (token[i + 1] == '0' || token[i + 1] == '1'))
			token[n++] = token[++i] == '0' ? '~' : '/';
		else
			token[n++] = token[i];
	}
	token[n] = '\0';
	*path += len + ((*path)[len] == '/');
	return token;
}

static int place_step(struct place *p, const char *path, struct err *e)
{
	uint64_t n = 0;

	if (json_is_obj(p->parent)) {
		p->value = json_get(p->parent, p->token);
		return 0;
	}
	if (!json_is_arr(p->parent))
		return err_set(e, -EBADMSG, "path %.100s does not exist", path);
	p->index = json_count(p->parent);
	if (!str_eq(p->token, "-")) {
		if (str_u64(p->token, json_count(p->parent), &n) < 0)
			return err_set(e, -EBADMSG, "index %.40s of path %.100s is out of range",
				       p->token, path);
		p->index = n;
	}
	p->value = json_item(p->parent, p->index);
	return 0;
}

static int place_find(struct json_doc *doc, const char *path, struct place *p, struct err *e)
{
	const char *rest = path;
	int r = 0;

	memset(p, 0, sizeof(*p));
	p->value = json_root(doc);
	if (!*path)
		return 0;
	if (*rest++ != '/')
		return err_set(e, -EBADMSG, "path %.100s does not start with /", path);
	for (bool more = true; more && r == 0;) {
		more = strchr(rest, '/') != NULL;
		p->parent = p->value;
		free(p->token);
		p->token = take_token(&rest);
		r = place_step(p, path, e);
	}
	return r;
}

static void array_insert(struct json_doc *doc, struct json *arr, size_t index, struct json *value)
{
	size_t move = json_count(arr) - index;

	json_push(doc, arr, value);
	while (move--) {
		struct json *v = json_item(arr, index);

		json_remove_item(arr, index);
		json_push(doc, arr, v);
	}
}

static void place_add(struct json_doc *doc, struct place *p, struct json *value)
{
	if (!p->parent)
		json_set_root(doc, value);
	else if (json_is_obj(p->parent))
		json_put(doc, p->parent, p->token, value);
	else
		array_insert(doc, p->parent, p->index, value);
}

static void place_remove(struct place *p)
{
	if (json_is_obj(p->parent))
		json_remove(p->parent, p->token);
	else
		json_remove_item(p->parent, p->index);
}

static void place_replace(struct json_doc *doc, struct place *p, struct json *value)
{
	if (p->parent && json_is_arr(p->parent))
		json_replace_item(p->parent, p->index, value);
	else
		place_add(doc, p, value);
}

/* Takes the size of @v from what may still be copied. Return: 0 or -E2BIG */
static int copy_charge(const struct json *v, size_t *left, struct err *e)
{
	struct buf text = BUF_INIT(*left);
	int r = json_write(v, &text);

	if (r == 0)
		*left -= text.len;
	buf_done(&text);
	return r < 0 ? err_set(e, -E2BIG, "copies of more than %zu bytes", COPY_MAX) : 0;
}

/* move and copy: the value of "from", which move takes away first. */
static int take_from(struct json_doc *doc, const char *from, bool move, size_t *copy_left,
		     struct json **value, struct err *e)
{
	struct place p;
	int r = place_find(doc, from, &p, e);

	if (r == 0 && !p.value)
		r = err_set(e, -EBADMSG, "path %.100s does not exist", from);
	if (r == 0 && move && !p.parent)
		r = err_set(e, -EBADMSG, "the whole document cannot be moved");
	if (r == 0 && !move)
		r = copy_charge(p.value, copy_left, e);
	if (r == 0) {
		*value = json_copy(doc, p.value);
		if (move)
			place_remove(&p);
	}
	free(p.token);
	return r;
}

static int apply_op(struct json_doc *doc, const struct json *op, size_t *copy_left, struct err *e)
{
	const char *what = json_str(json_get(op, "op"), ""),
		   *path = json_str(json_get(op, "path"), NULL);
	bool move = str_eq(what, "move"), copy = str_eq(what, "copy"), add = str_eq(what, "add");
	struct json *value = json_copy(doc, json_get(op, "value"));
	struct place p;
	int r = 0;

	if (!path)
		return err_set(e, -EBADMSG, "operation without a path");
	if (move || copy)
		r = take_from(doc, json_str(json_get(op, "from"), ""), move, copy_left, &value, e);
	if (r < 0)
		return r;
	r = place_find(doc, path, &p, e);
	if (r == 0 && !value && !str_eq(what, "remove"))
		r = err_set(e, -EBADMSG, "operation '%.20s' at %.100s has no value", what, path);
	if (r == 0 && !add && !move && !copy && !p.value)
		r = err_set(e, -EBADMSG, "path %.100s does not exist", path);
	if (r == 0 && str_eq(what, "test"))
		r = json_equal(p.value, value)
			    ? 0
			    : err_set(e, -EBADMSG, "testing path %.100s failed", path);
	else if (r == 0 && (add || move || copy))
		place_add(doc, &p, value);
	else if (r == 0 && str_eq(what, "replace"))
		place_replace(doc, &p, value);
	else if (r == 0 && str_eq(what, "remove") && p.parent)
		place_remove(&p);
	else if (r == 0)
		r = err_set(e, -EBADMSG, "unexpected kind: %.20s", what);
	free(p.token);
	return r;
}

int patch_json(struct json_doc *doc, const struct json *ops, struct err *e)
{
	struct json_iter it = json_iter(ops);
	size_t copy_left = COPY_MAX;
	int r = 0;

	if (!json_is_arr(ops))
		return err_set(e, -EBADMSG, "a JSON patch must be an array");
	if (json_count(ops) > OPS_MAX)
		return err_set(e, -E2BIG, "more than %d operations", OPS_MAX);
	while (r == 0 && json_next(&it))
		r = apply_op(doc, it.value, &copy_left, e);
	return r;
}
