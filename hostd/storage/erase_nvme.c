// SPDX-License-Identifier: Apache-2.0
/*
 * NVMe's own erases. Format NVM works on one namespace, unless the controller says otherwise; Sanitize on all that the
 * subsystem has, also on what was overwritten or taken out of use. NVM Express Base Specification 2.0c.
 */
#include <errno.h>
#include <linux/nvme_ioctl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "storage/erase.h"

#define NVME_ADMIN_GET_LOG  0x02
#define NVME_ADMIN_IDENTIFY 0x06
#define NVME_ADMIN_FORMAT   0x80
#define NVME_ADMIN_SANITIZE 0x84
#define NVME_LOG_SANITIZE   0x81
#define NVME_LOG_SIZE	    512
#define NVME_HOURS_MS	    (24U * 3600 * 1000) /* the largest disks overwrite themselves in less */
#define NVME_POLL_US	    1000000
#define NVME_START_POLLS    10
#define NVME_WHOLE	    10000

static uint32_t get32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static int nvme_do(struct erase *x, struct nvme_passthru_cmd *cmd, const char *what, struct err *e)
{
	int status = ioctl(x->fd, NVME_IOCTL_ADMIN_CMD, cmd);

	if (status < 0)
		return errno == ENOTTY ? err_set(e, -ENOTSUP, "it is no NVMe disk")
				       : err_sys(e, -errno, "%s", what);
	return status ? err_set(e, -EIO, "%s: the disk refuses, status %03xh", what, status & 0x7ff)
		      : 0;
}

static int nvme_identify(struct erase *x, uint32_t nsid, uint8_t cns, uint8_t *to, struct err *e)
{
	struct nvme_passthru_cmd cmd = {
		.opcode = NVME_ADMIN_IDENTIFY,
		.nsid = nsid,
		.addr = (uintptr_t)to,
		.data_len = ERASE_IDENTIFY_NVME,
		.cdw10 = cns,
	};

	return nvme_do(x, &cmd, "identify", e);
}

int erase_nvme_format_command(const uint8_t *controller, const uint8_t *space,
			      const uint8_t *active, uint32_t nsid, struct nvme_passthru_cmd *cmd,
			      struct err *e)
{
	uint8_t oacs = controller[256], fna = controller[524], flbas = space[26], dps = space[29];
	uint32_t ses = fna & 4 ? 2 : 1; /* cryptographic erase, else all user data */

	if (!(oacs & 2))
		return err_set(e, -ENOTSUP, "it does not know Format NVM");
	if ((fna & 3) && get32(active + 4))
		return err_set(e, -EBUSY, "it would format its other namespaces, too");
	*cmd = (struct nvme_passthru_cmd){
		.opcode = NVME_ADMIN_FORMAT,
		.nsid = nsid,
		.timeout_ms = NVME_HOURS_MS,
	};
	/* The format that it has: LBAF, metadata at the end or apart, protection information and its place */
	cmd->cdw10 = (flbas & 0xfU) | (flbas & 0x10U) | (dps & 7U) << 5 | (dps >> 3 & 1U) << 8 |
		     ses << 9 | (flbas >> 5 & 3U) << 12;
	return 0;
}

int erase_nvme_sanitize_command(const uint8_t *controller, const uint8_t *active,
				struct nvme_passthru_cmd *cmd, struct err *e)
{
	uint32_t can = get32(controller + 328), action;

	if (can & 2)
		action = 2; /* block erase: zeros, ones or noise can be read afterwards */
	else if (can & 1)
		action = 4; /* cryptographic erase */
	else if (can & 4)
		action = 3; /* overwrite */
	else
		return err_set(e, -ENOTSUP, "it does not know Sanitize");
	if (get32(active + 4))
		return err_set(e, -EBUSY, "it would erase its other namespaces, too");
	*cmd = (struct nvme_passthru_cmd){
		.opcode = NVME_ADMIN_SANITIZE,
		/* one pass where it overwrites; a failed one may be left by another try (AUSE) */
		.cdw10 = action | 1U << 3 | (action == 3 ? 1U << 4 : 0),
	};
	return 0;
}

