// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include <errno.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "json/json.h"

static struct json_doc *parse(const char *text)
{
	struct json_doc *doc = NULL;
	struct err e = ERR_INIT;

	if (json_parse(text, strlen(text), &doc, &e) < 0)
		fail_msg("%s: %s", text, err_msg(&e));
	return doc;
}

static void assert_json(const struct json *v, const char *text)
{
	struct buf b = BUF_INIT(0);

	assert_int_equal(json_write(v, &b), 0);
	assert_string_equal(buf_str(&b), text);
	buf_done(&b);
}

static const struct {
	const char *text;
	int code;
} refused[] = {
	{"", -EBADMSG},
	{" ", -EBADMSG},
	{"{", -EBADMSG},
	{"{}x", -EBADMSG},
	{"{} {}", -EBADMSG},
	{"[1,]", -EBADMSG},
	{"{\"a\":1,}", -EBADMSG},
	{"{'a':1}", -EBADMSG},
	{"NaN", -EBADMSG},
	{"[Infinity]", -EBADMSG},
	{"01", -EBADMSG},
	{"\"\x01\"", -EBADMSG},
	{"\"\xff\"", -EBADMSG},
	{"\"\\ud800\"", -EBADMSG},
	{"\"a\\u0000b\"", -EBADMSG},
	{"{\"a\\u0000\":1}", -EBADMSG},
	{"/**/1", -EBADMSG},
	{"1e999", -EBADMSG},
};

static void test_refused(void **state)
{
	char deep[2 * JSON_DEPTH_MAX + 4];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct err e = ERR_INIT;
		struct json_doc *doc = NULL;

		if (json_parse(refused[i].text, strlen(refused[i].text), &doc, &e) !=
		    refused[i].code)
			fail_msg("taken: %s", refused[i].text);
		assert_null(doc);
		assert_true(strlen(e.msg) > 8);
	}
	memset(deep, '[', sizeof(deep) / 2);
	memset(deep + sizeof(deep) / 2, ']', sizeof(deep) / 2);
	struct json_doc *doc = NULL;

	/* one level too many, then as many as allowed; brackets inside strings do not count */
	assert_int_equal(json_parse(deep + 1, sizeof(deep) - 2, &doc, NULL), -E2BIG);
	assert_int_equal(json_parse(deep + 2, sizeof(deep) - 4, &doc, NULL), 0);
	doc = json_doc_free(doc);
	doc = parse(
		"\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\"");
	json_doc_free(doc);
}

static void test_read(void **state)
{
	_cleanup_json_ struct json_doc *doc = parse(
		" {\"s\":\"\\u00e4\\n\\\\u0000\",\"n\":null,\"t\":true,\"i\":-9223372036854775808,"
		"\"big\":9223372036854775808,\"r\":1.5,\"a\":[1,\"two\",[3]],\"o\":{\"p\":{\"q\":7}}} ");
	struct json *root = json_root(doc);

	(void)state;
	assert_true(json_is_obj(root));
	assert_int_equal(json_count(root), 8);
	assert_string_equal(json_str(json_get(root, "s"), NULL), "\xc3\xa4\n\\u0000");
	assert_int_equal(json_type(json_get(root, "n")), JSON_NULL);
	assert_true(json_bool(json_get(root, "t"), false));
	assert_true(json_int(json_get(root, "i"), 0) == INT64_MIN);
	assert_int_equal(json_type(json_get(root, "big")), JSON_REAL);
	assert_int_equal(json_int(json_get(root, "big"), -7), -7);
	assert_true(json_real(json_get(root, "big"), 0) > 9.2e18);
	assert_true(json_real(json_get(root, "r"), 0) == 1.5);
	assert_int_equal(json_int(json_get(root, "r"), -7), -7);
	assert_int_equal(json_int(json_at(root, "o", "p", "q", NULL), 0), 7);
	assert_int_equal(json_int(json_item(json_get(root, "a"), 0), 0), 1);
	assert_int_equal(json_count(json_get(root, "a")), 3);
	/* absent and of another type */
	assert_null(json_at(root, "o", "x", "q", NULL));
	assert_null(json_at(root, "s", "x", NULL));
	assert_null(json_get(NULL, "x"));
	assert_null(json_item(root, 0));
	assert_null(json_item(json_get(root, "a"), 3));
	assert_int_equal(json_type(NULL), JSON_NONE);
	assert_int_equal(json_count(NULL), 0);
	assert_string_equal(json_str(NULL, "else"), "else");
	assert_string_equal(json_str(json_get(root, "i"), "else"), "else");
	assert_int_equal(json_int(json_get(root, "s"), 4), 4);
	assert_false(json_bool(json_get(root, "i"), false));
	assert_true(json_real(json_get(root, "s"), 2.5) == 2.5);
}

static void test_iterate(void **state)
{
	static const char *const texts[] = {
		"{}", "[]", "{\"a\":1}", "[1]", "{\"a\":1,\"b\":2,\"c\":3}", "[1,2,3]"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_json_ struct json_doc *doc = parse(texts[i]);
		struct json_iter it = json_iter(json_root(doc));
		int64_t n = 0;

		while (json_next(&it)) {
			char key[2] = {(char)('a' + n), '\0'};

			n++;
			assert_int_equal(json_int(it.value, 0), n);
			if (json_is_obj(json_root(doc)))
				assert_string_equal(it.key, key);
			else
				assert_null(it.key);
		}
		assert_int_equal(n, json_count(json_root(doc)));
		assert_false(json_next(&it));
	}
	struct json_iter none = json_iter(NULL);

	assert_false(json_next(&none));
}

