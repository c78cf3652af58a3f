// SPDX-License-Identifier: Apache-2.0
/*
 * hostd is trusted, but a mistake there must end in a message and not in a VM with another pod's
 * disk: everything that is used as an index, count or string is checked here, once.
 */
#include "vmm/spec.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define SPEC_EXTENT_MAX_BYTES ((uint64_t)1 << 44)
#define SPEC_MEMORY_ALIGN     ((uint64_t)2 << 20)
#define SPEC_MTU_MIN	      68

static bool spec_string_ends(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

static bool spec_name_ok(const char *s)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";

	return spec_string_ends(s, VM_NAME_MAX) && *s && s[strspn(s, allowed)] == '\0';
}

static bool spec_cmdline_ok(const char *s)
{
	if (!spec_string_ends(s, VM_CMDLINE_MAX))
		return false;
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

static bool spec_fd_ok(const struct vm_spec *spec, uint32_t fd)
{
	return fd < spec->fd_count;
}

static bool spec_fd_optional_ok(const struct vm_spec *spec, uint32_t fd)
{
	return fd == VM_FD_NONE || fd < spec->fd_count;
}

static int spec_check_machine(const struct vm_spec *s, struct err *e)
{
	if (!spec_name_ok(s->name))
		return err_set(e, -EINVAL, "name");
	if (s->memory_bytes < VM_MEMORY_MIN_BYTES || s->memory_bytes > VM_MEMORY_MAX_BYTES ||
	    s->memory_bytes % SPEC_MEMORY_ALIGN)
		return err_set(e, -EINVAL, "memory_bytes %llu",
			       (unsigned long long)s->memory_bytes);
	if (s->vcpus == 0 || s->vcpus > VM_VCPUS_MAX)
		return err_set(e, -EINVAL, "vcpus %u", s->vcpus);
	if (s->uid == 0 || s->gid == 0 || s->uid == UINT32_MAX || s->gid == UINT32_MAX)
		return err_set(e, -EINVAL, "uid %u gid %u", s->uid, s->gid);
	if (!spec_fd_ok(s, s->kvm_fd) || !spec_fd_ok(s, s->kernel_fd))
		return err_set(e, -EINVAL, "kvm_fd %u kernel_fd %u", s->kvm_fd, s->kernel_fd);
	if (!spec_fd_optional_ok(s, s->initrd_fd) || !spec_fd_optional_ok(s, s->console_fd) ||
	    !spec_fd_optional_ok(s, s->exit_fd) || !spec_fd_optional_ok(s, s->counters_fd) ||
	    !spec_fd_optional_ok(s, s->vsock_fd))
		return err_set(e, -EINVAL, "a descriptor index");
	if (s->vsock_fd != VM_FD_NONE && (s->guest_cid <= 2 || s->guest_cid == UINT32_MAX))
		return err_set(e, -EINVAL, "guest_cid %u", s->guest_cid);
	return spec_cmdline_ok(s->cmdline) ? 0 : err_set(e, -EINVAL, "cmdline");
}

static int spec_check_disk(const struct vm_spec *s, uint32_t i, struct err *e)
{
	const struct vm_disk *d = &s->disks[i];

	if (d->flags & ~(uint32_t)VM_DISK_READONLY)
		return err_set(e, -EINVAL, "disk %u: flags %#x", i, d->flags);
	if (d->extent_count == 0 || d->first_extent > s->extent_count ||
	    d->extent_count > s->extent_count - d->first_extent ||
	    (!(d->flags & VM_DISK_READONLY) && d->extent_count != 1))
		return err_set(e, -EINVAL, "disk %u: %u extents from %u", i, d->extent_count,
			       d->first_extent);
	return 0;
}

static int spec_check_devices(const struct vm_spec *s, struct err *e)
{
	int r = 0;

	if (s->extent_count > VM_EXTENTS_MAX || s->disk_count > VM_DISKS_MAX ||
	    s->nic_count > VM_NICS_MAX)
		return err_set(e, -EINVAL, "%u disks, %u extents, %u nics", s->disk_count,
			       s->extent_count, s->nic_count);
	for (uint32_t i = 0; i < s->extent_count; i++)
		if (!spec_fd_ok(s, s->extents[i].fd) || s->extents[i].size_bytes == 0 ||
		    s->extents[i].size_bytes > SPEC_EXTENT_MAX_BYTES)
			return err_set(e, -EINVAL, "extent %u", i);
	for (uint32_t i = 0; r == 0 && i < s->disk_count; i++)
		r = spec_check_disk(s, i, e);
	for (uint32_t i = 0; r == 0 && i < s->nic_count; i++) {
		const struct vm_nic *n = &s->nics[i];

		if (!spec_fd_ok(s, n->tap_fd) || !spec_fd_ok(s, n->vhost_fd) || n->mac[0] & 1 ||
		    (n->mtu && n->mtu < SPEC_MTU_MIN))
			r = err_set(e, -EINVAL, "nic %u", i);
	}
	return r;
}

int spec_check(const void *packet, size_t len, size_t fd_count, struct vm_spec *spec, struct err *e)
{
	int r;

	if (len != sizeof(*spec))
		return err_set(e, -EPROTO, "a packet of %zu bytes, not %zu", len, sizeof(*spec));
	memcpy(spec, packet, sizeof(*spec));
	if (spec->magic != VM_SPEC_MAGIC || spec->version != VM_SPEC_VERSION ||
	    spec->size_bytes != sizeof(*spec))
		return err_set(e, -EPROTO, "of another version");
	if (spec->flags)
		return err_set(e, -EINVAL, "flags %#x", spec->flags);
	if (spec->fd_count != fd_count || fd_count > VM_FDS_MAX)
		return err_set(e, -EINVAL, "fd_count %u, but %zu came", spec->fd_count, fd_count);
	r = spec_check_machine(spec, e);
	return r < 0 ? r : spec_check_devices(spec, e);
}
