// SPDX-License-Identifier: Apache-2.0
/* Where a host that was booted from a medium finds the boot service: its command line, and a DHCP server's answer. */
#include <stdlib.h>
#include <string.h>

#include "../piece.h"
#include "base/mem.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* What is taken is asked over HTTP as it is */
static void check(const char *url)
{
	const char *rest = str_starts(url, "https://");

	if (!rest)
		rest = str_starts(url, "http://");
	if (!rest || !*rest || strlen(url) >= HOST_URL_MAX || strpbrk(url, " \n\"?#"))
		abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	char url[HOST_URL_MAX], *text = mem_strndup((const char *)data, size);

	if (piece_url(text, url) == 0)
		check(url);
	if (piece_lease_url(text, url) == 0)
		check(url);
	free(text);
	return 0;
}
