// SPDX-License-Identifier: Apache-2.0
/*
 * Pulls. Whoever wants an image waits on a job, and there is one job a name, so that ten pods of one
 * image make one pull. A job that needs no pull (the image is there, the name is wrong) ends by itself
 * from the loop: every waiter is answered in the same way.
 *
 * A job's process has ended well only when its result says so AND it has exited with 0 AND what it made
 * can be taken over. Two failures are tried again once without telling anybody: no room while images
 * are there that nobody uses, and a layer that was dropped from the store while the pull relied on it.
 */
#include "oci/oci.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "json/json.h"
#include "oci/ref.h"
#include "oci/store.h"

#define OCI_JOBS_RUNNING_MAX 3 /* more share the same wire and take longer each */
#define OCI_MIRRORS_MAX	     8
#define OCI_RESULT_MAX	     ((size_t)64 << 10)
#define OCI_RESULT_FD	     3
#define OCI_ROOM_DEFAULT     ((uint64_t)1 << 40)

struct oci {
	struct loop *loop;
	struct store store;
	struct list jobs;
	char *worker, *mkfs;
	char *mirrors[OCI_MIRRORS_MAX];
	size_t mirror_count;
	unsigned int running, folders; /* folders: made so far, for their names */
	int cgroup_fd;
	uid_t uid;
	gid_t gid;
	void (*on_changed)(void *arg);
	void *arg;
};

enum job_state {
	JOB_QUEUED,
	JOB_RUNNING,
	JOB_ABANDONED, /* killed, but not yet gone */
	JOB_ENDED,
};

struct job {
	struct list node;
	struct oci *oci;
	struct list waits;
	enum job_state state;
	bool tried_again;
	char name[OCI_NAME_MAX];
	char *folder;
	struct proc proc;
	struct watch exit, result;
	struct buf text;
	struct defer answer;
	uint64_t started_ms;
	/* What the waiters are told */
	struct oci_image *image;
	enum oci_failure failure;
	struct err why;
};

static void oci_run_queue(struct oci *oci);

static void job_close(struct job *j)
{
	watch_del(&j->exit);
	j->proc.pidfd = fd_close(j->proc.pidfd);
	if (j->result.loop) {
		watch_del(&j->result);
		fd_close(j->result.fd);
	}
	if (j->folder) {
		file_remove_tree(AT_FDCWD, j->folder);
		free(j->folder);
		j->folder = NULL;
	}
	buf_clear(&j->text);
}

static void job_free(struct job *j)
{
	job_close(j);
	defer_cancel(&j->answer);
	oci_image_unref(j->image);
	buf_done(&j->text);
	list_del(&j->node);
	free(j);
}

/* Tells all who wait; they may wait for something else from inside */
static void job_answer(struct defer *d)
{
	struct job *j = container_of(d, struct job, answer);

	list_del(&j->node);
	while (!list_empty(&j->waits)) {
		struct oci_wait *w = list_entry(j->waits.next, struct oci_wait, node);

		list_del(&w->node);
		w->fn(w, j->image ? oci_image_ref(j->image) : NULL, j->failure,
		      j->image ? NULL : &j->why);
	}
	job_free(j);
}

static void job_end(struct job *j, struct oci_image *image, enum oci_failure failure)
{
	j->state = JOB_ENDED;
	j->image = image ? oci_image_ref(image) : NULL;
	j->failure = failure;
	loop_defer(j->oci->loop, &j->answer, job_answer);
}

static struct job *job_new(struct oci *oci)
{
	struct job *j = mem_alloc(sizeof(*j));

	j->oci = oci;
	list_init(&j->node);
	list_init(&j->waits);
	buf_init(&j->text, OCI_RESULT_MAX);
	j->proc.pidfd = -1;
	return j;
}

static void job_fail(struct job *j, int code)
{
	char shown[ERR_MSG_MAX];

	err_wrap(&j->why, code, "pull %s", j->name);
	log_warn("oci", "ev=pull_failed image=%s ms=%llu error=\"%s\"", j->name,
		 (unsigned long long)(clock_mono_ms() - j->started_ms),
		 str_printable(shown, sizeof(shown), err_msg(&j->why)));
	job_end(j, NULL, OCI_FAILURE_PULL);
}

