// SPDX-License-Identifier: Apache-2.0
#include "host/host.h"

#include "base/mem.h"
#include "base/str.h"

bool host_uevent_counts(const char *msg, size_t len)
{
	static const char *const subsystems[] = {"net", "block", "pci",	   "nvme",
						 "tpm", "ipmi",	 "memory", "cpu"};
	const char *path = NULL, *subsystem = "";

	for (const char *p = msg; p < msg + len; p += strlen(p) + 1) {
		if (str_starts(p, "DEVPATH="))
			path = str_starts(p, "DEVPATH=");
		else if (str_starts(p, "SUBSYSTEM="))
			subsystem = str_starts(p, "SUBSYSTEM=");
	}
	if (!path || str_starts(path, "/devices/virtual/") || !str_starts(path, "/devices/"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(subsystems); i++)
		if (str_eq(subsystem, subsystems[i]))
			return true;
	return false;
}
