// SPDX-License-Identifier: Apache-2.0
/*
 * What an escape from hypervm would find. Run as root on a host: for each thing that an intruder would try
 * next, a child goes into a VM's jail and tries it, first with the filters off, so that each of the other
 * walls is seen to stand alone, then under the filter of each kind of thread.
 *
 * Prints a line for each; the last is «N tried, M succeeded». Exit status 0 when M is 0.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <linux/vhost.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "vmm/jail.h"

#define PROBE_UID	54321
#define PROBE_RAM_BYTES ((uint64_t)64 << 20)
#define PROBE_FILE	4096
#define PROBE_SUCCEEDED 0
#define PROBE_REFUSED	1
#define PROBE_BROKEN	2 /* the jail itself could not be entered */

/* What the intruder holds, as hypervm does */
static int kvm_fd, disk_fd, event_fd;
static pid_t outsider;

enum probe_wall {
	BOTH,
	FILTER, /* harmless by itself, or stopped by nothing else */
	LIMIT, /* a call that threads do make: it fails, but does not kill */
};

/* Return: >= 0 when it went well for the intruder */
struct probe {
	const char *name;
	int (*run)(void);
	enum probe_wall wall;
};

static int open_root_file(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static int list_root(void)
{
	DIR *d = opendir("/");

	return d && readdir(d) ? 0 : -1;
}

static int open_proc(void)
{
	return open("/proc/1/mem", O_RDONLY);
}

static int open_dev(void)
{
	return open("/dev/kvm", O_RDWR);
}

static int climb(void)
{
	if (chdir("..") < 0 || chdir("../../../..") < 0)
		return -1;
	return open("etc/passwd", O_RDONLY);
}

static int make_file(void)
{
	return open("/x", O_WRONLY | O_CREAT, 0600);
}

static int make_dir(void)
{
	return mkdir("/x", 0700);
}

static int make_device(void)
{
	return mknod("/x", S_IFBLK | 0600, 0x801);
}

static int mount_proc(void)
{
	return mount("proc", "/", "proc", 0, NULL);
}

static int remount_root(void)
{
	return mount(NULL, "/", NULL, MS_REMOUNT, NULL);
}

static int change_root(void)
{
	return chroot("/");
}

static int enter_mount_namespace(void)
{
	return unshare(CLONE_NEWNS);
}

static int enter_user_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static int become_root(void)
{
	return setuid(0);
}

static int become_neighbour(void)
{
	return setresuid(PROBE_UID + 1, PROBE_UID + 1, PROBE_UID + 1);
}

static int raise_capability(void)
{
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21 /* CAP_SYS_ADMIN */, 0, 0);
}

static int kill_outsider(void)
{
	return kill(outsider, SIGKILL);
}

static int kill_all(void)
{
	return kill(-1, SIGCONT);
}

static int trace_outsider(void)
{
	return (int)ptrace(PTRACE_ATTACH, outsider, NULL, NULL);
}

static int read_outsider(void)
{
	char byte;
	struct iovec local = {&byte, 1}, remote = {(void *)(uintptr_t)&outsider, 1};

	return (int)syscall(SYS_process_vm_readv, outsider, &local, 1L, &remote, 1L, 0L);
}

static int open_outsider(void)
{
	return (int)syscall(SYS_pidfd_open, outsider, 0);
}

static int connect_inet(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(10250),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd < 0 ? -1 : connect(fd, (struct sockaddr *)&a, sizeof(a));
}

static int raw_packets(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0);
}

static int bring_up_link(void)
{
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	return fd < 0 ? -1 : ioctl(fd, SIOCSIFFLAGS, &ifr);
}

static int connect_abstract(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "\0jail-probe"};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	return fd < 0 ? -1
		      : connect(fd, (struct sockaddr *)&a,
				offsetof(struct sockaddr_un, sun_path) + 11);
}

static int connect_vsock(void)
{
	return socket(AF_VSOCK, SOCK_STREAM, 0);
}

static int make_tap(void)
{
	struct ifreq ifr = {.ifr_name = "probe0", .ifr_flags = IFF_TAP | IFF_NO_PI};

	return ioctl(disk_fd, TUNSETIFF, &ifr);
}

static int make_vm(void)
{
	return ioctl(kvm_fd, KVM_CREATE_VM, 0);
}

static int new_descriptor(void)
{
	return dup(event_fd);
}

static int new_memory(void)
{
	void *p = mmap(NULL, (size_t)1 << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	return p == MAP_FAILED ? -1 : 0;
}

static int executable_memory(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	return p == MAP_FAILED ? -1 : 0;
}

static int long_file(void)
{
	return pwrite(disk_fd, "x", 1, PROBE_FILE) == 1 ? 0 : -1;
}

static int lock_memory(void)
{
	static char page[8192];

	return mlock(page, sizeof(page));
}

static int raise_limit(void)
{
	struct rlimit r = {1024, 1024};

	return setrlimit(RLIMIT_NOFILE, &r);
}

static int make_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid;
}

static int run_program(void)
{
	char *const argv[] = {NULL};

	return execve("/bin/sh", argv, argv);
}

static int run_descriptor(void)
{
	char *const argv[] = {NULL};

	return (int)syscall(SYS_execveat, disk_fd, "", argv, argv, 0x1000 /* AT_EMPTY_PATH */);
}

static int make_bpf(void)
{
	char attr[64] = {0};

	return (int)syscall(SYS_bpf, 5L, attr, sizeof(attr));
}

static int make_ring(void)
{
	char params[256] = {0};

	return (int)syscall(SYS_io_uring_setup, 1, params);
}

