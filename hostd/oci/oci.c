// SPDX-License-Identifier: Apache-2.0
/*
 * Pulls. Whoever wants an image waits on a job, and there is one job a name, so that ten pods of one
 * image make one pull. A job that needs no pull (the image is there, the name is wrong) ends by itself
 * from the loop: every waiter is answered in the same way.
 *
 * Three pulls at a time share the wire well. One that takes long, because its registry is slow or wants
 * to keep others waiting, no longer counts as one of them, up to OCI_JOBS_MAX in all.
 *
 * A job's process has ended well only when its result says so AND it has exited with 0 AND what it made
 * can be taken over. Two failures are tried again once without telling anybody: no room while images
 * are there that nobody uses, and a layer that was dropped from the store while the pull relied on it.
 */
#include "oci/oci.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "oci/login.h"
#include "oci/ref.h"
#include "oci/store.h"
#include "oci/worker.h"

#define OCI_JOBS_QUICK_MAX 3 /* more share the same wire and take longer each */
#define OCI_JOBS_MAX	   12
#define OCI_SLOW_MS	   60000
#define OCI_ROOM_DEFAULT   ((uint64_t)1 << 40)

struct oci {
	struct loop *loop;
	struct store store;
	struct list jobs;
	struct worker_config workers;
	unsigned int running, folders; /* folders: made so far, for their names */
	unsigned int slow_ms;
	struct timer look; /* whether a running job has become a slow one, while others wait */
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
	struct buf logins; /* as hostd-image gets them */
	struct worker worker;
	struct defer answer;
	uint64_t started_ms, since_ms; /* of the first and of the present attempt */
	/* What the waiters are told */
	struct oci_image *image;
	enum oci_failure failure;
	struct err why;
};

static void oci_run_queue(struct oci *oci);
static void job_on_exit(struct worker *w, int exit_code);

