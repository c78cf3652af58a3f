// SPDX-License-Identifier: Apache-2.0
/* What needs no kernel of its own of volumes: paths in a tree that is not ours, and files that are exchanged at once. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "atomic.h"
#include "base/fd.h"
#include "base/mem.h"
#include "path.h"

#define RACE_TURNS 20000

static char dir[] = "/tmp/test_volume.XXXXXX";
static int root = -1, tree = -1; /* the folder, and the one in it that is the limit */

static int set_up(void **state)
{
	(void)state;
	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mkdirat(root, "tree", 0755) < 0 || mkdirat(root, "out", 0755) < 0)
		return -1;
	tree = openat(root, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return tree < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	fd_close(tree);
	fd_close(root);
	return file_remove_tree(AT_FDCWD, dir);
}

static ino_t inode(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	return st.st_ino;
}

static ino_t inode_of(int at, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(at, path, &st, 0), 0);
	return st.st_ino;
}

static void links_stay_inside(void **state)
{
	struct err e = ERR_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(mkdirat(tree, "sub", 0700), 0);
	assert_int_equal(symlinkat("/sub", tree, "abs"), 0);
	assert_int_equal(symlinkat("../out", tree, "up"), 0);
	assert_int_equal(symlinkat("sub/../sub", tree, "within"), 0);
	assert_int_equal(symlinkat("/proc/self/root", tree, "magic"), 0);

	assert_true(inode(path_open(tree, "within", PATH_BENEATH, O_PATH)) ==
		    inode_of(tree, "sub"));
	assert_int_equal(path_open(tree, "abs", PATH_BENEATH, O_PATH), -EXDEV);
	assert_int_equal(path_open(tree, "up", PATH_BENEATH, O_PATH), -EXDEV);
	assert_int_equal(path_open(tree, "../out", PATH_BENEATH, O_PATH), -EXDEV);
	assert_int_equal(path_open(tree, "/", PATH_BENEATH, O_PATH), -EXDEV);
	assert_int_equal(path_dir(tree, "up/made", PATH_BENEATH, 0755, &e), -EXDEV);
	assert_int_equal(path_dir(tree, "abs/made", PATH_BENEATH, 0755, &e), -EXDEV);

	/* With the tree as "/" the same links mean something else. */
	assert_true(inode(path_open(tree, "/abs", PATH_IN_ROOT, O_PATH)) == inode_of(tree, "sub"));
	assert_int_equal(path_open(tree, "/up", PATH_IN_ROOT, O_PATH), -ENOENT);
	assert_int_equal(path_open(tree, "/magic", PATH_IN_ROOT, O_PATH), -ENOENT);
	assert_true(inode(path_open(tree, "/../..", PATH_IN_ROOT, O_PATH)) == inode_of(tree, "."));

	/* Folders have the mode that was asked for, below links too. */
	umask(077);
	assert_true(inode(path_dir(tree, "within/a/b/", PATH_BENEATH, 0775, &e)) ==
		    inode_of(tree, "sub/a/b"));
	umask(022);
	assert_int_equal(fstatat(tree, "sub/a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0775);
	assert_true(inode(path_dir(tree, "/abs/c", PATH_IN_ROOT, 0755, &e)) ==
		    inode_of(tree, "sub/c"));
	assert_int_equal(path_dir(tree, "/up/x", PATH_IN_ROOT, 0755, &e), -ENOENT);
	assert_int_equal(faccessat(root, "out/x", F_OK, 0), -1);
}

static void files_to_mount_upon(void **state)
{
	struct err e = ERR_INIT;
	struct stat st;
	int fd;

	(void)state;
	fd = path_file(tree, "/etc/app.conf", &e);
	assert_true(fd >= 0);
	assert_true(inode(fd) == inode_of(tree, "etc/app.conf"));
	/* what is there stays, unless it is a link */
	assert_true(inode(path_file(tree, "/etc/app.conf", &e)) == inode_of(tree, "etc/app.conf"));
	assert_int_equal(symlinkat("../../out/file", tree, "etc/link"), 0);
	fd = path_file(tree, "/etc/link", &e);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(fstatat(tree, "etc/link", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(mkdirat(tree, "etc/dir", 0755), 0);
	assert_true(path_file(tree, "/etc/dir", &e) < 0);
}

static atomic_bool racing;

/* A container that exchanges a folder for a link all the time (CVE-2021-25741) */
static void *attack(void *arg)
{
	(void)arg;
	while (racing) {
		mkdirat(tree, "x", 0755);
		unlinkat(tree, "x", AT_REMOVEDIR);
		symlinkat("../out", tree, "x");
		unlinkat(tree, "x", 0);
		mkdirat(tree, "x", 0755);
		renameat(tree, "x", root, "moved");
		renameat(root, "moved", tree, "x");
		unlinkat(tree, "x", AT_REMOVEDIR);
	}
	return NULL;
}

static void race(void **state)
{
	ino_t out = inode_of(root, "out");
	unsigned int opened = 0;
	pthread_t thread;

	(void)state;
	racing = true;
	assert_int_equal(pthread_create(&thread, NULL, attack, NULL), 0);
	for (int i = 0; i < RACE_TURNS; i++) {
		int fd = i % 2 ? path_open(tree, "x", PATH_BENEATH, O_PATH)
			       : path_dir(tree, "x/y", PATH_BENEATH, 0755, NULL);

		if (fd < 0)
			continue;
		opened++;
		if (inode(fd) == out)
			racing = false;
		unlinkat(tree, "x/y", AT_REMOVEDIR);
	}
	assert_true(racing);
	racing = false;
	pthread_join(thread, NULL);
	assert_int_equal(faccessat(root, "out/y", F_OK, 0), -1);
	assert_true(opened > 0);
}

static void check_text(const char *path, const char *text)
{
	char got[64];
	int fd = openat(tree, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, got, sizeof(got) - 1);
	close(fd);
	assert_true(n >= 0);
	got[n] = '\0';
	assert_string_equal(got, text);
}

static unsigned int count_entries(void)
{
	DIR *d = fdopendir(openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	unsigned int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

#define FILE_OF(path_, text_)                                                            \
	{                                                                                \
		.path = (path_), .mode = 0640, .data = (text_), .len = sizeof(text_) - 1 \
	}

static void files_are_exchanged(void **state)
{
	static const struct guest_file first[] = {FILE_OF("a", "one"), FILE_OF("sub/in/b", "b1"),
						  FILE_OF("old", "")};
	static const struct guest_file second[] = {FILE_OF("a", "two"), FILE_OF("sub/in/b", "b2"),
						   FILE_OF("new", "n")};
	struct guest_files m = {.generation = 7, .group = GUEST_NO_ID, .files = first, .count = 3};
	struct err e = ERR_INIT;
	struct stat st;
	char link[64] = "";
	ino_t before;
	int held;

	(void)state;
	assert_int_equal(atomic_write(tree, &m, &e), 0);
	check_text("a", "one");
	check_text("sub/in/b", "b1");
	check_text("..data/old", "");
	assert_int_equal(fstatat(tree, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_true(readlinkat(tree, "a", link, sizeof(link)) > 0);
	assert_string_equal(link, "..data/a");
	assert_int_equal(count_entries(), 5);

	/* the same again is nothing, also when it looks otherwise */
	before = st.st_ino;
	m.files = second;
	assert_int_equal(atomic_write(tree, &m, &e), 0);
	assert_true(inode_of(tree, "a") == before);

	held = openat(tree, "a", O_RDONLY | O_CLOEXEC);
	assert_int_equal(mkdirat(tree, "place", 0755), 0); /* of another mount */
	m.generation = 3;
	assert_int_equal(atomic_write(tree, &m, &e), 0);
	check_text("a", "two");
	check_text("sub/in/b", "b2");
	check_text("new", "n");
	assert_int_equal(faccessat(tree, "old", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(faccessat(tree, "..0000000000000007", F_OK, 0), -1);
	assert_int_equal(count_entries(), 6);
	assert_true(inode(held) == before); /* who has it open keeps it */

	m.count = 0;
	m.generation = 4;
	assert_int_equal(atomic_write(tree, &m, &e), 0);
	assert_int_equal(count_entries(), 3);
}

/* What cannot be written leaves the old contents. */
static void failures_change_nothing(void **state)
{
	static const struct guest_file good[] = {FILE_OF("a", "one")};
	static const struct guest_file bad[] = {FILE_OF("a", "two"),
						FILE_OF("a/b", "not a folder")};
	struct guest_files m = {.generation = 1, .group = GUEST_NO_ID, .files = good, .count = 1};
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(atomic_write(tree, &m, &e), 0);
	m = (struct guest_files){
		.generation = 2, .group = GUEST_NO_ID, .files = bad, .count = ARRAY_SIZE(bad)};
	assert_int_equal(atomic_write(tree, &m, &e), -ENOTDIR);
	assert_string_equal(err_msg(&e), "write a/b: Not a directory");
	check_text("a", "one");
	assert_int_equal(count_entries(), 3);
	/* leftovers of one that was cut short are no obstacle */
	assert_int_equal(mkdirat(tree, "..0000000000000003", 0755), 0);
	assert_int_equal(symlinkat("x", tree, "..data_tmp"), 0);
	m = (struct guest_files){.generation = 3, .group = GUEST_NO_ID, .files = good, .count = 1};
	assert_int_equal(atomic_write(tree, &m, &e), 0);
	check_text("a", "one");
	assert_int_equal(count_entries(), 3);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(links_stay_inside),	T(files_to_mount_upon),	    T(race),
		T(files_are_exchanged), T(failures_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
