/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of hostd-disk that make a disk into the place where images and pods' scratch lie. */
#ifndef STORAGE_PREPARE_H
#define STORAGE_PREPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define PREPARE_NAME_MAX 32
#define PREPARE_PATH_MAX 256

/* What an open block device says of itself */
struct prepare_disk {
	uint64_t size_bytes;
	uint32_t sector_bytes;
};

/** prepare_measure() - @fd: of a block device. Return: 0 or -errno */
int prepare_measure(int fd, struct prepare_disk *d, struct err *e);

/**
 * prepare_mkfs() - Make an ext4 file system that lives as long as this boot
 * @device: path of a block device or file
 * @size:   bytes that it may use
 * @uuid:   its UUID, as text
 *
 * No journal: after a crash it is made anew. What the kernel can zero itself while it is used is left to it.
 *
 * Return: 0 or -errno.
 */
int prepare_mkfs(const char *device, uint64_t size, const char *uuid, struct err *e);

struct prepare_config {
	const char *disk; /* name: "sda" */
	const char *fleet; /* 64 hex digits */
	const char *
		store; /* folder: the file system comes to STORE/data, its parts to STORE/scratch and STORE/images */
	bool encrypt;
};

/**
 * prepare_disk() - Label it if it is empty, make a file system, mount it
 * @bytes: set to the room that there is
 *
 * Nothing is written unless the disk is empty or ours, and in nobody's use, at that moment.
 *
 * Return: 0; -EPERM for a disk that holds something else; -EBUSY; -errno.
 */
int prepare_run(const struct prepare_config *config, uint64_t *bytes, struct err *e);

/**
 * prepare_crypt() - Encrypt a part of a device with a key that nobody knows and that the next boot has not
 * @path:   of the device
 * @offset, @size: bytes; @size is rounded down to 4096
 * @device: PREPARE_PATH_MAX bytes; set to the path of the device to use
 * Return: 0 or -errno.
 */
int prepare_crypt(const char *path, uint64_t offset, uint64_t size, char *device, struct err *e);

/** prepare_crypt_remove() - Give that device up again, unless it is in use */
void prepare_crypt_remove(void);

/** prepare_release() - Take the disk that is mounted in a store out of use. Return: 0; -EBUSY; -errno */
int prepare_release(const char *store, struct err *e);

/** prepare_open() - Open a disk for writing that nobody else uses. Return: a descriptor; -EBUSY; -errno */
int prepare_open(const char *disk, struct err *e);

#endif
