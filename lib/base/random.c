// SPDX-License-Identifier: Apache-2.0
/*
 * getrandom(2) can be interrupted and may give less than was asked for beyond 256 bytes. Nothing else
 * goes wrong on a kernel that we run on, and who went on without would make keys that can be guessed.
 */
#include "base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void random_fill(void *out, size_t len)
{
	unsigned char *at = out;

	while (len) {
		ssize_t n = getrandom(at, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			abort();
		at += n;
		len -= (size_t)n;
	}
}

int random_feed(void *unused, unsigned char *out, size_t len)
{
	(void)unused;
	random_fill(out, len);
	return 0;
}
