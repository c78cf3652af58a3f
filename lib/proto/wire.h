/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Little-endian fields in bytes that the other side wrote.
 *
 * A reader never leaves its range: the first field that does not fit makes it fail, and from then on
 * every field reads as zero or "". So a decoder reads all its fields in a row and asks once, with
 * wire_ok(). Strings carry their length and a NUL, and are used where they lie. A writer works the
 * same way on a fixed buffer.
 *
 * A record is a length (u32) and that many bytes. A reader that knows fewer fields than the writer
 * skips the rest; one that knows more finds the missing ones zero, if it asks wire_left() first:
 * that is how messages grow without a new version.
 */
#ifndef PROTO_WIRE_H
#define PROTO_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_reader {
	const uint8_t *data;
	size_t len;
	size_t pos;
	bool failed;
};

/** wire_read() - Start reading @len bytes at @data, which are borrowed */
void wire_read(struct wire_reader *r, const void *data, size_t len);

/** wire_ok() - Whether every field so far was there */
static inline bool wire_ok(const struct wire_reader *r)
{
	return !r->failed;
}

/** wire_left() - Bytes not read yet; 0 after a failure */
static inline size_t wire_left(const struct wire_reader *r)
{
	return r->failed ? 0 : r->len - r->pos;
}

uint8_t wire_u8(struct wire_reader *r);
uint16_t wire_u16(struct wire_reader *r);
uint32_t wire_u32(struct wire_reader *r);
uint64_t wire_u64(struct wire_reader *r);

/** wire_bytes() - The next @len bytes where they lie; NULL after a failure */
const void *wire_bytes(struct wire_reader *r, size_t len);

/**
 * wire_str() - A string of at most @max bytes: u32 length, bytes, NUL
 * Return: the string in place; "" after a failure (too long, NUL within, no NUL behind).
 */
const char *wire_str(struct wire_reader *r, size_t max);

/** wire_count() - A u32 that says how many things follow; above @max it fails and is 0 */
uint32_t wire_count(struct wire_reader *r, uint32_t max);

/** wire_record() - Start @sub on the next record and step over it; a failure makes both fail */
void wire_record(struct wire_reader *r, struct wire_reader *sub);

struct wire_writer {
	uint8_t *data;
	size_t size;
	size_t len;
	bool failed; /* something did not fit */
};

/** wire_write() - Start writing to @size bytes at @data; NULL only counts them */
void wire_write(struct wire_writer *w, void *data, size_t size);

void wire_put_u8(struct wire_writer *w, uint8_t v);
void wire_put_u16(struct wire_writer *w, uint16_t v);
void wire_put_u32(struct wire_writer *w, uint32_t v);
void wire_put_u64(struct wire_writer *w, uint64_t v);
void wire_put_bytes(struct wire_writer *w, const void *data, size_t len);

/** wire_put_str() - As wire_str() reads it; NULL counts as "" */
void wire_put_str(struct wire_writer *w, const char *s);

/** wire_begin() - Open a record. Return: what wire_end() wants */
size_t wire_begin(struct wire_writer *w);

/** wire_end() - Close the record: fill in its length */
void wire_end(struct wire_writer *w, size_t begin);

#endif
