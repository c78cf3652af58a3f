// SPDX-License-Identifier: Apache-2.0
/*
 * Queue walking alone: the input is what lies in guest memory. Ring, descriptors and indirect tables may
 * overlap as they like; every buffer that comes out must lie in RAM and in bounds.
 *
 *	size-order(1) features(1) desc(2) avail(2) used(2) in units of 16, then memory from 0 on
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "vmm/virtio/queue.h"

#define FUZZ_MEM_BYTES (256U << 10)
#define FUZZ_POPS_MAX  600

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t at16(const uint8_t *p)
{
	return ((uint64_t)p[0] | (uint64_t)p[1] << 8) * 16;
}

static void check(const struct gmem *m, const struct vq_chain *c)
{
	const uint8_t *ram = m->regions[0].hva;
	uint64_t total = 0;

	if (c->read_count + c->write_count == 0 || c->read_count + c->write_count > VQ_CHAIN_MAX)
		abort();
	for (unsigned int i = 0; i < c->read_count + c->write_count; i++) {
		const uint8_t *at = c->iov[i].iov_base;

		if (at < ram || c->iov[i].iov_len == 0 ||
		    c->iov[i].iov_len > FUZZ_MEM_BYTES - (size_t)(at - ram))
			abort();
		total += c->iov[i].iov_len;
	}
	if (total != c->total_bytes || total > UINT32_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gmem m;
	static struct vq_chain c;
	struct vq q = {0};
	int r = 1;

	if (size < 8)
		return 0;
	if (!m.count && gmem_init(&m, FUZZ_MEM_BYTES, NULL) < 0)
		abort();
	madvise(m.regions[0].hva, FUZZ_MEM_BYTES, MADV_DONTNEED);
	q.size = 1U << (data[0] % 10);
	q.desc_gpa = at16(data + 2);
	q.avail_gpa = at16(data + 4);
	q.used_gpa = at16(data + 6);
	if (vq_enable(&q, &m, (uint64_t)(data[1] & 3) << VIRTIO_RING_F_INDIRECT_DESC) < 0)
		return 0;
	memcpy(m.regions[0].hva, data + 8, size - 8 < FUZZ_MEM_BYTES ? size - 8 : FUZZ_MEM_BYTES);
	for (int i = 0; i < FUZZ_POPS_MAX && r > 0; i++) {
		vq_suppress(&q);
		r = vq_pop(&q, &m, &c);
		if (r <= 0)
			break;
		check(&m, &c);
		if (c.write_count)
			memset(c.iov[c.read_count].iov_base, i, c.iov[c.read_count].iov_len % 64);
		vq_push(&q, c.head, (uint32_t)c.total_bytes);
		vq_wants_interrupt(&q);
		vq_rearm(&q);
	}
	return 0;
}
