/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of one VM, as hostd sees it: start, watch, kill, and find again after a restart.
 *
 * The VM is a process (hypervm) in a cgroup of its own that does not depend on hostd. Its folder holds
 * what a later hostd needs: «vm.state» (pid, start time, cid), «exit» (struct vm_exit, written by
 * hypervm itself), «counters» (struct vm_counters, likewise), «console.log». What is said inside the VM goes over vsock: vm/session.h.
 *
 * A struct vm is embedded in its owner. Callbacks run from the loop, never from within vm_start() or
 * vm_adopt(), and on_exited comes exactly once; it may call vm_done() and free the owner.
 */
#ifndef HOSTD_VM_VM_H
#define HOSTD_VM_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/proc.h"
#include "proto/vm_counters.h"
#include "proto/vm_spec.h"

#define VM_DIR_MAX	     256
#define VM_CONSOLE_MAX_BYTES (256U << 10)

struct vm;

struct vm_events {
	void (*on_started)(struct vm *vm); /* the processors run; not for an adopted VM */
	/*
	 * The process has ended and was reaped. VM_REASON_NONE: without a record, because it was
	 * killed from outside (OOM, vm_kill()) or crashed; the code is then its wait status as
	 * proc_reap() tells it, 0 when it was not our child.
	 */
	void (*on_exited)(struct vm *vm, const struct vm_exit *x);
};

struct vm_disk_file {
	int fd;
	uint64_t size_bytes;
};

struct vm_disk_config {
	const struct vm_disk_file *files; /* in order; each begins at a multiple of VM_EXTENT_ALIGN */
	size_t count;
	bool readonly; /* a writable disk has one file */
	const char *serial; /* up to VM_SERIAL_MAX characters */
};

struct vm_nic_config {
	int tap_fd, vhost_fd;
	uint8_t mac[6];
	uint16_t mtu; /* bytes; 0: the guest's default */
};

struct vm_config {
	const char *name; /* the pod's uid */
	const char *dir; /* existing folder for this VM alone */
	const char *hypervm; /* the program */
	const char *kernel, *initrd; /* files; initrd may be NULL */
	const char *kvm, *vsock; /* devices; NULL: /dev/kvm, /dev/vhost-vsock */
	const char *cmdline; /* more kernel parameters; NULL: none */
	unsigned int vcpus; /* 1..VM_VCPUS_MAX */
	uint64_t memory_bytes; /* rounded up to 2 MiB */
	uint32_t cid; /* > 2, unique on the host */
	uid_t uid; /* > 0, this VM's alone */
	gid_t gid;
	int cgroup_fd; /* folder of its cgroup; -1: ours */
	const struct vm_disk_config *disks;
	size_t disk_count;
	uint64_t disk_bytes_per_s, disk_ops_per_s; /* all disks together; 0: no limit */
	const struct vm_nic_config *nics;
	size_t nic_count;
};

struct vm {
	const struct vm_events *events;
	struct proc proc; /* pid 0: none */
	uint32_t cid;
	bool ours; /* a child of this process: it is to be reaped */
	bool reported; /* on_exited was called */
	struct watch process, control;
	struct defer gone; /* an adopted VM that had ended already */
	int control_fd;
	char dir[VM_DIR_MAX];
	struct vm_exit told; /* what came over the socket, for when there is no record */
};

/**
 * vm_start() - Start a VM
 * @vm:     caller's storage, borrowed until vm_done()
 * @events: borrowed until vm_done()
 * @c:      read during the call only; no descriptor in it is kept or closed
 *
 * Return: 0: it was started, on_exited will come. Else nothing is left behind: -E2BIG for more files
 *         than one VM can have; -ENAMETOOLONG; -errno of what could not be opened or started.
 */
int vm_start(struct loop *l, struct vm *vm, const struct vm_events *events,
	     const struct vm_config *c, struct err *e);

/**
 * vm_adopt() - Take hold of a VM that an earlier hostd started
 * @dir: its folder
 *
 * A VM that has ended meanwhile is adopted, too: on_exited comes from the loop.
 * Return: 0; -ENOENT when no VM was ever started there; -EBADMSG for a damaged vm.state.
 */
int vm_adopt(struct loop *l, struct vm *vm, const struct vm_events *events, const char *dir,
	     struct err *e);

/**
 * vm_counters() - What its hypervm has counted, of a VM that was adopted, too
 * Return: 0; -ENOENT or -ENODATA without a record.
 */
int vm_counters(const struct vm *vm, struct vm_counters *out);

/** vm_kill() - End it now (SIGKILL); on_exited follows. Return: 0, also when it has ended */
int vm_kill(struct vm *vm);

/**
 * vm_done() - Let go: no callback comes any more. The VM itself is not touched: one that runs goes on
 *
 * May be repeated, also on a zeroed struct.
 */
void vm_done(struct vm *vm);

/** vm_reason_name() - "poweroff", "panic"…, for log lines and status messages */
const char *vm_reason_name(uint32_t reason);

#endif
