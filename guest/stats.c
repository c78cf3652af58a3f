// SPDX-License-Identifier: Apache-2.0
/*
 * The figures are read from cgroups, /proc and /sys while the answer is written. A file that is missing,
 * as that of a controller which this kernel lacks, leaves its figures at zero.
 */
#include "stats.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/figures.h"
#include "base/mem.h"
#include "cgroup.h"
#include "disk.h"
#include "proto/guest_stats.h"
#include "volume.h"

#define STATS_NET   "/sys/class/net/eth0/statistics"
#define STATS_NS_US 1000
#define STATS_KIB   1024

static bool stats_due;
static uint32_t stats_id;

void stats_ask(const struct guest_frame *f)
{
	if (guest_stats_ask_decode(f, &stats_id) == 0)
		stats_due = true;
}

void stats_down(void)
{
	stats_due = false;
}

static void stats_container(const struct container *c, struct guest_stats_container *s)
{
	_cleanup_fd_ int dir = cgroup_open(c->index, NULL);
	char text[FIGURES_FILE_MAX];
	uint64_t idle;

	*s = (struct guest_stats_container){.container = c->index, .started_ns = c->started_ns};
	if (dir < 0)
		return;
	figures_read(dir, "cpu.stat", text, sizeof(text));
	s->cpu_ns = figures_line(text, "usage_usec") * STATS_NS_US;
	s->cpu_user_ns = figures_line(text, "user_usec") * STATS_NS_US;
	s->cpu_system_ns = figures_line(text, "system_usec") * STATS_NS_US;
	s->throttled_ns = figures_line(text, "throttled_usec") * STATS_NS_US;
	s->throttled = figures_line(text, "nr_throttled");
	figures_read(dir, "memory.stat", text, sizeof(text));
	s->rss_bytes = figures_line(text, "anon");
	s->faults = figures_line(text, "pgfault");
	s->major_faults = figures_line(text, "pgmajfault");
	idle = figures_line(text, "inactive_file");
	s->memory_bytes = figures_number(dir, "memory.current");
	s->working_set_bytes = s->memory_bytes > idle ? s->memory_bytes - idle : 0;
	s->oom_kills = (uint32_t)cgroup_ooms(dir);
	s->pids = (uint32_t)figures_number(dir, "pids.current");
}

static void stats_net(struct guest_stats_net *n)
{
	_cleanup_fd_ int dir = open(STATS_NET, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return;
	n->rx_bytes = figures_number(dir, "rx_bytes");
	n->rx_packets = figures_number(dir, "rx_packets");
	n->rx_errors = figures_number(dir, "rx_errors");
	n->rx_dropped = figures_number(dir, "rx_dropped");
	n->tx_bytes = figures_number(dir, "tx_bytes");
	n->tx_packets = figures_number(dir, "tx_packets");
	n->tx_errors = figures_number(dir, "tx_errors");
	n->tx_dropped = figures_number(dir, "tx_dropped");
}

static void stats_pod(struct guest_stats *m)
{
	char text[FIGURES_FILE_MAX];
	struct statvfs fs;

	figures_read(AT_FDCWD, "/proc/meminfo", text, sizeof(text));
	m->memory_bytes = figures_line(text, "MemTotal") * STATS_KIB;
	m->memory_available_bytes = figures_line(text, "MemAvailable") * STATS_KIB;
	stats_net(&m->net);
	if (statvfs(DISK_SCRATCH, &fs) < 0)
		return;
	m->scratch_bytes = (uint64_t)fs.f_blocks * fs.f_frsize;
	m->scratch_free_bytes = (uint64_t)fs.f_bfree * fs.f_frsize;
	m->scratch_inodes = fs.f_files;
	m->scratch_inodes_free = fs.f_ffree;
}

/* Those that lie on the scratch disk with all else have nothing of their own to tell. */
static void stats_volumes(const struct guest_run *run, struct guest_stats *m)
{
	for (uint32_t i = 0; i < run->volume_count; i++) {
		struct guest_stats_volume *v = &m->volumes[m->volume_count];
		char path[VOLUME_PATH_MAX];
		struct statvfs fs;

		if ((run->volumes[i].kind == GUEST_VOLUME_DISK && !run->volumes[i].size_bytes) ||
		    statvfs(volume_path(i, path), &fs) < 0)
			continue;
		*v = (struct guest_stats_volume){
			.volume = (uint16_t)i,
			.bytes = (uint64_t)fs.f_blocks * fs.f_frsize,
			.free_bytes = (uint64_t)fs.f_bfree * fs.f_frsize,
			.inodes = fs.f_files,
			.inodes_free = fs.f_ffree,
		};
		m->volume_count++;
	}
}

long stats_next(const struct guest_run *run, const struct container *containers, uint32_t count,
		void *out, size_t size)
{
	struct guest_stats m;

	if (!stats_due)
		return 0;
	stats_due = false;
	m = (struct guest_stats){.ask = stats_id};
	stats_pod(&m);
	for (uint32_t i = 0; i < count; i++)
		if (containers[i].state == CONTAINER_RUNNING)
			stats_container(&containers[i], &m.containers[m.container_count++]);
	if (count)
		stats_volumes(run, &m);
	return guest_stats_encode(&m, out, size);
}
