// SPDX-License-Identifier: Apache-2.0
#include "api/exec_end.h"

#include <string.h>

#include "json/json.h"

#define END_CODE_FAILED 500

static struct json *end_status(struct json_doc *doc, const char *status)
{
	struct json *s = json_new_obj(doc);

	json_obj_of(doc, s, "metadata");
	json_put_str(doc, s, "status", status);
	return s;
}

int exec_end_status(const struct exec_pipe_end *end, bool attach, struct buf *out)
{
	_cleanup_json_ struct json_doc *doc = json_doc_new();
	struct json *s, *cause;

	if (!end->lost && (attach || !end->code))
		return json_write(end_status(doc, "Success"), out);
	s = end_status(doc, "Failure");
	if (end->lost) {
		json_put_str(doc, s, "reason", "InternalError");
		json_put_str(doc, s, "message", end->message);
		json_put_int(doc, s, "code", END_CODE_FAILED);
		return json_write(s, out);
	}
	json_put_str(doc, s, "reason", "NonZeroExitCode");
	json_put_fmt(doc, s, "message",
		     "command terminated with non-zero exit code: exit status %u", end->code);
	cause = json_new_obj(doc);
	json_put_str(doc, cause, "reason", "ExitCode");
	json_put_fmt(doc, cause, "message", "%u", end->code);
	json_push(doc, json_arr_of(doc, json_obj_of(doc, s, "details"), "causes"), cause);
	return json_write(s, out);
}

bool exec_resize_parse(const char *text, size_t len, struct exec_pipe_resize *resize)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	int64_t cols, rows;

	if (json_parse(text, len, &doc, NULL) < 0)
		return false;
	cols = json_int(json_get(json_root(doc), "Width"), 0);
	rows = json_int(json_get(json_root(doc), "Height"), 0);
	if (cols <= 0 || cols > UINT16_MAX || rows <= 0 || rows > UINT16_MAX)
		return false;
	*resize = (struct exec_pipe_resize){
		.kind = EXEC_PIPE_RESIZE, .cols = (uint16_t)cols, .rows = (uint16_t)rows};
	return true;
}
