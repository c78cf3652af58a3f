/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine under hostd: what it was told at boot, what it is made of, and the few things that a
 * distribution would do for it (modules, network, clock, watchdog, control groups).
 *
 * Everything here belongs to hostd's one thread. Only host_coldplug() takes noticeable time; it runs
 * before the loop does.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/figures.h"
#include "base/loop.h"

/* ---- Settings: /run/hyper/boot/settings, written by the boot service for this boot ---- */

#define HOST_SETTINGS_SIZE_MAX 16384
#define HOST_URL_MAX	       256
#define HOST_NODE_NAME_MAX     64
#define HOST_ADDRESS_MAX       64
#define HOST_MIRRORS_MAX       8
#define HOST_CIDR_MAX	       24
#define HOST_NETWORK_MAX       4096
#define HOST_DATA_MAX	       256

struct host_settings {
	char api[HOST_URL_MAX]; /* https://host:port, no slash at the end */
	char node_name[HOST_NODE_NAME_MAX]; /* RFC 1123 label or subdomain */
	char advertise_address[HOST_ADDRESS_MAX]; /* "" when the lease's address is to be used */
	uint16_t advertise_port; /* 0: the default, 10250 */
	char mirrors[HOST_MIRRORS_MAX][HOST_URL_MAX]; /* as written: REGISTRY=URL */
	size_t mirror_count;
	char log[8]; /* "", "error", "warn", "info", "debug" */
	char pod_cidr[HOST_CIDR_MAX]; /* "" when the API or the default decides */
	uint32_t image_cap_mib; /* room for images; 0: the default */
	uint32_t refresh_s; /* how often what pods have mounted of the API is looked at; 0: the default */
	int watchdog_s; /* 0: the default; HOST_WATCHDOG_OFF */
	char network[HOST_NETWORK_MAX]; /* lines "ip=…", "bond=…" as uplink_plan_settings() takes them */
	char syslog[HOST_URL_MAX]; /* "udp|tcp|tls://HOST[:PORT]" that the host's log is shipped to, "" none */
	char syslog_ca[80]; /* of tls: "", "fleet", "public", "sha256:HEX" */
	char screen[8]; /* where the host's page is shown: "", "display", "serial", "both", "off" */
	char data[HOST_DATA_MAX]; /* disks: "" or "none", "auto", or names with commas between them */
	bool encrypt; /* what lies on the disk that is used */
	uint64_t time_s; /* the boot service's clock, seconds since the epoch; 0 unknown */
};

/**
 * host_settings_parse() - Read KEY=VALUE lines; '#' starts a comment line
 *
 * Strict: an unknown or repeated key, a value out of range or a line without '=' is an error that
 * names the line, so that a typing mistake is seen at the first boot.
 *
 * Return: 0; -EINVAL.
 */
int host_settings_parse(const char *text, size_t len, struct host_settings *s, struct err *e);

/** host_settings_load() - Read @path. Return: as host_settings_parse(), or -errno of the file */
int host_settings_load(const char *path, struct host_settings *s, struct err *e);

#define HOST_PORT_MAX 8

/**
 * host_settings_api() - Where the API is, as its clients are told
 * @host: HOST_URL_MAX bytes: a name or an address without brackets
 * @port: HOST_PORT_MAX bytes
 */
void host_settings_api(const struct host_settings *s, char *host, char *port);

/* ---- Inventory ---- */

#define HOST_ID_MAX	64
#define HOST_NO_KVM_MAX 128

struct host_inventory {
	uint32_t cpus;
	uint64_t memory_bytes; /* MemTotal */
	char machine_id[HOST_ID_MAX]; /* 32 hex digits, from the DMI UUID or the first MAC */
	char system_uuid[HOST_ID_MAX]; /* DMI product UUID, "" unknown */
	char serial[HOST_ID_MAX]; /* DMI product serial, "" unknown */
	char product[HOST_ID_MAX]; /* DMI vendor and product */
	char boot_id[HOST_ID_MAX]; /* /proc/sys/kernel/random/boot_id */
	char kernel_version[HOST_ID_MAX]; /* uname -r */
	char os_image[HOST_ID_MAX]; /* PRETTY_NAME of /etc/os-release */
	char no_kvm[HOST_NO_KVM_MAX]; /* "" when VMs can run; else why not */
};

