// SPDX-License-Identifier: Apache-2.0
/*
 * The hardware watchdog is petted from the event loop, so a loop that hangs resets the machine. The
 * descriptor is never closed in an orderly way ('V'): while a new hostd starts, the clock runs on.
 */
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <sys/ioctl.h>

#include "base/fd.h"
#include "base/log.h"

#define WATCHDOG_TIMEOUT_S 60
#define WATCHDOG_PET_MS	   10000

static struct timer watchdog_timer;
static int watchdog_fd = -1;

static void watchdog_pet(struct timer *t)
{
	if (ioctl(watchdog_fd, WDIOC_KEEPALIVE, 0) < 0)
		log_warn("host", "ev=watchdog_failed errno=%d", errno);
	timer_set(t, WATCHDOG_PET_MS);
}

int host_watchdog_start(struct loop *loop, struct err *e)
{
	int timeout_s = WATCHDOG_TIMEOUT_S;

	watchdog_fd = open("/dev/watchdog", O_WRONLY | O_CLOEXEC);
	if (watchdog_fd < 0)
		return err_sys(e, -errno, "open /dev/watchdog");
	if (ioctl(watchdog_fd, WDIOC_SETTIMEOUT, &timeout_s) < 0 &&
	    ioctl(watchdog_fd, WDIOC_GETTIMEOUT, &timeout_s) < 0)
		timeout_s = 0;
	timer_init(loop, &watchdog_timer, watchdog_pet);
	watchdog_pet(&watchdog_timer);
	log_info("host", "ev=watchdog timeout_s=%d", timeout_s);
	return 0;
}
