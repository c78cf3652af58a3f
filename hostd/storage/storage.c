// SPDX-License-Identifier: Apache-2.0
/*
 * What happens, in order: look, choose, prepare, settled. A disk that cannot be prepared is passed over at the next look. While
 * none may be used, each change of the machine's devices is another chance, until the wait is over; what comes later is
 * reported, and used from the next boot on: pods that run do not move.
 */
#include "storage/storage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/task.h"
#include "storage/wipe.h"

#define STORAGE_SETTLE_MS  500
#define STORAGE_GAP_MS	   10000 /* between two looks, once all is settled */
#define STORAGE_WAIT_MS	   15000 /* for a disk that may be used to appear */
#define STORAGE_AGAIN_MS   1000
#define STORAGE_LOOK_MS	   40000
#define STORAGE_PREPARE_MS 120000
#define STORAGE_FAILED_MAX 16
#define STORAGE_ARGS_MAX   12
#define STORAGE_NOTE	   "data"
#define STORAGE_WIPED	   "wiped"

struct storage_failed {
	char name[STORAGE_NAME_MAX], why[STORAGE_WHY_MAX];
};

struct storage {
	struct storage_config config;
	struct task look, prepare;
	struct timer due, wait; /* of the next look; of the end of waiting */
	struct defer tell; /* on_settled */
	bool again; /* something changed while one looks */
	bool wanted; /* a disk is still looked for */
	bool settled, broken;
	uint64_t bytes, looked_ms;
	struct storage_choice choice; /* that is prepared or used */
	struct storage_failed failed[STORAGE_FAILED_MAX];
	size_t failed_count;
	char *last; /* report that was told */
	struct wipe *wipe;
	char *wipe_note;
	bool releasing; /* the disk in use is wiped */
};

static void storage_settle(struct storage *s, uint64_t bytes);

/* ---- what a later hostd of this boot has to know: the disk's name, "" for RAM ---- */

static void storage_remember(const struct storage *s)
{
	_cleanup_free_ char *path = mem_printf("%s/" STORAGE_NOTE, s->config.lock_dir);
	struct err e = ERR_INIT;

	if (file_mkdirs(s->config.lock_dir, 0700) < 0 ||
	    file_write(AT_FDCWD, path, s->choice.name, s->bytes ? strlen(s->choice.name) : 0, 0600,
		       &e) < 0)
		log_warn("storage", "ev=not_noted error=\"%s\"", err_msg(&e));
}

/* Return: whether an earlier hostd of this boot has settled it */
static bool storage_recall(struct storage *s)
{
	_cleanup_free_ char *path = mem_printf("%s/" STORAGE_NOTE, s->config.lock_dir);
	struct buf b = BUF_INIT(STORAGE_NAME_MAX);
	bool known = file_read(AT_FDCWD, path, &b, NULL) == 0;

	(void)str_copy(s->choice.name, sizeof(s->choice.name), buf_str(&b));
	buf_done(&b);
	return known;
}

/* ---- wiping ---- */

static void storage_wipe_end(const char *name, void *arg)
{
	struct storage *s = arg;

	if (s->releasing && str_eq(name, s->choice.name)) {
		s->releasing = false;
		s->bytes = storage_mounted(s->config.store);
		s->broken &= s->bytes > 0;
		storage_remember(s);
		s->config.on_release(true, s->config.arg);
	}
	timer_set(&s->due, 0); /* what do they hold now? */
}

static void storage_wipe_begin(struct storage *s, const struct json *disks)
{
	bool may = s->bytes && s->config.may_release(s->config.arg);

	if (!wipe_begin(s->wipe, disks, s->bytes ? s->choice.name : "", may))
		return;
	s->releasing = true;
	s->config.on_release(false, s->config.arg);
}

static void storage_wipe_told(const char *text, void *arg)
{
	const struct storage *s = arg;

	s->config.on_wiped(text, s->config.arg);
}

void storage_wipe(struct storage *s, const struct json *request)
{
	if (s && wipe_ask(s->wipe, request))
		timer_set(&s->due, 0);
}

/* ---- what is mounted ---- */