/* Back to the queue. Return: false when it was there a second time already */
static bool job_try_again(struct job *j)
{
	if (j->tried_again)
		return false;
	j->tried_again = true;
	j->state = JOB_QUEUED;
	err_clear(&j->why);
	return true;
}

/* What the process said. Return: 0 with the digest, or its error */
static int job_read_result(struct job *j, int exit_code, char *digest, uint64_t *bytes)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	const struct json *root;
	int code;

	/* Our cgroup's limit; nobody else kills a pull that is still wanted. */
	if (exit_code == 128 + SIGKILL)
		return err_set(&j->why, -ENOSPC, "hostd-image was killed, it took too much memory");
	if (j->text.len == 0 || json_parse(j->text.data, j->text.len, &doc, NULL) < 0)
		return err_set(&j->why, -EIO, "hostd-image ended with %d and no result", exit_code);
	root = json_root(doc);
	code = (int)json_int(json_get(root, "code"), 0);
	if (code < 0)
		return err_set(&j->why, code, "%s", json_str(json_get(root, "error"), ""));
	if (exit_code != 0 || !oci_digest_valid(json_str(json_get(root, "digest"), "")))
		return err_set(&j->why, -EIO, "hostd-image ended with %d", exit_code);
	str_copy(digest, OCI_DIGEST_MAX, json_str(json_get(root, "digest"), ""));
	*bytes = (uint64_t)json_int(json_get(root, "bytes"), 0);
	return 0;
}

static void job_finish(struct job *j, int exit_code)
{
	struct store *store = &j->oci->store;
	char digest[OCI_DIGEST_MAX];
	uint64_t bytes = 0;
	struct oci *oci = j->oci;
	int r = job_read_result(j, exit_code, digest, &bytes);

	if (r == -ENOSPC && store_drop_unused(store) && job_try_again(j))
		return;
	if (r == 0) {
		r = store_adopt(store, j->folder, digest, &j->why);
		if (r == -ENOENT && job_try_again(j))
			return;
	}
	if (r == 0)
		r = store_set_name(store, j->name, digest, &j->why);
	if (r < 0) {
		job_fail(j, r);
		return;
	}
	log_info("oci", "ev=pull_done image=%s digest=%s bytes=%llu ms=%llu", j->name, digest,
		 (unsigned long long)bytes, (unsigned long long)(clock_mono_ms() - j->started_ms));
	job_end(j, store_find(store, digest), OCI_FAILURE_NONE);
	store_gc(store, 0);
	if (oci->on_changed)
		oci->on_changed(oci->arg);
}

/* Reads what there is. Return: whether more may come */
static bool job_read(struct job *j)
{
	char piece[4096];
	ssize_t n;

	while ((n = read(j->result.fd, piece, sizeof(piece))) > 0)
		if (buf_append(&j->text, piece, (size_t)n) < 0)
			return false;
	return n < 0 && errno == EAGAIN;
}

static void job_on_result(struct watch *w, uint32_t events)
{
	struct job *j = container_of(w, struct job, result);

	(void)events;
	if (job_read(j))
		return;
	watch_del(w);
	fd_close(w->fd);
}

static void job_on_exit(struct watch *w, uint32_t events)
{
	struct job *j = container_of(w, struct job, exit);
	struct oci *oci = j->oci;
	int exit_code = 0;

	(void)events;
	if (proc_reap(&j->proc, &exit_code) == 0)
		return;
	if (j->result.loop)
		job_read(j);
	oci->running--;
	if (j->state == JOB_ABANDONED) {
		job_free(j);
	} else {
		job_finish(j, exit_code);
		job_close(j);
	}
	oci_run_queue(oci);
}

/* Ends a process for sure */
static void job_kill(struct job *j)
{
	struct pollfd wait = {.fd = j->proc.pidfd, .events = POLLIN};
	int exit_code;

	if (j->proc.pidfd < 0)
		return;
	proc_kill(&j->proc, SIGKILL);
	while (proc_reap(&j->proc, &exit_code) == 0)
		poll(&wait, 1, -1);
}

