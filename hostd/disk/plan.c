// SPDX-License-Identifier: Apache-2.0
/*
 * Opening what a VM is given. A layer is checked only for its superblock here: its content was
 * verified by digest when it was made, and a guest that mounts a damaged one harms itself alone.
 */
#include "disk/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define EROFS_SUPER_OFFSET 1024
static const uint8_t erofs_magic[4] = {0xe2, 0xe1, 0xf5, 0xe0};

static int plan_open_file(const char *path, int flags, int *fd, uint64_t *size_bytes, struct err *e)
{
	struct stat st;

	*fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0)
		return err_sys(e, -errno, "open %s", path);
	if (fstat(*fd, &st) < 0)
		return err_sys(e, -errno, "stat %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "%s is not a regular file", path);
	*size_bytes = (uint64_t)st.st_size;
	return 0;
}

static int plan_open_layer(const char *path, struct disk_plan *plan, uint64_t *end, struct err *e)
{
	struct disk_extent *x = &plan->layers[plan->layer_count];
	uint8_t magic[sizeof(erofs_magic)];
	int r;

	x->fd = -1;
	plan->layer_count++; /* so that disk_plan_done() closes it, whatever follows */
	r = plan_open_file(path, O_RDONLY, &x->fd, &x->size_bytes, e);
	if (r < 0)
		return r;
	if (pread(x->fd, magic, sizeof(magic), EROFS_SUPER_OFFSET) != (ssize_t)sizeof(magic) ||
	    memcmp(magic, erofs_magic, sizeof(magic)) != 0)
		return err_set(e, -EBADMSG, "layer %s is no EROFS image", path);
	x->size_bytes = (x->size_bytes + DISK_ALIGN - 1) & ~(uint64_t)(DISK_ALIGN - 1);
	x->offset_bytes = *end;
	*end += x->size_bytes;
	return 0;
}

int disk_plan_open(const char *const *layers, size_t count, const char *scratch,
		   struct disk_plan *plan, struct err *e)
{
	uint64_t end = 0;
	int r = 0;

	plan->layer_count = 0;
	plan->scratch_fd = -1;
	if (count < 1 || count > DISK_LAYERS_MAX)
		return err_set(e, -E2BIG, "%zu layers; 1 to %d are possible", count,
			       DISK_LAYERS_MAX);
	for (size_t i = 0; i < count && r == 0; i++)
		r = plan_open_layer(layers[i], plan, &end, e);
	if (r == 0)
		r = plan_open_file(scratch, O_RDWR, &plan->scratch_fd, &plan->scratch_bytes, e);
	if (r < 0)
		disk_plan_done(plan);
	return r;
}

void disk_plan_done(struct disk_plan *plan)
{
	for (size_t i = 0; i < plan->layer_count; i++)
		plan->layers[i].fd = fd_close(plan->layers[i].fd);
	plan->layer_count = 0;
	plan->scratch_fd = fd_close(plan->scratch_fd);
}
