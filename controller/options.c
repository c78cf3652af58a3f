// SPDX-License-Identifier: Apache-2.0
/* The command line: long options only, every value checked before anything starts. */
#include "options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static const char usage[] =
	"usage: controller --data DIR [OPTION...]\n"
	"       controller boot-config --help\n"
	"\n"
	"The API that hosts register with, and the boot service that starts them. boot-config prints a\n"
	"configuration of dnsmasq that leads machines there.\n"
	"\n"
	"  --data DIR               database and certificate authority; made if need be\n"
	"  --listen ADDR:PORT       of the API (default 0.0.0.0:6443)\n"
	"  --advertise-api URL      how hosts and operators reach it (default https://ADDR:PORT)\n"
	"  --kubeconfig FILE        write an administrator's kubeconfig there, mode 0600\n"
	"  --boot-listen ADDR:PORT  of the boot service, plain HTTP (default: none)\n"
	"  --advertise-boot URL     how booting machines reach it (default http://ADDR:PORT)\n"
	"  --images DIR             the default image: kernel and initramfs (default out/images)\n"
	"  --ready-within SECONDS   until a host on a new image must be Ready, or it gets the last\n"
	"                           good one; as it does after three boots (default 600)\n"
	"  --boot-args TEXT         more words for the hosts' kernel command line\n"
	"  --host-settings FILE     settings of every host, key=value lines\n"
	"  --host-settings-dir DIR  settings of one host: DIR/52-54-00-12-34-56\n"
	"  --enrol auto|manual      auto: a machine that booted from here may join;\n"
	"                           manual: the operator approves its first request (default auto)\n"
	"  --api URL                boot and enrolment for another API server, as kube-apiserver;\n"
	"                           --kubeconfig FILE is then read: it lets us in there\n"
	"  --help\n"
	"\n"
	"HYPER_LOG=error|warn|info|debug sets what is logged.\n";

int listen_parse(const char *text, struct listen_address *out)
{
	const char *colon = strrchr(text, ':');
	unsigned char ip[16];
	uint64_t port;
	size_t len;

	if (!colon || str_u64(colon + 1, 65535, &port) < 0)
		return -EINVAL;
	len = (size_t)(colon - text);
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len >= sizeof(out->host))
		return -EINVAL;
	memcpy(out->host, text, len);
	out->host[len] = '\0';
	if (!len)
		str_copy(out->host, sizeof(out->host), "0.0.0.0");
	out->port = (uint16_t)port;
	return inet_pton(AF_INET, out->host, ip) == 1 || inet_pton(AF_INET6, out->host, ip) == 1
		       ? 0
		       : -EINVAL;
}

int url_host(const char *url, char *out, size_t size)
{
	const char *host = strstr(url, "://");
	size_t len;

	if (!host)
		return -EINVAL;
	host += 3;
	if (*host == '[') {
		host++;
		len = strcspn(host, "]");
	} else {
		len = strcspn(host, ":/");
	}
	if (!len || len >= size)
		return -EINVAL;
	memcpy(out, host, len);
	out[len] = '\0';
	return 0;
}

int url_check(const char *name, const char *url, const char *scheme, struct err *e)
{
	char host[256];

	if (!url)
		return 0;
	if (!str_starts(url, scheme) || url_host(url, host, sizeof(host)) < 0 ||
	    strpbrk(url, " \t\"'\n"))
		return err_set(e, -EINVAL, "%s: %s is not a URL that begins with %s", name, url,
			       scheme);
	return 0;
}

static int check(struct options *o, struct err *e)
{
	int r;

	if (!o->data)
		return err_set(e, -EINVAL, "--data DIR is missing");
	if (o->remote_api && !o->kubeconfig)
		return err_set(e, -EINVAL, "--api needs --kubeconfig FILE, to be let in there");
	r = url_check("--advertise-api", o->advertise_api, "https://", e);
	if (r == 0)
		r = url_check("--api", o->remote_api, "https://", e);
	if (r == 0)
		r = url_check("--advertise-boot", o->advertise_boot, "http://", e);
	if (r == 0 && o->boot_args && strpbrk(o->boot_args, "\n\r"))
		r = err_set(e, -EINVAL, "--boot-args: must be one line");
	return r;
}

