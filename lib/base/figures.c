// SPDX-License-Identifier: Apache-2.0
#include "base/figures.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

const char *figures_read(int dirfd, const char *path, char *text, size_t size)
{
	_cleanup_fd_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);

	text[MAX(n, 0)] = '\0';
	return text;
}

uint64_t figures_number(int dirfd, const char *path)
{
	char text[32];

	return strtoull(figures_read(dirfd, path, text, sizeof(text)), NULL, 10);
}

/* What stands behind the word, NULL without such a line */
static const char *figures_find(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (; text; text = strchr(text, '\n')) {
		text += strspn(text, "\n ");
		if (strncmp(text, word, len) == 0 && (text[len] == ' ' || text[len] == ':'))
			return text + len + 1;
	}
	return NULL;
}

uint64_t figures_line(const char *text, const char *word)
{
	const char *at = figures_find(text, word);

	return at ? strtoull(at, NULL, 10) : 0;
}

size_t figures_columns(const char *text, const char *word, uint64_t *out, size_t count)
{
	const char *at = figures_find(text, word);
	size_t n;

	for (n = 0; at && n < count; n++) {
		char *end;

		at += strspn(at, " \t");
		if (*at < '0' || *at > '9')
			break;
		out[n] = strtoull(at, &end, 10);
		at = end;
	}
	return n;
}

bool figures_net(const char *text, const char *name, struct figures_net *n)
{
	uint64_t f[16];

	*n = (struct figures_net){0};
	if (str_copy(n->name, sizeof(n->name), name) < 0 ||
	    figures_columns(text, name, f, ARRAY_SIZE(f)) < ARRAY_SIZE(f))
		return false;
	n->rx_bytes = f[0];
	n->rx_packets = f[1];
	n->rx_errors = f[2];
	n->rx_dropped = f[3];
	n->tx_bytes = f[8];
	n->tx_packets = f[9];
	n->tx_errors = f[10];
	n->tx_dropped = f[11];
	return true;
}

int figures_fs(const char *path, struct figures_fs *fs)
{
	struct statvfs s;

	*fs = (struct figures_fs){0};
	if (statvfs(path, &s) < 0)
		return -errno;
	fs->bytes = (uint64_t)s.f_blocks * s.f_frsize;
	fs->free_bytes = (uint64_t)s.f_bfree * s.f_frsize;
	fs->available_bytes = (uint64_t)s.f_bavail * s.f_frsize;
	fs->inodes = s.f_files;
	fs->inodes_free = s.f_ffree;
	return 0;
}
