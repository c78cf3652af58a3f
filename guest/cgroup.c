// SPDX-License-Identifier: Apache-2.0
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/figures.h"
#include "base/mem.h"

#define CGROUP_CPU_PERIOD_US 100000

static uint64_t cgroup_ooms_before[GUEST_CONTAINERS_MAX];

static void cgroup_path(char *out, size_t size, uint32_t index)
{
	snprintf(out, size, CGROUP_ROOT "/c%u", index);
}

static int cgroup_write(int dirfd, const char *file, const char *value, struct err *e)
{
	_cleanup_fd_ int fd = openat(dirfd, file, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return err_sys(e, -errno, "cgroup: set %s to %s", file, value);
	return 0;
}

static int cgroup_write_u64(int dirfd, const char *file, uint64_t value, struct err *e)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return cgroup_write(dirfd, file, text, e);
}

int cgroup_init(struct err *e)
{
	static const char *const controllers[] = {"+memory", "+cpu", "+pids", "+io", "+cpuset"};
	_cleanup_fd_ int dir = open(CGROUP_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_sys(e, -errno, "open " CGROUP_ROOT);
	/* One by one: a kernel without one of them still limits the others. */
	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++)
		cgroup_write(dir, "cgroup.subtree_control", controllers[i], NULL);
	return 0;
}

static int cgroup_limit(int dir, const struct guest_container *c, struct err *e)
{
	char text[64];
	int r = 0;

	/* The container dies as a whole, as Kubernetes does it: half of one is of no use. */
	cgroup_write(dir, "memory.oom.group", "1", NULL);
	if (c->memory_bytes)
		r = cgroup_write_u64(dir, "memory.max", c->memory_bytes, e);
	if (r == 0 && c->pids)
		r = cgroup_write_u64(dir, "pids.max", c->pids, e);
	if (r == 0 && c->cpu_weight)
		r = cgroup_write_u64(dir, "cpu.weight", c->cpu_weight, e);
	if (r == 0 && c->cpu_millis) {
		/* 1000 us is the least that the kernel takes */
		uint64_t quota_us = (uint64_t)c->cpu_millis * CGROUP_CPU_PERIOD_US / 1000;

		snprintf(text, sizeof(text), "%llu %d", (unsigned long long)MAX(quota_us, 1000),
			 CGROUP_CPU_PERIOD_US);
		r = cgroup_write(dir, "cpu.max", text, e);
	}
	return r;
}

int cgroup_open(uint32_t index, struct err *e)
{
	char path[64];
	int fd;

	cgroup_path(path, sizeof(path), index);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, -errno, "open %s", path) : fd;
}

uint64_t cgroup_ooms(int dir)
{
	char text[FIGURES_FILE_MAX];

	return figures_line(figures_read(dir, "memory.events", text, sizeof(text)), "oom_kill");
}

int cgroup_make(uint32_t index, const struct guest_container *c, struct err *e)
{
	_cleanup_fd_ int dir = -1;
	char path[64];
	int r;

	cgroup_path(path, sizeof(path), index);
	rmdir(path);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_sys(e, -errno, "make %s", path);
	dir = cgroup_open(index, e);
	if (dir < 0)
		return dir;
	/* Where processes are shared, those of the last run may not all have been reaped: then it is still there. */
	cgroup_ooms_before[index] = cgroup_ooms(dir);
	r = cgroup_limit(dir, c, e);
	return r < 0 ? r : take_fd(&dir);
}

bool cgroup_end(uint32_t index)
{
	_cleanup_fd_ int dir = -1;
	char path[64];
	bool oom;

	cgroup_path(path, sizeof(path), index);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return false;
	cgroup_write(dir, "cgroup.kill", "1", NULL);
	oom = cgroup_ooms(dir) > cgroup_ooms_before[index];
	rmdir(path);
	return oom;
}
