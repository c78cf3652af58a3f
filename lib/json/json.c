// SPDX-License-Identifier: Apache-2.0
/*
 * A thin layer over yyjson's mutable documents, the only file that knows yyjson. `struct json` is
 * never defined: a pointer to one is a pointer to a yyjson_mut_val. Parsed text becomes mutable at
 * once: one kind of value keeps callers simple, and our documents are small.
 */
#include "json/json.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "base/mem.h"

struct json_doc {
	yyjson_mut_doc *doc;
};

static yyjson_mut_val *val(const struct json *v)
{
	return (yyjson_mut_val *)(uintptr_t)v;
}

static struct json *json_of(yyjson_mut_val *v)
{
	return (struct json *)v;
}

/*
 * Any document may be a Secret, and nobody can tell before it is parsed: so all memory that yyjson
 * gives back is cleared first. The size is kept in front of each piece.
 */
#define JSON_PIECE_HEAD 16

static void *json_piece(void *ctx, size_t size)
{
	char *p = size <= SIZE_MAX - JSON_PIECE_HEAD ? malloc(size + JSON_PIECE_HEAD) : NULL;

	(void)ctx;
	if (!p)
		return NULL;
	memcpy(p, &size, sizeof(size));
	return p + JSON_PIECE_HEAD;
}

static void json_piece_free(void *ctx, void *piece)
{
	size_t size;
	char *p;

	(void)ctx;
	if (!piece)
		return;
	p = (char *)piece - JSON_PIECE_HEAD;
	memcpy(&size, p, sizeof(size));
	mem_wipe(p, size + JSON_PIECE_HEAD);
	free(p);
}

static void *json_piece_resize(void *ctx, void *piece, size_t old_size, size_t size)
{
	void *p = json_piece(ctx, size);

	if (!p)
		return NULL;
	memcpy(p, piece, MIN(old_size, size));
	json_piece_free(ctx, piece);
	return p;
}

static const yyjson_alc json_alc = {json_piece, json_piece_resize, json_piece_free, NULL};

/* Out of memory while building: sizes were capped before, so this is the crash-only case. */
static struct json *made(yyjson_mut_val *v)
{
	if (!v)
		abort();
	return json_of(v);
}

/*
 * What must hold before yyjson, which recurses, sees the text: a limit on nesting, and no NUL inside a
 * string, since our strings end there and would say something else than the document.
 */
static int json_check(const char *text, size_t len, struct err *e)
{
	bool in_string = false;
	unsigned int depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (in_string) {
			if (c == '\\' && len - i > 5 && memcmp(text + i + 1, "u0000", 5) == 0)
				return err_set(e, -EBADMSG, "JSON string with a NUL at byte %zu",
					       i);
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > JSON_DEPTH_MAX)
				return err_set(e, -E2BIG, "JSON is nested deeper than %d levels",
					       JSON_DEPTH_MAX);
		} else if ((c == '}' || c == ']') && depth) {
			depth--;
		}
	}
	return 0;
}

struct json_doc *json_doc_new(void)
{
	struct json_doc *doc = mem_alloc(sizeof(*doc));

	doc->doc = yyjson_mut_doc_new(&json_alc);
	if (!doc->doc)
		abort();
	return doc;
}

int json_parse(const char *text, size_t len, struct json_doc **doc, struct err *e)
{
	yyjson_read_err re = {0};
	yyjson_mut_doc *mut;
	yyjson_doc *raw;
	int r = json_check(text, len, e);

	if (r < 0)
		return r;
	raw = yyjson_read_opts((char *)(uintptr_t)text, len, YYJSON_READ_NOFLAG, &json_alc, &re);
	if (!raw)
		return err_set(e, -EBADMSG, "not JSON: %s at byte %zu",
			       re.msg ? re.msg : "unreadable", re.pos);
	mut = yyjson_doc_mut_copy(raw, &json_alc);
	yyjson_doc_free(raw);
	if (!mut)
		abort();
	*doc = mem_alloc(sizeof(**doc));
	(*doc)->doc = mut;
	return 0;
}

struct json_doc *json_doc_free(struct json_doc *doc)
{
	if (doc) {
		yyjson_mut_doc_free(doc->doc);
		free(doc);
	}
	return NULL;
}

void json_doc_cleanup(struct json_doc **doc)
{
	*doc = json_doc_free(*doc);
}

struct json *json_root(const struct json_doc *doc)
{
	return doc ? json_of(yyjson_mut_doc_get_root(doc->doc)) : NULL;
}

void json_set_root(struct json_doc *doc, struct json *value)
{
	yyjson_mut_doc_set_root(doc->doc, val(value));
}

