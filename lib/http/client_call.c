// SPDX-License-Identifier: Apache-2.0
/*
 * One transfer through libcurl's easy interface: what is asked for becomes options of a handle, what
 * comes back goes line by line into the reply and piece by piece to the user.
 *
 * libcurl is told nothing by the environment or by default: no proxy, no redirect unless asked for, no
 * protocol but http and https, TLS 1.2 at least, one CA. It may hand over the heads of several answers
 * (interim ones, redirects); the user hears of the last alone. Errors name method and URL without its
 * query and userinfo, which may hold secrets.
 *
 * A callback that refuses to go on leaves its reason in abort_code, since libcurl only learns that
 * fewer bytes were taken than given.
 */
#include "http/client_call.h"

#include <assert.h>
#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "http/client_reply.h"

#define HTTP_CA_BUNDLE		"/etc/ssl/certs/ca-certificates.crt"
#define HTTP_TIMEOUT_DEFAULT_MS 30000
#define HTTP_REDIRECTS_MAX	5L

static_assert(HTTP_ERROR_MAX >= CURL_ERROR_SIZE, "libcurl writes that much");

static const struct {
	CURLcode curl;
	int code;
} http_codes[] = {
	{CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH},
	{CURLE_COULDNT_CONNECT, -ECONNREFUSED},
	{CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT},
	{CURLE_PEER_FAILED_VERIFICATION, -EKEYREJECTED},
	{CURLE_SSL_CACERT_BADFILE, -ENOENT},
	{CURLE_SSL_CONNECT_ERROR, -EPROTO},
	{CURLE_SSL_CERTPROBLEM, -EKEYREJECTED},
	{CURLE_GOT_NOTHING, -ECONNRESET},
	{CURLE_RECV_ERROR, -ECONNRESET},
	{CURLE_SEND_ERROR, -ECONNRESET},
	{CURLE_PARTIAL_FILE, -ECONNRESET},
	{CURLE_OUT_OF_MEMORY, -ENOMEM},
	{CURLE_TOO_MANY_REDIRECTS, -ELOOP},
	{CURLE_URL_MALFORMAT, -EINVAL},
	{CURLE_UNSUPPORTED_PROTOCOL, -EPROTONOSUPPORT},
};

static int http_code(CURLcode result)
{
	for (size_t i = 0; i < ARRAY_SIZE(http_codes); i++)
		if (http_codes[i].curl == result)
			return http_codes[i].code;
	return -EIO;
}

static bool status_is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* The blank line behind a head: tells the user unless another head will follow */
static void call_head_end(struct http_call *call)
{
	struct http_reply *reply = &call->reply;

	if (reply->status < 200)
		return;
	if (call->follow && status_is_redirect(reply->status) && *reply->location)
		return;
	call->head_done = true;
	if (call->ops.on_head && !call->cancelled)
		call->ops.on_head(call, reply, call->arg);
}

/* libcurl gives one whole line a call, with its line end */
static size_t call_on_header(char *data, size_t size, size_t count, void *arg)
{
	struct http_call *call = arg;
	size_t len = size * count;

	/* What comes after the head are trailers. */
	if (!call->head_done && http_reply_line(&call->reply, data, len))
		call_head_end(call);
	return call->cancelled ? 0 : len;
}

static size_t call_on_data(char *data, size_t size, size_t count, void *arg)
{
	struct http_call *call = arg;
	size_t len = size * count;
	int r;

	if (call->cancelled)
		return 0;
	if (call->ops.on_data)
		r = call->ops.on_data(call, data, len, call->arg);
	else
		r = buf_append(&call->reply.body, data, len);
	if (r < 0) {
		call->abort_code = r;
		return 0;
	}
	return call->cancelled ? 0 : len;
}

static int call_set_headers(struct http_call *call, const struct http_call_spec *spec,
			    struct err *e)
{
	bool typed = !spec->body;
	void *more;

	/* An empty value removes what libcurl would send of its own accord. */
	call->headers = curl_slist_append(NULL, "Expect:");
	for (const struct http_header *h = spec->headers; call->headers && h && h->name; h++) {
		_cleanup_free_ char *line = mem_printf("%s: %s", h->name, h->value);

		if (strpbrk(line, "\r\n"))
			return err_set(e, -EINVAL, "header %s: line break inside", h->name);
		typed = typed || strcasecmp(h->name, "content-type") == 0;
		more = curl_slist_append(call->headers, line);
		if (!more)
			return err_set(e, -ENOMEM, "header %s", h->name);
		call->headers = more;
	}
	if (call->headers && !typed) {
		more = curl_slist_append(call->headers, "Content-Type:");
		call->headers = more ? more : call->headers;
	}
	return call->headers ? 0 : err_set(e, -ENOMEM, "headers");
}

