// SPDX-License-Identifier: Apache-2.0
/* The register page by itself: what a driver may do, when, and what the rest of its stores lead to. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "base/fd.h"
#include "base/mem.h"
#include "vmm/tests/driver.h"

#define OFFERED (1U << VIRTIO_RING_F_INDIRECT_DESC | 1U << 3)
#define STARTED 15U
#define FAILED	((uint32_t)VIRTIO_CONFIG_S_NEEDS_RESET)

struct fixture {
	struct driver drv;
	struct vdev dev;
	uint8_t config[12];
	unsigned int activated, reset;
	int activate_result;
};

static int fake_activate(struct vdev *d)
{
	struct fixture *f = container_of(d, struct fixture, dev);

	f->activated++;
	return f->activate_result;
}

static void fake_reset(struct vdev *d)
{
	container_of(d, struct fixture, dev)->reset++;
}

static const struct vdev_ops fake_ops = {.activate = fake_activate, .reset = fake_reset};

static int setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));

	*state = f;
	if (driver_init(&f->drv) < 0)
		return -1;
	memset(f->config, 0xcc, sizeof(f->config));
	f->dev = (struct vdev){.ops = &fake_ops,
			       .name = "fake",
			       .id = 2,
			       .features = OFFERED,
			       .config = f->config,
			       .config_bytes = sizeof(f->config),
			       .queue_count = 2,
			       .queue_size = 64};
	vdev_init(&f->dev, &f->drv.mem);
	f->dev.irq_fd = eventfd(0, EFD_NONBLOCK);
	for (int i = 0; i < 2; i++)
		f->dev.kick_fds[i] = eventfd(0, EFD_NONBLOCK);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fd_close(f->dev.irq_fd);
	fd_close(f->dev.kick_fds[0]);
	fd_close(f->dev.kick_fds[1]);
	munmap(f->drv.mem.regions[0].hva, DRIVER_MEM_BYTES);
	free(f);
	return 0;
}

static uint32_t status(struct fixture *f)
{
	return driver_get(&f->dev, VIRTIO_MMIO_STATUS);
}

static void set_status(struct fixture *f, uint32_t value)
{
	driver_put(&f->dev, VIRTIO_MMIO_STATUS, value);
}

static uint32_t start(struct fixture *f)
{
	return driver_start(&f->drv, &f->dev, 0, OFFERED);
}

/* Anything but 32 bits at a multiple of 4 finds nothing outside the configuration (§4.2.2.2). */
static void test_widths(void **state)
{
	static const uint32_t widths[] = {1, 2, 8};
	struct fixture *f = *state;
	uint64_t ones = UINT64_MAX, value;

	assert_int_equal(start(f), STARTED);
	for (size_t i = 0; i < ARRAY_SIZE(widths); i++)
		for (uint32_t at = 0; at < VIRTIO_MMIO_CONFIG; at++) {
			vdev_write(&f->dev, at, &ones, widths[i]);
			value = UINT64_MAX;
			vdev_read(&f->dev, at, &value, widths[i]);
			assert_true(widths[i] == 8 ? value == 0
						   : value == UINT64_MAX << (8 * widths[i]));
		}
	for (uint32_t at = 0; at < VIRTIO_MMIO_CONFIG; at++) {
		uint32_t word;

		if (at % 4 == 0)
			continue;
		vdev_write(&f->dev, at, &ones, 4);
		vdev_read(&f->dev, at, &word, 4);
		assert_int_equal(word, 0);
	}
	assert_int_equal(status(f), STARTED);
	assert_int_equal(f->reset, 0);
	assert_int_equal(f->activated, 1);
}

static void test_config_space(void **state)
{
	struct fixture *f = *state;
	uint64_t ones = UINT64_MAX, value;

	for (uint32_t at = 0; at + 8 <= VDEV_PAGE_BYTES - VIRTIO_MMIO_CONFIG; at++) {
		uint8_t bytes[8];

		vdev_write(&f->dev, VIRTIO_MMIO_CONFIG + at, &ones, 8);
		vdev_read(&f->dev, VIRTIO_MMIO_CONFIG + at, bytes, 8);
		for (uint32_t i = 0; i < 8; i++)
			assert_int_equal(bytes[i], at + i < sizeof(f->config) ? 0xcc : 0);
	}
	vdev_read(&f->dev, VDEV_PAGE_BYTES - 1, &value, 8);
	assert_true(value == 0);
	assert_int_equal(driver_get(&f->dev, VIRTIO_MMIO_CONFIG_GENERATION), 0);
}

static void test_unknown_registers(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(start(f), STARTED);
	for (uint32_t at = 0; at < VIRTIO_MMIO_CONFIG; at += 4) {
		if (at == VIRTIO_MMIO_STATUS)
			continue;
		driver_put(&f->dev, at, UINT32_MAX);
		driver_put(&f->dev, at, 0);
	}
	assert_int_equal(status(f), STARTED);
	assert_int_equal(driver_get(&f->dev, VIRTIO_MMIO_QUEUE_READY), 1);
	assert_int_equal(driver_get(&f->dev, VIRTIO_MMIO_MAGIC_VALUE), 0x74726976);
}

