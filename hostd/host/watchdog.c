// SPDX-License-Identifier: Apache-2.0
/*
 * The watchdog is petted from the event loop, so a loop or a kernel that hangs resets the machine. The descriptor is
 * never closed in an orderly way ('V'): while a new hostd starts, the clock runs on, and the new one takes it over.
 *
 * Of several one is enough. One that the firmware armed comes first, then whatever is hardware; a kernel petting an armed
 * one by itself (WATCHDOG_HANDLE_BOOT_ENABLED) stops to do so when we open it. The kernel's own softdog is loaded only where
 * there is no hardware: it cannot help a kernel that hangs, and panics, which leaves a record.
 *
 * A driver that hangs while it is loaded must not hold the machine up for ever: watchdogs are looked for before all other
 * devices, and once more behind them.
 */
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define WATCHDOG_TIMEOUT_S   60
#define WATCHDOG_PET_MS	     10000
#define WATCHDOG_CLASS	     "/sys/class/watchdog"
#define WATCHDOG_IPMI	     "/sys/module/ipmi_si"
#define WATCHDOG_TRIES	     20 /* of 50 ms: a BMC answers when it likes */
#define WATCHDOG_TRY_US	     50000
#define WATCHDOG_IPMI_MODULE "ipmi_watchdog" /* no alias names it, and it is of no class */

static struct timer watchdog_timer;
static int watchdog_fd = -1;
static uint64_t watchdog_pet_ms;
static struct host_watchdog watchdog_found;

static void watchdog_pet(struct timer *t)
{
	static bool told;

	if (ioctl(watchdog_fd, WDIOC_KEEPALIVE, 0) < 0 && !told) {
		told = true;
		log_error("host", "ev=watchdog_failed errno=%d", errno);
	}
	timer_set(t, watchdog_pet_ms);
}

static int watchdog_open(const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/%.40s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* What the driver gave, in seconds. Fewer than asked for are petted more often. */
static int watchdog_set(int fd, int wanted_s)
{
	struct watchdog_info info = {.options = 0};
	int timeout_s = wanted_s, zero = 0, got_s = 0;

	if (ioctl(fd, WDIOC_GETSUPPORT, &info) == 0 && (info.options & WDIOF_PRETIMEOUT))
		(void)ioctl(fd, WDIOC_SETPRETIMEOUT, &zero); /* a reset is what we want */
	if (ioctl(fd, WDIOC_SETTIMEOUT, &timeout_s) < 0)
		log_warn("host", "ev=watchdog_timeout_refused wanted_s=%d errno=%d", wanted_s,
			 errno);
	if (ioctl(fd, WDIOC_GETTIMEOUT, &got_s) < 0 || got_s <= 0)
		got_s = timeout_s;
	return got_s;
}

static int watchdog_take(struct loop *loop, int wanted_s, struct err *e)
{
	const struct host_watchdog *w = &watchdog_found;
	char safe[2 * sizeof(w->identity)];
	int timeout_s;

	watchdog_fd = watchdog_open(w->name);
	if (watchdog_fd < 0)
		return err_sys(e, watchdog_fd, "open /dev/%s", w->name);
	timeout_s = watchdog_set(watchdog_fd, wanted_s);
	watchdog_pet_ms = MIN(MAX((uint64_t)timeout_s * 1000 / 4, 500U), WATCHDOG_PET_MS);
	timer_init(loop, &watchdog_timer, watchdog_pet);
	watchdog_pet(&watchdog_timer);
	log_info("host", "ev=watchdog device=%s identity=\"%s\" timeout_s=%d armed=%d bit=%d",
		 w->name, str_printable(safe, sizeof(safe), w->identity), timeout_s, w->armed,
		 w->bit);
	return 0;
}

static bool watchdog_appears(const char *path)
{
	for (int i = 0; i < WATCHDOG_TRIES; i++) {
		if (access(path, F_OK) == 0)
			return true;
		usleep(WATCHDOG_TRY_US);
	}
	return false;
}

/* The last resorts: a BMC's, which is no part of the class, and the kernel's own */
static void watchdog_load_rest(void)
{
	struct host_watchdog *w = &watchdog_found;

	if (access(WATCHDOG_IPMI, F_OK) == 0 && host_module_load(WATCHDOG_IPMI_MODULE, NULL) == 0 &&
	    watchdog_appears("/dev/watchdog")) {
		*w = (struct host_watchdog){.name = "watchdog", .identity = "IPMI"};
		return;
	}
	if (host_module_load("softdog", "soft_panic=1") == 0)
		host_watchdog_choose(WATCHDOG_CLASS, w);
}

int host_watchdog_start(struct loop *loop, int timeout_s, bool last, struct err *e)
{
	struct host_watchdog *w = &watchdog_found;

	if (watchdog_fd >= 0) { /* one is enough, but another one may have bit */
		struct host_watchdog all;

		host_watchdog_choose(WATCHDOG_CLASS, &all);
		w->bit |= all.bit;
		return 0;
	}
	host_watchdog_load();
	host_watchdog_choose(WATCHDOG_CLASS, w);
	if (timeout_s == HOST_WATCHDOG_OFF)
		return 0;
	if (last && !*w->name)
		watchdog_load_rest();
	if (!*w->name || (w->soft && !last))
		return err_set(e, -ENOENT, "the machine has no watchdog");
	return watchdog_take(loop, timeout_s ? timeout_s : WATCHDOG_TIMEOUT_S, e);
}

const struct host_watchdog *host_watchdog_get(void)
{
	return &watchdog_found;
}
