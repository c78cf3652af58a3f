// SPDX-License-Identifier: Apache-2.0
/* The query string of a request: decoded once into pairs; surplus pairs are an error, not a loss. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Decode @len bytes; @plus: '+' is a blank. A NUL byte is refused: strings end there. */
int percent_decode(char *out, size_t size, const char *in, size_t len, bool plus)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = in[i];

		if (c == '%') {
			int hi = i + 2 < len ? hex_digit(in[i + 1]) : -1;
			int lo = i + 2 < len ? hex_digit(in[i + 2]) : -1;

			if (hi < 0 || lo < 0 || (hi == 0 && lo == 0))
				return -EINVAL;
			c = (char)(hi << 4 | lo);
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (n + 1 >= size)
			return -E2BIG;
		out[n++] = c;
	}
	out[n] = '\0';
	return (int)n;
}

int query_parse(struct query *q, const char *raw)
{
	char *at;
	int r = 0;

	memset(q, 0, sizeof(*q));
	q->text = mem_alloc(strlen(raw) * 2 + 2);
	at = q->text;
	while (*raw && r >= 0) {
		size_t len = strcspn(raw, "&"), key_len = strcspn(raw, "=");
		size_t room = len + 2;

		key_len = MIN(key_len, len);
		if (len && q->count == API_QUERY_MAX)
			return -E2BIG;
		if (len) {
			struct query_pair *p = &q->pairs[q->count++];

			p->key = at;
			r = percent_decode(at, room, raw, key_len, true);
			at += r + 1;
			p->value = at;
			if (r >= 0 && key_len < len)
				r = percent_decode(at, room, raw + key_len + 1, len - key_len - 1,
						   true);
			else if (r >= 0)
				r = 0;
			at += r >= 0 ? r + 1 : 0;
		}
		raw += len + (raw[len] == '&');
	}
	return r < 0 ? r : 0;
}

void query_done(struct query *q)
{
	free(q->text);
	q->text = NULL;
	q->count = 0;
}

const char *query_get(const struct query *q, const char *key)
{
	for (size_t i = 0; i < q->count; i++) {
		if (str_eq(q->pairs[i].key, key))
			return q->pairs[i].value;
	}
	return NULL;
}

bool query_bool(const struct query *q, const char *key)
{
	const char *v = query_get(q, key);

	return v && (str_eq(v, "true") || str_eq(v, "1") || !*v);
}
