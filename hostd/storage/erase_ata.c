// SPDX-License-Identifier: Apache-2.0
/*
 * ATA's SECURITY ERASE UNIT. The disk wants a password first, which it forgets with the erase; while it has one it refuses
 * everything after a power cycle, so the password is one that everybody knows, and it is taken away again when the erase
 * fails. ACS-4 (INCITS 529), commands by SAT-4 (INCITS 491).
 */
#include <errno.h>
#include <scsi/sg.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/fd.h"
#include "base/mem.h"
#include "storage/erase.h"

#define ATA_PASSWORD	"hypermetal"
#define ATA_TIMEOUT_MS	30000
#define ATA_HOURS_MS	(24U * 3600 * 1000)
#define ATA_MARGIN	2 /* times what the disk says that it takes */
#define ATA_PASS_16	0x85
#define ATA_SENSE_SIZE	32
#define ATA_MINUTES_PER 2 /* unit of words 89 and 90 */

static uint16_t word(const uint8_t *identify, unsigned int i)
{
	return (uint16_t)(identify[2 * i] | identify[2 * i + 1] << 8);
}

int erase_ata_can(const uint8_t identify[ERASE_IDENTIFY_ATA], struct erase_ata *a, struct err *e)
{
	uint16_t state = word(identify, 128), time;

	*a = (struct erase_ata){.enhanced = state & 1 << 5};
	if (!(word(identify, 82) & 1 << 1) || !(state & 1 << 0))
		return err_set(e, -ENOTSUP, "it does not know ATA's security commands");
	if (state & 1 << 2)
		return err_set(e, -EPERM, "it is locked with a password");
	if (state & 1 << 1)
		return err_set(e, -EPERM, "somebody has given it a password");
	if (state & 1 << 3)
		return err_set(
			e, -EPERM,
			"the firmware has frozen its security commands; plugging it in anew helps");
	time = word(identify, a->enhanced ? 90 : 89);
	/* Bit 15: in the format with 15 bits, else 8 bits count; 255 and all ones: longer than can be said */
	time &= time & 1 << 15 ? 0x7fff : 0xff;
	a->minutes = time == 0xff || time == 0x7fff ? 0 : (uint32_t)time * ATA_MINUTES_PER;
	return 0;
}

void erase_ata_cdb(enum erase_ata_command command, uint8_t cdb[16])
{
	static const struct {
		uint8_t opcode, protocol, flags, blocks;
	} commands[] = {
		/* protocol: 3 no data, 4 in, 5 out. flags: T_DIR (in), BYT_BLOK, T_LENGTH in the count */
		[ERASE_ATA_SET_PASSWORD] = {0xf1, 5, 0x06, 1},
		[ERASE_ATA_PREPARE] = {0xf3, 3, 0x00, 0},
		[ERASE_ATA_UNIT] = {0xf4, 5, 0x06, 1},
		[ERASE_ATA_DISABLE_PASSWORD] = {0xf6, 5, 0x06, 1},
		[ERASE_ATA_IDENTIFY] = {0xec, 4, 0x0e, 1},
	};

	memset(cdb, 0, 16);
	cdb[0] = ATA_PASS_16;
	cdb[1] = (uint8_t)(commands[command].protocol << 1);
	cdb[2] = commands[command].flags;
	cdb[6] = commands[command].blocks;
	cdb[14] = commands[command].opcode;
}

void erase_ata_data(enum erase_ata_command command, bool enhanced, uint8_t data[512])
{
	memset(data, 0, 512);
	/* Word 0, bit 0: the user's password; bit 1 of ERASE UNIT: the enhanced erase. Words 1-16: the password */
	if (command == ERASE_ATA_UNIT && enhanced)
		data[0] = 2;
	memcpy(data + 2, ATA_PASSWORD, sizeof(ATA_PASSWORD) - 1);
}

static int ata_do(struct erase *x, enum erase_ata_command command, uint8_t *data,
		  unsigned int timeout_ms, const char *what, struct err *e)
{
	uint8_t cdb[16], sense[ATA_SENSE_SIZE] = {0};
	struct sg_io_hdr io = {
		.interface_id = 'S',
		.dxfer_direction = !data			   ? SG_DXFER_NONE
				   : command == ERASE_ATA_IDENTIFY ? SG_DXFER_FROM_DEV
								   : SG_DXFER_TO_DEV,
		.cmd_len = sizeof(cdb),
		.mx_sb_len = sizeof(sense),
		.dxfer_len = data ? ERASE_IDENTIFY_ATA : 0,
		.dxferp = data,
		.cmdp = cdb,
		.sbp = sense,
		.timeout = timeout_ms,
	};

	erase_ata_cdb(command, cdb);
	if (ioctl(x->fd, SG_IO, &io) < 0)
		return err_set(e, -ENOTSUP, "it takes no ATA commands");
	if ((io.info & SG_INFO_OK_MASK) != SG_INFO_OK)
		return err_set(e, -EIO, "%s: the disk refuses, sense %02xh", what, sense[1] & 0x0f);
	return 0;
}

static int ata_erase(struct erase *x, const struct erase_ata *a, struct err *e)
{
	uint8_t data[512];
	unsigned int ms = a->minutes ? MIN(a->minutes * 60000U * ATA_MARGIN, ATA_HOURS_MS)
				     : ATA_HOURS_MS;
	struct err minor = ERR_INIT;
	int r;

	erase_ata_data(ERASE_ATA_SET_PASSWORD, false, data);
	r = ata_do(x, ERASE_ATA_SET_PASSWORD, data, ATA_TIMEOUT_MS, "set a password", e);
	if (r < 0)
		return r;
	r = ata_do(x, ERASE_ATA_PREPARE, NULL, ATA_TIMEOUT_MS, "prepare the erase", e);
	if (r == 0) {
		erase_ata_data(ERASE_ATA_UNIT, a->enhanced, data);
		r = ata_do(x, ERASE_ATA_UNIT, data, MAX(ms, ATA_TIMEOUT_MS), "erase", e);
	}
	if (r < 0) {
		erase_ata_data(ERASE_ATA_DISABLE_PASSWORD, false, data);
		(void)ata_do(x, ERASE_ATA_DISABLE_PASSWORD, data, ATA_TIMEOUT_MS, "", &minor);
	}
	return r;
}

int erase_ata(struct erase *x, struct err *e)
{
	uint8_t identify[ERASE_IDENTIFY_ATA] = {0};
	struct erase_ata a;
	int r = ata_do(x, ERASE_ATA_IDENTIFY, identify, ATA_TIMEOUT_MS, "identify", e);

	if (r < 0)
		return err_set(e, -ENOTSUP, "it is no ATA disk");
	r = erase_ata_can(identify, &a, e);
	return r == 0 ? ata_erase(x, &a, e) : r;
}
