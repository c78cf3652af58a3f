// SPDX-License-Identifier: Apache-2.0
/*
 * Answers. Errors are Status objects with the reasons, codes and words of the real API server:
 * clients decide by them and people know them (apimachinery, api/errors and util/validation/field).
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

void reply_text(struct api_call *c, int status, const char *text, size_t len)
{
	c->reply.status = status;
	c->reply.content_type = "application/json";
	buf_clear(&c->reply.body);
	if (buf_append(&c->reply.body, text, len) == 0)
		buf_puts(&c->reply.body, "\n");
}

void reply_doc(struct api_call *c, int status, const struct json *v)
{
	const char *pretty = query_get(&c->query, "pretty");

	c->reply.status = status;
	c->reply.content_type = "application/json";
	buf_clear(&c->reply.body);
	if (pretty && !str_eq(pretty, "false") && !str_eq(pretty, "0"))
		json_write_pretty(v, &c->reply.body);
	else
		json_write(v, &c->reply.body);
	buf_puts(&c->reply.body, "\n");
}

struct json *status_json(struct json_doc *doc, int code, const char *reason, const char *message)
{
	struct json *s = json_new_obj(doc);

	json_put_str(doc, s, "kind", "Status");
	json_put_str(doc, s, "apiVersion", "v1");
	json_put(doc, s, "metadata", json_new_obj(doc));
	json_put_str(doc, s, "status", code < 300 ? "Success" : "Failure");
	if (*message)
		json_put_str(doc, s, "message", message);
	if (*reason)
		json_put_str(doc, s, "reason", reason);
	json_put_int(doc, s, "code", code);
	return s;
}

static void put_details(struct json_doc *doc, struct json *s, const struct api_call *c,
			const char *kind, const char *name)
{
	struct json *d = json_obj_of(doc, s, "details");

	if (name && *name)
		json_put_str(doc, d, "name", name);
	if (c->kind && *c->kind->group)
		json_put_str(doc, d, "group", c->kind->group);
	if (kind)
		json_put_str(doc, d, "kind", kind);
}

static void reply_status(struct api_call *c, int code, const char *reason, const char *kind,
			 const char *name, const char *message)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *s = status_json(doc, code, reason, message);

	if (kind)
		put_details(doc, s, c, kind, name);
	reply_doc(c, code, s);
}

void reply_fail(struct api_call *c, int code, const char *reason, const char *fmt, ...)
{
	char message[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	reply_status(c, code, reason, c->kind ? c->kind->plural : NULL, c->name, message);
}

void reply_not_found(struct api_call *c, const char *name)
{
	char resource[128], message[512];

	snprintf(message, sizeof(message), "%s \"%s\" not found",
		 kind_resource(c->kind, resource, sizeof(resource)), name);
	reply_status(c, 404, "NotFound", c->kind->plural, name, message);
}

void reply_no_resource(struct api_call *c)
{
	reply_status(c, 404, "NotFound", NULL, NULL,
		     "the server could not find the requested resource");
}

void reply_conflict(struct api_call *c, const char *why)
{
	char resource[128], message[1024];

	snprintf(message, sizeof(message), "Operation cannot be fulfilled on %s \"%s\": %s",
		 kind_resource(c->kind, resource, sizeof(resource)), c->name, why);
	reply_status(c, 409, "Conflict", c->kind->plural, c->name, message);
}

void reply_store_error(struct api_call *c, int code, const struct err *e)
{
	char resource[128], message[512];

	kind_resource(c->kind, resource, sizeof(resource));
	switch (code) {
	case -EEXIST:
		snprintf(message, sizeof(message), "%s \"%s\" already exists", resource, c->name);
		reply_status(c, 409, "AlreadyExists", c->kind->plural, c->name, message);
		break;
	case -ENOENT:
		reply_not_found(c, c->name);
		break;
	case -E2BIG:
		reply_fail(c, 413, "RequestEntityTooLarge",
			   "Request entity too large: limit is %zu", STORE_OBJECT_MAX);
		break;
	case -ESTALE:
		reply_conflict(c, "the object has been modified; please apply your changes to the "
				  "latest version and try again");
		break;
	default:
		reply_fail(c, 500, "InternalError", "Internal error occurred: %s", err_msg(e));
	}
}

void reply_invalid(struct api_call *c)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct buf text = BUF_INIT(0);
	struct json *s, *causes;

	buf_printf(&text, "%s \"%s\" is invalid: %s", c->kind->kind, c->name,
		   c->error_count > 1 ? "[" : "");
	for (size_t i = 0; i < c->error_count; i++)
		buf_printf(&text, "%s%s: %s", i ? ", " : "", c->errors[i].field,
			   c->errors[i].message);
	if (c->error_count > 1)
		buf_puts(&text, "]");
	s = status_json(doc, 422, "Invalid", buf_str(&text));
	put_details(doc, s, c, c->kind->kind, c->name);
	causes = json_arr_of(doc, json_get(s, "details"), "causes");
	for (size_t i = 0; i < c->error_count; i++) {
		struct json *cause = json_new_obj(doc);

		json_put_str(doc, cause, "reason", c->errors[i].reason);
		json_put_str(doc, cause, "message", c->errors[i].message);
		json_put_str(doc, cause, "field", c->errors[i].field);
		json_push(doc, causes, cause);
	}
	reply_doc(c, 422, s);
	buf_done(&text);
}

void reply_object(struct api_call *c, int status, const struct store_object *o)
{
	if (query_get(&c->query, "pretty"))
		reply_doc(c, status, json_root(o->doc));
	else
		reply_text(c, status, o->text, o->len);
}

/* What a delete answers whose object is gone: Success with its name. */
void reply_success(struct api_call *c, const char *uid)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *s = status_json(doc, 200, "", "");

	json_remove(s, "code");
	put_details(doc, s, c, c->kind->plural, c->name);
	if (uid)
		json_put_str(doc, json_get(s, "details"), "uid", uid);
	reply_doc(c, 200, s);
}

