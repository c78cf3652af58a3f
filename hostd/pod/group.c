// SPDX-License-Identifier: Apache-2.0
/*
 * The pod's control group: hypervm is born in it. The memory limit is the guest's memory, a margin for
 * the VMM itself, and the scratch disk, whose pages on tmpfs are charged to the VM that writes them:
 * a full disk is the guest's error, not its end. The share of the processor follows what the pod
 * asked for (kubelet's formula).
 *
 * The limit of the processor is the containers', so it holds from the moment on that they are started:
 * a kernel's boot under a tenth of a processor would take ten times as long and gain nobody anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/figures.h"
#include "base/log.h"
#include "base/mem.h"
#include "pod/impl.h"

#define GROUP_VMM_BYTES ((uint64_t)64 << 20) /* hypervm, page tables, vhost */
#define GROUP_PIDS	256
#define GROUP_PERIOD_US 100000
#define GROUP_OOM_MAX	1000
#define GROUP_OOM_MIN	100

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

/* Return: whether there are control groups at all */
static bool group_path(const struct pod *p, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", p->pods->config.cgroup_dir, p->meta.uid);
	return *p->pods->config.cgroup_dir;
}

int group_open(const struct pod *p)
{
	struct spec_size size;
	char path[PATH_MAX], value[64];
	int fd;

	if (!group_path(p, path))
		return -1;
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	spec_size(p->spec, p->pods->config.cpus, &size);
	snprintf(value, sizeof(value), "%llu",
		 (unsigned long long)(size.vm_memory_bytes + GROUP_VMM_BYTES +
				      p->scratch.size_bytes));
	group_set(fd, "memory.max", value);
	group_set(fd, "memory.oom.group", "1");
	snprintf(value, sizeof(value), "%d", GROUP_PIDS);
	group_set(fd, "pids.max", value);
	snprintf(value, sizeof(value), "%llu",
		 (unsigned long long)group_weight(size.request_cpu_millis));
	group_set(fd, "cpu.weight", value);
	return fd;
}

int group_find(const struct pod *p)
{
	char path[PATH_MAX];

	return group_path(p, path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

void group_limit_cpu(const struct pod *p)
{
	_cleanup_fd_ int fd = -1;
	uint64_t limit_millis = 0;
	char value[64];

	for (uint32_t i = p->spec->init_count; i < p->spec->container_count; i++) {
		if (!p->spec->containers[i].cpu_limit)
			return; /* one container without a limit: the pod has none */
		limit_millis += p->spec->containers[i].cpu_limit;
	}
	fd = group_find(p);
	snprintf(value, sizeof(value), "%llu %d",
		 (unsigned long long)(limit_millis * GROUP_PERIOD_US / 1000), GROUP_PERIOD_US);
	if (fd >= 0)
		group_set(fd, "cpu.max", value);
}

void group_oom_score(const struct pod *p)
{
	uint64_t all = MAX(p->pods->config.memory_bytes, (uint64_t)1), score;
	char path[64], value[16];
	struct spec_size size;

	if (!p->vm.proc.pid)
		return;
	spec_size(p->spec, p->pods->config.cpus, &size);
	score = MIN(size.request_memory_bytes, all) * GROUP_OOM_MAX / all;
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)p->vm.proc.pid);
	snprintf(value, sizeof(value), "%d", MAX(GROUP_OOM_MAX - (int)score, GROUP_OOM_MIN));
	group_set(AT_FDCWD, path, value);
}

uint64_t group_memory_bytes(const struct pod *p)
{
	_cleanup_fd_ int fd = group_find(p);

	return fd < 0 ? 0 : figures_number(fd, "memory.current");
}

bool group_oom_killed(const struct pod *p)
{
	_cleanup_fd_ int fd = group_find(p);
	char text[FIGURES_FILE_MAX];

	return fd >= 0 &&
	       figures_line(figures_read(fd, "memory.events", text, sizeof(text)), "oom_kill") > 0;
}

int group_remove(const struct pod *p)
{
	char path[PATH_MAX];
	int fd;

	if (!group_path(p, path))
		return 0;
	if (rmdir(path) == 0 || errno == ENOENT)
		return 0;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		group_set(fd, "cgroup.kill", "1");
	fd_close(fd);
	return rmdir(path) == 0 || errno == ENOENT ? 0 : -EBUSY;
}
