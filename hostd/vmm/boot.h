/* SPDX-License-Identifier: Apache-2.0 */
/* Puts kernel, initrd, command line and tables into guest memory, as a boot loader would. */
#ifndef VMM_BOOT_H
#define VMM_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "vmm/mem.h"

struct boot_entry {
	bool pvh; /* 32-bit protected mode, EBX = LAYOUT_PVH_INFO; else 64-bit, RSI = LAYOUT_ZERO_PAGE */
	uint64_t address; /* physical address of the first instruction */
};

struct boot_source {
	int kernel_fd; /* uncompressed ELF kernel */
	int initrd_fd; /* -1: none */
	const char *cmdline;
	unsigned int vcpus;
};

/**
 * boot_load() - Load a kernel
 * @m:     fresh guest memory
 * @entry: set on success
 *
 * Files are mapped, not read: they must neither shrink nor change while the VM lives.
 * Return: 0; -ENOEXEC for a file that is no kernel; -E2BIG for a command line that is too long;
 *         -ENOSPC when memory is too small for kernel and initrd; -errno.
 * Source: Xen PVH boot protocol (hvm_start_info version 1); Linux Documentation/arch/x86/boot.rst,
 *         64-bit boot protocol.
 */
int boot_load(const struct gmem *m, const struct boot_source *src, struct boot_entry *entry,
	      struct err *e);

#endif
