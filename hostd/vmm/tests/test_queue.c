// SPDX-License-Identifier: Apache-2.0
/* Guest memory and virtqueues, with drivers that keep the rules and some that do not. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "vmm/tests/driver.h"

#define W VRING_DESC_F_WRITE
#define N VRING_DESC_F_NEXT
#define I VRING_DESC_F_INDIRECT

struct fixture {
	struct driver drv;
	struct vq q;
	struct vq_chain chain;
};

static int setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));

	*state = f;
	if (driver_init(&f->drv) < 0)
		return -1;
	f->q = driver_queue();
	return vq_enable(&f->q, &f->drv.mem, 1ULL << VIRTIO_RING_F_INDIRECT_DESC);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	munmap(f->drv.mem.regions[0].hva, DRIVER_MEM_BYTES);
	free(f);
	return 0;
}

static int pop(struct fixture *f)
{
	return vq_pop(&f->q, &f->drv.mem, &f->chain);
}

static void test_gmem_bounds(void **state)
{
	struct fixture *f = *state;
	const struct gmem *m = &f->drv.mem;
	void *at;

	assert_int_equal(gmem_get(m, 0, DRIVER_MEM_BYTES, &at), 0);
	assert_ptr_equal(at, m->regions[0].hva);
	assert_int_equal(gmem_get(m, DRIVER_MEM_BYTES - 1, 1, &at), 0);
	assert_int_equal(gmem_get(m, DRIVER_MEM_BYTES - 1, 2, &at), -EFAULT);
	assert_int_equal(gmem_get(m, DRIVER_MEM_BYTES, 1, &at), -EFAULT);
	assert_int_equal(gmem_get(m, 0, 0, &at), -EINVAL);
	assert_int_equal(gmem_get(m, 1, UINT64_MAX, &at), -EFAULT);
	assert_int_equal(gmem_get(m, UINT64_MAX, 1, &at), -EFAULT);
	assert_int_equal(gmem_get(m, UINT64_MAX, UINT64_MAX, &at), -EFAULT);
}

static void test_gmem_high_region(void **state)
{
	uint64_t size = GMEM_LOW_MAX + (16U << 20);
	struct gmem m;
	void *low, *high;

	(void)state;
	assert_int_equal(gmem_init(&m, size, NULL), 0);
	assert_int_equal(m.count, 2);
	assert_int_equal(gmem_get(&m, GMEM_LOW_MAX - 1, 1, &low), 0);
	assert_int_equal(gmem_get(&m, GMEM_LOW_MAX - 1, 2, &low), -EFAULT);
	assert_int_equal(gmem_get(&m, GMEM_LOW_MAX, 1, &low), -EFAULT);
	assert_int_equal(gmem_get(&m, GMEM_HIGH_BASE - 1, 2, &low), -EFAULT);
	assert_int_equal(gmem_get(&m, GMEM_HIGH_BASE, 16U << 20, &high), 0);
	assert_ptr_equal(high, m.regions[0].hva + GMEM_LOW_MAX);
	assert_int_equal(gmem_get(&m, GMEM_HIGH_BASE + (16U << 20), 1, &high), -EFAULT);
	munmap(m.regions[0].hva, size);
}

static void test_enable_checks(void **state)
{
	static const struct {
		uint32_t size;
		uint64_t desc, avail, used;
		int result;
	} cases[] = {
		{1, 0x1000, 0x2000, 0x3000, 0},
		{256, 0x1000, 0x3000, 0x4000, 0},
		{0, 0x1000, 0x2000, 0x3000, -EINVAL},
		{3, 0x1000, 0x2000, 0x3000, -EINVAL},
		{512, 0x1000, 0x2000, 0x3000, -EINVAL},
		{0x80000000, 0x1000, 0x2000, 0x3000, -EINVAL},
		{8, 0x1008, 0x2000, 0x3000, -EINVAL},
		{8, 0x1000, 0x2001, 0x3000, -EINVAL},
		{8, 0x1000, 0x2000, 0x3002, -EINVAL},
		{8, DRIVER_MEM_BYTES - 112, 0x2000, 0x3000, -EFAULT},
		{8, DRIVER_MEM_BYTES - 128, 0x2000, 0x3000, 0},
		{8, 0x1000, DRIVER_MEM_BYTES - 20, 0x3000, -EFAULT},
		{8, 0x1000, 0x2000, DRIVER_MEM_BYTES - 68, -EFAULT},
		{8, 0x1000, 0x2000, UINT64_MAX - 3, -EFAULT},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vq q = {.size = cases[i].size,
			       .desc_gpa = cases[i].desc,
			       .avail_gpa = cases[i].avail,
			       .used_gpa = cases[i].used};

		assert_int_equal(vq_enable(&q, &f->drv.mem, 0), cases[i].result);
		assert_int_equal(q.ready, cases[i].result == 0);
	}
}

static void test_chain(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(pop(f), 0);
	driver_set(&f->drv, 3, DRIVER_DATA, 16, N, 5);
	driver_set(&f->drv, 5, DRIVER_DATA + 64, 100, N | W, 0);
	driver_set(&f->drv, 0, DRIVER_DATA + 512, 1, W, 0);
	driver_offer(&f->drv, 3);
	assert_int_equal(pop(f), 1);
	assert_int_equal(f->chain.head, 3);
	assert_int_equal(f->chain.read_count, 1);
	assert_int_equal(f->chain.write_count, 2);
	assert_ptr_equal(f->chain.iov[1].iov_base, driver_at(&f->drv, DRIVER_DATA + 64));
	assert_int_equal(f->chain.iov[1].iov_len, 100);
	assert_int_equal(f->chain.iov[2].iov_len, 1);
	assert_int_equal(pop(f), 0);
	vq_push(&f->q, f->chain.head, 101);
	assert_int_equal(driver_used(&f->drv)->idx, 1);
	assert_int_equal(driver_used(&f->drv)->ring[0].id, 3);
	assert_int_equal(driver_used(&f->drv)->ring[0].len, 101);
}

static void test_indirect(void **state)
{
	struct fixture *f = *state;
	struct vring_desc *table = driver_at(&f->drv, DRIVER_INDIRECT);

	table[0] = (struct vring_desc){.addr = DRIVER_DATA, .len = 16, .flags = N, .next = 2};
	table[2] = (struct vring_desc){.addr = DRIVER_DATA, .len = 32, .flags = W};
	driver_set(&f->drv, 1, DRIVER_INDIRECT, 3 * sizeof(*table), I, 0);
	driver_offer(&f->drv, 1);
	assert_int_equal(pop(f), 1);
	assert_int_equal(f->chain.head, 1);
	assert_int_equal(f->chain.read_count, 1);
	assert_int_equal(f->chain.write_count, 1);
	assert_int_equal(f->chain.iov[1].iov_len, 32);
}

static void test_index_wraps(void **state)
{
	struct fixture *f = *state;

	driver_set(&f->drv, 0, DRIVER_DATA, 8, W, 0);
	f->q.next_avail = f->q.next_used = f->drv.avail_idx = 0xfffe;
	driver_avail(&f->drv)->idx = 0xfffe;
	for (int i = 0; i < 4; i++) {
		driver_offer(&f->drv, 0);
		assert_int_equal(pop(f), 1);
		vq_push(&f->q, 0, 8);
	}
	assert_int_equal(pop(f), 0);
	assert_int_equal(driver_used(&f->drv)->idx, 2);
}

/* Each breaks one rule; none may be served, none may hang. */
static void test_hostile_chains(void **state)
{
	struct fixture *f = *state;
	struct vring_desc *table = driver_at(&f->drv, DRIVER_INDIRECT);
	static const struct {
		struct vring_desc desc[2], inner[2];
		uint16_t head;
	} cases[] = {
		{.head = DRIVER_QUEUE_SIZE},
		{.head = 0xffff},
		{.desc = {{DRIVER_DATA, 0, 0, 0}}},
		{.desc = {{DRIVER_DATA, 8, N, 0}}}, /* a loop of one */
		{.desc = {{DRIVER_DATA, 8, N, 1}, {DRIVER_DATA, 8, N, 0}}},
		{.desc = {{DRIVER_DATA, 8, N, DRIVER_QUEUE_SIZE}}},
		{.desc = {{DRIVER_MEM_BYTES - 4, 8, 0, 0}}},
		{.desc = {{UINT64_MAX - 4, 8, 0, 0}}},
		{.desc = {{DRIVER_DATA, UINT32_MAX, W, 0}}},
		{.desc = {{DRIVER_DATA, 8, N | W, 1},
			  {DRIVER_DATA, 8, 0, 0}}}, /* read after write */
		{.desc = {{DRIVER_INDIRECT, 0, I, 0}}},
		{.desc = {{DRIVER_INDIRECT, 24, I, 0}}},
		{.desc = {{DRIVER_INDIRECT, 16, I | N, 1}}},
		{.desc = {{DRIVER_MEM_BYTES, 16, I, 0}}},
		{.desc = {{DRIVER_INDIRECT, 32, I, 0}},
		 .inner = {{DRIVER_DATA, 8, N, 1}, {DRIVER_DATA, 8, N, 0}}},
		{.desc = {{DRIVER_INDIRECT, 32, I, 0}}, .inner = {{DRIVER_INDIRECT, 32, I, 0}}},
		{.desc = {{DRIVER_INDIRECT, 32, I, 0}}, .inner = {{DRIVER_DATA, 8, N, 2}}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		f->q.next_avail = f->drv.avail_idx = driver_avail(&f->drv)->idx = 0;
		memcpy(driver_desc(&f->drv), cases[i].desc, sizeof(cases[i].desc));
		memcpy(table, cases[i].inner, sizeof(cases[i].inner));
		driver_offer(&f->drv, cases[i].head);
		assert_int_equal(pop(f), -EBADMSG);
	}
}

static void test_too_many_available(void **state)
{
	struct fixture *f = *state;

	driver_avail(&f->drv)->idx = DRIVER_QUEUE_SIZE + 1;
	assert_int_equal(pop(f), -EBADMSG);
	driver_avail(&f->drv)->idx = 0xffff;
	assert_int_equal(pop(f), -EBADMSG);
}

static void test_long_chain_is_cut(void **state)
{
	struct fixture *f = *state;
	struct vring_desc *table = driver_at(&f->drv, DRIVER_INDIRECT);
	uint32_t count = VQ_CHAIN_MAX + 1;

	for (uint32_t i = 0; i < count; i++)
		table[i] = (struct vring_desc){.addr = DRIVER_DATA,
					       .len = 1,
					       .flags = i + 1 < count ? N : 0,
					       .next = (uint16_t)(i + 1)};
	driver_set(&f->drv, 0, DRIVER_INDIRECT, count * 16, I, 0);
	driver_offer(&f->drv, 0);
	assert_int_equal(pop(f), -EBADMSG);
	table[count - 2].flags = 0;
	assert_int_equal(pop(f), 1);
	assert_int_equal(f->chain.read_count, VQ_CHAIN_MAX);
}

/* A table that was not negotiated, one that follows a long chain, and 4 GiB in small RAM */
static void test_chain_limits(void **state)
{
	struct fixture *f = *state;
	struct vring_desc *table = driver_at(&f->drv, DRIVER_INDIRECT);

	table[0] = (struct vring_desc){.addr = DRIVER_DATA, .len = 8};
	driver_set(&f->drv, 0, DRIVER_DATA, 8, N, 1);
	driver_set(&f->drv, 1, DRIVER_INDIRECT, sizeof(*table), I, 0);
	driver_offer(&f->drv, 0);
	assert_int_equal(pop(f), 1);
	assert_int_equal(f->chain.read_count, 2);
	f->q.indirect = false;
	driver_offer(&f->drv, 0);
	assert_int_equal(pop(f), -EBADMSG);

	/* As many elements as the queue has, which is all there can be without a loop */
	f->q.next_avail = f->drv.avail_idx = driver_avail(&f->drv)->idx = 0;
	for (unsigned int i = 0; i < DRIVER_QUEUE_SIZE; i++)
		driver_set(&f->drv, i, DRIVER_DATA, 8, i + 1 < DRIVER_QUEUE_SIZE ? N : 0, i + 1);
	driver_offer(&f->drv, 0);
	assert_int_equal(pop(f), 1);
	assert_int_equal(f->chain.read_count, DRIVER_QUEUE_SIZE);
}

static void test_chain_of_4_gib(void **state)
{
	struct fixture *f = *state;
	struct gmem m;

	assert_int_equal(gmem_init(&m, (uint64_t)2 << 30, NULL), 0);
	for (unsigned int i = 0; i < 5; i++)
		driver_set(&f->drv, i, 0, 1U << 30, i < 4 ? N : 0, i + 1);
	driver_offer(&f->drv, 0);
	assert_int_equal(vq_pop(&f->q, &m, &f->chain), -EBADMSG);
	driver_set(&f->drv, 2, 0, 1U << 30, 0, 0);
	assert_int_equal(vq_pop(&f->q, &m, &f->chain), 1);
	assert_int_equal(f->chain.total_bytes, 3ULL << 30);
	munmap(m.regions[0].hva, (size_t)2 << 30);
}

static void test_interrupt_flags(void **state)
{
	struct fixture *f = *state;

	assert_false(vq_wants_interrupt(&f->q));
	vq_push(&f->q, 0, 0);
	assert_true(vq_wants_interrupt(&f->q));
	assert_false(vq_wants_interrupt(&f->q));
	driver_avail(&f->drv)->flags = VRING_AVAIL_F_NO_INTERRUPT;
	vq_push(&f->q, 0, 0);
	assert_false(vq_wants_interrupt(&f->q));
	vq_suppress(&f->q);
	assert_int_equal(driver_used(&f->drv)->flags, VRING_USED_F_NO_NOTIFY);
	assert_false(vq_rearm(&f->q));
	assert_int_equal(driver_used(&f->drv)->flags, 0);
	driver_offer(&f->drv, 0);
	assert_true(vq_rearm(&f->q));
}

static void test_interrupt_event_index(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(vq_enable(&f->q, &f->drv.mem, 1ULL << VIRTIO_RING_F_EVENT_IDX), 0);
	driver_avail(&f->drv)->ring[DRIVER_QUEUE_SIZE] = 1; /* used_event: tell me at the second */
	vq_push(&f->q, 0, 0);
	assert_false(vq_wants_interrupt(&f->q));
	vq_push(&f->q, 0, 0);
	assert_true(vq_wants_interrupt(&f->q));
	vq_push(&f->q, 0, 0);
	assert_false(vq_wants_interrupt(&f->q));
	f->q.next_avail = 5;
	driver_avail(&f->drv)->idx = 5;
	assert_false(vq_rearm(&f->q));
	assert_int_equal(*(uint16_t *)(void *)&driver_used(&f->drv)->ring[DRIVER_QUEUE_SIZE], 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_gmem_bounds, setup, teardown),
		cmocka_unit_test(test_gmem_high_region),
		cmocka_unit_test_setup_teardown(test_enable_checks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_indirect, setup, teardown),
		cmocka_unit_test_setup_teardown(test_index_wraps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_chains, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many_available, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_chain_is_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chain_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_chain_of_4_gib, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interrupt_flags, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interrupt_event_index, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
