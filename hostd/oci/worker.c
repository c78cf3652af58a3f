// SPDX-License-Identifier: Apache-2.0
/*
 * A pull's process gets its folder, the store to read from and a pipe for its result, one line of
 * JSON. It may end in any way and write anything: what it wrote is capped, and its result counts only
 * together with its exit code. Its end is seen by the pidfd, the result by the pipe; what is still in
 * the pipe when the process has gone is read before anybody is told.
 */
#include "oci/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "json/json.h"
#include "oci/ref.h"

#define WORKER_RESULT_MAX ((size_t)64 << 10)
#define WORKER_RESULT_FD  3
#define WORKER_SWEEP_MAX  4096

void worker_config_init(struct worker_config *c, const struct oci_config *config)
{
	*c = (struct worker_config){
		.loop = config->loop,
		.program = mem_strdup(config->worker),
		.mkfs = mem_strdup(config->mkfs),
		.cgroup_fd = config->cgroup_fd,
		.uid = config->uid,
		.gid = config->gid,
	};
	for (size_t i = 0; i < MIN(config->mirror_count, (size_t)WORKER_MIRRORS_MAX); i++)
		c->mirrors[c->mirror_count++] = mem_strdup(config->mirrors[i]);
}

void worker_config_done(struct worker_config *c)
{
	for (size_t i = 0; i < c->mirror_count; i++)
		free(c->mirrors[i]);
	free(c->program);
	free(c->mkfs);
}

void worker_sweep(const struct worker_config *c)
{
	_cleanup_fd_ int fd = -1;
	char text[WORKER_SWEEP_MAX];
	ssize_t len;
	long pid;

	if (c->cgroup_fd < 0)
		return;
	/*
	 * Not cgroup.kill: after one write to it Linux 6.12 kills every process that clone3() makes in
	 * that group, for it compares the group's count of kills with that of the parent's group.
	 */
	fd = openat(c->cgroup_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	text[MAX(len, 0)] = '\0';
	/* One read: a number is whole when its line is */
	for (char *at = text, *end; (pid = strtol(at, &end, 10)) > 1 && *end == '\n'; at = end)
		kill((pid_t)pid, SIGKILL);
}

void worker_init(struct worker *w, const struct worker_config *config,
		 void (*on_exit)(struct worker *w, int exit_code))
{
	*w = (struct worker){.config = config, .proc.pidfd = -1, .on_exit = on_exit};
	buf_init(&w->text, WORKER_RESULT_MAX);
}

void worker_close(struct worker *w)
{
	watch_del(&w->exit);
	w->proc.pidfd = fd_close(w->proc.pidfd);
	if (w->output.loop) {
		watch_del(&w->output);
		fd_close(w->output.fd);
	}
	if (w->folder) {
		file_remove_tree(AT_FDCWD, w->folder);
		free(w->folder);
		w->folder = NULL;
	}
	buf_clear(&w->text);
}

void worker_done(struct worker *w)
{
	worker_close(w);
	buf_done(&w->text);
}

int worker_result(const struct worker *w, int exit_code, char *digest, uint64_t *bytes,
		  struct err *e)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	const struct json *root;
	int code;

	/* Our cgroup's limit; nobody else kills a pull that is still wanted. */
	if (exit_code == 128 + SIGKILL)
		return err_set(e, -ENOSPC, "hostd-image was killed, it took too much memory");
	if (w->text.len == 0 || json_parse(w->text.data, w->text.len, &doc, NULL) < 0)
		return err_set(e, -EIO, "hostd-image ended with %d and no result", exit_code);
	root = json_root(doc);
	code = (int)json_int(json_get(root, "code"), 0);
	if (code < 0)
		return err_set(e, code, "%s", json_str(json_get(root, "error"), ""));
	if (exit_code != 0 || !oci_digest_valid(json_str(json_get(root, "digest"), "")))
		return err_set(e, -EIO, "hostd-image ended with %d", exit_code);
	str_copy(digest, OCI_DIGEST_MAX, json_str(json_get(root, "digest"), ""));
	*bytes = (uint64_t)json_int(json_get(root, "bytes"), 0);
	return 0;
}

/* Reads what there is. Return: whether more may come */
static bool worker_read(struct worker *w)
{
	char piece[4096];
	ssize_t n;

	while ((n = read(w->output.fd, piece, sizeof(piece))) > 0)
		if (buf_append(&w->text, piece, (size_t)n) < 0)
			return false;
	return n < 0 && errno == EAGAIN;
}

static void worker_on_output(struct watch *watch, uint32_t events)
{
	struct worker *w = container_of(watch, struct worker, output);

	(void)events;
	if (worker_read(w))
		return;
	watch_del(watch);
	fd_close(watch->fd);
}

