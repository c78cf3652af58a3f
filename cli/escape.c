// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "base/mem.h"

char *api_escape(const char *s)
{
	char *out = mem_array(strlen(s) * 3 + 1, 1), *o = out;

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    strchr("-._~", c))
			*o++ = (char)c;
		else
			o += sprintf(o, "%%%02X", c);
	}
	return out;
}
