// SPDX-License-Identifier: Apache-2.0
/* The per-host settings, and the Date header that the clock is set by. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "host/host.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct host_settings s;
	char *text = mem_strndup((const char *)data, size);

	if (host_settings_parse((const char *)data, size, &s, NULL) == 0 &&
	    (!*s.api || !*s.node_name || s.mirror_count > HOST_MIRRORS_MAX))
		abort();
	(void)host_clock_http_date(text);
	free(text);
	return 0;
}
