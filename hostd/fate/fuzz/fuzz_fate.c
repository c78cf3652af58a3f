// SPDX-License-Identifier: Apache-2.0
/* Records of a kernel as firmware or memory gives them back: what is kept is text that can be shown. */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fate/fate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fate_records *r = mem_alloc(sizeof(*r));
	unsigned int count, part;
	bool panic;
	int used = fate_record_head((const char *)data, size, &panic, &count, &part);

	if (used > (int)size)
		abort();
	fate_records_pick((const char *)data, size, r);
	if (strlen(r->headline) >= sizeof(r->headline) || strchr(r->headline, '\n'))
		abort();
	for (const char *p = r->lines; *p; p++)
		if (*p != '\n' && !isprint((unsigned char)*p))
			abort();
	free(r);
	return 0;
}