static int set_affinity(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static int steal_driver_ioctl(void)
{
	return ioctl(event_fd, VHOST_SET_OWNER, NULL);
}

static const struct probe probes[] = {
	{"open a file", open_root_file, BOTH},
	{"list /", list_root, BOTH},
	{"open /proc/1/mem", open_proc, BOTH},
	{"open /dev/kvm", open_dev, BOTH},
	{"climb out by ..", climb, BOTH},
	{"make a file", make_file, BOTH},
	{"make a folder", make_dir, BOTH},
	{"make a device", make_device, BOTH},
	{"mount proc", mount_proc, BOTH},
	{"remount /", remount_root, BOTH},
	{"chroot", change_root, BOTH},
	{"a mount namespace", enter_mount_namespace, BOTH},
	{"a user namespace", enter_user_namespace, BOTH},
	{"become root", become_root, BOTH},
	{"become another VM", become_neighbour, BOTH},
	{"raise a capability", raise_capability, BOTH},
	{"kill a process outside", kill_outsider, BOTH},
	{"signal everybody", kill_all, BOTH},
	{"trace a process outside", trace_outsider, BOTH},
	{"read its memory", read_outsider, BOTH},
	{"a pidfd of it", open_outsider, BOTH},
	{"connect by TCP", connect_inet, BOTH},
	{"raw packets", raw_packets, BOTH},
	{"bring up a link", bring_up_link, BOTH},
	{"connect to an abstract socket", connect_abstract, BOTH},
	{"a tap", make_tap, BOTH},
	{"a descriptor more", new_descriptor, BOTH},
	{"1 GiB more", new_memory, BOTH},
	{"a longer file", long_file, LIMIT},
	{"lock memory", lock_memory, BOTH},
	{"a higher limit", raise_limit, BOTH},
	{"execute /bin/sh", run_program, BOTH},
	{"execute a descriptor", run_descriptor, BOTH},
	{"bpf", make_bpf, BOTH},
	{"io_uring", make_ring, BOTH},
	{"a vsock socket", connect_vsock, FILTER},
	{"a second VM", make_vm, FILTER},
	{"executable memory", executable_memory, FILTER},
	{"a process", make_process, FILTER},
	{"move to another processor", set_affinity, FILTER},
	{"another ioctl", steal_driver_ioctl, FILTER},
};

/* In the child. @kind: -1 without a filter */
static int probe_inside(const struct probe *p, int kind)
{
	static const struct jail jail = {.uid = PROBE_UID,
					 .gid = PROBE_UID,
					 .memory_bytes = PROBE_RAM_BYTES,
					 .file_bytes = PROBE_FILE};
	struct err e = ERR_INIT;
	int r = jail_enter(&jail, &e);

	if (r == 0)
		r = jail_seal(&jail, &e);
	if (r == 0 && kind >= 0)
		r = jail_filter((enum jail_thread)kind, &e);
	if (r < 0) {
		fprintf(stderr, "jail_probe: %s\n", err_msg(&e));
		return PROBE_BROKEN;
	}
	return p->run() >= 0 ? PROBE_SUCCEEDED : PROBE_REFUSED;
}

/* As hostd does it: the first of a PID namespace. Return: status of waitpid() */
static int probe_child(const struct probe *p, int kind)
{
	int status = -1;
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD | CLONE_NEWPID, NULL, NULL, NULL, 0);

	if (pid == 0) {
		sigset_t all;

		signal(SIGXFSZ, SIG_IGN);
		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, NULL);
		_exit(probe_inside(p, kind));
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	return status;
}

static bool probe_held(const struct probe *p, int kind, const char *how)
{
	int status = probe_child(p, kind);
	bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
	bool refused = WIFEXITED(status) && WEXITSTATUS(status) == PROBE_REFUSED;
	bool held = killed || (refused && (kind < 0 || p->wall == LIMIT));

	printf("%-9s %-30s %s\n", how, p->name,
	       killed							     ? "killed"
	       : held							     ? "refused"
	       : WIFEXITED(status) && WEXITSTATUS(status) == PROBE_SUCCEEDED ? "SUCCEEDED"
									     : "BROKEN");
	return held;
}

static int probe_prepare(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "\0jail-probe"};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	/* On numbers that hypervm has them on: 0 to 2 are /dev/null and the log, 3 is hostd's socket */
	if (listener < 0 ||
	    bind(listener, (struct sockaddr *)&a, offsetof(struct sockaddr_un, sun_path) + 11) <
		    0 ||
	    listen(listener, 1) < 0)
		return -errno;
	kvm_fd = open("/dev/kvm", O_RDWR);
	event_fd = eventfd(0, 0);
	disk_fd = memfd_create("disk", 0);
	outsider = getpid();
	return event_fd < 0 || disk_fd < 0 || ftruncate(disk_fd, PROBE_FILE) < 0 ? -errno : 0;
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = {"main", "vcpu", "disk"};
	unsigned int tried = 0, succeeded = 0;

	(void)argv;
	if (argc > 1)
		return puts("usage: jail_probe     as root: try what an intruder in hypervm would") <
		       0;
	setvbuf(stdout, NULL, _IONBF, 0);
	if (probe_prepare() < 0) {
		perror("jail_probe");
		return 2;
	}
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		if (probes[i].wall != FILTER) {
			tried++;
			succeeded += !probe_held(&probes[i], -1, "jail");
		}
		for (int kind = JAIL_MAIN; kind <= JAIL_DISK; kind++) {
			tried++;
			succeeded += !probe_held(&probes[i], kind, kinds[kind]);
		}
	}
	printf("%u tried, %u succeeded\n", tried, succeeded);
	return succeeded ? 1 : 0;
}
