// SPDX-License-Identifier: Apache-2.0
/* The register page and the disk behind it, driven as a guest's driver would. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_ids.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "vmm/tests/driver.h"
#include "vmm/virtio/blk.h"

#define W	     VRING_DESC_F_WRITE
#define N	     VRING_DESC_F_NEXT
#define HEADER	     DRIVER_DATA
#define STATUS	     (DRIVER_DATA + 0x100)
#define BUFFER	     (DRIVER_DATA + 0x1000)
#define FIRST_BYTES  700U /* ends inside its second sector and far from the next extent */
#define SECOND_BYTES 5000U

struct fixture {
	struct driver drv;
	struct vm_spec spec;
	struct blk_extent extents[2];
	struct blk blk;
	int fds[2];
	bool fed; /* atomic */
};

static uint32_t get(struct fixture *f, uint32_t reg)
{
	return driver_get(&f->blk.dev, reg);
}

static void set(struct fixture *f, uint32_t reg, uint32_t value)
{
	driver_put(&f->blk.dev, reg, value);
}

static void fill(int fd, uint8_t base, size_t len)
{
	uint8_t data[SECOND_BYTES];

	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(base + i % 64);
	assert_int_equal(pwrite(fd, data, len, 0), len);
}

static struct fixture *make(uint32_t flags, uint32_t extents)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct vm_disk *disk = &f->spec.disks[0];

	assert_int_equal(driver_init(&f->drv), 0);
	for (uint32_t i = 0; i < extents; i++) {
		uint32_t len = i ? SECOND_BYTES : FIRST_BYTES;

		f->fds[i] = memfd_create("disk", MFD_CLOEXEC);
		fill(f->fds[i], i ? 128 : 0, len);
		f->spec.extents[i] = (struct vm_extent){.fd = i, .size_bytes = len};
	}
	*disk = (struct vm_disk){.extent_count = extents, .flags = flags};
	memcpy(disk->serial, "12345678901234567890", VM_SERIAL_MAX);
	blk_init(&f->blk, &f->drv.mem, &f->spec, disk, f->extents, f->fds);
	f->blk.dev.irq_fd = eventfd(0, EFD_NONBLOCK);
	f->blk.dev.kick_fds[0] = eventfd(0, EFD_NONBLOCK);
	return f;
}

static int setup_readonly(void **state)
{
	*state = make(VM_DISK_READONLY, 2);
	return 0;
}

static int setup_writable(void **state)
{
	*state = make(0, 1);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 0; i < f->spec.disks[0].extent_count; i++)
		fd_close(f->fds[i]);
	fd_close(f->blk.dev.irq_fd);
	fd_close(f->blk.dev.kick_fds[0]);
	munmap(f->drv.mem.regions[0].hva, DRIVER_MEM_BYTES);
	free(f);
	return 0;
}

static void start(struct fixture *f)
{
	assert_int_equal(driver_start(&f->drv, &f->blk.dev, 0, 0), 15);
}

/* Serves one request. Return: its status byte; *len: what the device says it wrote */
static int request(struct fixture *f, uint32_t type, uint64_t sector, uint32_t data_bytes,
		   unsigned int data_flags, uint32_t *len)
{
	struct virtio_blk_outhdr *h = driver_at(&f->drv, HEADER);
	uint8_t *status = driver_at(&f->drv, STATUS);
	uint16_t before = driver_used(&f->drv)->idx;

	*h = (struct virtio_blk_outhdr){.type = type, .sector = sector};
	*status = 0xee;
	driver_set(&f->drv, 0, HEADER, sizeof(*h), N, data_bytes ? 1 : 2);
	driver_set(&f->drv, 1, BUFFER, data_bytes, N | data_flags, 2);
	driver_set(&f->drv, 2, STATUS, 1, W, 0);
	driver_offer(&f->drv, 0);
	blk_serve(&f->blk);
	assert_int_equal(driver_used(&f->drv)->idx, (uint16_t)(before + 1));
	if (len)
		*len = driver_used(&f->drv)->ring[before % DRIVER_QUEUE_SIZE].len;
	return *status;
}

