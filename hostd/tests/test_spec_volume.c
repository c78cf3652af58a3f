// SPDX-License-Identifier: Apache-2.0
/* Volumes and mounts of a pod's spec. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "pod/spec.h"

#define POD(volumes, mounts)                                                            \
	"{\"metadata\":{\"namespace\":\"d\",\"name\":\"web\",\"uid\":\"u\"},\"spec\":{" \
	"\"volumes\":[" volumes                                                         \
	"],\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"volumeMounts\":[" mounts "]}]}}"
#define DIR "{\"name\":\"v\",\"emptyDir\":{}}"

static int parse(const char *text, struct pod_spec **spec, struct err *e)
{
	struct json_doc *doc;
	int r;

	assert_int_equal(json_parse(text, strlen(text), &doc, e), 0);
	r = spec_parse(json_root(doc), spec, e);
	json_doc_free(doc);
	return r;
}

static void test_kinds(void **state)
{
	static const char text[] =
		"{\"metadata\":{\"namespace\":\"d\",\"name\":\"web\",\"uid\":\"u\"},\"spec\":{"
		"\"securityContext\":{\"fsGroup\":1000,\"fsGroupChangePolicy\":\"OnRootMismatch\"},"
		"\"volumes\":[{\"name\":\"plain\",\"emptyDir\":{}},{\"name\":\"none\"},"
		"{\"name\":\"limited\",\"emptyDir\":{\"sizeLimit\":\"10Mi\"}},"
		"{\"emptyDir\":{\"medium\":\"Memory\",\"sizeLimit\":1048576},\"name\":\"fast\"}],"
		"\"initContainers\":[{\"name\":\"i\",\"image\":\"i\",\"volumeMounts\":["
		"{\"name\":\"fast\",\"mountPath\":\"/dev/shm\"}]}],"
		"\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"volumeMounts\":["
		"{\"name\":\"plain\",\"mountPath\":\"/a/b/c\"},"
		"{\"name\":\"limited\",\"mountPath\":\"data//x/./\",\"readOnly\":true,"
		"\"mountPropagation\":\"None\",\"recursiveReadOnly\":\"Disabled\"},"
		"{\"name\":\"none\",\"mountPath\":\"/a\",\"subPath\":\"p/q/\"},"
		"{\"name\":\"none\",\"mountPath\":\"/a/c\",\"subPathExpr\":\"$(POD)/x\"}]}]}}";
	struct pod_spec *s = NULL;
	struct err e = ERR_INIT;
	const struct spec_mount *m;

	(void)state;
	if (parse(text, &s, &e) < 0)
		fail_msg("%s", err_msg(&e));
	assert_int_equal(s->fs_group, 1000);
	assert_int_equal(s->groups[0], 1000);
	assert_int_equal(s->volume_count, 4);
	assert_int_equal(s->volumes[0].kind, SPEC_VOLUME_DISK);
	assert_true(s->volumes[0].size_limit == 0);
	assert_int_equal(s->volumes[1].kind, SPEC_VOLUME_DISK);
	assert_int_equal(s->volumes[2].size_limit, 10 << 20);
	assert_int_equal(s->volumes[3].kind, SPEC_VOLUME_MEMORY);
	assert_int_equal(s->volumes[3].size_limit, 1 << 20);
	assert_int_equal(s->volumes[3].index, 3);
	assert_int_equal(s->containers[0].mount_count, 1);
	assert_string_equal(s->containers[0].mounts[0].path, "/dev/shm");
	assert_int_equal(s->containers[0].mounts[0].volume, 3);
	/* parents first, else as the pod has it */
	assert_int_equal(s->containers[1].mount_count, 4);
	m = s->containers[1].mounts;
	assert_string_equal(m[0].path, "/a");
	assert_string_equal(m[0].sub_path, "p/q");
	assert_string_equal(m[1].path, "/data/x");
	assert_true(m[1].read_only && !m[1].expand);
	assert_string_equal(m[2].path, "/a/c");
	assert_string_equal(m[2].sub_path, "$(POD)/x");
	assert_true(m[2].expand && !m[2].read_only);
	assert_string_equal(m[3].path, "/a/b/c");
	assert_string_equal(m[3].sub_path, "");
	spec_free(s);
}

