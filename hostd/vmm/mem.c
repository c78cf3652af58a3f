// SPDX-License-Identifier: Apache-2.0
/*
 * Huge pages are declined: a pod's idle cost counts more here than the last percents of speed, and a
 * guest that touches one byte of every 2 MiB would be charged for all of it.
 */
#include "vmm/mem.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/mem.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* musl 1.2.5 does not know it */
#endif

int gmem_init(struct gmem *m, uint64_t size_bytes, struct err *e)
{
	uint64_t low_bytes = MIN(size_bytes, GMEM_LOW_MAX);
	uint8_t *hva;

	hva = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (hva == MAP_FAILED)
		return err_sys(e, -errno, "reserve %llu MiB of guest memory",
			       (unsigned long long)(size_bytes >> 20));
	madvise(hva, size_bytes, MADV_NOHUGEPAGE);
	*m = (struct gmem){.count = 1};
	m->regions[0] = (struct gmem_region){.gpa = 0, .size_bytes = low_bytes, .hva = hva};
	if (size_bytes > low_bytes) {
		m->regions[1] = (struct gmem_region){.gpa = GMEM_HIGH_BASE,
						     .size_bytes = size_bytes - low_bytes,
						     .hva = hva + low_bytes};
		m->count = 2;
	}
	return 0;
}

int gmem_get(const struct gmem *m, uint64_t gpa, uint64_t len, void **ret)
{
	if (len == 0)
		return -EINVAL;
	for (size_t i = 0; i < m->count; i++) {
		const struct gmem_region *r = &m->regions[i];

		if (gpa < r->gpa || gpa - r->gpa >= r->size_bytes)
			continue;
		if (len > r->size_bytes - (gpa - r->gpa))
			return -EFAULT;
		*ret = r->hva + (gpa - r->gpa);
		return 0;
	}
	return -EFAULT;
}

int gmem_map_file(const struct gmem *m, uint64_t gpa, int fd, uint64_t offset, uint64_t len)
{
	uint64_t whole = (len + GMEM_PAGE - 1) & ~(uint64_t)(GMEM_PAGE - 1);
	void *at;
	int r;

	if (gpa % GMEM_PAGE || offset % GMEM_PAGE || whole < len)
		return -EINVAL;
	r = gmem_get(m, gpa, whole, &at);
	if (r < 0)
		return r;
	if (mmap(at, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, fd,
		 (off_t)offset) == MAP_FAILED)
		return -errno;
	return 0;
}

void gmem_populate(const struct gmem *m, uint64_t gpa, uint64_t len)
{
	uint64_t start = gpa & ~(uint64_t)(GMEM_PAGE - 1);
	uint64_t end = (gpa + len + GMEM_PAGE - 1) & ~(uint64_t)(GMEM_PAGE - 1);
	void *at;

	if (gmem_get(m, start, end - start, &at) == 0)
		madvise(at, end - start, MADV_POPULATE_WRITE);
}
