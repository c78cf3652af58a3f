// SPDX-License-Identifier: Apache-2.0
/*
 * The machine starts anew, whatever stands in the way: a driver that hangs when it is shut down leaves
 * the kernel's own reset by sysrq to a second process, and a kernel that hangs leaves it to the watchdog,
 * which nobody pets any more.
 */
#include "host/host.h"

#include <fcntl.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

#define REBOOT_PATIENCE_S 20

static void reset(void)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	sleep(REBOOT_PATIENCE_S);
	(void)fd_write_full(fd, "b", 1);
	_exit(1);
}

void host_reboot(void)
{
	log_info("host", "ev=reboot");
	if (fork() == 0)
		reset();
	sync();
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}
