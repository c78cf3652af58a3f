// SPDX-License-Identifier: Apache-2.0
/*
 * The store lives in files; what is kept here is an index of them, made at start. A record is written
 * after the layers it names, and removed before them, so that a record that can be read is one whose
 * layers are whole. Its modification time is the time of its last use.
 */
#include "oci/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/ref.h"

struct store_layer {
	struct list node;
	char diff_id[OCI_DIGEST_MAX];
	char *path;
	uint64_t size_bytes;
	unsigned int users; /* images, once for each time it occurs */
};

struct store_image {
	struct list node;
	struct store *store;
	struct oci_record record;
	unsigned int refs;
	uint64_t used_ns; /* clock_real_ns() */
};

static struct store_image *owner_of(struct oci_image *image)
{
	return container_of(container_of(image, struct oci_record, image), struct store_image,
			    record);
}

static char *store_path(const struct store *s, char *out, const char *kind, const char *name,
			const char *ending)
{
	snprintf(out, PATH_MAX, "%s/%s/%s%s", s->root, kind, name, ending);
	return out;
}

static char *image_path(const struct store *s, char *out, const char *digest)
{
	return store_path(s, out, "images", oci_digest_hex(digest), ".json");
}

static char *layer_path(const struct store *s, char *out, const char *diff_id)
{
	return store_path(s, out, "layers", oci_digest_hex(diff_id), ".erofs");
}

/*
 * Layers
 */

static struct store_layer *layer_find(struct store *s, const char *diff_id)
{
	struct store_layer *l;

	list_for_each(l, &s->layers, node)
		if (str_eq(l->diff_id, diff_id))
			return l;
	return NULL;
}

/* One more image uses a layer; its file must be there */
static struct store_layer *layer_use(struct store *s, const char *diff_id)
{
	struct store_layer *l = layer_find(s, diff_id);
	char path[PATH_MAX];
	struct stat st;

	if (!l) {
		if (lstat(layer_path(s, path, diff_id), &st) < 0 || !S_ISREG(st.st_mode))
			return NULL;
		l = mem_alloc(sizeof(*l));
		str_copy(l->diff_id, sizeof(l->diff_id), diff_id);
		l->path = mem_strdup(path);
		l->size_bytes = (uint64_t)st.st_size;
		list_init(&l->node);
		list_add(&s->layers, &l->node);
		s->used_bytes += l->size_bytes;
	}
	l->users++;
	return l;
}

static void layer_unuse(struct store *s, struct store_layer *l, bool remove_file)
{
	if (--l->users)
		return;
	if (remove_file)
		unlink(l->path);
	s->used_bytes -= l->size_bytes;
	list_del(&l->node);
	free(l->path);
	free(l);
}

/*
 * Images
 */

static void image_free(struct store_image *i, bool remove_files)
{
	const struct oci_image *image = &i->record.image;

	for (size_t n = 0; n < image->layer_count; n++)
		if (image->layers[n].path)
			layer_unuse(i->store, layer_find(i->store, image->layers[n].diff_id),
				    remove_files);
	list_del(&i->node);
	oci_record_done(&i->record);
	free(i);
}

/* Takes a record into the index. Return: 0; -ENOENT when a layer is missing; -EBADMSG */
static int image_add(struct store *s, const char *text, size_t len, const char *digest,
		     uint64_t used_ns, struct err *e)
{
	struct store_image *i = mem_alloc(sizeof(*i));
	int r;

	list_init(&i->node);
	i->store = s;
	i->used_ns = used_ns;
	r = oci_record_parse(text, len, &i->record, e);
	if (r == 0 && !str_eq(i->record.image.digest, digest))
		r = err_set(e, -EBADMSG, "record of %s instead of %s", i->record.image.digest,
			    digest);
	for (size_t n = 0; r == 0 && n < i->record.image.layer_count; n++) {
		struct oci_layer *layer = &i->record.image.layers[n];
		const struct store_layer *l = layer_use(s, layer->diff_id);

		if (!l) {
			r = err_set(e, -ENOENT, "layer %s is not in the store", layer->diff_id);
			break;
		}
		layer->path = l->path;
		layer->size_bytes = l->size_bytes;
		i->record.image.size_bytes += l->size_bytes;
	}
	if (r < 0) {
		image_free(i, false);
		return r;
	}
	list_add(&s->images, &i->node);
	return 0;
}

struct oci_image *store_find(struct store *s, const char *digest)
{
	struct store_image *i;

