// SPDX-License-Identifier: Apache-2.0
/*
 * BMC, TPM and how the machine was booted.
 *
 * Secure Boot's state is what the kernel's EFI stub found and left in the boot parameters ("zero
 * page"): that needs no file system of EFI variables.
 */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "inventory/gather.h"

#define PLATFORM_BMC "bus/platform/devices/ipmi_bmc.0"
#define PLATFORM_TPM "class/tpm/tpm0"
#define PLATFORM_SECURE_BOOT \
	0x1ec /* linux, arch/x86/include/uapi/asm/bootparam.h: struct boot_params */
#define PLATFORM_DEVICES_MAX 512

/* The driver's object of the BMC itself, there when it has answered; else what firmware's tables promise. */
void gather_bmc(struct gather *g)
{
	_cleanup_fd_ int dir = openat(g->sys, PLATFORM_BMC, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct json *o = json_obj_of(g->doc, g->root, "bmc");
	char line[GATHER_LINE_MAX];

	if (dir < 0) {
		json_put_bool(g->doc, o, json_get(o, "present") ? "answers" : "present", false);
		return;
	}
	json_put_bool(g->doc, o, "present", true);
	json_put_bool(g->doc, o, "answers", true);
	gather_put(g->doc, o, "firmware", gather_line(dir, "firmware_revision", line));
	gather_put(g->doc, o, "ipmi", gather_line(dir, "ipmi_version", line));
	gather_put(g->doc, o, "manufacturer", gather_line(dir, "manufacturer_id", line));
	gather_put(g->doc, o, "product", gather_line(dir, "product_id", line));
}

/* ACPI's ids of TPM 2.0: there even when no driver is. */
static bool platform_tpm_in_acpi(struct gather *g)
{
	static char *names[PLATFORM_DEVICES_MAX];
	size_t count = gather_names(g->sys, "bus/acpi/devices", names, ARRAY_SIZE(names));
	bool there = false;

	for (size_t i = 0; i < count; i++)
		there = there || str_starts(names[i], "MSFT0101");
	gather_names_free(names, count);
	return there;
}

void gather_tpm(struct gather *g)
{
	_cleanup_fd_ int dir = openat(g->sys, PLATFORM_TPM, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct json *o = json_obj_of(g->doc, g->root, "tpm");
	int64_t major = dir < 0 ? 0 : gather_number(dir, "tpm_version_major", 0);
	char line[GATHER_LINE_MAX];

	if (dir >= 0) {
		json_put_bool(g->doc, o, "present", true);
		if (major == 1 || major == 2)
			json_put_str(g->doc, o, "version", major == 2 ? "2.0" : "1.2");
		gather_put(g->doc, o, "driver", gather_link(dir, "device/driver", line));
		return;
	}
	if (!json_get(o, "present"))
		json_put_bool(g->doc, o, "present", platform_tpm_in_acpi(g));
}

static void platform_secure_boot(struct gather *g, struct json *o)
{
	static const char *const states[] = {[2] = "disabled", [3] = "enabled"};
	unsigned char page[PLATFORM_SECURE_BOOT + 1];
	unsigned char state = 0;

	if (gather_bytes(g->sys, "kernel/boot_params/data", page, sizeof(page)) == sizeof(page))
		state = page[PLATFORM_SECURE_BOOT];
	json_put_str(g->doc, o, "secureBoot",
		     state < ARRAY_SIZE(states) && states[state] ? states[state] : "unknown");
}

void gather_boot(struct gather *g)
{
	struct json *o = json_obj_of(g->doc, g->root, "boot");
	struct json_iter it = json_iter(json_get(g->root, "nics"));
	bool efi = faccessat(g->sys, "firmware/efi", F_OK, 0) == 0;

	json_put_str(g->doc, o, "firmware", efi ? "UEFI" : "BIOS");
	if (efi)
		platform_secure_boot(g, o);
	gather_put(g->doc, o, "mac", g->boot_mac);
	while (json_next(&it))
		if (json_bool(json_get(it.value, "boot"), false))
			gather_put(g->doc, o, "nic", json_str(json_get(it.value, "name"), ""));
}
