/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The label of a data disk: a GPT (UEFI 2.10 §5.3) with one partition over all of it, whose type says that it is HyperMetal's
 * and whose name says of which fleet. Disks that were written by anybody else can be told from ours, also by people:
 * `lsblk -o NAME,PARTLABEL`.
 */
#ifndef STORAGE_LABEL_H
#define STORAGE_LABEL_H

#include <stdint.h>

#include "base/err.h"

#define LABEL_TYPE     "7f2c1c86-5d3f-4b8a-9c0e-6879706d6574" /* of the partition */
#define LABEL_NAME_MAX 37 /* with NUL; a GPT has room for 36 */
#define LABEL_UUID_MAX 37
#define LABEL_ALIGN    ((uint64_t)1 << 20)
#define LABEL_DISK_MIN ((uint64_t)64 << 20)

/** label_name() - The partition's name: "hypermetal-" and the first 20 digits of @fleet. Return: @out */
char *label_name(const char *fleet, char out[LABEL_NAME_MAX]);

/** label_uuid() - That of the file system: the first half of @fleet as a UUID. Return: @out */
char *label_uuid(const char *fleet, char out[LABEL_UUID_MAX]);

/**
 * label_write() - Label a disk; what was at its head and its tail is gone
 * @size:   bytes, at least LABEL_DISK_MIN
 * @sector: bytes of a logical block: 512 or 4096
 *
 * The backup is written first, so that an interrupted one is no label.
 *
 * Return: 0 or -errno.
 */
int label_write(int fd, uint64_t size, uint32_t sector, const char *fleet, struct err *e);

#endif