	list_for_each(i, &s->images, node)
		if (str_eq(i->record.image.digest, digest))
			return &i->record.image;
	return NULL;
}

static void image_touch(struct store_image *i)
{
	char path[PATH_MAX];

	i->used_ns = clock_real_ns();
	utimensat(AT_FDCWD, image_path(i->store, path, i->record.image.digest), NULL, 0);
}

struct oci_image *oci_image_ref(struct oci_image *image)
{
	struct store_image *i = owner_of(image);

	if (i->refs++ == 0)
		image_touch(i);
	return image;
}

struct oci_image *oci_image_unref(struct oci_image *image)
{
	struct store_image *i = image ? owner_of(image) : NULL;

	if (i && --i->refs == 0)
		image_touch(i);
	return NULL;
}

struct oci_image *store_find_name(struct store *s, const char *name)
{
	const char *digest = names_find(&s->names, name);

	return digest ? store_find(s, digest) : NULL;
}

int store_set_name(struct store *s, const char *name, const char *digest, struct err *e)
{
	return names_set(&s->names, name, digest, e);
}

/*
 * Dropping
 */

static void image_drop(struct store_image *i)
{
	const char *digest = i->record.image.digest;
	char path[PATH_MAX];

	log_info("oci", "ev=image_dropped digest=%s bytes=%llu", digest,
		 (unsigned long long)i->record.image.size_bytes);
	names_drop(&i->store->names, digest);
	unlink(image_path(i->store, path, digest));
	image_free(i, true);
}

static struct store_image *image_least_used(struct store *s)
{
	struct store_image *i, *found = NULL;

	list_for_each(i, &s->images, node)
		if (i->refs == 0 && (!found || i->used_ns < found->used_ns))
			found = i;
	return found;
}

bool store_gc(struct store *s, uint64_t bytes)
{
	struct store_image *i;
	bool dropped = false;

	while (s->cap_bytes && s->used_bytes + bytes > s->cap_bytes && (i = image_least_used(s))) {
		image_drop(i);
		dropped = true;
	}
	return dropped;
}

bool store_drop_unused(struct store *s)
{
	struct store_image *i;
	bool dropped = false;

	while ((i = image_least_used(s))) {
		image_drop(i);
		dropped = true;
	}
	return dropped;
}

/*
 * Taking over
 */

/*
 * Whether some process that the pull left behind can still write to a file that is nobody's but ours
 * now: a lease for reading is only given when there is no writer (fcntl(2)).
 */
static int adopt_sole(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
		return errno == EAGAIN ? -ETXTBSY : -errno;
	return fcntl(fd, F_SETLEASE, F_UNLCK) < 0 ? -errno : 0;
}

/*
 * A layer's file becomes root's and goes to its place.
 * Return: 0; -ENOENT when it is not in @folder; -ETXTBSY when it may still change; -errno
 */
static int adopt_layer(struct store *s, const char *folder, const char *diff_id)
{
	char from[PATH_MAX], to[PATH_MAX];
	_cleanup_fd_ int fd = -1;
	struct stat st;
	int r;

	snprintf(from, sizeof(from), "%s/%s.erofs", folder, oci_digest_hex(diff_id));
	fd = open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1)
		return -EBADMSG;
	if (fchown(fd, geteuid(), getegid()) < 0 || fchmod(fd, 0444) < 0)
		return -errno;
	r = adopt_sole(fd);
	if (r < 0)
		return r;
	return rename(from, layer_path(s, to, diff_id)) < 0 ? -errno : 0;
}

static int adopt_layers(struct store *s, const char *folder, const struct oci_image *image,
			struct err *e)
{
	for (size_t n = 0; n < image->layer_count; n++) {
		const char *diff_id = image->layers[n].diff_id;
		char path[PATH_MAX];
		int r;

		if (access(layer_path(s, path, diff_id), F_OK) == 0)
			continue;
		r = adopt_layer(s, folder, diff_id);
		if (r < 0)
			return err_sys(e, r, "layer %s", diff_id);
	}
	return 0;
}

int store_adopt(struct store *s, const char *folder, const char *digest, struct err *e)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(OCI_RECORD_SIZE_MAX);
	struct oci_record record = {0};
	char path[PATH_MAX];
	_cleanup_fd_ int fd = -1;
	int r;

	if (store_find(s, digest))
		return 0;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, -errno, "open %s", folder);
	r = file_read(fd, "image.json", &text, e);
	if (r == 0)
		r = oci_record_parse(text.data, text.len, &record, e);
	if (r == 0)
		r = adopt_layers(s, folder, &record.image, e);
	if (r == 0)
		r = file_write(AT_FDCWD, image_path(s, path, digest), text.data, text.len, 0644, e);
	if (r == 0) {
		r = image_add(s, text.data, text.len, digest, clock_real_ns(), e);
		if (r < 0)
			unlink(path);
	}
	oci_record_done(&record);
	return r;
}

