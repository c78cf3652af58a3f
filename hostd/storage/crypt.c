// SPDX-License-Identifier: Apache-2.0
/*
 * dm-crypt without a header and without a passphrase: the key is made here, goes into the kernel, and is written nowhere.
 * With the power it is gone, and with it all that lies on the disk. Linux Documentation/admin-guide/device-mapper/dm-crypt.rst
 *
 * TRIM is let through: which blocks are in use can be seen on the disk, what is in them cannot.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/str.h"
#include "storage/prepare.h"

#define CRYPT_CONTROL	"/dev/mapper/control"
#define CRYPT_NAME	"hypermetal-data"
#define CRYPT_KEY_BYTES 64 /* AES-256 in XTS mode has two keys */
#define CRYPT_SECTOR	512 /* that tables count in */
#define CRYPT_BLOCK	4096 /* that is encrypted at a time */

/* One call's memory: the ioctl's header, then a target and its parameters. The key lies in it. */
struct crypt_call {
	struct dm_ioctl dm;
	struct dm_target_spec target;
	char parameters[512];
};

static void crypt_begin(struct crypt_call *c, uint32_t flags)
{
	mem_wipe(c, sizeof(*c));
	c->dm.version[0] = DM_VERSION_MAJOR;
	c->dm.data_size = sizeof(*c);
	c->dm.data_start = sizeof(c->dm);
	c->dm.flags = flags;
	(void)str_copy(c->dm.name, sizeof(c->dm.name), CRYPT_NAME);
}

static int crypt_do(int control, unsigned long what, struct crypt_call *c, const char *words,
		    struct err *e)
{
	if (ioctl(control, what, c) < 0)
		return err_sys(e, -errno, "encryption: %s", words);
	return 0;
}

static int crypt_table(int control, struct crypt_call *c, dev_t disk, uint64_t offset,
		       uint64_t size, struct err *e)
{
	uint8_t key[CRYPT_KEY_BYTES];
	char hex[2 * CRYPT_KEY_BYTES + 1];
	int n, r;

	crypt_begin(c, DM_SECURE_DATA_FLAG);
	c->dm.target_count = 1;
	c->target.length = size / CRYPT_SECTOR;
	(void)str_copy(c->target.target_type, sizeof(c->target.target_type), "crypt");
	random_fill(key, sizeof(key));
	n = snprintf(c->parameters, sizeof(c->parameters),
		     "aes-xts-plain64 %s 0 %u:%u %llu 2 allow_discards sector_size:%d",
		     str_hex(hex, key, sizeof(key)), major(disk), minor(disk),
		     (unsigned long long)(offset / CRYPT_SECTOR), CRYPT_BLOCK);
	mem_wipe(key, sizeof(key));
	mem_wipe(hex, sizeof(hex));
	if (n < 0 || (size_t)n >= sizeof(c->parameters))
		return err_set(e, -EINVAL, "encryption: too many parameters");
	r = crypt_do(control, DM_TABLE_LOAD, c, "the kernel does not take the cipher", e);
	mem_wipe(c, sizeof(*c));
	return r;
}

static int crypt_make(int control, struct crypt_call *c, dev_t disk, uint64_t offset, uint64_t size,
		      char *device, struct err *e)
{
	dev_t made;
	int r;

	crypt_begin(c, 0);
	r = crypt_do(control, DM_DEV_CREATE, c, "make the device", e);
	if (r < 0)
		return r;
	made = (dev_t)c->dm
		       .dev; /* in the kernel's own form: minor in the low byte and above the major */
	snprintf(device, PREPARE_PATH_MAX, "/dev/dm-%u",
		 (unsigned int)((made & 0xff) | ((made >> 12) & 0xfff00)));
	r = crypt_table(control, c, disk, offset, size, e);
	if (r == 0) {
		crypt_begin(c, 0);
		r = crypt_do(control, DM_DEV_SUSPEND, c, "start", e); /* that is: resume */
	}
	if (r < 0) {
		crypt_begin(c, 0);
		(void)ioctl(control, DM_DEV_REMOVE, c);
	}
	return r;
}

void prepare_crypt_remove(void)
{
	_cleanup_fd_ int control = open(CRYPT_CONTROL, O_RDWR | O_CLOEXEC);
	struct crypt_call c;

	if (control < 0)
		return;
	crypt_begin(&c, 0);
	(void)ioctl(control, DM_DEV_REMOVE, &c);
}

int prepare_crypt(const char *path, uint64_t offset, uint64_t size, char *device, struct err *e)
{
	_cleanup_fd_ int control = open(CRYPT_CONTROL, O_RDWR | O_CLOEXEC);
	struct crypt_call *c = mem_alloc(sizeof(*c));
	struct stat st;
	int r;

	if (control < 0)
		r = err_sys(e, -errno, "encryption: %s", CRYPT_CONTROL);
	else if (mlock(c, sizeof(*c)) < 0)
		r = err_sys(e, -errno, "encryption: keep the key in memory");
	else if (stat(path, &st) < 0)
		r = err_sys(e, -errno, "%s", path);
	else
		r = crypt_make(control, c, st.st_rdev, offset, size / CRYPT_BLOCK * CRYPT_BLOCK,
			       device, e);
	mem_wipe(c, sizeof(*c));
	free(c);
	return r;
}
