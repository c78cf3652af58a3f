/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon as a whole: main.c brings the machine up, wire.c lets the modules know each other. */
#ifndef HOSTD_HOSTD_H
#define HOSTD_HOSTD_H

#include <limits.h>

#include "api/api.h"
#include "fate/fate.h"
#include "host/host.h"
#include "inventory/inventory.h"
#include "net/net.h"
#include "node/node.h"
#include "oci/oci.h"
#include "pod/pod.h"
#include "storage/storage.h"
#include "uplink/uplink.h"

#define HOSTD_VERSION  "0.1"
#define HOSTD_DIR_MAX  128
#define HOSTD_PATH_MAX 256

/* Folders, as given on the command line. */
struct hostd_paths {
	char run[HOSTD_DIR_MAX]; /* boot settings and state */
	char store[HOSTD_DIR_MAX]; /* images */
	char bin[HOSTD_DIR_MAX]; /* hypervm, hostd-image, hostd-api, mkfs.erofs */
	char lib[HOSTD_DIR_MAX]; /* hyperkernel, hyperkernel-full, hyperstart.cpio */
};

struct hostd {
	struct loop loop;
	struct hostd_paths paths;
	bool coldplug, dhcp;
	bool bare; /* booted without files of this host's own: piece.h */
	struct host_settings settings;
	struct host_inventory inventory;
	struct uplink_plan plan; /* of the host's own network */
	char address[HOST_ADDRESS_MAX]; /* where the API reaches us; "" until the network is up */
	char *ca_pem, *token;

	/* Paths that the modules borrow. */
	char node_dir[HOSTD_PATH_MAX], pods_dir[HOSTD_PATH_MAX], scratch_dir[HOSTD_PATH_MAX];
	char log_dir[HOSTD_PATH_MAX], image_dir[HOSTD_PATH_MAX];
	char hypervm[HOSTD_PATH_MAX], kernel[HOSTD_PATH_MAX], initrd[HOSTD_PATH_MAX];
	char kernel_full[HOSTD_PATH_MAX];
	char image_worker[HOSTD_PATH_MAX], mkfs[HOSTD_PATH_MAX], api_worker[HOSTD_PATH_MAX];
	char disk_worker[HOSTD_PATH_MAX];
	char inventory_worker[HOSTD_PATH_MAX], disk_lock_dir[HOSTD_PATH_MAX],
		lldp_dir[HOSTD_PATH_MAX];
	char resolv_conf[HOSTD_PATH_MAX], host_log[HOSTD_PATH_MAX];
	char cgroup_dir[HOSTD_PATH_MAX];
	char api_host[HOST_URL_MAX], api_port[HOST_PORT_MAX]; /* of settings.api */
	char no_net[ERR_MSG_MAX]; /* "" when pods get a network; else why not */
	const char *mirrors[HOST_MIRRORS_MAX];

	struct timer pressure_look;
	uint64_t pressure_until_ms[NODE_PRESSURE_MAX]; /* clock_mono_ms(); it is told until then */

	struct timer screen;
	char screen_trouble[ERR_MSG_MAX], screen_reason[ERR_MSG_MAX]; /* wire_screen.c */
	bool screen_joined, screen_ready, screen_waits;

	struct timer reboot;
	uint64_t reboot_by_ms, reboot_words_ms; /* clock_mono_ms(); 0: nobody asked */
	bool reboot_off, reboot_told; /* the machine is switched off; the API knows of it */
	unsigned int reboot_patience_s; /* for file systems and drivers */

	struct fate_evidence evidence;
	struct fate_verdict verdict;
	struct fate_times times;
	bool verdict_due, times_told; /* the API has not heard it yet; it has */
	struct timer calm;
	bool was_ready; /* the API has seen us so in this boot */

	uint64_t data_bytes; /* room on the disk that images and scratch lie on; 0: they are in RAM */
	char *disks, *wiped; /* reports on disks, as the Node gets them */
	bool cordoned; /* the API sends no new pods */

