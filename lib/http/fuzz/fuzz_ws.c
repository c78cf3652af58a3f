// SPDX-License-Identifier: Apache-2.0
/*
 * A hostile peer's frames, for both roles: the first byte tells which role, how the bytes are cut, and how
 * long pieces may be.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/ws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t in[1 << 16];
	struct ws_reader r = {0};
	size_t max, step, have = 0, used = 0;
	bool in_message = false;

	if (!size || size > sizeof(in))
		return 0;
	r.from_client = data[0] & 1;
	step = (size_t)(data[0] >> 1 & 7) * 5 + 1;
	max = (size_t)(data[0] >> 4) + 1;
	memcpy(in, data + 1, --size);
	for (;;) {
		struct ws_piece p;
		long n = ws_read(&r, in + used, have - used, max, &p);

		if (n < 0)
			return 0;
		if (n == 0) {
			if (have == size)
				return 0;
			have = have + step < size ? have + step : size;
			continue;
		}
		used += (size_t)n;
		if (used > have || p.data < in || p.data + p.len > in + have)
			abort();
		if (p.op >= WS_CLOSE) {
			if (p.len > WS_CONTROL_MAX || !p.first || !p.last)
				abort();
			continue;
		}
		if (p.first == in_message || p.len > max)
			abort();
		in_message = !p.last;
	}
}
