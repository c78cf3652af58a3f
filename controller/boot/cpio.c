// SPDX-License-Identifier: Apache-2.0
#include "boot/cpio.h"

#include <string.h>
#include <sys/stat.h>

#define CPIO_ALIGN 4

void cpio_init(struct cpio *c, size_t cap_bytes)
{
	*c = (struct cpio){.data = BUF_INIT(cap_bytes)};
}

void cpio_done(struct cpio *c)
{
	buf_done(&c->data);
}

static void cpio_note(struct cpio *c, int r)
{
	if (r < 0 && !c->failed)
		c->failed = r;
}

static void cpio_pad(struct cpio *c)
{
	static const char zeros[CPIO_ALIGN];

	cpio_note(c, buf_append(&c->data, zeros, -c->data.len & (CPIO_ALIGN - 1)));
}

static void cpio_entry(struct cpio *c, const char *name, unsigned int mode, const void *data,
		       size_t len)
{
	unsigned int links = S_ISDIR(mode) ? 2 : 1;

	/* magic inode mode uid gid nlink mtime size devmajor devminor rdevmajor rdevminor namesize check */
	cpio_note(c,
		  buf_printf(&c->data, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
			     ++c->inode, mode, 0U, 0U, links, 0U, (unsigned int)len, 0U, 0U, 0U, 0U,
			     (unsigned int)strlen(name) + 1, 0U));
	cpio_note(c, buf_append(&c->data, name, strlen(name) + 1));
	cpio_pad(c);
	cpio_note(c, buf_append(&c->data, data, len));
	cpio_pad(c);
}

void cpio_dir(struct cpio *c, const char *name, unsigned int mode)
{
	cpio_entry(c, name, S_IFDIR | mode, "", 0);
}

void cpio_file(struct cpio *c, const char *name, unsigned int mode, const void *data, size_t len)
{
	cpio_entry(c, name, S_IFREG | mode, data, len);
}

int cpio_end(struct cpio *c)
{
	cpio_entry(c, "TRAILER!!!", 0, "", 0);
	return c->failed;
}