/* The host is full: the request stays in the queue until there is room. */
static void test_host_full(void **state)
{
	struct fixture *f = *state;
	struct virtio_blk_outhdr *h = driver_at(&f->drv, HEADER);
	uint8_t *status = driver_at(&f->drv, STATUS);
	_cleanup_fd_ int full = open("/dev/full", O_RDWR | O_CLOEXEC);
	int room = f->extents[0].fd;
	eventfd_t n;

	start(f);
	f->extents[0].fd = full;
	*h = (struct virtio_blk_outhdr){.type = VIRTIO_BLK_T_OUT};
	*status = 0xee;
	memset(driver_at(&f->drv, BUFFER), 'x', 512);
	driver_set(&f->drv, 0, HEADER, sizeof(*h), N, 1);
	driver_set(&f->drv, 1, BUFFER, 512, N, 2);
	driver_set(&f->drv, 2, STATUS, 1, W, 0);
	driver_offer(&f->drv, 0);
	for (int i = 0; i < 3; i++) {
		(void)eventfd_read(f->blk.dev.kick_fds[0], &n);
		assert_int_equal(blk_serve(&f->blk), BLK_FULL_WAIT_NS);
		assert_int_equal(eventfd_read(f->blk.dev.kick_fds[0], &n),
				 0); /* it will look again */
	}
	assert_int_equal(driver_used(&f->drv)->idx, 0);
	assert_int_equal(*status, 0xee);
	assert_int_equal(f->blk.counters->written_bytes, 0);
	f->extents[0].fd = room;
	assert_int_equal(blk_serve(&f->blk), 0);
	assert_int_equal(f->blk.counters->written_bytes, 512);
	assert_int_equal(driver_used(&f->drv)->idx, 1);
	assert_int_equal(*status, VIRTIO_BLK_S_OK);
	/* After a minute without room it is an error. */
	f->extents[0].fd = full;
	f->blk.full_since_ns = clock_mono_ns() - BLK_FULL_MAX_NS;
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 0, 512, 0, NULL), VIRTIO_BLK_S_IOERR);
	f->extents[0].fd = room;
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 0, 512, 0, NULL), VIRTIO_BLK_S_OK);
	assert_int_equal(f->blk.full_since_ns, 0);
}

static void test_registers(void **state)
{
	struct fixture *f = *state;
	uint64_t capacity;
	uint8_t byte;

	assert_int_equal(get(f, VIRTIO_MMIO_QUEUE_NUM_MAX), 64);
	assert_int_equal(get(f, VIRTIO_MMIO_QUEUE_READY), 0);
	assert_int_equal(get(f, VIRTIO_MMIO_MAGIC_VALUE), 0x74726976);
	assert_int_equal(get(f, VIRTIO_MMIO_VERSION), 2);
	assert_int_equal(get(f, VIRTIO_MMIO_DEVICE_ID), VIRTIO_ID_BLOCK);
	assert_int_equal(get(f, 0xb0), UINT32_MAX);
	assert_int_equal(get(f, 0xffc), 0);
	set(f, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
	assert_true(get(f, VIRTIO_MMIO_DEVICE_FEATURES) & 1U << VIRTIO_BLK_F_RO);
	set(f, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	assert_int_equal(get(f, VIRTIO_MMIO_DEVICE_FEATURES), 1U << (VIRTIO_F_VERSION_1 - 32));
	set(f, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 7);
	assert_int_equal(get(f, VIRTIO_MMIO_DEVICE_FEATURES), 0);
	vdev_read(&f->blk.dev, VIRTIO_MMIO_CONFIG, &capacity, sizeof(capacity));
	assert_int_equal(capacity, (4096 + 8192) / 512);
	vdev_read(&f->blk.dev, VIRTIO_MMIO_CONFIG, &byte, 1);
	assert_int_equal(byte, (4096 + 8192) / 512);
	vdev_read(&f->blk.dev, 0xff8, &capacity, sizeof(capacity));
	assert_int_equal(capacity, 0);
	set(f, VIRTIO_MMIO_QUEUE_SEL, 5);
	assert_int_equal(get(f, VIRTIO_MMIO_QUEUE_NUM_MAX), 0);
	set(f, VIRTIO_MMIO_QUEUE_READY, 1);
	set(f, VIRTIO_MMIO_QUEUE_SEL, UINT32_MAX);
	set(f, VIRTIO_MMIO_QUEUE_NUM, 8);
	assert_int_equal(get(f, VIRTIO_MMIO_STATUS), 0);
}

static void test_features_are_checked(void **state)
{
	struct fixture *f = *state;

	/* A driver of the legacy kind, then one that takes what was not offered */
	set(f, VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK);
	assert_int_equal(get(f, VIRTIO_MMIO_STATUS), VIRTIO_CONFIG_S_DRIVER);
	set(f, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	set(f, VIRTIO_MMIO_DRIVER_FEATURES, UINT32_MAX);
	set(f, VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK);
	assert_int_equal(get(f, VIRTIO_MMIO_STATUS), VIRTIO_CONFIG_S_DRIVER);
	set(f, VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_DRIVER_OK);
	assert_false(f->blk.dev.active);
}

static void test_read_across_extents(void **state)
{
	struct fixture *f = *state;
	const uint8_t *data = driver_at(&f->drv, BUFFER);
	uint32_t len;

	start(f);
	memset(driver_at(&f->drv, BUFFER), 0xaa, 12288);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 12288, W, &len), VIRTIO_BLK_S_OK);
	assert_int_equal(len, 12288 + 1);
	for (uint32_t i = 0; i < 12288; i++) {
		int want = 0;

		if (i < FIRST_BYTES)
			want = (int)(i % 64);
		else if (i >= 4096 && i < 4096 + SECOND_BYTES)
			want = 128 + (int)((i - 4096) % 64);
		assert_int_equal(data[i], want);
	}
	assert_true(get(f, VIRTIO_MMIO_INTERRUPT_STATUS) & VIRTIO_MMIO_INT_VRING);
	set(f, VIRTIO_MMIO_INTERRUPT_ACK, VIRTIO_MMIO_INT_VRING);
	assert_int_equal(get(f, VIRTIO_MMIO_INTERRUPT_STATUS), 0);
}

static void test_read_bounds(void **state)
{
	struct fixture *f = *state;

	start(f);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 23, 512, W, NULL), VIRTIO_BLK_S_OK);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 23, 1024, W, NULL), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 24, 512, W, NULL), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, UINT64_MAX, 512, W, NULL), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, UINT64_MAX / 512, 512, W, NULL),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 100, W, NULL), VIRTIO_BLK_S_IOERR);
}

