// SPDX-License-Identifier: Apache-2.0
/*
 * A volume's limit is what can be written into it, so its file system is larger: by the inodes, the bitmaps
 * and what ext4 keeps for itself (two per cent). scratch.c takes what is left over out of use.
 */
#include <errno.h>

#include "base/mem.h"
#include "disk/disk.h"

#define LAYOUT_SLACK_BYTES ((uint64_t)512 << 10)
#define LAYOUT_SLACK_PART  16

static uint64_t layout_round_up(uint64_t bytes)
{
	return (bytes + DISK_ALIGN - 1) / DISK_ALIGN * DISK_ALIGN;
}

int disk_scratch_layout(uint64_t scratch_bytes, const uint64_t *limits, size_t count,
			struct disk_scratch *s, struct err *e)
{
	if (scratch_bytes < DISK_SCRATCH_MIN || scratch_bytes > DISK_SCRATCH_MAX)
		return err_set(e, -EINVAL, "a scratch disk of %llu bytes is not possible",
			       (unsigned long long)scratch_bytes);
	if (count > DISK_VOLUMES_MAX)
		return err_set(e, -E2BIG, "more than %d volumes", DISK_VOLUMES_MAX);
	*s = (struct disk_scratch){.count = count};
	s->scratch.size_bytes = scratch_bytes / DISK_ALIGN * DISK_ALIGN;
	s->size_bytes = s->scratch.size_bytes;
	for (size_t i = 0; i < count; i++) {
		struct disk_part *part = &s->volumes[i];

		if (!limits[i])
			continue;
		part->limit_bytes = layout_round_up(MIN(limits[i], scratch_bytes));
		part->offset_bytes = s->size_bytes;
		part->size_bytes =
			layout_round_up(part->limit_bytes + part->limit_bytes / LAYOUT_SLACK_PART +
					LAYOUT_SLACK_BYTES);
		s->size_bytes += part->size_bytes;
	}
	return 0;
}
