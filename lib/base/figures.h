/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers that the kernel tells in small text files: /proc, /sys, control groups. A file that is missing
 * or a word that is not in it reads as zero: what this kernel does not count was not used.
 */
#ifndef BASE_FIGURES_H
#define BASE_FIGURES_H

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

#endif
