/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers that the kernel tells in small text files: /proc, /sys, control groups. A file that is missing
 * or a word that is not in it reads as zero: what this kernel does not count was not used.
 */
#ifndef BASE_FIGURES_H
#define BASE_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIGURES_FILE_MAX 4096

/** figures_read() - One read of a file into @text, cut at @size - 1 bytes. Return: @text, "" without it */
const char *figures_read(int dirfd, const char *path, char *text, size_t size);

/** figures_number() - A file that is one number; "max" is 0 */
uint64_t figures_number(int dirfd, const char *path);

/** figures_line() - The number behind a line's first word ("MemFree: 12 kB", "usage_usec 12") */
uint64_t figures_line(const char *text, const char *word);

/** figures_columns() - As figures_line(), up to @count numbers. Return: how many there are */
size_t figures_columns(const char *text, const char *word, uint64_t *out, size_t count);

struct figures_net {
	char name[16];
	uint64_t rx_bytes, rx_packets, rx_errors, rx_dropped;
	uint64_t tx_bytes, tx_packets, tx_errors, tx_dropped;
};

/** figures_net() - What an interface has carried, by the text of /proc/net/dev. Return: whether it is there */
bool figures_net(const char *text, const char *name, struct figures_net *n);

struct figures_fs {
	uint64_t bytes, free_bytes;
	uint64_t available_bytes; /* of those that are free, to anybody */
	uint64_t inodes, inodes_free;
};

/** figures_fs() - Of the file system at @path. Return: 0; -errno, then all are 0 */
int figures_fs(const char *path, struct figures_fs *fs);

#endif
