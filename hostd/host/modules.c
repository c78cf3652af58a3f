// SPDX-License-Identifier: Apache-2.0
/*
 * Modules by libkmod: coldplug from /sys, hotplug from the kernel's uevents, and the handful that
 * hostd needs whatever the hardware is.
 *
 * A driver may bring up a bus with more devices on it, so coldplug walks until a pass loads nothing.
 * What appears later still (USB, slow disks) is announced on the uevent socket.
 */
#include "host/host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libkmod.h>
#include <limits.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define MODULES_PASSES_MAX 6
#define MODULES_DEPTH_MAX  24
#define MODULES_SEEN_SIZE  4096 /* slots, a power of two; more aliases are merely looked up again */
#define MODALIAS_MAX	   512
#define UEVENT_MAX	   8192

#define MODULES_KVM_FLAW "/sys/devices/system/cpu/vulnerabilities/itlb_multihit"
#define MODULES_KVM_KNOB "/sys/module/kvm/parameters/nx_huge_pages"

struct modules {
	struct kmod_ctx *kmod;
	uint64_t seen[MODULES_SEEN_SIZE];
	int loaded;
};

/* What VMs, their network and their disks need; built-in ones are found to be there already. */
static const char *const modules_always[] = {
	"loop",
	"tun",
	"bridge",
	"vhost_net",
	"vhost_vsock",
	"nf_tables",
	"nft_nat",
	"nft_masq",
	"nft_ct",
	"nft_fib_inet",
	"nf_nat",
	"ext4",
	"erofs",
	"overlay",
	/* limits of pods' networks: a kernel that finds them itself would ask for aliases, of which BusyBox knows none */
	"sch_tbf",
	"sch_ingress",
	"cls_matchall",
	"act_police",
};

static struct modules *modules_state; /* one per process: libkmod's context */

static uint64_t modules_hash(const char *s)
{
	uint64_t h = hash_more(HASH_START, s, strlen(s));

	return h ? h : 1;
}

/* Whether an alias is new; a full neighbourhood answers yes. */
static bool modules_first_time(struct modules *m, const char *alias)
{
	uint64_t h = modules_hash(alias);

	for (size_t i = 0; i < 16; i++) {
		uint64_t *slot = &m->seen[(h + i) & (MODULES_SEEN_SIZE - 1)];

		if (*slot == h)
			return false;
		if (!*slot) {
			*slot = h;
			return true;
		}
	}
	return true;
}

/* Loads whatever an alias or name stands for, with its dependencies. */
static void modules_load(struct modules *m, const char *alias)
{
	struct kmod_list *list = NULL, *it;

	if (kmod_module_new_from_lookup(m->kmod, alias, &list) < 0)
		return;
	kmod_list_foreach(it, list)
	{
		struct kmod_module *mod = kmod_module_get_module(it);
		int state = kmod_module_get_initstate(mod), r;

		if (state != KMOD_MODULE_LIVE && state != KMOD_MODULE_BUILTIN) {
			r = kmod_module_probe_insert_module(mod, KMOD_PROBE_APPLY_BLACKLIST, NULL,
							    NULL, NULL, NULL);
			if (r == 0) {
				m->loaded++;
				log_debug("host", "ev=module_loaded name=%s",
					  kmod_module_get_name(mod));
			} else if (r != -EEXIST) {
				log_warn("host", "ev=module_failed name=%s error=\"%s\"",
					 kmod_module_get_name(mod), strerror(r < 0 ? -r : EPERM));
			}
		}
		kmod_module_unref(mod);
	}
	kmod_module_unref_list(list);
}

static struct modules *modules_get(struct err *e)
{
	struct modules *m;

	if (modules_state)
		return modules_state;
	m = mem_alloc(sizeof(*m));
	m->kmod = kmod_new(NULL, NULL);
	if (!m->kmod || kmod_load_resources(m->kmod) < 0) {
		kmod_unref(m->kmod);
		free(m);
		err_set(e, -ENOENT, "libkmod cannot read this kernel's module index");
		return NULL;
	}
	modules_state = m;
	return m;
}

