// SPDX-License-Identifier: Apache-2.0
/* Patches of all kinds, golden cases; selectors; queries. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "api/internal.h"
#include "base/mem.h"
#include "base/str.h"

struct patch_case {
	const char *object, *patch, *want; /* want NULL: refused */
};

static struct json_doc *parse(const char *text)
{
	struct json_doc *doc;
	struct err e = ERR_INIT;

	if (json_parse(text, strlen(text), &doc, &e) < 0)
		fail_msg("%s: %s", text, err_msg(&e));
	return doc;
}

static void run(const struct patch_case *cases, size_t count,
		int (*patch)(struct json_doc *doc, const struct json *patch, struct err *e))
{
	for (size_t i = 0; i < count; i++) {
		struct json_doc *doc = parse(cases[i].object), *p = parse(cases[i].patch);
		struct buf text = BUF_INIT(0);
		struct err e = ERR_INIT;
		int r = patch(doc, json_root(p), &e);

		if (!cases[i].want) {
			assert_true(r < 0);
			assert_true(*e.msg);
		} else {
			struct json_doc *want = parse(cases[i].want);

			assert_int_equal(json_write(json_root(doc), &text), 0);
			if (r < 0 || !json_equal(json_root(doc), json_root(want)))
				fail_msg("case %zu: %s (%s)", i, buf_str(&text), err_msg(&e));
			json_doc_free(want);
		}
		buf_done(&text);
		json_doc_free(doc);
		json_doc_free(p);
	}
}

