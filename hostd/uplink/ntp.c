// SPDX-License-Identifier: Apache-2.0
/*
 * Time: BusyBox's ntpd with the servers that the settings name, or else those that DHCP does (option 42). Without any
 * there is none: a fleet that was not told to ask somebody does not, and certificates need no more than the lower bounds
 * of the clock give (host/clock.c). Nothing waits for it. Another list of servers, or a new hostd, starts another one.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "uplink/internal.h"

#define NTP_PROGRAM    "/usr/bin/ntpd"
#define NTP_HELPER     "/usr/bin/hostd-lease" /* which says what became of the clock */
#define NTP_RESTART_MS 30000
#define NTP_LIST_MAX   (UPLINK_NTP_MAX * UPLINK_SERVER_MAX)
#define NTP_PATH_MAX   256

static struct {
	struct proc proc;
	struct watch ended;
	struct timer restart;
	char servers[NTP_LIST_MAX]; /* separated by blanks */
	bool begun;
	bool again; /* it was ended for another list */
} ntp;

static void ntp_add(char *list, const char *server)
{
	size_t len = strlen(list);

	snprintf(list + len, NTP_LIST_MAX - len, "%s%s", len ? " " : "", server);
}

static void ntp_servers(const struct uplink *u, char *list)
{
	const struct uplink_if *i;
	size_t left = UPLINK_NTP_MAX;

	*list = '\0';
	for (size_t k = 0; k < u->plan.ntp_count; k++)
		ntp_add(list, u->plan.ntp[k]);
	if (u->plan.ntp_count || u->plan.no_ntp)
		return;
	list_for_each(i, &u->ifs, node)
		for (size_t k = 0; i->dhcp4.wanted && k < i->lease4.ntp_count && left; k++, left--)
			ntp_add(list, i->lease4.ntp[k]);
}

static void ntp_path(char *path)
{
	snprintf(path, NTP_PATH_MAX, "%s/ntp.pid", uplink.config.dir);
}

/* That of a former hostd */
static void ntp_end_former(void)
{
	struct buf b = BUF_INIT(64);
	char path[NTP_PATH_MAX];
	struct proc former;
	uint64_t pid, ticks;
	char *blank;

	ntp_path(path);
	if (file_read(AT_FDCWD, path, &b, NULL) == 0 && b.len && (blank = strchr(b.data, ' '))) {
		*blank = '\0';
		if (str_u64(b.data, INT_MAX, &pid) == 0 &&
		    str_u64(str_trim(blank + 1), UINT64_MAX, &ticks) == 0 &&
		    proc_adopt((pid_t)pid, ticks, &former) == 0) {
			(void)proc_kill(&former, SIGKILL);
			fd_close(former.pidfd);
		}
	}
	buf_done(&b);
}

static void ntp_release(void)
{
	watch_del(&ntp.ended);
	ntp.proc.pidfd = fd_close(ntp.proc.pidfd);
}

static void ntp_start(void);

static void ntp_ended(struct watch *w, uint32_t events)
{
	int code = 0;

	(void)w;
	(void)events;
	if (proc_reap(&ntp.proc, &code) == 0)
		return;
	ntp_release();
	if (!*ntp.servers)
		return;
	if (ntp.again) {
		ntp_start();
		return;
	}
	log_warn("uplink", "ev=ntp_ended code=%d", code);
	timer_set(&ntp.restart, NTP_RESTART_MS);
}

static void ntp_remember(void)
{
	char path[NTP_PATH_MAX], text[64];
	uint64_t ticks;

	if (proc_start_time(ntp.proc.pid, &ticks) < 0)
		return;
	ntp_path(path);
	snprintf(text, sizeof(text), "%d %llu\n", (int)ntp.proc.pid, (unsigned long long)ticks);
	(void)file_write(AT_FDCWD, path, text, strlen(text), 0644, NULL);
}

static void ntp_start(void)
{
	const char *argv[5 + 2 * UPLINK_NTP_MAX + 1] = {NTP_PROGRAM, "-n", "-S", NTP_HELPER};
	const int fds[] = {-1, STDERR_FILENO, STDERR_FILENO};
	const struct proc_spec spec = {.argv = argv, .fds = fds, .fd_count = 3, .cgroup_fd = -1};
	char list[NTP_LIST_MAX], *save = NULL;
	struct err e = ERR_INIT;
	size_t n = 4;

	ntp.again = false;
	memcpy(list, ntp.servers, sizeof(list));
	for (char *s = strtok_r(list, " ", &save); s && n < ARRAY_SIZE(argv) - 2;
	     s = strtok_r(NULL, " ", &save)) {
		argv[n++] = "-p";
		argv[n++] = s;
	}
	if (proc_spawn(&spec, &ntp.proc, &e) < 0 ||
	    watch_add(uplink.config.loop, &ntp.ended, ntp.proc.pidfd, EPOLLIN, ntp_ended) < 0) {
		log_warn("uplink", "ev=ntp_failed error=\"%s\"", err_msg(&e));
		ntp.proc.pidfd = fd_close(ntp.proc.pidfd);
		timer_set(&ntp.restart, NTP_RESTART_MS);
		return;
	}
	ntp_remember();
	log_info("uplink", "ev=ntp_started servers=\"%s\"", ntp.servers);
}

static void ntp_restart_due(struct timer *t)
{
	(void)t;
	if (!ntp.ended.loop && *ntp.servers)
		ntp_start();
}

void ntp_apply(struct uplink *u)
{
	char list[NTP_LIST_MAX];

	if (!ntp.begun) {
		ntp.begun = true;
		ntp.proc.pidfd = -1;
		timer_init(u->config.loop, &ntp.restart, ntp_restart_due);
		ntp_end_former();
	}
	ntp_servers(u, list);
	if (str_eq(list, ntp.servers))
		return;
	memcpy(ntp.servers, list, sizeof(list));
	timer_cancel(&ntp.restart);
	ntp.again = ntp.ended.loop;
	if (ntp.again)
		(void)proc_kill(&ntp.proc, SIGKILL);
	else if (*list)
		ntp_start();
}
