/*
 * early - the first program of a host: from the initramfs to the root image
 *
 * The initramfs holds this program and one file, the root image: a compressed, read-only EROFS that the kernel mounts
 * straight from the file (6.12's file-backed mounts; a loop device where that fails), so that its content stays
 * compressed in RAM until it is read. Behind it the boot loader appended the per-host piece, /hyper/: CA certificate,
 * one-time token, settings. These move into /run/hyper/boot (tmpfs, root only) and vanish from the initramfs.
 *
 * An image that this host has not yet been Ready on is booted with hyper.ready_within=SECONDS: a process stays behind
 * that reboots the host after that time unless hostd has written /run/hyper/ready. The boot service then has
 * another one.
 *
 * Everything that is mounted here moves into the new root; then the new root becomes /, is made fit to be lived in
 * (settle.c), and its init takes over. Whatever fails says so on the console and reboots after ten seconds: the boot
 * service may have something better by then. With hyper.debug on the command line the machine waits instead.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "early.h"

#define ROOT	   "/root"
#define IMAGE	   "/rootfs.erofs"
#define HOST_FILES "/hyper"
#define BOOT_DIR   ROOT "/run/hyper/boot"
#define READY_FILE "/run/hyper/ready"
#define TIMES_FILE "/run/hyper/times"
#define MICROCODE  "/kernel/x86/microcode/"
#define WITHIN	   "hyper.ready_within="

enum { REBOOT_DELAY_SECONDS = 10, HOST_FILE_MAX_BYTES = 1 << 20, WITHIN_MAX_SECONDS = 86400 };

/*
 * The word of the kernel command line that is PREFIX or, when that ends with '=', begins with it.
 * What follows goes to VALUE. Whether there is one.
 */
static bool cmdline_find(const char *prefix, char *value, size_t size)
{
	size_t length = strlen(prefix);
	bool whole = prefix[length - 1] != '=';
	char line[4096];
	char *save, *w;
	ssize_t n;
	int fd;

	fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (n <= 0)
		return false;
	line[n] = '\0';
	for (w = strtok_r(line, " \n", &save); w; w = strtok_r(NULL, " \n", &save))
		if (!strncmp(w, prefix, length) && (!whole || !w[length])) {
			snprintf(value, size, "%s", w + length);
			return true;
		}
	return false;
}

bool cmdline_has(const char *word)
{
	char rest[1];

	return cmdline_find(word, rest, sizeof(rest));
}

void say(const char *format, ...)
{
	char line[512];
	va_list args;
	int n, fd;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (n < 0)
		return;
	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	dprintf(fd >= 0 ? fd : STDERR_FILENO, "hypermetal: %s\n", line);
	if (fd >= 0)
		close(fd);
}

void fail(const char *what)
{
	say("boot failed: %s: %s", what, strerror(errno));
	if (cmdline_has("hyper.debug")) {
		say("hyper.debug: waiting");
		for (;;)
			pause();
	}
	say("rebooting in %d s", REBOOT_DELAY_SECONDS);
	sleep(REBOOT_DELAY_SECONDS);
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

static void mount_or_fail(const char *type, const char *where, unsigned long flags,
			  const char *data)
{
	mkdir(where, 0755);
	if (mount(type, where, type, flags, data) < 0 && errno != EBUSY)
		fail(where);
}

/* Attach IMAGE to a free loop device, read-only; its path goes to PATH. -1 and errno on error. */
static int loop_attach(char *path, size_t size)
{
	struct loop_config config = {.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR};
	int control, image, fd, n;

	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		return -1;
	n = ioctl(control, LOOP_CTL_GET_FREE);
	close(control);
	if (n < 0)
		return -1;
	snprintf(path, size, "/dev/loop%d", n);
	image = open(IMAGE, O_RDONLY | O_CLOEXEC);
	if (image < 0)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		config.fd = (uint32_t)image;
		if (ioctl(fd, LOOP_CONFIGURE, &config) < 0) {
			close(fd);
			fd = -1;
		}
	}
	close(image);
	return fd;
}

static void mount_root(void)
{
	const unsigned long flags = MS_RDONLY | MS_NODEV | MS_NOSUID;
	char path[32];
	int fd;

	mkdir(ROOT, 0755);
	if (mount(IMAGE, ROOT, "erofs", flags, NULL) < 0) {
		if (access(IMAGE, R_OK) < 0)
			fail(IMAGE);
		say("mounting %s from the file: %s; trying a loop device", IMAGE, strerror(errno));
		fd = loop_attach(path, sizeof(path));
		if (fd < 0)
			fail("loop device for " IMAGE);
		if (mount(path, ROOT, "erofs", flags, NULL) < 0)
			fail("mounting " IMAGE);
		close(fd);
	}
	/* The mount keeps the file; without a name nothing can write to it any more */
	if (unlink(IMAGE) < 0)
		fail(IMAGE);
}

