// SPDX-License-Identifier: Apache-2.0
/*
 * The contents of volumes that are files: gathered from what source.c has, sent to the guest before its
 * orders and again whenever they are others. Their generation is a hash of them, so hostd keeps no
 * record: one that was restarted sends all again, and the guest takes what differs.
 *
 * A later source of a projected volume writes over an earlier one's file, as with a kubelet.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "pod/impl.h"

#define FILES_AGAIN_MS 250

struct files_one {
	char *path;
	uint16_t mode;
	struct buf data;
};

struct files {
	struct files_one at[GUEST_FILES_MAX];
	uint32_t count;
	size_t bytes;
};

static void files_free(struct files *f)
{
	for (uint32_t i = 0; i < f->count; i++) {
		free(f->at[i].path);
		buf_done(&f->at[i].data);
	}
	free(f);
}

static bool files_below(const char *path, const char *folder)
{
	const char *rest = str_starts(path, folder);

	return rest && *rest == '/';
}

/* Return: a new, empty file of that path, or NULL with the reason */
static struct files_one *files_add(struct files *f, const char *path, uint16_t mode, struct err *e)
{
	struct files_one *one = NULL;

	if (!spec_file_path_ok(path)) {
		err_set(e, -EINVAL, "a key that cannot be a file's name");
		return NULL;
	}
	for (uint32_t i = 0; i < f->count; i++) {
		if (str_eq(f->at[i].path, path))
			one = &f->at[i];
		if (files_below(f->at[i].path, path) || files_below(path, f->at[i].path)) {
			err_set(e, -EINVAL, "%s is both a file and a folder", path);
			return NULL;
		}
	}
	if (!one && f->count == GUEST_FILES_MAX) {
		err_set(e, -E2BIG, "more than %d files", GUEST_FILES_MAX);
		return NULL;
	}
	if (one) {
		f->bytes -= one->data.len;
		buf_done(&one->data);
	} else {
		one = &f->at[f->count++];
		one->path = mem_strdup(path);
	}
	one->mode = mode;
	/* One byte more than there is room for, which is an error then: a cap of 0 would be none. */
	buf_init_secret(&one->data, GUEST_FILES_BYTES_MAX - f->bytes + 1);
	return one;
}

static int files_added(struct files *f, const struct files_one *one, int r, struct err *e)
{
	f->bytes += one->data.len;
	if (f->bytes > GUEST_FILES_BYTES_MAX)
		r = -E2BIG;
	return r == -E2BIG ? err_set(e, r, "more than %d MiB of files", GUEST_FILES_BYTES_MAX >> 20)
			   : r;
}

static int files_value(struct files *f, const struct json *value, bool encoded, const char *key,
		       const char *path, uint16_t mode, struct err *e)
{
	struct files_one *one = files_add(f, path, mode, e);

	return one ? files_added(f, one, source_value(value, encoded, key, &one->data, e), e)
		   : -EINVAL;
}

static int files_item(struct files *f, const struct spec_source *src, const struct json *object,
		      const struct spec_item *item, struct err *e)
{
	bool secret = src->kind == SPEC_SOURCE_SECRET, encoded;
	const struct json *value = source_find(object, secret ? POD_SECRET : POD_CONFIG_MAP,
					       item->key, true, &encoded);

	if (value)
		return files_value(f, value, encoded, item->key, item->path, item->mode, e);
	if (src->optional)
		return 0;
	return err_set(e, -ENOENT, "references non-existent %s key: %s",
		       secret ? "secret" : "config", item->key);
}

static int files_all(struct files *f, const struct spec_source *src, const struct json *object,
		     struct err *e)
{
	bool secret = src->kind == SPEC_SOURCE_SECRET;
	struct json_iter data = json_iter(json_get(object, "data"));
	struct json_iter binary = json_iter(secret ? NULL : json_get(object, "binaryData"));
	int r = 0;

	while (r == 0 && json_next(&data))
		if (data.key)
			r = files_value(f, data.value, secret, data.key, data.key, src->mode, e);
	while (r == 0 && json_next(&binary))
		if (binary.key)
			r = files_value(f, binary.value, true, binary.key, binary.key, src->mode,
					e);
	return r;
}

static int files_object(const struct pod *p, struct files *f, const struct spec_source *src,
			struct err *e)
{
	const struct source_name name = {
		.kind = src->kind == SPEC_SOURCE_SECRET ? POD_SECRET : POD_CONFIG_MAP,
		.name = src->object,
	};
	const struct json *object;
	int r = source_get(p, &name, &object, e);

	if (r == -ENOENT && src->optional) {
		err_clear(e);
		return 0;
	}
	if (r < 0)
		return r;
	if (!src->item_count)
		return files_all(f, src, object, e);
	for (uint32_t i = 0; r == 0 && i < src->item_count; i++)
		r = files_item(f, src, object, &src->items[i], e);
	return r;
}

static int files_fields(const struct pod *p, struct files *f, const struct spec_source *src,
			struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < src->item_count; i++) {
		const struct spec_item *item = &src->items[i];
		struct files_one *one = files_add(f, item->path, item->mode, e);

		if (!one)
			return -EINVAL;
		r = files_added(f, one, field_text(p, &item->field, UINT32_MAX, &one->data, e), e);
	}
	return r;
}

