// SPDX-License-Identifier: Apache-2.0
/*
 * DHCP clients: a udhcpc or udhcpc6 child for each interface that wants one, which never gives up. It starts with the
 * first carrier and starts again with every further one, as the link may then lead elsewhere; the address of before
 * stays until the answer is another. hostd started again: clients of the former hostd live on, and are taken over by
 * their pid file. To the server a client says the vendor class "hypermetal", by which that can tell hosts where the
 * boot service is (piece.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "uplink/internal.h"

#define CLIENT_HELPER	  "/usr/bin/hostd-lease"
#define CLIENT_PATH_MAX	  256
#define CLIENT_RESTART_MS 2000
#define CLIENT_SETTLED_MS 1000
#define CLIENT_KILLED_MS  100
#define CLIENT_FIRST_FD	  3

static const char *client_program(const struct uplink_client *c)
{
	return c->v6 ? "udhcpc6" : "udhcpc";
}

static void client_path(const struct uplink_client *c, const char *suffix, char *path)
{
	snprintf(path, CLIENT_PATH_MAX, "%s/%s.%s%s", uplink.config.dir, c->iface->name, suffix,
		 c->v6 ? "6" : "");
}

static void client_start(struct uplink_client *c);

static void client_release(struct uplink_client *c)
{
	watch_del(&c->ended);
	c->proc.pidfd = fd_close(c->proc.pidfd);
	timer_cancel(&c->settled);
}

static void client_ended(struct watch *w, uint32_t events)
{
	struct uplink_client *c = container_of(w, struct uplink_client, ended);
	char path[CLIENT_PATH_MAX];
	int code = 0;

	(void)events;
	if (proc_reap(&c->proc, &code) == 0)
		return;
	client_release(c);
	client_path(c, "pid", path);
	(void)unlink(path);
	if (!c->wanted)
		return;
	if (timer_armed(&c->restart)) { /* it was asked to */
		timer_cancel(&c->restart);
		client_start(c);
		return;
	}
	log_warn("uplink", "ev=dhcp_ended iface=%s client=%s code=%d", c->iface->name,
		 client_program(c), code);
	timer_set(&c->restart, CLIENT_RESTART_MS);
}

static void client_hold(struct uplink_client *c)
{
	if (watch_add(uplink.config.loop, &c->ended, c->proc.pidfd, EPOLLIN, client_ended) < 0) {
		(void)proc_kill(&c->proc, SIGKILL);
		client_release(c);
		timer_set(&c->restart, CLIENT_RESTART_MS);
		return;
	}
	timer_set(&c->settled, CLIENT_SETTLED_MS);
}

/* One that a former hostd started, by its pid file. Return: 0; -ESRCH when there is none */
static int client_adopt(struct uplink_client *c)
{
	struct buf b = BUF_INIT(64);
	char path[CLIENT_PATH_MAX];
	uint64_t pid = 0, ticks;
	int r;

	client_path(c, "pid", path);
	r = file_read(AT_FDCWD, path, &b, NULL);
	if (r == 0)
		r = b.len ? str_u64(str_trim(b.data), INT_MAX, &pid) : -ESRCH;
	if (r == 0) {
		snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
		buf_clear(&b);
		r = file_read(AT_FDCWD, path, &b, NULL);
	}
	if (r == 0)
		r = b.len && str_eq(str_trim(b.data), client_program(c)) ? 0 : -ESRCH;
	buf_done(&b);
	if (r == 0)
		r = proc_start_time((pid_t)pid, &ticks);
	if (r == 0)
		r = proc_adopt((pid_t)pid, ticks, &c->proc);
	return r < 0 ? -ESRCH : 0;
}

