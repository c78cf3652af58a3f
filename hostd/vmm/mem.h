/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest memory: one private anonymous mapping, seen by the guest as RAM from 0 with a hole below
 * 4 GiB for devices. Files can be laid over it (kernel, initrd), privately: pages that the guest does
 * not change stay those of the host's page cache, shared by all VMs.
 *
 * The regions never change after gmem_init(), so every thread may translate without a lock. All
 * access to guest memory goes through gmem_get().
 */
#ifndef VMM_MEM_H
#define VMM_MEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define GMEM_REGIONS_MAX 2
#define GMEM_LOW_MAX	 ((uint64_t)3 << 30) /* RAM below the hole */
#define GMEM_HIGH_BASE	 ((uint64_t)4 << 30) /* RAM above it */
#define GMEM_PAGE	 4096U

struct gmem_region {
	uint64_t gpa;
	uint64_t size_bytes;
	uint8_t *hva;
};

struct gmem {
	size_t count;
	struct gmem_region regions[GMEM_REGIONS_MAX];
};

/**
 * gmem_init() - Reserve RAM for a guest; no page is touched
 * @size_bytes: multiple of the page size
 * Return: 0; -ENOMEM.
 */
int gmem_init(struct gmem *m, uint64_t size_bytes, struct err *e);

/**
 * gmem_get() - Translate a guest-physical range to host memory
 * @gpa: any alignment
 * @len: bytes, > 0; the range must lie in one region
 * @ret: set on success; valid for the life of the process
 *
 * Context: any thread; no lock, never blocks. What is read through @ret may change at any moment:
 * copy what is checked.
 * Return: 0; -EFAULT when any byte is outside RAM; -EINVAL when @len is 0.
 */
int gmem_get(const struct gmem *m, uint64_t gpa, uint64_t len, void **ret);

/**
 * gmem_map_file() - Lay part of a file over RAM, privately
 * @gpa:    page aligned
 * @fd:     regular file; must not shrink while the VM lives
 * @offset: page aligned
 * @len:    bytes, > 0, all inside the file; the rest of the last page shows the file's next bytes
 * Return: 0; -EFAULT outside RAM; -errno of mmap.
 */
int gmem_map_file(const struct gmem *m, uint64_t gpa, int fd, uint64_t offset, uint64_t len);

/**
 * gmem_populate() - Make private, writable pages of a range that the guest is sure to write to
 *
 * One call is cheaper than an exit, a fault and a copy for each page. A kernel that cannot do it
 * (before 5.14) leaves it to the faults.
 */
void gmem_populate(const struct gmem *m, uint64_t gpa, uint64_t len);

#endif
