// SPDX-License-Identifier: Apache-2.0
/*
 * A guest that does anything with the registers of all devices: the input is a list of register writes of
 * any width, memory writes and turns of the devices' threads. Behind net and vsock is a fake vhost that
 * ends the program when a running queue is touched or a ring lies outside RAM.
 *
 *	'R' device(1) register(2) value(4)	   'M' gpa(4) length(1) bytes(length)	   'S' device(1)
 *	'W' device(1) register(2) width(1) value(8)
 */
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "vmm/tests/vhost_fake.h"
#include "vmm/virtio/balloon.h"
#include "vmm/virtio/blk.h"
#include "vmm/virtio/vhost.h"

#define FUZZ_MEM_BYTES (1U << 20)
#define FUZZ_OPS_MAX   400
#define FUZZ_FILE_LEN  9000
#define FUZZ_SPAN      12288 /* of the writable disk */
#define FUZZ_DEVS      5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

static struct gmem mem;
static struct vm_spec spec;
static struct blk disks[2];
static struct blk_extent extents[3];
static struct vnet net;
static struct vvsock vsock;
static struct balloon balloon;
static struct vdev *const devs[FUZZ_DEVS] = {&disks[0].dev, &disks[1].dev, &net.dev, &vsock.dev,
					     &balloon.dev};
static int fds[5];

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
	static const struct vm_nic nic = {.tap_fd = 3, .vhost_fd = 4, .mtu = 1500};

	log_set_level(LOG_LEVEL_ERROR);
	gmem_init(&mem, FUZZ_MEM_BYTES, NULL);
	fake_mem = &mem;
	for (uint32_t i = 0; i < 3; i++) {
		fds[i] = memfd_create("disk", MFD_CLOEXEC);
		spec.extents[i] = (struct vm_extent){.fd = i, .size_bytes = FUZZ_FILE_LEN};
	}
	fds[3] = FAKE_TAP;
	fds[4] = FAKE_NET;
	spec.disks[0] = (struct vm_disk){.extent_count = 2, .flags = VM_DISK_READONLY};
	spec.disks[1] = (struct vm_disk){.first_extent = 2, .extent_count = 1};
	for (int i = 0; i < 2; i++)
		blk_init(&disks[i], &mem, &spec, &spec.disks[i],
			 &extents[spec.disks[i].first_extent], fds);
	vnet_init(&net, &mem, &nic, fds, NULL);
	vvsock_init(&vsock, &mem, FAKE_VSOCK, 3, NULL);
	balloon_init(&balloon, &mem);
	for (int i = 0; i < FUZZ_DEVS; i++) {
		devs[i]->irq_fd = eventfd(0, EFD_NONBLOCK);
		for (unsigned int q = 0; q < devs[i]->queue_count; q++)
			devs[i]->kick_fds[q] = eventfd(0, EFD_NONBLOCK);
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
	for (int i = 0; i < FUZZ_DEVS; i++) {
		vdev_write(devs[i], VIRTIO_MMIO_STATUS, &zero, sizeof(zero));
		eventfd_read(devs[i]->irq_fd, &n);
		for (unsigned int q = 0; q < devs[i]->queue_count; q++)
			eventfd_read(devs[i]->kick_fds[q], &n);
	}
}

static void op_register(struct input *in)
{
	uint8_t device, value[4], sink[8];
	uint16_t reg;

	take(in, &device, sizeof(device));
	take(in, &reg, sizeof(reg));
	take(in, value, sizeof(value));
	vdev_write(devs[device % FUZZ_DEVS], reg % VDEV_PAGE_BYTES, value, sizeof(value));
	vdev_read(devs[device % FUZZ_DEVS], reg % VDEV_PAGE_BYTES, sink, sizeof(value));
}

static void op_wide(struct input *in)
{
	uint8_t device, width, value[8], sink[8];
	uint16_t reg;

	take(in, &device, sizeof(device));
	take(in, &reg, sizeof(reg));
	take(in, &width, sizeof(width));
	take(in, value, sizeof(value));
	vdev_write(devs[device % FUZZ_DEVS], reg % VDEV_PAGE_BYTES, value, 1U << (width & 3));
	vdev_read(devs[device % FUZZ_DEVS], reg % VDEV_PAGE_BYTES, sink, 1U << (width >> 2 & 3));
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

static void op_serve(struct input *in)
{
	uint8_t device;

	take(in, &device, sizeof(device));
	device %= FUZZ_DEVS;
	if (device < 2)
		blk_serve(&disks[device]);
	else if (devs[device] == &balloon.dev)
		balloon_serve(&balloon);
}

/* What must hold whatever the driver does */
static void check(void)
{
	const uint32_t both = VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK;
	struct stat st;

	for (int i = 0; i < FUZZ_DEVS; i++) {
		const struct vdev *d = devs[i];

		fake_want(!d->active || (d->status & both) == both);
		fake_want(
			!(d->status & VIRTIO_CONFIG_S_FEATURES_OK) ||
			(!(d->driver_features & ~d->features) && vdev_has(d, VIRTIO_F_VERSION_1)));
		fake_want(d->status <= 0xff);
	}
	fake_want(net.dev.active == fake_net.running[0] && net.dev.active == fake_net.running[1]);
	fake_want(vsock.dev.active == fake_vsock.running[0]);
	for (int i = 0; i < 3; i++)
		fake_want(fstat(fds[i], &st) == 0 && st.st_size >= FUZZ_FILE_LEN &&
			  st.st_size <= (i == 2 ? FUZZ_SPAN : FUZZ_FILE_LEN));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {.data = data, .size = size};
	uint8_t op;

	if (!mem.count)
		init();
	reset();
	for (int i = 0; i < FUZZ_OPS_MAX && in.size; i++) {
		take(&in, &op, sizeof(op));
		if (op == 'R')
			op_register(&in);
		else if (op == 'W')
			op_wide(&in);
		else if (op == 'M')
			op_memory(&in);
		else if (op == 'S')
			op_serve(&in);
	}
	check();
	return 0;
}
