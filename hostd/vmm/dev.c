// SPDX-License-Identifier: Apache-2.0
#include "vmm/dev.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "vmm/spec.h"

#define DEV_NOBODY 65534
#define DEV_NIC_MAC                                \
	{                                          \
		0x02, 0x48, 0x59, 0x00, 0x00, 0x01 \
	}

struct dev {
	struct vm_spec *spec;
	int *fds;
	bool *jailed;
};

enum dev_option {
	DEV_KERNEL = 1,
	DEV_INITRD,
	DEV_APPEND,
	DEV_MEM,
	DEV_CPUS,
	DEV_DISK,
	DEV_TAP,
	DEV_CID,
	DEV_EXIT_FILE,
	DEV_UID,
	DEV_NO_JAIL,
};

static const struct option dev_options[] = {
	{"kernel", required_argument, NULL, DEV_KERNEL},
	{"initrd", required_argument, NULL, DEV_INITRD},
	{"append", required_argument, NULL, DEV_APPEND},
	{"mem", required_argument, NULL, DEV_MEM},
	{"cpus", required_argument, NULL, DEV_CPUS},
	{"disk", required_argument, NULL, DEV_DISK},
	{"tap", required_argument, NULL, DEV_TAP},
	{"cid", required_argument, NULL, DEV_CID},
	{"exit-file", required_argument, NULL, DEV_EXIT_FILE},
	{"uid", required_argument, NULL, DEV_UID},
	{"no-jail", no_argument, NULL, DEV_NO_JAIL},
	{NULL, 0, NULL, 0},
};

/* Return: the index of the new descriptor, or -errno */
static int dev_add_fd(struct dev *d, int fd, const char *what, struct err *e)
{
	if (fd < 0)
		return err_sys(e, -errno, "%s", what);
	if (d->spec->fd_count == VM_FDS_MAX) {
		fd_close(fd);
		return err_set(e, -EMFILE, "%s: too many files", what);
	}
	d->fds[d->spec->fd_count] = fd;
	return (int)d->spec->fd_count++;
}

static int dev_open(struct dev *d, const char *path, int flags, uint32_t *index, struct err *e)
{
	int r = dev_add_fd(d, open(path, flags | O_CLOEXEC, 0600), path, e);

	if (r >= 0)
		*index = (uint32_t)r;
	return r < 0 ? r : 0;
}

static int dev_number(const char *text, uint64_t max, uint64_t *value, const char *what,
		      struct err *e)
{
	int r = str_u64(text, max, value);

	return r < 0 ? err_set(e, r, "%s: %s is no number up to %llu", what, text,
			       (unsigned long long)max)
		     : 0;
}

static int dev_add_extent(struct dev *d, const char *path, bool readonly, struct err *e)
{
	struct vm_spec *s = d->spec;
	struct vm_extent *x = &s->extents[s->extent_count];
	off_t size;
	int r;

	if (s->extent_count == VM_EXTENTS_MAX)
		return err_set(e, -EMFILE, "%s: too many files", path);
	r = dev_open(d, path, readonly ? O_RDONLY : O_RDWR, &x->fd, e);
	if (r < 0)
		return r;
	size = lseek(d->fds[x->fd], 0, SEEK_END);
	if (size <= 0)
		return err_set(e, -EINVAL, "%s is empty", path);
	x->size_bytes = (uint64_t)size;
	s->extent_count++;
	return 0;
}

static int dev_add_disk(struct dev *d, char *text, struct err *e)
{
	struct vm_spec *s = d->spec;
	struct vm_disk *disk = &s->disks[s->disk_count];
	char *colon = strrchr(text, ':'), *save = NULL;
	bool readonly = strchr(text, '+') || (colon && str_eq(colon, ":ro"));

	if (s->disk_count == VM_DISKS_MAX)
		return err_set(e, -EMFILE, "more than %d disks", VM_DISKS_MAX);
	if (colon && str_eq(colon, ":ro"))
		*colon = '\0';
	disk->first_extent = s->extent_count;
	disk->flags = readonly ? VM_DISK_READONLY : 0;
	memcpy(disk->serial, "disk0", sizeof("disk0"));
	disk->serial[4] = (char)('0' + s->disk_count);
	for (char *part = strtok_r(text, "+", &save); part; part = strtok_r(NULL, "+", &save)) {
		int r = dev_add_extent(d, part, readonly, e);

		if (r < 0)
			return r;
		disk->extent_count++;
	}
	s->disk_count++;
	return 0;
}

