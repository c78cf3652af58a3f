// SPDX-License-Identifier: Apache-2.0
/*
 * A request names each disk twice, by its name and by its serial number, as the operator has seen them: a disk that is
 * called otherwise by now is refused. Requests have an id, and each is heeded once.
 *
 * A hostd-disk prints a JSON object on a line whenever it has got further, and one at its end. It has no deadline: large
 * disks take hours. All disks are wiped at the same time.
 */
#include "storage/wipe.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/task.h"
#include "storage/storage.h"

#define WIPE_DISKS_MAX	 64
#define WIPE_TEXT_MAX	 ((size_t)24 << 10) /* of the report: it is an annotation */
#define WIPE_REQUEST_MAX ((size_t)16 << 10)
#define WIPE_SAYS_MAX	 ((size_t)64 << 10)
#define WIPE_ID_MAX	 64
#define WIPE_TELL_MS	 10000 /* between two reports of progress alone */
#define WIPE_ARGS_MAX	 8

struct wipe_item {
	struct wipe *wipe;
	struct task task;
	char name[STORAGE_NAME_MAX];
	struct json *report; /* in the document of all */
	struct json_doc *end; /* the last that it said */
};

struct wipe {
	struct wipe_config config;
	char id[WIPE_ID_MAX]; /* of the last request */
	struct json_doc *request; /* that has not begun */
	struct json_doc *doc; /* the report */
	struct wipe_item *items;
	size_t count, running;
	struct timer tell;
};

/* ---- the report ---- */

static void wipe_write(struct wipe *w, bool note)
{
	struct buf b = BUF_INIT(WIPE_TEXT_MAX);
	struct err e = ERR_INIT;

	timer_cancel(&w->tell);
	if (json_write(json_root(w->doc), &b) < 0) {
		log_warn("storage", "ev=wipe_report_too_long");
	} else {
		if (note && file_write(AT_FDCWD, w->config.note, b.data, b.len, 0600, &e) < 0)
			log_warn("storage", "ev=not_noted error=\"%s\"", err_msg(&e));
		w->config.on_report(buf_str(&b), w->config.arg);
	}
	buf_done(&b);
}

static void wipe_tell(struct timer *t)
{
	wipe_write(container_of(t, struct wipe, tell), false);
}

static void wipe_now(struct wipe *w, struct json *report, const char *key)
{
	char now[CLOCK_RFC3339_MAX];

	clock_rfc3339(now, (int64_t)(clock_real_ns() / 1000000000ULL));
	json_put_str(w->doc, report, key, now);
}

static void wipe_fail(struct wipe *w, struct json *report, const char *why)
{
	json_put_str(w->doc, report, "state", "failed");
	json_put_str(w->doc, report, "error", why);
	wipe_now(w, report, "ended");
	log_error("storage", "ev=wipe_failed disk=%s serial=\"%s\" error=\"%s\"",
		  json_str(json_get(report, "name"), ""), json_str(json_get(report, "serial"), ""),
		  why);
}

/* ---- a process ---- */

/* Takes what is whole of what it said; the last object stays in @i->end */
static void wipe_read(struct wipe_item *i)
{
	struct buf *said = &i->task.reply;
	const char *nl;

	while ((nl = said->len ? memchr(said->data, '\n', said->len) : NULL)) {
		size_t len = (size_t)(nl - said->data);
		struct json_doc *doc = NULL;

		if (json_parse(said->data, len, &doc, NULL) == 0) {
			json_doc_free(i->end);
			i->end = doc;
		}
		buf_consume(said, len + 1);
	}
}

static void wipe_progress(struct task *t)
{
	struct wipe_item *i = container_of(t, struct wipe_item, task);
	struct wipe *w = i->wipe;
	const struct json *last;

	wipe_read(i);
	last = json_root(i->end);
	if (!json_get(last, "percent"))
		return;
	json_put_str(w->doc, i->report, "method", json_str(json_get(last, "method"), ""));
	json_put_int(w->doc, i->report, "percent", json_int(json_get(last, "percent"), 0));
	if (!timer_armed(&w->tell))
		timer_set(&w->tell, WIPE_TELL_MS);
}

static void wipe_succeeded(struct wipe *w, struct wipe_item *i)
{
	static const char *const keys[] = {"method", "bytes", "samples", "verified", "tried"};
	const struct json *last = json_root(i->end);

	for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
		if (json_get(last, keys[k]))
			json_put(w->doc, i->report, keys[k],
				 json_copy(w->doc, json_get(last, keys[k])));
	json_remove(i->report, "percent");
	if (*json_str(json_get(last, "error"), "")) {
		wipe_fail(w, i->report, json_str(json_get(last, "error"), ""));
		return;
	}
	json_put_str(w->doc, i->report, "state", "wiped");
	wipe_now(w, i->report, "ended");
	log_info("storage", "ev=wiped disk=%s serial=\"%s\" method=%s", i->name,
		 json_str(json_get(i->report, "serial"), ""),
		 json_str(json_get(last, "method"), ""));
}

static void wipe_ended(struct task *t, int code)
{
	struct wipe_item *i = container_of(t, struct wipe_item, task);
	struct wipe *w = i->wipe;
	struct err e = ERR_INIT;

	wipe_read(i);
	if (json_get(json_root(i->end), "bytes")) {
		wipe_succeeded(w, i);
	} else {
		(void)task_why(t, code, &e);
		wipe_fail(w, i->report, err_msg(&e));
	}
	w->running--;
	wipe_write(w, true);
	w->config.on_end(i->name, w->config.arg);
}

