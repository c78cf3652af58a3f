// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "inventory/gather.h"

size_t gather_bytes(int dirfd, const char *path, void *data, size_t size)
{
	/* A FIFO or a device would be no file of sysfs; were there one, nobody waits for it. */
	_cleanup_fd_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t have = 0;
	ssize_t n = 1;

	while (fd >= 0 && have < size && n > 0) {
		n = read(fd, (char *)data + have, size - have);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			have += (size_t)n;
	}
	return have;
}

char *gather_line(int dirfd, const char *path, char out[GATHER_LINE_MAX])
{
	char line[GATHER_LINE_MAX];
	size_t n = gather_bytes(dirfd, path, line, sizeof(line) - 1);

	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	for (char *p = line; *p; p++)
		if (!isprint((unsigned char)*p) && !isspace((unsigned char)*p))
			*p = '?';
	(void)str_copy(out, GATHER_LINE_MAX, str_trim(line));
	return out;
}

int64_t gather_number(int dirfd, const char *path, int64_t otherwise)
{
	char line[GATHER_LINE_MAX], *digits = gather_line(dirfd, path, line);
	bool negative = *digits == '-';
	uint64_t value;

	if (str_u64(digits + negative, INT64_MAX, &value) < 0)
		return otherwise;
	return negative ? -(int64_t)value : (int64_t)value;
}

static char *read_last(char *path, char *out)
{
	char *slash = strrchr(path, '/');

	for (char *p = path; *p; p++)
		if (!isprint((unsigned char)*p))
			*p = '?';
	(void)str_copy(out, GATHER_LINE_MAX, slash ? slash + 1 : path);
	return out;
}

char *gather_link(int dirfd, const char *path, char out[GATHER_LINE_MAX])
{
	char to[PATH_MAX];
	ssize_t n = readlinkat(dirfd, path, to, sizeof(to) - 1);

	to[n > 0 ? n : 0] = '\0';
	return read_last(to, out);
}

static int read_order(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

static int read_order_hex(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t gather_names(int dirfd, const char *path, char **names, size_t max)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *ent;
	size_t count = 0;

	if (!dir) {
		fd_close(fd);
		return 0;
	}
	while (count < max && (ent = readdir(dir)))
		if (ent->d_name[0] != '.')
			names[count++] = mem_strdup(ent->d_name);
	closedir(dir);
	/* Addresses' digits are hexadecimal, and as many everywhere */
	qsort(names, count, sizeof(*names),
	      count && strchr(names[0], ':') ? read_order_hex : read_order);
	return count;
}

void gather_names_free(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(names[i]);
}

/* "0000:00:1f.2": domain, which may have more digits, bus, device, function */
static bool read_is_pci(const char *s, size_t len)
{
	size_t domain = strspn(s, "0123456789abcdef");

	return domain >= 4 && len == domain + 8 && s[domain] == ':' && s[domain + 3] == ':' &&
	       s[domain + 6] == '.';
}

char *gather_pci_address(int dirfd, const char *path, char out[GATHER_NAME_MAX])
{
	_cleanup_fd_ int fd = openat(dirfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char link[GATHER_NAME_MAX], real[PATH_MAX];
	ssize_t n;

	out[0] = '\0';
	if (fd < 0)
		return out;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, real, sizeof(real) - 1);
	real[n > 0 ? n : 0] = '\0';
	for (char *p = real; *p; p += strspn(p, "/")) {
		size_t len = strcspn(p, "/");

		/* Bridges come first, so the last one is the device's own */
		if (len < GATHER_NAME_MAX && read_is_pci(p, len)) {
			memcpy(out, p, len);
			out[len] = '\0';
		}
		p += len;
	}
	return out;
}

void gather_put(struct json_doc *doc, struct json *obj, const char *key, const char *value)
{
	if (*value)
		json_put_str(doc, obj, key, value);
}
