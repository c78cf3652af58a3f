// SPDX-License-Identifier: Apache-2.0
#include "ring.h"

#include <string.h>

#include "base/mem.h"

struct ring_head {
	uint64_t time_ns;
	uint32_t len;
} __attribute__((packed));

static void ring_copy_in(struct ring *r, const void *data, size_t len)
{
	size_t at = r->head % RING_BYTES, first = MIN(len, RING_BYTES - at);

	memcpy(r->data + at, data, first);
	memcpy(r->data, (const uint8_t *)data + first, len - first);
	r->head += len;
}

static void ring_copy_out(const struct ring *r, uint64_t pos, void *out, size_t len)
{
	size_t at = pos % RING_BYTES, first = MIN(len, RING_BYTES - at);

	memcpy(out, r->data + at, first);
	memcpy((uint8_t *)out + first, r->data, len - first);
}

size_t ring_room(const struct ring *r)
{
	size_t left = RING_BYTES - (size_t)(r->head - r->tail);

	return left > sizeof(struct ring_head) ? left - sizeof(struct ring_head) : 0;
}

bool ring_put(struct ring *r, uint64_t time_ns, const void *data, size_t len)
{
	struct ring_head h = {.time_ns = time_ns, .len = (uint32_t)len};

	if (!len || len > ring_room(r))
		return false;
	ring_copy_in(r, &h, sizeof(h));
	ring_copy_in(r, data, len);
	r->head_offset += len;
	return true;
}

bool ring_next(struct ring *r, uint32_t window, struct ring_record *rec, void *out, size_t size)
{
	struct ring_head h;

	if (r->cursor == r->head)
		return false;
	ring_copy_out(r, r->cursor, &h, sizeof(h));
	if (h.len > size || r->cursor_offset + h.len - r->credited > window)
		return false;
	ring_copy_out(r, r->cursor + sizeof(h), out, h.len);
	*rec = (struct ring_record){
		.offset = r->cursor_offset,
		.time_ns = h.time_ns,
		.len = h.len,
	};
	r->cursor += sizeof(h) + h.len;
	r->cursor_offset += h.len;
	return true;
}

void ring_credit(struct ring *r, uint32_t bytes)
{
	r->credited += MIN((uint64_t)bytes, r->cursor_offset - r->credited);
	while (r->tail != r->cursor) {
		struct ring_head h;

		ring_copy_out(r, r->tail, &h, sizeof(h));
		if (r->tail_offset + h.len > r->credited)
			break;
		r->tail += sizeof(h) + h.len;
		r->tail_offset += h.len;
	}
}

void ring_rewind(struct ring *r)
{
	r->cursor = r->tail;
	r->cursor_offset = r->tail_offset;
	r->credited = r->tail_offset;
}
