// SPDX-License-Identifier: Apache-2.0
#include "oci_harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/image_run.h"

struct oci_harness t;

void on_image(struct oci_wait *w, struct oci_image *image, enum oci_failure failure,
	      const struct err *e)
{
	struct wait *wait = container_of(w, struct wait, wait);

	assert_false(wait->done);
	wait->done = true;
	wait->image = image;
	wait->failure = failure;
	if (e)
		wait->error = *e;
	assert_true((image != NULL) == (failure == OCI_FAILURE_NONE));
}

void run(const bool *done)
{
	uint64_t end_ms = clock_mono_ms() + 20000;

	while (!*done && clock_mono_ms() < end_ms)
		assert_int_equal(loop_once(&t.loop, 100), 0);
	assert_true(*done);
}

struct wait ensure_with(const char *name, const struct oci_login *logins, size_t count)
{
	struct wait w = {.wait.fn = on_image};

	oci_ensure(t.oci, &w.wait, name, OCI_PULL_ALWAYS, logins, count);
	run(&w.done);
	return w;
}

struct wait ensure(const char *name, enum oci_pull pull)
{
	static struct wait w;

	w = (struct wait){.wait.fn = on_image};
	oci_ensure(t.oci, &w.wait, name, pull, NULL, 0);
	run(&w.done);
	return w;
}

void pull(const char *name)
{
	struct wait w = ensure(name, OCI_PULL_IF_NOT_PRESENT);

	if (w.failure != OCI_FAILURE_NONE)
		fail_msg("%s", err_msg(&w.error));
	oci_image_unref(w.image);
}

size_t files_in(const char *kind)
{
	char path[PATH_MAX];
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", t.root, kind);
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

void reopen(uint64_t cap_bytes)
{
	struct err e = ERR_INIT;

	oci_free(t.oci);
	t.config.cap_bytes = cap_bytes;
	if (oci_new(&t.config, &t.oci, &e) < 0)
		fail_msg("%s", err_msg(&e));
}

int start(void **state)
{
	(void)state;
	t.oci = NULL;
	str_copy(t.root, sizeof(t.root), "/tmp/test-oci-XXXXXX");
	assert_non_null(mkdtemp(t.root));
	assert_int_equal(loop_init(&t.loop), 0);
	fake_start(&t.registry, &t.loop);
	t.mirrors[0] = "127.0.0.1:1=http://127.0.0.1:2"; /* a mirror that is down */
	t.mirrors[1] = t.registry.mirror;
	t.config = (struct oci_config){
		.loop = &t.loop,
		.root = t.root,
		.mirrors = t.mirrors,
		.mirror_count = 2,
		.worker = t.self,
		.mkfs = t.mkfs,
		.cgroup_fd = -1,
	};
	reopen(0);
	fake_layer_make(&t.a, "a", 'a', 100000);
	fake_layer_make(&t.b, "b", 'b', 200000);
	return 0;
}

int stop(void **state)
{
	(void)state;
	oci_free(t.oci);
	fake_stop(&t.registry);
	loop_done(&t.loop);
	fake_layer_done(&t.a);
	fake_layer_done(&t.b);
	return file_remove_tree(AT_FDCWD, t.root);
}

int begin(int argc, char **argv)
{
	ssize_t n;

	if (argc > 1 && str_eq(argv[1], "--store"))
		return image_run(argc, argv);
	n = readlink("/proc/self/exe", t.self, sizeof(t.self) - 1);
	assert_true(n > 0);
	t.self[n] = '\0';
	/* out/test/NAME and out/pkg/native/erofs-utils/bin/mkfs.erofs */
	snprintf(t.mkfs, sizeof(t.mkfs), "%.*s/../pkg/native/erofs-utils/bin/mkfs.erofs",
		 (int)(strrchr(t.self, '/') - t.self), t.self);
	return -1;
}
