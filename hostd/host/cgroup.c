// SPDX-License-Identifier: Apache-2.0
/*
 * /sys/fs/cgroup/hyper holds what hostd starts: pods/UID for VMs, image for the layer workers, api
 * for the endpoint. hostd
 * itself stays in the root group, where no limit can hit it. (cgroup v2: processes live in leaves
 * only, controllers are enabled top-down.)
 */
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define CGROUP_ROOT   "/sys/fs/cgroup"
#define CGROUP_PODS   CGROUP_ROOT "/hyper/pods"
#define CGROUP2_MAGIC 0x63677270

static void cgroup_enable(const char *group)
{
	static const char *const controllers[] = {"+cpu", "+memory", "+pids", "+io"};
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", group);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	/* One at a time: one that the kernel lacks must not cost the others. */
	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++)
		if (write(fd, controllers[i], strlen(controllers[i])) < 0)
			log_debug("host", "ev=cgroup_without controller=%s group=%s",
				  controllers[i], group);
	fd_close(fd);
}

int host_cgroup_init(char *path, size_t size, struct err *e)
{
	struct statfs fs;
	int r;

	if (statfs(CGROUP_ROOT, &fs) < 0 || fs.f_type != CGROUP2_MAGIC)
		return err_set(e, -ENOENT, CGROUP_ROOT " is no cgroup v2 tree");
	r = file_mkdirs(CGROUP_PODS, 0755);
	if (r < 0)
		return err_sys(e, r, "make " CGROUP_PODS);
	cgroup_enable(CGROUP_ROOT);
	cgroup_enable(CGROUP_ROOT "/hyper");
	cgroup_enable(CGROUP_PODS);
	return str_copy(path, size, CGROUP_PODS);
}

int host_cgroup_worker(const char *name, uint64_t cap_bytes)
{
	char path[128], value[32];
	int dir, fd;

	snprintf(path, sizeof(path), CGROUP_ROOT "/hyper/%s", name);
	if (file_mkdirs(path, 0755) < 0)
		return -1;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = dir < 0 ? -1 : openat(dir, "memory.max", O_WRONLY | O_CLOEXEC);
	snprintf(value, sizeof(value), "%llu", (unsigned long long)cap_bytes);
	if (fd >= 0 && write(fd, value, strlen(value)) < 0)
		log_debug("host", "ev=cgroup_without controller=memory group=%s", path);
	fd_close(fd);
	return dir;
}