static int job_make_folder(struct job *j)
{
	struct oci *oci = j->oci;
	int r;

	j->folder = mem_printf("%s/tmp/%u", oci->store.root, ++oci->folders);
	r = mkdir(j->folder, 0700) < 0 ? -errno : 0;
	if (r == 0 && oci->uid && chown(j->folder, oci->uid, oci->gid) < 0)
		r = -errno;
	return r < 0 ? err_sys(&j->why, r, "make %s", j->folder) : 0;
}

static int job_spawn(struct job *j, int result_fd)
{
	const struct oci *oci = j->oci;
	const struct store *store = &oci->store;
	const int fds[] = {-1, STDERR_FILENO, STDERR_FILENO, result_fd};
	const char *argv[20 + 2 * OCI_MIRRORS_MAX];
	struct proc_spec spec = {
		.argv = argv,
		.fds = fds,
		.fd_count = ARRAY_SIZE(fds),
		.cgroup_fd = oci->cgroup_fd,
	};
	char room[24], uid[16], gid[16], result[8];
	size_t n = 0;

	snprintf(room, sizeof(room), "%llu",
		 (unsigned long long)(store->cap_bytes ? store->cap_bytes - MIN(store->used_bytes,
										store->cap_bytes)
						       : OCI_ROOM_DEFAULT));
	snprintf(uid, sizeof(uid), "%u", oci->uid);
	snprintf(gid, sizeof(gid), "%u", oci->gid);
	snprintf(result, sizeof(result), "%d", OCI_RESULT_FD);
	argv[n++] = oci->worker;
	argv[n++] = "--store";
	argv[n++] = store->root;
	argv[n++] = "--folder";
	argv[n++] = j->folder;
	argv[n++] = "--mkfs";
	argv[n++] = oci->mkfs;
	argv[n++] = "--room";
	argv[n++] = room;
	argv[n++] = "--result-fd";
	argv[n++] = result;
	argv[n++] = "--uid";
	argv[n++] = uid;
	argv[n++] = "--gid";
	argv[n++] = gid;
	for (size_t i = 0; i < oci->mirror_count; i++) {
		argv[n++] = "--mirror";
		argv[n++] = oci->mirrors[i];
	}
	argv[n++] = "--";
	argv[n++] = j->name;
	argv[n] = NULL;
	return proc_spawn(&spec, &j->proc, &j->why);
}

static int job_start(struct job *j)
{
	_cleanup_fd_ int to_us = -1, from_it = -1;
	int pipe_fds[2], r = job_make_folder(j);

	if (r < 0)
		return r;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_sys(&j->why, -errno, "pipe");
	from_it = pipe_fds[0];
	to_us = pipe_fds[1];
	fd_nonblock(from_it);
	r = job_spawn(j, to_us);
	if (r < 0)
		return r;
	r = watch_add(j->oci->loop, &j->exit, j->proc.pidfd, EPOLLIN, job_on_exit);
	if (r == 0)
		r = watch_add(j->oci->loop, &j->result, from_it, EPOLLIN, job_on_result);
	if (r == 0) {
		take_fd(&from_it);
		return 0;
	}
	job_kill(j);
	return err_sys(&j->why, r, "watch a pull");
}

static void oci_run_queue(struct oci *oci)
{
	struct job *j;

	list_for_each(j, &oci->jobs, node) {
		int r;

		if (oci->running == OCI_JOBS_RUNNING_MAX)
			break;
		if (j->state != JOB_QUEUED)
			continue;
		if (!j->tried_again) {
			j->started_ms = clock_mono_ms();
			log_info("oci", "ev=pull_started image=%s", j->name);
		}
		r = job_start(j);
		if (r < 0) {
			job_fail(j, r);
			job_close(j);
			continue;
		}
		j->state = JOB_RUNNING;
		oci->running++;
	}
}

/* An outcome that needs no pull */
static void oci_answer(struct oci *oci, struct oci_wait *w, struct oci_image *image,
		       enum oci_failure failure, const struct err *e)
{
	struct job *j = job_new(oci);

	if (e)
		j->why = *e;
	list_add(&j->waits, &w->node);
	list_add(&oci->jobs, &j->node);
	job_end(j, image, failure);
}

