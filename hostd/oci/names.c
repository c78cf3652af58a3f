// SPDX-License-Identifier: Apache-2.0
/*
 * A name is any length and has any character that a reference may have, so its file is called by the
 * name's own digest and holds the name. A name that is pulled again and means another image now is
 * written over; the image that it meant stays until it is dropped, without a name.
 */
#include "oci/names.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/digest.h"
#include "oci/ref.h"

#define NAMES_TOLD_MAX 64 /* of one image */

struct name {
	struct list node;
	char digest[OCI_DIGEST_MAX];
	char name[OCI_NAME_MAX];
};

static char *name_path(const struct names *n, char *out, const char *name)
{
	char digest[OCI_DIGEST_MAX];

	snprintf(out, PATH_MAX, "%s/%s", n->folder,
		 oci_digest_hex(oci_digest_of(name, strlen(name), digest)));
	return out;
}

static struct name *name_find(const struct names *n, const char *name)
{
	struct name *one;

	list_for_each(one, &n->list, node)
		if (str_eq(one->name, name))
			return one;
	return NULL;
}

static void name_add(struct names *n, const char *name, const char *digest)
{
	struct name *one = name_find(n, name);

	if (!one) {
		one = mem_alloc(sizeof(*one));
		str_copy(one->name, sizeof(one->name), name);
		list_init(&one->node);
		list_add(&n->list, &one->node);
	}
	str_copy(one->digest, sizeof(one->digest), digest);
}

static void name_free(struct name *one)
{
	list_del(&one->node);
	free(one);
}

void names_init(struct names *n, const char *folder)
{
	n->folder = mem_strdup(folder);
	list_init(&n->list);
}

void names_done(struct names *n)
{
	while (!list_empty(&n->list))
		name_free(list_entry(n->list.next, struct name, node));
	free(n->folder);
	n->folder = NULL;
}

int names_load(struct names *n, const char *path, bool (*known)(void *arg, const char *digest),
	       void *arg)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(OCI_NAME_MAX + OCI_DIGEST_MAX);
	char digest[OCI_DIGEST_MAX], *line, *full;

	if (file_read(AT_FDCWD, path, &text, NULL) < 0 || text.len < 1)
		return -EINVAL;
	line = str_trim(text.data);
	full = strchr(line, ' ');
	if (!full)
		return -EINVAL;
	*full++ = '\0';
	if (str_copy(digest, sizeof(digest), line) < 0 || !known(arg, digest))
		return -EINVAL;
	name_add(n, full, digest);
	return 0;
}

const char *names_find(const struct names *n, const char *name)
{
	const struct name *one = name_find(n, name);

	return one ? one->digest : NULL;
}

int names_set(struct names *n, const char *name, const char *digest, struct err *e)
{
	char path[PATH_MAX], text[OCI_NAME_MAX + OCI_DIGEST_MAX + 2];
	const struct name *one = name_find(n, name);

	if (one && str_eq(one->digest, digest))
		return 0;
	name_add(n, name, digest);
	snprintf(text, sizeof(text), "%s %s\n", digest, name);
	return file_write(AT_FDCWD, name_path(n, path, name), text, strlen(text), 0644, e);
}

void names_drop(struct names *n, const char *digest)
{
	struct name *one, *tmp;
	char path[PATH_MAX];

	list_for_each_safe(one, tmp, &n->list, node) {
		if (!str_eq(one->digest, digest))
			continue;
		unlink(name_path(n, path, one->name));
		name_free(one);
	}
}

void names_tell(const struct names *n, const struct oci_image *image,
		void (*fn)(const struct oci_image *image, const struct oci_strings *names,
			   void *arg),
		void *arg)
{
	const char *names[2 * NAMES_TOLD_MAX + 1];
	char by_digest[NAMES_TOLD_MAX][OCI_NAME_MAX];
	struct oci_strings list = {.at = names};
	const struct name *one;
	size_t repositories = 0;

	list_for_each(one, &n->list, node)
		if (str_eq(one->digest, image->digest) && list.count < NAMES_TOLD_MAX)
			names[list.count++] = one->name;
	for (size_t k = 0, tagged = list.count; k < tagged; k++) {
		struct oci_ref ref;
		bool known = false;

		if (oci_ref_parse(names[k], &ref, NULL) < 0)
			continue;
		ref.tag[0] = '\0';
		str_copy(ref.digest, sizeof(ref.digest), image->digest);
		oci_ref_name(&ref, by_digest[repositories]);
		for (size_t d = 0; d < list.count; d++)
			known = known || str_eq(names[d], by_digest[repositories]);
		if (!known)
			names[list.count++] = by_digest[repositories++];
	}
	names[list.count] = NULL;
	fn(image, &list, arg);
}