static void worker_on_exit(struct watch *watch, uint32_t events)
{
	struct worker *w = container_of(watch, struct worker, exit);
	int exit_code = 0;

	(void)events;
	if (proc_reap(&w->proc, &exit_code) == 0)
		return;
	if (w->output.loop)
		worker_read(w);
	w->on_exit(w, exit_code);
}

void worker_abandon(struct worker *w)
{
	proc_kill(&w->proc, SIGKILL);
}

void worker_end(struct worker *w)
{
	struct pollfd wait = {.fd = w->proc.pidfd, .events = POLLIN};
	int exit_code;

	if (w->proc.pidfd < 0)
		return;
	proc_kill(&w->proc, SIGKILL);
	while (proc_reap(&w->proc, &exit_code) == 0)
		poll(&wait, 1, -1);
}

static int worker_make_folder(struct worker *w, const char *path, struct err *e)
{
	const struct worker_config *c = w->config;
	int r;

	w->folder = mem_strdup(path);
	r = mkdir(w->folder, 0700) < 0 ? -errno : 0;
	if (r == 0 && c->uid && chown(w->folder, c->uid, c->gid) < 0)
		r = -errno;
	return r < 0 ? err_sys(e, r, "make %s", w->folder) : 0;
}

/* A pipe that holds the logins and then ends: they fit into it. Return: the end to read, or -errno */
static int worker_logins(const struct worker_task *task)
{
	int fds[2];
	ssize_t n;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	n = task->logins->len ? write(fds[1], task->logins->data, task->logins->len) : 0;
	close(fds[1]);
	if (n == (ssize_t)task->logins->len)
		return fds[0];
	close(fds[0]);
	return -EIO;
}

static int worker_spawn(struct worker *w, const struct worker_task *task, int result_fd,
			struct err *e)
{
	const struct worker_config *c = w->config;
	_cleanup_fd_ int logins_fd = worker_logins(task);
	const int fds[] = {logins_fd, STDERR_FILENO, STDERR_FILENO, result_fd};
	const char *argv[20 + 2 * WORKER_MIRRORS_MAX];
	struct proc_spec spec = {
		.argv = argv,
		.fds = fds,
		.fd_count = ARRAY_SIZE(fds),
		.cgroup_fd = c->cgroup_fd,
	};
	char room[24], uid[16], gid[16], result[8];
	size_t n = 0;

	snprintf(room, sizeof(room), "%llu", (unsigned long long)task->room_bytes);
	snprintf(uid, sizeof(uid), "%u", c->uid);
	snprintf(gid, sizeof(gid), "%u", c->gid);
	snprintf(result, sizeof(result), "%d", WORKER_RESULT_FD);
	if (logins_fd < 0)
		return err_sys(e, logins_fd, "hand over logins");
	argv[n++] = c->program;
	argv[n++] = "--store";
	argv[n++] = task->store;
	argv[n++] = "--folder";
	argv[n++] = w->folder;
	argv[n++] = "--mkfs";
	argv[n++] = c->mkfs;
	argv[n++] = "--room";
	argv[n++] = room;
	argv[n++] = "--result-fd";
	argv[n++] = result;
	argv[n++] = "--uid";
	argv[n++] = uid;
	argv[n++] = "--gid";
	argv[n++] = gid;
	argv[n++] = "--logins";
	for (size_t i = 0; i < c->mirror_count; i++) {
		argv[n++] = "--mirror";
		argv[n++] = c->mirrors[i];
	}
	argv[n++] = "--";
	argv[n++] = task->image;
	argv[n] = NULL;
	return proc_spawn(&spec, &w->proc, e);
}

int worker_start(struct worker *w, const struct worker_task *task, struct err *e)
{
	_cleanup_fd_ int to_us = -1, from_it = -1;
	int pipe_fds[2], r = worker_make_folder(w, task->folder, e);

	if (r < 0)
		return r;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_sys(e, -errno, "pipe");
	from_it = pipe_fds[0];
	to_us = pipe_fds[1];
	fd_nonblock(from_it);
	r = worker_spawn(w, task, to_us, e);
	if (r < 0)
		return r;
	r = watch_add(w->config->loop, &w->exit, w->proc.pidfd, EPOLLIN, worker_on_exit);
	if (r == 0)
		r = watch_add(w->config->loop, &w->output, from_it, EPOLLIN, worker_on_output);
	if (r == 0) {
		take_fd(&from_it);
		return 0;
	}
	worker_end(w);
	return err_sys(e, r, "watch a pull");
}