void oci_ensure(struct oci *oci, struct oci_wait *w, const char *name, enum oci_pull pull)
{
	struct oci_image *image = NULL;
	char full[OCI_NAME_MAX];
	struct err e = ERR_INIT;
	struct oci_ref ref;
	struct job *j;

	list_init(&w->node);
	if (oci_ref_parse(name, &ref, &e) < 0) {
		oci_answer(oci, w, NULL, OCI_FAILURE_NAME, &e);
		return;
	}
	oci_ref_name(&ref, full);
	if (pull != OCI_PULL_ALWAYS || *ref.digest)
		image = store_find_name(&oci->store, full);
	if (!image && *ref.digest)
		image = store_find(&oci->store, ref.digest);
	if (image) {
		oci_answer(oci, w, image, OCI_FAILURE_NONE, NULL);
		return;
	}
	if (pull == OCI_PULL_NEVER) {
		err_set(&e, -ENOENT, "image %s is not here and must not be pulled", full);
		oci_answer(oci, w, NULL, OCI_FAILURE_NEVER, &e);
		return;
	}
	list_for_each(j, &oci->jobs, node) {
		if ((j->state == JOB_QUEUED || j->state == JOB_RUNNING) && str_eq(j->name, full)) {
			list_add(&j->waits, &w->node);
			return;
		}
	}
	j = job_new(oci);
	str_copy(j->name, sizeof(j->name), full);
	list_add(&j->waits, &w->node);
	list_add(&oci->jobs, &j->node);
	oci_run_queue(oci);
}

void oci_cancel(struct oci *oci, struct oci_wait *w)
{
	struct job *j, *tmp;

	if (!w->node.next || list_empty(&w->node))
		return;
	list_del(&w->node);
	list_for_each_safe(j, tmp, &oci->jobs, node) {
		if (!list_empty(&j->waits))
			continue;
		if (j->state == JOB_QUEUED) {
			job_free(j);
		} else if (j->state == JOB_RUNNING) {
			j->state = JOB_ABANDONED;
			proc_kill(&j->proc, SIGKILL);
		}
	}
}

int oci_new(const struct oci_config *config, struct oci **oci, struct err *e)
{
	struct oci *o = mem_alloc(sizeof(*o));
	int r;

	o->loop = config->loop;
	o->cgroup_fd = config->cgroup_fd;
	o->uid = config->uid;
	o->gid = config->gid;
	o->on_changed = config->on_changed;
	o->arg = config->arg;
	list_init(&o->jobs);
	r = store_open(&o->store, config->root, config->cap_bytes, e);
	if (r < 0) {
		free(o);
		return err_wrap(e, r, "image store");
	}
	o->worker = mem_strdup(config->worker);
	o->mkfs = mem_strdup(config->mkfs);
	for (size_t i = 0; i < MIN(config->mirror_count, (size_t)OCI_MIRRORS_MAX); i++)
		o->mirrors[o->mirror_count++] = mem_strdup(config->mirrors[i]);
	*oci = o;
	return 0;
}

struct oci *oci_free(struct oci *oci)
{
	struct job *j, *tmp;

	if (!oci)
		return NULL;
	list_for_each_safe(j, tmp, &oci->jobs, node) {
		while (!list_empty(&j->waits))
			list_del(j->waits.next);
		job_kill(j);
		job_free(j);
	}
	store_close(&oci->store);
	for (size_t i = 0; i < oci->mirror_count; i++)
		free(oci->mirrors[i]);
	free(oci->worker);
	free(oci->mkfs);
	free(oci);
	return NULL;
}

struct oci_image *oci_image_find(struct oci *oci, const char *digest)
{
	struct oci_image *image = store_find(&oci->store, digest);

	return image ? oci_image_ref(image) : NULL;
}

void oci_gc(struct oci *oci, uint64_t bytes)
{
	store_gc(&oci->store, bytes);
}

uint64_t oci_used_bytes(const struct oci *oci)
{
	return oci->store.used_bytes;
}

void oci_images(struct oci *oci,
		void (*fn)(const struct oci_image *image, const struct oci_strings *names,
			   void *arg),
		void *arg)
{
	store_each(&oci->store, fn, arg);
}
