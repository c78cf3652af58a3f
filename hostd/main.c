// SPDX-License-Identifier: Apache-2.0
/*
 * hostd: options, the machine, then the loop. What the modules have to do with each other is in wire.c.
 *
 * hostd is crash-only. SIGTERM ends it and leaves every VM running; the next one finds them.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "hostd.h"
#include "journal/journal.h"
#include "piece.h"

#define HOSTD_PEM_MAX 65536

static int hostd_read(const struct hostd *h, const char *name, char **text, struct err *e)
{
	struct buf b = BUF_INIT(HOSTD_PEM_MAX);
	char path[HOSTD_PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/boot/%s", h->paths.run, name);
	r = file_read(AT_FDCWD, path, &b, e);
	if (r == 0)
		*text = mem_strdup(b.data ? str_trim(b.data) : "");
	buf_done(&b);
	return r;
}

static void hostd_set_log(const char *level)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eq(level, names[i]))
			log_set_level((enum log_level)i);
}

static void hostd_on_button(void *arg)
{
	reboot_begin(arg, true, "the power button was pressed");
}

static int hostd_start_host(struct hostd *h, struct err *e)
{
	char path[HOSTD_PATH_MAX];
	struct err minor = ERR_INIT;
	int r = host_mounts_check(e);

	if (r < 0)
		return r;
	(void)host_clock_floor(host_clock_image(), "image");
	snprintf(path, sizeof(path), "%s/boot/settings", h->paths.run);
	r = host_settings_load(path, &h->settings, e);
	h->bare = r == -ENOENT;
	if (h->bare)
		err_clear(e);
	else if (r < 0)
		return r;
	hostd_set_log(h->settings.log);
	if (!h->bare) {
		snprintf(path, sizeof(path), "%s/clock", h->paths.run);
		(void)host_clock_boot(h->settings.time_s, path);
	}
	network_plan(h);
	if (h->coldplug)
		(void)host_watchdog_start(&h->loop, h->settings.watchdog_s, false, NULL);
	if (h->coldplug && host_coldplug(&minor) < 0)
		log_warn("main", "ev=no_coldplug error=\"%s\"", err_msg(&minor));
	if (h->coldplug && host_hotplug_start(&h->loop, uplink_rescan, &minor) < 0)
		log_warn("main", "ev=no_hotplug error=\"%s\"", err_msg(&minor));
	if (h->coldplug && host_watchdog_start(&h->loop, h->settings.watchdog_s, true, &minor) < 0)
		log_warn("main", "ev=no_watchdog error=\"%s\"", err_msg(&minor));
	if (h->coldplug && host_button_start(&h->loop, hostd_on_button, h, &minor) < 0)
		log_info("main", "ev=no_power_button error=\"%s\"", err_msg(&minor));
	if (host_cgroup_init(h->cgroup_dir, sizeof(h->cgroup_dir), &minor) < 0)
		log_warn("main", "ev=no_cgroups error=\"%s\"", err_msg(&minor));
	if (h->bare)
		return 0;
	host_inventory_read(&h->inventory);
	wire_fate_mark(h, FATE_DEVICES);
	wire_fate_look(h);
	if (*h->inventory.no_kvm)
		log_error("main", "ev=no_kvm error=\"%s\"", h->inventory.no_kvm);
	else if (host_kvm_hold(&minor) < 0) /* for as long as we live */
		log_warn("main", "ev=kvm_not_held error=\"%s\"", err_msg(&minor));
	wire_syslog(h);
	r = hostd_read(h, "ca.crt", &h->ca_pem, e);
	if (r == 0 && hostd_read(h, "token", &h->token, NULL) < 0)
		h->token = NULL;
	return r;
}

static void hostd_on_signal(int signo, void *arg)
{
	struct hostd *h = arg;

	if (signo == SIGUSR1) { /* init: somebody pressed Ctrl-Alt-Del */
		reboot_begin(h, false, "Ctrl-Alt-Del was pressed");
		return;
	}
	log_info("main", "ev=stopping signal=%d", signo);
	loop_stop(&h->loop, 0);
}

/* A node; or, without files of its own, a host that asks for them: init starts the next hostd, which finds them */
static int hostd_start(struct hostd *h, struct err *e)
{
	int r;

	wire_screen(h);
	if (h->bare)
		return piece_start(h, e);
	h->data_bytes = storage_mounted(h->paths.store);
	r = wire_pods(h, e);
	if (r == 0) {
		wire_storage(h);
		r = network_start(h, e);
	}
	if (r == 0)
		log_info("main", "ev=hostd_started version=" HOSTD_VERSION " node=%s",
			 h->settings.node_name);
	return r;
}

int main(int argc, char **argv)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGUSR1, 0};
	static struct hostd h; /* filled in here: its many zeros are no part of the program's file */
	const struct rlimit files = {65536, 65536};
	struct err e = ERR_INIT;
	int r;

	h.paths = (struct hostd_paths){"/run/hyper", "/var/lib/hypermetal", "/usr/bin",
				       "/usr/lib/hypermetal"};
	h.coldplug = h.dhcp = true;
	r = options_parse(&h, argc, argv);
	if (r >= 0)
		return r;
	log_init("hostd");
	signal(SIGPIPE, SIG_IGN);
	(void)setrlimit(RLIMIT_NOFILE, &files); /* a VM takes a dozen while it is prepared */
	/* What has been used once stays: it is hostd who ends a shortage of memory */
	(void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
	options_paths(&h);
	if (journal_start(h.paths.run, &e) < 0)
		err_clear(&e); /* not on an image of ours: standard error stays what it is */
	r = loop_init(&h.loop);
	if (r == 0)
		r = loop_signals(&h.loop, signals, hostd_on_signal, &h);
	if (r < 0)
		err_sys(&e, r, "event loop");
	if (r == 0)
		wire_fate_begin(&h);
	if (r == 0)
		r = hostd_start_host(&h, &e);
	if (r == 0)
		r = hostd_start(&h, &e);
	if (r < 0) {
		(void)str_copy(h.screen_trouble, sizeof(h.screen_trouble), err_msg(&e));
		wire_screen(&h);
		log_error("main", "ev=failed error=\"%s\"", err_msg(&e));
		return 1;
	}
	r = loop_run(&h.loop);
	wire_done(&h);
	return r < 0 ? 1 : r;
}