static void test_readonly_refuses_writes(void **state)
{
	struct fixture *f = *state;
	uint8_t first;

	start(f);
	memset(driver_at(&f->drv, BUFFER), 0xaa, 512);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 0, 512, 0, NULL), VIRTIO_BLK_S_IOERR);
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 16, 0, NULL), VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(request(f, VIRTIO_BLK_T_FLUSH, 0, 0, 0, NULL), VIRTIO_BLK_S_OK);
	assert_int_equal(pread(f->fds[0], &first, 1, 0), 1);
	assert_int_equal(first, 0);
}

static void test_serial_and_unknown(void **state)
{
	struct fixture *f = *state;
	uint32_t len;

	start(f);
	assert_int_equal(request(f, VIRTIO_BLK_T_GET_ID, 0, 20, W, &len), VIRTIO_BLK_S_OK);
	assert_int_equal(len, 21);
	assert_memory_equal(driver_at(&f->drv, BUFFER), "12345678901234567890", 20);
	assert_int_equal(request(f, VIRTIO_BLK_T_GET_ID, 0, 7, W, &len), VIRTIO_BLK_S_OK);
	assert_int_equal(len, 8);
	assert_int_equal(request(f, 0x12345, 0, 512, W, &len), VIRTIO_BLK_S_UNSUPP);
	assert_int_equal(len, 1);
}

static void test_write_read_discard(void **state)
{
	struct fixture *f = *state;
	uint8_t *data = driver_at(&f->drv, BUFFER);
	struct virtio_blk_discard_write_zeroes range = {.sector = 1, .num_sectors = 1};
	uint32_t len;

	start(f);
	memset(data, 0x5a, 1024);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 6, 1024, 0, &len), VIRTIO_BLK_S_OK);
	assert_int_equal(len, 1);
	assert_int_equal(request(f, VIRTIO_BLK_T_FLUSH, 0, 0, 0, NULL), VIRTIO_BLK_S_OK);
	memset(data, 0, 1024);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 6, 1024, W, NULL), VIRTIO_BLK_S_OK);
	assert_int_equal(data[0], 0x5a);
	assert_int_equal(data[1023], 0x5a);
	assert_int_equal(request(f, VIRTIO_BLK_T_OUT, 7, 1024, 0, NULL), VIRTIO_BLK_S_IOERR);
	memcpy(data, &range, sizeof(range));
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 16, 0, NULL), VIRTIO_BLK_S_OK);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 1024, W, NULL), VIRTIO_BLK_S_OK);
	assert_int_equal(data[511], 511 % 64);
	for (int i = 512; i < 1024; i++)
		assert_int_equal(data[i], 0);
	range.sector = 8;
	memcpy(data, &range, sizeof(range));
	assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, 16, 0, NULL), VIRTIO_BLK_S_IOERR);
}