static void test_status_bits_stay(void **state)
{
	struct fixture *f = *state;

	set_status(f, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	set_status(f, VIRTIO_CONFIG_S_DRIVER);
	assert_int_equal(status(f), VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	set_status(f, VIRTIO_CONFIG_S_FAILED);
	assert_true(status(f) & VIRTIO_CONFIG_S_FAILED);
	/* Only the device asks for a reset, and there are eight bits. */
	set_status(f, UINT32_MAX & ~(uint32_t)VIRTIO_CONFIG_S_DRIVER_OK);
	assert_false(status(f) & FAILED);
	assert_int_equal(status(f) & ~0xffU, 0);
	set_status(f, 0);
	assert_int_equal(status(f), 0);
}

static void test_negotiation(void **state)
{
	struct fixture *f = *state;

	/* Without VERSION_1; with a bit that was not offered, of either half */
	driver_put(&f->dev, VIRTIO_MMIO_DRIVER_FEATURES, OFFERED);
	set_status(f, VIRTIO_CONFIG_S_FEATURES_OK);
	assert_int_equal(status(f), 0);
	assert_int_equal(driver_negotiate(&f->dev, OFFERED | 1U << 9), 3);
	driver_put(&f->dev, VIRTIO_MMIO_DRIVER_FEATURES, 1U | 2U);
	set_status(f, VIRTIO_CONFIG_S_FEATURES_OK);
	assert_int_equal(status(f), 3);
	/* Less than offered is well; later changes are not heard, nor a third word. */
	assert_int_equal(driver_negotiate(&f->dev, 1U << 3), 11);
	driver_put(&f->dev, VIRTIO_MMIO_DRIVER_FEATURES, UINT32_MAX);
	driver_put(&f->dev, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 2);
	driver_put(&f->dev, VIRTIO_MMIO_DRIVER_FEATURES, UINT32_MAX);
	assert_true(f->dev.driver_features == (1ULL << VIRTIO_F_VERSION_1 | 1U << 3));
	assert_false(vdev_has(&f->dev, VIRTIO_RING_F_INDIRECT_DESC));
	/* A reset forgets them. */
	set_status(f, 0);
	assert_true(f->dev.driver_features == 0);
}

static void test_driver_ok_needs_features(void **state)
{
	struct fixture *f = *state;

	set_status(f, VIRTIO_CONFIG_S_DRIVER_OK);
	driver_put(&f->dev, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	driver_put(&f->dev, VIRTIO_MMIO_DRIVER_FEATURES, 1);
	set_status(f, VIRTIO_CONFIG_S_FEATURES_OK);
	driver_set_queue(&f->dev, 0);
	set_status(f, 0xf);
	assert_int_equal(f->activated, 0);
	assert_false(f->dev.active);
	set_status(f, 0);
	assert_int_equal(f->reset, 0);
	assert_int_equal(start(f), STARTED);
	assert_int_equal(f->activated, 1);
}

static void test_queues_only_while_set_up(void **state)
{
	struct fixture *f = *state;

	driver_set_queue(&f->dev, 0);
	assert_int_equal(driver_get(&f->dev, VIRTIO_MMIO_QUEUE_READY), 0);
	assert_int_equal(f->dev.queues[0].size, 0);
	assert_int_equal(start(f), STARTED);
	driver_put(&f->dev, VIRTIO_MMIO_QUEUE_READY, 0);
	driver_put(&f->dev, VIRTIO_MMIO_QUEUE_DESC_LOW, 0x8000);
	driver_put(&f->dev, VIRTIO_MMIO_QUEUE_NUM, 2);
	driver_set_queue(&f->dev, 1);
	assert_int_equal(driver_get(&f->dev, VIRTIO_MMIO_QUEUE_READY), 0);
	assert_true(f->dev.queues[0].ready);
	assert_int_equal(f->dev.queues[0].size, DRIVER_QUEUE_SIZE);
	assert_true(f->dev.queues[0].desc_gpa == DRIVER_DESC);
	/* Before DRIVER_OK a queue may be taken back and set otherwise. */
	driver_negotiate(&f->dev, 0);
	driver_set_queue(&f->dev, 0);
	driver_put(&f->dev, VIRTIO_MMIO_QUEUE_DESC_LOW, 0x8000);
	assert_true(f->dev.queues[0].desc_gpa == DRIVER_DESC);
	driver_put(&f->dev, VIRTIO_MMIO_QUEUE_READY, 0);
	driver_put(&f->dev, VIRTIO_MMIO_QUEUE_DESC_LOW, 0x8000);
	assert_true(f->dev.queues[0].desc_gpa == 0x8000);
	driver_put(&f->dev, VIRTIO_MMIO_QUEUE_READY, 1);
	assert_ptr_equal(f->dev.queues[0].desc, driver_at(&f->drv, 0x8000));
}

/* Each is refused when the queue is made ready, and only a reset helps. */
static void test_bad_queues(void **state)
{
	static const struct {
		uint32_t reg, value;
	} cases[] = {
		{VIRTIO_MMIO_QUEUE_NUM, 0},
		{VIRTIO_MMIO_QUEUE_NUM, 3},
		{VIRTIO_MMIO_QUEUE_NUM, 128}, /* more than QueueNumMax */
		{VIRTIO_MMIO_QUEUE_NUM, UINT32_MAX},
		{VIRTIO_MMIO_QUEUE_DESC_LOW, DRIVER_DESC + 8},
		{VIRTIO_MMIO_QUEUE_AVAIL_LOW, DRIVER_AVAIL + 1},
		{VIRTIO_MMIO_QUEUE_USED_LOW, DRIVER_USED + 2},
		{VIRTIO_MMIO_QUEUE_DESC_LOW, DRIVER_MEM_BYTES - 16}, /* over the end of RAM */
		{VIRTIO_MMIO_QUEUE_AVAIL_LOW, 0xd0000000}, /* the devices' own registers */
		{VIRTIO_MMIO_QUEUE_USED_LOW, 0xfffffffc},
		{VIRTIO_MMIO_QUEUE_USED_HIGH, UINT32_MAX},
		{VIRTIO_MMIO_QUEUE_DESC_HIGH, 1},
	};
	struct fixture *f = *state;
	eventfd_t n;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		driver_negotiate(&f->dev, 0);
		driver_set_queue(&f->dev, 0);
		driver_put(&f->dev, VIRTIO_MMIO_QUEUE_READY, 0);
		driver_put(&f->dev, cases[i].reg, cases[i].value);
		driver_put(&f->dev, VIRTIO_MMIO_QUEUE_READY, 1);
		assert_int_equal(driver_get(&f->dev, VIRTIO_MMIO_QUEUE_READY), 0);
		assert_true(status(f) & FAILED);
		set_status(f, STARTED);
		assert_false(f->dev.active);
	}
	assert_int_equal(f->activated, 0);
	assert_true(eventfd_read(f->dev.irq_fd, &n) < 0); /* no DRIVER_OK, no interrupt */
	assert_int_equal(start(f), STARTED);
}

static void test_failing_start(void **state)
{
	struct fixture *f = *state;
	eventfd_t n;

	f->activate_result = -EIO;
	assert_int_equal(start(f), STARTED | FAILED);
	assert_int_equal(f->reset, 1); /* what had started is stopped at once */
	assert_int_equal(driver_get(&f->dev, VIRTIO_MMIO_INTERRUPT_STATUS), VIRTIO_MMIO_INT_CONFIG);
	assert_int_equal(eventfd_read(f->dev.irq_fd, &n), 0);
	set_status(f, STARTED);
	assert_int_equal(f->activated, 1);
	f->activate_result = 0;
	assert_int_equal(start(f), STARTED);
	assert_int_equal(driver_get(&f->dev, VIRTIO_MMIO_INTERRUPT_STATUS), 0);
	set_status(f, 0);
	assert_int_equal(f->reset, 2);
}

static void test_interrupts(void **state)
{
	struct fixture *f = *state;
	eventfd_t n;

	assert_int_equal(start(f), STARTED);
	vdev_interrupt(&f->dev);
	vdev_fail(&f->dev, "test");
	vdev_fail(&f->dev, "test");
	assert_int_equal(eventfd_read(f->dev.irq_fd, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(driver_get(&f->dev, VIRTIO_MMIO_INTERRUPT_STATUS), 3);
	driver_put(&f->dev, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_CONFIG);
	assert_int_equal(driver_get(&f->dev, VIRTIO_MMIO_INTERRUPT_STATUS), 1);
	driver_put(&f->dev, VIRTIO_MMIO_INTERRUPT_ACK, UINT32_MAX);
	assert_int_equal(driver_get(&f->dev, VIRTIO_MMIO_INTERRUPT_STATUS), 0);
	vdev_interrupt(&f->dev);
	set_status(f, 0);
	assert_int_equal(driver_get(&f->dev, VIRTIO_MMIO_INTERRUPT_STATUS), 0);
}

static void test_notify(void **state)
{
	struct fixture *f = *state;
	eventfd_t n;

	driver_put(&f->dev, VIRTIO_MMIO_QUEUE_NOTIFY, 1);
	driver_put(&f->dev, VIRTIO_MMIO_QUEUE_NOTIFY, 2);
	driver_put(&f->dev, VIRTIO_MMIO_QUEUE_NOTIFY, UINT32_MAX);
	assert_int_equal(eventfd_read(f->dev.kick_fds[1], &n), 0);
	assert_int_equal(n, 1);
	assert_true(eventfd_read(f->dev.kick_fds[0], &n) < 0);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_widths),
		T(test_config_space),
		T(test_unknown_registers),
		T(test_status_bits_stay),
		T(test_negotiation),
		T(test_driver_ok_needs_features),
		T(test_queues_only_while_set_up),
		T(test_bad_queues),
		T(test_failing_start),
		T(test_interrupts),
		T(test_notify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