enum json_type json_type(const struct json *v)
{
	switch (yyjson_mut_get_type(val(v))) {
	case YYJSON_TYPE_NULL:
		return JSON_NULL;
	case YYJSON_TYPE_BOOL:
		return JSON_BOOL;
	case YYJSON_TYPE_NUM:
		return yyjson_mut_is_sint(val(v)) || (yyjson_mut_is_uint(val(v)) &&
						      yyjson_mut_get_uint(val(v)) <= INT64_MAX)
			       ? JSON_INT
			       : JSON_REAL;
	case YYJSON_TYPE_STR:
		return JSON_STR;
	case YYJSON_TYPE_ARR:
		return JSON_ARR;
	case YYJSON_TYPE_OBJ:
		return JSON_OBJ;
	default:
		return JSON_NONE;
	}
}

bool json_is_obj(const struct json *v)
{
	return yyjson_mut_is_obj(val(v));
}

bool json_is_arr(const struct json *v)
{
	return yyjson_mut_is_arr(val(v));
}

bool json_is_str(const struct json *v)
{
	return yyjson_mut_is_str(val(v));
}

struct json *json_get(const struct json *obj, const char *key)
{
	return json_of(yyjson_mut_obj_get(val(obj), key));
}

struct json *json_at(const struct json *v, ...)
{
	struct json *at = json_of(val(v));
	const char *key;
	va_list ap;

	va_start(ap, v);
	while (at && (key = va_arg(ap, const char *)))
		at = json_get(at, key);
	va_end(ap);
	return at;
}

const char *json_str(const struct json *v, const char *otherwise)
{
	const char *s = yyjson_mut_get_str(val(v));

	return s ? s : otherwise;
}

int64_t json_int(const struct json *v, int64_t otherwise)
{
	return json_type(v) == JSON_INT ? yyjson_mut_get_sint(val(v)) : otherwise;
}

bool json_bool(const struct json *v, bool otherwise)
{
	return yyjson_mut_is_bool(val(v)) ? yyjson_mut_get_bool(val(v)) : otherwise;
}

double json_real(const struct json *v, double otherwise)
{
	return yyjson_mut_is_num(val(v)) ? yyjson_mut_get_num(val(v)) : otherwise;
}

size_t json_count(const struct json *v)
{
	return json_is_obj(v) ? yyjson_mut_obj_size(val(v)) : yyjson_mut_arr_size(val(v));
}

struct json *json_item(const struct json *arr, size_t index)
{
	return json_of(yyjson_mut_arr_get(val(arr), index));
}

/*
 * yyjson keeps members in a ring whose entry point is the last one: for objects key -> value -> next
 * key, for arrays element -> next element.
 */
struct json_iter json_iter(const struct json *v)
{
	struct json_iter it = {.container_ = v, .left_ = json_count(v)};

	it.at_ = it.left_ ? val(v)->uni.ptr : NULL;
	if (it.at_ && json_is_obj(v))
		it.at_ = ((const yyjson_mut_val *)it.at_)->next;
	return it;
}

bool json_next(struct json_iter *it)
{
	yyjson_mut_val *next;

	if (!it->left_)
		return false;
	it->left_--;
	next = ((const yyjson_mut_val *)it->at_)->next;
	if (json_is_obj(it->container_)) {
		it->key = yyjson_mut_get_str(next);
		next = next->next;
	}
	it->at_ = next;
	it->value = json_of(next);
	return true;
}

bool json_equal(const struct json *a, const struct json *b)
{
	return a && b ? yyjson_mut_equals(val(a), val(b)) : a == b;
}

struct json *json_new_obj(struct json_doc *doc)
{
	return made(yyjson_mut_obj(doc->doc));
}

struct json *json_new_arr(struct json_doc *doc)
{
	return made(yyjson_mut_arr(doc->doc));
}

