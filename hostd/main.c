// SPDX-License-Identifier: Apache-2.0
/*
 * hostd: puts the modules together and runs the loop. What depends on what is said here and only
 * here: the modules know each other through these callbacks.
 *
 * hostd is crash-only. SIGTERM ends it and leaves every VM running; the next one finds them.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "host/host.h"
#include "node/node.h"

#define HOSTD_VERSION	    "0.1"
#define HOSTD_PORT	    10250
#define HOSTD_PODS_MAX	    110
#define HOSTD_RESERVE_BYTES ((uint64_t)128 << 20)
#define HOSTD_PEM_MAX	    65536

struct hostd {
	struct loop loop;
	char run_dir[PATH_MAX / 4];
	bool coldplug, dhcp;
	struct host_settings settings;
	struct host_inventory inventory;
	char address[HOST_ADDRESS_MAX];
	char node_dir[PATH_MAX / 2];
	char *ca_pem, *token;
	struct node *node;
};

static void hostd_usage(void)
{
	puts("usage: hostd [options]\n"
	     "Runs this machine as a node: joins the API that the boot settings name and runs its pods,\n"
	     "each in a VM of its own.\n\n"
	     "  --run-dir DIR   settings and state (default /run/hyper): boot/{settings,ca.crt,token},\n"
	     "                  node, net, pods\n"
	     "  --no-coldplug   load no kernel modules\n"
	     "  --no-dhcp       leave the network alone\n"
	     "  --version       print the version\n"
	     "  --help          print this\n\n"
	     "HYPER_LOG=error|warn|info|debug sets how much is logged.");
}

static void hostd_on_pod(enum node_pod_event event, const struct json *pod, void *arg)
{
	(void)event;
	(void)pod;
	(void)arg;
}

static void hostd_on_list(const struct json *pods, void *arg)
{
	(void)pods;
	(void)arg;
}

static void hostd_on_serving(const char *cert_pem, const char *key_pem, void *arg)
{
	(void)cert_pem;
	(void)key_pem;
	(void)arg;
}

static void hostd_on_node(const struct json *node, void *arg)
{
	(void)node;
	(void)arg;
}

static void hostd_on_date(const char *date, void *arg)
{
	(void)arg;
	(void)host_clock_floor(host_clock_http_date(date), "api");
}

static int hostd_read(const struct hostd *h, const char *name, char **text, struct err *e)
{
	struct buf b = BUF_INIT(HOSTD_PEM_MAX);
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/boot/%s", h->run_dir, name);
	r = file_read(AT_FDCWD, path, &b, e);
	if (r == 0)
		*text = mem_strdup(str_trim(buf_take(&b)));
	buf_done(&b);
	return r;
}

static void hostd_start_node(struct hostd *h)
{
	static const struct node_ops ops = {
		.on_pod = hostd_on_pod,
		.on_list = hostd_on_list,
		.on_serving = hostd_on_serving,
		.on_node = hostd_on_node,
		.on_date = hostd_on_date,
	};
	const struct host_inventory *i = &h->inventory;
	const struct node_config config = {
		.loop = &h->loop,
		.api = h->settings.api,
		.name = h->settings.node_name,
		.ca_pem = h->ca_pem,
		.token = h->token,
		.state_dir = h->node_dir,
		.runtime_version = "hostd://" HOSTD_VERSION,
		.address = h->address,
		.port = h->settings.advertise_port ? h->settings.advertise_port : HOSTD_PORT,
		.machine =
			{
				.cpus = i->cpus,
				.pods_max = HOSTD_PODS_MAX,
				.memory_bytes = i->memory_bytes,
				.memory_alloc_bytes =
					i->memory_bytes > HOSTD_RESERVE_BYTES
						? i->memory_bytes - HOSTD_RESERVE_BYTES
						: 0,
				.machine_id = i->machine_id,
				.system_uuid = i->system_uuid,
				.boot_id = i->boot_id,
				.kernel_version = i->kernel_version,
				.os_image = i->os_image,
				.product = i->product,
			},
		.not_ready_reason = *i->no_kvm ? "NoKVM" : NULL,
		.not_ready_message = i->no_kvm,
	};
	struct err e = ERR_INIT;

	if (h->node || !*h->address)
		return;
	if (node_new(&config, &ops, h, &h->node, &e) < 0)
		log_error("main", "ev=no_node error=\"%s\"", err_msg(&e));
}

static void hostd_on_lease(const struct host_lease *lease, void *arg)
{
	struct hostd *h = arg;

	if (!*h->address)
		(void)str_copy(h->address, sizeof(h->address), lease->address);
	hostd_start_node(h);
}

static void hostd_on_signal(int signo, void *arg)
{
	struct hostd *h = arg;

	if (signo == SIGCHLD) {
		host_network_reap();
		return;
	}
	log_info("main", "ev=stopping signal=%d", signo);
	loop_stop(&h->loop, 0);
}

static int hostd_start_host(struct hostd *h, struct err *e)
{
	char path[PATH_MAX];
	struct err minor = ERR_INIT;
	int r = host_mounts_check(e);

	if (r < 0)
		return r;
	(void)host_clock_floor(host_clock_image(), "image");
	snprintf(path, sizeof(path), "%s/boot/settings", h->run_dir);
	r = host_settings_load(path, &h->settings, e);
	if (r < 0)
		return r;
	(void)host_clock_floor(h->settings.time_s, "boot");
	if (h->coldplug && host_coldplug(&minor) < 0)
		log_warn("main", "ev=no_coldplug error=\"%s\"", err_msg(&minor));
	if (h->coldplug && host_hotplug_start(&h->loop, host_network_rescan, &minor) < 0)
		log_warn("main", "ev=no_hotplug error=\"%s\"", err_msg(&minor));
	if (h->coldplug && host_watchdog_start(&h->loop, &minor) < 0)
		log_info("main", "ev=no_watchdog error=\"%s\"", err_msg(&minor));
	host_inventory_read(&h->inventory);
	r = hostd_read(h, "ca.crt", &h->ca_pem, e);
	if (r == 0 && hostd_read(h, "token", &h->token, NULL) < 0)
		h->token = NULL;
	return r;
}

static int hostd_start_network(struct hostd *h, struct err *e)
{
	char path[PATH_MAX], host[HOST_URL_MAX];
	const struct host_network_config config = {
		.loop = &h->loop,
		.lease_dir = path,
		.hostname = h->settings.node_name,
		.on_lease = hostd_on_lease,
		.arg = h,
	};

	(void)str_copy(h->address, sizeof(h->address), h->settings.advertise_address);
	if (h->dhcp) {
		snprintf(path, sizeof(path), "%s/net", h->run_dir);
		return host_network_start(&config, e);
	}
	snprintf(host, sizeof(host), "%s", h->settings.api + strlen("https://"));
	host[strcspn(host, ":/")] = '\0';
	if (!*h->address && host_route_address(host, h->address, sizeof(h->address)) < 0)
		(void)str_copy(h->address, sizeof(h->address), "127.0.0.1");
	hostd_start_node(h);
	return 0;
}

static int hostd_options(struct hostd *h, int argc, char **argv)
{
	static const struct option options[] = {
		{"run-dir", required_argument, NULL, 'r'}, {"no-coldplug", no_argument, NULL, 'c'},
		{"no-dhcp", no_argument, NULL, 'd'},	   {"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},	   {NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (c == 'r' && str_copy(h->run_dir, sizeof(h->run_dir), optarg) == 0)
			continue;
		if (c == 'c') {
			h->coldplug = false;
		} else if (c == 'd') {
			h->dhcp = false;
		} else if (c == 'v') {
			puts("hostd " HOSTD_VERSION);
			return 0;
		} else if (c == 'h') {
			hostd_usage();
			return 0;
		} else {
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "hostd: unexpected argument '%s'; see --help\n", argv[optind]);
		return 2;
	}
	return -1;
}

int main(int argc, char **argv)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGCHLD, 0};
	static struct hostd h = {.run_dir = "/run/hyper", .coldplug = true, .dhcp = true};
	struct err e = ERR_INIT;
	int r = hostd_options(&h, argc, argv);

	if (r >= 0)
		return r;
	log_init("hostd");
	signal(SIGPIPE, SIG_IGN);
	snprintf(h.node_dir, sizeof(h.node_dir), "%s/node", h.run_dir);
	r = loop_init(&h.loop);
	if (r == 0)
		r = loop_signals(&h.loop, signals, hostd_on_signal, &h);
	if (r < 0)
		err_sys(&e, r, "event loop");
	if (r == 0)
		r = hostd_start_host(&h, &e);
	if (r == 0)
		r = hostd_start_network(&h, &e);
	if (r < 0) {
		log_error("main", "ev=failed error=\"%s\"", err_msg(&e));
		return 1;
	}
	r = loop_run(&h.loop);
	node_free(h.node);
	return r < 0 ? 1 : r;
}
