// SPDX-License-Identifier: Apache-2.0
#include "proto/wire.h"

#include <string.h>

void wire_read(struct wire_reader *r, const void *data, size_t len)
{
	*r = (struct wire_reader){.data = data, .len = len};
}

const void *wire_bytes(struct wire_reader *r, size_t len)
{
	const uint8_t *p;

	if (r->failed || len > r->len - r->pos) {
		r->failed = true;
		return NULL;
	}
	p = r->data + r->pos;
	r->pos += len;
	return p;
}

static uint64_t wire_uint(struct wire_reader *r, size_t size)
{
	const uint8_t *p = wire_bytes(r, size);
	uint64_t v = 0;

	for (size_t i = size; p && i > 0; i--)
		v = v << 8 | p[i - 1];
	return v;
}

uint8_t wire_u8(struct wire_reader *r)
{
	return (uint8_t)wire_uint(r, 1);
}

uint16_t wire_u16(struct wire_reader *r)
{
	return (uint16_t)wire_uint(r, 2);
}

uint32_t wire_u32(struct wire_reader *r)
{
	return (uint32_t)wire_uint(r, 4);
}

uint64_t wire_u64(struct wire_reader *r)
{
	return wire_uint(r, 8);
}

const char *wire_str(struct wire_reader *r, size_t max)
{
	size_t len = wire_u32(r);
	const char *s;

	if (len > max)
		r->failed = true;
	s = wire_bytes(r, len + 1);
	if (!s || strnlen(s, len + 1) != len) {
		r->failed = true;
		return "";
	}
	return s;
}

uint32_t wire_count(struct wire_reader *r, uint32_t max)
{
	uint32_t n = wire_u32(r);

	if (n > max)
		r->failed = true;
	return r->failed ? 0 : n;
}

void wire_record(struct wire_reader *r, struct wire_reader *sub)
{
	size_t len = wire_u32(r);
	const void *p = wire_bytes(r, len);

	wire_read(sub, p, p ? len : 0);
	sub->failed = !p;
}

void wire_write(struct wire_writer *w, void *data, size_t size)
{
	*w = (struct wire_writer){.data = data, .size = size};
}

void wire_put_bytes(struct wire_writer *w, const void *data, size_t len)
{
	if (w->failed || len > w->size - w->len) {
		w->failed = true;
		return;
	}
	if (len && w->data)
		memcpy(w->data + w->len, data, len);
	w->len += len;
}

static void wire_put_uint(struct wire_writer *w, uint64_t v, size_t size)
{
	uint8_t b[8];

	for (size_t i = 0; i < size; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	wire_put_bytes(w, b, size);
}

void wire_put_u8(struct wire_writer *w, uint8_t v)
{
	wire_put_uint(w, v, 1);
}

void wire_put_u16(struct wire_writer *w, uint16_t v)
{
	wire_put_uint(w, v, 2);
}

void wire_put_u32(struct wire_writer *w, uint32_t v)
{
	wire_put_uint(w, v, 4);
}

void wire_put_u64(struct wire_writer *w, uint64_t v)
{
	wire_put_uint(w, v, 8);
}

void wire_put_str(struct wire_writer *w, const char *s)
{
	size_t len = s ? strlen(s) : 0;

	if (len > UINT32_MAX) {
		w->failed = true;
		return;
	}
	wire_put_u32(w, (uint32_t)len);
	wire_put_bytes(w, s ? s : "", len + 1);
}

size_t wire_begin(struct wire_writer *w)
{
	wire_put_u32(w, 0);
	return w->len;
}

void wire_end(struct wire_writer *w, size_t begin)
{
	size_t len = w->len - begin;

	if (w->failed || !w->data)
		return;
	for (size_t i = 0; i < 4; i++)
		w->data[begin - 4 + i] = (uint8_t)(len >> (8 * i));
}
