// SPDX-License-Identifier: Apache-2.0
/* What sysfs says about interfaces, and their knobs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "uplink/internal.h"

#define CARD_PATH_MAX 128
#define CARD_FILE_MAX 4096

int card_read(const char *name, const char *file, char *out, size_t size)
{
	struct buf b = BUF_INIT(CARD_FILE_MAX);
	char path[CARD_PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, file);
	r = file_read(AT_FDCWD, path, &b, NULL);
	*out = '\0';
	if (r == 0 && b.len)
		r = str_copy(out, size, str_trim(b.data));
	buf_done(&b);
	return r;
}

static bool card_has(const char *name, const char *file)
{
	char path[CARD_PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, file);
	return access(path, F_OK) == 0;
}

bool card_is_wired(const char *name)
{
	char type[16];

	/* ARPHRD_ETHER */
	return name[0] != '.' && strlen(name) < IFNAMSIZ &&
	       card_read(name, "type", type, sizeof(type)) == 0 && str_eq(type, "1") &&
	       card_has(name, "device") && !card_has(name, "phy80211");
}

bool card_is_made(const char *name)
{
	char text[CARD_FILE_MAX];

	return name[0] != '.' && strlen(name) < IFNAMSIZ &&
	       card_read(name, "uevent", text, sizeof(text)) == 0 &&
	       (str_has_word(text, "DEVTYPE=bond") || str_has_word(text, "DEVTYPE=vlan"));
}

unsigned int card_master(const char *name)
{
	char text[16];
	uint64_t index;

	if (card_read(name, "master/ifindex", text, sizeof(text)) < 0 ||
	    str_u64(text, UINT32_MAX, &index) < 0)
		return 0;
	return (unsigned int)index;
}

void card_sysctl(const char *family, const char *name, const char *key, const char *value)
{
	char path[CARD_PATH_MAX];

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, name, key);
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)fd_write_full(fd, value, strlen(value));
}
