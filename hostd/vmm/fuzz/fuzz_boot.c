// SPDX-License-Identifier: Apache-2.0
/* Any file as a kernel: parsed, and loaded when it passes. */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/boot.h"

#define FUZZ_MEM_BYTES (32U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct boot_source src = {.initrd_fd = -1, .cmdline = "quiet", .vcpus = 1};
	struct boot_entry entry;
	struct gmem m;

	if (fd < 0)
		fd = memfd_create("kernel", MFD_CLOEXEC);
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		return 0;
	src.kernel_fd = fd;
	if (gmem_init(&m, FUZZ_MEM_BYTES, NULL) < 0)
		return 0;
	boot_load(&m, &src, &entry, NULL);
	munmap(m.regions[0].hva, FUZZ_MEM_BYTES);
	return 0;
}
