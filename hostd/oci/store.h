/* SPDX-License-Identifier: Apache-2.0 */
/* The store's folder, as oci.h draws it. Private to the module. */
#ifndef OCI_STORE_H
#define OCI_STORE_H

#include <stdbool.h>

#include "oci/manifest.h"
#include "oci/names.h"

struct store {
	char *root;
	uint64_t cap_bytes, used_bytes;
	struct list images, layers;
	struct names names;
};

/**
 * store_open() - Make the folders if need be and read what is in them
 * Records whose layers are missing, layers of no record, names of no image and unfinished work are removed.
 * Return: 0 or -errno.
 */
int store_open(struct store *s, const char *root, uint64_t cap_bytes, struct err *e);

/** store_in_use() - Whether anybody holds an image */
bool store_in_use(const struct store *s);

/** store_close() - Free what was read; the files stay */
void store_close(struct store *s);

/** store_find() - An image by its digest. Return: borrowed, or NULL */
struct oci_image *store_find(struct store *s, const char *digest);

/** store_find_name() - What a full name (oci_ref_name()) meant when it was pulled last. Return: borrowed, or NULL */
struct oci_image *store_find_name(struct store *s, const char *name);

/** store_set_name() - Remember what a name means. Return: 0 or -errno */
int store_set_name(struct store *s, const char *name, const char *digest, struct err *e);

/**
 * store_adopt() - Take over what a pull has made in @folder
 * @digest: of the image that must be there, unless the store has it already
 * Return: 0; -ENOENT when a layer is neither there nor in the store (dropped meanwhile); -EBADMSG; -errno.
 */
int store_adopt(struct store *s, const char *folder, const char *digest, struct err *e);

/** store_gc() - As oci_gc(). Return: whether something was dropped */
bool store_gc(struct store *s, uint64_t bytes);

/** store_drop_unused() - Drop all that nobody uses. Return: whether there was something */
bool store_drop_unused(struct store *s);

/** store_each() - As oci_images() */
void store_each(struct store *s,
		void (*fn)(const struct oci_image *image, const struct oci_strings *names,
			   void *arg),
		void *arg);

#endif