int erase_nvme_sanitize_state(const uint8_t *page, unsigned int *part)
{
	unsigned int progress = page[0] | (unsigned int)page[1] << 8;

	*part = progress * NVME_WHOLE / 65536;
	switch (page[2] & 7) {
	case 1:
	case 4:
		return 1;
	case 2:
		return 0;
	default:
		return -EIO;
	}
}

static int nvme_nsid(struct erase *x, uint32_t *nsid, struct err *e)
{
	int id = ioctl(x->fd, NVME_IOCTL_ID);

	if (id <= 0)
		return err_set(e, -ENOTSUP, "it is no NVMe disk");
	*nsid = (uint32_t)id;
	return 0;
}

struct nvme_facts {
	uint8_t controller[ERASE_IDENTIFY_NVME], space[ERASE_IDENTIFY_NVME];
	uint8_t active[ERASE_IDENTIFY_NVME]; /* namespaces: a list of numbers, 0 behind the last */
	uint32_t nsid;
};

/* Return: to be freed, or NULL with @e */
static struct nvme_facts *nvme_facts(struct erase *x, struct err *e)
{
	struct nvme_facts *f = mem_alloc(sizeof(*f));
	int r = nvme_nsid(x, &f->nsid, e);

	if (r == 0)
		r = nvme_identify(x, f->nsid, 0, f->space, e);
	if (r == 0)
		r = nvme_identify(x, 0, 1, f->controller, e);
	if (r == 0)
		r = nvme_identify(x, 0, 2, f->active, e);
	if (r == 0)
		return f;
	free(f);
	return NULL;
}

int erase_nvme_format(struct erase *x, struct err *e)
{
	_cleanup_free_ struct nvme_facts *f = nvme_facts(x, e);
	struct nvme_passthru_cmd cmd;
	int r;

	if (!f)
		return e->code;
	r = erase_nvme_format_command(f->controller, f->space, f->active, f->nsid, &cmd, e);
	return r == 0 ? nvme_do(x, &cmd, "format", e) : r;
}

static int nvme_sanitize_wait(struct erase *x, struct err *e)
{
	_cleanup_free_ uint8_t *page = mem_alloc(NVME_LOG_SIZE);
	unsigned int part;
	int r = 0;

	for (int polls = 0; r == 0; polls++) {
		struct nvme_passthru_cmd cmd = {
			.opcode = NVME_ADMIN_GET_LOG,
			.nsid = 0xffffffff,
			.addr = (uintptr_t)page,
			.data_len = NVME_LOG_SIZE,
			.cdw10 = (NVME_LOG_SIZE / 4 - 1) << 16 | NVME_LOG_SANITIZE,
		};

		usleep(NVME_POLL_US);
		r = nvme_do(x, &cmd, "ask how far it is", e);
		if (r < 0)
			return r;
		r = erase_nvme_sanitize_state(page, &part);
		/* It is accepted; that it says so may take a moment */
		if (r < 0 && (page[2] & 7) == 0 && polls < NVME_START_POLLS)
			r = 0;
		if (x->on_progress)
			x->on_progress(ERASE_NVME_SANITIZE, part, x->arg);
	}
	return r < 0 ? err_set(e, r, "the disk says that it has failed") : 0;
}

int erase_nvme_sanitize(struct erase *x, struct err *e)
{
	_cleanup_free_ struct nvme_facts *f = nvme_facts(x, e);
	struct nvme_passthru_cmd cmd;
	int r;

	if (!f)
		return e->code;
	r = erase_nvme_sanitize_command(f->controller, f->active, &cmd, e);
	if (r == 0)
		r = nvme_do(x, &cmd, "sanitize", e);
	return r == 0 ? nvme_sanitize_wait(x, e) : r;
}
