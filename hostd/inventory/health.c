// SPDX-License-Identifier: Apache-2.0
#include "inventory/health.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <poll.h>
#include <scsi/sg.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define HEALTH_DISKS_MAX  256
#define HEALTH_NAME_MAX	  32
#define HEALTH_COMMAND_MS 3000 /* the driver gives up then */
/* A child ends then, as soon as its driver lets it: we have no right to kill it */
#define HEALTH_ALARM_S 5

/* What a child says: the disk's own words as they came, or why there are none */
struct health_said {
	char why[HEALTH_WHY_MAX]; /* "": there is a page */
	int32_t failing; /* of ATA, as health_parse_ata() has it */
	uint8_t page[HEALTH_PAGE_SIZE];
};

struct health_disk {
	char name[HEALTH_NAME_MAX];
	enum health_kind kind;
	pid_t pid;
	int fd; /* of its answer; -1: it is there */
	struct health health;
};

struct health_asked {
	const char *lock_dir;
	struct health_disk disks[HEALTH_DISKS_MAX];
	size_t count;
};

static void health_unknown(struct health *h, const char *why)
{
	*h = (struct health){.state = HEALTH_UNKNOWN};
	h->used_percent = h->spare_percent = -1;
	h->on_hours = h->media_errors = h->unsafe_shutdowns = h->reallocated = h->pending = -1;
	snprintf(h->why, sizeof(h->why), "%s", why);
}

/* ---- the questions, in a child ---- */

static void health_refuse(struct health_said *said, const char *why)
{
	snprintf(said->why, sizeof(said->why), "%s", why);
}

/* Get Log Page 02h of the controller; NVMe Base 2.0 §5.16 */
static void health_nvme(int disk, struct health_said *said)
{
	struct nvme_admin_cmd cmd = {
		.opcode = 0x02,
		.nsid = 0xffffffff,
		.addr = (uintptr_t)said->page,
		.data_len = sizeof(said->page),
		.cdw10 = (sizeof(said->page) / 4 - 1) << 16 | 0x02,
		.timeout_ms = HEALTH_COMMAND_MS,
	};

	if (ioctl(disk, NVME_IOCTL_ADMIN_CMD, &cmd) != 0)
		health_refuse(said, "it refuses to tell");
}

enum {
	ATA_SMART = 0xb0,
	ATA_SMART_READ_DATA = 0xd0,
	ATA_SMART_RETURN_STATUS = 0xda,
	SAT_PASS_THROUGH_16 = 0x85,
	SAT_NON_DATA = 3 << 1,
	SAT_PIO_IN = 4 << 1,
	SAT_CHECK_CONDITION = 1 << 5, /* give the registers back in the sense data */
	/* From the device, in blocks, as many as the count says */
	SAT_BLOCKS_IN = 1 << 3 | 1 << 2 | 2,
};

/* One command by ATA PASS-THROUGH (16), SAT-4 §12.2. Return: 0 or -errno; @sense 32 bytes */
static int health_ata_command(int disk, uint8_t feature, void *data, unsigned int size,
			      uint8_t *sense)
{
	uint8_t cdb[16] = {
		[0] = SAT_PASS_THROUGH_16,
		[1] = size ? SAT_PIO_IN : SAT_NON_DATA,
		[2] = size ? SAT_BLOCKS_IN : SAT_CHECK_CONDITION,
		[4] = feature,
		[6] = size / 512,
		[10] = 0x4f, /* SMART's key */
		[12] = 0xc2,
		[14] = ATA_SMART,
	};
	struct sg_io_hdr io = {
		.interface_id = 'S',
		.dxfer_direction = size ? SG_DXFER_FROM_DEV : SG_DXFER_NONE,
		.cmd_len = sizeof(cdb),
		.mx_sb_len = 32,
		.dxfer_len = size,
		.dxferp = data,
		.cmdp = cdb,
		.sbp = sense,
		.timeout = HEALTH_COMMAND_MS,
	};

	if (ioctl(disk, SG_IO, &io) < 0)
		return -errno;
	if (size && (io.info & SG_INFO_OK_MASK) != SG_INFO_OK)
		return -EIO;
	return io.host_status || (io.driver_status & 0x0f & ~0x08) ? -EIO : 0;
}

/* Whether the disk fails is told by two registers, in a descriptor (09h) of the sense data; SAT-4 §12.2.2.6 */
static int health_ata_failing(int disk)
{
	uint8_t sense[32] = {0};
	const uint8_t *d = sense + 8;

	if (health_ata_command(disk, ATA_SMART_RETURN_STATUS, NULL, 0, sense) < 0 ||
	    (sense[0] & 0x7f) != 0x72 || d[0] != 0x09)
		return -1;
	if (d[9] == 0x4f && d[11] == 0xc2)
		return 0;
	return d[9] == 0xf4 && d[11] == 0x2c ? 1 : -1;
}

