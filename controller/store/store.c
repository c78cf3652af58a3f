// SPDX-License-Identifier: Apache-2.0
/*
 * All objects live in memory, in one sorted array per resource, as Kubernetes' API server keeps them
 * in its watch cache; reads never touch the disk. A write goes to the database first, then to memory,
 * then into the ring of its resource. Revisions must never repeat, and volatile resources count too
 * without being written: the database keeps a ceiling that is raised in blocks, and a restart goes on
 * from there.
 */
#include "store/store.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/str.h"
#include "db.h"
#include "internal.h"

#define REV_BLOCK 10000

struct store_object *store_ref(struct store_object *o)
{
	o->refs++;
	return o;
}

void store_unref(struct store_object *o)
{
	if (!o || --o->refs)
		return;
	json_doc_free(o->doc);
	free((char *)(uintptr_t)o->namespace);
	free((char *)(uintptr_t)o->name);
	free((char *)(uintptr_t)o->text);
	free(o);
}

/* Takes @doc over. Return: NULL when it has more than @max bytes as text */
static struct store_object *object_new(const char *namespace, const char *name, uint64_t rev,
				       struct json_doc *doc, size_t max)
{
	struct buf text = BUF_INIT(max);
	struct store_object *o;

	if (json_write(json_root(doc), &text) < 0) {
		json_doc_free(doc);
		buf_done(&text);
		return NULL;
	}
	o = mem_alloc(sizeof(*o));
	o->refs = 1;
	o->rev = rev;
	o->namespace = mem_strdup(namespace);
	o->name = mem_strdup(name);
	o->doc = doc;
	o->len = text.len;
	o->text = buf_take(&text);
	return o;
}

/* The table of a resource, made at its first use. */
struct store_table *store_table(struct store *s, const char *resource)
{
	struct store_table *t;

	list_for_each(t, &s->tables, node) {
		if (str_eq(t->resource, resource))
			return t;
	}
	t = mem_alloc(sizeof(*t));
	t->store = s;
	t->resource = mem_strdup(resource);
	t->ring_size = s->ring_size;
	t->ring = mem_array(t->ring_size, sizeof(*t->ring));
	t->lost_rev = s->start_rev;
	for (size_t i = 0; s->volatiles && s->volatiles[i]; i++)
		t->is_volatile |= str_eq(s->volatiles[i], resource);
	list_init(&t->subs);
	list_add(&s->tables, &t->node);
	return t;
}

static int key_cmp(const char *ns_a, const char *name_a, const struct store_object *b)
{
	int c = strcmp(ns_a, b->namespace);

	return c ? c : strcmp(name_a, b->name);
}

