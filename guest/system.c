// SPDX-License-Identifier: Apache-2.0
/*
 * The kernel starts us on its initial root, which can be neither unmounted nor pivoted away from. So
 * the first thing is a tmpfs moved on top of it: containers then pivot out of that for real.
 */
#include "system.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/io.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "cgroup.h"
#include "disk.h"
#include "mnt.h"
#include "net.h"
#include "rootfs.h"
#include "volume.h"

#define SYSTEM_CLOCK_SLACK_NS 100000000ULL /* the clock of KVM is better than a message's delay */
#define SYSTEM_NOFILE_SOFT    1024
#define SYSTEM_NOFILE_HARD    524288

/*
 * The ports are opened for this one write: containers must not inherit them.
 * Return: false when the kernel knows no ioperm(2).
 */
static bool system_port_write(unsigned short port, uint32_t value)
{
	if (ioperm(port, 4, 1) < 0)
		return false;
	outl(value, port);
	ioperm(port, 4, 0);
	return true;
}

void system_mark(enum vm_mark mark)
{
	if (!system_port_write(VM_PORT_MARK, mark))
		dprintf(STDOUT_FILENO, "\033]mark=%u\a", mark);
}

static int system_mount_root(struct err *e)
{
	static const char *const options[] = {"mode=0755", NULL};
	int root = mnt_new("tmpfs", options, MOUNT_ATTR_NODEV, e), r;

	if (root < 0)
		return root;
	if (fchdir(root) < 0) {
		fd_close(root);
		return err_sys(e, -errno, "enter the root");
	}
	r = mnt_attach(root, AT_FDCWD, "/", e);
	if (r == 0 && chroot(".") < 0)
		r = err_sys(e, -errno, "change the root");
	return r;
}

static int system_mount_all(struct err *e)
{
	static const char *const devpts[] = {"newinstance", "ptmxmode=0666", "mode=0620", "gid=5",
					     NULL};
	static const char *const shm[] = {"mode=1777", "size=64m", NULL};
	int r = system_mount_root(e);

	if (r == 0)
		r = mnt_new_at("/dev", "devtmpfs", NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, e);
	if (r == 0)
		r = mnt_new_at("/proc", "proc", NULL, MNT_SAFE, e);
	if (r == 0)
		r = mnt_new_at("/sys", "sysfs", NULL, MNT_SAFE, e);
	if (r == 0)
		r = mnt_new_at("/dev/pts", "devpts", devpts, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
			       e);
	if (r == 0)
		r = mnt_new_at(CGROUP_ROOT, "cgroup2", NULL, MNT_SAFE, e);
	if (r == 0 && (mkdir("/run", 0755) < 0 || mkdir(ROOTFS_ETC, 0755) < 0))
		r = err_sys(e, -errno, "make " ROOTFS_ETC);
	if (r == 0)
		r = mnt_new_at(ROOTFS_SHM, "tmpfs", shm, MNT_SAFE, e);
	return r;
}

static void system_open_console(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY);

	if (fd < 0)
		fd = open("/dev/null", O_RDWR | O_NOCTTY);
	for (int i = 0; i < 3; i++)
		if (fd >= 0 && fd != i)
			dup2(fd, i);
	if (fd > 2)
		close(fd);
}

int system_init(struct err *e)
{
	static const struct rlimit nofile = {SYSTEM_NOFILE_SOFT, SYSTEM_NOFILE_HARD};
	static const struct rlimit core = {0, RLIM_INFINITY};
	_cleanup_fd_ int oom = -1;
	int r;

	umask(022);
	r = system_mount_all(e);
	system_open_console();
	if (r < 0)
		return r;
	oom = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (oom < 0 || write(oom, "-1000", 5) < 0)
		return err_sys(e, -errno, "set oom_score_adj");
	setrlimit(RLIMIT_NOFILE, &nofile);
	setrlimit(RLIMIT_CORE, &core);
	return cgroup_init(e);
}