static void test_discard_refuses(void **state)
{
	static const struct {
		struct virtio_blk_discard_write_zeroes range;
		uint32_t bytes;
		int status;
	} cases[] = {
		{{.sector = 0, .num_sectors = 0}, 16, VIRTIO_BLK_S_OK},
		{{.sector = 8, .num_sectors = 0}, 16, VIRTIO_BLK_S_OK},
		{{.sector = 9, .num_sectors = 0}, 16, VIRTIO_BLK_S_IOERR},
		{{.sector = UINT64_MAX, .num_sectors = 1}, 16, VIRTIO_BLK_S_IOERR},
		{{.sector = UINT64_MAX / 512 + 1, .num_sectors = 1}, 16, VIRTIO_BLK_S_IOERR},
		{{.sector = 0, .num_sectors = UINT32_MAX}, 16, VIRTIO_BLK_S_UNSUPP},
		{{.sector = 0, .num_sectors = 1, .flags = 1}, 16, VIRTIO_BLK_S_UNSUPP},
		{{.sector = 0, .num_sectors = 1}, 15, VIRTIO_BLK_S_IOERR},
		{{.sector = 0, .num_sectors = 1}, 0, VIRTIO_BLK_S_IOERR},
		{{.sector = 0, .num_sectors = 1}, 32, VIRTIO_BLK_S_IOERR}, /* two ranges */
	};
	struct fixture *f = *state;
	uint8_t *data = driver_at(&f->drv, BUFFER), first[2];

	start(f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(data, 0, 64);
		memcpy(data, &cases[i].range, sizeof(cases[i].range));
		assert_int_equal(request(f, VIRTIO_BLK_T_DISCARD, 0, cases[i].bytes, 0, NULL),
				 cases[i].status);
		assert_int_equal(pread(f->fds[0], first, sizeof(first), 0), 2);
		assert_int_equal(first[1], 1);
	}
	assert_int_equal(request(f, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16, 0, NULL),
			 VIRTIO_BLK_S_UNSUPP);
}

/* A second processor that always has one more request: the thread must let go of the lock. */
static void *feed(void *arg)
{
	struct fixture *f = arg;
	const struct vring_used *used = driver_used(&f->drv);
	struct vring_avail *avail = driver_avail(&f->drv);

	while (!__atomic_load_n(&f->fed, __ATOMIC_RELAXED)) {
		uint16_t idx = __atomic_load_n(&used->idx, __ATOMIC_RELAXED);

		__atomic_store_n(&avail->idx, (uint16_t)(idx + DRIVER_QUEUE_SIZE / 2),
				 __ATOMIC_RELEASE);
	}
	return NULL;
}

