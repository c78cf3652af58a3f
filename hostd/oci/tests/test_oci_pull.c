// SPDX-License-Identifier: Apache-2.0
/* Pulls that go well, badly, slowly or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/digest.h"
#include "oci_harness.h"

static void on_listed(const struct oci_image *image, const struct oci_strings *names, void *arg)
{
	struct buf *b = arg;

	for (size_t i = 0; i < names->count; i++)
		buf_printf(b, "%s %s\n", names->at[i], str_eq(image->digest, "") ? "?" : "");
}

static void test_pull(void **state)
{
	struct fake_layer layers[] = {t.a, t.b, t.a};
	char digest[OCI_DIGEST_MAX], want[2 * OCI_NAME_MAX];
	struct buf names = BUF_INIT(0);
	struct wait w;
	unsigned int asked;

	(void)state;
	fake_image(&t.registry, "repo", "v1", layers, 3, digest);
	w = ensure(HOST "repo:v1", OCI_PULL_IF_NOT_PRESENT);
	if (w.failure != OCI_FAILURE_NONE)
		fail_msg("%s", err_msg(&w.error));
	assert_non_null(w.image);
	assert_string_equal(w.image->digest, digest);
	assert_int_equal(w.image->layer_count, 3);
	assert_string_equal(w.image->cmd.at[0], "v1");
	assert_string_equal(w.image->layers[0].path, w.image->layers[2].path);
	for (size_t i = 0; i < 3; i++) {
		struct buf b = BUF_INIT(0);

		assert_string_equal(w.image->layers[i].diff_id, layers[i].diff_id);
		assert_int_equal(file_read(AT_FDCWD, w.image->layers[i].path, &b, NULL), 0);
		assert_int_equal(b.len, w.image->layers[i].size_bytes);
		assert_int_equal(b.len % 4096, 0);
		assert_memory_equal(b.data + 1024, "\xe2\xe1\xf5\xe0", 4);
		assert_non_null(memmem(b.data, b.len, i == 1 ? "bbbbbbbb" : "aaaaaaaa", 8));
		buf_done(&b);
	}
	assert_int_equal(files_in("tmp"), 0);
	assert_int_equal(files_in("layers"), 2);
	assert_int_equal(oci_used_bytes(t.oci),
			 w.image->layers[0].size_bytes + w.image->layers[1].size_bytes);
	/* once more asks nobody; Always asks for the manifest only */
	asked = t.registry.asked;
	pull(HOST "repo:v1");
	assert_int_equal(t.registry.asked, asked);
	assert_int_equal(ensure(HOST "repo:v1", OCI_PULL_ALWAYS).failure, OCI_FAILURE_NONE);
	assert_int_equal(t.registry.asked, asked + 1);
	oci_image_unref(w.image);
	snprintf(want, sizeof(want), HOST "repo@%s", digest);
	pull(want);
	assert_int_equal(t.registry.asked, asked + 1);
	oci_images(t.oci, on_listed, &names);
	snprintf(want, sizeof(want), HOST "repo:v1 \n" HOST "repo@%s \n", digest);
	assert_string_equal(names.data, want);
	buf_done(&names);
	oci_image_unref(w.image); /* the one of Always */
}

static void test_one_pull_for_many(void **state)
{
	struct wait waits[10];
	char digest[OCI_DIGEST_MAX];

	(void)state;
	fake_image(&t.registry, "repo", "latest", &t.a, 1, digest);
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		waits[i] = (struct wait){.wait.fn = on_image};
		oci_ensure(t.oci, &waits[i].wait, i % 2 ? HOST "repo" : HOST "repo:latest",
			   OCI_PULL_ALWAYS, NULL, 0);
	}
	oci_cancel(t.oci, &waits[3].wait);
	oci_cancel(t.oci, &waits[3].wait);
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		if (i == 3)
			continue;
		run(&waits[i].done);
		assert_non_null(waits[i].image);
		oci_image_unref(waits[i].image);
	}
	assert_false(waits[3].done);
	assert_int_equal(fake_find(&t.registry, "/v2/repo/manifests/latest")->asked, 1);
}

