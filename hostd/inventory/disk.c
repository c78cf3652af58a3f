// SPDX-License-Identifier: Apache-2.0
/*
 * Disks: block devices that hang on a device; loops, device-mapper and the like do not. All of it
 * is what the kernel remembers from when it found them: no disk is touched here (health.h).
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "inventory/gather.h"
#include "inventory/health.h"

#define DISK_DIR      "block"
#define DISK_VPD_MAX  256
#define DISK_VPD_HEAD 4
#define DISK_SECTOR   512 /* that `size` counts in, whatever the disk's are */

/* Kinds of a transport by what stands in a device's path in sysfs; the first that fits */
static const struct {
	const char *part, *name;
} disk_transports[] = {
	{"/nvme", "nvme"}, {"/usb", "usb"},	  {"/ata", "sata"},
	{"/port-", "sas"}, {"/virtio", "virtio"},
};

static const char *disk_transport(int dir)
{
	char link[GATHER_NAME_MAX], real[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	n = readlink(link, real, sizeof(real) - 1);
	real[n > 0 ? n : 0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(disk_transports); i++)
		if (strstr(real, disk_transports[i].part))
			return disk_transports[i].name;
	return strstr(real, "/host") ? "scsi" : "";
}

static bool disk_is_ata(int dir)
{
	char line[GATHER_LINE_MAX];

	return str_eq(gather_line(dir, "device/vendor", line), "ATA");
}

/* SCSI's page 80h: header, then the serial number in ASCII. SPC-5 §7.7.19 */
static char *disk_vpd_serial(int dir, char *out)
{
	char page[DISK_VPD_MAX + 1];
	size_t n = gather_bytes(dir, "device/vpd_pg80", page, DISK_VPD_MAX), len;

	out[0] = '\0';
	if (n <= DISK_VPD_HEAD)
		return out;
	page[n] = '\0';
	len = (unsigned char)page[3];
	if (len < n - DISK_VPD_HEAD)
		page[DISK_VPD_HEAD + len] = '\0';
	for (char *p = page + DISK_VPD_HEAD; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	(void)str_copy(out, GATHER_LINE_MAX, str_trim(page + DISK_VPD_HEAD));
	return out;
}

static void disk_identity(struct gather *g, struct json *o, int dir)
{
	static const char *const serials[] = {"device/serial", "serial"}; /* NVMe, virtio */
	char line[GATHER_LINE_MAX];

	/* "ATA" is said for all SATA disks, and virtio has a number there */
	gather_line(dir, "device/vendor", line);
	if (!str_eq(line, "ATA") && !str_starts(line, "0x"))
		gather_put(g->doc, o, "vendor", line);
	gather_put(g->doc, o, "model", gather_line(dir, "device/model", line));
	disk_vpd_serial(dir, line);
	for (size_t i = 0; i < ARRAY_SIZE(serials) && !*line; i++)
		gather_line(dir, serials[i], line);
	gather_put(g->doc, o, "serial", line);
	if (!*gather_line(dir, "device/firmware_rev", line))
		gather_line(dir, "device/rev", line);
	gather_put(g->doc, o, "firmware", line);
	if (!*gather_line(dir, "wwid", line))
		gather_line(dir, "device/wwid", line);
	if (!str_starts(line, "t10.")) /* vendor, model and serial once more */
		gather_put(g->doc, o, "wwid", line);
}

static void disk_health(struct gather *g, struct json *disk, const struct health *h)
{
	static const char *const states[] = {
		[HEALTH_UNKNOWN] = "unknown",
		[HEALTH_GOOD] = "good",
		[HEALTH_WARNING] = "warning",
		[HEALTH_FAILING] = "failing",
	};
	const struct {
		const char *key;
		int64_t value;
	} figures[] = {
		{"usedPercent", h->used_percent},
		{"sparePercent", h->spare_percent},
		{"onHours", h->on_hours},
		{"mediaErrors", h->media_errors},
		{"unsafeShutdowns", h->unsafe_shutdowns},
		{"reallocatedSectors", h->reallocated},
		{"pendingSectors", h->pending},
	};
	struct json *o = json_obj_of(g->doc, disk, "health");

	json_put_str(g->doc, o, "state", states[(unsigned int)h->state % ARRAY_SIZE(states)]);
	gather_put(g->doc, o, "why", h->why);
	for (size_t i = 0; i < ARRAY_SIZE(figures); i++)
		if (figures[i].value >= 0)
			json_put_int(g->doc, o, figures[i].key, figures[i].value);
}

/* Return: a descriptor of a disk's folder, or -1 when it is none */
static int disk_open(int all, const char *name)
{
	_cleanup_fd_ int dir = openat(all, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* Hidden ones are the paths to an NVMe disk that has a device of its own */
	if (dir < 0 || faccessat(dir, "device", F_OK, 0) < 0 ||
	    gather_number(dir, "hidden", 0) == 1)
		return -1;
	return take_fd(&dir);
}

static void disk_one(struct gather *g, struct json *list, int dir, const char *name,
		     const struct health *health)
{
	struct json *o = json_new_obj(g->doc);
	int64_t sectors = gather_number(dir, "size", -1), n;
	char pci[GATHER_NAME_MAX];

	json_put_str(g->doc, o, "name", name);
	disk_identity(g, o, dir);
	if (sectors >= 0 && sectors <= INT64_MAX / DISK_SECTOR)
		json_put_int(g->doc, o, "sizeBytes", sectors * DISK_SECTOR);
	n = gather_number(dir, "queue/logical_block_size", 0);
	if (n > 0)
		json_put_int(g->doc, o, "sectorBytes", n);
	n = gather_number(dir, "queue/physical_block_size", 0);
	if (n > 0)
		json_put_int(g->doc, o, "physicalSectorBytes", n);
	json_put_bool(g->doc, o, "rotational", gather_number(dir, "queue/rotational", 0) == 1);
	gather_put(g->doc, o, "transport", disk_transport(dir));
	if (gather_number(dir, "ro", 0) == 1)
		json_put_bool(g->doc, o, "readOnly", true);
	if (gather_number(dir, "removable", 0) == 1)
		json_put_bool(g->doc, o, "removable", true);
	gather_put(g->doc, o, "pci", gather_pci_address(dir, "device", pci));
	if (health)
		disk_health(g, o, health);
	json_push(g->doc, list, o);
}

static void disk_ask(int dir, const char *name, struct health_asked *asked)
{
	if (str_starts(name, "nvme"))
		health_ask_disk(asked, name, HEALTH_NVME);
	else if (disk_is_ata(dir) && !str_eq(disk_transport(dir), "usb"))
		health_ask_disk(asked, name, HEALTH_ATA);
}

/* Walks all disks: to ask them (@list NULL), or to tell about them. */
static void disk_walk(struct gather *g, struct json *list, struct health_asked *asked)
{
	_cleanup_fd_ int all = openat(g->sys, DISK_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	static char *names[GATHER_DISKS_MAX * 8]; /* with loops and the like */
	size_t count, disks = 0;

	if (all < 0)
		return;
	count = gather_names(all, ".", names, ARRAY_SIZE(names));
	for (size_t i = 0; i < count && disks < GATHER_DISKS_MAX; i++) {
		_cleanup_fd_ int dir = disk_open(all, names[i]);

		if (dir < 0)
			continue;
		disks++;
		if (list)
			disk_one(g, list, dir, names[i], health_ask_result(asked, names[i]));
		else
			disk_ask(dir, names[i], asked);
	}
	gather_names_free(names, count);
}

void gather_disks_ask(struct gather *g, struct health_asked *asked)
{
	disk_walk(g, NULL, asked);
}

void gather_disks(struct gather *g, struct health_asked *asked)
{
	disk_walk(g, json_arr_of(g->doc, g->root, "disks"), asked);
}
