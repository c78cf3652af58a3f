// SPDX-License-Identifier: Apache-2.0
/*
 * What the machine is, for the Node object. Everything is read from /proc, /sys and /etc; a part that
 * is missing or is a vendor's placeholder is left empty.
 */
#include "host/host.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vendor.h"

#define INVENTORY_FILE_MAX ((size_t)4 << 20) /* cpuinfo of a big machine */

/* First line of a file, trimmed and printable; "" when there is none. */
static void inventory_line(const char *path, char *out, size_t size)
{
	struct buf b = BUF_INIT(INVENTORY_FILE_MAX);
	char line[256];

	out[0] = '\0';
	if (file_read(AT_FDCWD, path, &b, NULL) == 0) {
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(buf_str(&b), "\n"), buf_str(&b));
		str_printable(out, size, str_trim(line));
	}
	buf_done(&b);
}

static void inventory_dmi(const char *name, char *out, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/dmi/id/%s", name);
	inventory_line(path, out, size);
	if (vendor_left_blank(out) || vendor_uuid_blank(out))
		out[0] = '\0';
}

/* Value of NAME=VALUE or NAME="VALUE" in os-release(5). */
static void inventory_os_release(const char *name, char *out, size_t size)
{
	struct buf b = BUF_INIT(65536);
	char *line, *save = NULL;
	size_t len = strlen(name);

	out[0] = '\0';
	if (file_read(AT_FDCWD, "/etc/os-release", &b, NULL) == 0 && b.len) {
		for (line = strtok_r(b.data, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save)) {
			char *value = line + len + 1;

			if (strncmp(line, name, len) != 0 || line[len] != '=')
				continue;
			value += strspn(value, "\"'");
			value[strcspn(value, "\"'")] = '\0';
			str_printable(out, size, value);
		}
	}
	buf_done(&b);
}

static uint64_t inventory_memory(void)
{
	struct buf b = BUF_INIT(65536);
	unsigned long long kib = 0;
	const char *p;

	if (file_read(AT_FDCWD, "/proc/meminfo", &b, NULL) == 0) {
		p = strstr(buf_str(&b), "MemTotal:");
		if (!p || sscanf(p, "MemTotal: %llu kB", &kib) != 1)
			kib = 0;
	}
	buf_done(&b);
	return (uint64_t)kib * 1024;
}

bool host_cpu_has(const char *flag)
{
	struct buf b = BUF_INIT(INVENTORY_FILE_MAX);
	char *line;
	bool has = false;

	/* A big machine's file may be longer than the cap; the first processor is enough. */
	(void)file_read(AT_FDCWD, "/proc/cpuinfo", &b, NULL);
	line = b.data ? strstr(b.data, "\nflags") : NULL;
	if (line) {
		line = strchr(line, ':');
		if (line)
			line[strcspn(line, "\n")] = '\0';
		has = line && str_has_word(line + 1, flag);
	}
	buf_done(&b);
	return has;
}

static void inventory_kvm(char *why, size_t size)
{
	why[0] = '\0';
	if (!host_cpu_has("svm") && !host_cpu_has("vmx"))
		snprintf(why, size,
			 "the processor shows no svm or vmx flag: virtualisation is missing "
			 "or switched off in the firmware");
	else if (access("/dev/kvm", R_OK | W_OK) < 0)
		snprintf(why, size, "/dev/kvm: %s", strerror(errno));
	else if (access("/dev/vhost-vsock", R_OK | W_OK) < 0)
		snprintf(why, size, "/dev/vhost-vsock: %s", strerror(errno));
}

/* systemd's form of a machine id: 32 hex digits in lower case. */
static void inventory_machine_id(struct host_inventory *inv)
{
	const char *from = *inv->system_uuid ? inv->system_uuid : inv->boot_id;
	size_t n = 0;

	for (; *from && n < 32; from++)
		if (isxdigit((unsigned char)*from))
			inv->machine_id[n++] = (char)tolower((unsigned char)*from);
	inv->machine_id[n] = '\0';
}

void host_inventory_read(struct host_inventory *inv)
{
	char vendor[HOST_ID_MAX / 2], product[HOST_ID_MAX / 2];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct utsname u;

	*inv = (struct host_inventory){.cpus = cpus > 0 ? (uint32_t)cpus : 1};
	inv->memory_bytes = inventory_memory();
	inventory_dmi("product_uuid", inv->system_uuid, sizeof(inv->system_uuid));
	inventory_dmi("product_serial", inv->serial, sizeof(inv->serial));
	inventory_dmi("sys_vendor", vendor, sizeof(vendor));
	inventory_dmi("product_name", product, sizeof(product));
	snprintf(inv->product, sizeof(inv->product), "%s%s%s", vendor, *vendor ? " " : "", product);
	inventory_line("/proc/sys/kernel/random/boot_id", inv->boot_id, sizeof(inv->boot_id));
	if (uname(&u) == 0)
		str_printable(inv->kernel_version, sizeof(inv->kernel_version), u.release);
	inventory_os_release("PRETTY_NAME", inv->os_image, sizeof(inv->os_image));
	if (!*inv->os_image)
		(void)str_copy(inv->os_image, sizeof(inv->os_image), "HyperMetal");
	inventory_machine_id(inv);
	inventory_kvm(inv->no_kvm, sizeof(inv->no_kvm));
}

int host_mounts_check(struct err *e)
{
	static const char *const needed[] = {"/proc/self/stat", "/sys/class/net", "/dev/null",
					     "/run"};

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (access(needed[i], F_OK) < 0)
			return err_sys(e, -errno, "%s", needed[i]);
	return 0;
}
