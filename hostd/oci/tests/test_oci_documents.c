// SPDX-License-Identifier: Apache-2.0
/* Manifests, configurations and records: good ones, and ones that somebody made to hurt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "oci/manifest.h"

#define HEX15 "0123456789abcde"
#define D(x)  "sha256:" HEX15 HEX15 HEX15 HEX15 "000" x

#define CONFIG "\"config\":{\"digest\":\"" D("c") "\",\"size\":7}"
#define LAYER(x)                                                                          \
	"{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"" D( \
		x) "\",\"size\":5}"
#define MANIFEST(layers) "{\"schemaVersion\":2," CONFIG ",\"layers\":[" layers "]}"
#define ENTRY(os, arch, variant, x)                                      \
	"{\"digest\":\"" D(x) "\",\"size\":9,\"platform\":{\"os\":\"" os \
			      "\",\"architecture\":\"" arch "\"" variant "}}"
#define INDEX(entries) "{\"schemaVersion\":2,\"manifests\":[" entries "]}"

static void test_manifest(void **state)
{
	static const char text[] = MANIFEST(LAYER("1") "," LAYER("2"));
	struct oci_manifest m;

	(void)state;
	assert_int_equal(oci_manifest_parse(text, strlen(text), &m, NULL), 0);
	assert_false(m.is_index);
	assert_string_equal(m.config.digest, D("c"));
	assert_int_equal(m.config.size_bytes, 7);
	assert_int_equal(m.layer_count, 2);
	assert_string_equal(m.layers[1].digest, D("2"));
	assert_int_equal(m.layers[1].size_bytes, 5);
}

static const struct {
	const char *text;
	const char *digest; /* of the one that is taken; NULL: none */
} indexes[] = {
	{INDEX(ENTRY("linux", "arm64", "", "1") "," ENTRY("linux", "amd64", "", "2") "," ENTRY(
		 "linux", "amd64", "", "3")),
	 D("2")},
	{INDEX(ENTRY("linux", "amd64", ",\"variant\":\"v3\"", "1") "," ENTRY("linux", "amd64", "",
									     "2")),
	 D("2")},
	{INDEX(ENTRY("linux", "amd64", ",\"variant\":\"v2\"", "1")), D("1")},
	{INDEX(ENTRY("windows", "amd64", "", "1") "," ENTRY("unknown", "unknown", "", "2")), NULL},
	{INDEX(""), NULL},
	{INDEX("1,null,[],{\"platform\":1}"), NULL},
};

static void test_index(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(indexes); i++) {
		struct oci_manifest m;
		struct err e = ERR_INIT;
		int r = oci_manifest_parse(indexes[i].text, strlen(indexes[i].text), &m, &e);

		assert_int_equal(r, indexes[i].digest ? 0 : -ENOTSUP);
		if (indexes[i].digest) {
			assert_true(m.is_index);
			assert_string_equal(m.config.digest, indexes[i].digest);
		} else {
			assert_non_null(strstr(e.msg, "linux/amd64"));
		}
	}
}

static const struct {
	const char *text;
	int code;
} bad_manifests[] = {
	{"", -EBADMSG},
	{"[]", -EBADMSG},
	{"{}", -EBADMSG},
	{"{\"schemaVersion\":1,\"fsLayers\":[]}", -ENOTSUP},
	{"{\"schemaVersion\":2}", -EBADMSG},
	{"{\"schemaVersion\":2,\"layers\":[]}", -EBADMSG},
	{"{\"schemaVersion\":2,\"layers\":{}," CONFIG "}", -EBADMSG},
	{"{\"schemaVersion\":2,\"layers\":[],\"manifests\":[]," CONFIG "}", -EBADMSG},
	{MANIFEST("1"), -ENOTSUP},
	{MANIFEST("{\"mediaType\":\"application/x-evil\\n\"}"), -ENOTSUP},
	{MANIFEST(
		 "{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"sha256:../..\","
		 "\"size\":1}"),
	 -EBADMSG},
	{MANIFEST("{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"" D(
		 "1") "\",\"size\":-1}"),
	 -EBADMSG},
	{MANIFEST("{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"" D(
		 "1") "\",\"size\":17179869185}"),
	 -EBADMSG},
	{"{\"schemaVersion\":2,\"config\":{\"digest\":\"" D(
		 "c") "\",\"size\":1048577},\"layers\":[]}",
	 -EBADMSG},
};

static void test_bad_manifests(void **state)
{
	struct oci_manifest m;
	struct buf b = BUF_INIT(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_manifests); i++) {
		const char *text = bad_manifests[i].text;
		struct err e = ERR_INIT;

		if (oci_manifest_parse(text, strlen(text), &m, &e) != bad_manifests[i].code)
			fail_msg("%s: %s", text, err_msg(&e));
		assert_ptr_equal(strstr(e.msg, "manifest"), e.msg);
		assert_null(strchr(e.msg, '\n'));
	}
	buf_puts(&b, "{\"schemaVersion\":2," CONFIG ",\"layers\":[" LAYER("1"));
	for (int i = 1; i < OCI_LAYERS_MAX; i++)
		buf_puts(&b, "," LAYER("1"));
	buf_puts(&b, "]}");
	assert_int_equal(oci_manifest_parse(b.data, b.len, &m, NULL), 0);
	assert_int_equal(m.layer_count, OCI_LAYERS_MAX);
	b.len -= 2;
	buf_puts(&b, "," LAYER("1") "]}");
	assert_int_equal(oci_manifest_parse(b.data, b.len, &m, NULL), -EBADMSG);
	buf_done(&b);
}