/* Length of the UTF-8 sequence at @s (RFC 3629 §4), 0 if there is none within @len bytes */
static size_t utf8_length(const unsigned char *s, size_t len)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (n == 0 || n > len || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and what lies beyond U+10FFFF */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

struct json *json_new_strn(struct json_doc *doc, const char *s, size_t len)
{
	yyjson_mut_val *v = yyjson_mut_strncpy(doc->doc, s, len);
	/* The copy is ours: what is no UTF-8 could not be written later. */
	unsigned char *copy = v ? (unsigned char *)(uintptr_t)yyjson_mut_get_str(v) : NULL;

	for (size_t i = 0, n; copy && i < len; i += n) {
		n = utf8_length(copy + i, len - i);
		if (n)
			continue;
		copy[i] = '?';
		n = 1;
	}
	return made(v);
}

struct json *json_new_str(struct json_doc *doc, const char *s)
{
	return json_new_strn(doc, s, strlen(s));
}

static struct json *json_new_vfmt(struct json_doc *doc, const char *fmt, va_list ap)
{
	struct buf b = BUF_INIT(0);
	struct json *v;

	if (buf_vprintf(&b, fmt, ap) < 0)
		abort();
	v = json_new_strn(doc, buf_str(&b), b.len);
	buf_done(&b);
	return v;
}

struct json *json_new_fmt(struct json_doc *doc, const char *fmt, ...)
{
	struct json *v;
	va_list ap;

	va_start(ap, fmt);
	v = json_new_vfmt(doc, fmt, ap);
	va_end(ap);
	return v;
}

struct json *json_new_int(struct json_doc *doc, int64_t value)
{
	return made(yyjson_mut_sint(doc->doc, value));
}

struct json *json_new_real(struct json_doc *doc, double value)
{
	/* JSON has no word for the others. */
	return isfinite(value) ? made(yyjson_mut_real(doc->doc, value)) : json_new_null(doc);
}

struct json *json_new_bool(struct json_doc *doc, bool value)
{
	return made(yyjson_mut_bool(doc->doc, value));
}

struct json *json_new_null(struct json_doc *doc)
{
	return made(yyjson_mut_null(doc->doc));
}

struct json *json_copy(struct json_doc *doc, const struct json *v)
{
	return v ? made(yyjson_mut_val_mut_copy(doc->doc, val(v))) : NULL;
}

void json_put(struct json_doc *doc, struct json *obj, const char *key, struct json *value)
{
	struct json_iter it = json_iter(obj);

	if (!json_is_obj(obj))
		return;
	if (!value) {
		json_remove(obj, key);
		return;
	}
	while (json_next(&it)) {
		if (strcmp(it.key, key) == 0) {
			yyjson_mut_obj_replace(val(obj), yyjson_mut_strcpy(doc->doc, key),
					       val(value));
			return;
		}
	}
	yyjson_mut_obj_add(val(obj), val(json_new_str(doc, key)), val(value));
}

void json_put_str(struct json_doc *doc, struct json *obj, const char *key, const char *s)
{
	json_put(doc, obj, key, json_new_str(doc, s));
}

void json_put_fmt(struct json_doc *doc, struct json *obj, const char *key, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	json_put(doc, obj, key, json_new_vfmt(doc, fmt, ap));
	va_end(ap);
}

void json_put_int(struct json_doc *doc, struct json *obj, const char *key, int64_t value)
{
	json_put(doc, obj, key, json_new_int(doc, value));
}

void json_put_bool(struct json_doc *doc, struct json *obj, const char *key, bool value)
{
	json_put(doc, obj, key, json_new_bool(doc, value));
}

struct json *json_obj_of(struct json_doc *doc, struct json *obj, const char *key)
{
	struct json *v = json_get(obj, key);

	if (!json_is_obj(v)) {
		v = json_new_obj(doc);
		json_put(doc, obj, key, v);
	}
	return v;
}

struct json *json_arr_of(struct json_doc *doc, struct json *obj, const char *key)
{
	struct json *v = json_get(obj, key);

	if (!json_is_arr(v)) {
		v = json_new_arr(doc);
		json_put(doc, obj, key, v);
	}
	return v;
}

void json_push(struct json_doc *doc, struct json *arr, struct json *value)
{
	(void)doc;
	yyjson_mut_arr_append(val(arr), val(value));
}

bool json_remove(struct json *obj, const char *key)
{
	return yyjson_mut_obj_remove_key(val(obj), key) != NULL;
}

bool json_remove_item(struct json *arr, size_t index)
{
	return yyjson_mut_arr_remove(val(arr), index) != NULL;
}

bool json_replace_item(struct json *arr, size_t index, struct json *value)
{
	return yyjson_mut_arr_replace(val(arr), index, val(value)) != NULL;
}

static int json_write_flags(const struct json *v, struct buf *out, yyjson_write_flag flags)
{
	size_t len;
	char *text = yyjson_mut_val_write_opts(val(v), flags, &json_alc, &len, NULL);
	int r;

	if (!text)
		return -EINVAL;
	r = buf_append(out, text, len);
	json_piece_free(NULL, text);
	return r;
}

int json_write(const struct json *v, struct buf *out)
{
	return json_write_flags(v, out, YYJSON_WRITE_NOFLAG);
}

int json_write_pretty(const struct json *v, struct buf *out)
{
	return json_write_flags(v, out, YYJSON_WRITE_PRETTY_TWO_SPACES);
}
