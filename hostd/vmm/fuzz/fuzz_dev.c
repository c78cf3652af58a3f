// SPDX-License-Identifier: Apache-2.0
/*
 * A guest that does anything: the input is a list of register writes, memory writes and queue
 * notifications for a writable and a read-only disk.
 *
 *	'R' device(1) register(2) value(4)      'M' gpa(4) length(1) bytes(length)      'S' device(1)
 */
#include <linux/virtio_mmio.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "vmm/virtio/blk.h"

#define FUZZ_MEM_BYTES (1U << 20)
#define FUZZ_OPS_MAX   400
#define FUZZ_FILE_LEN  9000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

static struct gmem mem;
static struct vm_spec spec;
static struct blk disks[2];
static struct blk_extent extents[3];
static int fds[3];

static void take(struct input *in, void *out, size_t n)
{
	size_t have = n < in->size ? n : in->size;

	memset(out, 0, n);
	memcpy(out, in->data, have);
	in->data += have;
	in->size -= have;
}

static void init(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	gmem_init(&mem, FUZZ_MEM_BYTES, NULL);
	for (uint32_t i = 0; i < 3; i++) {
		fds[i] = memfd_create("disk", MFD_CLOEXEC);
		spec.extents[i] = (struct vm_extent){.fd = i, .size_bytes = FUZZ_FILE_LEN};
	}
	spec.disks[0] = (struct vm_disk){.extent_count = 2, .flags = VM_DISK_READONLY};
	spec.disks[1] = (struct vm_disk){.first_extent = 2, .extent_count = 1};
	for (int i = 0; i < 2; i++) {
		blk_init(&disks[i], &mem, &spec, &spec.disks[i],
			 &extents[spec.disks[i].first_extent], fds);
		disks[i].dev.irq_fd = eventfd(0, EFD_NONBLOCK);
		disks[i].dev.kick_fds[0] = eventfd(0, EFD_NONBLOCK);
	}
}

static void reset(void)
{
	uint32_t zero = 0;
	eventfd_t n;

	for (int i = 0; i < 3; i++)
		if (ftruncate(fds[i], 0) < 0 || ftruncate(fds[i], FUZZ_FILE_LEN) < 0)
			return;
	madvise(mem.regions[0].hva, FUZZ_MEM_BYTES, MADV_DONTNEED);
	for (int i = 0; i < 2; i++) {
		vdev_write(&disks[i].dev, VIRTIO_MMIO_STATUS, &zero, sizeof(zero));
		eventfd_read(disks[i].dev.irq_fd, &n);
		eventfd_read(disks[i].dev.kick_fds[0], &n);
	}
}

static void op_register(struct input *in)
{
	uint8_t device, value[4], sink[8];
	uint16_t reg;

	take(in, &device, sizeof(device));
	take(in, &reg, sizeof(reg));
	take(in, value, sizeof(value));
	vdev_write(&disks[device & 1].dev, reg % VDEV_PAGE_BYTES, value, sizeof(value));
	vdev_read(&disks[device & 1].dev, reg % VDEV_PAGE_BYTES, sink, 1U << (device >> 1 & 3));
}

static void op_memory(struct input *in)
{
	uint8_t len;
	uint32_t gpa;
	void *at;

	take(in, &gpa, sizeof(gpa));
	take(in, &len, sizeof(len));
	gpa %= FUZZ_MEM_BYTES - UINT8_MAX;
	if (gmem_get(&mem, gpa, (uint64_t)len + 1, &at) == 0)
		take(in, at, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {.data = data, .size = size};
	uint8_t op, device;

	if (!mem.count)
		init();
	reset();
	for (int i = 0; i < FUZZ_OPS_MAX && in.size; i++) {
		take(&in, &op, sizeof(op));
		if (op == 'R') {
			op_register(&in);
		} else if (op == 'M') {
			op_memory(&in);
		} else if (op == 'S') {
			take(&in, &device, sizeof(device));
			blk_serve(&disks[device & 1]);
		}
	}
	return 0;
}