static bool wipe_start(struct wipe *w, struct wipe_item *i, const char *method, bool release)
{
	const char *argv[WIPE_ARGS_MAX] = {w->config.program, "wipe", "--method", method, i->name};
	struct err e = ERR_INIT;

	if (release) {
		argv[5] = "--store";
		argv[6] = w->config.store;
	}
	if (task_start(&i->task, argv, 0, &e) < 0) {
		wipe_fail(w, i->report, err_msg(&e));
		return false;
	}
	w->running++;
	json_put_str(w->doc, i->report, "state", "running");
	wipe_now(w, i->report, "started");
	log_info("storage", "ev=wipe_started disk=%s method=%s", i->name, method);
	return true;
}

/* ---- a request ---- */

bool wipe_ask(struct wipe *w, const struct json *request)
{
	const char *id = json_str(json_get(request, "id"), "");

	if (!*id || str_eq(id, w->id) || w->running || strlen(id) >= sizeof(w->id))
		return false;
	(void)str_copy(w->id, sizeof(w->id), id);
	json_doc_free(w->request);
	w->request = json_doc_new();
	json_set_root(w->request, json_copy(w->request, request));
	return true;
}

bool wipe_asked(const struct wipe *w)
{
	return w->request != NULL;
}

static const struct json *wipe_find(const struct json *disks, const char *name)
{
	struct json_iter it = json_iter(disks);

	while (json_next(&it))
		if (str_eq(json_str(json_get(it.value, "name"), ""), name))
			return it.value;
	return NULL;
}

/* NULL: it may be wiped */
static const char *wipe_objection(const struct json *disk, const char *serial, bool in_use,
				  bool released)
{
	if (!disk)
		return "there is no such disk";
	if (!str_eq(json_str(json_get(disk, "serial"), ""), serial))
		return "that name is another disk's by now";
	if (json_bool(json_get(disk, "readOnly"), false))
		return "it is read-only";
	if (in_use && !released)
		return "images and pods' scratch are on it: cordon and drain the host first";
	return NULL;
}

static void wipe_items_free(struct wipe *w)
{
	for (size_t n = 0; n < w->count; n++) {
		task_stop(&w->items[n].task);
		json_doc_free(w->items[n].end);
	}
	free(w->items);
	w->items = NULL;
	w->count = w->running = 0;
}

bool wipe_begin(struct wipe *w, const struct json *disks, const char *in_use, bool released)
{
	const struct json *request = json_root(w->request);
	const char *method = json_str(json_get(request, "method"), "");
	struct json_iter it = json_iter(json_get(request, "disks"));
	struct json *list;
	bool taken = false;

	wipe_items_free(w);
	json_doc_free(w->doc);
	w->doc = json_doc_new();
	json_set_root(w->doc, json_new_obj(w->doc));
	json_put_str(w->doc, json_root(w->doc), "id", w->id);
	list = json_arr_of(w->doc, json_root(w->doc), "disks");
	w->items = mem_array(WIPE_DISKS_MAX, sizeof(*w->items));
	while (json_next(&it) && w->count < WIPE_DISKS_MAX) {
		struct wipe_item *i = &w->items[w->count++];
		const char *serial = json_str(json_get(it.value, "serial"), "");
		const char *name = json_str(json_get(it.value, "name"), ""), *objection;
		const struct json *disk = wipe_find(disks, name);
		bool used = *in_use && str_eq(name, in_use);

		*i = (struct wipe_item){.wipe = w, .report = json_new_obj(w->doc)};
		task_init(&i->task, w->config.loop, WIPE_SAYS_MAX, wipe_ended);
		i->task.on_output = wipe_progress;
		(void)str_copy(i->name, sizeof(i->name), name);
		json_put_str(w->doc, i->report, "name", name);
		json_put_str(w->doc, i->report, "serial", serial);
		json_put_str(w->doc, i->report, "model", json_str(json_get(disk, "model"), ""));
		json_put_str(w->doc, i->report, "method", method);
		json_push(w->doc, list, i->report);
		objection = wipe_objection(disk, serial, used, released);
		if (objection)
			wipe_fail(w, i->report, objection);
		else
			taken |= wipe_start(w, i, method, used) && used;
	}
	w->request = json_doc_free(w->request);
	wipe_write(w, true);
	return taken;
}

/* ---- life ---- */

static void wipe_recall(struct wipe *w)
{
	struct buf b = BUF_INIT(WIPE_TEXT_MAX);
	struct json_iter it;

	if (file_read(AT_FDCWD, w->config.note, &b, NULL) == 0 &&
	    json_parse(buf_str(&b), b.len, &w->doc, NULL) == 0) {
		(void)str_copy(w->id, sizeof(w->id),
			       json_str(json_get(json_root(w->doc), "id"), ""));
		it = json_iter(json_get(json_root(w->doc), "disks"));
		while (json_next(&it))
			if (str_eq(json_str(json_get(it.value, "state"), ""), "running"))
				wipe_fail(w, it.value, "hostd was restarted meanwhile");
		timer_set(&w->tell, 0);
	}
	buf_done(&b);
}

struct wipe *wipe_new(const struct wipe_config *config)
{
	struct wipe *w = mem_alloc(sizeof(*w));

	w->config = *config;
	timer_init(config->loop, &w->tell, wipe_tell);
	wipe_recall(w);
	return w;
}

struct wipe *wipe_free(struct wipe *w)
{
	if (!w)
		return NULL;
	wipe_items_free(w);
	timer_cancel(&w->tell);
	json_doc_free(w->request);
	json_doc_free(w->doc);
	free(w);
	return NULL;
}
