// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/figures.h"
#include "base/mem.h"
#include "host/host.h"

#define USAGE_CGROUP   "/sys/fs/cgroup"
#define USAGE_NET      "/sys/class/net"
#define USAGE_FILE_MAX ((size_t)256 << 10)
#define USAGE_NS_US    1000ULL
#define USAGE_KIB      1024ULL
#define USAGE_NS_MS    1000000ULL
#define USAGE_TICK_NS  10000000ULL /* USER_HZ is 100, whatever the kernel's */

static void usage_cpu(struct host_usage *u)
{
	char text[FIGURES_FILE_MAX];
	uint64_t t[8] = {0};

	figures_read(AT_FDCWD, USAGE_CGROUP "/cpu.stat", text, sizeof(text));
	u->cpu_ns = figures_line(text, "usage_usec") * USAGE_NS_US;
	figures_read(AT_FDCWD, "/proc/stat", text, sizeof(text));
	figures_columns(text, "cpu", t, ARRAY_SIZE(t));
	u->cpu_user_ns = (t[0] + t[1]) * USAGE_TICK_NS;
	u->cpu_system_ns = (t[2] + t[5] + t[6]) * USAGE_TICK_NS;
	u->cpu_idle_ns = t[3] * USAGE_TICK_NS;
	u->cpu_iowait_ns = t[4] * USAGE_TICK_NS;
	u->cpu_steal_ns = t[7] * USAGE_TICK_NS;
	if (!u->cpu_ns)
		u->cpu_ns = u->cpu_user_ns + u->cpu_system_ns;
}

static void usage_memory(struct host_usage *u)
{
	char text[FIGURES_FILE_MAX];
	uint64_t idle;

	figures_read(AT_FDCWD, "/proc/meminfo", text, sizeof(text));
	u->memory_bytes = figures_line(text, "MemTotal") * USAGE_KIB;
	u->memory_free_bytes = figures_line(text, "MemFree") * USAGE_KIB;
	u->memory_available_bytes = figures_line(text, "MemAvailable") * USAGE_KIB;
	u->memory_anon_bytes = figures_line(text, "AnonPages") * USAGE_KIB;
	u->memory_shmem_bytes = figures_line(text, "Shmem") * USAGE_KIB;
	u->memory_slab_bytes = figures_line(text, "Slab") * USAGE_KIB;
	idle = figures_line(text, "Inactive(file)") * USAGE_KIB;
	u->memory_used_bytes = u->memory_bytes - MIN(u->memory_bytes, u->memory_free_bytes);
	/* As kubelets count it: without the file pages that nobody used lately */
	u->memory_working_set_bytes = u->memory_used_bytes - MIN(u->memory_used_bytes, idle);
	figures_read(AT_FDCWD, "/proc/vmstat", text, sizeof(text));
	u->faults = figures_line(text, "pgfault");
	u->major_faults = figures_line(text, "pgmajfault");
}

static void usage_load(struct host_usage *u)
{
	char text[128];

	figures_read(AT_FDCWD, "/proc/loadavg", text, sizeof(text));
	(void)sscanf(text, "%lf %lf %lf %*u/%u", &u->load[0], &u->load[1], &u->load[2],
		     &u->processes);
	u->processes_max = (uint32_t)figures_number(AT_FDCWD, "/proc/sys/kernel/pid_max");
}

/* Interfaces with a device behind them: bridges, taps and lo are this host's own business. */
static void usage_net(struct host_usage *u)
{
	struct buf text = BUF_INIT(USAGE_FILE_MAX);
	DIR *dir = opendir(USAGE_NET);
	struct dirent *ent;

	(void)file_read(AT_FDCWD, "/proc/net/dev", &text, NULL);
	while (dir && (ent = readdir(dir)) && u->net_count < HOST_USAGE_NETS_MAX) {
		char path[512];

		snprintf(path, sizeof(path), USAGE_NET "/%s/device", ent->d_name);
		if (ent->d_name[0] != '.' && access(path, F_OK) == 0 &&
		    figures_net(buf_str(&text), ent->d_name, &u->nets[u->net_count]))
			u->net_count++;
	}
	if (dir)
		closedir(dir);
	buf_done(&text);
}

void host_usage_read(struct host_usage *u)
{
	*u = (struct host_usage){.time_ns = clock_real_ns()};
	u->boot_ns = u->time_ns - MIN(u->time_ns, clock_mono_ms() * USAGE_NS_MS);
	usage_cpu(u);
	usage_memory(u);
	usage_load(u);
	usage_net(u);
}
