/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hostd tells hypervm, what hypervm answers, and what hypervm and its guest agree on.
 *
 * hostd starts hypervm with a SEQPACKET socket as descriptor 3 and sends exactly one packet: a
 * struct vm_spec with all open files attached (SCM_RIGHTS). hypervm opens nothing itself. It answers
 * with a struct vm_event of type STARTED when the guest's processors run and one of type EXITED when
 * the VM has ended; nothing else is ever sent in either direction. The end of the socket means
 * nothing to hypervm: hostd may die and be restarted, the VM goes on. The same exit record is
 * written into a file that was passed in, so that a later hostd finds it.
 *
 * Both sides come from one build: the version is there to refuse a mixture, not to negotiate. All
 * fields are little endian, the size is fixed, unused parts are zero.
 */
#ifndef PROTO_VM_SPEC_H
#define PROTO_VM_SPEC_H

#include <stdint.h>

#define VM_SPEC_MAGIC	0x53565948U /* "HYVS" */
#define VM_EVENT_MAGIC	0x45565948U /* "HYVE" */
#define VM_EXIT_MAGIC	0x58565948U /* "HYVX" */
#define VM_SPEC_VERSION 2

#define VM_CONTROL_FD 3 /* the SEQPACKET socket in hypervm */

#define VM_VCPUS_MAX   32
#define VM_DISKS_MAX   8
#define VM_NICS_MAX    4
#define VM_EXTENTS_MAX 236 /* with the others still within one packet's 253 descriptors */
#define VM_FDS_MAX     253
#define VM_NAME_MAX    64
#define VM_CMDLINE_MAX 1024
#define VM_SERIAL_MAX  20 /* VIRTIO_BLK_ID_BYTES */
#define VM_DETAIL_MAX  160

#define VM_MEMORY_MIN_BYTES ((uint64_t)16 << 20)
#define VM_MEMORY_MAX_BYTES ((uint64_t)512 << 30)

#define VM_FD_NONE UINT32_MAX /* this descriptor was not passed */

/* The unit in which parts of a disk are placed: every extent takes a multiple of it. */
#define VM_EXTENT_ALIGN 4096U

/*
 * A disk is the concatenation of its extents, in order. Extent i takes size_bytes rounded up to
 * VM_EXTENT_ALIGN, so that the guest computes the same offsets from the same sizes. What lies behind
 * the file's end inside an extent reads as zeros. The first disk is /dev/vda, and so on.
 */
struct vm_extent {
	uint32_t fd; /* index into the passed descriptors; regular file or block device */
	uint32_t reserved;
	uint64_t size_bytes; /* > 0; the file's length */
};

enum vm_disk_flag {
	VM_DISK_READONLY = 1 << 0,
};

struct vm_disk {
	uint32_t first_extent; /* index into vm_spec.extents */
	uint32_t extent_count; /* > 0; exactly 1 for a writable disk */
	uint32_t flags; /* enum vm_disk_flag */
	char serial[VM_SERIAL_MAX]; /* /sys/block/vdX/serial; NUL-padded, may fill the array */
};

struct vm_nic {
	uint32_t tap_fd; /* an attached tap: IFF_TAP | IFF_NO_PI | IFF_VNET_HDR */
	uint32_t vhost_fd; /* /dev/vhost-net */
	uint8_t mac[6];
	uint16_t mtu; /* bytes; 0: the guest's default */
};

struct vm_spec {
	uint32_t magic; /* VM_SPEC_MAGIC */
	uint32_t version; /* VM_SPEC_VERSION */
	uint32_t size_bytes; /* sizeof(struct vm_spec) */
	uint32_t flags; /* 0 */
	char name[VM_NAME_MAX]; /* for log lines: the pod's UID; [A-Za-z0-9._-], NUL-terminated */

	uint64_t memory_bytes; /* multiple of 2 MiB, VM_MEMORY_MIN_BYTES..VM_MEMORY_MAX_BYTES */
	uint32_t vcpus; /* 1..VM_VCPUS_MAX */
	uint32_t guest_cid; /* > 2 when vsock_fd is there */
	uint32_t uid, gid; /* the identity that hypervm takes on; not 0 */