/* Copy the regular file NAME of directory FROM into TO, mode 0600 */
static int copy_file(int from, int to, const char *name)
{
	char buffer[4096];
	size_t total = 0;
	struct stat st;
	ssize_t n = -1;
	int in, out;

	in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (in < 0)
		return -1;
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out >= 0 && fstat(in, &st) == 0 && S_ISREG(st.st_mode)) {
		while ((n = read(in, buffer, sizeof(buffer))) > 0) {
			total += (size_t)n;
			if (total > HOST_FILE_MAX_BYTES) {
				errno = EFBIG;
				n = -1;
				break;
			}
			if (write(out, buffer, (size_t)n) != n) {
				n = -1;
				break;
			}
		}
	}
	close(in);
	if (out >= 0)
		close(out);
	return (int)n;
}

/* Move the per-host files; a host without them boots too, hostd says what it lacks */
static void move_host_files(void)
{
	struct dirent *entry;
	int from, to;
	DIR *dir;

	if (mkdir(ROOT "/run/hyper", 0755) < 0 || mkdir(BOOT_DIR, 0700) < 0)
		fail(BOOT_DIR);
	dir = opendir(HOST_FILES);
	if (!dir) {
		say("no per-host files came with the initramfs");
		return;
	}
	from = dirfd(dir);
	to = open(BOOT_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to < 0)
		fail(BOOT_DIR);
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (copy_file(from, to, entry->d_name) < 0)
			say("per-host file %s left out: %s", entry->d_name, strerror(errno));
		unlinkat(from, entry->d_name, 0);
	}
	close(to);
	closedir(dir);
	rmdir(HOST_FILES);
}

static void switch_root(void)
{
	static const char *const moved[] = {"/proc", "/sys", "/dev"};
	char to[32];

	for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++) {
		snprintf(to, sizeof(to), ROOT "%s", moved[i]);
		if (mount(moved[i], to, NULL, MS_MOVE, NULL) < 0)
			fail(to);
	}
	unlink("/init");
	/* The kernel has taken what it wants of it; the rest is up to 20 MB */
	unlink(MICROCODE "GenuineIntel.bin");
	unlink(MICROCODE "AuthenticAMD.bin");
	if (chdir(ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    chdir("/") < 0)
		fail("switching to the root image");
}

/* Leaves the process behind that reboots a host which is not Ready in time */
static void set_limit(void)
{
	char value[16];
	long seconds;

	if (!cmdline_find(WITHIN, value, sizeof(value)) || cmdline_has("hyper.debug"))
		return;
	seconds = strtol(value, NULL, 10);
	if (seconds < 1 || seconds > WITHIN_MAX_SECONDS || fork() != 0)
		return;
	sleep((unsigned int)seconds);
	if (access(READY_FILE, F_OK) == 0)
		_exit(0);
	say("not Ready within %ld s: rebooting", seconds);
	sync();
	reboot(RB_AUTOBOOT);
	_exit(1);
}

/* Milliseconds since the kernel's start */
static unsigned long long now_ms(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_BOOTTIME, &t) < 0)
		return 0;
	return (unsigned long long)t.tv_sec * 1000 + (unsigned long long)t.tv_nsec / 1000000;
}

/* For hostd, which adds to it: when this program began, and when it is over */
static void note_times(unsigned long long began_ms)
{
	int fd = open(TIMES_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return;
	dprintf(fd, "kernel %llu\nearly %llu\n", began_ms, now_ms());
	close(fd);
}

int main(int argc, char **argv)
{
	char *const args[] = {"/sbin/init", NULL};
	char *const environment[] = {"PATH=/usr/bin", "HOME=/", "TERM=linux", NULL};
	unsigned long long began_ms = now_ms();

	if (argc > 1 && !strcmp(argv[1], "--help")) {
		puts("early: first program of a HyperMetal host; mounts the root image and starts its init");
		return 0;
	}
	if (getpid() != 1) {
		fputs("early: runs as process 1 only\n", stderr);
		return 2;
	}
	mount_or_fail("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_or_fail("sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	mount_or_fail("devtmpfs", "/dev", MS_NOSUID | MS_NOEXEC, "mode=0755");
	mount_root();
	mount_or_fail("tmpfs", ROOT "/run", MS_NOSUID | MS_NODEV, "mode=0755");
	move_host_files();
	switch_root();
	set_limit();
	settle();
	note_times(began_ms);
	execve(args[0], args, environment);
	fail(args[0]);
}
