// SPDX-License-Identifier: Apache-2.0
/* Capabilities by name (capabilities(7), linux/capability.h). */
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "pod/spec.h"

static const char *const capability_names[] = {
	"CHOWN",
	"DAC_OVERRIDE",
	"DAC_READ_SEARCH",
	"FOWNER",
	"FSETID",
	"KILL",
	"SETGID",
	"SETUID",
	"SETPCAP",
	"LINUX_IMMUTABLE",
	"NET_BIND_SERVICE",
	"NET_BROADCAST",
	"NET_ADMIN",
	"NET_RAW",
	"IPC_LOCK",
	"IPC_OWNER",
	"SYS_MODULE",
	"SYS_RAWIO",
	"SYS_CHROOT",
	"SYS_PTRACE",
	"SYS_PACCT",
	"SYS_ADMIN",
	"SYS_BOOT",
	"SYS_NICE",
	"SYS_RESOURCE",
	"SYS_TIME",
	"SYS_TTY_CONFIG",
	"MKNOD",
	"LEASE",
	"AUDIT_WRITE",
	"AUDIT_CONTROL",
	"SETFCAP",
	"MAC_OVERRIDE",
	"MAC_ADMIN",
	"SYSLOG",
	"WAKE_ALARM",
	"BLOCK_SUSPEND",
	"AUDIT_READ",
	"PERFMON",
	"BPF",
	"CHECKPOINT_RESTORE",
};

int spec_capability(const char *name)
{
	const char *rest = strncasecmp(name, "CAP_", 4) == 0 ? name + 4 : name;

	if (strcasecmp(rest, "ALL") == 0)
		return -2;
	for (size_t i = 0; i < ARRAY_SIZE(capability_names); i++)
		if (strcasecmp(rest, capability_names[i]) == 0)
			return (int)i;
	return -1;
}