	uint32_t fd_count; /* descriptors in this packet */
	uint32_t kvm_fd; /* /dev/kvm */
	uint32_t kernel_fd; /* uncompressed ELF kernel */
	uint32_t initrd_fd; /* or VM_FD_NONE */
	uint32_t vsock_fd; /* /dev/vhost-vsock, or VM_FD_NONE */
	uint32_t console_fd; /* opened for append, or VM_FD_NONE */
	uint32_t exit_fd; /* opened for writing, empty; or VM_FD_NONE */
	uint32_t console_max_bytes; /* hypervm writes no more than this many to console_fd */

	uint32_t disk_count, nic_count, extent_count;
	uint32_t counters_fd; /* VM_COUNTERS_BYTES of a regular file (vm_counters.h), or VM_FD_NONE */
	uint64_t disk_bytes_per_s, disk_ops_per_s; /* all disks together; 0: no limit */
	struct vm_disk disks[VM_DISKS_MAX];
	struct vm_nic nics[VM_NICS_MAX];
	struct vm_extent extents[VM_EXTENTS_MAX];

	char cmdline[VM_CMDLINE_MAX]; /* put behind hypervm's own parameters; NUL-terminated */
};

enum vm_reason {
	VM_REASON_NONE, /* not ended, or nothing known: hypervm was killed before it could write */
	VM_REASON_POWEROFF, /* the guest asked for it; code is the guest's */
	VM_REASON_RESET, /* the guest asked for a restart */
	VM_REASON_PANIC, /* triple fault without asking: the guest kernel crashed */
	VM_REASON_ERROR, /* hypervm could not start or go on; code is -errno, detail says why */
	VM_REASON_KILLED, /* SIGTERM */
};

struct vm_exit {
	uint32_t magic; /* VM_EXIT_MAGIC: written last, by one write of the whole record */
	uint32_t reason; /* enum vm_reason */
	int32_t code;
	uint32_t reserved;
	uint64_t run_ms; /* from hypervm's start */
	uint64_t ended_epoch_ns; /* real time */
	char detail[VM_DETAIL_MAX]; /* NUL-terminated, printable, may be empty */
};

enum vm_event_type {
	VM_EVENT_STARTED = 1,
	VM_EVENT_EXITED = 2,
};

struct vm_event {
	uint32_t magic; /* VM_EVENT_MAGIC */
	uint32_t type; /* enum vm_event_type */
	struct vm_exit exit; /* zero in STARTED */
};

_Static_assert(sizeof(struct vm_extent) == 16, "layout");
_Static_assert(sizeof(struct vm_disk) == 32, "layout");
_Static_assert(sizeof(struct vm_nic) == 16, "layout");
_Static_assert(sizeof(struct vm_exit) == 192, "layout");
_Static_assert(sizeof(struct vm_event) == 200, "layout");
_Static_assert(sizeof(struct vm_spec) == 168 + 32 * 8 + 16 * 4 + 16 * 236 + 1024, "layout");

/*
 * The guest's side: two 32-bit I/O ports. Init (PID 1, as root) calls ioperm(port, 4, 1) once and
 * writes with outl(); that takes CONFIG_X86_IOPL_IOPERM=y.
 *
 * VM_PORT_EXIT ends the VM at the write, before the next instruction: sync and unmount first, do not
 * call reboot(2). The value is VM_PORT_EXIT_POWEROFF or _RESET with the exit code in bits 8..15
 * (VM_PORT_EXIT_VALUE). A kernel that panics (panic=-1 reboot=t) ends by a triple fault instead and
 * is reported as VM_REASON_PANIC. reboot(RB_POWER_OFF) would only halt: there is no ACPI.
 *
 * VM_PORT_MARK notes a moment: hypervm logs «ev=vm_mark mark=N ns=…», the time since its own start, for
 * each N once.
 * A kernel without ioperm(2) leaves two other ways: the mark as ESC ] mark=N BEL on the serial console, and
 * the end as a reset by the keyboard controller (/sys/kernel/reboot/type), which is VM_REASON_RESET.
 * Init writes VM_MARK_INIT as its first action, VM_MARK_READY when it can take orders.
 */
#define VM_PORT_EXIT 0x5e0
#define VM_PORT_MARK 0x5e4

#define VM_PORT_EXIT_POWEROFF	       0x01U
#define VM_PORT_EXIT_RESET	       0x02U
#define VM_PORT_EXIT_VALUE(what, code) ((what) | (uint32_t)((code)&0xff) << 8)

enum vm_mark {
	VM_MARK_INIT = 1,
	VM_MARK_READY = 2,
	VM_MARK_MAX = 64, /* later ones are not logged */
};

#endif