static int system_set_clock(uint64_t wall_clock_ns, struct err *e)
{
	uint64_t now_ns = clock_real_ns();
	uint64_t off_ns = now_ns > wall_clock_ns ? now_ns - wall_clock_ns : wall_clock_ns - now_ns;
	struct timespec ts = {
		.tv_sec = (time_t)(wall_clock_ns / 1000000000),
		.tv_nsec = (long)(wall_clock_ns % 1000000000),
	};

	if (!wall_clock_ns || off_ns < SYSTEM_CLOCK_SLACK_NS)
		return 0;
	return clock_settime(CLOCK_REALTIME, &ts) < 0 ? err_sys(e, -errno, "set the clock") : 0;
}

static void put_words(FILE *f, const char *key, const struct guest_strings *words)
{
	if (!words->count)
		return;
	fputs(key, f);
	for (uint32_t i = 0; i < words->count; i++)
		fprintf(f, " %s", words->at[i]);
	fputc('\n', f);
}

static void put_resolv(FILE *f, const struct guest_run *run)
{
	put_words(f, "search", &run->net.dns_search);
	for (uint32_t i = 0; i < run->net.dns_servers.count; i++)
		fprintf(f, "nameserver %s\n", run->net.dns_servers.at[i]);
	put_words(f, "options", &run->net.dns_options);
}

static void put_hosts(FILE *f, const struct guest_run *run)
{
	struct in_addr address = {.s_addr = htonl(run->net.address)};
	char text[INET_ADDRSTRLEN];

	fputs("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n", f);
	if (run->net.address && run->hostname[0])
		fprintf(f, "%s\t%s%s%s\n", inet_ntop(AF_INET, &address, text, sizeof(text)),
			run->fqdn, run->fqdn[0] ? "\t" : "", run->hostname);
	for (uint32_t i = 0; i < run->net.hosts.count; i++)
		fprintf(f, "%s\n", run->net.hosts.at[i]);
}

static void put_hostname(FILE *f, const struct guest_run *run)
{
	fprintf(f, "%s\n", run->hostname);
}

static int system_write_etc(const struct guest_run *run, struct err *e)
{
	static const struct {
		const char *path;
		void (*put)(FILE *f, const struct guest_run *run);
	} files[] = {
		{ROOTFS_ETC "/hosts", put_hosts},
		{ROOTFS_ETC "/hostname", put_hostname},
		{ROOTFS_ETC "/resolv.conf", put_resolv},
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		FILE *f = fopen(files[i].path, "we");

		if (!f)
			return err_sys(e, -errno, "write %s", files[i].path);
		files[i].put(f, run);
		if (fclose(f) != 0)
			return err_sys(e, -errno, "write %s", files[i].path);
	}
	return 0;
}

int system_set_up(const struct guest_run *run, struct err *e)
{
	int r = system_set_clock(run->wall_clock_ns, e);

	if (r == 0 && run->hostname[0] && sethostname(run->hostname, strlen(run->hostname)) < 0)
		r = err_sys(e, -errno, "set the host name");
	if (r == 0)
		r = system_write_etc(run, e);
	if (r == 0)
		r = net_set_up(&run->net, e);
	if (r == 0)
		r = disk_mount(run, e);
	if (r == 0)
		r = volume_set_up(run, e);
	return r;
}

/* The VMM takes a triple fault for a crash; the keyboard controller's reset is one that was asked for. */
static void system_reset_by_keyboard(void)
{
	_cleanup_fd_ int fd = open("/sys/kernel/reboot/type", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "kbd", 3) < 0)
		log_error("system", "msg=\"no reset by the keyboard controller\"");
}

_Noreturn void system_power_off(void)
{
	if (!system_port_write(VM_PORT_EXIT, VM_PORT_EXIT_VALUE(VM_PORT_EXIT_POWEROFF, 0)))
		system_reset_by_keyboard();
	/* Still here: not under hypervm, or without its ports. */
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}