/** host_inventory_read() - Fill in what this machine tells; never fails, unknown parts are "" */
void host_inventory_read(struct host_inventory *inv);

/* ---- Usage: what the machine as a whole uses at a moment ---- */

#define HOST_USAGE_NETS_MAX 16

struct host_usage {
	uint64_t time_ns, boot_ns; /* since the epoch */
	uint64_t cpu_ns; /* of all processors, since boot; the parts below have the clock tick's grain */
	uint64_t cpu_user_ns, cpu_system_ns, cpu_idle_ns, cpu_iowait_ns, cpu_steal_ns;
	uint64_t memory_bytes, memory_free_bytes, memory_available_bytes;
	uint64_t memory_used_bytes, memory_working_set_bytes; /* as kubelets count them */
	uint64_t memory_anon_bytes, memory_shmem_bytes, memory_slab_bytes;
	uint64_t faults, major_faults;
	double load[3]; /* of 1, 5 and 15 minutes */
	uint32_t processes, processes_max;
	struct figures_net nets[HOST_USAGE_NETS_MAX];
	uint32_t net_count;
};

/** host_usage_read() - Fill in what the kernel tells; never fails, unknown parts are 0 */
void host_usage_read(struct host_usage *u);

/** host_cpu_has() - Whether /proc/cpuinfo's first processor has a flag */
bool host_cpu_has(const char *flag);

/**
 * host_kvm_hold() - Make a VM that stays, so that KVM is not switched on and off with every pod
 * Return: a descriptor to keep open; -errno.
 */
int host_kvm_hold(struct err *e);

/* ---- Modules ---- */

/**
 * host_coldplug() - Load the modules of all devices there are, and those that hostd itself needs
 *
 * Walks /sys/devices for modalias files until a pass finds nothing new: a driver's bus may bring up
 * more devices. Missing modules are no error: they may be built in.
 *
 * Return: number of modules loaded, or -errno when libkmod cannot work at all.
 */
int host_coldplug(struct err *e);

/**
 * host_module_load() - Load one module by its name, with its dependencies
 * @options: "NAME=VALUE …", or NULL
 * Return: 0, also when it is there already; -ENOENT; -errno.
 */
int host_module_load(const char *name, const char *options);

/** host_watchdog_load() - Load the drivers of watchdogs, and what these sit on, ahead of all others */
void host_watchdog_load(void);

/** host_hotplug_start() - Load modules for devices that appear later (kernel uevents) */
int host_hotplug_start(struct loop *loop, void (*on_net)(void), struct err *e);

/**
 * host_hotplug_tell() - From now on say so, too, when a device of the machine came, went or got a driver
 * @on_device: NULL: nobody. Devices that the kernel made up itself, as pods' interfaces, do not count.
 */
void host_hotplug_tell(void (*on_device)(void *arg), void *arg);

/** host_uevent_counts() - Whether a uevent's text is about such a device; @msg: its @len bytes and a NUL */
bool host_uevent_counts(const char *msg, size_t len);

/** host_links_start() - Tell when the link of a network card goes up or down. Return: 0 or -errno */
int host_links_start(struct loop *loop, void (*on_change)(void *arg), void *arg, struct err *e);

/** host_link_is_device() - Whether a message of rtnetlink, aligned as one, is about a card's link */
bool host_link_is_device(const void *data, size_t len);

#define HOST_LLDP_FRAME_MAX 1522

/**
 * host_lldp_start() - Keep the last LLDP frame of each network card as DIR/CARD, and tell when one is another
 * @dir: made if missing
 * Return: 0 or -errno.
 */
int host_lldp_start(struct loop *loop, const char *dir, void (*on_change)(void *arg), void *arg,
		    struct err *e);

/** host_lldp_rescan() - Cards may have come or gone; before host_lldp_start(): nothing */
void host_lldp_rescan(void);

/* ---- Clock ---- */

/**
 * host_clock_floor() - Set the clock to @epoch_s unless it is later already
 *
 * A machine with a dead battery starts years back, where no certificate is valid yet. The clock is
 * only ever moved forwards here: its fine setting is ntpd's.
 *
 * Return: 1 when it was moved, 0 when not, -errno.
 */
int host_clock_floor(uint64_t epoch_s, const char *source);

