// SPDX-License-Identifier: Apache-2.0
/*
 * All pods of the host, and the ways in: what the API says of one, what it says of all, and who asks
 * for a log.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "pod/impl.h"

struct pod *pods_find(struct pods *pods, const char *uid)
{
	struct pod *p;

	list_for_each(p, &pods->all, node)
		if (str_eq(p->meta.uid, uid))
			return p;
	return NULL;
}

struct pod *pods_find_cid(struct pods *pods, uint32_t cid)
{
	struct pod *p;

	list_for_each(p, &pods->all, node)
		if (p->cid == cid && p->vm_there)
			return p;
	return NULL;
}

uint32_t pods_free_cid(struct pods *pods)
{
	do {
		if (pods->next_cid < POD_CID_FIRST || pods->next_cid > INT32_MAX - POD_UID_BASE)
			pods->next_cid = POD_CID_FIRST;
		pods->next_cid++;
	} while (pods_find_cid(pods, pods->next_cid));
	return pods->next_cid;
}

struct pod *pod_new(struct pods *pods, const struct spec_meta *meta)
{
	struct pod *p = mem_alloc(sizeof(*p));

	p->pods = pods;
	p->meta = *meta;
	p->grace_s = UINT32_MAX;
	p->nif.tap_fd = p->nif.vhost_fd = p->plan.scratch_fd = -1;
	p->created_ns = clock_real_ns();
	list_init(&p->uses);
	files_init(p);
	for (size_t i = 0; i < GUEST_CONTAINERS_MAX; i++)
		p->containers[i].pod = p;
	logs_init(p);
	snprintf(p->dir, sizeof(p->dir), "%s/%s", pods->config.dir, meta->uid);
	machine_init(p);
	list_add(&pods->all, &p->node);
	return p;
}

void pod_free(struct pod *p)
{
	timer_cancel(&p->timer);
	timer_cancel(&p->report);
	defer_cancel(&p->step);
	pull_cancel(p);
	sources_close(p);
	timer_cancel(&p->files_timer);
	vm_done(&p->vm);
	if (p->has_plan)
		disk_plan_done(&p->plan);
	fd_close(p->nif.tap_fd);
	fd_close(p->nif.vhost_fd);
	logs_free(p);
	for (size_t i = 0; i < GUEST_CONTAINERS_MAX; i++)
		ending_free(&p->containers[i]);
	list_del(&p->node);
	spec_free(p->spec);
	free(p->stats);
	json_doc_free(p->fields);
	free(p);
}

void pod_forget(struct pod *p)
{
	int r;

	logs_remove(p);
	r = file_remove_tree(AT_FDCWD, p->dir);
	if (r < 0)
		log_warn("pod", "ev=forget_failed uid=%s error=\"%s\"", p->meta.uid, strerror(-r));
	log_info("pod", "ev=pod_forgotten uid=%s", p->meta.uid);
	pod_free(p);
}

static struct pod *pods_add(struct pods *pods, const struct spec_meta *meta, const struct json *pod)
{
	struct pod *p = pod_new(pods, meta);
	const struct json *status = json_get(pod, "status");
	struct err e = ERR_INIT;
	int r;

	log_info("pod", "ev=pod_added uid=%s pod=%s/%s", meta->uid, meta->ns, meta->name);
	if (meta->terminal) {
		/* It ended in an earlier life of this host: nothing to run, nothing to say. */
		p->silent = true;
		p->state = POD_GONE;
		(void)str_copy(p->phase, sizeof(p->phase),
			       json_str(json_get(status, "phase"), "Failed"));
		return p;
	}
	if (mkdir(p->dir, 0755) < 0 && errno != EEXIST)
		log_error("pod", "ev=store_failed uid=%s errno=%d", meta->uid, errno);
	r = spec_parse(pod, &p->spec, &e);
	if (r < 0)
		pod_end(p, "Failed", r == -ENOTSUP ? "UnsupportedPod" : "InvalidPod", err_msg(&e));
	else
		adopt_status(p, status);
	store_save_spec(p, pod);
	crash_point(pods, "new");
	return p;
}