/*
 * Reading at start
 */

/* Calls @fn with the name of each file in a folder; removes those that it refuses */
static int store_scan(struct store *s, const char *kind,
		      int (*fn)(struct store *s, const char *path, const char *name), struct err *e)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", s->root, kind);
	dir = opendir(path);
	if (!dir)
		return err_sys(e, -errno, "open %s", path);
	while ((entry = readdir(dir))) {
		if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
			continue;
		store_path(s, path, kind, entry->d_name, "");
		if (fn(s, path, entry->d_name) < 0) {
			log_info("oci", "ev=store_cleaned file=%s/%s", kind, entry->d_name);
			file_remove_tree(AT_FDCWD, path);
		}
	}
	closedir(dir);
	return 0;
}

static int scan_image(struct store *s, const char *path, const char *name)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(OCI_RECORD_SIZE_MAX);
	char digest[OCI_DIGEST_MAX];
	struct stat st;

	snprintf(digest, sizeof(digest), "sha256:%.64s", name);
	if (!oci_digest_valid(digest) || !str_eq(name + 64, ".json") || stat(path, &st) < 0 ||
	    file_read(AT_FDCWD, path, &text, NULL) < 0)
		return -EINVAL;
	return image_add(s, buf_str(&text), text.len, digest,
			 (uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec,
			 NULL);
}

static int scan_layer(struct store *s, const char *path, const char *name)
{
	char diff_id[OCI_DIGEST_MAX];
	const struct store_layer *l;

	snprintf(diff_id, sizeof(diff_id), "sha256:%.64s", name);
	l = layer_find(s, diff_id);
	return l && str_eq(l->path, path) ? 0 : -ENOENT;
}

static bool has_image(void *arg, const char *digest)
{
	return store_find(arg, digest);
}

static int scan_name(struct store *s, const char *path, const char *name)
{
	(void)name;
	return names_load(&s->names, path, has_image, s);
}

static int scan_tmp(struct store *s, const char *path, const char *name)
{
	(void)s;
	(void)path;
	(void)name;
	return -ENOENT;
}

int store_open(struct store *s, const char *root, uint64_t cap_bytes, struct err *e)
{
	static const struct {
		const char *name;
		mode_t mode;
	} folders[] = {
		{"", 0755}, {"layers", 0755}, {"images", 0755}, {"names", 0755}, {"tmp", 0711},
	};
	char path[PATH_MAX];
	int r = 0;

	*s = (struct store){.root = mem_strdup(root), .cap_bytes = cap_bytes};
	list_init(&s->images);
	list_init(&s->layers);
	snprintf(path, sizeof(path), "%s/names", root);
	names_init(&s->names, path);
	for (size_t i = 0; i < ARRAY_SIZE(folders) && r == 0; i++) {
		snprintf(path, sizeof(path), "%s/%s", root, folders[i].name);
		r = file_mkdirs(path, folders[i].mode);
		if (r < 0)
			err_sys(e, r, "make %s", path);
	}
	if (r == 0)
		r = store_scan(s, "tmp", scan_tmp, e);
	if (r == 0)
		r = store_scan(s, "images", scan_image, e);
	if (r == 0)
		r = store_scan(s, "layers", scan_layer, e);
	if (r == 0)
		r = store_scan(s, "names", scan_name, e);
	if (r < 0)
		store_close(s);
	return r;
}

bool store_in_use(const struct store *s)
{
	const struct store_image *i;

	list_for_each(i, &s->images, node)
		if (i->refs)
			return true;
	return false;
}

void store_close(struct store *s)
{
	while (!list_empty(&s->images))
		image_free(list_entry(s->images.next, struct store_image, node), false);
	names_done(&s->names);
	free(s->root);
	s->root = NULL;
}

void store_each(struct store *s,
		void (*fn)(const struct oci_image *image, const struct oci_strings *names,
			   void *arg),
		void *arg)
{
	struct store_image *i;

	list_for_each(i, &s->images, node)
		names_tell(&s->names, &i->record.image, fn, arg);
}
