/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON documents (RFC 8259): parse, read, change, write.
 *
 * A `struct json_doc` owns all memory of its values; a `struct json` is a value inside one and lives
 * as long as its document. Every reader accepts NULL («not there») and a value of another type and
 * answers with the default, so a path into a foreign document needs no checks in between:
 *
 *	name = json_str(json_at(pod, "metadata", "name", NULL), "");
 *
 * Objects keep their order. Members of another document are taken over by json_copy() only.
 * Parsing is bounded: JSON_DEPTH_MAX levels and the caller's size; a string with a NUL inside is refused. Out of memory aborts, as the size
 * was capped at the parser's door.
 */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define JSON_DEPTH_MAX 64

struct json_doc;
struct json;

enum json_type {
	JSON_NONE, /* the value is not there */
	JSON_NULL,
	JSON_BOOL,
	JSON_INT, /* fits int64_t */
	JSON_REAL,
	JSON_STR,
	JSON_ARR,
	JSON_OBJ,
};

/**
 * json_parse() - Read one document
 * @text: UTF-8, not necessarily terminated
 * @doc:  set on success; free with json_doc_free()
 * Return: 0; -EBADMSG with place and reason in @e; -E2BIG when nested too deep.
 */
int json_parse(const char *text, size_t len, struct json_doc **doc, struct err *e);

/** json_doc_new() - A document without a root, to build values in */
struct json_doc *json_doc_new(void);

/** json_doc_free() - Free it with all values; NULL is fine. Return: NULL */
struct json_doc *json_doc_free(struct json_doc *doc);
void json_doc_cleanup(struct json_doc **doc);
#define _cleanup_json_ __attribute__((cleanup(json_doc_cleanup)))

struct json *json_root(const struct json_doc *doc);
void json_set_root(struct json_doc *doc, struct json *value);

/* Reading. */
enum json_type json_type(const struct json *v);
bool json_is_obj(const struct json *v);
bool json_is_arr(const struct json *v);
bool json_is_str(const struct json *v);

/** json_get() - Member of an object, or NULL */
struct json *json_get(const struct json *obj, const char *key);

/** json_at() - Follow a NULL-terminated list of keys */
struct json *json_at(const struct json *v, ...) __attribute__((sentinel));

const char *json_str(const struct json *v, const char *otherwise);
int64_t json_int(const struct json *v, int64_t otherwise); /* JSON_INT only */
bool json_bool(const struct json *v, bool otherwise);
double json_real(const struct json *v, double otherwise); /* JSON_INT too */

/** json_count() - Elements of an array or members of an object, else 0 */
size_t json_count(const struct json *v);

/** json_item() - Element of an array (O(1) for the next after the last asked is not promised), or NULL */
struct json *json_item(const struct json *arr, size_t index);

/*
 * Iteration over an array or object; the value may be changed, but not removed, in the body:
 *
 *	struct json_iter it = json_iter(v);
 *	while (json_next(&it))
 *		use(it.key, it.value);    // key is NULL for arrays
 */
struct json_iter {
	const char *key;
	struct json *value;
	const void *container_, *at_;
	size_t left_;
};
struct json_iter json_iter(const struct json *v);
bool json_next(struct json_iter *it);

/**
 * json_equal() - Same value; members in any order; 1 and 1.0 differ
 *
 * NULL, a value that is not there, equals NULL only.
 */
bool json_equal(const struct json *a, const struct json *b);

/*
 * Building: all take the document that will own the value; strings are copied, bytes that are no UTF-8
 * become '?'; a real that is no number becomes null.
 */
struct json *json_new_obj(struct json_doc *doc);
struct json *json_new_arr(struct json_doc *doc);
struct json *json_new_str(struct json_doc *doc, const char *s);
struct json *json_new_strn(struct json_doc *doc, const char *s, size_t len);
struct json *json_new_fmt(struct json_doc *doc, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
struct json *json_new_int(struct json_doc *doc, int64_t value);
struct json *json_new_real(struct json_doc *doc, double value);
struct json *json_new_bool(struct json_doc *doc, bool value);
struct json *json_new_null(struct json_doc *doc);

/** json_copy() - Deep copy into @doc */
struct json *json_copy(struct json_doc *doc, const struct json *v);

/** json_put() - Set a member, replacing one of that name in its place; a NULL value removes it.
 * Nothing is done unless @obj is an object (json_put_*() as well). */
void json_put(struct json_doc *doc, struct json *obj, const char *key, struct json *value);
void json_put_str(struct json_doc *doc, struct json *obj, const char *key, const char *s);
void json_put_fmt(struct json_doc *doc, struct json *obj, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void json_put_int(struct json_doc *doc, struct json *obj, const char *key, int64_t value);
void json_put_bool(struct json_doc *doc, struct json *obj, const char *key, bool value);

/** json_obj_of() / json_arr_of() - Member of that type, made (replacing another type) if need be */
struct json *json_obj_of(struct json_doc *doc, struct json *obj, const char *key);
struct json *json_arr_of(struct json_doc *doc, struct json *obj, const char *key);

/** json_push() - Append to an array */
void json_push(struct json_doc *doc, struct json *arr, struct json *value);

/** json_remove() - Take a member out of an object. Return: whether it was there */
bool json_remove(struct json *obj, const char *key);

/** json_remove_item() - Take an element out of an array. Return: whether it was there */
bool json_remove_item(struct json *arr, size_t index);

/** json_replace_item() - Put @value in the place of an element. Return: whether it was there */
bool json_replace_item(struct json *arr, size_t index, struct json *value);

/** json_write() - Append the text of a value. Return: 0 or as buf_reserve() */
int json_write(const struct json *v, struct buf *out);
int json_write_pretty(const struct json *v, struct buf *out);

#endif
