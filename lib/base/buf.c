// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BUF_SIZE_MIN 256

void buf_init(struct buf *b, size_t cap)
{
	*b = (struct buf)BUF_INIT(cap);
}

void buf_init_secret(struct buf *b, size_t cap)
{
	buf_init(b, cap);
	b->secret = true;
}

void buf_done(struct buf *b)
{
	if (b->secret && b->data)
		mem_wipe(b->data, b->size);
	free(b->data);
	b->data = NULL;
	b->len = b->size = 0;
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	if (b->data)
		b->data[0] = '\0';
}

int buf_reserve(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : BUF_CAP_DEFAULT;
	size_t size = b->size ? b->size : BUF_SIZE_MIN;
	char *data;

	if (b->len > cap || n > cap - b->len)
		return -E2BIG;
	if (b->data && b->size - b->len > n)
		return 0;
	while (size - b->len <= n) {
		if (size > SIZE_MAX / 2)
			return -E2BIG;
		size *= 2;
	}
	data = b->secret ? malloc(size) : realloc(b->data, size);
	if (!data)
		return -ENOMEM;
	if (b->secret && b->data) {
		memcpy(data, b->data, b->len);
		mem_wipe(b->data, b->size);
		free(b->data);
	}
	data[b->len] = '\0';
	b->data = data;
	b->size = size;
	return 0;
}

int buf_append(struct buf *b, const void *data, size_t n)
{
	int r = buf_reserve(b, n);

	if (r < 0)
		return r;
	if (n)
		memcpy(b->data + b->len, data, n);
	b->len += n;
	b->data[b->len] = '\0';
	return 0;
}

int buf_puts(struct buf *b, const char *s)
{
	return buf_append(b, s, strlen(s));
}

int buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int len, r;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len < 0)
		return -EINVAL;
	r = buf_reserve(b, (size_t)len);
	if (r < 0)
		return r;
	vsnprintf(b->data + b->len, (size_t)len + 1, fmt, ap);
	b->len += (size_t)len;
	return 0;
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = buf_vprintf(b, fmt, ap);
	va_end(ap);
	return r;
}

void buf_consume(struct buf *b, size_t n)
{
	if (n >= b->len) {
		buf_clear(b);
		return;
	}
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
	b->data[b->len] = '\0';
}

const char *buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}

char *buf_take(struct buf *b)
{
	char *data = b->data ? take_ptr(b->data) : mem_strdup("");

	b->len = b->size = 0;
	return data;
}
