// SPDX-License-Identifier: Apache-2.0
/*
 * Block requests in good rings: kind, place and how the buffers are cut come from the input; several a
 * run. The read-only disk must stay as it is, the writable one must not grow, and every request gets one
 * of the three answers.
 *
 *	disk(1) type(4) sector(8) lengths(2 each: bit 15 = the device writes) ... 0(2)
 */
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "vmm/tests/driver.h"
#include "vmm/virtio/blk.h"

#define FUZZ_REQUESTS 8
#define FUZZ_LEN      9000
#define FUZZ_SPAN     12288
#define FUZZ_FEATURES (1U << VIRTIO_RING_F_INDIRECT_DESC | 1U << VIRTIO_RING_F_EVENT_IDX)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct driver drv;
static struct vm_spec spec;
static struct blk disks[2];
static struct blk_extent extents[3];
static int fds[3];
static uint8_t pattern[FUZZ_LEN];

static void init(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	driver_init(&drv);
	memset(pattern, 0x77, sizeof(pattern));
	for (uint32_t i = 0; i < 3; i++) {
		fds[i] = memfd_create("disk", MFD_CLOEXEC);
		spec.extents[i] = (struct vm_extent){.fd = i, .size_bytes = FUZZ_LEN};
		if (pwrite(fds[i], pattern, FUZZ_LEN, 0) != FUZZ_LEN)
			abort();
	}
	spec.disks[0] = (struct vm_disk){.extent_count = 2, .flags = VM_DISK_READONLY};
	spec.disks[1] = (struct vm_disk){.first_extent = 2, .extent_count = 1};
	for (int i = 0; i < 2; i++) {
		blk_init(&disks[i], &drv.mem, &spec, &spec.disks[i],
			 &extents[spec.disks[i].first_extent], fds);
		disks[i].dev.irq_fd = eventfd(0, EFD_NONBLOCK);
		disks[i].dev.kick_fds[0] = eventfd(0, EFD_NONBLOCK);
	}
}

/* Builds one chain as an indirect table. Return: bytes of input that it took; 0: no more */
static size_t build(const uint8_t *data, size_t size, uint64_t *status)
{
	struct vring_desc *table = driver_at(&drv, DRIVER_INDIRECT);
	uint64_t at = DRIVER_DATA;
	uint32_t n = 0;
	size_t pos = 13;

	if (size < pos)
		return 0;
	memset(driver_at(&drv, DRIVER_DATA), 0, 16);
	memcpy(driver_at(&drv, DRIVER_DATA), data + 1, 4);
	memcpy((uint8_t *)driver_at(&drv, DRIVER_DATA) + 8, data + 5, 8);
	for (; pos + 2 <= size && n < VQ_CHAIN_MAX; pos += 2, n++) {
		uint32_t cut = (uint32_t)(data[pos] | data[pos + 1] << 8);

		if (!cut || at + (cut & 0x7fff) > DRIVER_MEM_BYTES)
			break;
		table[n] = (struct vring_desc){
			.addr = at,
			.len = cut & 0x7fff,
			.flags = (uint16_t)(VRING_DESC_F_NEXT |
					    (cut >> 15 ? VRING_DESC_F_WRITE : 0)),
			.next = (uint16_t)(n + 1)};
		at += cut & 0x7fff;
	}
	if (!n)
		return 0;
	table[n - 1].flags &= (uint16_t)~VRING_DESC_F_NEXT;
	*status = at - 1;
	driver_set(&drv, 0, DRIVER_INDIRECT, n * (uint32_t)sizeof(*table), VRING_DESC_F_INDIRECT,
		   0);
	return pos + 2 < size ? pos + 2 : size;
}

static void check_files(void)
{
	uint8_t now[FUZZ_LEN];
	struct stat st;

	for (int i = 0; i < 2; i++)
		if (pread(fds[i], now, FUZZ_LEN, 0) != FUZZ_LEN ||
		    memcmp(now, pattern, FUZZ_LEN) != 0 || fstat(fds[i], &st) < 0 ||
		    st.st_size != FUZZ_LEN)
			abort();
	if (fstat(fds[2], &st) < 0 || st.st_size < FUZZ_LEN || st.st_size > FUZZ_SPAN)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blk *b;

	if (!drv.mem.count)
		init();
	b = &disks[size ? data[0] & 1 : 0];
	madvise(drv.mem.regions[0].hva, DRIVER_MEM_BYTES, MADV_DONTNEED);
	if (driver_start(&drv, &b->dev, 0, FUZZ_FEATURES) != 15)
		abort();
	for (int i = 0; i < FUZZ_REQUESTS; i++) {
		uint16_t before = driver_used(&drv)->idx;
		uint64_t status;
		size_t n = build(data, size, &status);

		if (!n)
			break;
		data += n;
		size -= n;
		driver_offer(&drv, 0);
		blk_serve(b);
		if (driver_get(&b->dev, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET)
			break;
		if (driver_used(&drv)->idx != (uint16_t)(before + 1) ||
		    *(uint8_t *)driver_at(&drv, status) > VIRTIO_BLK_S_UNSUPP)
			abort();
	}
	check_files();
	return 0;
}
