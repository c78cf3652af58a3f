// SPDX-License-Identifier: Apache-2.0
/* What a container's server answers to a probe, in pieces whose length the first byte says. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_reply r;
	static char path[GUEST_PATH_LEN_MAX + 1];
	size_t step = size ? data[0] % 64 + 1 : 1;
	uint16_t port = 80;

	memset(&r, 0, sizeof(r));
	path[0] = '\0';
	for (size_t at = 0; at < size && !r.complete; at += step)
		if (http_reply_add(&r, (const char *)data + at, MIN(step, size - at)) < 0)
			return 0;
	if (r.head_over && (r.status < 100 || r.status > 599))
		abort();
	if (http_redirect(r.location, "10.1.2.3:80", path, &port) && !port)
		abort();
	return 0;
}