int host_module_load(const char *name, const char *options)
{
	struct modules *m = modules_get(NULL);
	struct kmod_module *mod;
	int r;

	if (!m || kmod_module_new_from_name(m->kmod, name, &mod) < 0)
		return -ENOENT;
	r = kmod_module_probe_insert_module(mod, 0, options, NULL, NULL, NULL);
	kmod_module_unref(mod);
	return r == -EEXIST ? 0 : r;
}

static void modules_load_file(struct modules *m, int dirfd)
{
	_cleanup_fd_ int fd = openat(dirfd, "modalias", O_RDONLY | O_CLOEXEC);
	char alias[MODALIAS_MAX];
	ssize_t n;

	if (fd < 0)
		return;
	n = read(fd, alias, sizeof(alias) - 1);
	if (n <= 0)
		return;
	alias[n] = '\0';
	alias[strcspn(alias, "\n")] = '\0';
	if (*alias && modules_first_time(m, alias))
		modules_load(m, alias);
}

static void modules_walk(struct modules *m, int fd, int depth)
{
	struct dirent *ent;
	DIR *dir = fdopendir(fd);

	if (!dir) {
		fd_close(fd);
		return;
	}
	modules_load_file(m, fd);
	while (depth < MODULES_DEPTH_MAX && (ent = readdir(dir))) {
		int sub;

		if (ent->d_type != DT_DIR || ent->d_name[0] == '.' ||
		    str_eq(ent->d_name, "power") || str_eq(ent->d_name, "trace"))
			continue;
		sub = openat(fd, ent->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0)
			modules_walk(m, sub, depth + 1);
	}
	closedir(dir);
}

/*
 * Against the iTLB multihit flaw KVM splits the guests' huge pages and gives every VM a thread that joins
 * them again. Where the processor does not have the flaw that is switched off for good; KVM refuses
 * once there are VMs, and then it was done before.
 */
static void modules_tune_kvm(void)
{
	_cleanup_fd_ int flaw = open(MODULES_KVM_FLAW, O_RDONLY | O_CLOEXEC);
	_cleanup_fd_ int knob = open(MODULES_KVM_KNOB, O_WRONLY | O_CLOEXEC);
	static const char sound[] = "Not affected", never[] = "never";
	char text[sizeof(sound)] = "";

	if (flaw < 0 || knob < 0 || fd_read_full(flaw, text, sizeof(sound) - 1) < 0 ||
	    !str_eq(text, sound))
		return;
	if (fd_write_full(knob, never, sizeof(never) - 1) < 0)
		log_debug("host", "ev=kvm_tuned ok=0");
}

/*
 * Where watchdogs sit, of PCI: a system peripheral (i6300esb), an ISA bridge (iTCO below lpc_ich, hpwdt beside it) or an
 * SMBus (iTCO below i2c_i801, sp5100_tco). The devices that these make, and that ACPI's WDAT makes, are platform devices.
 */
static const char *const modules_watchdog_classes[] = {"bc08sc80", "bc06sc01", "bc0Csc05"};

