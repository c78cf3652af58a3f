// SPDX-License-Identifier: Apache-2.0
/* The per-host settings and what else is read at boot from elsewhere: command line, lease file. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "host/host.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct host_settings s;
	struct host_lease lease = {0};
	char mac[18], *text = mem_strndup((const char *)data, size);

	if (host_settings_parse((const char *)data, size, &s, NULL) == 0 &&
	    (!*s.api || !*s.node_name || s.mirror_count > HOST_MIRRORS_MAX))
		abort();
	if (host_bootif_parse(text, mac) == 0 && strlen(mac) != sizeof(mac) - 1)
		abort();
	(void)host_lease_parse(text, &lease);
	(void)host_clock_http_date(text);
	free(text);
	return 0;
}
