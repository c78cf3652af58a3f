// SPDX-License-Identifier: Apache-2.0
/* hyper image: what hosts boot, as the controller keeps it. (hyper images lists what pods run.) */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd.h"
#include "table.h"

#define IMAGES_PATH "/hypermetal/images"
#define SUM_SUFFIX  ".sha256"
#define MEDIA	    "hypermetal." /* begins the names of media made of an image: no part of it */
#define PIECE	    ((size_t)1 << 20) /* as much as the controller takes at a time */
#define WORD_MAX    256

/* The first word of a small file */
static int read_word(int dir, const char *name, char word[WORD_MAX], struct err *e)
{
	struct buf text = BUF_INIT(WORD_MAX - 1);
	int r = file_read(dir, name, &text, e);

	if (r == 0) {
		(void)str_copy(word, WORD_MAX, buf_str(&text));
		word[strcspn(word, " \t\r\n")] = '\0';
		if (!*word)
			r = err_set(e, -EINVAL, "%s is empty", name);
	}
	buf_done(&text);
	return r;
}

/* The checksum is the one that was written when the image was made: whatever happened to it since is found. */
static int add_file(int dir, const char *name, struct json_doc *doc, struct json *files,
		    struct err *e)
{
	_cleanup_free_ char *sum = mem_printf("%s" SUM_SUFFIX, name);
	struct json *f = json_new_obj(doc);
	char word[WORD_MAX];
	struct stat st;
	int r = read_word(dir, sum, word, e);

	if (r < 0)
		return r;
	if (fstatat(dir, name, &st, 0) < 0)
		return err_sys(e, -errno, "%s", name);
	json_put_str(doc, f, "name", name);
	json_put_str(doc, f, "sha256", word);
	json_put_int(doc, f, "sizeBytes", (int64_t)st.st_size);
	json_push(doc, files, f);
	return 0;
}

/* All files of the folder that have a checksum, but for media */
static int add_files(int dir, struct json_doc *doc, struct json *files, struct err *e)
{
	int again = dup(dir), r = 0;
	DIR *list = again < 0 ? NULL : fdopendir(again);
	const struct dirent *ent;

	if (!list)
		return err_sys(e, -errno, "read the folder");
	while (r == 0 && (ent = readdir(list))) {
		_cleanup_free_ char *name = NULL;

		if (!str_ends(ent->d_name, SUM_SUFFIX) || str_starts(ent->d_name, MEDIA))
			continue;
		name = mem_strndup(ent->d_name, strlen(ent->d_name) - strlen(SUM_SUFFIX));
		r = add_file(dir, name, doc, files, e);
	}
	closedir(list);
	return r;
}

static int send_file(struct cmd *c, int dir, const char *version, const char *name, struct err *e)
{
	_cleanup_fd_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *escaped = str_percent_encode(name);
	_cleanup_free_ char *piece = mem_alloc(PIECE);
	unsigned long long offset = 0;
	int r = 0;

	if (fd < 0)
		return err_sys(e, -errno, "open %s", name);
	while (r == 0) {
		_cleanup_free_ char *path =
			mem_printf(IMAGES_PATH "/%s/%s?offset=%llu", version, escaped, offset);
		ssize_t n = read(fd, piece, PIECE);

		if (n <= 0)
			return n < 0 ? err_sys(e, -errno, "read %s", name) : 0;
		r = api_put_bytes(c->api, path, piece, (size_t)n, e);
		offset += (unsigned long long)n;
	}
	return r;
}