static bool modules_is_watchdog(const char *alias)
{
	if (!str_starts(alias, "pci:"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(modules_watchdog_classes); i++)
		if (strstr(alias, modules_watchdog_classes[i]))
			return true;
	return false;
}

/* Of one bus, without looking further down: the tree is walked soon enough */
static void modules_load_bus(struct modules *m, const char *path)
{
	struct dirent *ent;
	DIR *dir = opendir(path);

	while (dir && (ent = readdir(dir))) {
		struct buf alias = BUF_INIT(MODALIAS_MAX);
		char file[NAME_MAX + 16];

		snprintf(file, sizeof(file), "%s/modalias", ent->d_name);
		if (ent->d_name[0] != '.' && file_read(dirfd(dir), file, &alias, NULL) == 0 &&
		    alias.len && modules_is_watchdog(str_trim(alias.data)) &&
		    modules_first_time(m, str_trim(alias.data)))
			modules_load(m, str_trim(alias.data));
		buf_done(&alias);
	}
	if (dir)
		closedir(dir);
}

void host_watchdog_load(void)
{
	struct modules *m = modules_get(NULL);

	if (!m)
		return;
	modules_load_bus(m, "/sys/bus/pci/devices");
	modules_load_bus(m, "/sys/bus/platform/devices");
}

int host_coldplug(struct err *e)
{
	uint64_t start_ms = clock_mono_ms();
	struct modules *m = modules_get(e);
	int before;

	if (!m)
		return -ENOENT;
	before = m->loaded;
	for (int pass = 0; pass < MODULES_PASSES_MAX; pass++) {
		int fd = open("/sys/devices", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		    loaded = m->loaded;

		if (fd < 0)
			return err_sys(e, -errno, "open /sys/devices");
		modules_walk(m, fd, 0);
		if (m->loaded == loaded)
			break;
	}
	if (host_cpu_has("svm"))
		modules_load(m, "kvm_amd");
	if (host_cpu_has("vmx"))
		modules_load(m, "kvm_intel");
	modules_tune_kvm();
	for (size_t i = 0; i < ARRAY_SIZE(modules_always); i++)
		modules_load(m, modules_always[i]);
	log_info("host", "ev=coldplug modules=%d ms=%llu", m->loaded - before,
		 (unsigned long long)(clock_mono_ms() - start_ms));
	return m->loaded - before;
}

static struct watch hotplug_watch;
static void (*hotplug_on_net)(void);
static void (*hotplug_on_device)(void *arg);
static void *hotplug_arg;

/* A uevent is "action@devpath" and then KEY=VALUE strings, each with its NUL. */
static void hotplug_event(const char *msg, size_t len)
{
	const char *alias = NULL;
	bool add = strncmp(msg, "add@", 4) == 0, net = false;

	for (const char *p = msg; p < msg + len; p += strlen(p) + 1) {
		if (str_starts(p, "MODALIAS="))
			alias = str_starts(p, "MODALIAS=");
		else if (str_eq(p, "SUBSYSTEM=net"))
			net = true;
	}
	if (hotplug_on_device && host_uevent_counts(msg, len))
		hotplug_on_device(hotplug_arg);
	if (!add)
		return;
	if (alias && *alias && modules_first_time(modules_state, alias))
		modules_load(modules_state, alias);
	if (net && hotplug_on_net)
		hotplug_on_net();
}

static void hotplug_ready(struct watch *w, uint32_t events)
{
	struct sockaddr_nl from;
	socklen_t from_len = sizeof(from);
	char msg[UEVENT_MAX + 1];
	ssize_t n;

	(void)events;
	n = recvfrom(w->fd, msg, UEVENT_MAX, MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
	/* Only the kernel's own (port 0) count: any process may send on this family. */
	if (n <= 0 || from_len != sizeof(from) || from.nl_pid != 0)
		return;
	msg[n] = '\0';
	hotplug_event(msg, (size_t)n);
}

void host_hotplug_tell(void (*on_device)(void *arg), void *arg)
{
	hotplug_on_device = on_device;
	hotplug_arg = arg;
}

int host_hotplug_start(struct loop *loop, void (*on_net)(void), struct err *e)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK, .nl_groups = 1};
	_cleanup_fd_ int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	int r;

	if (!modules_get(e))
		return -ENOENT;
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return err_sys(e, -errno, "uevent socket");
	hotplug_on_net = on_net;
	r = watch_add(loop, &hotplug_watch, fd, EPOLLIN, hotplug_ready);
	if (r < 0)
		return err_sys(e, r, "uevent socket");
	take_fd(&fd);
	return 0;
}
