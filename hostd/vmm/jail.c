// SPDX-License-Identifier: Apache-2.0
#include "vmm/jail.h"

#include <errno.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/sandbox.h"

static int jail_namespaces(void)
{
	return unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0 ? -errno : 0;
}

int jail_enter(uid_t uid, gid_t gid, struct err *e)
{
	int r = jail_namespaces();

	if (r < 0)
		return err_sys(e, r, "jail: namespaces");
	r = sandbox_empty_root();
	if (r < 0)
		return err_sys(e, r, "jail: root");
	r = sandbox_identity(uid, gid);
	if (r < 0)
		return err_sys(e, r, "jail: identity");
	r = sandbox_limit(RLIMIT_CORE, 0);
	if (r == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		r = -errno;
	return r < 0 ? err_sys(e, r, "jail: limits") : 0;
}

int jail_seal(struct err *e)
{
	/*
	 * 0 to 2 are taken, so there is no free number; poll(2) refuses lists longer than this. Threads
	 * are not limited but by the filters: KVM adds one of its own to this process at the first
	 * KVM_RUN (Linux 6.12, where it may use huge pages) and lets the guest wait for ever if it cannot.
	 */
	int r = sandbox_limit(RLIMIT_NOFILE, STDERR_FILENO + 1);

	return r < 0 ? err_sys(e, r, "jail: seal") : 0;
}