static void test_index_and_token(void **state)
{
	char digest[OCI_DIGEST_MAX], text[512];
	struct wait w;

	(void)state;
	t.registry.wants_token = true;
	fake_image(&t.registry, "a/b", "inner", &t.b, 1, digest);
	snprintf(text, sizeof(text),
		 "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"%s\",\"size\":1,"
		 "\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}}]}",
		 digest);
	fake_put(&t.registry, 200, text, strlen(text), "/v2/a/b/manifests/index");
	w = ensure(HOST "a/b:index", OCI_PULL_IF_NOT_PRESENT);
	if (w.failure != OCI_FAILURE_NONE)
		fail_msg("%s", err_msg(&w.error));
	assert_non_null(w.image);
	assert_string_equal(w.image->digest, digest);
	assert_int_equal(t.registry.tokens, 1);
	oci_image_unref(w.image);
	/* the index's own digest is a name, too */
	oci_digest_of(text, strlen(text), digest);
	fake_put(&t.registry, 200, text, strlen(text), "/v2/a/b/manifests/%s", digest);
	snprintf(text, sizeof(text), HOST "a/b@%s", digest);
	pull(text);
	assert_int_equal(ensure(text, OCI_PULL_NEVER).failure, OCI_FAILURE_NONE);
	oci_image_unref(oci_image_find(t.oci, w.image->digest));
	oci_image_unref(w.image);
}

/* The same tar gives the same file, whenever and by whomever it is made */
static void test_same_bytes(void **state)
{
	char digest[OCI_DIGEST_MAX], first[OCI_DIGEST_MAX] = "", again[OCI_DIGEST_MAX] = "";

	(void)state;
	fake_image(&t.registry, "repo", "latest", &t.b, 1, digest);
	for (int i = 0; i < 2; i++) {
		struct buf b = BUF_INIT(0);
		struct wait w = ensure(HOST "repo", OCI_PULL_IF_NOT_PRESENT);

		assert_non_null(w.image);
		assert_int_equal(file_read(AT_FDCWD, w.image->layers[0].path, &b, NULL), 0);
		oci_digest_of(b.data, b.len, i ? again : first);
		buf_done(&b);
		oci_image_unref(w.image);
		reopen(1);
		oci_gc(t.oci, 0);
		assert_int_equal(files_in("layers"), 0);
		assert_int_equal(files_in("images"), 0);
		assert_int_equal(files_in("names"), 0);
		reopen(0);
	}
	assert_string_equal(first, again);
}

enum damage {
	BLOB_CONTENT,
	BLOB_CUT,
	BLOB_LARGER,
	BLOB_NO_GZIP,
	BLOB_IS_BOMB,
	DIFF_ID,
	NO_TAR,
	DAMAGES,
};

static const char *const damage_words[DAMAGES] = {
	[BLOB_CONTENT] = "the content's digest is sha256:",
	[BLOB_CUT] = "the content's digest is sha256:",
	[BLOB_LARGER] = "larger than the manifest says",
	[BLOB_NO_GZIP] = "damaged gzip data",
	[BLOB_IS_BOMB] = "it unpacks to more than",
	[DIFF_ID] = "it unpacks to sha256:",
	[NO_TAR] = "mkfs.erofs: ",
};

