// SPDX-License-Identifier: Apache-2.0
/* A watch sends one JSON object a line, cut into pieces anywhere by the network. */
#include <errno.h>
#include <string.h>

#include "node/parts.h"

int split_feed(struct split *s, const void *data, size_t len,
	       int (*line)(void *arg, const char *text, size_t len), void *arg)
{
	const char *p = data, *end = p + len;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((nl ? nl : end) - p);
		int r = 0;

		if (!nl || s->partial.len) {
			r = buf_append(&s->partial, p, n);
			if (r < 0)
				return r;
		}
		if (!nl)
			return 0;
		if (s->partial.len) {
			r = line(arg, s->partial.data, s->partial.len);
			buf_clear(&s->partial);
		} else if (n > s->partial.cap) {
			return -E2BIG;
		} else if (n) {
			r = line(arg, p, n);
		}
		if (r < 0)
			return r;
		p = nl + 1;
	}
	return 0;
}
