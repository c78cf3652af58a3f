/* SPDX-License-Identifier: Apache-2.0 */
/* Writes initramfs pieces: cpio archives in the "new ASCII" format (Linux, buffer-format.rst). */
#ifndef BOOT_CPIO_H
#define BOOT_CPIO_H

#include <stddef.h>

#include "base/buf.h"

/* Archives of one kind differ in their content only: no times, no owners but root, counted inodes. */
struct cpio {
	struct buf data;
	unsigned int inode;
	int failed; /* -errno of the first append that failed */
};

void cpio_init(struct cpio *c, size_t cap_bytes);
void cpio_done(struct cpio *c);

/** cpio_dir() - Add a folder; parents first; @mode are permission bits */
void cpio_dir(struct cpio *c, const char *name, unsigned int mode);

/** cpio_file() - Add a regular file */
void cpio_file(struct cpio *c, const char *name, unsigned int mode, const void *data, size_t len);

/** cpio_end() - Add the trailer; the length is a multiple of 4. Return: 0 or -errno of anything before */
int cpio_end(struct cpio *c);

#endif
