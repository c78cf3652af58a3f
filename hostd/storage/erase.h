/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making all data of a disk unreadable, by the disk itself where it can, and finding out whether it is.
 *
 * What counts is what can be read afterwards: samples of what was there are kept, and compared. A disk that says that it
 * has erased itself and still gives old data has not been wiped.
 */
#ifndef STORAGE_ERASE_H
#define STORAGE_ERASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum erase_method {
	ERASE_AUTO,
	ERASE_DISCARD,
	ERASE_NVME_FORMAT,
	ERASE_NVME_SANITIZE,
	ERASE_ATA,
	ERASE_OVERWRITE,
	ERASE_METHODS,
};

/** erase_name() - "auto", "discard", "nvme-format"… */
const char *erase_name(enum erase_method method);

/** erase_parse() - Return: the method of that name, or -EINVAL */
int erase_parse(const char *name);

struct erase_report {
	enum erase_method method; /* that did it, or was tried last */
	uint64_t bytes; /* of the disk */
	uint32_t samples; /* blocks of 4096 bytes that were read again */
	bool zero; /* all samples are zero; else none holds what it held */
	char tried[256]; /* methods that failed before, and why; "" */
};

/* What the parts share */
struct erase {
	int fd; /* of the disk, for itself alone */
	const char *disk; /* name: "nvme0n1" */
	uint64_t size_bytes;
	/* From time to time; 0..10000 of 10000 */
	void (*on_progress)(enum erase_method method, unsigned int part, void *arg);
	void *arg;
};

/**
 * erase_run() - Wipe a disk
 * @method: ERASE_AUTO: the disk's own way, then TRIM if zeros can be read afterwards, then zeros are written
 *
 * Return: 0; -ENOTSUP; -EIO when old data can still be read; -errno.
 */
int erase_run(struct erase *x, enum erase_method method, struct erase_report *report,
	      struct err *e);

/* ---- the disk's own ways: erase_nvme.c, erase_ata.c ---- */

#define ERASE_IDENTIFY_NVME 4096
#define ERASE_IDENTIFY_ATA  512

struct nvme_passthru_cmd;

/**
 * erase_nvme_format_command() - Format NVM with an erase; NVMe Base 2.0 §5.23
 * @controller, @space, @active: what Identify gave (CNS 01h, 00h, 02h), ERASE_IDENTIFY_NVME bytes each
 * Return: 0; -ENOTSUP; -EBUSY when other namespaces would be erased, too.
 */
int erase_nvme_format_command(const uint8_t *controller, const uint8_t *space,
			      const uint8_t *active, uint32_t nsid, struct nvme_passthru_cmd *cmd,
			      struct err *e);

/** erase_nvme_sanitize_command() - Sanitize; NVMe Base 2.0 §5.24. Return: as above */
int erase_nvme_sanitize_command(const uint8_t *controller, const uint8_t *active,
				struct nvme_passthru_cmd *cmd, struct err *e);

/**
 * erase_nvme_sanitize_state() - What its log page (81h) says; NVMe Base 2.0 §5.16.1.25
 * @part: set while it goes on: 0..10000
 * Return: 1 done, 0 it goes on, -EIO it has failed.
 */
int erase_nvme_sanitize_state(const uint8_t *page, unsigned int *part);

int erase_nvme_format(struct erase *x, struct err *e);
int erase_nvme_sanitize(struct erase *x, struct err *e);

struct erase_ata {
	bool enhanced; /* it knows the better erase */
	uint32_t minutes; /* that it takes; 0 unknown */
};

/**
 * erase_ata_can() - Whether a disk can erase itself now; ACS-4 §7.12.7 (IDENTIFY DEVICE words 82, 89, 90, 128)
 * Return: 0; -ENOTSUP; -EPERM when it is locked, frozen by the firmware, or has somebody's password.
 */
int erase_ata_can(const uint8_t identify[ERASE_IDENTIFY_ATA], struct erase_ata *a, struct err *e);

enum erase_ata_command {
	ERASE_ATA_SET_PASSWORD, /* F1h */
	ERASE_ATA_PREPARE, /* F3h */
	ERASE_ATA_UNIT, /* F4h */
	ERASE_ATA_DISABLE_PASSWORD, /* F6h */
	ERASE_ATA_IDENTIFY, /* ECh */
};

/** erase_ata_cdb() - An ATA command as ATA PASS-THROUGH (16); SAT-4 §12.2.2. @cdb: 16 bytes */
void erase_ata_cdb(enum erase_ata_command command, uint8_t cdb[16]);

/** erase_ata_data() - The 512 bytes that go with a security command; ACS-4 §7.46, §7.44 */
void erase_ata_data(enum erase_ata_command command, bool enhanced, uint8_t data[512]);

int erase_ata(struct erase *x, struct err *e);

#endif