static void test_build(void **state)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc), *list;
	char text[] = "copied";

	(void)state;
	assert_null(json_root(doc));
	json_set_root(doc, root);
	json_put_str(doc, root, "s", text);
	text[0] = 'X';
	json_put_int(doc, root, "i", -5);
	json_put_bool(doc, root, "b", true);
	json_put_fmt(doc, root, "f", "%s-%d", "x", 3);
	json_put(doc, root, "z", json_new_null(doc));
	list = json_arr_of(doc, root, "list");
	json_push(doc, list, json_new_int(doc, 1));
	json_push(doc, list, json_new_real(doc, 0.5));
	json_push(doc, list, json_new_fmt(doc, "%d", 7));
	assert_ptr_equal(json_arr_of(doc, root, "list"), list);
	json_put_int(doc, json_obj_of(doc, json_obj_of(doc, root, "o"), "p"), "q", 1);
	json_put_int(doc, json_obj_of(doc, json_obj_of(doc, root, "o"), "p"), "r", 2);
	assert_json(json_root(doc),
		    "{\"s\":\"copied\",\"i\":-5,\"b\":true,\"f\":\"x-3\",\"z\":null,"
		    "\"list\":[1,0.5,\"7\"],\"o\":{\"p\":{\"q\":1,\"r\":2}}}");
	/* replacing keeps the place, whatever the type was */
	json_put_str(doc, root, "s", "new");
	json_put_int(doc, root, "z", 0);
	json_arr_of(doc, root, "b");
	json_put(doc, root, "f", NULL);
	json_put(doc, root, "absent", NULL);
	assert_json(root, "{\"s\":\"new\",\"i\":-5,\"b\":[],\"z\":0,"
			  "\"list\":[1,0.5,\"7\"],\"o\":{\"p\":{\"q\":1,\"r\":2}}}");
	assert_true(json_remove(root, "o"));
	assert_false(json_remove(root, "o"));
	assert_true(json_replace_item(list, 0, json_new_str(doc, "one")));
	assert_false(json_replace_item(list, 3, json_new_str(doc, "four")));
	assert_true(json_remove_item(list, 1));
	assert_false(json_remove_item(list, 2));
	assert_json(list, "[\"one\",\"7\"]");
	/* writing into what is no object or array does nothing */
	json_put_int(doc, list, "x", 1);
	json_push(doc, root, json_new_int(doc, 1));
	assert_false(json_remove(list, "x"));
	assert_json(list, "[\"one\",\"7\"]");
}

/* What came from elsewhere must never make a document that cannot be written */
static void test_foreign_text(void **state)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_arr(doc);

	(void)state;
	json_push(doc, root, json_new_str(doc, "bad \xff\xc3 \xe2\x82 end"));
	json_push(doc, root, json_new_str(doc, "good \xe2\x82\xac \xf0\x9f\x98\x80"));
	json_push(doc, root, json_new_str(doc, "long \xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80"));
	json_push(doc, root, json_new_strn(doc, "cut\xe2\x82\xac", 5));
	json_push(doc, root, json_new_real(doc, (double)NAN));
	json_push(doc, root, json_new_real(doc, (double)INFINITY));
	json_push(doc, root, json_new_str(doc, "\"\\\x01\n"));
	assert_json(root, "[\"bad ?? ?? end\",\"good \xe2\x82\xac \xf0\x9f\x98\x80\","
			  "\"long ?? ??? ????\",\"cut??\",null,null,\"\\\"\\\\\\u0001\\n\"]");
}

static void test_copy_equal(void **state)
{
	_cleanup_json_ struct json_doc *a = parse("{\"x\":[1,{\"y\":\"z\"}],\"n\":5}");
	_cleanup_json_ struct json_doc *b = parse("{\"n\":5,\"x\":[1,{\"y\":\"z\"}]}");
	struct json_doc *c = json_doc_new();
	struct json *copy = json_copy(c, json_root(a));

	(void)state;
	assert_true(json_equal(json_root(a), json_root(b)));
	assert_true(json_equal(copy, json_root(a)));
	json_put_int(c, copy, "n", 5);
	assert_true(json_equal(copy, json_root(a)));
	json_put(c, copy, "n", json_new_real(c, 5.0));
	assert_false(json_equal(copy, json_root(a)));
	json_put_int(c, json_item(json_get(copy, "x"), 1), "y", 1);
	assert_string_equal(json_str(json_get(json_item(json_get(json_root(a), "x"), 1), "y"), ""),
			    "z");
	assert_null(json_copy(c, NULL));
	assert_false(json_equal(NULL, copy));
	assert_false(json_equal(copy, NULL));
	assert_true(json_equal(NULL, NULL));
	json_doc_free(c);
	assert_null(json_doc_free(NULL));
}

static void test_write(void **state)
{
	_cleanup_json_ struct json_doc *doc = parse("{\"a\":[],\"b\":[1]}");
	struct buf b = BUF_INIT(20);

	(void)state;
	assert_int_equal(json_write_pretty(json_root(doc), &b), -E2BIG);
	buf_done(&b);
	buf_init(&b, 0);
	assert_int_equal(json_write_pretty(json_root(doc), &b), 0);
	assert_string_equal(b.data, "{\n  \"a\": [],\n  \"b\": [\n    1\n  ]\n}");
	assert_int_equal(json_write(NULL, &b), -EINVAL);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),	     cmocka_unit_test(test_read),
		cmocka_unit_test(test_iterate),	     cmocka_unit_test(test_build),
		cmocka_unit_test(test_foreign_text), cmocka_unit_test(test_copy_equal),
		cmocka_unit_test(test_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