static int files_token(const struct pod *p, struct files *f, const struct spec_source *src,
		       struct err *e)
{
	const struct source_name name = {
		.kind = POD_TOKEN,
		.name = p->spec->service_account,
		.audience = src->audience,
		.expiration_s = src->expiration_s,
	};
	const struct json *object;
	struct files_one *one;
	int r = source_get(p, &name, &object, e);

	if (r < 0)
		return r;
	one = files_add(f, src->path, src->mode, e);
	if (!one)
		return -EINVAL;
	r = buf_puts(&one->data, json_str(json_at(object, "status", "token", NULL), ""));
	return files_added(f, one, r, e);
}

static int files_make(const struct pod *p, const struct spec_volume *v, struct files *f,
		      struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < v->source_count; i++) {
		const struct spec_source *src = &v->sources[i];

		switch (src->kind) {
		case SPEC_SOURCE_CONFIG_MAP:
		case SPEC_SOURCE_SECRET:
			r = files_object(p, f, src, e);
			break;
		case SPEC_SOURCE_DOWNWARD_API:
			r = files_fields(p, f, src, e);
			break;
		case SPEC_SOURCE_TOKEN:
			r = files_token(p, f, src, e);
			break;
		}
	}
	return r;
}

int files_check(const struct pod *p, struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < p->spec->volume_count; i++) {
		const struct spec_volume *v = &p->spec->volumes[i];
		struct files *f;

		if (!spec_volume_is_files(v->kind))
			continue;
		f = mem_alloc(sizeof(*f));
		r = files_make(p, v, f, e);
		files_free(f);
		if (r < 0 && e && *e->msg)
			err_wrap(e, r, "MountVolume.SetUp failed for volume \"%s\" ", v->name);
	}
	return r;
}

static uint64_t files_hash(const struct guest_files *m)
{
	uint64_t hash = HASH_START;

	for (uint32_t i = 0; i < m->count; i++) {
		const struct guest_file *f = &m->files[i];

		hash = hash_more(hash, f->path, strlen(f->path) + 1);
		hash = hash_more(hash, &f->mode, sizeof(f->mode));
		hash = hash_more(hash, &f->len, sizeof(f->len));
		hash = hash_more(hash, f->data, f->len);
	}
	return hash ? hash : 1;
}

static int files_send_one(struct pod *p, uint32_t index, struct err *e)
{
	struct files *f = mem_alloc(sizeof(*f));
	_cleanup_free_ struct guest_file *list = mem_array(GUEST_FILES_MAX, sizeof(*list));
	struct guest_files m = {
		.volume = (uint16_t)index,
		.group = p->spec->fs_group,
		.files = list,
	};
	int r = files_make(p, &p->spec->volumes[index], f, e);

	for (; r == 0 && m.count < f->count; m.count++)
		list[m.count] = (struct guest_file){
			.path = f->at[m.count].path,
			.mode = f->at[m.count].mode,
			.data = buf_str(&f->at[m.count].data),
			.len = (uint32_t)f->at[m.count].data.len,
		};
	m.generation = files_hash(&m);
	if (r == 0 && m.generation != p->files_sent[index]) {
		r = session_send_files(p->session, &m, e);
		if (r == 0) {
			p->files_sent[index] = m.generation;
			log_info("pod", "ev=files_sent uid=%s volume=%s files=%u", p->meta.uid,
				 p->spec->volumes[index].name, m.count);
		}
	}
	files_free(f);
	return r;
}

int files_send(struct pod *p, struct err *e)
{
	int r = 0;

	p->files_due = false;
	for (uint32_t i = 0; p->spec && i < p->spec->volume_count; i++) {
		struct err one = ERR_INIT;
		int this;

		if (!spec_volume_is_files(p->spec->volumes[i].kind))
			continue;
		this = files_send_one(p, i, &one);
		if (this == -ENOBUFS)
			timer_set(&p->files_timer, FILES_AGAIN_MS);
		if (this < 0 && r == 0) {
			r = this;
			err_set(e, r, "volume %s: %s", p->spec->volumes[i].name, err_msg(&one));
		}
	}
	return r;
}

static void files_again(struct timer *t)
{
	struct pod *p = container_of(t, struct pod, files_timer);

	p->files_due = true;
	pod_kick(p);
}

void files_init(struct pod *p)
{
	timer_init(p->pods->config.loop, &p->files_timer, files_again);
}

void files_forget(struct pod *p)
{
	memset(p->files_sent, 0, sizeof(p->files_sent));
	p->files_due = true;
}

void files_update(struct pod *p)
{
	struct err e = ERR_INIT;
	char safe[POD_MESSAGE_MAX];
	int r;

	if (!p->session || !p->files_due)
		return;
	r = files_send(p, &e);
	/* What is not known yet will tell; what has gone leaves the files as they are, as a kubelet does. */
	if (r < 0 && r != -EAGAIN && r != -ENOBUFS)
		log_warn("pod", "ev=files_stale uid=%s error=\"%s\"", p->meta.uid,
			 str_printable(safe, sizeof(safe), err_msg(&e)));
}
