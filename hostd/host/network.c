// SPDX-License-Identifier: Apache-2.0
/*
 * The host's own network: every wired interface is brought up and gets a DHCP client of its own, a
 * udhcpc child that never gives up. Its script sets addresses and routes and leaves IFACE.lease in
 * the lease folder, which is watched: what it says is passed on. To the server it says the vendor class
 * "hypermetal", by which that can tell hosts where the boot service is (piece.h).
 *
 * The interface that firmware booted from comes first and gets the lowest route metric; others follow
 * in the order in which they were found. hostd restarted: clients of the former hostd were its
 * children and live on, so one that still runs is left alone (its pid file tells).
 */
#include "host/host.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"

#define NETWORK_UDHCPC	     "/sbin/udhcpc"
#define NETWORK_SCRIPT	     "/usr/lib/hypermetal/udhcpc.script"
#define NETWORK_RESTART_MS   2000
#define NETWORK_INHERITED_MS 30000 /* how often a former hostd's client is looked at */
#define NETWORK_MAC_SIZE     18
#define NETWORK_METRIC_BOOT  100
#define NETWORK_METRIC_OTHER 200

struct network_nic {
	struct list node;
	char name[IFNAMSIZ];
	int metric;
	struct proc dhcp; /* pidfd -1: not running */
	struct timer restart;
	struct host_lease lease;
};

static struct {
	struct host_network_config config;
	struct list nics;
	struct watch inotify;
	char bootif[NETWORK_MAC_SIZE];
	int count;
} network = {.nics = LIST_INIT(network.nics)};

int host_bootif_parse(const char *cmdline, char *mac)
{
	const char *p = str_word(cmdline, "BOOTIF=");

	if (!p)
		return -ENOENT;
	/* pxelinux's form: hardware type, then the address, all separated by '-'; bare is seen too. */
	if (strncmp(p, "01-", 3) == 0 && strcspn(p, " \n") == 20)
		p += 3;
	if (strcspn(p, " \n") != NETWORK_MAC_SIZE - 1)
		return -EINVAL;
	for (int i = 0; i < NETWORK_MAC_SIZE - 1; i++) {
		bool sep = i % 3 == 2;

		if (sep ? p[i] != '-' && p[i] != ':' : !isxdigit((unsigned char)p[i]))
			return -EINVAL;
		mac[i] = sep ? ':' : (char)tolower((unsigned char)p[i]);
	}
	mac[NETWORK_MAC_SIZE - 1] = '\0';
	/* No interface has a group address: that is the type and five octets of a cut-off one. */
	return strchr("02468ace", mac[1]) ? 0 : -EINVAL;
}

int host_lease_parse(const char *text, struct host_lease *lease)
{
	struct buf b = BUF_INIT(HOST_SETTINGS_SIZE_MAX);
	char *line, *save = NULL;
	unsigned char raw[16];

	*lease->address = *lease->gateway = '\0';
	if (buf_puts(&b, text) == 0 && b.len) {
		for (line = strtok_r(b.data, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save)) {
			char *value = strchr(line, '=');

			if (!value)
				continue;
			*value++ = '\0';
			value += strspn(value, "\"'");
			value[strcspn(value, "\"' ")] = '\0';
			if (str_eq(line, "ip"))
				(void)str_copy(lease->address, sizeof(lease->address), value);
			else if (str_eq(line, "router"))
				(void)str_copy(lease->gateway, sizeof(lease->gateway), value);
		}
	}
	buf_done(&b);
	return inet_pton(AF_INET, lease->address, raw) == 1 ? 0 : -EINVAL;
}

static void network_lease_read(struct network_nic *nic)
{
	struct buf b = BUF_INIT(HOST_SETTINGS_SIZE_MAX);
	struct host_lease lease = {0};
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s.lease", network.config.lease_dir, nic->name);
	memcpy(lease.interface, nic->name, sizeof(lease.interface));
	if (file_read(AT_FDCWD, path, &b, NULL) == 0 &&
	    host_lease_parse(buf_str(&b), &lease) == 0 &&
	    memcmp(&lease, &nic->lease, sizeof(lease)) != 0) {
		nic->lease = lease;
		log_info("host", "ev=lease iface=%s address=%s gateway=%s", nic->name,
			 lease.address, lease.gateway);
		network.config.on_lease(&nic->lease, network.config.arg);
	}
	buf_done(&b);
}

