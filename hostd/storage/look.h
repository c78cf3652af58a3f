/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is on a disk, without changing anything on it.
 *
 * Whether a disk may be used does not depend on whether we know what it holds: only one that is zero at its head, its
 * tail and at samples in between, or that carries this fleet's own label, may be. Everything else is somebody's, and
 * libblkid's names are for people.
 */
#ifndef STORAGE_LOOK_H
#define STORAGE_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define LOOK_HOLDS_MAX 256
#define LOOK_FLEET_MAX 65 /* 64 hex digits: SHA-256 of the fleet's CA certificate */

enum look_state {
	LOOK_EMPTY, /* nothing but zeros, where one looks */
	LOOK_OURS, /* the label of this fleet, and behind it what we put there */
	LOOK_OTHER_FLEET, /* a label of ours with the name of another fleet */
	LOOK_FOREIGN, /* anything else */
	LOOK_UNREADABLE, /* it could not be read, or did not answer */
};

struct look {
	enum look_state state;
	char holds[LOOK_HOLDS_MAX]; /* in words, "" nothing: "gpt: vfat, LVM2_member"; why it is unreadable */
	uint64_t part_bytes, part_offset_bytes; /* LOOK_OURS: of the label's partition */
};

/** look_name() - "empty", "ours", "other-fleet", "foreign", "unreadable" */
const char *look_name(enum look_state state);

/**
 * look_at() - Look at a disk, or at a file that is like one
 * @fd:    to read from
 * @size:  bytes
 * @sector: bytes of a logical block: 512 or 4096
 * @fleet: 64 hex digits
 */
void look_at(int fd, uint64_t size, uint32_t sector, const char *fleet, struct look *l);

#endif