/* Index of the first object that is not before the key. */
static size_t table_find(const struct store_table *t, const char *namespace, const char *name,
			 bool *found)
{
	size_t lo = 0, hi = t->count;

	*found = false;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int c = key_cmp(namespace, name, t->objects[mid]);

		if (c == 0) {
			*found = true;
			return mid;
		}
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

static void table_insert(struct store_table *t, size_t at, struct store_object *o)
{
	if (t->count == t->size) {
		size_t size = t->size ? t->size * 2 : 16;
		struct store_object **more = mem_array(size, sizeof(*more));

		if (t->count)
			memcpy(more, t->objects, t->count * sizeof(*more));
		free(t->objects);
		t->objects = more;
		t->size = size;
	}
	memmove(t->objects + at + 1, t->objects + at, (t->count - at) * sizeof(*t->objects));
	t->objects[at] = o;
	t->count++;
}

static void table_take_out(struct store_table *t, size_t at)
{
	t->count--;
	memmove(t->objects + at, t->objects + at + 1, (t->count - at) * sizeof(*t->objects));
}

static int load_row(void *arg, const char *resource, const char *namespace, const char *name,
		    uint64_t rev, const char *text, size_t len)
{
	struct store *s = arg;
	struct store_table *t = store_table(s, resource);
	struct store_object *o = NULL;
	struct err e = ERR_INIT;
	struct json_doc *doc;

	if (json_parse(text, len, &doc, &e) == 0)
		o = object_new(namespace, name, rev, doc, 0);
	if (!o) {
		log_error("store", "ev=row_unreadable resource=%s ns=%s name=%s msg=\"%s\"",
			  resource, namespace, name, err_msg(&e));
		return 0; /* the row stays for whoever wants to look */
	}
	table_insert(t, t->count, o);
	return 0;
}

static int raise_ceiling(struct store *s, struct err *e)
{
	int r = s->db ? db_set_ceiling(s->db, s->rev + REV_BLOCK, e) : 0;

	if (r == 0)
		s->ceiling = s->rev + REV_BLOCK;
	return r;
}

int store_open(struct loop *loop, const struct store_config *config, struct store **out,
	       struct err *e)
{
	struct store *s = mem_alloc(sizeof(*s));
	int r = 0;

	s->loop = loop;
	list_init(&s->tables);
	s->volatiles = config->volatiles;
	s->ring_size = config->ring_size ? config->ring_size : 4096;
	if (config->path)
		r = db_open(config->path, &s->db, e);
	if (r == 0 && s->db)
		r = db_get_ceiling(s->db, &s->rev, e);
	s->rev = MAX(s->rev, 1);
	s->start_rev = s->rev;
	if (r == 0)
		r = raise_ceiling(s, e);
	if (r == 0 && s->db)
		r = db_load(s->db, load_row, s, e);
	if (r < 0) {
		store_close(s);
		return r;
	}
	*out = s;
	return 0;
}

struct store *store_close(struct store *s)
{
	struct store_table *t, *tmp;

	if (!s)
		return NULL;
	defer_cancel(&s->defer);
	list_for_each_safe(t, tmp, &s->tables, node) {
		store_ring_free(t);
		for (size_t i = 0; i < t->count; i++)
			store_unref(t->objects[i]);
		free(t->objects);
		free(t->resource);
		free(t);
	}
	db_close(s->db);
	free(s);
	return NULL;
}

uint64_t store_rev(const struct store *s)
{
	return s->rev;
}

struct store_object *store_get(struct store *s, const char *resource, const char *namespace,
			       const char *name)
{
	struct store_table *t = store_table(s, resource);
	bool found;
	size_t at = table_find(t, namespace, name, &found);

	return found ? t->objects[at] : NULL;
}

struct store_object *store_next(struct store *s, const char *resource, const char *namespace,
				const char *after_namespace, const char *after_name)
{
	struct store_table *t = store_table(s, resource);
	struct store_object *o;
	bool found = false;
	size_t at = 0;

	if (after_name)
		at = table_find(t, after_namespace, after_name, &found) + found;
	else if (namespace)
		at = table_find(t, namespace, "", &found);
	if (at >= t->count)
		return NULL;
	o = t->objects[at];
	return namespace && !str_eq(o->namespace, namespace) ? NULL : o;
}

size_t store_count(struct store *s, const char *resource)
{
	return store_table(s, resource)->count;
}

void store_new_uid(char out[STORE_UID_SIZE])
{
	unsigned char b[16];
	char hex[33];

	random_fill(b, sizeof(b));
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	str_hex(hex, b, sizeof(b));
	for (int i = 0, o = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			out[o++] = '-';
		out[o++] = hex[i];
		out[o] = '\0';
	}
}

static int too_large(const char *resource, const char *name, struct err *e)
{
	return err_set(e, -E2BIG, "%s \"%s\" has more than %zu bytes", resource, name,
		       STORE_OBJECT_MAX);
}

/* The number of the next write; nothing is taken yet. */
static int next_rev(struct store *s, uint64_t *rev, struct err *e)
{
	int r = s->rev + 1 < s->ceiling ? 0 : raise_ceiling(s, e);

	*rev = s->rev + 1;
	return r;
}

static void set_rev(struct json_doc *doc, struct json *meta, uint64_t rev)
{
	json_put_fmt(doc, meta, "resourceVersion", "%llu", (unsigned long long)rev);
}

int store_create(struct store *s, const char *resource, const char *namespace, const char *name,
		 struct json_doc *doc, struct store_object **out, struct err *e)
{
	struct store_table *t = store_table(s, resource);
	struct json *meta = json_obj_of(doc, json_root(doc), "metadata");
	char uid[STORE_UID_SIZE], now[CLOCK_RFC3339_MAX];
	struct store_object *o;
	uint64_t rev;
	bool found;
	size_t at = table_find(t, namespace, name, &found);
	int r = next_rev(s, &rev, e);

	if (found)
		r = err_set(e, -EEXIST, "%s \"%s\" already exists", resource, name);
	if (r < 0) {
		json_doc_free(doc);
		return r;
	}
	store_new_uid(uid);
	if (!*json_str(json_get(meta, "uid"), ""))
		json_put_str(doc, meta, "uid", uid);
	if (!*json_str(json_get(meta, "creationTimestamp"), ""))
		json_put_str(doc, meta, "creationTimestamp", clock_rfc3339(now, time(NULL)));
	set_rev(doc, meta, rev);
	o = object_new(namespace, name, rev, doc, STORE_OBJECT_MAX);
	if (!o)
		return too_large(resource, name, e);
	if (s->db && !t->is_volatile)
		r = db_put(s->db, resource, namespace, name, rev, o->text, o->len, e);
	if (r < 0) {
		store_unref(o);
		return r;
	}
	s->rev = rev;
	table_insert(t, at, o);
	store_ring_add(t, STORE_ADDED, rev, o, NULL);
	if (out)
		*out = o;
	return 0;
}

/* What the server owns stays as it was. Return: whether nothing changed at all. */
static bool carry_over(struct json_doc *doc, const struct store_object *old)
{
	struct json *root = json_root(doc), *meta = json_obj_of(doc, root, "metadata");
	const struct json *was = json_root(old->doc), *was_meta = json_get(was, "metadata");
	int64_t generation = json_int(json_get(was_meta, "generation"), 0);

	json_put(doc, meta, "uid", json_copy(doc, json_get(was_meta, "uid")));
	json_put(doc, meta, "creationTimestamp",
		 json_copy(doc, json_get(was_meta, "creationTimestamp")));
	if (generation) {
		if (!json_equal(json_get(root, "spec"), json_get(was, "spec")))
			generation++;
		json_put_int(doc, meta, "generation", generation);
	}
	set_rev(doc, meta, old->rev);
	return json_equal(root, was);
}

int store_update(struct store *s, const char *resource, const char *namespace, const char *name,
		 uint64_t rev, struct json_doc *doc, struct store_object **out, struct err *e)
{
	struct store_table *t = store_table(s, resource);
	struct store_object *o, *old;
	bool found;
	size_t at = table_find(t, namespace, name, &found);
	uint64_t next;
	int r = 0;

	if (!found)
		r = err_set(e, -ENOENT, "%s \"%s\" not found", resource, name);
	else if (rev && t->objects[at]->rev != rev)
		r = err_set(e, -ESTALE, "%s \"%s\" has been modified", resource, name);
	if (r < 0) {
		json_doc_free(doc);
		return r;
	}
	old = t->objects[at];
	if (carry_over(doc, old)) {
		json_doc_free(doc);
		if (out)
			*out = old;
		return 0;
	}
	r = next_rev(s, &next, e);
	if (r < 0) {
		json_doc_free(doc);
		return r;
	}
	set_rev(doc, json_get(json_root(doc), "metadata"), next);
	o = object_new(namespace, name, next, doc, STORE_OBJECT_MAX);
	if (!o)
		return too_large(resource, name, e);
	if (s->db && !t->is_volatile)
		r = db_put(s->db, resource, namespace, name, next, o->text, o->len, e);
	if (r < 0) {
		store_unref(o);
		return r;
	}
	s->rev = next;
	t->objects[at] = o;
	store_ring_add(t, STORE_MODIFIED, next, o, old);
	store_unref(old);
	if (out)
		*out = o;
	return 0;
}

int store_delete(struct store *s, const char *resource, const char *namespace, const char *name,
		 uint64_t rev, struct err *e)
{
	struct store_table *t = store_table(s, resource);
	struct store_object *o, *old;
	struct json_doc *doc;
	uint64_t next;
	bool found;
	size_t at = table_find(t, namespace, name, &found);
	int r;

	if (!found)
		return err_set(e, -ENOENT, "%s \"%s\" not found", resource, name);
	old = t->objects[at];
	if (rev && old->rev != rev)
		return err_set(e, -ESTALE, "%s \"%s\" has been modified", resource, name);
	r = next_rev(s, &next, e);
	if (r < 0)
		return r;
	doc = json_doc_new();
	json_set_root(doc, json_copy(doc, json_root(old->doc)));
	set_rev(doc, json_get(json_root(doc), "metadata"), next);
	o = object_new(old->namespace, old->name, next, doc, 0);
	if (!o)
		return too_large(resource, name, e);
	if (s->db && !t->is_volatile)
		r = db_delete(s->db, resource, namespace, name, e);
	if (r < 0) {
		store_unref(o);
		return r;
	}
	s->rev = next;
	table_take_out(t, at);
	store_ring_add(t, STORE_DELETED, next, o, old);
	store_unref(o);
	store_unref(old);
	return 0;
}
