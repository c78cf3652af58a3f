// SPDX-License-Identifier: Apache-2.0
/* /hypermetal/images: who may, which path means what, and how failures are told. The images are fake. */
#include "api_world.h"

#include <errno.h>
#include <stdio.h>

#include "api/api.h"
#include "base/mem.h"

#define IMAGES "/hypermetal/images"

static struct {
	char said[256];
	int answer;
	bool done;
} fake;

static void fake_list(struct json_doc *doc, struct json *items, void *arg)
{
	(void)arg;
	json_push(doc, items, json_new_str(doc, "v1"));
}

static int fake_begin(const char *version, const struct json *manifest, struct err *e, void *arg)
{
	(void)arg;
	snprintf(fake.said, sizeof(fake.said), "begin %s %s", version,
		 json_str(json_get(manifest, "a"), "?"));
	return fake.answer ? err_set(e, fake.answer, "no") : 0;
}

static int fake_write(const char *version, const char *name, uint64_t offset, const void *data,
		      size_t len, bool *done, struct err *e, void *arg)
{
	(void)arg;
	*done = fake.done;
	snprintf(fake.said, sizeof(fake.said), "write %s %s %llu %.*s", version, name,
		 (unsigned long long)offset, (int)len, (const char *)data);
	return fake.answer ? err_set(e, fake.answer, "no") : 0;
}

static int fake_remove(const char *version, struct err *e, void *arg)
{
	(void)arg;
	snprintf(fake.said, sizeof(fake.said), "remove %s", version);
	return fake.answer ? err_set(e, fake.answer, "no") : 0;
}

static const struct api_images images = {fake_list, fake_begin, fake_write, fake_remove, NULL};

static void assert_said(struct world *w, const char *method, const char *path, const char *query,
			const char *body, int status, const char *said)
{
	fake.said[0] = '\0';
	assert_int_equal(ask(w, method, path, query, body), status);
	assert_string_equal(fake.said, said);
}

static void test_calls(void **state)
{
	struct world *w = *state;

	assert_int_equal(ask(w, "GET", IMAGES, "", ""), 404); /* there are none here */
	w->site.images = &images;
	assert_int_equal(ask(w, "GET", IMAGES, "", ""), 200);
	assert_string_equal(TEXT(w, "kind"), "ImageList");
	assert_int_equal(json_count(AT(w, "items")), 1);
	assert_said(w, "POST", IMAGES "/v2", "", "{\"a\":\"b\"}", 200, "begin v2 b");
	assert_said(w, "POST", IMAGES "/v2", "", "{", 400, "");
	assert_said(w, "PUT", IMAGES "/v2/bzImage", "offset=12", "abc", 200,
		    "write v2 bzImage 12 abc");
	fake.done = true;
	assert_said(w, "PUT", IMAGES "/v2/bzImage", "offset=0", "", 201, "write v2 bzImage 0 ");
	fake.done = false;
	assert_said(w, "PUT", IMAGES "/v2/bzImage", "", "abc", 400, "");
	assert_said(w, "PUT", IMAGES "/v2/bzImage", "offset=-1", "abc", 400, "");
	assert_said(w, "DELETE", IMAGES "/v2", "", "", 200, "remove v2");
	assert_said(w, "DELETE", IMAGES, "", "", 405, "");
	assert_said(w, "PUT", IMAGES "/v2", "", "", 405, "");
	assert_said(w, "GET", IMAGES "/", "", "", 404, "");
	assert_said(w, "GET", IMAGES "x", "", "", 404, "");
}

static void test_failures(void **state)
{
	static const struct {
		int error, status;
		const char *reason;
	} table[] = {
		{-ENOENT, 404, "NotFound"},	 {-EEXIST, 409, "AlreadyExists"},
		{-ENOTUNIQ, 409, "Conflict"},	 {-EBUSY, 409, "Conflict"},
		{-EBADMSG, 422, "Invalid"},	 {-EINVAL, 422, "Invalid"},
		{-ENOSPC, 507, "InternalError"}, {-EIO, 500, "InternalError"},
	};
	struct world *w = *state;

	w->site.images = &images;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		fake.answer = table[i].error;
		assert_int_equal(ask(w, "DELETE", IMAGES "/v", "", ""), table[i].status);
		assert_string_equal(TEXT(w, "reason"), table[i].reason);
		assert_string_equal(TEXT(w, "message"), "no");
		assert_int_equal(ask(w, "PUT", IMAGES "/v/f", "offset=0", "x"), table[i].status);
		assert_int_equal(ask(w, "POST", IMAGES "/v", "", "{}"), table[i].status);
	}
	fake.answer = 0;
}

/* Administrators alone: neither hosts nor accounts nor strangers */
static void test_who(void **state)
{
	struct world *w = *state;

	w->site.images = &images;
	add_node(w, "n");
	be(w, "system:node:n", "system:nodes");
	assert_said(w, "GET", IMAGES, "", "", 403, "");
	assert_said(w, "DELETE", IMAGES "/v", "", "", 403, "");
	be(w, "system:serviceaccount:default:a", "system:authenticated");
	assert_said(w, "POST", IMAGES "/v", "", "{}", 403, "");
	be(w, "", "system:unauthenticated");
	assert_said(w, "PUT", IMAGES "/v/f", "offset=0", "x", 401, "");
}

/* A host says nothing about which image it is to boot. */
static void test_annotations(void **state)
{
	static const char node[] = "/api/v1/nodes/n";
	static const char set[] =
		"{\"metadata\":{\"annotations\":{\"hypermetal.io/image\":\"v1\"}}}";
	struct world *w = *state;

	w->type = SMP;
	add_node(w, "n");
	be(w, "system:node:n", "system:nodes");
	assert_int_equal(ask(w, "PATCH", node, "", set), 403);
	assert_int_equal(ask(w, "PATCH", "/api/v1/nodes/n/status", "", set), 200);
	assert_string_equal(TEXT(w, "metadata", "annotations", "hypermetal.io/image"), "");
	be(w, "admin", "system:masters");
	assert_int_equal(ask(w, "PATCH", node, "", set), 200);
	be(w, "system:node:n", "system:nodes");
	assert_int_equal(ask(w, "PATCH", node, "",
			     "{\"metadata\":{\"annotations\":{\"hypermetal.io/image\":null}}}"),
			 403);
	assert_int_equal(
		ask(w, "PATCH", node, "", "{\"metadata\":{\"annotations\":{\"a\":\"b\"}}}"), 200);
	assert_int_equal(
		ask(w, "PATCH", node, "",
		    "{\"metadata\":{\"annotations\":{\"hypermetal.io/inventory\":\"{}\"}}}"),
		200);
	assert_int_equal(ask(w, "PATCH", "/api/v1/nodes/n/status", "",
			     "{\"metadata\":{\"annotations\":null}}"),
			 200);
	assert_string_equal(TEXT(w, "metadata", "annotations", "hypermetal.io/image"), "v1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(test_calls),
		WORLD_TEST(test_failures),
		WORLD_TEST(test_who),
		WORLD_TEST(test_annotations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
