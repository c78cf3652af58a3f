// SPDX-License-Identifier: Apache-2.0
/* Base64 by the table; neither direction is constant-time, nothing here is compared. */
#include "base/base64.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_encode(struct buf *out, const void *data, size_t len)
{
	const unsigned char *p = data;
	int r = buf_reserve(out, (len + 2) / 3 * 4);

	for (; r == 0 && len; p += len < 3 ? len : 3, len -= len < 3 ? len : 3) {
		uint32_t v = (uint32_t)p[0] << 16 | (len > 1 ? (uint32_t)p[1] << 8 : 0) |
			     (len > 2 ? p[2] : 0);
		char four[4] = {digits[v >> 18], digits[v >> 12 & 63],
				len > 1 ? digits[v >> 6 & 63] : '=',
				len > 2 ? digits[v & 63] : '='};

		r = buf_append(out, four, 4);
	}
	return r;
}

int base64_decode(struct buf *out, const char *text)
{
	unsigned int bits = 0, count = 0, padding = 0;
	int r = 0;

	for (; *text && r == 0; text++) {
		const char *d = strchr(digits, *text);
		unsigned char byte;

		if (*text == '\n' || *text == '\r')
			continue;
		if (*text == '=') {
			padding++;
			continue;
		}
		if (!d || padding)
			return -EBADMSG;
		bits = bits << 6 | (unsigned int)(d - digits);
		count++;
		if (count % 4 == 1)
			continue;
		byte = (unsigned char)(bits >> (6 - (count - 1) % 4 * 2));
		r = buf_append(out, &byte, 1);
	}
	if (r == 0 && (count % 4 == 1 || (count + padding) % 4 || padding > 2))
		return -EBADMSG;
	return r;
}

int base64url_encode(struct buf *out, const void *data, size_t len)
{
	size_t start = out->len;
	int r = base64_encode(out, data, len);

	while (r == 0 && out->len > start && out->data[out->len - 1] == '=')
		out->data[--out->len] = '\0';
	for (size_t i = start; r == 0 && i < out->len; i++) {
		if (out->data[i] == '+')
			out->data[i] = '-';
		else if (out->data[i] == '/')
			out->data[i] = '_';
	}
	return r;
}

static int url_digit(char c)
{
	const char *d = c == '-' ? digits + 62 : c == '_' ? digits + 63 : memchr(digits, c, 62);

	return d ? (int)(d - digits) : -1;
}

int base64url_decode(struct buf *out, const char *text, size_t len)
{
	unsigned int bits = 0;
	int r = len % 4 == 1 ? -EBADMSG : 0;

	for (size_t i = 0; i < len && r == 0; i++) {
		int d = url_digit(text[i]);
		unsigned char byte;

		if (d < 0)
			return -EBADMSG;
		bits = bits << 6 | (unsigned int)d;
		if (i % 4 == 0)
			continue;
		byte = (unsigned char)(bits >> (6 - i % 4 * 2));
		r = buf_append(out, &byte, 1);
	}
	if (r == 0 && ((len % 4 == 2 && bits & 15) || (len % 4 == 3 && bits & 3)))
		return -EBADMSG;
	return r;
}
