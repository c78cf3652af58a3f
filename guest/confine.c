// SPDX-License-Identifier: Apache-2.0
/*
 * Order matters. The filter goes in while CAP_SYS_ADMIN is there, for without it the kernel demands
 * no_new_privs, which would break sudo and ping in images that have them. The bounding set shrinks
 * before the identity changes; root then gets its set written, and anyone else loses everything at
 * setuid, but may regain the bounding set through a setuid-root file, as everywhere.
 */
#include "confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

#define CAP_BIT(cap) ((uint64_t)1 << (cap))

#define CAPS_DEFAULT                                                                             \
	(CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FSETID) |                  \
	 CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_MKNOD) | CAP_BIT(CAP_NET_RAW) | CAP_BIT(CAP_SETGID) | \
	 CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETFCAP) | CAP_BIT(CAP_SETPCAP) |                     \
	 CAP_BIT(CAP_NET_BIND_SERVICE) | CAP_BIT(CAP_SYS_CHROOT) | CAP_BIT(CAP_KILL) |           \
	 CAP_BIT(CAP_AUDIT_WRITE))
#define CAPS_ALL (CAP_BIT(CAP_LAST_CAP + 1) - 1)

uint64_t confine_caps(const struct guest_container *c)
{
	return ((CAPS_DEFAULT & ~c->caps_drop) | c->caps_add) & CAPS_ALL;
}

#define LOAD(field)		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define SKIP_IF(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define RETURN(what)		BPF_STMT(BPF_RET | BPF_K, (what))
#define X32_BIT			0x40000000U

/* No vsock, and no io_uring, which would open one behind the filter's back. */
static int confine_filter(struct err *e)
{
	static struct sock_filter code[] = {
		LOAD(arch),
		SKIP_IF(AUDIT_ARCH_X86_64, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 6, 0),
		SKIP_IF(SYS_io_uring_setup, 5, 0),
		SKIP_IF(SYS_socket, 1, 0),
		SKIP_IF(SYS_socketpair, 0, 2),
		LOAD(args[0]),
		SKIP_IF(AF_VSOCK, 2, 0),
		RETURN(SECCOMP_RET_ALLOW),
		RETURN(SECCOMP_RET_ERRNO | ENOSYS),
		RETURN(SECCOMP_RET_ERRNO | EAFNOSUPPORT),
	};
	struct sock_fprog prog = {.len = ARRAY_SIZE(code), .filter = code};

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		return err_sys(e, -errno, "set the system call filter");
	return 0;
}

static int confine_capset(uint64_t caps, struct err *e)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		uint32_t part = (uint32_t)(caps >> (32 * i));

		data[i] = (struct __user_cap_data_struct){.effective = part, .permitted = part};
	}
	if (syscall(SYS_capset, &head, data) < 0)
		return err_sys(e, -errno, "set capabilities");
	return 0;
}

int confine_apply(const struct guest_container *c, const struct user *u, struct err *e)
{
	uint64_t caps = confine_caps(c);
	gid_t groups[USER_GROUPS_MAX];
	int r = confine_filter(e);

	if (r == 0 && c->default_seccomp)
		r = confine_default_calls(caps, e);
	if (r < 0)
		return r;
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (!(caps & CAP_BIT(cap)) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 &&
		    errno != EINVAL)
			return err_sys(e, -errno, "drop capability %d", cap);
	for (size_t i = 0; i < u->group_count; i++)
		groups[i] = u->groups[i];
	if (setgroups(u->group_count, groups) < 0 || setresgid(u->gid, u->gid, u->gid) < 0)
		return err_sys(e, -errno, "take on group %u", u->gid);
	if (setresuid(u->uid, u->uid, u->uid) < 0)
		return err_sys(e, -errno, "take on user %u", u->uid);
	if (u->uid == 0)
		r = confine_capset(caps, e);
	if (r == 0 && c->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, -errno, "set no_new_privs");
	return r;
}
