// SPDX-License-Identifier: Apache-2.0
/*
 * /hypermetal/images: the images that machines boot, for administrators only.
 *
 *	GET    /hypermetal/images                        the list
 *	POST   /hypermetal/images/VERSION                an upload begins; its files are in the body
 *	PUT    /hypermetal/images/VERSION/FILE?offset=N  the next bytes of a file; 201: the image is there
 *	DELETE /hypermetal/images/VERSION
 *
 * No kind of Kubernetes', so it is found by nobody who does not know it. An image comes in pieces that
 * the server's usual cap on bodies lets through.
 */
#include <errno.h>
#include <string.h>

#include "api/api.h"
#include "base/mem.h"
#include "base/str.h"
#include "internal.h"

#define IMAGES_PATH "/hypermetal/images"

static void refuse(struct api_call *c, int r, const struct err *e)
{
	static const struct {
		int error, status;
		const char *reason;
	} answers[] = {
		{-ENOENT, 404, "NotFound"},	 {-EEXIST, 409, "AlreadyExists"},
		{-ENOTUNIQ, 409, "Conflict"},	 {-EBUSY, 409, "Conflict"},
		{-ESPIPE, 409, "Conflict"},	 {-EINVAL, 422, "Invalid"},
		{-E2BIG, 422, "Invalid"},	 {-EBADMSG, 422, "Invalid"},
		{-ENOSPC, 507, "InternalError"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		if (answers[i].error == r) {
			reply_fail(c, answers[i].status, answers[i].reason, "%s", err_msg(e));
			return;
		}
	reply_fail(c, 500, "InternalError", "%s", err_msg(e));
}

static void reply_ok(struct api_call *c, int status)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();

	reply_doc(c, status, status_json(doc, status, "", ""));
}

static void list(struct api_call *c, const struct api_images *images)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *root = json_new_obj(doc);

	json_put_str(doc, root, "kind", "ImageList");
	json_put_str(doc, root, "apiVersion", "hypermetal.io/v1");
	images->list(doc, json_arr_of(doc, root, "items"), images->arg);
	reply_doc(c, 200, root);
}

static void begin(struct api_call *c, const struct api_images *images, const char *version)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct err e = ERR_INIT;
	int r;

	if (!rest_body(c, &doc))
		return;
	r = images->begin(version, json_root(doc), &e, images->arg);
	if (r < 0)
		refuse(c, r, &e);
	else
		reply_ok(c, 200);
}

static void write_piece(struct api_call *c, const struct api_images *images, const char *version,
			const char *name)
{
	const char *text = query_get(&c->query, "offset");
	struct err e = ERR_INIT;
	uint64_t offset;
	bool done;
	int r;

	if (!text || str_u64(text, INT64_MAX, &offset) < 0) {
		reply_fail(c, 400, "BadRequest", "offset is not a number of bytes");
		return;
	}
	r = images->write(version, name, offset, c->body, c->body_len, &done, &e, images->arg);
	if (r < 0)
		refuse(c, r, &e);
	else
		reply_ok(c, done ? 201 : 200);
}

/* "/VERSION" or "/VERSION/FILE" behind the path. What may be in them is checked by who keeps images. */
static bool split(const char *rest, char *version, char *name, size_t size)
{
	size_t len = strcspn(rest + 1, "/");

	if (!len || len >= size || (rest[1 + len] && str_copy(name, size, rest + 2 + len) < 0))
		return false;
	memcpy(version, rest + 1, len);
	version[len] = '\0';
	return true;
}

bool image_handle(struct api_call *c)
{
	const struct api_images *images = c->site ? c->site->images : NULL;
	const char *rest = str_starts(c->path, IMAGES_PATH);
	char version[API_NAME_MAX] = "", name[API_NAME_MAX] = "";
	struct err e = ERR_INIT;
	int r;

	if (!images || !rest || (*rest && *rest != '/'))
		return false;
	if (*rest && !split(rest, version, name, sizeof(name)))
		return false;
	if (!*version && str_eq(c->method, "GET")) {
		list(c, images);
	} else if (*version && !*name && str_eq(c->method, "POST")) {
		begin(c, images, version);
	} else if (*name && str_eq(c->method, "PUT")) {
		write_piece(c, images, version, name);
	} else if (*version && !*name && str_eq(c->method, "DELETE")) {
		r = images->remove(version, &e, images->arg);
		if (r < 0)
			refuse(c, r, &e);
		else
			reply_ok(c, 200);
	} else {
		reply_fail(c, 405, "MethodNotAllowed",
			   "the server does not allow this method on the requested resource");
	}
	return true;
}
