// SPDX-License-Identifier: Apache-2.0
/*
 * Reading a request's head: the syntax is picohttpparser's (this is the only file that knows it), what
 * the pieces mean is decided here, and strictly: where two servers could read one request in two ways,
 * it is refused.
 *
 * The head is copied once; the pieces become strings in place, as each is followed by a separator.
 */
#include "server_head.h"

#include <ctype.h>
#include <errno.h>
#include <picohttpparser.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

_Static_assert(sizeof(struct http_chunks) >= sizeof(struct phr_chunked_decoder), "chunk decoder");

#define HTTP_METHOD_MAX 16

void http_head_done(struct http_head *head)
{
	free(head->text_);
	free(head->path_);
	free(head->query_);
	*head = (struct http_head){0};
}

const char *http_head_header_nth(const struct http_head *head, const char *name, size_t n)
{
	for (size_t i = 0; i < head->header_count; i++)
		if (str_eq(head->headers[i].name, name) && !n--)
			return head->headers[i].value;
	return NULL;
}

const char *http_head_header(const struct http_head *head, const char *name)
{
	return http_head_header_nth(head, name, 0);
}

static size_t head_count(const struct http_head *head, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < head->header_count; i++)
		n += str_eq(head->headers[i].name, name);
	return n;
}

static bool is_token(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && (!s[i] || !strchr("!#$%&'*+-.^_`|~", s[i])))
			return false;
	return len > 0;
}

static bool path_climbs(const char *path)
{
	for (const char *p = path; (p = strstr(p, "/..")); p += 3)
		if (p[3] == '/' || p[3] == '\0')
			return true;
	return false;
}

static int head_target(struct http_head *head, char *target)
{
	char *query = strchr(target, '?'), *rest;
	struct http_pair param;
	int r;

	if (query)
		*query++ = '\0';
	head->query = query ? query : "";
	if (target[0] != '/')
		return 400;
	head->path = head->path_ = mem_strdup(target);
	if (str_percent_decode(head->path_, false) < 0 || path_climbs(head->path_))
		return 400;
	rest = head->query_ = mem_strdup(head->query);
	while ((r = str_query_next(&rest, &param.name, &param.value)) > 0) {
		if (head->param_count == HTTP_HEAD_PARAMS_MAX)
			return 400;
		head->params[head->param_count++] = param;
	}
	return r < 0 ? 400 : 0;
}

/* Whether a comma-separated list has @word, in any case */
static bool list_has(const char *list, const char *word)
{
	size_t len;

	for (; list && *list; list += len) {
		list += strspn(list, " \t,");
		len = strcspn(list, " \t,");
		if (len == strlen(word) && strncasecmp(list, word, len) == 0)
			return true;
	}
	return false;
}

static int head_framing(struct http_head *head, int minor)
{
	const char *coding = http_head_header(head, "transfer-encoding");
	const char *length = http_head_header(head, "content-length");
	const char *expect = http_head_header(head, "expect");
	const char *connection = http_head_header(head, "connection");
	int r;

	if (minor >= 1 ? head_count(head, "host") != 1 : head_count(head, "host") > 1)
		return 400;
	if (head_count(head, "content-length") > 1 || head_count(head, "transfer-encoding") > 1 ||
	    (coding && length) || (coding && minor == 0))
		return 400;
	if (coding && strcasecmp(coding, "chunked") != 0)
		return 501;
	head->chunked = coding != NULL;
	r = length ? str_u64(length, INT64_MAX, &head->content_length) : 0;
	if (r < 0)
		return r == -ERANGE ? 413 : 400;
	if (expect && strcasecmp(expect, "100-continue") != 0)
		return 417;
	head->http11 = minor >= 1;
	head->expects_continue = expect && minor >= 1;
	head->keep_alive = minor >= 1 ? !list_has(connection, "close")
				      : list_has(connection, "keep-alive");
	return 0;
}

static int head_headers(struct http_head *head, const struct phr_header *raw, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		/* They point into text_, which is ours to change. */
		char *name = (char *)(uintptr_t)raw[i].name;
		char *value = (char *)(uintptr_t)raw[i].value;

		if (!name || !is_token(name, raw[i].name_len))
			return 400;
		name[raw[i].name_len] = '\0';
		value[raw[i].value_len] = '\0';
		for (char *p = name; *p; p++)
			*p = (char)tolower((unsigned char)*p);
		head->headers[i] = (struct http_pair){.name = name, .value = str_trim(value)};
	}
	head->header_count = count;
	return 0;
}

static int head_check_line(const char *method, size_t len, int minor)
{
	if (minor > 1)
		return 505;
	if (len > HTTP_METHOD_MAX)
		return 501;
	return is_token(method, len) ? 0 : 400;
}

int http_head_parse(const char *data, size_t len, size_t seen, struct http_head *head, size_t *used)
{
	struct phr_header raw[HTTP_HEAD_HEADERS_MAX + 1];
	size_t count = ARRAY_SIZE(raw), method_len, target_len;
	const char *method, *target;
	int minor, r;

	*head = (struct http_head){0};
	head->text_ = mem_alloc(MIN(len, HTTP_HEAD_MAX) + 1);
	memcpy(head->text_, data, MIN(len, HTTP_HEAD_MAX));
	r = phr_parse_request(head->text_, MIN(len, HTTP_HEAD_MAX), &method, &method_len, &target,
			      &target_len, &minor, raw, &count, seen);
	if (r == -2 && len < HTTP_HEAD_MAX) {
		http_head_done(head);
		return -EAGAIN;
	}
	*used = r > 0 ? (size_t)r : 0;
	if (r == -2 || count > HTTP_HEAD_HEADERS_MAX)
		r = 431;
	else
		r = r < 0 ? 400 : head_check_line(method, method_len, minor);
	if (r == 0) {
		head->method = method;
		head->text_[method - head->text_ + (ssize_t)method_len] = '\0';
		head->text_[target - head->text_ + (ssize_t)target_len] = '\0';
		r = head_target(head, head->text_ + (target - head->text_));
	}
	if (r == 0)
		r = head_headers(head, raw, count);
	if (r == 0)
		r = head_framing(head, minor);
	if (r != 0)
		http_head_done(head);
	return r;
}

ssize_t http_chunks_decode(struct http_chunks *chunks, char *data, size_t *len)
{
	struct phr_chunked_decoder decoder;
	ssize_t r;

	memcpy(&decoder, chunks, sizeof(decoder));
	decoder.consume_trailer = 1;
	r = phr_decode_chunked(&decoder, data, len);
	memcpy(chunks, &decoder, sizeof(decoder));
	if (r == -2)
		return -EAGAIN;
	return r < 0 ? -EBADMSG : r;
}
