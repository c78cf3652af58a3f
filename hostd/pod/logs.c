// SPDX-License-Identifier: Apache-2.0
/*
 * Container output as files in the container runtime interface's form, one entry a line:
 *
 *	2026-01-02T03:04:05.123456789Z stdout F text
 *
 * A piece that does not end with a newline is an entry with tag P: nothing waits in memory, so nothing
 * is lost with hostd. CONTAINER.log grows to its cap, then becomes CONTAINER.log.1, and a new one is there
 * at once: those who follow it see that it was moved, and go on with the new one. At a restart of the
 * container it becomes CONTAINER.prev.log. A file that is complete loses its write permission, which tells
 * those who follow it to end: soon after the container has ended, for its last words may come behind the news
 * of its end.
 *
 * The cap is the pod's, shared by its containers.
 *
 * CONTAINER.pos holds how much of each stream was kept, so that a guest that repeats itself to a new
 * hostd writes nothing twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "pod/impl.h"

#define LOGS_FILES    3 /* of a container: .log, .log.1, .prev.log */
#define LOGS_QUIET_MS 500 /* after so long a container that has ended says no more */

/* A frame of nothing but newlines: each becomes time, stream, tag and three spaces */
#define LOGS_ENTRIES_MAX ((size_t)GUEST_FRAME_PAYLOAD_MAX * (CLOCK_RFC3339_MAX + 16))

void logs_path(const struct pod *p, const char *container, const char *suffix, char *path)
{
	snprintf(path, PATH_MAX, "%s/%s/%s%s", p->pods->config.log_dir, p->meta.uid, container,
		 suffix);
}

static const char *logs_name(const struct pod *p, uint32_t container)
{
	return p->spec->containers[container].name;
}

static void logs_save_pos(struct pod *p, uint32_t container)
{
	char path[PATH_MAX];
	int fd;

	logs_path(p, logs_name(p, container), ".pos", path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || pwrite(fd, p->containers[container].log_next,
			     sizeof(p->containers[container].log_next), 0) < 0)
		log_warn("pod", "ev=log_pos_failed uid=%s errno=%d", p->meta.uid, errno);
	fd_close(fd);
}

static void logs_load_pos(struct pod *p, uint32_t container)
{
	uint64_t next[2];
	char path[PATH_MAX];
	int fd;

	logs_path(p, logs_name(p, container), ".pos", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && fd_read_full(fd, next, sizeof(next)) == 0)
		memcpy(p->containers[container].log_next, next, sizeof(next));
	fd_close(fd);
}

static int logs_open(struct pod *p, uint32_t container)
{
	struct pod_container *c = &p->containers[container];
	char path[PATH_MAX];
	struct stat st;

	if (c->log_fd >= 0)
		return 0;
	snprintf(path, sizeof(path), "%s/%s", p->pods->config.log_dir, p->meta.uid);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -errno;
	logs_path(p, logs_name(p, container), ".log", path);
	/* One that was completed too early (a container that comes back) is opened again. */
	if (chmod(path, 0640) < 0 && errno != ENOENT)
		return -errno;
	c->log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (c->log_fd < 0)
		return -errno;
	c->log_bytes = fstat(c->log_fd, &st) == 0 ? (uint64_t)st.st_size : 0;
	logs_load_pos(p, container);
	return 0;
}

void logs_start(struct pod *p, uint32_t container)
{
	int r = logs_open(p, container);

	if (r < 0)
		log_warn("pod", "ev=log_failed uid=%s error=\"%s\"", p->meta.uid, strerror(-r));
}

void logs_complete(struct pod *p, uint32_t container)
{
	struct pod_container *c = &p->containers[container];
	char path[PATH_MAX];

	timer_cancel(&c->log_quiet);
	/* By name: after a restart of hostd it is not open. */
	logs_path(p, logs_name(p, container), ".log", path);
	if (chmod(path, 0440) < 0 && errno != ENOENT)
		log_warn("pod", "ev=log_failed uid=%s errno=%d", p->meta.uid, errno);
	c->log_fd = fd_close(c->log_fd);
}

static void logs_quiet(struct timer *t)
{
	struct pod_container *c = container_of(t, struct pod_container, log_quiet);

	if (c->state != CONTAINER_RUNNING)
		logs_complete(c->pod, (uint32_t)(c - c->pod->containers));
}

void logs_init(struct pod *p)
{
	for (uint32_t i = 0; i < GUEST_CONTAINERS_MAX; i++) {
		p->containers[i].log_fd = -1;
		timer_init(p->pods->config.loop, &p->containers[i].log_quiet, logs_quiet);
	}
}