uint64_t storage_mounted(const char *store)
{
	static const char *const parts[] = {"scratch", "images"};
	_cleanup_free_ char *data = mem_printf("%s/data", store);
	struct statvfs room;
	struct stat top, disk, part;

	if (stat(store, &top) < 0 || stat(data, &disk) < 0 || top.st_dev == disk.st_dev ||
	    statvfs(data, &room) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		_cleanup_free_ char *path = mem_printf("%s/%s", store, parts[i]);

		if (stat(path, &part) < 0 || part.st_dev != disk.st_dev)
			return 0;
	}
	return MAX((uint64_t)room.f_bavail * room.f_frsize, (uint64_t)1);
}

/* ---- the report ---- */

static void storage_copy(struct json_doc *doc, struct json *to, const struct json *from,
			 const char *key)
{
	if (json_get(from, key))
		json_put(doc, to, key, json_copy(doc, json_get(from, key)));
}

static void storage_tell(struct storage *s, const struct json *disks)
{
	static const char *const keys[] = {"name",  "serial", "model", "sizeBytes",
					   "state", "holds",  "use",   "error"};
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc), *list;
	struct json_iter it = json_iter(disks);
	struct buf b = BUF_INIT(STORAGE_TEXT_MAX);

	json_put_str(doc, root, "data", s->config.data);
	if (s->bytes) {
		json_put_str(doc, root, "device", s->choice.name);
		json_put_bool(doc, root, "encrypted", s->config.encrypt);
	} else if (s->settled && *s->choice.why)
		json_put_str(doc, root, "why", s->choice.why);
	list = json_arr_of(doc, root, "disks");
	while (json_next(&it)) {
		struct json *disk = json_new_obj(doc);

		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			storage_copy(doc, disk, it.value, keys[i]);
		json_push(doc, list, disk);
	}
	while (json_write(root, &b) < 0 && json_count(list)) {
		buf_clear(&b);
		json_remove_item(list, json_count(list) - 1);
		json_put_bool(doc, root, "cut", true);
	}
	if (!s->last || !str_eq(s->last, buf_str(&b))) {
		free(s->last);
		s->last = mem_strdup(buf_str(&b));
		s->config.on_report(s->last, s->config.arg);
	}
	buf_done(&b);
}

/* ---- prepare ---- */

static const char *storage_why(const struct storage *s, const char *name)
{
	for (size_t i = 0; i < s->failed_count; i++)
		if (str_eq(s->failed[i].name, name))
			return s->failed[i].why;
	return NULL;
}

static void storage_fail(struct storage *s, const char *why)
{
	char message[STORAGE_WHY_MAX + STORAGE_NAME_MAX + 32];

	log_error("storage", "ev=data_disk_failed disk=%s error=\"%s\"", s->choice.name, why);
	snprintf(message, sizeof(message), "%s cannot be used: %s", s->choice.name, why);
	s->config.on_event("Warning", "DataDiskFailed", message, s->config.arg);
	if (s->failed_count == STORAGE_FAILED_MAX) {
		storage_settle(s, 0);
		return;
	}
	(void)str_copy(s->failed[s->failed_count].name, STORAGE_NAME_MAX, s->choice.name);
	snprintf(s->failed[s->failed_count++].why, STORAGE_WHY_MAX, "%s", why);
	timer_set(&s->due, 0); /* another one? */
}

static void storage_prepared(struct task *t, int code)
{
	struct storage *s = container_of(t, struct storage, prepare);
	_cleanup_json_ struct json_doc *doc = NULL;
	struct err e = ERR_INIT;
	char why[STORAGE_WHY_MAX];
	int64_t bytes;

	if (s->settled)
		return;
	if (code)
		(void)task_why(t, code, &e);
	else
		(void)json_parse(buf_str(&t->reply), t->reply.len, &doc, &e);
	bytes = json_int(json_get(json_root(doc), "bytes"), 0);
	if (bytes > 0) {
		log_info("storage", "ev=data_disk disk=%s bytes=%lld", s->choice.name,
			 (long long)bytes);
		s->config.on_event("Normal", "DataDisk", s->choice.name, s->config.arg);
		storage_settle(s, (uint64_t)bytes);
		return;
	}
	storage_fail(s, str_printable(why, sizeof(why),
				      json_str(json_get(json_root(doc), "error"), err_msg(&e))));
}

