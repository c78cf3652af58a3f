// SPDX-License-Identifier: Apache-2.0
/* A watch stream, cut at arbitrary places: the lines that come out must not depend on the cuts. */
#include <stdlib.h>
#include <string.h>

#include "node/parts.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static int fuzz_line(void *arg, const char *text, size_t len)
{
	struct buf *out = arg;

	if (memchr(text, '\n', len))
		abort();
	return buf_printf(out, "%zu:", len) < 0 ? -1 : buf_append(out, text, len);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct split whole = {.partial = BUF_INIT(1024)}, cut = {.partial = BUF_INIT(1024)};
	struct buf a = BUF_INIT(0), b = BUF_INIT(0);
	int ra = split_feed(&whole, data, size, fuzz_line, &a), rb = 0;

	for (size_t at = 0, step = 1; at < size && rb == 0; at += step) {
		step = 1 + data[at] % 7;
		if (step > size - at)
			step = size - at;
		rb = split_feed(&cut, data + at, step, fuzz_line, &b);
	}
	if (ra != rb ||
	    (ra == 0 && (a.len != b.len || (a.len && memcmp(a.data, b.data, a.len) != 0))))
		abort();
	buf_done(&whole.partial);
	buf_done(&cut.partial);
	buf_done(&a);
	buf_done(&b);
	return 0;
}