static void job_free(struct job *j)
{
	worker_done(&j->worker);
	buf_done(&j->logins);
	defer_cancel(&j->answer);
	oci_image_unref(j->image);
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
	buf_init_secret(&j->logins, LOGIN_BYTES_MAX);
	worker_init(&j->worker, &oci->workers, job_on_exit);
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

static void job_finish(struct job *j, int exit_code)
{
	struct store *store = &j->oci->store;
	char digest[OCI_DIGEST_MAX];
	uint64_t bytes = 0;
	struct oci *oci = j->oci;
	int r = worker_result(&j->worker, exit_code, digest, &bytes, &j->why);

	if (r == -ENOSPC && store_drop_unused(store) && job_try_again(j))
		return;
	if (r == 0) {
		r = store_adopt(store, j->worker.folder, digest, &j->why);
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

static void job_on_exit(struct worker *w, int exit_code)
{
	struct job *j = container_of(w, struct job, worker);
	struct oci *oci = j->oci;

	oci->running--;
	if (!oci->running)
		worker_sweep(&oci->workers);
	if (j->state == JOB_ABANDONED) {
		job_free(j);
	} else {
		job_finish(j, exit_code);
		worker_close(w);
	}
	oci_run_queue(oci);
}

static int job_start(struct job *j)
{
	struct oci *oci = j->oci;
	const struct store *store = &oci->store;
	_cleanup_free_ char *folder = mem_printf("%s/tmp/%u", store->root, ++oci->folders);
	const struct worker_task task = {
		.image = j->name,
		.store = store->root,
		.folder = folder,
		.logins = &j->logins,
		.room_bytes = store->cap_bytes
				      ? store->cap_bytes - MIN(store->used_bytes, store->cap_bytes)
				      : OCI_ROOM_DEFAULT,
	};

	return worker_start(&j->worker, &task, &j->why);
}

static bool oci_has_place(const struct oci *oci)
{
	uint64_t now_ms = clock_mono_ms();
	unsigned int quick = 0;
	const struct job *j;

	list_for_each(j, &oci->jobs, node)
		quick += (j->state == JOB_RUNNING || j->state == JOB_ABANDONED) &&
			 now_ms - j->since_ms < oci->slow_ms;
	return quick < OCI_JOBS_QUICK_MAX && oci->running < OCI_JOBS_MAX;
}

static void oci_look(struct timer *t)
{
	oci_run_queue(container_of(t, struct oci, look));
}

static void oci_run_queue(struct oci *oci)
{
	struct job *j;

	timer_cancel(&oci->look);
	list_for_each(j, &oci->jobs, node) {
		int r;

		if (j->state != JOB_QUEUED)
			continue;
		if (!oci_has_place(oci)) {
			timer_set(&oci->look, oci->slow_ms / 4);
			break;
		}
		j->since_ms = clock_mono_ms();
		if (!j->tried_again) {
			j->started_ms = clock_mono_ms();
			log_info("oci", "ev=pull_started image=%s", j->name);
		}
		r = job_start(j);
		if (r < 0) {
			job_fail(j, r);
			worker_close(&j->worker);
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

/* A job under way for the same image with the same logins */
static struct job *oci_job_of(struct oci *oci, const char *name, const struct buf *logins)
{
	struct job *j;

	list_for_each(j, &oci->jobs, node)
		if ((j->state == JOB_QUEUED || j->state == JOB_RUNNING) && str_eq(j->name, name) &&
		    str_eq(buf_str(&j->logins), buf_str(logins)))
			return j;
	return NULL;
}

void oci_ensure(struct oci *oci, struct oci_wait *w, const char *name, enum oci_pull pull,
		const struct oci_login *logins, size_t login_count)
{
	struct buf chosen;
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
	buf_init_secret(&chosen, LOGIN_BYTES_MAX);
	if (login_choose(&ref, (const char *const *)oci->workers.mirrors, oci->workers.mirror_count,
			 logins, login_count, &chosen) < 0)
		buf_clear(
			&chosen); /* too long to be some: the registry will say that it wants one */
	j = oci_job_of(oci, full, &chosen);
	if (j) {
		list_add(&j->waits, &w->node);
		buf_done(&chosen);
		return;
	}
	j = job_new(oci);
	str_copy(j->name, sizeof(j->name), full);
	j->logins = chosen; /* moved */
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
			worker_abandon(&j->worker);
		}
	}
}

int oci_new(const struct oci_config *config, struct oci **oci, struct err *e)
{
	struct oci *o = mem_alloc(sizeof(*o));
	int r;

	o->loop = config->loop;
	o->on_changed = config->on_changed;
	o->arg = config->arg;
	o->slow_ms = config->slow_ms ? config->slow_ms : OCI_SLOW_MS;
	timer_init(o->loop, &o->look, oci_look);
	list_init(&o->jobs);
	r = store_open(&o->store, config->root, config->cap_bytes, e);
	if (r < 0) {
		free(o);
		return err_wrap(e, r, "image store");
	}
	worker_config_init(&o->workers, config);
	worker_sweep(&o->workers); /* an earlier hostd's */
	*oci = o;
	return 0;
}

int oci_moved(struct oci *oci, uint64_t cap_bytes, struct err *e)
{
	_cleanup_free_ char *root = mem_strdup(oci->store.root);
	int r;

	if (!list_empty(&oci->jobs) || store_in_use(&oci->store))
		return err_set(e, -EBUSY, "the image store is in use");
	store_close(&oci->store);
	r = store_open(&oci->store, root, cap_bytes, e);
	return r < 0 ? err_wrap(e, r, "image store") : 0;
}

struct oci *oci_free(struct oci *oci)
{
	struct job *j, *tmp;

	if (!oci)
		return NULL;
	timer_cancel(&oci->look);
	list_for_each_safe(j, tmp, &oci->jobs, node) {
		while (!list_empty(&j->waits))
			list_del(j->waits.next);
		worker_end(&j->worker);
		job_free(j);
	}
	store_close(&oci->store);
	worker_config_done(&oci->workers);
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
