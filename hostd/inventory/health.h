/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a disk says of its own health.
 *
 * A question to a disk is an ioctl that may never come back, in a process that then cannot be
 * killed. So each disk is asked by a child of its own: whoever has not answered in time is told as
 * such, and its child is left behind with a lock on a file, so that nobody asks the same disk again
 * while one waits.
 */
#ifndef INVENTORY_HEALTH_H
#define INVENTORY_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEALTH_PAGE_SIZE 512 /* of an NVMe log page as of ATA's SMART data */
#define HEALTH_WHY_MAX	 64

enum health_state {
	HEALTH_UNKNOWN, /* `why` tells */
	HEALTH_GOOD,
	HEALTH_WARNING, /* works, but not as it should: spares or life used up, sectors lost */
	HEALTH_FAILING, /* the disk itself says so */
};

/* Numbers are -1 where the disk does not tell. */
struct health {
	int32_t state; /* enum health_state */
	char why[HEALTH_WHY_MAX]; /* of all but GOOD, in words */
	int32_t used_percent; /* of the life that its maker promises; may be more than 100 */
	int32_t spare_percent;
	int64_t on_hours;
	int64_t media_errors; /* reads that the disk could not correct */
	int64_t unsafe_shutdowns;
	int64_t reallocated, pending; /* sectors; ATA */
};

enum health_kind {
	HEALTH_NVME,
	HEALTH_ATA, /* also behind a SAS adapter */
};

/**
 * health_parse_nvme() - The SMART / Health Information log page
 * @log: HEALTH_PAGE_SIZE bytes
 * Source: NVM Express Base Specification 2.0, §5.16.1.3.
 */
void health_parse_nvme(const uint8_t *log, struct health *h);

/**
 * health_parse_ata() - SMART data
 * @data:   HEALTH_PAGE_SIZE bytes
 * @failing: what SMART RETURN STATUS said: 1, 0, or -1 unknown
 * Source: ACS-3 §7.49.6 for its frame; the attributes' numbers are everybody's habit (SFF-8035i).
 */
void health_parse_ata(const uint8_t *data, int failing, struct health *h);

struct health_asked;

/**
 * health_ask_new() - Begin to ask
 * @lock_dir: where the locks lie; made if missing
 */
struct health_asked *health_ask_new(const char *lock_dir);

/** health_ask_disk() - Start a child that asks /dev/@name. Before rights are given up. */
void health_ask_disk(struct health_asked *a, const char *name, enum health_kind kind);

/** health_ask_wait() - Collect the answers, @deadline_ms at most for all together */
void health_ask_wait(struct health_asked *a, int deadline_ms);

/** health_ask_result() - What a disk said; NULL when it was not asked */
const struct health *health_ask_result(const struct health_asked *a, const char *name);

struct health_asked *health_ask_free(struct health_asked *a);

#endif