static void damage_layer(struct fake_layer *l, enum damage damage)
{
	char *zeros;

	switch (damage) {
	case BLOB_CONTENT:
		l->blob.data[l->blob.len / 2] ^= 1;
		break;
	case BLOB_CUT:
		l->blob.len -= 10;
		break;
	case BLOB_LARGER:
		buf_append(&l->blob, "more", 4);
		break;
	case BLOB_NO_GZIP:
		l->blob.data[l->blob.len / 2] ^= 1;
		oci_digest_of(l->blob.data, l->blob.len, l->digest);
		break;
	case BLOB_IS_BOMB:
		zeros = mem_alloc(30000000);
		buf_clear(&l->tar);
		tar_add(&l->tar, "z", zeros, 30000000);
		tar_end(&l->tar);
		free(zeros);
		buf_clear(&l->blob);
		gzip_of(&l->blob, l->tar.data, l->tar.len);
		oci_digest_of(l->tar.data, l->tar.len, l->diff_id);
		oci_digest_of(l->blob.data, l->blob.len, l->digest);
		l->size = l->blob.len;
		break;
	case DIFF_ID:
		str_copy(l->diff_id, sizeof(l->diff_id), l->digest);
		break;
	case NO_TAR:
		buf_clear(&l->blob);
		for (int i = 0; i < 10000; i++)
			buf_puts(&l->blob, "this is no archive\n");
		oci_digest_of(l->blob.data, l->blob.len, l->digest);
		str_copy(l->diff_id, sizeof(l->diff_id), l->digest);
		l->size = l->blob.len;
		break;
	case DAMAGES:
		break;
	}
}

static void test_damaged_layers(void **state)
{
	(void)state;
	reopen(20000000);
	for (int i = 0; i < DAMAGES; i++) {
		struct fake_layer layers[2] = {t.a};
		char digest[OCI_DIGEST_MAX], name[64];
		struct wait w;

		fake_layer_make(&layers[1], "file", (char)('0' + i), 50000);
		damage_layer(&layers[1], (enum damage)i);
		snprintf(name, sizeof(name), "bad%d", i);
		fake_image(&t.registry, name, "latest", layers, 2, digest);
		snprintf(name, sizeof(name), HOST "bad%d", i);
		w = ensure(name, OCI_PULL_IF_NOT_PRESENT);
		print_message("%s\n", err_msg(&w.error));
		assert_int_equal(w.failure, OCI_FAILURE_PULL);
		assert_non_null(strstr(w.error.msg, layers[1].digest));
		assert_non_null(strstr(w.error.msg, damage_words[i]));
		assert_non_null(strstr(w.error.msg, name));
		/* nothing is kept, not even the layer that was well */
		assert_int_equal(files_in("layers") + files_in("images") + files_in("tmp"), 0);
		fake_layer_done(&layers[1]);
	}
}

/* Pulls a new image with a script in mkfs.erofs's place, whose name is its %s. Return: what failed */
static const char *pull_with(const char *name, const char *script)
{
	_cleanup_free_ char *path = mem_printf("%s/mkfs-%s", t.root, name);
	struct buf text = BUF_INIT(0);
	char digest[OCI_DIGEST_MAX], full[64];
	struct fake_layer large; /* than any pipe */
	static struct wait w;

	buf_printf(&text, "#!/bin/sh\nmkfs=%s\n%s\n", t.mkfs, script);
	assert_int_equal(file_write(AT_FDCWD, path, text.data, text.len, 0755, NULL), 0);
	buf_done(&text);
	t.config.mkfs = path;
	reopen(0);
	fake_layer_make(&large, "large", 'l', 3000000);
	fake_image(&t.registry, name, "latest", &large, 1, digest);
	fake_layer_done(&large);
	snprintf(full, sizeof(full), HOST "%s", name);
	w = ensure(full, OCI_PULL_IF_NOT_PRESENT);
	assert_int_equal(w.failure, OCI_FAILURE_PULL);
	assert_int_equal(files_in("layers") + files_in("images"), 0);
	return w.error.msg;
}

/* It says more than a pipe holds before it reads: neither may wait for the other for ever. */
static void test_talkative_mkfs(void **state)
{
	(void)state;
	assert_non_null(strstr(
		pull_with("talk",
			  "head -c 300000 /dev/zero | tr '\\0' x >&2; cat >/dev/null; exit 3"),
		"mkfs.erofs: xxxx"));
}

