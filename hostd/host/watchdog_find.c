// SPDX-License-Identifier: Apache-2.0
/*
 * Which of several watchdogs is the one to pet, by what their drivers say in /sys/class/watchdog: one that runs already
 * before one that does not, hardware before the kernel's own. And whether one of them says that it reset the machine.
 */
#include "host/host.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define WATCHDOG_SOFT	  "Software Watchdog"
#define WATCHDOG_TEXT_MAX 128

/* Those whose drivers look whether they bit (6.12); others, iTCO's among them, forget it at the next start */
static bool watchdog_tells(const char *identity)
{
	static const char *const known[] = {"i6300ESB timer", "SP5100 TCO timer", "wdat_wdt"};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (str_eq(identity, known[i]))
			return true;
	return false;
}

static void watchdog_attribute(int dir, const char *name, const char *key, char *value)
{
	char path[256];
	struct buf b = BUF_INIT(WATCHDOG_TEXT_MAX);

	value[0] = '\0';
	snprintf(path, sizeof(path), "%.200s/%s", name, key);
	if (file_read(dir, path, &b, NULL) == 0 && b.len)
		(void)str_copy(value, WATCHDOG_TEXT_MAX, str_trim(b.data));
	buf_done(&b);
}

void host_watchdog_choose(const char *class_dir, struct host_watchdog *w)
{
	_cleanup_fd_ int fd = open(class_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = opendir(class_dir);
	struct dirent *entry;
	int best = -1;

	*w = (struct host_watchdog){.soft = true};
	while (dir && (entry = readdir(dir))) {
		char identity[WATCHDOG_TEXT_MAX], state[WATCHDOG_TEXT_MAX], text[WATCHDOG_TEXT_MAX];
		uint64_t bits;
		int rank;

		if (!str_starts(entry->d_name, "watchdog"))
			continue;
		watchdog_attribute(fd, entry->d_name, "identity", identity);
		watchdog_attribute(fd, entry->d_name, "state", state);
		watchdog_attribute(fd, entry->d_name, "bootstatus", text);
		w->bit |= str_u64(text, UINT32_MAX, &bits) == 0 && (bits & WDIOF_CARDRESET);
		rank = str_eq(identity, WATCHDOG_SOFT) ? 0 : str_eq(state, "active") ? 2 : 1;
		if (rank <= best || str_copy(w->name, sizeof(w->name), entry->d_name) < 0)
			continue;
		best = rank;
		w->soft = rank == 0;
		w->armed = rank == 2;
		w->tells = watchdog_tells(identity);
		(void)str_copy(w->identity, sizeof(w->identity), identity);
	}
	if (dir)
		closedir(dir);
}
