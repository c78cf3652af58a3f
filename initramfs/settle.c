/*
 * What stands between the root image and its init: everything below / that can be written to, kernel settings, lo
 *
 * /proc, /sys, /dev and /run are there already; hostd loads the modules. Nothing of the root image can be written, so
 * whatever changes lies in one of these file systems. Pods' writable disks and their logs each have a room of their own:
 * one that is full takes nothing from the others.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "early.h"

#define SYSCTL_CONF "/etc/sysctl.conf"
#define SHELL	    "/usr/bin/sh"
#define NODEV	    (MS_NOSUID | MS_NODEV)
#define NOEXEC	    (NODEV | MS_NOEXEC)

/* For syslog(2): from there on only what is an error goes to the console */
enum { SET_CONSOLE_LEVEL = 8, CONSOLE_ERRORS = 4 };

static const struct room {
	const char *where;
	const char *type;
	unsigned long flags;
	const char *data;
	bool spare; /* a host can do without */
} rooms[] = {
	{"/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "gid=0,mode=0620,ptmxmode=0666", false},
	{"/dev/shm", "tmpfs", NOEXEC, "size=16m", false},
	{"/tmp", "tmpfs", NODEV, "mode=1777,size=25%", false},
	{"/var", "tmpfs", NODEV, "mode=0755,size=75%", false},
	{"/var/lib", NULL, 0, NULL, false},
	{"/var/log", NULL, 0, NULL, false},
	{"/var/lib/hypermetal", NULL, 0, NULL, false},
	{"/var/lib/hypermetal/scratch", "tmpfs", NOEXEC, "mode=0700,size=25%", false},
	{"/var/lib/hypermetal/logs", "tmpfs", NOEXEC, "mode=0755,size=6%", false},
	{"/run/hyper/net", NULL, 0, NULL, false},
	{"/run/hyper/journal", NULL, 0, NULL, false},
	{"/sys/fs/cgroup", "cgroup2", NOEXEC, "favordynmods,nsdelegate", false},
	{"/sys/kernel/security", "securityfs", NOEXEC, NULL, true},
	{"/sys/fs/pstore", "pstore", NOEXEC, NULL, true},
};

static void mount_rooms(void)
{
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		const struct room *room = &rooms[i];

		/* Some are there, and in sysfs none can be made: mount() tells */
		if (mkdir(room->where, 0755) < 0 && !room->type && errno != EEXIST)
			fail(room->where);
		if (!room->type ||
		    mount(room->type, room->where, room->type, room->flags, room->data) == 0)
			continue;
		if (!room->spare)
			fail(room->where);
		say("%s is not there: %s", room->where, strerror(errno));
	}
}

/* One line of SYSCTL_CONF: NAME = VALUE. A kernel without that setting, or that refuses the value, is told of. */
static void set_sysctl(char *line)
{
	char path[256], name[200], value[128];
	int fd;

	if (sscanf(line, " %199[^= ] = %127[^\n]", name, value) != 2 || name[0] == '#')
		return;
	for (char *dot = name; (dot = strchr(dot, '.'));)
		*dot = '/';
	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		say("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void set_sysctls(void)
{
	FILE *file = fopen(SYSCTL_CONF, "re");
	char line[512];

	if (!file)
		fail(SYSCTL_CONF);
	while (fgets(line, sizeof(line), file))
		set_sysctl(line);
	fclose(file);
}

static void loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		fail("lo");
	close(fd);
}

/* /etc/resolv.conf is a link to this one, which is there before the first lease is */
static void make_resolv_conf(void)
{
	int fd = open("/run/hyper/resolv.conf", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		fail("/run/hyper/resolv.conf");
	close(fd);
}

void settle(void)
{
	mount_rooms();
	make_resolv_conf();
	set_sysctls();
	loopback_up();
	if (!cmdline_has("hyper.debug"))
		klogctl(SET_CONSOLE_LEVEL, NULL, CONSOLE_ERRORS);
	else if (access(SHELL, X_OK) < 0)
		say("hyper.debug: this image has no shell; boot the one in out/images-debug for that");
}
