// SPDX-License-Identifier: Apache-2.0
/* What is made of the document: labels, and the cut of what is too large. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "inventory/gather.h"

static struct gather g;

static int set_up(void **state)
{
	(void)state;
	g = (struct gather){.doc = json_doc_new()};
	g.root = json_new_obj(g.doc);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	g.doc = json_doc_free(g.doc);
	return 0;
}

static const char *label(const struct json *labels, const char *name)
{
	char key[64];

	snprintf(key, sizeof(key), "hypermetal.io/%s", name);
	assert_non_null(json_get(labels, key));
	return json_str(json_get(labels, key), "(null)");
}

static struct json *labels_of(const char *text)
{
	struct json_doc *doc;
	struct json *labels;

	assert_int_equal(json_parse(text, strlen(text), &doc, NULL), 0);
	labels = gather_labels(g.doc, json_root(doc));
	json_doc_free(doc);
	return labels;
}

static void test_labels(void **state)
{
	struct json *l = labels_of(
		"{\"system\":{\"vendor\":\" ..Dell Inc. \",\"product\":\"\"},"
		"\"chassis\":{\"assetTag\":\"row 7 / rack 12 (left) --\"},"
		"\"cpu\":{\"model\":\"Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz\",\"sockets\":2},"
		"\"memory\":{\"totalBytes\":1,\"dimms\":[{\"sizeBytes\":68719476736},"
		"{\"sizeBytes\":68719476736},{}]},"
		"\"nics\":[{\"speedMbps\":1000},{\"speedMbps\":25000},{}],"
		"\"disks\":[{\"health\":{\"state\":\"good\"}},{},{\"sizeBytes\":9223372036854775807},"
		"{\"sizeBytes\":5},{\"health\":{\"state\":\"warning\"}},{\"health\":{\"state\":\"unknown\"}}],"
		"\"boot\":{\"firmware\":\"UEFI\",\"secureBoot\":\"enabled\"},"
		"\"tpm\":{\"present\":true,\"version\":\"2.0\"}}");

	(void)state;
	assert_string_equal(label(l, "vendor"), "Dell-Inc");
	assert_string_equal(label(l, "product"), "(null)");
	assert_string_equal(label(l, "asset-tag"), "row-7-rack-12-left");
	assert_string_equal(label(l, "cpu-model"), "Intel-Xeon-Gold-6338-CPU-2.00GHz");
	assert_string_equal(label(l, "cpu-sockets"), "2");
	assert_string_equal(label(l, "cpu-cores"), "(null)");
	assert_string_equal(label(l, "memory-gib"), "128");
	assert_string_equal(label(l, "nics"), "3");
	assert_string_equal(label(l, "nic-mbps"), "25000");
	assert_string_equal(label(l, "disks"), "6");
	assert_string_equal(label(l, "disk-health"), "warning");
	assert_string_equal(label(l, "firmware"), "uefi");
	assert_string_equal(label(l, "secure-boot"), "enabled");
	assert_string_equal(label(l, "tpm"), "2.0");
	assert_string_equal(label(l, "bmc"), "none");
}

static void test_long_label(void **state)
{
	char text[300], *value = mem_alloc(201);
	const char *out;

	(void)state;
	memset(value, 'x', 200);
	value[62] = ' '; /* the last that would fit */
	snprintf(text, sizeof(text), "{\"system\":{\"serial\":\"%s\"}}", value);
	out = label(labels_of(text), "serial");
	assert_int_equal(strlen(out), 62);
	free(value);
}

/* ---- fit ---- */

static struct json *fill(const char *key, int count, const char *class)
{
	struct json *list = json_arr_of(g.doc, g.root, key);

	for (int i = 0; i < count; i++) {
		struct json *o = json_new_obj(g.doc);

		json_put_fmt(g.doc, o, "address", "%04x:00:00.0", i);
		json_put_str(g.doc, o, "class", class);
		json_put_str(g.doc, o, "driver", "x");
		json_push(g.doc, list, o);
	}
	return list;
}

static size_t length(void)
{
	struct buf b = BUF_INIT(0);
	size_t len;

	assert_int_equal(json_write(g.root, &b), 0);
	len = b.len;
	buf_done(&b);
	return len;
}

static void test_fit(void **state)
{
	struct json *pci_list = fill("pci", 100, "020000");

	(void)state;
	fill("pci", 100, "088000");
	fill("nics", 3, "");
	gather_fit(g.doc, g.root, 100000);
	assert_null(json_get(g.root, "cut"));
	gather_fit(g.doc, g.root, 10000);
	assert_true(length() <= 10000 && length() > 9700);
	assert_true(json_count(pci_list) > 100); /* of the dull ones some stay */
	assert_int_equal(json_int(json_at(g.root, "cut", "pci", NULL), 0),
			 200 - (int64_t)json_count(pci_list));
	gather_fit(g.doc, g.root, 2000);
	assert_true(length() <= 2000);
	assert_int_equal(json_int(json_at(g.root, "cut", "pci", NULL), 0),
			 200 - (int64_t)json_count(pci_list));
	assert_int_equal(json_count(json_get(g.root, "nics")), 3);
	gather_fit(g.doc, g.root, 200);
	assert_true(length() <= 200);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {T(test_labels), T(test_long_label), T(test_fit)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
