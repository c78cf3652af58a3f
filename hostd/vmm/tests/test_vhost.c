// SPDX-License-Identifier: Apache-2.0
/* Devices that the host's kernel works: what of the driver's settings gets there, and when it is stopped. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "base/fd.h"
#include "base/mem.h"
#include "vmm/tests/driver.h"
#include "vmm/tests/vhost_fake.h"
#include "vmm/virtio/vhost.h"

#define STARTED 15U
#define FAILED	((uint32_t)VIRTIO_CONFIG_S_NEEDS_RESET)

struct fixture {
	struct driver drv;
	struct vnet net;
	struct vvsock vsock;
};

static void prepare(struct vdev *d)
{
	d->irq_fd = eventfd(0, EFD_NONBLOCK);
	for (unsigned int i = 0; i < d->queue_count; i++)
		d->kick_fds[i] = eventfd(0, EFD_NONBLOCK);
}

static int setup(void **state)
{
	static const int fds[] = {FAKE_TAP, FAKE_NET};
	static const struct vm_nic nic = {.tap_fd = 0, .vhost_fd = 1, .mtu = 1500};
	struct fixture *f = mem_alloc(sizeof(*f));

	*state = f;
	fake_net = fake_vsock = (struct fake_vhost){0};
	fake_fail = 0;
	if (driver_init(&f->drv) < 0)
		return -1;
	fake_mem = &f->drv.mem;
	if (vnet_init(&f->net, &f->drv.mem, &nic, fds, NULL) < 0 ||
	    vvsock_init(&f->vsock, &f->drv.mem, FAKE_VSOCK, 5, NULL) < 0)
		return -1;
	prepare(&f->net.dev);
	prepare(&f->vsock.dev);
	return 0;
}

static void finish(struct vdev *d)
{
	fd_close(d->irq_fd);
	for (unsigned int i = 0; i < d->queue_count; i++)
		fd_close(d->kick_fds[i]);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	finish(&f->net.dev);
	finish(&f->vsock.dev);
	munmap(f->drv.mem.regions[0].hva, DRIVER_MEM_BYTES);
	free(f);
	return 0;
}

static uint32_t start(struct fixture *f, struct vdev *d, uint32_t features)
{
	driver_negotiate(d, features);
	driver_set_queue(d, 1);
	return driver_start(&f->drv, d, 0, features);
}

/* driver_start() begins with a reset, so the second queue is set between the steps here */
static uint32_t start_both(struct vdev *d, uint32_t features)
{
	driver_negotiate(d, features);
	driver_set_queue(d, 0);
	driver_set_queue(d, 1);
	driver_put(d, VIRTIO_MMIO_STATUS, STARTED);
	return driver_get(d, VIRTIO_MMIO_STATUS);
}

static void check_runs_and_stops(struct vdev *d, struct fake_vhost *v)
{
	for (int i = 0; i < 3; i++) {
		assert_int_equal(start_both(d, 1U << VIRTIO_RING_F_EVENT_IDX), STARTED);
		assert_true(v->running[0] && v->running[1]);
		assert_int_equal(v->num[1], DRIVER_QUEUE_SIZE);
		assert_true(v->features ==
			    (1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_RING_F_EVENT_IDX));
		/* The fake ends the program when anything of a running queue is set. */
		driver_set_queue(d, 0);
		driver_put(d, VIRTIO_MMIO_STATUS, STARTED);
		assert_true(v->running[0]);
		driver_put(d, VIRTIO_MMIO_STATUS, 0);
		assert_false(v->running[0] || v->running[1]);
	}
}

static void test_runs_and_stops(void **state)
{
	struct fixture *f = *state;

	check_runs_and_stops(&f->net.dev, &fake_net);
	check_runs_and_stops(&f->vsock.dev, &fake_vsock);
}

static void test_one_queue_missing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(start(f, &f->net.dev, 0), STARTED | FAILED);
	assert_int_equal(start(f, &f->vsock.dev, 0), STARTED | FAILED);
	assert_false(fake_net.running[0] || fake_net.running[1]);
	assert_false(fake_vsock.running[0] || fake_vsock.running[1]);
	check_runs_and_stops(&f->net.dev, &fake_net);
}

/* The kernel refuses at any step: nothing may go on running while the driver sets up again. */
static void test_refused_half_way(void **state)
{
	static const struct {
		unsigned long request;
		unsigned int at;
	} cases[] = {
		{TUNSETVNETHDRSZ, 0},	    {TUNSETOFFLOAD, 0},	       {VHOST_SET_FEATURES, 0},
		{VHOST_SET_VRING_NUM, 1},   {VHOST_SET_VRING_BASE, 0}, {VHOST_SET_VRING_ADDR, 1},
		{VHOST_SET_VRING_KICK, 0},  {VHOST_SET_VRING_CALL, 1}, {VHOST_NET_SET_BACKEND, 0},
		{VHOST_NET_SET_BACKEND, 1},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		/* Off, so that the stores of a stop are not those that are counted */
		driver_put(&f->net.dev, VIRTIO_MMIO_STATUS, 0);
		fake_fail = cases[i].request;
		fake_fail_at = cases[i].at;
		assert_int_equal(start_both(&f->net.dev, 0), STARTED | FAILED);
		assert_int_equal(fake_fail, 0);
		assert_false(fake_net.running[0] || fake_net.running[1]);
		assert_int_equal(start_both(&f->net.dev, 0), STARTED);
	}
	fake_fail = VHOST_VSOCK_SET_RUNNING;
	fake_fail_at = 0;
	assert_int_equal(start_both(&f->vsock.dev, 0), STARTED | FAILED);
	check_runs_and_stops(&f->vsock.dev, &fake_vsock);
}

/* What the kernel offers us is not all for the guest: not IOMMU mode, not the kernel's own header bit. */
static void test_features(void **state)
{
	struct fixture *f = *state;

	assert_false(f->net.dev.features >> VIRTIO_F_ACCESS_PLATFORM & 1);
	assert_false(f->net.dev.features >> VHOST_NET_F_VIRTIO_NET_HDR & 1);
	assert_true(f->vsock.dev.features ==
		    (1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_RING_F_INDIRECT_DESC |
		     1ULL << VIRTIO_RING_F_EVENT_IDX));
	assert_int_equal(driver_negotiate(&f->net.dev, 1U << VHOST_NET_F_VIRTIO_NET_HDR), 3);
	assert_int_equal(driver_get(&f->vsock.dev, VIRTIO_MMIO_CONFIG), 5);
	assert_true(driver_get(&f->net.dev, VIRTIO_MMIO_INTERRUPT_STATUS) & VIRTIO_MMIO_INT_VRING);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_runs_and_stops),
		T(test_one_queue_missing),
		T(test_refused_half_way),
		T(test_features),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
