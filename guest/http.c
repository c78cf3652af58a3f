// SPDX-License-Identifier: Apache-2.0
#include "http.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

#define HTTP_AGENT "kube-probe/1.33"

static bool http_has(const struct guest_strings *headers, const char *name)
{
	size_t len = strlen(name);

	for (uint32_t i = 0; i < headers->count; i++)
		if (strncasecmp(headers->at[i], name, len) == 0 && headers->at[i][len] == ':')
			return true;
	return false;
}

long http_request(const char *host, const char *path, const struct guest_strings *headers,
		  char *out, size_t size)
{
	size_t n =
		(size_t)snprintf(out, size, "GET %s%s HTTP/1.1\r\n", *path == '/' ? "" : "/", path);

	if (n < size && !http_has(headers, "Host"))
		n += (size_t)snprintf(out + n, size - n, "Host: %s\r\n", host);
	if (n < size && !http_has(headers, "User-Agent"))
		n += (size_t)snprintf(out + n, size - n, "User-Agent: " HTTP_AGENT "\r\n");
	if (n < size && !http_has(headers, "Accept"))
		n += (size_t)snprintf(out + n, size - n, "Accept: */*\r\n");
	for (uint32_t i = 0; i < headers->count && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s\r\n", headers->at[i]);
	if (n < size)
		n += (size_t)snprintf(out + n, size - n, "Connection: close\r\n\r\n");
	return n < size ? (long)n : -E2BIG;
}

/* The value of a header line, or NULL when it is another header. */
static const char *http_value(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncasecmp(line, name, len) != 0 || line[len] != ':')
		return NULL;
	return line + len + 1 + strspn(line + len + 1, " \t");
}

static int http_status_line(struct http_reply *r, const char *line)
{
	if (strncmp(line, "HTTP/1.", 7) != 0 || !line[7] || line[8] != ' ')
		return -EPROTO;
	for (int i = 9; i < 12; i++)
		if (!isdigit((unsigned char)line[i]))
			return -EPROTO;
	r->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
	return r->status >= 100 && r->status < 600 ? 0 : -EPROTO;
}

static void http_header_line(struct http_reply *r, const char *line)
{
	const char *value = http_value(line, "Location");
	uint64_t length;

	if (value && str_copy(r->location, sizeof(r->location), value) < 0)
		r->location[0] = '\0';
	value = http_value(line, "Content-Length");
	if (value && str_u64(value, INT64_MAX, &length) == 0)
		r->length = (int64_t)length;
	value = http_value(line, "Transfer-Encoding");
	if (value && strcasestr(value, "chunked"))
		r->chunked = true;
}

/* Reads r->head, in which the head is whole or which is full. */
static int http_head(struct http_reply *r)
{
	char *save = NULL, *line = strtok_r(r->head, "\n", &save);
	int result = line ? http_status_line(r, line) : -EPROTO;

	r->length = -1;
	while (result == 0 && (line = strtok_r(NULL, "\n", &save))) {
		line[strcspn(line, "\r")] = '\0';
		http_header_line(r, line);
	}
	r->head_over = true;
	return result;
}

static void http_body(struct http_reply *r, const char *data, size_t len)
{
	for (size_t i = len > sizeof(r->tail) ? len - sizeof(r->tail) : 0; i < len; i++) {
		memmove(r->tail, r->tail + 1, sizeof(r->tail) - 1);
		r->tail[sizeof(r->tail) - 1] = data[i];
	}
	r->body += len;
	if (r->chunked)
		r->complete = memcmp(r->tail, "0\r\n\r\n", sizeof(r->tail)) == 0;
	else
		r->complete = r->length >= 0 && r->body >= (uint64_t)r->length;
	r->complete |= r->body >= HTTP_BODY_MAX || r->status == 204 || r->status == 304;
}

int http_reply_add(struct http_reply *r, const char *data, size_t len)
{
	while (len && !r->head_over) {
		char c = *data++;

		len--;
		/* A text from here on; and a NUL is no part of a head. */
		if (!c)
			return -EPROTO;
		r->head[r->head_len++] = c;
		if (r->head_len == HTTP_HEAD_MAX ||
		    (c == '\n' && r->head_len >= 4 &&
		     (memcmp(r->head + r->head_len - 4, "\r\n\r\n", 4) == 0 ||
		      r->head[r->head_len - 2] == '\n'))) {
			if (http_head(r) < 0)
				return -EPROTO;
		}
	}
	if (r->head_over)
		http_body(r, data, len);
	return 0;
}

/* "10.1.2.3", of which host has the port behind it */
static bool http_same_host(const char *name, size_t len, const char *host)
{
	return len == strcspn(host, ":") && strncasecmp(name, host, len) == 0;
}

bool http_redirect(const char *location, const char *host, char *path, uint16_t *port)
{
	const char *rest = location, *name;
	uint64_t number = 80;
	char digits[8];
	size_t len;

	if (strncasecmp(rest, "http://", 7) == 0 || strncmp(rest, "//", 2) == 0) {
		name = strstr(rest, "//") + 2;
		len = strcspn(name, ":/?#");
		if (!http_same_host(name, len, host))
			return false;
		rest = name + len;
		if (*rest == ':') {
			len = strcspn(++rest, "/?#");
			if (len >= sizeof(digits))
				return false;
			memcpy(digits, rest, len);
			digits[len] = '\0';
			if (str_u64(digits, UINT16_MAX, &number) < 0 || !number)
				return false;
			rest += len;
		}
	} else if (*rest == '/') {
		number = *port;
	} else {
		return false; /* https, another scheme, or relative to a folder */
	}
	len = strcspn(rest, "#");
	if (len > GUEST_PATH_LEN_MAX)
		return false;
	memcpy(path, rest, len);
	path[len] = '\0';
	*port = (uint16_t)number;
	return true;
}
