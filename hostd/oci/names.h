/* SPDX-License-Identifier: Apache-2.0 */
/* What names meant when they were pulled last: names/HEX, "DIGEST NAME". Private to the module. */
#ifndef OCI_NAMES_H
#define OCI_NAMES_H

#include "base/err.h"
#include "base/list.h"
#include "oci/oci.h"

struct names {
	char *folder;
	struct list list;
};

void names_init(struct names *n, const char *folder);
/** names_done() - Free what was read; the files stay */
void names_done(struct names *n);

/** names_load() - Take in one file of the folder. Return: 0; -EINVAL when it is none of ours, or for no image */
int names_load(struct names *n, const char *path, bool (*known)(void *arg, const char *digest),
	       void *arg);

/** names_find() - Return: the digest that a full name has, borrowed, or NULL */
const char *names_find(const struct names *n, const char *name);

/** names_set() - Remember what a name means. Return: 0 or -errno */
int names_set(struct names *n, const char *name, const char *digest, struct err *e);

/** names_drop() - Forget all names of a digest */
void names_drop(struct names *n, const char *digest);

/**
 * names_tell() - Call @fn with all names of an image: as they were pulled, then REPOSITORY@DIGEST for each repository
 */
void names_tell(const struct names *n, const struct oci_image *image,
		void (*fn)(const struct oci_image *image, const struct oci_strings *names,
			   void *arg),
		void *arg);

#endif
