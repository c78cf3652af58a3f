// SPDX-License-Identifier: Apache-2.0
/* Free page reporting: what is given back is gone, and nothing else. */
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
#include "vmm/virtio/balloon.h"

#define W     VRING_DESC_F_WRITE
#define N     VRING_DESC_F_NEXT
#define PAGES 8U

struct fixture {
	struct driver drv;
	struct balloon balloon;
};

static int setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));

	*state = f;
	if (driver_init(&f->drv) < 0)
		return -1;
	balloon_init(&f->balloon, &f->drv.mem);
	f->balloon.dev.irq_fd = eventfd(0, EFD_NONBLOCK);
	memset(driver_at(&f->drv, DRIVER_DATA), 0x55, PAGES * GMEM_PAGE);
	return driver_start(&f->drv, &f->balloon.dev, BALLOON_REPORTING,
			    1U << VIRTIO_BALLOON_F_REPORTING) == 15
		       ? 0
		       : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fd_close(f->balloon.dev.irq_fd);
	munmap(f->drv.mem.regions[0].hva, DRIVER_MEM_BYTES);
	free(f);
	return 0;
}

static int page(const struct fixture *f, unsigned int i)
{
	return *(uint8_t *)driver_at(&f->drv, DRIVER_DATA + i * GMEM_PAGE);
}

static void test_reported_pages_are_dropped(void **state)
{
	struct fixture *f = *state;
	eventfd_t n;

	driver_set(&f->drv, 0, DRIVER_DATA + GMEM_PAGE, 2 * GMEM_PAGE, W | N, 1);
	driver_set(&f->drv, 1, DRIVER_DATA + 5 * GMEM_PAGE, GMEM_PAGE, W, 0);
	driver_offer(&f->drv, 0);
	balloon_serve(&f->balloon);
	assert_int_equal(driver_used(&f->drv)->idx, 1);
	assert_int_equal(eventfd_read(f->balloon.dev.irq_fd, &n), 0);
	for (unsigned int i = 0; i < PAGES; i++)
		assert_int_equal(page(f, i), i == 1 || i == 2 || i == 5 ? 0 : 0x55);
}

static void test_part_of_a_page_stays(void **state)
{
	struct fixture *f = *state;

	driver_set(&f->drv, 0, DRIVER_DATA + 1, 2 * GMEM_PAGE - 2, W | N, 1);
	driver_set(&f->drv, 1, DRIVER_DATA + 4 * GMEM_PAGE + 8, 16, W, 0);
	driver_offer(&f->drv, 0);
	balloon_serve(&f->balloon);
	for (unsigned int i = 0; i < PAGES; i++)
		assert_int_equal(page(f, i), 0x55);
}

static void test_bad_report(void **state)
{
	struct fixture *f = *state;

	driver_set(&f->drv, 0, DRIVER_MEM_BYTES - GMEM_PAGE, 2 * GMEM_PAGE, W, 0);
	driver_offer(&f->drv, 0);
	balloon_serve(&f->balloon);
	assert_true(driver_get(&f->balloon.dev, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_int_equal(driver_used(&f->drv)->idx, 0);
	/* Not started, nothing is looked at. */
	driver_put(&f->balloon.dev, VIRTIO_MMIO_STATUS, 0);
	balloon_serve(&f->balloon);
	assert_int_equal(driver_get(&f->balloon.dev, VIRTIO_MMIO_STATUS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reported_pages_are_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_part_of_a_page_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_report, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
