// SPDX-License-Identifier: Apache-2.0
/*
 * RUN/pods/UID/{pod.json,state.json}: what a later hostd needs to go on. The VM keeps its own record
 * beside them. State is written whole and atomically; a crash between a fact and its record costs a
 * repetition from the guest, nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "pod/impl.h"

#define STORE_FILE_MAX ((size_t)8 << 20)
#define STORE_VERSION  1

static void store_end(struct json_doc *doc, struct json *obj, const char *key,
		      const struct container_end *end, const char *message)
{
	struct json *o;

	if (!end->is_set)
		return;
	o = json_obj_of(doc, obj, key);
	json_put_int(doc, o, "code", end->code);
	json_put_int(doc, o, "signal", end->signal);
	json_put_int(doc, o, "started_ns", (int64_t)end->started_ns);
	json_put_int(doc, o, "finished_ns", (int64_t)end->finished_ns);
	json_put_str(doc, o, "reason", end->reason);
	json_put_bool(doc, o, "from_log", end->from_log);
	if (message)
		json_put_str(doc, o, "message", message);
}

static void store_container(struct json_doc *doc, struct json *list, const struct pod_container *c)
{
	struct json *o = json_new_obj(doc);

	json_put_int(doc, o, "state", c->state);
	json_put_str(doc, o, "reason", c->reason);
	json_put_str(doc, o, "message", c->message);
	json_put_int(doc, o, "started_ns", (int64_t)c->started_ns);
	json_put_int(doc, o, "restarts", c->restarts);
	json_put_int(doc, o, "restarts_base", c->restarts_base);
	json_put_bool(doc, o, "finished", c->finished);
	json_put_bool(doc, o, "was_running", c->was_running);
	json_put_bool(doc, o, "started", c->started);
	json_put_bool(doc, o, "ready", c->ready);
	json_put_str(doc, o, "image_id", c->image_id);
	store_end(doc, o, "end", &c->end, c->end_message);
	store_end(doc, o, "last", &c->last, c->last_message);
	json_push(doc, list, o);
}

static void store_write(const struct pod *p, const char *name, const struct json *value)
{
	struct buf text = BUF_INIT(STORE_FILE_MAX);
	char path[PATH_MAX];
	struct err e = ERR_INIT;
	int r = json_write(value, &text);

	snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	if (r == 0)
		r = file_write(AT_FDCWD, path, text.data, text.len, 0600, &e);
	if (r < 0)
		log_error("pod", "ev=store_failed uid=%s error=\"%s\"", p->meta.uid, err_msg(&e));
	buf_done(&text);
}

void store_save(struct pod *p)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc), *list;

	json_put_int(doc, root, "version", STORE_VERSION);
	json_put_str(doc, root, "state", pod_state_name(p->state));
	json_put_str(doc, root, "phase", p->phase);
	json_put_str(doc, root, "phase_reason", p->phase_reason);
	json_put_str(doc, root, "phase_message", p->phase_message);
	json_put_str(doc, root, "ip", p->ip);
	json_put_int(doc, root, "cid", p->cid);
	json_put_bool(doc, root, "attached", p->attached);
	json_put_bool(doc, root, "guest_seen", p->guest_seen);
	json_put_bool(doc, root, "all_done", p->all_done);
	json_put_bool(doc, root, "silent", p->silent);
	json_put_int(doc, root, "failures", p->failures);
	json_put_int(doc, root, "start_ns", (int64_t)p->start_ns);
	json_put_int(doc, root, "init_since_ns", (int64_t)p->init_since_ns);
	json_put_int(doc, root, "ready_since_ns", (int64_t)p->ready_since_ns);
	json_put_bool(doc, root, "was_initialized", p->was_initialized);
	json_put_bool(doc, root, "was_ready", p->was_ready);
	list = json_arr_of(doc, root, "containers");
	for (uint32_t i = 0; p->spec && i < p->spec->container_count; i++)
		store_container(doc, list, &p->containers[i]);
	store_write(p, "state.json", root);
}

void store_save_spec(struct pod *p, const struct json *pod)
{
	store_write(p, "pod.json", pod);
}

static int store_read(const char *dir, const char *name, struct json_doc **doc, struct err *e)
{
	struct buf text = BUF_INIT(STORE_FILE_MAX);
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	r = file_read(AT_FDCWD, path, &text, e);
	if (r == 0)
		r = json_parse(buf_str(&text), text.len, doc, e);
	buf_done(&text);
	return r;
}

int store_load_spec(const char *dir, struct json_doc **doc, struct err *e)
{
	return store_read(dir, "pod.json", doc, e);
}

static void store_load_end(const struct json *o, struct container_end *end, char **message)
{
	const char *text = json_str(json_get(o, "message"), NULL);

	free(*message);
	*message = text ? mem_strdup(text) : NULL;
	*end = (struct container_end){.is_set = json_is_obj(o)};
	if (!end->is_set)
		return;
	end->from_log = json_bool(json_get(o, "from_log"), false);
	end->code = (uint8_t)json_int(json_get(o, "code"), 0);
	end->signal = (uint8_t)json_int(json_get(o, "signal"), 0);
	end->started_ns = (uint64_t)json_int(json_get(o, "started_ns"), 0);
	end->finished_ns = (uint64_t)json_int(json_get(o, "finished_ns"), 0);
	(void)str_copy(end->reason, sizeof(end->reason), json_str(json_get(o, "reason"), ""));
}

static void store_load_container(const struct json *o, struct pod_container *c)
{
	int64_t state = json_int(json_get(o, "state"), CONTAINER_WAITING);

	c->state = state == CONTAINER_RUNNING	   ? CONTAINER_RUNNING
		   : state == CONTAINER_TERMINATED ? CONTAINER_TERMINATED
						   : CONTAINER_WAITING;
	(void)str_copy(c->reason, sizeof(c->reason), json_str(json_get(o, "reason"), ""));
	(void)str_copy(c->message, sizeof(c->message), json_str(json_get(o, "message"), ""));
	(void)str_copy(c->image_id, sizeof(c->image_id), json_str(json_get(o, "image_id"), ""));
	c->started_ns = (uint64_t)json_int(json_get(o, "started_ns"), 0);
	c->restarts = (uint32_t)json_int(json_get(o, "restarts"), 0);
	c->restarts_base = (uint32_t)json_int(json_get(o, "restarts_base"), 0);
	c->finished = json_bool(json_get(o, "finished"), false);
	c->was_running = json_bool(json_get(o, "was_running"), false);
	c->started = json_bool(json_get(o, "started"), false);
	c->ready = json_bool(json_get(o, "ready"), false);
	store_load_end(json_get(o, "end"), &c->end, &c->end_message);
	store_load_end(json_get(o, "last"), &c->last, &c->last_message);
}

int store_load(struct pod *p, struct err *e)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	const struct json *root, *list;
	const char *state;
	int r = store_read(p->dir, "state.json", &doc, e);

	if (r < 0)
		return r;
	root = json_root(doc);
	if (json_int(json_get(root, "version"), 0) != STORE_VERSION)
		return err_set(e, -EBADMSG, "state.json of another version");
	state = json_str(json_get(root, "state"), "");
	for (int i = 0; i < POD_STATE_MAX; i++)
		if (str_eq(state, pod_state_name((enum pod_state)i)))
			p->state = (enum pod_state)i;
	(void)str_copy(p->phase, sizeof(p->phase), json_str(json_get(root, "phase"), ""));
	(void)str_copy(p->phase_reason, sizeof(p->phase_reason),
		       json_str(json_get(root, "phase_reason"), ""));
	(void)str_copy(p->phase_message, sizeof(p->phase_message),
		       json_str(json_get(root, "phase_message"), ""));
	(void)str_copy(p->ip, sizeof(p->ip), json_str(json_get(root, "ip"), ""));
	p->cid = (uint32_t)json_int(json_get(root, "cid"), 0);
	p->attached = json_bool(json_get(root, "attached"), false);
	p->guest_seen = json_bool(json_get(root, "guest_seen"), false);
	p->all_done = json_bool(json_get(root, "all_done"), false);
	p->silent = json_bool(json_get(root, "silent"), false);
	p->failures = (uint32_t)json_int(json_get(root, "failures"), 0);
	p->start_ns = (uint64_t)json_int(json_get(root, "start_ns"), 0);
	p->init_since_ns = (uint64_t)json_int(json_get(root, "init_since_ns"), 0);
	p->ready_since_ns = (uint64_t)json_int(json_get(root, "ready_since_ns"), 0);
	p->was_initialized = json_bool(json_get(root, "was_initialized"), false);
	p->was_ready = json_bool(json_get(root, "was_ready"), false);
	list = json_get(root, "containers");
	for (uint32_t i = 0; p->spec && i < p->spec->container_count; i++)
		store_load_container(json_item(list, i), &p->containers[i]);
	return 0;
}
