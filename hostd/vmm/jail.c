// SPDX-License-Identifier: Apache-2.0
#include "vmm/jail.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define JAIL_MOUNT_POINT "/run" /* any folder; covered only in our own mount namespace */

static int jail_namespaces(void)
{
	return unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0 ? -errno : 0;
}

static int jail_root(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("hypervm", JAIL_MOUNT_POINT, "tmpfs",
		  MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=0,nr_inodes=1,mode=0555") < 0)
		return -errno;
	/* The new root is stacked on the old one and then uncovered by taking that away. */
	if (chdir(JAIL_MOUNT_POINT) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}

static int jail_identity(uid_t uid, gid_t gid)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}, {0}};

	for (unsigned long cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL)
			return -errno;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return -errno;
	if (syscall(SYS_capset, &head, none) < 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

static int jail_limit(int resource, rlim_t value)
{
	struct rlimit limit = {.rlim_cur = value, .rlim_max = value};

	return setrlimit(resource, &limit) < 0 ? -errno : 0;
}

int jail_enter(uid_t uid, gid_t gid, struct err *e)
{
	int r = jail_namespaces();

	if (r < 0)
		return err_sys(e, r, "jail: namespaces");
	r = jail_root();
	if (r < 0)
		return err_sys(e, r, "jail: root");
	r = jail_identity(uid, gid);
	if (r < 0)
		return err_sys(e, r, "jail: identity");
	r = jail_limit(RLIMIT_CORE, 0);
	if (r == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		r = -errno;
	return r < 0 ? err_sys(e, r, "jail: limits") : 0;
}

int jail_seal(struct err *e)
{
	int r = jail_limit(RLIMIT_NOFILE, 0);

	if (r == 0)
		r = jail_limit(RLIMIT_NPROC, 0);
	return r < 0 ? err_sys(e, r, "jail: seal") : 0;
}
