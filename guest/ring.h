/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output that the host has not credited yet.
 *
 * A ring of records, each what one read() from the container gave, with its time. Records are sent
 * from a cursor in the middle and leave at the tail when the host has credited their bytes; a new
 * connection puts the cursor back to the tail. When the ring is full the container is not
 * read any more and its own pipe fills: it waits, nothing is lost.
 */
#ifndef GUEST_RING_H
#define GUEST_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_BYTES 65536U /* power of two */

struct ring {
	/* positions in data[], counted on for ever; tail <= cursor <= head <= tail + RING_BYTES */
	uint64_t tail, cursor, head;
	/* the same three in bytes of output */
	uint64_t tail_offset, cursor_offset, head_offset;
	uint64_t credited; /* output bytes that the host has; > tail_offset within the first record */
	uint8_t data[RING_BYTES];
};

struct ring_record {
	uint64_t offset; /* in the output */
	uint64_t time_ns;
	size_t len;
};

/** ring_room() - How many bytes the next ring_put() may have */
size_t ring_room(const struct ring *r);

/** ring_put() - Append a record. Return: false when @len is 0 or more than ring_room() */
bool ring_put(struct ring *r, uint64_t time_ns, const void *data, size_t len);

/**
 * ring_next() - Copy out the record at the cursor and step over it
 * @window: bytes of output that may be under way; a record that would exceed it stays
 * @out:    @size bytes; a longer record stays
 * Return: whether there was one.
 */
bool ring_next(struct ring *r, uint32_t window, struct ring_record *rec, void *out, size_t size);

/** ring_credit() - The host has @bytes more of the output; more than was sent counts as all of it */
void ring_credit(struct ring *r, uint32_t bytes);

/** ring_rewind() - Send again what was not credited */
void ring_rewind(struct ring *r);

/** ring_empty() - Whether the host has everything */
static inline bool ring_empty(const struct ring *r)
{
	return r->tail == r->head;
}

#endif
