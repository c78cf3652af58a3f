// SPDX-License-Identifier: Apache-2.0
/*
 * Contents of volumes: the input is payloads of FILES, each with its length before it. What decodes is written
 * into a folder; nothing beside that folder may change, and what was written must be what is read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomic.h"
#include "base/fd.h"
#include "base/mem.h"
#include "path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/fuzz_files.XXXXXX";

static void clean(void)
{
	file_remove_tree(AT_FDCWD, dir);
}

static int open_dir(void)
{
	static int top = -1;

	if (top < 0) {
		if (!mkdtemp(dir))
			abort();
		atexit(clean);
		top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (top < 0 || file_remove_tree(top, "volume") < 0 || mkdirat(top, "volume", 0755) < 0)
		abort();
	return openat(top, "volume", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Every file is there as it was sent. (Who is not root cannot open all of them.) */
static void check(int volume, const struct guest_files *m)
{
	for (uint32_t i = 0; i < m->count; i++) {
		const struct guest_file *f = &m->files[i];
		_cleanup_fd_ int fd = path_open(volume, f->path, PATH_BENEATH, O_RDONLY);
		struct stat st;

		if (fd < 0 && geteuid() != 0)
			continue;
		if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
		    st.st_size != (off_t)f->len || (st.st_mode & f->mode & 0777) != f->mode)
			abort();
	}
}

/* Nothing but the volume is in the folder above it. */
static void check_beside(void)
{
	struct stat st;

	if (stat(dir, &st) < 0 || st.st_nlink != 3)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct guest_file store[GUEST_FILES_MAX];
	_cleanup_fd_ int volume = open_dir();
	uint64_t last = 0;
	bool any = false;

	while (size > 2) {
		size_t len = MIN((size_t)(data[0] | data[1] << 8), size - 2);
		struct err e = ERR_INIT;
		struct guest_files m;

		/* the same generation again is nothing, whatever it says */
		if (guest_files_decode(data + 2, len, &m, store, &e) == 0 && m.count <= 16 &&
		    atomic_write(volume, &m, &e) == 0 && (!any || m.generation != last)) {
			check(volume, &m);
			any = true;
			last = m.generation;
		}
		check_beside();
		data += 2 + len;
		size -= 2 + len;
	}
	return 0;
}