/* A warning that kubectl prints (RFC 7234 §5.5; code 299, agent "-"). */
void reply_warn(struct api_call *c, const char *fmt, ...)
{
	char text[400], safe[512];
	size_t n = 0;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (const char *p = text; *p && n + 2 < sizeof(safe); p++) {
		if (*p == '"' || *p == '\\')
			safe[n++] = '\\';
		safe[n++] = (unsigned char)*p < 0x20 ? ' ' : *p;
	}
	safe[n] = '\0';
	buf_printf(&c->reply.headers, "Warning: 299 - \"%s\"\r\n", safe);
}

static struct field_error *add_error(struct api_call *c, const char *reason, const char *fmt,
				     va_list ap)
{
	struct field_error *f = &c->errors[MIN(c->error_count, (size_t)API_ERRORS_MAX - 1)];

	if (c->error_count < API_ERRORS_MAX)
		c->error_count++;
	f->reason = reason;
	vsnprintf(f->field, sizeof(f->field), fmt, ap);
	return f;
}

#define ADD_ERROR(c, reason, fmt)                    \
	({                                           \
		va_list ap_;                         \
		struct field_error *f_;              \
		va_start(ap_, fmt);                  \
		f_ = add_error(c, reason, fmt, ap_); \
		va_end(ap_);                         \
		f_;                                  \
	})

void field_required(struct api_call *c, const char *detail, const char *fmt, ...)
{
	struct field_error *f = ADD_ERROR(c, "FieldValueRequired", fmt);

	snprintf(f->message, sizeof(f->message), "Required value%s%s", *detail ? ": " : "", detail);
}

/* @value as it shall be shown: a string with its quotes, a number without. */
void field_invalid(struct api_call *c, const char *value, const char *detail, const char *fmt, ...)
{
	struct field_error *f = ADD_ERROR(c, "FieldValueInvalid", fmt);

	snprintf(f->message, sizeof(f->message), "Invalid value: %.100s: %s", value, detail);
}

void field_forbidden(struct api_call *c, const char *detail, const char *fmt, ...)
{
	struct field_error *f = ADD_ERROR(c, "FieldValueForbidden", fmt);

	snprintf(f->message, sizeof(f->message), "Forbidden: %s", detail);
}

void field_too_long(struct api_call *c, size_t max_bytes, const char *fmt, ...)
{
	struct field_error *f = ADD_ERROR(c, "FieldValueTooLong", fmt);

	snprintf(f->message, sizeof(f->message), "Too long: may not be more than %zu bytes",
		 max_bytes);
}

void field_duplicate(struct api_call *c, const char *value, const char *fmt, ...)
{
	struct field_error *f = ADD_ERROR(c, "FieldValueDuplicate", fmt);

	snprintf(f->message, sizeof(f->message), "Duplicate value: \"%.100s\"", value);
}

void field_unknown_ref(struct api_call *c, const char *value, const char *fmt, ...)
{
	struct field_error *f = ADD_ERROR(c, "FieldValueNotFound", fmt);

	snprintf(f->message, sizeof(f->message), "Not found: \"%.100s\"", value);
}

void field_unsupported(struct api_call *c, const char *value, const char *const *allowed,
		       const char *fmt, ...)
{
	struct field_error *f = ADD_ERROR(c, "FieldValueNotSupported", fmt);
	size_t n = (size_t)snprintf(f->message, sizeof(f->message),
				    "Unsupported value: \"%.100s\": supported values:", value);

	for (size_t i = 0; allowed[i] && n < sizeof(f->message); i++)
		n += (size_t)snprintf(f->message + n, sizeof(f->message) - n, "%s \"%s\"",
				      i ? "," : "", allowed[i]);
}
