// SPDX-License-Identifier: Apache-2.0
/* The store: revisions, conditions, restart, the ring and its subscribers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/store.h"

static const char *const volatiles[] = {"leases", NULL};

static struct json_doc *doc_of(const char *text)
{
	struct json_doc *doc;
	struct err e = ERR_INIT;

	if (json_parse(text, strlen(text), &doc, &e) < 0)
		fail_msg("%s", err_msg(&e));
	return doc;
}

static struct store *open_at(const char *path)
{
	struct store_config c = {.path = path, .volatiles = volatiles, .ring_size = 4};
	struct err e = ERR_INIT;
	struct store *s;

	if (store_open(NULL, &c, &s, &e) < 0)
		fail_msg("%s", err_msg(&e));
	return s;
}

static const char *meta(struct store_object *o, const char *key)
{
	return json_str(json_at(json_root(o->doc), "metadata", key, NULL), "");
}

static void add(struct store *s, const char *resource, const char *ns, const char *name)
{
	assert_int_equal(store_create(s, resource, ns, name, doc_of("{\"spec\":{}}"), NULL, NULL),
			 0);
}

static void test_write(void **state)
{
	struct store *s = open_at(NULL);
	struct store_object *o;
	struct err e = ERR_INIT;
	uint64_t rev;
	char uid[STORE_UID_SIZE];

	(void)state;
	assert_int_equal(store_create(s, "pods", "a", "x",
				      doc_of("{\"metadata\":{\"generation\":1}}"), &o, &e),
			 0);
	assert_int_equal(strlen(meta(o, "uid")), 36);
	assert_int_equal(strlen(meta(o, "creationTimestamp")), 20);
	str_copy(uid, sizeof(uid), meta(o, "uid"));
	rev = o->rev;
	assert_int_equal(strtoull(meta(o, "resourceVersion"), NULL, 10), rev);
	assert_int_equal(store_create(s, "pods", "a", "x", doc_of("{}"), NULL, &e), -EEXIST);
	assert_int_equal(store_update(s, "pods", "a", "y", 0, doc_of("{}"), NULL, &e), -ENOENT);
	assert_int_equal(store_update(s, "pods", "a", "x", rev + 7, doc_of("{}"), NULL, &e),
			 -ESTALE);
	assert_int_equal(
		store_update(s, "pods", "a", "x", rev,
			     doc_of("{\"metadata\":{\"uid\":\"other\"},\"spec\":{\"a\":1}}"), &o,
			     &e),
		0);
	assert_string_equal(meta(o, "uid"), uid);
	assert_int_equal(json_int(json_at(json_root(o->doc), "metadata", "generation", NULL), 0),
			 2);
	assert_true(o->rev > rev);
	rev = o->rev;
	assert_int_equal(
		store_update(s, "pods", "a", "x", 0, doc_of("{\"spec\":{\"a\":1}}"), &o, &e), 0);
	assert_int_equal(o->rev, rev); /* nothing changed */
	assert_int_equal(store_delete(s, "pods", "a", "x", rev + 1, &e), -ESTALE);
	assert_int_equal(store_delete(s, "pods", "a", "x", rev, &e), 0);
	assert_int_equal(store_delete(s, "pods", "a", "x", 0, &e), -ENOENT);
	assert_null(store_get(s, "pods", "a", "x"));
	store_close(s);
}

static void test_order(void **state)
{
	static const char *const want[] = {"a/x", "a/y", "b/a"};
	struct store *s = open_at(NULL);
	struct store_object *o;
	const char *ns = NULL, *name = NULL;
	char got[16];

	(void)state;
	add(s, "pods", "b", "a");
	add(s, "pods", "a", "y");
	add(s, "pods", "a", "x");
	for (size_t n = 0; n < ARRAY_SIZE(want); n++) {
		o = store_next(s, "pods", NULL, ns, name);
		assert_non_null(o);
		ns = o->namespace;
		name = o->name;
		snprintf(got, sizeof(got), "%s/%s", ns, name);
		assert_string_equal(got, want[n]);
	}
	assert_null(store_next(s, "pods", NULL, ns, name));
	o = store_next(s, "pods", "b", NULL, NULL);
	assert_string_equal(o->name, "a");
	assert_null(store_next(s, "pods", "b", "b", "a"));
	assert_null(store_next(s, "pods", "aa", NULL, NULL));
	assert_string_equal(store_next(s, "pods", NULL, "a", "xx")->name, "y");
	assert_int_equal(store_count(s, "pods"), 3);
	store_close(s);
}

static void test_restart(void **state)
{
	char dir[] = "/tmp/test-store-XXXXXX", path[64];
	struct store_config c = {.path = path};
	struct err e = ERR_INIT;
	struct store *s, *second;
	uint64_t rev;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/db", dir);
	s = open_at(path);
	add(s, "pods", "a", "x");
	add(s, "pods", "a", "gone");
	add(s, "leases", "a", "x");
	assert_int_equal(store_delete(s, "pods", "a", "gone", 0, NULL), 0);
	rev = store_rev(s);
	assert_int_equal(store_open(NULL, &c, &second, &e), -EBUSY);
	assert_non_null(strstr(err_msg(&e), "in use"));
	store_close(s);

	s = open_at(path);
	assert_non_null(store_get(s, "pods", "a", "x"));
	assert_null(store_get(s, "pods", "a", "gone"));
	assert_null(store_get(s, "leases", "a", "x"));
	assert_true(store_rev(s) > rev); /* numbers of volatile writes are never given out again */
	store_close(s);
	file_remove_tree(-100, dir);
}

