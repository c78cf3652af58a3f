// SPDX-License-Identifier: Apache-2.0
/*
 * How much memory and how much of the scratch disks' pool is left. Both can be promised more than once:
 * a pod asks for less than it may take, and a scratch disk is as large as the pool. So somebody has to look.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>

#include "base/figures.h"
#include "base/mem.h"
#include "host/host.h"

#define PRESSURE_MEMORY_PART	  32 /* of the memory has to be available */
#define PRESSURE_MEMORY_MIN_BYTES ((uint64_t)24 << 20)
#define PRESSURE_SCRATCH_PART	  10 /* of the pool */

int host_pressure_read(const char *scratch_dir, uint64_t memory_bytes, struct host_pressure *p)
{
	struct statvfs fs;
	char text[FIGURES_FILE_MAX];
	uint64_t unit;

	figures_read(AT_FDCWD, "/proc/meminfo", text, sizeof(text));
	p->memory.left_bytes = figures_line(text, "MemAvailable") << 10;
	p->memory.least_bytes = MAX(memory_bytes / PRESSURE_MEMORY_PART, PRESSURE_MEMORY_MIN_BYTES);
	if (!p->memory.left_bytes)
		return -EIO;
	if (statvfs(scratch_dir, &fs) < 0)
		return -errno;
	unit = fs.f_frsize;
	p->scratch.left_bytes = fs.f_bavail * unit;
	p->scratch.least_bytes = fs.f_blocks * unit / PRESSURE_SCRATCH_PART;
	return 0;
}
