// SPDX-License-Identifier: Apache-2.0
/*
 * A disk's content as hostd-disk looks at it: the input lies at its head, and its second half once more at the tail. What is said
 * stays printable and short, and nothing but zeros is empty.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "storage/look.h"

#define DISK_SIZE ((size_t)12 << 20)
#define HEAD_MAX  ((size_t)1 << 20)
#define FLEET	  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int disk(void)
{
	int fd = memfd_create("disk", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)DISK_SIZE) < 0)
		abort();
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t sectors[] = {512, 4096};
	size_t half = size / 2;
	struct look l;
	int fd;

	if (size < 1 || size > HEAD_MAX)
		return 0;
	fd = disk();
	if (pwrite(fd, data, size, 0) < 0 ||
	    pwrite(fd, data + half, size - half, (off_t)(DISK_SIZE - (size - half))) < 0)
		abort();
	for (size_t i = 0; i < 2; i++) {
		look_at(fd, DISK_SIZE, sectors[i], FLEET, &l);
		if (!memchr(l.holds, '\0', sizeof(l.holds)))
			abort();
		for (const char *p = l.holds; *p; p++)
			if ((unsigned char)*p < ' ' || (unsigned char)*p > '~')
				abort();
		if (l.state == LOOK_EMPTY)
			for (size_t k = 0; k < size; k++)
				if (data[k])
					abort();
	}
	close(fd);
	return 0;
}