static void test_no_group(void **state)
{
	struct pod_spec *s = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(parse(POD("", ""), &s, &e), 0);
	assert_int_equal(s->fs_group, GUEST_NO_ID);
	assert_int_equal(s->volume_count, 0);
	spec_free(s);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *why;
		int code;
	} cases[] = {
#define NO ": not supported by HyperMetal"
		{POD("{\"name\":\"v\",\"hostPath\":{\"path\":\"/\"}}", ""),
		 "spec.volumes[0].hostPath" NO, -ENOTSUP},
		{POD(DIR ",{\"name\":\"w\",\"persistentVolumeClaim\":{\"claimName\":\"x\"}}", ""),
		 "spec.volumes[1].persistentVolumeClaim" NO, -ENOTSUP},
		{POD("{\"name\":\"v\",\"emptyDir\":{},\"nfs\":{}}", ""), "spec.volumes[0].nfs" NO,
		 -ENOTSUP},
		{POD("{\"name\":\"v\",\"emptyDir\":{},\"secret\":{}}", ""),
		 "spec.volumes[0]: both emptyDir and secret", -EINVAL},
		{POD("{\"name\":\"v\",\"emptyDir\":7}", ""),
		 "spec.volumes[0].emptyDir: not an object", -EINVAL},
		{POD("{\"name\":\"v\",\"emptyDir\":{\"medium\":\"HugePages\"}}", ""),
		 "spec.volumes[0].emptyDir.medium" NO, -ENOTSUP},
		{POD("{\"name\":\"v\",\"emptyDir\":{\"sizeLimit\":\"much\"}}", ""),
		 "spec.volumes[0].emptyDir.sizeLimit: not a quantity", -EINVAL},
		{POD("{\"name\":\"../v\",\"emptyDir\":{}}", ""), "spec.volumes[0].name: not a name",
		 -EINVAL},
		{POD("7", ""), "spec.volumes[0].name: not a name", -EINVAL},
		{POD(DIR "," DIR, ""), "spec.volumes[1].name: used twice", -EINVAL},
#define MOUNT(more) POD(DIR, "{\"name\":\"v\"," more "}")
#define AT	    "spec.containers[0].volumeMounts[0]"
		{POD(DIR, "{\"name\":\"w\",\"mountPath\":\"/a\"}"), AT ".name: no such volume",
		 -EINVAL},
		{MOUNT("\"subPath\":\"a\""), AT ".mountPath: not a path to mount at", -EINVAL},
		{MOUNT("\"mountPath\":\"/\""), AT ".mountPath: not a path to mount at", -EINVAL},
		{MOUNT("\"mountPath\":\"/a/../b\""), AT ".mountPath: not a path to mount at",
		 -EINVAL},
		{MOUNT("\"mountPath\":\"/a\\nb\""), AT ".mountPath: not a path to mount at",
		 -EINVAL},
		{MOUNT("\"mountPath\":\"/proc/self\""),
		 AT ".mountPath: nothing can be mounted in /proc", -EINVAL},
		{MOUNT("\"mountPath\":\"/a\",\"subPath\":\"/b\""),
		 AT ".subPath: not a path inside of the volume", -EINVAL},
		{MOUNT("\"mountPath\":\"/a\",\"subPath\":\"b/..\""),
		 AT ".subPath: not a path inside of the volume", -EINVAL},
		{MOUNT("\"mountPath\":\"/a\",\"subPathExpr\":\"../$(X)\""),
		 AT ".subPathExpr: not a path inside of the volume", -EINVAL},
		{MOUNT("\"mountPath\":\"/a\",\"subPath\":\"a\",\"subPathExpr\":\"b\""),
		 AT ": both subPath and subPathExpr", -EINVAL},
		{MOUNT("\"mountPath\":\"/a\",\"mountPropagation\":\"Bidirectional\""),
		 AT ".mountPropagation" NO, -ENOTSUP},
		{MOUNT("\"mountPath\":\"/a\",\"recursiveReadOnly\":\"Enabled\""),
		 AT ".recursiveReadOnly" NO, -ENOTSUP},
		{POD(DIR, "{\"name\":\"v\",\"mountPath\":\"/a\"},"
			  "{\"name\":\"v\",\"mountPath\":\"/a/\"}"),
		 "spec.containers[0].volumeMounts[1].mountPath: used twice", -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pod_spec *s = NULL;
		struct err e = ERR_INIT;

		assert_int_equal(parse(cases[i].text, &s, &e), cases[i].code);
		assert_string_equal(err_msg(&e), cases[i].why);
	}
}

/* What a pod may write: limits make it less than the host gives, and only if all containers have one. */
static void test_scratch(void **state)
{
	static const struct {
		const char *init, *first, *second;
		uint64_t mib;
	} cases[] = {
		{"{}", "{}", "{}", 1024},
		{"\"5Mi\"", "\"30Mi\"", "\"20Mi\"", 50},
		{"\"70Mi\"", "\"30Mi\"", "\"20Mi\"", 70},
		{"\"5Mi\"", "\"30Mi\"", "{}", 1024},
		{"{}", "\"30Mi\"", "\"20Mi\"", 1024},
		{"\"5Mi\"", "\"1Ei\"", "\"7Ei\"", 1024},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *values[] = {cases[i].init, cases[i].first, cases[i].second};
		char limits[3][80], text[800];
		struct pod_spec *s = NULL;
		struct err e = ERR_INIT;

		for (int k = 0; k < 3; k++)
			snprintf(limits[k], sizeof(limits[k]), "{\"limits\":{%s%s}}",
				 values[k][0] == '{' ? "" : "\"ephemeral-storage\":",
				 values[k][0] == '{' ? "" : values[k]);
		snprintf(
			text, sizeof(text),
			"{\"metadata\":{\"namespace\":\"d\",\"name\":\"web\",\"uid\":\"u\"},\"spec\":{"
			"\"initContainers\":[{\"name\":\"i\",\"image\":\"i\",\"resources\":%s}],"
			"\"containers\":[{\"name\":\"a\",\"image\":\"i\",\"resources\":%s},"
			"{\"name\":\"b\",\"image\":\"i\",\"resources\":%s}]}}",
			limits[0], limits[1], limits[2]);
		if (parse(text, &s, &e) < 0)
			fail_msg("%s", err_msg(&e));
		assert_int_equal(spec_scratch_bytes(s, 1024 << 20), cases[i].mib << 20);
		spec_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_no_group),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
