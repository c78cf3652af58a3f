// SPDX-License-Identifier: Apache-2.0
/*
 * How much memory and how much of the scratch disks' pool is left. Both can be promised more than once:
 * a pod asks for less than it may take, and a scratch disk is as large as the pool. So somebody has to look.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/figures.h"
#include "base/mem.h"
#include "host/host.h"

#define PRESSURE_MEMORY_PART	  32 /* of the memory has to be available */
#define PRESSURE_MEMORY_MIN_BYTES ((uint64_t)24 << 20)
#define PRESSURE_SCRATCH_PART	  10 /* of the pool */

int host_pressure_read(const char *scratch_dir, uint64_t memory_bytes, struct host_pressure *p)
{
	struct figures_fs fs;
	char text[FIGURES_FILE_MAX];
	int r;

	figures_read(AT_FDCWD, "/proc/meminfo", text, sizeof(text));
	p->memory.left_bytes = figures_line(text, "MemAvailable") << 10;
	p->memory.least_bytes = MAX(memory_bytes / PRESSURE_MEMORY_PART, PRESSURE_MEMORY_MIN_BYTES);
	if (!p->memory.left_bytes)
		return -EIO;
	r = figures_fs(scratch_dir, &fs);
	p->scratch.left_bytes = fs.available_bytes;
	p->scratch.least_bytes = fs.bytes / PRESSURE_SCRATCH_PART;
	return r;
}