enum {
	OPT_DATA = 1,
	OPT_LISTEN,
	OPT_ADVERTISE_API,
	OPT_KUBECONFIG,
	OPT_BOOT_LISTEN,
	OPT_ADVERTISE_BOOT,
	OPT_IMAGES,
	OPT_READY_WITHIN,
	OPT_BOOT_ARGS,
	OPT_SETTINGS,
	OPT_SETTINGS_DIR,
	OPT_ENROL,
	OPT_API,
	OPT_HELP,
};

static const struct option longs[] = {
	{"data", required_argument, NULL, OPT_DATA},
	{"listen", required_argument, NULL, OPT_LISTEN},
	{"advertise-api", required_argument, NULL, OPT_ADVERTISE_API},
	{"kubeconfig", required_argument, NULL, OPT_KUBECONFIG},
	{"boot-listen", required_argument, NULL, OPT_BOOT_LISTEN},
	{"advertise-boot", required_argument, NULL, OPT_ADVERTISE_BOOT},
	{"images", required_argument, NULL, OPT_IMAGES},
	{"ready-within", required_argument, NULL, OPT_READY_WITHIN},
	{"boot-args", required_argument, NULL, OPT_BOOT_ARGS},
	{"host-settings", required_argument, NULL, OPT_SETTINGS},
	{"host-settings-dir", required_argument, NULL, OPT_SETTINGS_DIR},
	{"enrol", required_argument, NULL, OPT_ENROL},
	{"api", required_argument, NULL, OPT_API},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static int take(struct options *o, int opt, const char *value, struct err *e)
{
	uint64_t n;

	switch (opt) {
	case OPT_DATA:
		o->data = value;
		return 0;
	case OPT_LISTEN:
		return listen_parse(value, &o->api) == 0
			       ? 0
			       : err_set(e, -EINVAL, "--listen: %s is not ADDR:PORT", value);
	case OPT_ADVERTISE_API:
		o->advertise_api = value;
		return 0;
	case OPT_KUBECONFIG:
		o->kubeconfig = value;
		return 0;
	case OPT_BOOT_LISTEN:
		o->serve_boot = true;
		return listen_parse(value, &o->boot) == 0
			       ? 0
			       : err_set(e, -EINVAL, "--boot-listen: %s is not ADDR:PORT", value);
	case OPT_ADVERTISE_BOOT:
		o->advertise_boot = value;
		return 0;
	case OPT_IMAGES:
		o->images = value;
		return 0;
	case OPT_READY_WITHIN:
		if (str_u64(value, 86400, &n) < 0 || n < 30)
			return err_set(e, -EINVAL, "--ready-within: %s is not 30 to 86400", value);
		o->ready_within_s = (unsigned int)n;
		return 0;
	case OPT_BOOT_ARGS:
		o->boot_args = value;
		return 0;
	case OPT_SETTINGS:
		o->host_settings = value;
		return 0;
	case OPT_SETTINGS_DIR:
		o->host_settings_dir = value;
		return 0;
	case OPT_ENROL:
		o->enrol_manual = str_eq(value, "manual");
		return o->enrol_manual || str_eq(value, "auto")
			       ? 0
			       : err_set(e, -EINVAL, "--enrol: %s is neither auto nor manual",
					 value);
	case OPT_API:
		o->remote_api = value;
		return 0;
	default:
		return err_set(e, -EINVAL, "try --help");
	}
}

int options_read(struct options *o, int argc, char **argv, struct err *e)
{
	int opt, r = 0;

	*o = (struct options){.images = "out/images", .boot_args = ""};
	listen_parse("0.0.0.0:6443", &o->api);
	while (r == 0 && (opt = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (opt == OPT_HELP) {
			fputs(usage, stdout);
			return 1;
		}
		r = take(o, opt, optarg, e);
	}
	if (r == 0 && optind < argc)
		r = err_set(e, -EINVAL, "what is %s? try --help", argv[optind]);
	return r < 0 ? r : check(o, e);
}