/**
 * host_clock_boot() - Take the boot service's time: a lower bound, and where the clock is more than a day ahead, the time
 * @marker: a file that is made: a clock is set back once a boot at most
 * Return: as host_clock_floor().
 */
int host_clock_boot(uint64_t epoch_s, const char *marker);

/** host_clock_image() - Seconds since the epoch at which the running image was built, 0 unknown */
uint64_t host_clock_image(void);

/** host_clock_http_date() - Parse an HTTP Date header (RFC 9110 IMF-fixdate). Return: seconds, 0 if it is none */
uint64_t host_clock_http_date(const char *date);

/* ---- Watchdog ---- */

#define HOST_WATCHDOG_OFF (-1)

struct host_watchdog {
	char name[32]; /* of /dev, "" none */
	char identity[64]; /* as its driver calls it */
	bool soft; /* it is the kernel's own, or there is none */
	bool armed; /* it ran already: the firmware, or an earlier hostd, armed it */
	bool bit; /* one of them says that it reset the machine */
	bool tells; /* it is one that would say so */
};

/** host_watchdog_choose() - Which of the machine's watchdogs is the one to pet; @class_dir: /sys/class/watchdog */
void host_watchdog_choose(const char *class_dir, struct host_watchdog *w);

/**
 * host_watchdog_start() - Take the machine's watchdog and pet it from the loop; again, when there is one: no harm
 * @timeout_s: 0: the default, a minute; HOST_WATCHDOG_OFF: leave it alone
 * @last:      all drivers are loaded: take the kernel's own if there is no other
 *
 * It is never disarmed: a hostd that is restarted takes it over in time.
 *
 * Return: 0; -ENOENT when the machine has none; -errno.
 */
int host_watchdog_start(struct loop *loop, int timeout_s, bool last, struct err *e);

/** host_watchdog_get() - What was found */
const struct host_watchdog *host_watchdog_get(void);

/* ---- The end ---- */

/**
 * host_reboot() - Restart the machine, or switch it off; does not return
 * @patience_s: for file systems and drivers; then the kernel is told to do it without them
 */
void host_reboot(bool off, unsigned int patience_s) __attribute__((noreturn));

/** host_panic() - Restart it by a panic, so that the kernel's record tells why; does not return */
void host_panic(const char *why) __attribute__((noreturn));

/** host_button_start() - Tell when somebody presses the power button (ACPI). Return: 0 or -errno */
int host_button_start(struct loop *loop, void (*on_press)(void *arg), void *arg, struct err *e);

/** host_button_group() - Which group of generic netlink events of ACPI go to, out of the answer to CTRL_CMD_GETFAMILY */
int host_button_group(const void *data, size_t len, uint32_t *group);

/** host_button_pressed() - Whether a message of that family is about the power button */
bool host_button_pressed(const void *data, size_t len);

/* ---- Control groups ---- */

/**
 * host_cgroup_init() - Make RUN's part of the cgroup v2 tree and enable the controllers in it
 * @path: set to the folder below which each pod gets its own, e.g. "/sys/fs/cgroup/hyper/pods"
 * Return: 0; -errno when there is no writable cgroup v2 tree.
 */
int host_cgroup_init(char *path, size_t size, struct err *e);

/**
 * host_cgroup_worker() - Make the group that one kind of our processes is born in
 * @name:      "image": layer workers; "api": hostd-api
 * @cap_bytes: their memory, and that of a store on tmpfs, which is charged to them
 * Return: a descriptor of the folder, or -1.
 */
int host_cgroup_worker(const char *name, uint64_t cap_bytes);

/* ---- Pressure ---- */

struct host_room {
	uint64_t left_bytes;
	uint64_t least_bytes; /* less than this is pressure */
};

struct host_pressure {
	struct host_room memory; /* MemAvailable */
	struct host_room scratch; /* of the file system that scratch disks lie on */
};

/**
 * host_pressure_read() - Measure what is left
 * @memory_bytes: all that the machine has
 * Return: 0 or -errno.
 */
int host_pressure_read(const char *scratch_dir, uint64_t memory_bytes, struct host_pressure *p);

/** host_mounts_check() - The file systems that hostd relies on are there. Return: 0; -ENOENT names the missing */
int host_mounts_check(struct err *e);

#endif