/* A process that is left behind with the layer open could change it under the pods that use it. */
static void test_left_writer(void **state)
{
	(void)state;
	assert_non_null(strstr(pull_with("left", "for layer; do :; done\n"
						 "$mkfs \"$@\" || exit 1\n"
						 "chmod 644 \"$layer\"; exec 3>>\"$layer\"\n"
						 "sleep 2 >/dev/null 2>&1 </dev/null &"),
			       strerror(ETXTBSY)));
}

static void test_failures(void **state)
{
	static const char upper[] = HOST "Repo";
	struct wait w = ensure(HOST "nosuch:v2", OCI_PULL_IF_NOT_PRESENT);

	(void)state;
	assert_int_equal(w.failure, OCI_FAILURE_PULL);
	print_message("%s\n", err_msg(&w.error));
	assert_non_null(strstr(w.error.msg, "nosuch:v2"));
	assert_non_null(strstr(w.error.msg, "manifest unknown (MANIFEST_UNKNOWN, HTTP 404)"));
	w = ensure(upper, OCI_PULL_ALWAYS);
	assert_int_equal(w.failure, OCI_FAILURE_NAME);
	assert_non_null(strstr(w.error.msg, "Repo"));
	w = ensure(HOST "repo", OCI_PULL_NEVER);
	assert_int_equal(w.failure, OCI_FAILURE_NEVER);
	/* a manifest that is not what its digest says */
	fake_put(&t.registry, 200, "{}", 2, "/v2/repo/manifests/sha256:%064d", 0);
	w = ensure(HOST
		   "repo@sha256:0000000000000000000000000000000000000000000000000000000000000000",
		   OCI_PULL_IF_NOT_PRESENT);
	assert_int_equal(w.failure, OCI_FAILURE_PULL);
	assert_non_null(strstr(w.error.msg, "has the digest"));
	/* an error that is no JSON */
	fake_put(&t.registry, 503, "\x1b[31m", 5, "/v2/repo/manifests/x");
	w = ensure(HOST "repo:x", OCI_PULL_IF_NOT_PRESENT);
	assert_non_null(strstr(w.error.msg, "HTTP status 503"));
	/* a pull whose program cannot even be started */
	t.config.worker = "/nonexistent";
	reopen(0);
	w = ensure(HOST "repo", OCI_PULL_IF_NOT_PRESENT);
	assert_non_null(strstr(w.error.msg, "/nonexistent"));
}

static void test_cancel(void **state)
{
	/* Static: the pull that is under way at the end is cancelled by stop(), after this returned. */
	static struct wait w = {.wait.fn = on_image}, again = {.wait.fn = on_image};
	char digest[OCI_DIGEST_MAX];

	(void)state;
	fake_image(&t.registry, "repo", "latest", &t.a, 1, digest);
	t.registry.silent = true;
	oci_ensure(t.oci, &w.wait, HOST "repo", OCI_PULL_IF_NOT_PRESENT, NULL, 0);
	while (!t.registry.asked)
		assert_int_equal(loop_once(&t.loop, 100), 0);
	oci_cancel(t.oci, &w.wait);
	/* the same name again is another pull, not the one that was just killed */
	t.registry.silent = false;
	oci_ensure(t.oci, &again.wait, HOST "repo", OCI_PULL_IF_NOT_PRESENT, NULL, 0);
	run(&again.done);
	if (!again.image)
		fail_msg("%s", err_msg(&again.error));
	oci_image_unref(again.image);
	assert_false(w.done);
	assert_int_equal(files_in("tmp"), 0);
	/* and one that is under way when all ends */
	t.registry.silent = true;
	oci_ensure(t.oci, &w.wait, HOST "other", OCI_PULL_IF_NOT_PRESENT, NULL, 0);
	assert_int_equal(loop_once(&t.loop, 100), 0);
}