static int add_dir(struct cmd *c, const char *from, struct err *e)
{
	_cleanup_fd_ int dir = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	_cleanup_free_ char *version = NULL, *path = NULL;
	struct json *root = json_new_obj(doc), *files = json_arr_of(doc, root, "files");
	struct json_iter it;
	char word[WORD_MAX];
	int r;

	if (dir < 0)
		return err_sys(e, -errno, "open");
	r = read_word(dir, "version", word, e);
	if (r == 0)
		r = add_files(dir, doc, files, e);
	if (r < 0)
		return r;
	version = str_percent_encode(word);
	path = mem_printf(IMAGES_PATH "/%s", version);
	r = api_call(c->api, "POST", path, root, NULL, e);
	if (r == -EEXIST) {
		printf("%s is there already\n", word);
		err_clear(e);
		return 0;
	}
	it = json_iter(files);
	while (r == 0 && json_next(&it))
		r = send_file(c, dir, version, json_str(json_get(it.value, "name"), ""), e);
	if (r == 0)
		printf("%s\n", word);
	return r;
}

static int image_add(struct cmd *c, int argc, char **argv)
{
	struct err e = ERR_INIT;

	if (argc != 2)
		return cmd_usage("image", "add takes a folder as `make images` leaves it");
	return add_dir(c, argv[1], &e) < 0 ? cmd_fail(&e, argv[1]) : CMD_OK;
}

static void image_row(struct table *t, const struct json *image)
{
	struct json_iter it = json_iter(json_at(image, "status", "hosts", NULL));
	bool standard = json_bool(json_at(image, "status", "default", NULL), false);
	bool readable = json_bool(json_at(image, "status", "readable", NULL), true);
	struct buf hosts = BUF_INIT(0);
	char age[16], size[24];
	const char *cells[5];

	while (json_next(&it))
		buf_printf(&hosts, "%s%s", hosts.len ? "," : "", json_str(it.value, ""));
	cells[0] = json_str(json_at(image, "metadata", "name", NULL), "");
	cells[1] = cmd_bytes(size, json_int(json_at(image, "spec", "sizeBytes", NULL), 0));
	cells[2] = cmd_age(age, json_at(image, "metadata", "creationTimestamp", NULL));
	cells[3] = !readable ? "unreadable" : standard ? "default" : "";
	cells[4] = buf_str(&hosts);
	table_add(t, cells);
	buf_done(&hosts);
}

static int image_list(struct cmd *c, int argc)
{
	static const char *const headers[] = {"VERSION", "SIZE", "AGE", "STATE", "HOSTS", NULL};
	_cleanup_json_ struct json_doc *doc = NULL;
	struct err e = ERR_INIT;
	struct json_iter it;
	struct table *t;

	if (argc > 1)
		return cmd_usage("image", "list takes no name");
	if (api_call(c->api, "GET", IMAGES_PATH, NULL, &doc, &e) < 0)
		return cmd_fail(&e, "image list");
	if (c->json)
		return cmd_print_json(json_root(doc));
	t = table_new(headers);
	it = json_iter(json_get(json_root(doc), "items"));
	while (json_next(&it))
		image_row(t, it.value);
	table_print(t, stdout);
	return CMD_OK;
}

static int image_rm(struct cmd *c, int argc, char **argv)
{
	int status = CMD_OK;

	if (argc < 2)
		return cmd_usage("image", "rm: which version?");
	for (int i = 1; i < argc; i++) {
		_cleanup_free_ char *version = str_percent_encode(argv[i]),
				    *path = mem_printf(IMAGES_PATH "/%s", version);
		struct err e = ERR_INIT;

		if (api_call(c->api, "DELETE", path, NULL, NULL, &e) < 0)
			status = cmd_fail(&e, argv[i]);
		else
			printf("%s\n", argv[i]);
	}
	return status;
}

int cmd_image(struct cmd *c, int argc, char **argv)
{
	if (argc > 1 && str_eq(argv[1], "add"))
		return image_add(c, argc - 1, argv + 1);
	if (argc > 1 && str_eq(argv[1], "list"))
		return image_list(c, argc - 1);
	if (argc > 1 && str_eq(argv[1], "rm"))
		return image_rm(c, argc - 1, argv + 1);
	return cmd_usage("image", "add DIR, list, or rm VERSION...");
}