static void storage_prepare(struct storage *s)
{
	const char *const argv[STORAGE_ARGS_MAX] = {
		s->config.program, "prepare",	    "--fleet",	 s->config.fleet,
		"--store",	   s->config.store, "--encrypt", s->config.encrypt ? "yes" : "no",
		s->choice.name,
	};
	struct err e = ERR_INIT;

	timer_cancel(&s->wait); /* the process has a deadline of its own */
	log_info("storage", "ev=data_disk_prepare disk=%s", s->choice.name);
	if (task_start(&s->prepare, argv, s->config.prepare_ms, &e) < 0)
		storage_fail(s, err_msg(&e));
}

/* ---- look ---- */

static void storage_settled(struct defer *d)
{
	struct storage *s = container_of(d, struct storage, tell);

	s->config.on_settled(s->bytes, s->config.arg);
}

static void storage_settle(struct storage *s, uint64_t bytes)
{
	if (s->settled)
		return;
	s->settled = true;
	s->wanted = false;
	s->bytes = bytes;
	storage_remember(s);
	timer_cancel(&s->wait);
	loop_defer(s->config.loop, &s->tell, storage_settled);
	timer_set(&s->due, 0); /* the report says so */
}

static void storage_wait_over(struct timer *t)
{
	struct storage *s = container_of(t, struct storage, wait);

	if (s->settled || task_running(&s->prepare))
		return;
	/* Disks that spin up are slow to answer; the look has a deadline of its own */
	if (!s->looked_ms && task_running(&s->look)) {
		timer_set(&s->wait, STORAGE_AGAIN_MS);
		return;
	}
	if (!*s->choice.why)
		(void)str_copy(s->choice.why, sizeof(s->choice.why), "the disks do not answer");
	log_warn("storage", "ev=no_data_disk error=\"%s\"", s->choice.why);
	s->config.on_event("Warning", "NoDataDisk", s->choice.why, s->config.arg);
	storage_settle(s, 0);
}

/* The disk that is used does not change its name; that of a hostd before us has to be found by its state */
static void storage_judge(struct storage *s, struct json_doc *doc, struct json *disks)
{
	struct json_iter it = json_iter(disks);
	struct storage_choice choice;

	while (json_next(&it)) {
		const char *why = storage_why(s, json_str(json_get(it.value, "name"), ""));

		if (why)
			json_put_str(doc, it.value, "error", why);
	}
	storage_choose(doc, disks, s->config.data, &choice);
	if (!s->settled)
		s->choice = choice;
	for (it = json_iter(disks); s->settled && json_next(&it);)
		if (str_eq(json_str(json_get(it.value, "use"), ""), "data"))
			json_put_str(doc, it.value, "use", "spare");
	for (it = json_iter(disks); s->bytes && json_next(&it);)
		if (str_eq(json_str(json_get(it.value, "name"), ""), s->choice.name))
			json_put_str(doc, it.value, "use", s->broken ? "failed" : "data");
}

static void storage_looked(struct task *t, int code)
{
	struct storage *s = container_of(t, struct storage, look);
	_cleanup_json_ struct json_doc *doc = NULL;
	struct err e = ERR_INIT;
	struct json *disks;
	int r = code ? task_why(t, code, &e)
		     : json_parse(buf_str(&t->reply), t->reply.len, &doc, &e);

	s->looked_ms = clock_mono_ms();
	if (r < 0) {
		log_warn("storage", "ev=look_failed error=\"%s\"", err_msg(&e));
	} else {
		disks = json_get(json_root(doc), "disks");
		storage_judge(s, doc, disks);
		storage_tell(s, disks);
		if (wipe_asked(s->wipe))
			storage_wipe_begin(s, disks);
	}
	if (r == 0 && s->wanted && *s->choice.name && !task_running(&s->prepare))
		storage_prepare(s);
	else if (s->wanted && s->failed_count && !*s->choice.name)
		storage_wait_over(&s->wait); /* all there were have been tried */
	if (s->again)
		storage_changed(s);
}

