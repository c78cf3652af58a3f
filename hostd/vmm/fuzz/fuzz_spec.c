// SPDX-License-Identifier: Apache-2.0
/* Any packet as a specification. What passes is used as the VMM uses it: disks are laid out. */
#include <stddef.h>
#include <stdint.h>

#include "vmm/spec.h"
#include "vmm/virtio/blk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vm_spec spec;
	static struct blk disk;
	static struct blk_extent extents[VM_EXTENTS_MAX];
	static int fds[VM_FDS_MAX];
	static const struct gmem mem;
	size_t fd_count = size ? data[size - 1] : 0;

	if (spec_check(data, size, fd_count, &spec, NULL) < 0)
		return 0;
	for (uint32_t i = 0; i < spec.disk_count; i++) {
		disk = (struct blk){.readonly = false};
		blk_init(&disk, &mem, &spec, &spec.disks[i], &extents[spec.disks[i].first_extent],
			 fds);
	}
	return 0;
}