static void test_merge(void **state)
{
	/* RFC 7386, appendix A, as far as it stays an object */
	static const struct patch_case cases[] = {
		{"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
		{"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
		{"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
		{"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
		{"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
		{"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
		{"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
		 "{\"a\":{\"b\":\"d\"}}"},
		{"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
		{"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
		{"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
		{"{}", "[1]", NULL},
		{"{}", "\"x\"", NULL},
	};

	(void)state;
	run(cases, ARRAY_SIZE(cases), patch_merge);
}

static void test_json_patch(void **state)
{
	static const struct patch_case cases[] = {
		{"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b\",\"value\":2}]",
		 "{\"a\":1,\"b\":2}"},
		{"{\"a\":[1,3]}", "[{\"op\":\"add\",\"path\":\"/a/1\",\"value\":2}]",
		 "{\"a\":[1,2,3]}"},
		{"{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":2}]",
		 "{\"a\":[1,2]}"},
		{"{\"a\":[1,2,3]}", "[{\"op\":\"remove\",\"path\":\"/a/0\"}]", "{\"a\":[2,3]}"},
		{"{\"a\":{\"b\":1}}", "[{\"op\":\"replace\",\"path\":\"/a/b\",\"value\":[]}]",
		 "{\"a\":{\"b\":[]}}"},
		{"{\"a\":{\"b\":1},\"c\":{}}",
		 "[{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"/c/d\"}]",
		 "{\"a\":{},\"c\":{\"d\":1}}"},
		{"{\"a\":{\"b\":1}}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/c\"}]",
		 "{\"a\":{\"b\":1},\"c\":{\"b\":1}}"},
		{"{\"a/b\":1,\"m~n\":2}",
		 "[{\"op\":\"remove\",\"path\":\"/a~1b\"},{\"op\":\"test\",\"path\":\"/m~0n\",\"value\":2}]",
		 "{\"m~n\":2}"},
		{"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":{\"z\":0}}]",
		 "{\"z\":0}"},
		{"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":2}]", NULL},
		{"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/b\"}]", NULL},
		{"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/b/c\",\"value\":1}]", NULL},
		{"{\"a\":[]}", "[{\"op\":\"add\",\"path\":\"/a/1\",\"value\":1}]", NULL},
		{"{\"a\":[]}", "[{\"op\":\"add\",\"path\":\"/a/01x\",\"value\":1}]", NULL},
		{"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"b\",\"value\":1}]", NULL},
		{"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b\"}]", NULL},
		{"{\"a\":1}", "[{\"op\":\"grow\",\"path\":\"/a\",\"value\":1}]", NULL},
		{"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"\"}]", NULL},
		{"{\"a\":1}", "{\"op\":\"add\"}", NULL},
		{"{\"a\":1}", "[1]", NULL},
	};

	(void)state;
	run(cases, ARRAY_SIZE(cases), patch_json);
}

/* Each operation copies the whole document into itself: 40 of them would be a terabyte. */
static void test_json_patch_bomb(void **state)
{
	struct json_doc *doc = parse("{\"a\":\"0123456789\"}"), *p;
	struct buf text = BUF_INIT(0);
	struct err e = ERR_INIT;

	(void)state;
	for (int i = 0; i < 40; i++)
		buf_printf(&text, "%s{\"op\":\"copy\",\"from\":\"\",\"path\":\"/b%d\"}",
			   i ? "," : "[", i);
	buf_puts(&text, "]");
	p = parse(buf_str(&text));
	assert_int_equal(patch_json(doc, json_root(p), &e), -E2BIG);
	buf_done(&text);
	json_doc_free(doc);
	json_doc_free(p);
}

static void test_strategic(void **state)
{
	static const struct patch_case cases[] = {
		/* a keyed list merges by its key and appends */
		{"{\"containers\":[{\"name\":\"a\",\"image\":\"1\"},{\"name\":\"b\"}]}",
		 "{\"containers\":[{\"name\":\"a\",\"image\":\"2\"},{\"name\":\"c\"}]}",
		 "{\"containers\":[{\"name\":\"a\",\"image\":\"2\"},{\"name\":\"b\"},{\"name\":\"c\"}]}"},
		/* delete an element, replace a list */
		{"{\"env\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
		 "{\"env\":[{\"name\":\"a\",\"$patch\":\"delete\"}]}",
		 "{\"env\":[{\"name\":\"b\"}]}"},
		{"{\"addresses\":[{\"type\":\"A\",\"address\":\"1\"}]}",
		 "{\"addresses\":[{\"type\":\"B\",\"address\":\"2\"},{\"$patch\":\"replace\"}]}",
		 "{\"addresses\":[{\"type\":\"B\",\"address\":\"2\"}]}"},
		/* conditions by type */
		{"{\"status\":{\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"True\"}]}}",
		 "{\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}",
		 "{\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"True\"},"
		 "{\"type\":\"Ready\",\"status\":\"True\"}]}}"},
		/* other lists are replaced */
		{"{\"args\":[\"a\",\"b\"]}", "{\"args\":[\"c\"]}", "{\"args\":[\"c\"]}"},
		{"{\"tolerations\":[{\"key\":\"a\"}]}", "{\"tolerations\":[{\"key\":\"b\"}]}",
		 "{\"tolerations\":[{\"key\":\"b\"}]}"},
		/* null removes; new objects carry no nulls and no directives */
		{"{\"a\":{\"x\":1,\"y\":2}}", "{\"a\":{\"x\":null}}", "{\"a\":{\"y\":2}}"},
		{"{}", "{\"a\":{\"x\":null,\"$patch\":\"merge\",\"z\":1}}", "{\"a\":{\"z\":1}}"},
		{"{\"a\":{\"x\":1}}", "{\"a\":{\"$patch\":\"replace\",\"y\":2}}",
		 "{\"a\":{\"y\":2}}"},
		{"{\"a\":{\"x\":1},\"b\":1}", "{\"a\":{\"$patch\":\"delete\"}}", "{\"b\":1}"},
		/* order */
		{"{\"containers\":[{\"name\":\"a\"},{\"name\":\"s\"},{\"name\":\"b\"}]}",
		 "{\"$setElementOrder/containers\":[{\"name\":\"b\"},{\"name\":\"a\"}],"
		 "\"containers\":[{\"name\":\"b\",\"image\":\"1\"}]}",
		 "{\"containers\":[{\"name\":\"b\",\"image\":\"1\"},{\"name\":\"a\"},{\"name\":\"s\"}]}"},
		{"{\"finalizers\":[\"a\",\"b\"]}", "{\"finalizers\":[\"c\",\"a\"]}",
		 "{\"finalizers\":[\"a\",\"b\",\"c\"]}"},
		{"{\"finalizers\":[\"a\",\"b\"]}",
		 "{\"$deleteFromPrimitiveList/finalizers\":[\"a\"]}", "{\"finalizers\":[\"b\"]}"},
		{"{\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}]}",
		 "{\"volumes\":[{\"$retainKeys\":[\"name\",\"secret\"],\"name\":\"v\",\"secret\":{\"secretName\":\"s\"}}]}",
		 "{\"volumes\":[{\"name\":\"v\",\"secret\":{\"secretName\":\"s\"}}]}"},
		{"{\"spec\":{\"unschedulable\":true}}", "{\"spec\":{\"unschedulable\":null}}",
		 "{\"spec\":{}}"},
		{"{\"env\":[{\"name\":\"a\"}]}", "{\"env\":[]}", "{\"env\":[{\"name\":\"a\"}]}"},
		{"{\"ports\":[{\"containerPort\":80,\"name\":\"a\"}]}",
		 "{\"ports\":[{\"containerPort\":80,\"name\":\"b\"},{\"containerPort\":81}]}",
		 "{\"ports\":[{\"containerPort\":80,\"name\":\"b\"},{\"containerPort\":81}]}"},
		{"{}", "[]", NULL},
	};

	(void)state;
	run(cases, ARRAY_SIZE(cases), patch_strategic);
}

static bool selects(const char *labels, const char *fields, const char *object)
{
	struct json_doc *doc = parse(object);
	struct selector *s = NULL;
	struct err e = ERR_INIT;
	bool yes;

	if (selector_new(labels, fields, kind_find("", "v1", "pods"), &s, &e) < 0)
		fail_msg("%s %s: %s", labels, fields, err_msg(&e));
	yes = selector_matches(s, json_root(doc));
	selector_free(s);
	json_doc_free(doc);
	return yes;
}

static void test_selectors(void **state)
{
	static const char pod[] =
		"{\"metadata\":{\"name\":\"p\",\"labels\":{\"app\":\"web\",\"tier\":\"front\",\"n\":\"5\"}},"
		"\"spec\":{\"nodeName\":\"h1\"},\"status\":{\"phase\":\"Running\"}}";
	static const char *const yes[] = {
		"",
		"app=web",
		"app==web",
		"app",
		"!gone",
		"app!=db",
		"gone!=x",
		"app in (web,db)",
		"app in ( web , db )",
		"app notin (db)",
		"gone notin (a)",
		"app=web,tier=front",
		"n>4",
		"n<6",
		" app = web , tier in (front)",
		"app,tier,!x",
	};
	static const char *const no[] = {"app=db",	"gone",
					 "!app",	"app!=web",
					 "app in (db)", "app notin (web)",
					 "n>5",		"app=web,tier=back",
					 "gone=x",	"n<5"};
	static const char *const bad[] = {"=",	  "app in web",	 "app in (web", "app foo (a)",
					  "-a",	  "a b",	 "app=!",	"n>x",
					  "!a=b", "app in (w!)", ",",		"a/b/c=d"};
	struct selector *s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (!selects(yes[i], NULL, pod))
			fail_msg("%s", yes[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
		if (selects(no[i], NULL, pod))
			fail_msg("%s", no[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err e = ERR_INIT;

		if (selector_new(bad[i], NULL, NULL, &s, &e) == 0)
			fail_msg("%s was taken", bad[i]);
		assert_true(*e.msg);
	}
	assert_true(selects(NULL, "spec.nodeName=h1,status.phase!=Failed,status.phase!=Succeeded",
			    pod));
	assert_true(selects(NULL, "metadata.name=p", pod));
	assert_false(selects(NULL, "spec.nodeName==h2", pod));
	assert_false(selects(NULL, "spec.nodeName=", pod));
	assert_true(selects(NULL, "status.podIP=", pod));
	assert_int_equal(selector_new(NULL, "spec.foo=1", kind_find("", "v1", "pods"), &s, NULL),
			 -EINVAL);
	assert_int_equal(selector_new(NULL, "spec", kind_find("", "v1", "pods"), &s, NULL),
			 -EINVAL);
	assert_int_equal(selector_new(NULL, "node=1", kind_find("", "v1", "pods"), &s, NULL),
			 -EINVAL);
	assert_int_equal(
		selector_new(NULL, "spec.nodeName=h1", kind_find("", "v1", "pods"), &s, NULL), 0);
	assert_string_equal(selector_field(s, "spec.nodeName"), "h1");
	assert_null(selector_field(s, "metadata.name"));
	selector_free(s);
}

static void test_query(void **state)
{
	static const char *const bad[] = {"a=%", "a=%2", "a=%zz", "%00=1", "a=%4"};
	struct query q;

	(void)state;
	assert_int_equal(query_parse(&q, "a=1&b=x%3Dy%2Cz&&c&d=a+b&a=2&e="), 0);
	assert_string_equal(query_get(&q, "a"), "1");
	assert_string_equal(query_get(&q, "b"), "x=y,z");
	assert_string_equal(query_get(&q, "c"), "");
	assert_true(query_bool(&q, "c"));
	assert_string_equal(query_get(&q, "d"), "a b");
	assert_string_equal(query_get(&q, "e"), "");
	assert_null(query_get(&q, "f"));
	query_done(&q);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (query_parse(&q, bad[i]) == 0)
			fail_msg("%s was taken", bad[i]);
		query_done(&q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merge),		cmocka_unit_test(test_json_patch),
		cmocka_unit_test(test_json_patch_bomb), cmocka_unit_test(test_strategic),
		cmocka_unit_test(test_selectors),	cmocka_unit_test(test_query),
	};

	return cmocka_run_group_tests_name("patch", tests, NULL, NULL);
}
