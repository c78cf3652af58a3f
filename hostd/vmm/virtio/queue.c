// SPDX-License-Identifier: Apache-2.0
#include "vmm/virtio/queue.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

int vq_enable(struct vq *q, const struct gmem *m, uint64_t features)
{
	void *desc, *avail, *used;
	uint64_t size = q->size;
	int r;

	if (size == 0 || size > VQ_SIZE_MAX || (size & (size - 1)))
		return -EINVAL;
	if (q->desc_gpa % 16 || q->avail_gpa % 2 || q->used_gpa % 4)
		return -EINVAL;
	r = gmem_get(m, q->desc_gpa, size * sizeof(struct vring_desc), &desc);
	if (r == 0)
		r = gmem_get(m, q->avail_gpa, 6 + 2 * size, &avail);
	if (r == 0)
		r = gmem_get(m, q->used_gpa, 6 + 8 * size, &used);
	if (r < 0)
		return r;
	q->desc = desc;
	q->avail = avail;
	q->used = used;
	q->event_idx = features >> VIRTIO_RING_F_EVENT_IDX & 1;
	q->indirect = features >> VIRTIO_RING_F_INDIRECT_DESC & 1;
	q->next_avail = q->next_used = q->signalled = 0;
	q->ready = true;
	return 0;
}

void vq_reset(struct vq *q)
{
	*q = (struct vq){0};
}

static uint16_t vq_avail_idx(const struct vq *q)
{
	return __atomic_load_n(&q->avail->idx, __ATOMIC_ACQUIRE);
}

/*
 * A copy, for the guest may change it meanwhile; the fence keeps the compiler from reading a field again after it was
 * checked. A guest may have its indirect tables at any address.
 */
static struct vring_desc vq_read_desc(const void *table, uint32_t i)
{
	struct vring_desc d;

	memcpy(&d, (const char *)table + i * sizeof(d), sizeof(d));
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return d;
}

/* Adds one buffer. Readable ones must come first, 2^32 bytes are too many (§2.7.4.2). */
static int vq_add(struct vq_chain *c, const struct gmem *m, const struct vring_desc *d)
{
	unsigned int n = c->read_count + c->write_count;
	void *at;

	if (n == VQ_CHAIN_MAX || d->len == 0 || gmem_get(m, d->addr, d->len, &at) < 0)
		return -EBADMSG;
	c->total_bytes += d->len;
	if (c->total_bytes > UINT32_MAX)
		return -EBADMSG;
	if (d->flags & VRING_DESC_F_WRITE)
		c->write_count++;
	else if (c->write_count)
		return -EBADMSG;
	else
		c->read_count++;
	c->iov[n] = (struct iovec){.iov_base = at, .iov_len = d->len};
	return 0;
}

/* Follows a chain in one table; @indirect: the chain may go on in another one, which may not nest. */
static int vq_walk(const void *table, uint32_t count, uint32_t i, bool indirect,
		   const struct gmem *m, struct vq_chain *c)
{
	/* More elements than the table has can only be a loop. */
	for (uint32_t seen = 0; seen < count && i < count; seen++) {
		struct vring_desc d = vq_read_desc(table, i);
		int r;

		if (d.flags & VRING_DESC_F_INDIRECT) {
			uint32_t inner = d.len / (uint32_t)sizeof(d);
			void *at;

			if (!indirect || (d.flags & VRING_DESC_F_NEXT) || d.len % sizeof(d) ||
			    gmem_get(m, d.addr, d.len, &at) < 0)
				return -EBADMSG;
			return vq_walk(at, inner, 0, false, m, c);
		}
		r = vq_add(c, m, &d);
		if (r < 0 || !(d.flags & VRING_DESC_F_NEXT))
			return r;
		i = d.next;
	}
	return -EBADMSG;
}

int vq_pop(struct vq *q, const struct gmem *m, struct vq_chain *c)
{
	uint16_t idx = vq_avail_idx(q);
	int r;

	if (idx == q->next_avail)
		return 0;
	if ((uint16_t)(idx - q->next_avail) > q->size)
		return -EBADMSG;
	c->head = __atomic_load_n(&q->avail->ring[q->next_avail & (q->size - 1)], __ATOMIC_RELAXED);
	c->read_count = c->write_count = 0;
	c->total_bytes = 0;
	r = vq_walk(q->desc, q->size, c->head, q->indirect, m, c);
	if (r < 0)
		return r;
	q->next_avail++;
	return 1;
}

void vq_unpop(struct vq *q)
{
	q->next_avail--;
}

void vq_push(struct vq *q, uint16_t head, uint32_t written)
{
	struct vring_used_elem *elem = &q->used->ring[q->next_used & (q->size - 1)];

	elem->id = head;
	elem->len = written;
	q->next_used++;
	__atomic_store_n(&q->used->idx, q->next_used, __ATOMIC_RELEASE);
}

bool vq_wants_interrupt(struct vq *q)
{
	uint16_t old = q->signalled, event;

	/* The used index must be visible before the driver's wish is read (§2.7.7.2). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	q->signalled = q->next_used;
	if (old == q->next_used)
		return false;
	if (!q->event_idx)
		return !(__atomic_load_n(&q->avail->flags, __ATOMIC_RELAXED) &
			 VRING_AVAIL_F_NO_INTERRUPT);
	event = __atomic_load_n(&q->avail->ring[q->size], __ATOMIC_RELAXED);
	return vring_need_event(event, q->next_used, old);
}

static uint16_t *vq_avail_event(struct vq *q)
{
	return (uint16_t *)(void *)&q->used->ring[q->size];
}

void vq_suppress(struct vq *q)
{
	/* With event indices, one that lies behind never matches: nothing to do. */
	if (!q->event_idx)
		__atomic_store_n(&q->used->flags, VRING_USED_F_NO_NOTIFY, __ATOMIC_RELAXED);
}

bool vq_rearm(struct vq *q)
{
	if (q->event_idx)
		__atomic_store_n(vq_avail_event(q), q->next_avail, __ATOMIC_RELAXED);
	else
		__atomic_store_n(&q->used->flags, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return vq_avail_idx(q) != q->next_avail;
}