static int client_spawn(struct uplink_client *c, struct err *e)
{
	char lease[CLIENT_PATH_MAX + 16], file[CLIENT_PATH_MAX], pid[CLIENT_PATH_MAX], host[300];
	const char *const argv4[] = {"/sbin/udhcpc", "-f",  "-i", c->iface->name, "-p", pid,  "-s",
				     CLIENT_HELPER,  "-t",  "3",  "-T",		  "2",	"-A", "3",
				     "-O",	     "mtu", "-O", "staticroutes", "-x", host, "-V",
				     "hypermetal",   NULL};
	const char *const argv6[] = {"/sbin/udhcpc6",
				     "-f",
				     "-i",
				     c->iface->name,
				     "-p",
				     pid,
				     "-s",
				     CLIENT_HELPER,
				     "-t",
				     "3",
				     "-T",
				     "2",
				     "-A",
				     "3",
				     "-O",
				     "dns",
				     NULL};
	const char *const envp[] = {"PATH=/usr/bin", lease, NULL};
	const int fds[] = {-1, STDERR_FILENO, STDERR_FILENO};
	const struct proc_spec spec = {
		.argv = c->v6 ? argv6 : argv4,
		.envp = envp,
		.fds = fds,
		.fd_count = CLIENT_FIRST_FD,
		.cgroup_fd = -1,
	};

	client_path(c, "lease", file);
	snprintf(lease, sizeof(lease), "HYPER_LEASE=%s", file);
	client_path(c, "pid", pid);
	snprintf(host, sizeof(host), "hostname:%s", uplink.config.hostname);
	return proc_spawn(&spec, &c->proc, e);
}

static void client_start(struct uplink_client *c)
{
	struct err e = ERR_INIT;

	if (!c->wanted || c->ended.loop)
		return;
	if (client_adopt(c) == 0 || client_spawn(c, &e) == 0) {
		client_hold(c);
		return;
	}
	log_warn("uplink", "ev=dhcp_failed iface=%s error=\"%s\"", c->iface->name, err_msg(&e));
	c->proc.pidfd = -1;
	timer_set(&c->restart, CLIENT_RESTART_MS);
}

static void client_restart_due(struct timer *t)
{
	client_start(container_of(t, struct uplink_client, restart));
}

static void client_settled(struct timer *t)
{
	(void)t; /* that it is armed no more says it all */
}

void client_init(struct uplink_client *c, struct loop *loop, struct uplink_if *i, bool v6)
{
	*c = (struct uplink_client){.iface = i, .v6 = v6, .proc = {.pidfd = -1}};
	timer_init(loop, &c->restart, client_restart_due);
	timer_init(loop, &c->settled, client_settled);
}

void client_want(struct uplink_client *c, bool wanted)
{
	char path[CLIENT_PATH_MAX];

	if (wanted) {
		c->wanted = true;
		if (!timer_armed(&c->restart))
			client_start(c);
		return;
	}
	if (!c->wanted && c->looked)
		return;
	c->wanted = false;
	c->looked = true;
	timer_cancel(&c->restart);
	if (!c->ended.loop && client_adopt(c) == 0)
		client_hold(c);
	if (c->ended.loop)
		(void)proc_kill(&c->proc, SIGKILL);
	client_path(c, "lease", path);
	(void)unlink(path);
	client_path(c, "pid", path);
	(void)unlink(path);
	free(take_ptr(c->said));
}

void client_afresh(struct uplink_client *c)
{
	if (!c->wanted)
		return;
	if (!c->ended.loop) {
		timer_cancel(&c->restart);
		client_start(c);
	} else if (!timer_armed(&c->settled)) {
		timer_set(&c->restart, CLIENT_RESTART_MS);
		(void)proc_kill(&c->proc, SIGKILL);
	}
}

void client_done(struct uplink_client *c)
{
	free(take_ptr(c->said));
	c->wanted = false;
	timer_cancel(&c->restart);
	if (c->ended.loop) {
		struct pollfd ended = {.fd = c->proc.pidfd, .events = POLLIN};
		int code;

		(void)proc_kill(&c->proc, SIGKILL);
		(void)poll(&ended, 1, CLIENT_KILLED_MS);
		(void)proc_reap(&c->proc, &code);
		client_release(c);
	}
}

bool client_had_lease(const struct uplink_client *c)
{
	char path[CLIENT_PATH_MAX];

	client_path(c, "lease", path);
	return access(path, F_OK) == 0;
}

bool client_lease(struct uplink_client *c, struct uplink_lease *lease)
{
	_cleanup_free_ struct uplink_lease *now = NULL;
	struct buf b = BUF_INIT(LEASE_SIZE_MAX);
	char path[CLIENT_PATH_MAX];
	bool changed;

	client_path(c, "lease", path);
	changed = c->wanted && file_read(AT_FDCWD, path, &b, NULL) == 0 &&
		  (!c->said || !str_eq(buf_str(&b), c->said));
	if (changed) {
		free(c->said);
		c->said = mem_strdup(buf_str(&b));
		now = mem_alloc(sizeof(*now));
		changed = uplink_lease_parse(c->said, now) == 0;
	}
	if (changed)
		*lease = *now;
	buf_done(&b);
	return changed;
}