/* Checks method and URL; what errors name is the URL without query, which may hold secrets */
static int call_set_label(struct http_call *call, const struct http_call_spec *spec, struct err *e)
{
	CURLU *url;
	char *text = NULL;
	bool good;

	for (const char *m = spec->method; *m; m++)
		if (!isupper((unsigned char)*m))
			return err_set(e, -EINVAL, "bad HTTP method");
	url = curl_url();
	good = url && curl_url_set(url, CURLUPART_URL, spec->url, 0) == CURLUE_OK;
	if (good) {
		curl_url_set(url, CURLUPART_QUERY, NULL, 0);
		curl_url_set(url, CURLUPART_USER, NULL, 0);
		curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
		good = curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK &&
		       (str_starts(text, "http://") || str_starts(text, "https://"));
	}
	if (good)
		snprintf(call->label, sizeof(call->label), "%s %s", spec->method, text);
	curl_free(text);
	curl_url_cleanup(url);
	return good ? 0 : err_set(e, -EINVAL, "bad URL");
}

static void call_set_body(struct http_call *call, const struct http_call_spec *spec)
{
	CURL *h = call->easy;
	bool posts = spec->body || str_eq(spec->method, "POST") || str_eq(spec->method, "PUT") ||
		     str_eq(spec->method, "PATCH");

	if (posts) {
		call->body = mem_alloc(spec->body_len + 1);
		if (spec->body && spec->body_len)
			memcpy(call->body, spec->body, spec->body_len);
		curl_easy_setopt(h, CURLOPT_POST, 1L);
		curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)spec->body_len);
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, call->body);
	}
	if (str_eq(spec->method, "HEAD"))
		curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, spec->method);
}

void http_call_set_tls(void *easy, const struct http_origin *o)
{
	struct curl_blob blob = {.flags = CURL_BLOB_COPY};
	CURL *h = easy;

	curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (o->ca_pem) {
		blob.data = o->ca_pem;
		blob.len = strlen(o->ca_pem);
		curl_easy_setopt(h, CURLOPT_CAINFO_BLOB, &blob);
	} else {
		curl_easy_setopt(h, CURLOPT_CAINFO, HTTP_CA_BUNDLE);
	}
	if (!o->cert_pem || !o->key_pem)
		return;
	blob.data = o->cert_pem;
	blob.len = strlen(o->cert_pem);
	curl_easy_setopt(h, CURLOPT_SSLCERT_BLOB, &blob);
	/* libcurl hands the key to mbedTLS as it is, which wants the NUL behind PEM counted. */
	blob.data = o->key_pem;
	blob.len = strlen(o->key_pem) + 1;
	curl_easy_setopt(h, CURLOPT_SSLKEY_BLOB, &blob);
}

static void call_set_limits(struct http_call *call, const struct http_call_spec *spec)
{
	long timeout_ms = spec->timeout_ms ? spec->timeout_ms : HTTP_TIMEOUT_DEFAULT_MS;
	CURL *h = call->easy;

	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, MAX(timeout_ms, 0L));
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, call->origin->connect_timeout_ms);
	curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, spec->stall_s > 0 ? 1L : 0L);
	curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, (long)MAX(spec->stall_s, 0));
	curl_easy_setopt(h, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(h, CURLOPT_TCP_KEEPIDLE, 30L);
	curl_easy_setopt(h, CURLOPT_TCP_KEEPINTVL, 10L);
	curl_easy_setopt(h, CURLOPT_TCP_KEEPCNT, 3L);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	call->follow = spec->follow_redirects;
	if (!call->follow)
		return;
	curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(h, CURLOPT_MAXREDIRS, HTTP_REDIRECTS_MAX);
	curl_easy_setopt(h, CURLOPT_REDIR_PROTOCOLS_STR,
			 strncasecmp(spec->url, "https:", 6) == 0 ? "https" : "http,https");
}

int http_call_prepare(struct http_call *call, const struct http_call_spec *spec,
		      const struct http_call_ops *ops, void *arg, struct err *e)
{
	CURL *h = call->easy;
	int r;

	http_reply_init(&call->reply, spec->reply_cap);
	call->reply.body.secret = spec->secret;
	list_init(&call->node);
	call->ops = ops ? *ops : (struct http_call_ops){0};
	call->arg = arg;
	r = call_set_label(call, spec, e);
	if (r == 0)
		r = call_set_headers(call, spec, e);
	if (r < 0)
		return err_wrap(e, r, "%s", spec->url);
	curl_easy_setopt(h, CURLOPT_URL, spec->url);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(h, CURLOPT_PRIVATE, call);
	curl_easy_setopt(h, CURLOPT_ERRORBUFFER, call->error);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, call->headers);
	curl_easy_setopt(h, CURLOPT_USERAGENT, call->origin->user_agent);
	curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, call_on_header);
	curl_easy_setopt(h, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, call_on_data);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, call);
	call_set_body(call, spec);
	http_call_set_tls(call->easy, call->origin);
	call_set_limits(call, spec);
	return 0;
}

int http_call_outcome(const struct http_call *call, struct err *e)
{
	if (call->result == CURLE_OK)
		return 0;
	if (call->abort_code == -E2BIG && !call->ops.on_data)
		return err_set(e, -E2BIG, "%s: the answer is larger than %zu bytes", call->label,
			       call->reply.body.cap);
	if (call->abort_code)
		return err_sys(e, call->abort_code, "%s", call->label);
	return err_set(e, http_code((CURLcode)call->result), "%s: %s", call->label,
		       call->error[0] ? call->error : curl_easy_strerror((CURLcode)call->result));
}

void http_call_done(struct http_call *call)
{
	curl_slist_free_all(call->headers);
	free(call->body);
}