static void health_ata(int disk, struct health_said *said)
{
	uint8_t sense[32];

	if (health_ata_command(disk, ATA_SMART_READ_DATA, said->page, sizeof(said->page), sense) <
	    0)
		health_refuse(said, "it refuses to tell");
	else
		said->failing = health_ata_failing(disk);
}

static void health_child(const char *lock_dir, const char *name, enum health_kind kind, int to)
{
	struct health_said said = {.failing = -1};
	char path[256];
	int lock, disk;

	snprintf(path, sizeof(path), "%s/%s", lock_dir, name);
	lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0) {
		health_refuse(&said, "it has not answered an earlier question");
	} else {
		snprintf(path, sizeof(path), "/dev/%s", name);
		disk = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (disk < 0)
			health_refuse(&said, "it cannot be opened");
		else if (kind == HEALTH_NVME)
			health_nvme(disk, &said);
		else
			health_ata(disk, &said);
	}
	(void)fd_write_full(to, &said, sizeof(said));
}

/* ---- who asks ---- */

struct health_asked *health_ask_new(const char *lock_dir)
{
	struct health_asked *a = mem_alloc(sizeof(*a));

	(void)file_mkdirs(lock_dir, 0700);
	a->lock_dir = lock_dir;
	return a;
}

/* A child keeps nothing of ours but the end of its pipe: whoever waits for our end must not wait for it. */
static void health_child_run(struct health_asked *a, const struct health_disk *d, int to)
{
	int fd = dup2(to, STDIN_FILENO);

	prctl(PR_SET_NAME, "ask-disk", 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	alarm(HEALTH_ALARM_S);
	for (int i = STDIN_FILENO + 1; i < (int)HEALTH_DISKS_MAX + 64; i++)
		close(i);
	health_child(a->lock_dir, d->name, d->kind, fd);
	_exit(0);
}

void health_ask_disk(struct health_asked *a, const char *name, enum health_kind kind)
{
	struct health_disk *d = &a->disks[a->count];
	int ends[2];

	if (a->count == HEALTH_DISKS_MAX || str_copy(d->name, sizeof(d->name), name) < 0 ||
	    pipe2(ends, O_CLOEXEC) < 0)
		return;
	a->count++;
	d->kind = kind;
	d->pid = fork();
	if (d->pid == 0)
		health_child_run(a, d, ends[1]);
	fd_close(ends[1]);
	d->fd = ends[0];
	health_unknown(&d->health, "it does not answer");
}

/*
 * The answer is one write of a child of ours: it is there as a whole or not at all. Whoever waits has no rights any more,
 * so what the disk said is looked at only here.
 */
static void health_answer(struct health_disk *d)
{
	struct health_said said;

	if (read(d->fd, &said, sizeof(said)) == (ssize_t)sizeof(said)) {
		said.why[sizeof(said.why) - 1] = '\0';
		if (*said.why)
			health_unknown(&d->health, said.why);
		else if (d->kind == HEALTH_NVME)
			health_parse_nvme(said.page, &d->health);
		else
			health_parse_ata(said.page, said.failing, &d->health);
	}
	d->fd = fd_close(d->fd);
	if (d->pid > 0)
		(void)waitpid(d->pid, NULL, 0);
}

void health_ask_wait(struct health_asked *a, int deadline_ms)
{
	uint64_t end_ms = clock_mono_ms() + (uint64_t)deadline_ms, now_ms;
	struct pollfd fds[HEALTH_DISKS_MAX];

	while ((now_ms = clock_mono_ms()) < end_ms) {
		size_t waiting = 0;

		for (size_t i = 0; i < a->count; i++) {
			fds[i] = (struct pollfd){.fd = a->disks[i].fd, .events = POLLIN};
			waiting += a->disks[i].fd >= 0;
		}
		if (!waiting || (poll(fds, a->count, (int)(end_ms - now_ms)) < 0 && errno != EINTR))
			break;
		for (size_t i = 0; i < a->count; i++)
			if (a->disks[i].fd >= 0 && fds[i].revents)
				health_answer(&a->disks[i]);
	}
	for (size_t i = 0; i < a->count; i++)
		a->disks[i].fd = fd_close(a->disks[i].fd);
}

const struct health *health_ask_result(const struct health_asked *a, const char *name)
{
	for (size_t i = 0; a && i < a->count; i++)
		if (str_eq(a->disks[i].name, name))
			return &a->disks[i].health;
	return NULL;
}

struct health_asked *health_ask_free(struct health_asked *a)
{
	free(a);
	return NULL;
}
