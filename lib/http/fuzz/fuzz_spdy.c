// SPDX-License-Identifier: Apache-2.0
/* A client's bytes, in one piece and in small ones: the same pieces come out. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http/spdy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Feed @step bytes at a time. Return: a sum over what came out */
static uint64_t feed(const uint8_t *data, size_t size, size_t step)
{
	struct spdy *s = spdy_new();
	size_t have = MIN(step, size), pos = 0, used;
	uint64_t sum = 0;
	struct spdy_piece p;
	char text[64];
	int r;

	for (;;) {
		r = spdy_read(s, data + pos, have - pos, 1 << 20, &used, &p);
		if (used > have - pos || (r == 1 && p.len > have - pos))
			abort();
		pos += used;
		if (r < 0)
			break;
		if (r == 0 && have == size)
			break;
		if (r == 0) {
			have += MIN(step, size - have);
			continue;
		}
		for (size_t i = 0; i < p.len; i++)
			sum = sum * 31 + p.data[i];
		if (p.kind != SPDY_DATA && p.kind != SPDY_OTHER)
			sum = sum * 31 + p.kind + p.stream;
		if (p.kind == SPDY_OPEN && spdy_header(s, "streamtype", text, sizeof(text)))
			sum = sum * 31 + strlen(text);
	}
	spdy_free(s);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (feed(data, size, size ? size : 1) != feed(data, size, 3))
		abort();
	return 0;
}