static void network_lease_changed(struct watch *w, uint32_t events)
{
	char data[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	struct network_nic *nic;

	(void)events;
	while (read(w->fd, data, sizeof(data)) > 0)
		;
	list_for_each(nic, &network.nics, node)
		network_lease_read(nic);
}

static int network_up(const char *name)
{
	_cleanup_fd_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq req = {0};

	if (fd < 0 || str_copy(req.ifr_name, sizeof(req.ifr_name), name) < 0)
		return -EINVAL;
	if (ioctl(fd, SIOCGIFFLAGS, &req) < 0)
		return -errno;
	req.ifr_flags = (short)(req.ifr_flags | IFF_UP);
	return ioctl(fd, SIOCSIFFLAGS, &req) < 0 ? -errno : 0;
}

static bool network_dhcp_runs(const char *pid_file)
{
	struct buf b = BUF_INIT(64);
	char path[64], *text;
	bool runs = false;
	uint64_t pid;

	if (file_read(AT_FDCWD, pid_file, &b, NULL) == 0 && b.len) {
		text = str_trim(b.data);
		if (str_u64(text, INT_MAX, &pid) == 0) {
			snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
			buf_clear(&b);
			runs = file_read(AT_FDCWD, path, &b, NULL) == 0 &&
			       str_starts(buf_str(&b), "udhcpc") != NULL;
		}
	}
	buf_done(&b);
	return runs;
}

static void network_dhcp_start(struct network_nic *nic)
{
	char metric[24], lease_dir[PATH_MAX + 24], pid_file[PATH_MAX], host[300];
	const char *argv[] = {NETWORK_UDHCPC, "-f", "-i", nic->name,	"-p", pid_file, "-s",
			      NETWORK_SCRIPT, "-t", "3",  "-T",		"2",  "-A",	"3",
			      "-x",	      host, "-V", "hypermetal", NULL};
	const char *envp[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", metric, lease_dir, NULL};
	const int fds[] = {-1, STDERR_FILENO, STDERR_FILENO};
	struct proc_spec spec = {
		.argv = argv,
		.envp = envp,
		.fds = fds,
		.fd_count = 3,
		.cgroup_fd = -1,
	};
	struct err e = ERR_INIT;

	snprintf(metric, sizeof(metric), "HYPER_METRIC=%d", nic->metric);
	snprintf(lease_dir, sizeof(lease_dir), "HYPER_LEASE_DIR=%s", network.config.lease_dir);
	snprintf(pid_file, sizeof(pid_file), "%s/%s.pid", network.config.lease_dir, nic->name);
	snprintf(host, sizeof(host), "hostname:%s", network.config.hostname);
	if (network_dhcp_runs(pid_file)) {
		timer_set(&nic->restart, NETWORK_INHERITED_MS);
		return;
	}
	if (proc_spawn(&spec, &nic->dhcp, &e) < 0) {
		log_warn("host", "ev=dhcp_failed iface=%s error=\"%s\"", nic->name, err_msg(&e));
		nic->dhcp.pidfd = -1;
		timer_set(&nic->restart, NETWORK_RESTART_MS);
	}
}

static void network_dhcp_again(struct timer *t)
{
	network_dhcp_start(container_of(t, struct network_nic, restart));
}

void host_network_reap(void)
{
	struct network_nic *nic;
	int code = 0;

	list_for_each(nic, &network.nics, node) {
		if (nic->dhcp.pidfd < 0 || proc_reap(&nic->dhcp, &code) == 0)
			continue;
		nic->dhcp.pidfd = fd_close(nic->dhcp.pidfd);
		log_warn("host", "ev=dhcp_ended iface=%s code=%d", nic->name, code);
		timer_set(&nic->restart, NETWORK_RESTART_MS);
	}
}

static bool network_file_is(const char *name, const char *file, const char *value)
{
	struct buf b = BUF_INIT(256);
	char path[320];
	bool is = false;

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, file);
	if (file_read(AT_FDCWD, path, &b, NULL) == 0 && b.len)
		is = str_eq(str_trim(b.data), value);
	buf_done(&b);
	return is;
}

/* Wired and real: Ethernet (ARPHRD_ETHER) with a device behind it; no bridge, tap, or wireless. */
static bool network_wanted(const char *name)
{
	struct network_nic *nic;
	char path[320];

	if (name[0] == '.' || strlen(name) >= IFNAMSIZ || !network_file_is(name, "type", "1"))
		return false;
	snprintf(path, sizeof(path), "/sys/class/net/%s/device", name);
	if (access(path, F_OK) < 0)
		return false;
	snprintf(path, sizeof(path), "/sys/class/net/%s/phy80211", name);
	if (access(path, F_OK) == 0)
		return false;
	list_for_each(nic, &network.nics, node)
		if (str_eq(nic->name, name))
			return false;
	return true;
}

static void network_add(const char *name, bool boot)
{
	struct network_nic *nic = mem_alloc(sizeof(*nic));
	int r = network_up(name);

	(void)str_copy(nic->name, sizeof(nic->name), name);
	nic->metric = boot ? NETWORK_METRIC_BOOT : NETWORK_METRIC_OTHER + network.count;
	nic->dhcp.pidfd = -1;
	network.count++;
	timer_init(network.config.loop, &nic->restart, network_dhcp_again);
	list_add(&network.nics, &nic->node);
	log_info("host", "ev=nic iface=%s boot=%d up=%d", name, boot, r == 0);
	network_dhcp_start(nic);
	network_lease_read(nic);
}

void host_network_rescan(void)
{
	for (int pass = 0; pass < 2; pass++) {
		DIR *dir = opendir("/sys/class/net");
		struct dirent *ent;

		while (dir && (ent = readdir(dir))) {
			bool boot = *network.bootif &&
				    network_file_is(ent->d_name, "address", network.bootif);

			if ((boot || pass == 1) && network_wanted(ent->d_name))
				network_add(ent->d_name, boot);
		}
		if (dir)
			closedir(dir);
	}
}

int host_network_start(const struct host_network_config *config, struct err *e)
{
	struct buf b = BUF_INIT(8192);
	int fd, r;

	network.config = *config;
	if (file_read(AT_FDCWD, "/proc/cmdline", &b, NULL) < 0 ||
	    host_bootif_parse(buf_str(&b), network.bootif) < 0)
		network.bootif[0] = '\0';
	buf_done(&b);
	r = file_mkdirs(config->lease_dir, 0755);
	if (r < 0)
		return err_sys(e, r, "make %s", config->lease_dir);
	fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd < 0 || inotify_add_watch(fd, config->lease_dir, IN_CLOSE_WRITE | IN_MOVED_TO) < 0) {
		r = -errno;
		fd_close(fd);
		return err_sys(e, r, "watch %s", config->lease_dir);
	}
	r = watch_add(config->loop, &network.inotify, fd, EPOLLIN, network_lease_changed);
	if (r < 0)
		return err_sys(e, r, "watch %s", config->lease_dir);
	host_network_rescan();
	return 0;
}

int host_route_address(const char *host, char *address, size_t size)
{
	struct sockaddr_in to4 = {.sin_family = AF_INET, .sin_port = htons(9)};
	struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
	bool v4 = inet_pton(AF_INET, host, &to4.sin_addr) == 1;
	socklen_t len = v4 ? sizeof(to4) : sizeof(to6);
	_cleanup_fd_ int fd = -1;

	if (!v4 && inet_pton(AF_INET6, host, &to6.sin6_addr) != 1)
		return -EINVAL;
	fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, v4 ? (struct sockaddr *)&to4 : (struct sockaddr *)&to6, len) < 0 ||
	    getsockname(fd, v4 ? (struct sockaddr *)&to4 : (struct sockaddr *)&to6, &len) < 0)
		return -errno;
	if (!inet_ntop(v4 ? AF_INET : AF_INET6,
		       v4 ? (const void *)&to4.sin_addr : (const void *)&to6.sin6_addr, address,
		       (socklen_t)size))
		return -errno;
	return 0;
}