static int dev_add_tap(struct dev *d, const char *name, struct err *e)
{
	struct vm_spec *s = d->spec;
	struct vm_nic *nic = &s->nics[s->nic_count];
	struct ifreq req = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	static const uint8_t mac[6] = DEV_NIC_MAC;
	int r;

	if (s->nic_count == VM_NICS_MAX || str_copy(req.ifr_name, sizeof(req.ifr_name), name) < 0)
		return err_set(e, -EINVAL, "tap %s", name);
	r = dev_open(d, "/dev/net/tun", O_RDWR | O_NONBLOCK, &nic->tap_fd, e);
	if (r == 0)
		r = dev_open(d, "/dev/vhost-net", O_RDWR, &nic->vhost_fd, e);
	if (r < 0)
		return r;
	if (ioctl(d->fds[nic->tap_fd], TUNSETIFF, &req) < 0)
		return err_sys(e, -errno, "tap %s", name);
	memcpy(nic->mac, mac, sizeof(mac));
	nic->mac[5] = (uint8_t)(nic->mac[5] + s->nic_count++);
	return 0;
}

static int dev_apply(struct dev *d, enum dev_option option, char *text, struct err *e)
{
	struct vm_spec *s = d->spec;
	uint64_t n = 0;
	int r;

	switch (option) {
	case DEV_KERNEL:
		return dev_open(d, text, O_RDONLY, &s->kernel_fd, e);
	case DEV_INITRD:
		return dev_open(d, text, O_RDONLY, &s->initrd_fd, e);
	case DEV_APPEND:
		r = str_copy(s->cmdline, sizeof(s->cmdline), text);
		return r < 0 ? err_set(e, r, "--append is too long") : 0;
	case DEV_MEM:
		r = dev_number(text, VM_MEMORY_MAX_BYTES >> 20, &n, "--mem", e);
		s->memory_bytes = n << 20;
		return r;
	case DEV_CPUS:
		r = dev_number(text, VM_VCPUS_MAX, &n, "--cpus", e);
		s->vcpus = (uint32_t)n;
		return r;
	case DEV_DISK:
		return dev_add_disk(d, text, e);
	case DEV_TAP:
		return dev_add_tap(d, text, e);
	case DEV_CID:
		r = dev_number(text, UINT32_MAX - 1, &n, "--cid", e);
		s->guest_cid = (uint32_t)n;
		return r < 0 ? r : dev_open(d, "/dev/vhost-vsock", O_RDWR, &s->vsock_fd, e);
	case DEV_EXIT_FILE:
		return dev_open(d, text, O_WRONLY | O_CREAT | O_TRUNC, &s->exit_fd, e);
	case DEV_UID:
		r = dev_number(text, UINT32_MAX - 1, &n, "--uid", e);
		s->uid = s->gid = (uint32_t)n;
		return r;
	case DEV_NO_JAIL:
		*d->jailed = false;
		return 0;
	}
	return err_set(e, -EINVAL, "unknown option; see --help");
}

int dev_prepare(int argc, char **argv, struct vm_spec *spec, int *fds, bool *jailed, struct err *e)
{
	struct dev d = {.spec = spec, .fds = fds, .jailed = jailed};
	struct vm_spec made;
	int r, option;

	*spec = (struct vm_spec){.magic = VM_SPEC_MAGIC,
				 .version = VM_SPEC_VERSION,
				 .size_bytes = sizeof(*spec),
				 .name = "dev",
				 .memory_bytes = (uint64_t)128 << 20,
				 .vcpus = 1,
				 .uid = DEV_NOBODY,
				 .gid = DEV_NOBODY,
				 .kernel_fd = VM_FD_NONE,
				 .initrd_fd = VM_FD_NONE,
				 .vsock_fd = VM_FD_NONE,
				 .exit_fd = VM_FD_NONE,
				 .counters_fd = VM_FD_NONE,
				 .console_max_bytes = UINT32_MAX};
	r = dev_open(&d, "/dev/kvm", O_RDWR, &spec->kvm_fd, e);
	while (r == 0 && (option = getopt_long(argc, argv, "", dev_options, NULL)) != -1)
		r = dev_apply(&d, (enum dev_option)option, optarg, e);
	if (r < 0)
		return r;
	if (optind < argc)
		return err_set(e, -EINVAL, "%s: what is it for?", argv[optind]);
	r = dev_add_fd(&d, fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), "standard output", e);
	if (r < 0)
		return r;
	spec->console_fd = (uint32_t)r;
	made = *spec;
	return spec_check(&made, sizeof(made), made.fd_count, spec, e);
}