#define ROOTFS "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D("1") "\",\"" D("2") "\"]}"

static void test_config(void **state)
{
	static const char text[] =
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Entrypoint\":[\"/e\",\"x y\"],"
		"\"Cmd\":[\"c\"],\"Env\":[\"A=1\",\"B=\\u00e4\"],\"WorkingDir\":\"/w\",\"User\":\"u:g\","
		"\"StopSignal\":\"SIGQUIT\",\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{}}}," ROOTFS
		"}";
	struct buf b = BUF_INIT(0);
	struct oci_record record = {0};
	const struct oci_image *image = &record.image;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(oci_config_record(text, strlen(text), D("0"), 2, &b, &e), 0);
	assert_int_equal(oci_record_parse(b.data, b.len, &record, &e), 0);
	assert_non_null(image->layers);
	assert_string_equal(image->digest, D("0"));
	assert_int_equal(image->layer_count, 2);
	assert_string_equal(image->layers[0].diff_id, D("1"));
	assert_string_equal(image->layers[1].diff_id, D("2"));
	assert_int_equal(image->entrypoint.count, 2);
	assert_string_equal(image->entrypoint.at[1], "x y");
	assert_null(image->entrypoint.at[2]);
	assert_int_equal(image->cmd.count, 1);
	assert_string_equal(image->env.at[1], "B=\xc3\xa4");
	assert_int_equal(image->exposed_ports.count, 2);
	assert_string_equal(image->exposed_ports.at[1], "53/udp");
	assert_string_equal(image->cwd, "/w");
	assert_string_equal(image->user, "u:g");
	assert_string_equal(image->stop_signal, "SIGQUIT");
	oci_record_done(&record);
	buf_done(&b);
}

static const struct {
	const char *text;
	size_t layers;
	int code;
} configs[] = {
	/* scratch images have next to nothing */
	{"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}", 0, 0},
	{"{\"rootfs\":{\"type\":\"layers\"},\"config\":null}", 0, 0},
	{"{\"config\":{\"Env\":null,\"Cmd\":null,\"User\":5}," ROOTFS "}", 2, 0},
	{"{" ROOTFS "}", 1, -EBADMSG},
	{"{" ROOTFS "}", 3, -EBADMSG},
	{"{\"architecture\":\"arm64\"," ROOTFS "}", 2, -ENOTSUP},
	{"{\"os\":\"windows\"," ROOTFS "}", 2, -ENOTSUP},
	{"{\"config\":{\"Cmd\":\"sh\"}," ROOTFS "}", 2, -EBADMSG},
	{"{\"config\":{\"Cmd\":[1]}," ROOTFS "}", 2, -EBADMSG},
	{"{\"config\":{\"Env\":{}}," ROOTFS "}", 2, -EBADMSG},
	{"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:../../x\"]}}", 1, -EBADMSG},
	{"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":{\"a\":1}}}", 1, -EBADMSG},
	{"{\"rootfs\":{\"type\":\"zip\",\"diff_ids\":[]}}", 0, -EBADMSG},
	{"[]", 0, -EBADMSG},
	{"{}", 0, -EBADMSG},
	{"nonsense", 0, -EBADMSG},
};

static void test_configs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(configs); i++) {
		const char *text = configs[i].text;
		struct buf b = BUF_INIT(0);
		struct oci_record record;
		struct err e = ERR_INIT;
		int r = oci_config_record(text, strlen(text), D("0"), configs[i].layers, &b, &e);

		if (r != configs[i].code)
			fail_msg("%s: %d %s", text, r, err_msg(&e));
		if (r == 0) {
			assert_int_equal(oci_record_parse(b.data, b.len, &record, NULL), 0);
			assert_string_equal(record.image.user, "");
			assert_int_equal(record.image.env.count, 0);
			oci_record_done(&record);
		}
		buf_done(&b);
	}
}

static const char *const bad_records[] = {
	"",
	"{}",
	"{\"digest\":\"x\",\"layers\":[]}",
	"{\"digest\":\"" D(
		"0") "\",\"layers\":[1],\"entrypoint\":[],\"cmd\":[],\"env\":[],\"exposedPorts\":[]}",
	"{\"digest\":\"" D(
		"0") "\",\"layers\":[],\"entrypoint\":[],\"cmd\":[],\"env\":[5],\"exposedPorts\":[]}",
	"{\"digest\":\"" D("0") "\",\"layers\":[],\"entrypoint\":[],\"cmd\":[],\"env\":[]}",
	"{\"digest\":\"" D(
		"0") "\",\"layers\":{},\"entrypoint\":[],\"cmd\":[],\"env\":[],\"exposedPorts\":[]}",
};

static void test_bad_records(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_records); i++) {
		struct oci_record record;

		if (oci_record_parse(bad_records[i], strlen(bad_records[i]), &record, NULL) !=
		    -EBADMSG)
			fail_msg("taken: %s", bad_records[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manifest),      cmocka_unit_test(test_index),
		cmocka_unit_test(test_bad_manifests), cmocka_unit_test(test_config),
		cmocka_unit_test(test_configs),	      cmocka_unit_test(test_bad_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
