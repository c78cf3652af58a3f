/* SPDX-License-Identifier: Apache-2.0 */
/* What a loader needs to know of an uncompressed x86-64 ELF kernel. Pure: reads memory only. */
#ifndef VMM_ELF_H
#define VMM_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ELF_SEGMENTS_MAX 16

struct elf_segment {
	uint64_t paddr;
	uint64_t offset; /* in the file; [offset, offset + file_bytes) lies inside it */
	uint64_t file_bytes;
	uint64_t mem_bytes; /* >= file_bytes; the rest is zero */
	bool writable;
};

struct elf_kernel {
	uint64_t entry64; /* physical address of the 64-bit entry point */
	uint32_t pvh_entry; /* physical address of the 32-bit PVH entry point, 0 when there is none */
	uint64_t end; /* highest physical address in use */
	size_t count;
	struct elf_segment segments[ELF_SEGMENTS_MAX];
};

/**
 * elf_parse() - Check an ELF kernel and list what is to be loaded
 * @data: the whole file, not changed while this runs
 * @size: its length [bytes]
 * @k:    filled in on success
 *
 * Return: 0; -ENOEXEC when it is no static x86-64 ELF executable or a header points outside it.
 * Source: System V ABI, ELF-64; Xen PVH boot protocol, XEN_ELFNOTE_PHYS32_ENTRY.
 */
int elf_parse(const void *data, size_t size, struct elf_kernel *k, struct err *e);

#endif
