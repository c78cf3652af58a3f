// SPDX-License-Identifier: Apache-2.0
/*
 * The pod's control group: hypervm is born in it. The memory limit is the guest's memory and a margin
 * for the VMM itself; the share of the processor follows what the pod asked for (kubelet's formula).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "pod/impl.h"

#define GROUP_VMM_BYTES ((uint64_t)64 << 20) /* hypervm, page tables, vhost */
#define GROUP_PIDS	256
#define GROUP_PERIOD_US 100000

static void group_set(int dirfd, const char *file, const char *value)
{
	int fd = openat(dirfd, file, O_WRONLY | O_CLOEXEC);

	/* A controller that this kernel lacks limits nothing; the pod runs all the same. */
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		log_debug("pod", "ev=cgroup_unset file=%s errno=%d", file, errno);
	fd_close(fd);
}

/* cpu.shares 2..262144 onto cpu.weight 1..10000, as kubelet maps them */
static uint64_t group_weight(uint32_t millis)
{
	uint64_t shares = MIN(MAX((uint64_t)millis * 1024 / 1000, 2ULL), 262144ULL);

	return 1 + (shares - 2) * 9999 / 262142;
}

int group_open(const struct pod *p)
{
	struct spec_size size;
	uint64_t limit_millis = 0;
	bool limited = true;
	char path[PATH_MAX], value[64];
	int fd;

	if (!*p->pods->config.cgroup_dir)
		return -1;
	snprintf(path, sizeof(path), "%s/%s", p->pods->config.cgroup_dir, p->meta.uid);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	spec_size(p->spec, p->pods->config.cpus, &size);
	for (uint32_t i = p->spec->init_count; i < p->spec->container_count; i++) {
		limit_millis += p->spec->containers[i].cpu_limit;
		limited &= p->spec->containers[i].cpu_limit != 0;
	}
	snprintf(value, sizeof(value), "%llu",
		 (unsigned long long)(size.vm_memory_bytes + GROUP_VMM_BYTES));
	group_set(fd, "memory.max", value);
	group_set(fd, "memory.oom.group", "1");
	snprintf(value, sizeof(value), "%d", GROUP_PIDS);
	group_set(fd, "pids.max", value);
	snprintf(value, sizeof(value), "%llu",
		 (unsigned long long)group_weight(size.request_cpu_millis));
	group_set(fd, "cpu.weight", value);
	if (limited) {
		snprintf(value, sizeof(value), "%llu %d",
			 (unsigned long long)(limit_millis * GROUP_PERIOD_US / 1000),
			 GROUP_PERIOD_US);
		group_set(fd, "cpu.max", value);
	}
	return fd;
}

int group_remove(const struct pod *p)
{
	char path[PATH_MAX];
	int fd;

	if (!*p->pods->config.cgroup_dir)
		return 0;
	snprintf(path, sizeof(path), "%s/%s", p->pods->config.cgroup_dir, p->meta.uid);
	if (rmdir(path) == 0 || errno == ENOENT)
		return 0;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		group_set(fd, "cgroup.kill", "1");
	fd_close(fd);
	return rmdir(path) == 0 || errno == ENOENT ? 0 : -EBUSY;
}
