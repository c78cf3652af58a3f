// SPDX-License-Identifier: Apache-2.0
/*
 * The machine ends, whatever stands in the way. A file system that hangs when it is synced, or a driver when it is shut
 * down, leaves the kernel's own reset by sysrq to a second process, which holds nothing that could hang; and a kernel
 * that hangs leaves it to the watchdog, which nobody pets any more.
 */
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

#define REBOOT_SYNC_TRIES 50 /* of 100 ms, before a panic */

static void sysrq(const char *key)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)fd_write_full(fd, key, 1);
	fd_close(fd);
}

static void say(const char *words)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		dprintf(fd, "<2>hypermetal: %s\n", words);
	fd_close(fd);
}

static void force(bool off, unsigned int patience_s)
{
	sleep(patience_s);
	say("the machine does not end in time: it is forced to");
	if (off)
		sysrq("o");
	else
		sysrq("b");
	sleep(1);
	sysrq("b"); /* a machine that cannot switch itself off is better up than half dead */
	_exit(1);
}

void host_reboot(bool off, unsigned int patience_s)
{
	pid_t guard;

	log_info("host", "ev=%s patience_s=%u", off ? "power_off" : "reboot", patience_s);
	log_flush();
	guard = fork();
	if (guard == 0)
		force(off, patience_s);
	if (guard > 0)
		sync(); /* without a guard it could be for ever */
	reboot(off ? RB_POWER_OFF : RB_AUTOBOOT);
	for (;;)
		pause();
}

void host_panic(const char *why)
{
	pid_t child;

	log_flush();
	child = fork();
	if (child == 0) {
		sync();
		_exit(0);
	}
	for (int i = 0; child > 0 && i < REBOOT_SYNC_TRIES && waitpid(child, NULL, WNOHANG) == 0;
	     i++)
		usleep(100000);
	say(why);
	sysrq("c");
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}
