// SPDX-License-Identifier: Apache-2.0
/* An image's passwd and group with a user to look up: three texts, separated by NUL. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 3), *part[3] = {text, NULL, NULL};
	struct err e = ERR_INIT;
	struct user u;

	if (!text)
		return 0;
	memcpy(text, data, size);
	memset(text + size, 0, 3);
	for (int i = 1; i < 3; i++) {
		part[i] = part[i - 1] + strlen(part[i - 1]);
		if (part[i] < text + size)
			part[i]++;
	}
	if (user_resolve(part[1], part[2], part[0], &u, &e) == 0 &&
	    (u.uid == UINT32_MAX || u.gid == UINT32_MAX || u.group_count > USER_GROUPS_MAX ||
	     strlen(u.home) >= USER_HOME_MAX))
		abort();
	free(text);
	return 0;
}
