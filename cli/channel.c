// SPDX-License-Identifier: Apache-2.0
#include "channel.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "json/json.h"

void channel_done(struct channel_reader *c)
{
	buf_done(&c->status);
}

bool channel_take(struct channel_reader *c, const struct ws_piece *p,
		  void (*out)(int fd, const void *data, size_t len, void *arg), void *arg)
{
	const uint8_t *data = p->data;
	size_t len = p->len;

	if (p->first)
		c->known = false;
	if (!c->known && len) {
		c->known = true;
		c->channel = *data++;
		len--;
	}
	if (!c->known)
		return false;
	if (len && c->channel == CHANNEL_STDOUT)
		out(STDOUT_FILENO, data, len, arg);
	else if (len && c->channel == CHANNEL_STDERR)
		out(STDERR_FILENO, data, len, arg);
	else if (c->channel == CHANNEL_STATUS && c->status.len + len <= CHANNEL_STATUS_MAX)
		buf_append(&c->status, data, len);
	return p->last && c->channel == CHANNEL_STATUS;
}

bool channel_status(const struct channel_reader *c, struct channel_end *end)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct json_iter it;
	uint64_t code;

	if (!c->status.len || json_parse(c->status.data, c->status.len, &doc, NULL) < 0)
		return false;
	*end = (struct channel_end){.code = -1};
	if (str_eq(json_str(json_get(json_root(doc), "status"), ""), "Success"))
		end->code = 0;
	str_copy(end->message, sizeof(end->message),
		 json_str(json_get(json_root(doc), "message"), "the command failed"));
	it = json_iter(json_at(json_root(doc), "details", "causes", NULL));
	while (json_next(&it))
		if (str_eq(json_str(json_get(it.value, "reason"), ""), "ExitCode") &&
		    str_u64(json_str(json_get(it.value, "message"), ""), 255, &code) == 0)
			end->code = (int)code;
	return true;
}
