// SPDX-License-Identifier: Apache-2.0
#include "vmm/jail.h"

#include <errno.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/sandbox.h"

/*
 * Our threads, vhost's, and the one that KVM adds at the first KVM_RUN (Linux 6.12, where it may use huge
 * pages): if it cannot, the guest waits for ever. The filters leave nobody a call that makes a thread.
 */
#define JAIL_TASKS_MAX 64
#define JAIL_OWN_BYTES ((uint64_t)64 << 20) /* program, stacks, the processors' pages */

static int jail_namespaces(void)
{
	return unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0 ? -errno : 0;
}

static int jail_limits(const struct jail *j)
{
	int r = sandbox_limit(RLIMIT_CORE, 0);

	if (r == 0)
		r = sandbox_limit(RLIMIT_FSIZE, j->file_bytes);
	if (r == 0)
		r = sandbox_limit(RLIMIT_MEMLOCK, 0);
	if (r == 0)
		r = sandbox_limit(RLIMIT_MSGQUEUE, 0);
	if (r == 0)
		r = sandbox_limit(RLIMIT_NPROC, JAIL_TASKS_MAX);
	if (r == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		r = -errno;
	return r;
}

int jail_enter(const struct jail *j, struct err *e)
{
	int r = jail_namespaces();

	if (r < 0)
		return err_sys(e, r, "jail: namespaces");
	r = sandbox_empty_root();
	if (r < 0)
		return err_sys(e, r, "jail: root");
	r = sandbox_identity(j->uid, j->gid);
	if (r < 0)
		return err_sys(e, r, "jail: identity");
	r = jail_limits(j);
	if (r < 0)
		return err_sys(e, r, "jail: limits");
	r = sandbox_landlock();
	return r < 0 ? err_sys(e, r, "jail: Landlock") : 0;
}

int jail_seal(const struct jail *j, struct err *e)
{
	/* 0 to 2 are taken, so there is no free number; poll(2) refuses lists longer than this. */
	int r = sandbox_limit(RLIMIT_NOFILE, STDERR_FILENO + 1);

	if (r == 0)
		r = sandbox_limit(RLIMIT_AS, j->memory_bytes + JAIL_OWN_BYTES);

	return r < 0 ? err_sys(e, r, "jail: seal") : 0;
}
