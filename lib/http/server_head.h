/* SPDX-License-Identifier: Apache-2.0 */
/* A request's head: parsed, checked and decoded. Private to the server. */
#ifndef HTTP_SERVER_HEAD_H
#define HTTP_SERVER_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HTTP_HEAD_MAX	      ((size_t)32 << 10) /* bytes of a head */
#define HTTP_HEAD_HEADERS_MAX 64
#define HTTP_HEAD_PARAMS_MAX  544 /* an exec has its arguments there */

struct http_pair {
	const char *name, *value;
};

struct http_head {
	const char *method, *path, *query;
	struct http_pair headers[HTTP_HEAD_HEADERS_MAX]; /* names in lower case */
	struct http_pair params[HTTP_HEAD_PARAMS_MAX]; /* of the query, decoded */
	size_t header_count, param_count;
	bool http11; /* else 1.0 */
	bool keep_alive;
	bool chunked; /* the body's coding; else content_length bytes follow */
	bool expects_continue;
	uint64_t content_length;
	/* what the strings point into */
	char *text_, *path_, *query_;
};

/**
 * http_head_parse() - Read a head from the start of what has come in
 * @seen: how much of @data was there at the last try that ended in -EAGAIN; 0 at first
 * @head: filled in on success; http_head_done()
 * @used: set on success to the head's length
 *
 * Return: 0; -EAGAIN when more must come; else the status to answer with (400, 413, 431, 501, 505), and
 *         the connection cannot be used further.
 * Source: RFC 9112 §2 to §7, RFC 9110 §8.6, §10.1.1; RFC 3986 §2.1.
 */
int http_head_parse(const char *data, size_t len, size_t seen, struct http_head *head,
		    size_t *used);

/** http_head_done() - Release; a zeroed one is fine */
void http_head_done(struct http_head *head);

/** http_head_header() - The value of a header (lower-case name), or NULL */
const char *http_head_header(const struct http_head *head, const char *name);

/** http_head_header_nth() - The same of the @n-th such header, from 0 */
const char *http_head_header_nth(const struct http_head *head, const char *name, size_t n);

/* The chunked coding (RFC 9112 §7.1); all zero at first */
struct http_chunks {
	size_t left_;
	char opaque_[8];
};

/**
 * http_chunks_decode() - Decode in place what came in
 * @len: set to the number of decoded bytes; what follows the last chunk lies right behind them
 * Return: -EAGAIN when more must come; -EBADMSG; else the number of bytes behind the body.
 */
ssize_t http_chunks_decode(struct http_chunks *chunks, char *data, size_t *len);

#endif