void logs_free(struct pod *p)
{
	for (uint32_t i = 0; i < GUEST_CONTAINERS_MAX; i++) {
		timer_cancel(&p->containers[i].log_quiet);
		p->containers[i].log_fd = fd_close(p->containers[i].log_fd);
	}
}

void logs_ended(struct pod *p, uint32_t container)
{
	timer_set(&p->containers[container].log_quiet, LOGS_QUIET_MS);
}

static void logs_move(struct pod *p, uint32_t container, const char *suffix)
{
	char from[PATH_MAX], to[PATH_MAX];

	p->containers[container].log_fd = fd_close(p->containers[container].log_fd);
	logs_path(p, logs_name(p, container), ".log", from);
	logs_path(p, logs_name(p, container), suffix, to);
	if (rename(from, to) < 0 && errno != ENOENT)
		log_warn("pod", "ev=log_failed uid=%s errno=%d", p->meta.uid, errno);
}

void logs_restarted(struct pod *p, uint32_t container)
{
	char path[PATH_MAX];

	if (logs_open(p, container) < 0)
		return;
	logs_complete(p, container);
	logs_move(p, container, ".prev.log");
	logs_path(p, logs_name(p, container), ".log.1", path);
	unlink(path);
}

void logs_remove(const struct pod *p)
{
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/%s", p->pods->config.log_dir, p->meta.uid);
	r = file_remove_tree(AT_FDCWD, path);
	if (r < 0)
		log_warn("pod", "ev=log_failed uid=%s error=\"%s\"", p->meta.uid, strerror(-r));
}

void logs_reset(struct pod *p)
{
	for (uint32_t i = 0; p->spec && i < p->spec->container_count; i++) {
		struct pod_container *c = &p->containers[i];
		char path[PATH_MAX];

		logs_path(p, logs_name(p, i), ".pos", path);
		unlink(path);
		memset(c->log_next, 0, sizeof(c->log_next));
		c->log_fd = fd_close(c->log_fd);
	}
}

/* Appends one piece as entries. */
static int logs_entries(struct buf *out, const char *stream, uint64_t time_ns, const char *data,
			size_t len)
{
	char time[CLOCK_RFC3339_MAX];
	int r = 0;

	clock_rfc3339_nano(time, time_ns);
	while (len && r == 0) {
		const char *nl = memchr(data, '\n', len);
		size_t n = nl ? (size_t)(nl - data) : len;

		r = buf_printf(out, "%s %s %c ", time, stream, nl ? 'F' : 'P');
		if (r == 0)
			r = buf_append(out, data, n);
		if (r == 0)
			r = buf_append(out, "\n", 1);
		n += nl ? 1 : 0;
		data += n;
		len -= n;
	}
	return r;
}

static uint64_t logs_file_cap(const struct pod *p)
{
	return LOGS_POD_BYTES / LOGS_FILES / MAX(p->spec->container_count, 1U);
}

void logs_write(struct pod *p, const struct guest_log *m)
{
	struct pod_container *c = &p->containers[m->container];
	unsigned int s = m->stream == GUEST_STREAM_STDERR;
	struct buf text = BUF_INIT(LOGS_ENTRIES_MAX);
	uint64_t skip;
	int r = logs_open(p, m->container);

	if (r == 0) {
		skip = c->log_next[s] > m->offset ? c->log_next[s] - m->offset : 0;
		if (skip >= m->len)
			return;
		r = logs_entries(&text, s ? "stderr" : "stdout",
				 m->time_ns ? m->time_ns : clock_real_ns(),
				 (const char *)m->data + skip, m->len - skip);
	}
	if (r == 0)
		r = fd_write_full(c->log_fd, buf_str(&text), text.len);
	if (r == 0) {
		if (!c->log_next[0] && !c->log_next[1])
			log_info("pod", "ev=pod_output uid=%s container=%s", p->meta.uid,
				 logs_name(p, m->container));
		c->log_bytes += text.len;
		c->log_next[s] = m->offset + m->len;
		logs_save_pos(p, m->container);
		if (c->log_bytes >= logs_file_cap(p)) {
			logs_move(p, m->container, ".log.1");
			r = logs_open(p, m->container);
			log_info("pod", "ev=log_rotated uid=%s container=%s", p->meta.uid,
				 logs_name(p, m->container));
		}
		if (c->state != CONTAINER_RUNNING)
			logs_ended(p, m->container);
	}
	/* A full disk is told of once, not with each piece that is lost. */
	if (r < 0 && !c->log_failing)
		log_warn("pod", "ev=log_failed uid=%s container=%s error=\"%s\"", p->meta.uid,
			 logs_name(p, m->container), strerror(-r));
	c->log_failing = r < 0;
	buf_done(&text);
}
