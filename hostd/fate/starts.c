// SPDX-License-Identifier: Apache-2.0
/* A hostd that ends again and again is started by init for ever: from some time on a reboot may help. */
#include <fcntl.h>
#include <stdio.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "fate/fate.h"

bool fate_starts_note(const char *path, uint64_t now_s, char *words)
{
	struct buf b = BUF_INIT(64);
	unsigned long long first_s = now_s;
	unsigned int count = 0;
	char text[64];
	bool too_often;

	if (file_read(AT_FDCWD, path, &b, NULL) == 0 &&
	    (sscanf(buf_str(&b), "%19llu %9u", &first_s, &count) != 2 || first_s > now_s)) {
		first_s = now_s;
		count = 0;
	}
	buf_done(&b);
	count++;
	snprintf(text, sizeof(text), "%llu %u\n", first_s, count);
	(void)file_write(AT_FDCWD, path, text, strlen(text), 0600, NULL);
	too_often = count > FATE_ROW_MIN && now_s - first_s >= FATE_ROW_S;
	if (too_often)
		snprintf(words, 128, "hostd ended %u times within %llu s", count - 1,
			 (unsigned long long)(now_s - first_s));
	return too_often;
}
