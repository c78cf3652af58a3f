// SPDX-License-Identifier: Apache-2.0
/*
 * hyperstart: PID 1 of a HyperVM.
 *
 * One loop over the host's connection, the containers' output and SIGCHLD. It must not end, for the
 * kernel panics then: whatever goes wrong is said to the host (FAILED) and on the console, and the loop
 * goes on. Signals are blocked before anything else; PID 1 takes none but SIGCHLD.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"
#include "pause.h"
#include "pod.h"
#include "system.h"

#define MAIN_MOD "main"

static void main_signal(int signo, void *arg)
{
	(void)arg;
	if (signo == SIGCHLD)
		pod_reap();
}

static void main_help(void)
{
	puts("hyperstart: init of a HyperVM, started by HyperKernel as PID 1; connects to hostd over\n"
	     "vsock, gets one pod, runs its containers. On the kernel's command line: hyper_port=DEVICE\n"
	     "uses a character device instead of vsock, HYPER_LOG=info says more on the console.");
}

int main(int argc, char **argv)
{
	static const int signals[] = {SIGCHLD, 0};
	static struct loop loop;
	struct err e = ERR_INIT;
	sigset_t all;
	int r;

	if (argc == 1 && str_eq(argv[0], PAUSE_NAME))
		pause_main();
	if (getpid() != 1) {
		main_help();
		return argc > 1 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	system_mark(VM_MARK_INIT);
	r = system_init(&e);
	log_init("hyperstart");
	/* A line on the console is a hundred exits to the VMM. */
	if (!getenv("HYPER_LOG"))
		log_set_level(LOG_LEVEL_WARN);
	if (r < 0)
		pod_fail("GuestSetUpFailed", err_msg(&e));
	r = loop_init(&loop);
	if (r == 0)
		r = loop_signals(&loop, signals, main_signal, NULL);
	if (r < 0) {
		log_error(MAIN_MOD, "msg=\"no event loop: %s\"", strerror(-r));
		system_power_off();
	}
	pod_start(&loop, getenv("hyper_port"));
	system_mark(VM_MARK_READY);
	for (;;) {
		r = loop_run(&loop);
		log_error(MAIN_MOD, "msg=\"loop: %s\"", strerror(-r));
		sleep(1);
	}
}