static void storage_look(struct timer *timer)
{
	struct storage *s = container_of(timer, struct storage, due);
	const char *const argv[STORAGE_ARGS_MAX] = {s->config.program, "look",
						    "--fleet",	       s->config.fleet,
						    "--lock-dir",      s->config.lock_dir};
	struct err e = ERR_INIT;

	if (task_running(&s->look)) {
		s->again = true;
		return;
	}
	s->again = false;
	if (task_start(&s->look, argv, s->config.look_ms, &e) < 0)
		log_warn("storage", "ev=look_failed error=\"%s\"", err_msg(&e));
}

bool storage_waits(const struct storage *s)
{
	return s && !s->settled;
}

void storage_changed(struct storage *s)
{
	uint64_t now_ms = clock_mono_ms(), delay_ms, next_ms;

	if (!s)
		return;
	if (task_running(&s->look)) {
		s->again = true;
		return;
	}
	if (timer_armed(&s->due))
		return;
	delay_ms = (uint64_t)s->config.settle_ms;
	next_ms = s->looked_ms + (uint64_t)s->config.gap_ms;
	if (!s->wanted && s->looked_ms && next_ms > now_ms + delay_ms)
		delay_ms = next_ms - now_ms;
	timer_set(&s->due, delay_ms);
}

void storage_check(struct storage *s)
{
	_cleanup_free_ char *data = NULL;
	struct statvfs room;
	const char *why = NULL;

	if (!s || !s->bytes || s->broken)
		return;
	data = mem_printf("%s/data", s->config.store);
	if (statvfs(data, &room) < 0)
		why = "it does not answer any more";
	else if (room.f_flag & ST_RDONLY)
		why = "writing to it has failed";
	if (!why)
		return;
	s->broken = true;
	log_error("storage", "ev=data_disk_broken disk=%s error=\"%s\"", s->choice.name, why);
	s->config.on_failed(why, s->config.arg);
	storage_changed(s);
}

/* ---- life ---- */

static void storage_defaults(struct storage_config *c)
{
	c->settle_ms = c->settle_ms ? c->settle_ms : STORAGE_SETTLE_MS;
	c->gap_ms = c->gap_ms ? c->gap_ms : STORAGE_GAP_MS;
	c->wait_ms = c->wait_ms ? c->wait_ms : STORAGE_WAIT_MS;
	c->look_ms = c->look_ms ? c->look_ms : STORAGE_LOOK_MS;
	c->prepare_ms = c->prepare_ms ? c->prepare_ms : STORAGE_PREPARE_MS;
}

struct storage *storage_new(const struct storage_config *config)
{
	struct storage *s = mem_alloc(sizeof(*s));

	s->config = *config;
	storage_defaults(&s->config);
	task_init(&s->look, config->loop, STORAGE_REPLY_MAX, storage_looked);
	task_init(&s->prepare, config->loop, STORAGE_REPLY_MAX, storage_prepared);
	timer_init(config->loop, &s->due, storage_look);
	timer_init(config->loop, &s->wait, storage_wait_over);
	s->wipe_note = mem_printf("%s/" STORAGE_WIPED, config->lock_dir);
	s->wipe = wipe_new(&(struct wipe_config){.loop = config->loop,
						 .program = config->program,
						 .store = config->store,
						 .note = s->wipe_note,
						 .on_report = storage_wipe_told,
						 .on_end = storage_wipe_end,
						 .arg = s});
	s->bytes = storage_mounted(config->store);
	s->wanted = !storage_recall(s) && !s->bytes && !str_eq(config->data, "none");
	s->settled = !s->wanted;
	if (s->wanted) {
		timer_set(&s->due, 0);
		timer_set(&s->wait, (uint64_t)s->config.wait_ms);
	}
	return s;
}

struct storage *storage_free(struct storage *s)
{
	if (!s)
		return NULL;
	task_stop(&s->look);
	task_stop(&s->prepare);
	timer_cancel(&s->due);
	timer_cancel(&s->wait);
	defer_cancel(&s->tell);
	wipe_free(s->wipe);
	free(s->wipe_note);
	free(s->last);
	free(s);
	return NULL;
}