/* A registry that keeps its pulls waiting does not keep those of others waiting. */
static void test_slow_registry(void **state)
{
	static const char *const names[] = {HOST "slow1", HOST "slow2", HOST "slow3"};
	static struct wait slow[ARRAY_SIZE(names)];
	char digest[OCI_DIGEST_MAX];

	(void)state;
	t.config.slow_ms = 1000;
	reopen(0);
	fake_image(&t.registry, "repo", "latest", &t.a, 1, digest);
	t.registry.silent = true;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		slow[i] = (struct wait){.wait.fn = on_image};
		oci_ensure(t.oci, &slow[i].wait, names[i], OCI_PULL_IF_NOT_PRESENT, NULL, 0);
	}
	while (t.registry.asked < ARRAY_SIZE(names))
		assert_int_equal(loop_once(&t.loop, 100), 0);
	t.registry.silent = false;
	pull(HOST "repo");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_false(slow[i].done);
}

/* The registry itself, or its token service, wants to know who asks; the pull's process is told by a pipe. */
static void test_logins(void **state)
{
	char host[64];
	const struct oci_login logins[] = {{"elsewhere:5", "bm86bm8="}, {host, "dTpw"}};
	struct wait w;
	char digest[OCI_DIGEST_MAX];

	(void)state;
	snprintf(host, sizeof(host), "%s", strstr(t.registry.mirror, "://") + 3);
	fake_image(&t.registry, "private", "latest", &t.a, 1, digest);
	t.registry.login = "Basic dTpw";
	for (int tokens = 0; tokens < 2; tokens++) {
		t.registry.wants_token = tokens;
		w = ensure_with(HOST "private", logins, 1);
		assert_int_equal(w.failure, OCI_FAILURE_PULL);
		w = ensure_with(HOST "private", logins, 2);
		if (w.failure != OCI_FAILURE_NONE)
			fail_msg("%s", err_msg(&w.error));
		oci_image_unref(w.image);
	}
	assert_int_equal(t.registry.tokens, 1);
}

/* Two who are not the same do not share a pull. */
static void test_logins_apart(void **state)
{
	char host[64];
	const struct oci_login good = {host, "dTpw"}, bad = {host, "dTp4"};
	struct wait waits[2] = {{.wait.fn = on_image}, {.wait.fn = on_image}};
	char digest[OCI_DIGEST_MAX];

	(void)state;
	snprintf(host, sizeof(host), "%s", strstr(t.registry.mirror, "://") + 3);
	fake_image(&t.registry, "private", "latest", &t.a, 1, digest);
	t.registry.login = "Basic dTpw";
	oci_ensure(t.oci, &waits[0].wait, HOST "private", OCI_PULL_ALWAYS, &good, 1);
	oci_ensure(t.oci, &waits[1].wait, HOST "private", OCI_PULL_ALWAYS, &bad, 1);
	run(&waits[0].done);
	run(&waits[1].done);
	assert_int_equal(waits[0].failure, OCI_FAILURE_NONE);
	assert_int_equal(waits[1].failure, OCI_FAILURE_PULL);
	oci_image_unref(waits[0].image);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pull, start, stop),
		cmocka_unit_test_setup_teardown(test_one_pull_for_many, start, stop),
		cmocka_unit_test_setup_teardown(test_index_and_token, start, stop),
		cmocka_unit_test_setup_teardown(test_same_bytes, start, stop),
		cmocka_unit_test_setup_teardown(test_damaged_layers, start, stop),
		cmocka_unit_test_setup_teardown(test_talkative_mkfs, start, stop),
		cmocka_unit_test_setup_teardown(test_left_writer, start, stop),
		cmocka_unit_test_setup_teardown(test_failures, start, stop),
		cmocka_unit_test_setup_teardown(test_cancel, start, stop),
		cmocka_unit_test_setup_teardown(test_slow_registry, start, stop),
		cmocka_unit_test_setup_teardown(test_logins, start, stop),
		cmocka_unit_test_setup_teardown(test_logins_apart, start, stop),
	};
	int status = begin(argc, argv);

	return status < 0 ? cmocka_run_group_tests(tests, NULL, NULL) : status;
}