static void test_endless_requests(void **state)
{
	struct fixture *f = *state;
	struct virtio_blk_outhdr h = {.type = VIRTIO_BLK_T_IN};
	pthread_t thread;

	start(f);
	memcpy(driver_at(&f->drv, HEADER), &h, sizeof(h));
	driver_set(&f->drv, 0, HEADER, sizeof(h), N, 1);
	driver_set(&f->drv, 1, BUFFER, 513, W, 0);
	assert_int_equal(pthread_create(&thread, NULL, feed, f), 0);
	for (int i = 0; i < 100; i++) {
		uint16_t before = driver_used(&f->drv)->idx;

		blk_serve(&f->blk);
		assert_in_range((uint16_t)(driver_used(&f->drv)->idx - before), 0, 64);
		/* Reset and set-up again in the middle of it */
		if (i % 10 == 9) {
			driver_used(&f->drv)->idx = 0;
			start(f);
		}
	}
	__atomic_store_n(&f->fed, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

/* virtio 1.2 §2.7.4: nothing may be concluded from where the driver cuts its buffers. */
static void test_any_layout(void **state)
{
	struct fixture *f = *state;
	struct virtio_blk_outhdr h = {.type = VIRTIO_BLK_T_IN, .sector = 0};
	uint8_t *data = driver_at(&f->drv, BUFFER);

	start(f);
	memcpy(driver_at(&f->drv, HEADER), &h, sizeof(h));
	driver_set(&f->drv, 0, HEADER, 5, N, 1);
	driver_set(&f->drv, 1, HEADER + 5, sizeof(h) - 5, N, 2);
	driver_set(&f->drv, 2, BUFFER, 10, N | W, 3);
	driver_set(&f->drv, 3, BUFFER + 10, 503, W, 0); /* 502 of data and the status */
	data[512] = 0xee;
	driver_offer(&f->drv, 0);
	blk_serve(&f->blk);
	assert_int_equal(driver_used(&f->drv)->ring[0].len, 513);
	assert_int_equal(data[512], VIRTIO_BLK_S_OK);
	assert_int_equal(data[511], 511 % 64);
}

static void assert_needs_reset(struct fixture *f)
{
	assert_true(get(f, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET);
	assert_true(get(f, VIRTIO_MMIO_INTERRUPT_STATUS) & VIRTIO_MMIO_INT_CONFIG);
}

static void test_bad_ring_needs_reset(void **state)
{
	struct fixture *f = *state;

	start(f);
	driver_set(&f->drv, 0, HEADER, 16, N, 0);
	driver_offer(&f->drv, 0);
	blk_serve(&f->blk);
	assert_needs_reset(f);
	/* Nothing is served, and nothing but a reset helps. */
	set(f, VIRTIO_MMIO_STATUS, 0xf);
	blk_serve(&f->blk);
	assert_needs_reset(f);
	assert_int_equal(driver_used(&f->drv)->idx, 0);
	driver_avail(&f->drv)->idx = 0;
	start(f);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 512, W, NULL), VIRTIO_BLK_S_OK);
}

static void test_requests_that_are_none(void **state)
{
	struct fixture *f = *state;

	/* a short header; nowhere to put a status */
	start(f);
	driver_set(&f->drv, 0, HEADER, 15, N, 1);
	driver_set(&f->drv, 1, STATUS, 1, W, 0);
	driver_offer(&f->drv, 0);
	blk_serve(&f->blk);
	assert_needs_reset(f);
	driver_avail(&f->drv)->idx = 0;
	start(f);
	driver_set(&f->drv, 0, HEADER, 16, 0, 0);
	driver_offer(&f->drv, 0);
	blk_serve(&f->blk);
	assert_needs_reset(f);
}

static void test_bad_queue_address(void **state)
{
	struct fixture *f = *state;

	driver_negotiate(&f->blk.dev, 0);
	set(f, VIRTIO_MMIO_QUEUE_NUM, 8);
	set(f, VIRTIO_MMIO_QUEUE_DESC_HIGH, 0xffffffff);
	set(f, VIRTIO_MMIO_QUEUE_READY, 1);
	assert_int_equal(get(f, VIRTIO_MMIO_QUEUE_READY), 0);
	assert_true(get(f, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET);
	start(f);
	assert_int_equal(request(f, VIRTIO_BLK_T_FLUSH, 0, 0, 0, NULL), VIRTIO_BLK_S_OK);
}

static void test_running_queue_is_fixed(void **state)
{
	struct fixture *f = *state;

	start(f);
	set(f, VIRTIO_MMIO_QUEUE_DESC_LOW, 0xdead0000);
	set(f, VIRTIO_MMIO_QUEUE_NUM, 2);
	set(f, VIRTIO_MMIO_QUEUE_READY, 0);
	set(f, VIRTIO_MMIO_DRIVER_FEATURES, 0);
	assert_int_equal(get(f, VIRTIO_MMIO_QUEUE_READY), 1);
	assert_int_equal(request(f, VIRTIO_BLK_T_IN, 0, 512, W, NULL), VIRTIO_BLK_S_OK);
	set(f, VIRTIO_MMIO_STATUS, 0);
	assert_int_equal(get(f, VIRTIO_MMIO_QUEUE_READY), 0);
	assert_false(f->blk.dev.active);
	blk_serve(&f->blk);
}

int main(void)
{
#define READONLY(t) cmocka_unit_test_setup_teardown(t, setup_readonly, teardown)
#define WRITABLE(t) cmocka_unit_test_setup_teardown(t, setup_writable, teardown)
	const struct CMUnitTest tests[] = {
		READONLY(test_registers),
		READONLY(test_features_are_checked),
		READONLY(test_read_across_extents),
		READONLY(test_read_bounds),
		READONLY(test_readonly_refuses_writes),
		READONLY(test_serial_and_unknown),
		WRITABLE(test_host_full),
		WRITABLE(test_write_read_discard),
		WRITABLE(test_discard_refuses),
		READONLY(test_endless_requests),
		READONLY(test_any_layout),
		READONLY(test_bad_ring_needs_reset),
		READONLY(test_requests_that_are_none),
		READONLY(test_bad_queue_address),
		READONLY(test_running_queue_is_fixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
