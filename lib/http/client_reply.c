// SPDX-License-Identifier: Apache-2.0
/*
 * What a reply's head says, line by line as libcurl hands it over. The texts are on the heap, so that
 * a reply can outlive its call; an absent one is a shared empty string.
 */
#include "http/client_reply.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define HTTP_REPLY_CAP_DEFAULT ((size_t)1 << 20)

static char http_none[1] = "";

void http_reply_init(struct http_reply *reply, size_t cap)
{
	*reply = (struct http_reply){
		.content_type = http_none,
		.location = http_none,
		.www_authenticate = http_none,
		.date = http_none,
		.retry_after_s = -1,
		.body = BUF_INIT(cap ? cap : HTTP_REPLY_CAP_DEFAULT),
	};
}

static void reply_free_text(const char **text)
{
	if (*text && *text != http_none)
		free((void *)(uintptr_t)*text);
	*text = http_none;
}

void http_reply_forget_head(struct http_reply *reply)
{
	reply_free_text(&reply->content_type);
	reply_free_text(&reply->location);
	reply_free_text(&reply->www_authenticate);
	reply_free_text(&reply->date);
	reply->retry_after_s = -1;
	reply->status = 0;
}

void http_reply_done(struct http_reply *reply)
{
	http_reply_forget_head(reply);
	buf_done(&reply->body);
}

static void reply_set_text(const char **text, const char *value)
{
	reply_free_text(text);
	*text = mem_strdup(value);
}

static void reply_header(struct http_reply *reply, const char *name, const char *value)
{
	uint64_t seconds;

	if (str_eq(name, "content-type")) {
		reply_set_text(&reply->content_type, value);
	} else if (str_eq(name, "location")) {
		reply_set_text(&reply->location, value);
	} else if (str_eq(name, "date")) {
		reply_set_text(&reply->date, value);
	} else if (str_eq(name, "retry-after")) {
		if (str_u64(value, 86400, &seconds) == 0)
			reply->retry_after_s = (int)seconds;
	} else if (str_eq(name, "www-authenticate")) {
		/* Several challenges may come in one line or in several: RFC 9110 §5.3 */
		char *all = *reply->www_authenticate
				    ? mem_printf("%s, %s", reply->www_authenticate, value)
				    : mem_strdup(value);

		reply_free_text(&reply->www_authenticate);
		reply->www_authenticate = all;
	}
}

/* "HTTP/1.1 200 OK": libcurl has checked the form */
static int status_of(const char *line)
{
	const char *space = strchr(line, ' ');
	char digits[4] = "";
	uint64_t status = 0;

	if (!space)
		return 0;
	str_copy(digits, sizeof(digits), space + 1);
	return str_u64(digits, 999, &status) < 0 ? 0 : (int)status;
}

bool http_reply_line(struct http_reply *reply, const char *data, size_t len)
{
	_cleanup_free_ char *copy = mem_strndup(data, len);
	char *line = str_trim(copy), *value;

	if (!*line)
		return true;
	if (str_starts(line, "HTTP/")) {
		http_reply_forget_head(reply);
		reply->status = status_of(line);
		return false;
	}
	value = strchr(line, ':');
	if (!value)
		return false;
	*value++ = '\0';
	for (char *p = line; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	reply_header(reply, line, str_trim(value));
	return false;
}
