// SPDX-License-Identifier: Apache-2.0
/*
 * The table of what becomes of a pod's fields: it is that of docs/pod-support.md, it has all fields that the
 * controller takes, and what it calls refused is.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../controller/api/schema.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "pod/spec.h"
#include "pod/support.h"

#define PAGE	 "docs/pod-support.md"
#define PATH_LEN 256

static const char *const verdicts[] = {"works", "refused", "ignored"};

/* Takes "| `path` | works | note |" apart. Return: false for any other line */
static bool page_row(char *line, const char *cells[3])
{
	if (!str_starts(line, "| `"))
		return false;
	cells[0] = line + strlen("| `");
	for (int i = 0; i < 3; i++) {
		char *end = strstr(cells[i], i ? " |" : "` |");

		assert_non_null(end);
		if (i < 2)
			cells[i + 1] = strchr(end, '|') + 2;
		*end = '\0';
	}
	return true;
}

static void test_page(void **state)
{
	struct buf page = BUF_INIT(0);
	char *save = NULL, *line;
	const char *cells[3];
	size_t i = 0;

	(void)state;
	assert_int_equal(file_read(AT_FDCWD, PAGE, &page, NULL), 0);
	for (line = strtok_r(page.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!page_row(line, cells))
			continue;
		assert_true(i < spec_support_count);
		assert_string_equal(cells[0], spec_supports[i].path);
		assert_string_equal(cells[1], verdicts[spec_supports[i].verdict]);
		assert_string_equal(cells[2], spec_supports[i].note);
		i++;
	}
	assert_int_equal(i, spec_support_count);
	buf_done(&page);
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < spec_support_count; i++) {
		const struct spec_support *f = &spec_supports[i];

		assert_int_equal(f->verdict == SPEC_REFUSED, f->when != SPEC_REFUSE_NEVER);
		/* what does not work has a reason */
		assert_true(f->verdict == SPEC_WORKS || *f->note);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(f->path, spec_supports[k].path);
	}
}

/* Puts @leaf at the end of a path into a pod that is fine without; lists get one element. */
static void put_at(struct json_doc *doc, struct json *obj, const char *rest, const char *leaf,
		   char *path)
{
	size_t len = strcspn(rest, ".[");
	char name[64];
	struct json *v;

	snprintf(name, sizeof(name), "%.*s", (int)len, rest);
	snprintf(path + strlen(path), PATH_LEN - strlen(path), ".%s", name);
	rest += len;
	if (!*rest) {
		struct json_doc *value;

		assert_int_equal(json_parse(leaf, strlen(leaf), &value, NULL), 0);
		json_put(doc, obj, name, json_copy(doc, json_root(value)));
		json_doc_free(value);
	} else if (*rest == '[') {
		v = json_arr_of(doc, obj, name);
		if (!json_count(v))
			json_push(doc, v, json_new_obj(doc));
		snprintf(path + strlen(path), PATH_LEN - strlen(path), "[0]");
		put_at(doc, json_item(v, 0), rest + strlen("[]."), leaf, path);
	} else {
		put_at(doc, json_obj_of(doc, obj, name), rest + 1, leaf, path);
	}
}

/* Return: what spec_parse() says of a pod with @leaf at @field; @path gets the concrete one */
static int parse_with(const char *field, const char *leaf, char path[PATH_LEN], struct err *e)
{
	static const char base[] =
		"{\"metadata\":{\"namespace\":\"d\",\"name\":\"n\",\"uid\":\"u\"},\"spec\":{"
		"\"initContainers\":[{\"name\":\"i\",\"image\":\"i\",\"restartPolicy\":\"Always\"}],"
		"\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]}}";
	struct pod_spec *s = NULL;
	struct json_doc *doc;
	int r;

	assert_int_equal(json_parse(base, strlen(base), &doc, NULL), 0);
	snprintf(path, PATH_LEN, "spec");
	put_at(doc, json_get(json_root(doc), "spec"), field, leaf, path);
	r = spec_parse(json_root(doc), &s, e);
	spec_free(s);
	json_doc_free(doc);
	return r;
}

static void expect_refusal(const char *field, enum spec_refuse when)
{
	static const char *const leaves[] = {
		[SPEC_REFUSE_IF_TRUE] = "true",
		[SPEC_REFUSE_IF_SET] = "\"x\"",
		[SPEC_REFUSE_IF_THERE] = "{}",
	};
	char path[PATH_LEN], want[PATH_LEN + 40];
	struct err e = ERR_INIT;

	assert_int_equal(parse_with(field, leaves[when], path, &e), -ENOTSUP);
	snprintf(want, sizeof(want), "%s: not supported by HyperMetal", path);
	assert_string_equal(err_msg(&e), want);
	/* What says nothing is no reason to refuse anything. */
	err_clear(&e);
	if (parse_with(field, "null", path, &e) < 0)
		assert_string_not_equal(err_msg(&e), want);
	if (when == SPEC_REFUSE_IF_TRUE)
		assert_int_equal(parse_with(field, "false", path, &e), 0);
}

static void test_refused(void **state)
{
	int count = 0;

	(void)state;
	for (size_t i = 0; i < spec_support_count; i++) {
		const struct spec_support *f = &spec_supports[i];
		const char *rest = str_starts(f->path, "containers[]");
		char init[PATH_LEN];

		if (f->verdict != SPEC_REFUSED)
			continue;
		count++;
		expect_refusal(f->path, f->when);
		if (!rest)
			continue;
		snprintf(init, sizeof(init), "initContainers[]%s", rest);
		expect_refusal(init, f->when);
	}
	assert_true(count > 40);
}

/* ---- against the fields that the API takes ---- */

/* Those that the API's table does not have yet */
static const char *const newer[] = {
	"hostnameOverride",
	"containers[].env[].valueFrom.fileKeyRef",
	"containers[].restartPolicyRules",
	"volumes[].projected.sources[].podCertificate",
};

static bool row_seen[512];

/* Whether a row speaks of this field: it is it, or stands for what is below it */
static bool covered(const char *path)
{
	bool found = false;

	for (size_t i = 0; i < spec_support_count; i++) {
		const char *rest = str_starts(path, spec_supports[i].path);

		if (!rest || (*rest && *rest != '.' && *rest != '['))
			continue;
		row_seen[i] = found = true;
	}
	return found;
}

static void walk(const struct schema *s, const char *path)
{
	for (; s->name; s++) {
		const struct schema *members = s->type == SCHEMA_OBJECT ? s->sub : NULL;
		char below[PATH_LEN];
		bool known;

		if (str_eq(path, "initContainers[]") || str_eq(path, "ephemeralContainers[]"))
			return; /* as containers; refused */
		snprintf(below, sizeof(below), "%s%s%s", path, *path ? "." : "", s->name);
		known = covered(below);
		if (s->type == SCHEMA_LIST && s->sub->type == SCHEMA_OBJECT) {
			members = s->sub->sub;
			snprintf(below + strlen(below), sizeof(below) - strlen(below), "[]");
		}
		if (members)
			walk(members, below);
		else if (!known)
			fail_msg("%s: not in the table", below);
	}
}

static void test_complete(void **state)
{
	const struct schema *s = schema_pod;

	(void)state;
	while (!str_eq(s->name, "spec"))
		s++;
	walk(s->sub, "");
	for (size_t i = 0; i < ARRAY_SIZE(newer); i++)
		assert_true(covered(newer[i]));
	for (size_t i = 0; i < spec_support_count; i++)
		if (!row_seen[i])
			fail_msg("%s: no field of the API", spec_supports[i].path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
