// SPDX-License-Identifier: Apache-2.0
/*
 * Points at which hostd can be made to die, to see that the next one goes on from there: a file
 * RUN/crash/NAME, which only the host's root can make, is taken away and hostd killed as by kill -9. The
 * names are those of the states, as they are entered, and of the moments between a fact and its record.
 * When there is no such file it costs one system call that fails.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "pod/impl.h"

void crash_point(const struct pods *pods, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/../crash/%s", pods->config.dir, name);
	if (unlink(path) < 0)
		return;
	log_warn("pod", "ev=crash_point name=%s", name);
	(void)kill(getpid(), SIGKILL);
}
