// SPDX-License-Identifier: Apache-2.0
/* The command line, and the paths that follow from it. */
#include <getopt.h>
#include <stdio.h>

#include "base/str.h"
#include "hostd.h"
#include "journal/journal.h"

static int options_usage(void)
{
	return puts("usage: hostd [options]\n"
		    "Runs this machine as a node: joins the API that the boot settings name and runs its pods,\n"
		    "each in a VM of its own.\n\n"
		    "  --run-dir DIR    settings and state (/run/hyper): boot/{settings,ca.crt,token}, node,\n"
		    "                   net, pods\n"
		    "  --store-dir DIR  images, scratch, logs (/var/lib/hypermetal)\n"
		    "  --bin-dir DIR    hypervm, hostd-image, hostd-api, hostd-inventory, hostd-disk, mkfs.erofs\n"
		    "                   (/usr/bin)\n"
		    "  --lib-dir DIR    hyperkernel, hyperkernel-full, hyperstart.cpio (/usr/lib/hypermetal)\n"
		    "  --no-coldplug    load no kernel modules, leave the watchdog alone\n"
		    "  --no-dhcp        leave the network alone\n"
		    "  --version        print the version\n"
		    "  --help           print this\n\n"
		    "HYPER_LOG=error|warn|info|debug sets how much is logged.") < 0;
}

int options_parse(struct hostd *h, int argc, char **argv)
{
	static const struct option options[] = {
		{"run-dir", required_argument, NULL, 'r'},
		{"store-dir", required_argument, NULL, 's'},
		{"bin-dir", required_argument, NULL, 'b'},
		{"lib-dir", required_argument, NULL, 'l'},
		{"no-coldplug", no_argument, NULL, 'c'},
		{"no-dhcp", no_argument, NULL, 'd'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c, r = 0;

	while (r == 0 && (c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		if (c == 'r')
			r = str_copy(h->paths.run, sizeof(h->paths.run), optarg);
		else if (c == 's')
			r = str_copy(h->paths.store, sizeof(h->paths.store), optarg);
		else if (c == 'b')
			r = str_copy(h->paths.bin, sizeof(h->paths.bin), optarg);
		else if (c == 'l')
			r = str_copy(h->paths.lib, sizeof(h->paths.lib), optarg);
		else if (c == 'c')
			h->coldplug = false;
		else if (c == 'd')
			h->dhcp = false;
		else if (c == 'h')
			return options_usage();
		else if (c == 'v')
			return puts("hostd " HOSTD_VERSION) < 0;
		else
			return 2;
	}
	if (r < 0 || optind < argc) {
		fprintf(stderr, r < 0 ? "hostd: a folder's name is too long\n"
				      : "hostd: unexpected argument; see --help\n");
		return 2;
	}
	return -1;
}

void options_paths(struct hostd *h)
{
	snprintf(h->node_dir, sizeof(h->node_dir), "%s/node", h->paths.run);
	snprintf(h->pods_dir, sizeof(h->pods_dir), "%s/pods", h->paths.run);
	snprintf(h->scratch_dir, sizeof(h->scratch_dir), "%s/scratch", h->paths.store);
	snprintf(h->log_dir, sizeof(h->log_dir), "%s/logs", h->paths.store);
	snprintf(h->image_dir, sizeof(h->image_dir), "%s/images", h->paths.store);
	snprintf(h->hypervm, sizeof(h->hypervm), "%s/hypervm", h->paths.bin);
	snprintf(h->image_worker, sizeof(h->image_worker), "%s/hostd-image", h->paths.bin);
	snprintf(h->api_worker, sizeof(h->api_worker), "%s/hostd-api", h->paths.bin);
	snprintf(h->inventory_worker, sizeof(h->inventory_worker), "%s/hostd-inventory",
		 h->paths.bin);
	snprintf(h->disk_worker, sizeof(h->disk_worker), "%s/hostd-disk", h->paths.bin);
	snprintf(h->disk_lock_dir, sizeof(h->disk_lock_dir), "%s/disks", h->paths.run);
	snprintf(h->lldp_dir, sizeof(h->lldp_dir), "%s/lldp", h->paths.run);
	snprintf(h->host_log, sizeof(h->host_log),
		 "%s/" JOURNAL_DIR "/" JOURNAL_RING "/" JOURNAL_RING, h->paths.run);
	snprintf(h->mkfs, sizeof(h->mkfs), "%s/mkfs.erofs", h->paths.bin);
	snprintf(h->kernel, sizeof(h->kernel), "%s/hyperkernel", h->paths.lib);
	snprintf(h->kernel_full, sizeof(h->kernel_full), "%s/hyperkernel-full", h->paths.lib);
	snprintf(h->initrd, sizeof(h->initrd), "%s/hyperstart.cpio", h->paths.lib);
	snprintf(h->resolv_conf, sizeof(h->resolv_conf), "/etc/resolv.conf");
}