/* Labels and annotations change while the pod runs, nothing else that it may know of itself does. */
static void pods_keep_fields(struct pod *p, const struct json *meta)
{
	static const char *const members[] = {"labels", "annotations"};
	const struct json *root = json_root(p->fields);
	struct json_doc *doc;
	bool same = p->fields != NULL;

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		same = same && json_equal(json_get(root, members[i]), json_get(meta, members[i]));
	if (same)
		return;
	doc = json_doc_new();
	json_set_root(doc, json_new_obj(doc));
	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		if (json_is_obj(json_get(meta, members[i])))
			json_put(doc, json_root(doc), members[i],
				 json_copy(doc, json_get(meta, members[i])));
	json_doc_free(p->fields);
	p->fields = doc;
	p->files_due = true;
}

void pod_apply(struct pods *pods, const struct json *pod)
{
	struct spec_meta meta;
	struct err e = ERR_INIT;
	struct pod *p;

	if (spec_meta(pod, &meta, &e) < 0) {
		log_warn("pod", "ev=pod_refused error=\"%s\"", err_msg(&e));
		return;
	}
	p = pods_find(pods, meta.uid);
	if (!p)
		p = pods_add(pods, &meta, pod);
	pods_keep_fields(p, json_get(pod, "metadata"));
	(void)str_copy(p->api_ip, sizeof(p->api_ip),
		       json_str(json_at(pod, "status", "podIP", NULL), ""));
	if (meta.deleting) {
		p->meta.deleting = true;
		p->stop = true;
		p->grace_s = MIN(p->grace_s, meta.delete_grace_s);
	}
	pod_kick(p);
}

static void pods_end_now(struct pod *p)
{
	p->gone = true;
	pod_kick(p);
}

void pod_remove(struct pods *pods, const struct json *pod)
{
	struct spec_meta meta;
	struct pod *p;

	if (spec_meta(pod, &meta, NULL) < 0)
		return;
	p = pods_find(pods, meta.uid);
	if (p)
		pods_end_now(p);
}

void pods_sync(struct pods *pods, const struct json *list)
{
	struct json_iter it = json_iter(list);
	struct pod *p;

	pods->listed = true;
	list_for_each(p, &pods->all, node)
		p->named = false;
	while (json_next(&it)) {
		const char *uid = json_str(json_at(it.value, "metadata", "uid", NULL), "");

		pod_apply(pods, it.value);
		p = pods_find(pods, uid);
		if (p)
			p->named = true;
	}
	list_for_each(p, &pods->all, node) {
		if (!p->named && !p->gone) {
			log_info("pod", "ev=pod_unknown uid=%s pod=%s/%s", p->meta.uid, p->meta.ns,
				 p->meta.name);
			pods_end_now(p);
		}
		pod_kick(p);
	}
}

void pods_hold(struct pods *pods, bool hold)
{
	struct pod *p;

	pods->held = hold;
	list_for_each(p, &pods->all, node)
		pod_kick(p);
}

void pods_set_room(struct pods *pods, uint64_t memory_bytes, uint64_t scratch_bytes)
{
	pods->config.memory_bytes = memory_bytes;
	pods->config.scratch_bytes = scratch_bytes;
}

static int pods_no_log(const struct pod *p, uint32_t index, bool previous, struct err *e)
{
	const char *container = p->spec->containers[index].name;

	if (previous)
		return err_set(e, -ENOENT,
			       "previous terminated container \"%s\" in pod \"%s\" not found",
			       container, p->meta.name);
	return err_set(e, -EAGAIN, "container \"%s\" in pod \"%s\" is waiting to start: %s",
		       container, p->meta.name,
		       *p->containers[index].reason ? p->containers[index].reason
						    : "ContainerCreating");
}