struct reader {
	struct store_sub sub;
	struct store *s;
	char seen[256];
	bool write, leave;
};

static void on_event(struct store_sub *sub, const struct store_event *ev)
{
	static const char letter[] = "AMD";
	struct reader *r = container_of(sub, struct reader, sub);
	size_t at = strlen(r->seen);

	snprintf(r->seen + at, sizeof(r->seen) - at, "%c%s%s ", letter[ev->type], ev->object->name,
		 ev->old ? "+" : "");
	if (r->write && ev->type == STORE_ADDED)
		store_update(r->s, "pods", "a", ev->object->name, 0, doc_of("{\"spec\":{\"n\":1}}"),
			     NULL, NULL);
	if (r->leave)
		store_unsubscribe(sub);
}

/* Patches make an object grow without end: it is refused before it is anywhere. */
static void test_too_large(void **state)
{
	struct store *s = open_at(NULL);
	char *big = mem_array(STORE_OBJECT_MAX, 1);
	struct json_doc *doc = json_doc_new();
	struct err e = ERR_INIT;

	(void)state;
	add(s, "pods", "a", "x");
	memset(big, 'b', STORE_OBJECT_MAX - 1);
	json_set_root(doc, json_new_obj(doc));
	json_put_str(doc, json_root(doc), "spec", big);
	assert_int_equal(store_update(s, "pods", "a", "x", 0, doc, NULL, &e), -E2BIG);
	assert_non_null(strstr(e.msg, "more than"));
	assert_true(store_get(s, "pods", "a", "x")->len < 1000);
	doc = json_doc_new();
	json_set_root(doc, json_new_obj(doc));
	json_put_str(doc, json_root(doc), "spec", big);
	assert_int_equal(store_create(s, "pods", "a", "y", doc, NULL, &e), -E2BIG);
	assert_null(store_get(s, "pods", "a", "y"));
	free(big);
	store_close(s);
}

static void test_ring(void **state)
{
	struct store *s = open_at(NULL);
	struct reader a = {.s = s, .write = true}, b = {.s = s}, late = {.s = s};
	uint64_t rev;

	(void)state;
	add(s, "pods", "a", "p0");
	rev = store_rev(s);
	assert_int_equal(store_subscribe(s, &a.sub, "pods", rev, on_event), 0);
	assert_int_equal(store_subscribe(s, &b.sub, "pods", rev - 1, on_event), 0);
	add(s, "pods", "a", "p1");
	add(s, "nodes", "", "n");
	store_dispatch(s);
	assert_string_equal(a.seen, "Ap1 Mp1+ ");
	assert_string_equal(b.seen, "Ap0 Ap1 Mp1+ ");
	b.leave = true;
	b.seen[0] = '\0';
	add(s, "pods", "a", "p2");
	store_delete(s, "pods", "a", "p2", 0, NULL);
	store_dispatch(s);
	assert_string_equal(b.seen, "Ap2 ");
	/* five events were more than the ring holds */
	assert_int_equal(store_subscribe(s, &late.sub, "pods", rev - 1, on_event), -EOVERFLOW);
	assert_int_equal(store_subscribe(s, &late.sub, "pods", rev + 1, on_event), 0);
	assert_int_equal(store_subscribe(s, &b.sub, "nodes", rev, on_event), 0);
	store_unsubscribe(&b.sub);
	store_unsubscribe(&b.sub);
	store_close(s);
}

/* One call that changes more than the ring holds: whoever listens hears of all of it. */
static void test_ring_burst(void **state)
{
	struct store *s = open_at(NULL);
	struct reader a = {.s = s}, late = {.s = s};
	uint64_t rev = store_rev(s);

	(void)state;
	assert_int_equal(store_subscribe(s, &a.sub, "pods", rev, on_event), 0);
	for (char name[3] = "p0"; name[1] <= '9'; name[1]++)
		add(s, "pods", "a", name);
	store_dispatch(s);
	assert_string_equal(a.seen, "Ap0 Ap1 Ap2 Ap3 Ap4 Ap5 Ap6 Ap7 Ap8 Ap9 ");
	/* What everybody has had may go. */
	for (char name[3] = "q0"; name[1] <= '9'; name[1]++)
		add(s, "pods", "a", name);
	assert_int_equal(store_subscribe(s, &late.sub, "pods", rev, on_event), -EOVERFLOW);
	store_unsubscribe(&a.sub);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),	cmocka_unit_test(test_order),
		cmocka_unit_test(test_restart), cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_ring),	cmocka_unit_test(test_ring_burst),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