	struct oci *oci;
	struct net *net;
	struct pods *pods;
	struct node *node;
	struct api *api;
	struct storage *storage;
	struct inventory *facts; /* NULL until the Node is there: first it becomes Ready */
};

/** options_parse() - Read the command line. Return: -1 to go on, else the exit status */
int options_parse(struct hostd *h, int argc, char **argv);

/** options_paths() - Fill in the paths below the folders */
void options_paths(struct hostd *h);

/**
 * wire_pods() - Start what runs pods; VMs of an earlier hostd are adopted
 * Return: 0 or -errno. A missing network makes the host NotReady, a missing port 10250 is logged.
 */
int wire_pods(struct hostd *h, struct err *e);

/** pressure_start() - Look from time to time whether the host runs short, and act */
void pressure_start(struct hostd *h);

/** reboot_begin() - The machine is to end, of its own: its pods first, all within half a minute */
void reboot_begin(struct hostd *h, bool off, const char *why);

/** reboot_heed() - Our Node as the API has it: does it say that we shall reboot? */
void reboot_heed(struct hostd *h, const struct json *node);

/** reboot_ready() - Note the first time that it says that we are Ready: RUN/ready */
void reboot_ready(struct hostd *h, const struct json *node);

/** wire_fate_begin() - hostd starts: one that does so again and again ends the machine */
void wire_fate_begin(struct hostd *h);

/** wire_fate_look() - The drivers are there: look at the traces that the boot before left */
void wire_fate_look(struct hostd *h);

/** wire_fate_mark() - A part of this boot has ended */
void wire_fate_mark(struct hostd *h, enum fate_mark mark);

/** wire_fate_before() - What the Node says of the boot before, or of this one; NULL: there was none */
void wire_fate_before(struct hostd *h, const struct json *node);

/** wire_fate_node() - Our Node, as the API has it now */
void wire_fate_node(struct hostd *h, const struct json *node);
/** network_plan() - Read what the network shall be: the kernel's command line, and the settings if there are any */
void network_plan(struct hostd *h);

/** network_config() - For uplink_start(), what does not depend on who asks; on_address is to be set */
struct uplink_config network_config(struct hostd *h, const char *hostname);

/** network_start() - Bring the network up and join the API with the address that comes. Return: 0 or -errno */
int network_start(struct hostd *h, struct err *e);

/** wire_node() - Join the API, once the address is known; again: no harm */
void wire_node(struct hostd *h);

/** wire_inventory() - Look at what the machine is made of, now and when it changes; again: no harm */
void wire_inventory(struct hostd *h);

/** wire_screen() - Say how we are on the host's display; again: no harm */
void wire_screen(struct hostd *h);

/** wire_syslog() - Have the host's log shipped as the settings say */
void wire_syslog(const struct hostd *h);

/** wire_screen_later() - The same soon: what it says of pods may have changed */
void wire_screen_later(struct hostd *h);

/** wire_screen_node() - Our Node is there, or changed: what it says of us */
void wire_screen_node(struct hostd *h, const struct json *node);

/** wire_on_trouble() - node_ops.on_trouble */
void wire_on_trouble(const char *why, void *arg);

/** wire_storage() - Find a disk for images and scratch, if the settings say so; pods wait for it. After wire_pods() */
void wire_storage(struct hostd *h);

/** wire_storage_node() - Our Node as the API has it: tell it what the disks hold; are some to be wiped? */
void wire_storage_node(struct hostd *h, const struct json *node);

/* What images, pods' scratch and pods' memory may take: from a disk, or else from RAM */
uint64_t wire_image_cap(const struct hostd *h);
uint64_t wire_scratch_bytes(const struct hostd *h);
uint64_t wire_pod_memory(const struct hostd *h);

/** wire_on_measured() - pods_ops.on_measured: with the host's own part it goes to api (wire_stats.c) */
void wire_on_measured(struct json_doc *doc, struct json *pods, void *arg);

/** wire_done() - Stop all modules; VMs run on */
void wire_done(struct hostd *h);

#endif