/* The pod whose container a client names, and which one it is. Return: NULL with words for the client */
static struct pod *pods_find_container(struct pods *pods, const char *ns, const char *name,
				       const char *container, uint32_t *index, struct err *e)
{
	struct pod *p, *found = NULL;

	list_for_each(p, &pods->all, node)
		if (str_eq(p->meta.ns, ns) && str_eq(p->meta.name, name) && !p->gone)
			found = p; /* the newest of that name */
	if (!found) {
		err_set(e, -ENOENT, "pod \"%s\" not found", name);
		return NULL;
	}
	for (uint32_t i = 0; found->spec && i < found->spec->container_count; i++) {
		if (!str_eq(found->spec->containers[i].name, container))
			continue;
		*index = i;
		return found;
	}
	err_set(e, -ENOENT, "container \"%s\" in pod \"%s\" not found", container, name);
	return NULL;
}

int pods_log_path(struct pods *pods, const char *ns, const char *name, const char *container,
		  bool previous, char *path, struct err *e)
{
	uint32_t i;
	struct pod *p = pods_find_container(pods, ns, name, container, &i, e);

	if (!p)
		return -ENOENT;
	logs_path(p, container, previous ? ".prev.log" : ".log", path);
	return access(path, F_OK) == 0 ? 0 : pods_no_log(p, i, previous, e);
}

int pods_exec(struct pods *pods, const char *ns, const char *name, const char *container,
	      struct guest_exec *m, struct err *e)
{
	uint32_t i;
	struct pod *p = pods_find_container(pods, ns, name, container, &i, e);
	int fd;

	if (!p)
		return -ENOENT;
	if (p->containers[i].state != CONTAINER_RUNNING)
		return err_set(e, -EAGAIN, "container \"%s\" in pod \"%s\" is not running",
			       container, name);
	if (!p->session)
		return err_set(e, -ENOTCONN, "pod \"%s\" is out of reach at the moment", name);
	m->container = (uint16_t)i;
	fd = session_exec(p->session, m, e);
	if (fd >= 0)
		log_info("pod", "ev=%s uid=%s pod=%s/%s container=%s tty=%d",
			 m->attach ? "attach" : "exec", p->meta.uid, ns, name, container, m->tty);
	return fd;
}

int pods_new(const struct pods_config *config, const struct pods_ops *ops, void *arg,
	     struct pods **pods, struct err *e)
{
	struct pods *ps;
	struct err minor = ERR_INIT;
	int r = file_mkdirs(config->dir, 0755);

	if (r == 0)
		r = file_mkdirs(config->scratch_dir, 0700);
	if (r == 0)
		r = file_mkdirs(config->log_dir, 0755);

	if (strlen(config->dir) + SPEC_UID_MAX + 2 > sizeof(((struct pod *)0)->dir))
		return err_set(e, -ENAMETOOLONG, "%s is too long", config->dir);
	if (r < 0)
		return err_sys(e, r, "make %s", config->dir);
	ps = mem_alloc(sizeof(*ps));
	ps->config = *config;
	if (!ps->config.backoff_ms)
		ps->config.backoff_ms = POD_BACKOFF_FIRST_MS;
	if (!ps->config.refresh_ms)
		ps->config.refresh_ms = POD_REFRESH_MS;
	if (!ps->config.guest_ms)
		ps->config.guest_ms = POD_GUEST_MS;
	if (!ps->config.slack_ms)
		ps->config.slack_ms = POD_SLACK_MS;
	ps->ops = *ops;
	ps->arg = arg;
	ps->next_cid = POD_CID_FIRST;
	list_init(&ps->all);
	measure_init(ps);
	list_init(&ps->sources);
	if (session_listen(config->loop, &guest_events, ps, &ps->sessions, &minor) < 0)
		log_warn("pod", "ev=no_vsock error=\"%s\"", err_msg(&minor));
	adopt_all(ps);
	*pods = ps;
	return 0;
}

struct pods *pods_free(struct pods *pods)
{
	if (!pods)
		return NULL;
	pods->freeing = true;
	measure_free(pods);
	if (pods->sessions)
		session_server_free(pods->sessions);
	while (!list_empty(&pods->all)) {
		struct pod *p = list_entry(pods->all.next, struct pod, node);

		if (!p->silent)
			store_save(p);
		pod_free(p);
	}
	free(pods);
	return NULL;
}
