/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer with a cap.
 *
 * This is the only place where a size that somebody else chose turns into memory. The data is always
 * followed by a NUL that is not counted, so that text can be used in place.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* NULL until the first byte */
	size_t len;
	size_t size; /* allocated bytes */
	size_t cap; /* buf_reserve() refuses to grow len beyond it; 0 = BUF_CAP_DEFAULT */
	bool secret; /* memory is cleared before it is given back; set before the first byte */
};

#define BUF_CAP_DEFAULT ((size_t)64 << 20)
#define BUF_INIT(cap_)        \
	{                     \
		.cap = (cap_) \
	}

/** buf_init() - Start an empty buffer that will never hold more than @cap bytes (0: 64 MiB) */
void buf_init(struct buf *b, size_t cap);

/** buf_init_secret() - As buf_init(), for bytes that must not stay in memory */
void buf_init_secret(struct buf *b, size_t cap);

/** buf_done() - Free the memory; the buffer is empty and usable again */
void buf_done(struct buf *b);

/** buf_clear() - Forget the content, keep the memory */
void buf_clear(struct buf *b);

/**
 * buf_reserve() - Make room for @n more bytes
 * Return: 0, -E2BIG beyond the cap, -ENOMEM.
 */
int buf_reserve(struct buf *b, size_t n);

/** buf_append() - Copy @n bytes to the end. Return: as buf_reserve() */
int buf_append(struct buf *b, const void *data, size_t n);

/** buf_puts() - Append a string. Return: as buf_reserve() */
int buf_puts(struct buf *b, const char *s);

/** buf_printf() - Append formatted text. Return: as buf_reserve() */
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/** buf_consume() - Drop the first @n bytes (at most all of them) */
void buf_consume(struct buf *b, size_t n);

/** buf_str() - The content as a string, "" when empty; valid until the next change */
const char *buf_str(const struct buf *b);

/** buf_take() - Hand over the malloc'ed content (never NULL); the buffer is empty afterwards */
char *buf_take(struct buf *b);

#endif
