// SPDX-License-Identifier: Apache-2.0
/*
 * libcurl on the event loop, the only file that knows libcurl.
 *
 * libcurl tells which sockets it wants watched and when it wants to be woken; both become a watch and
 * a timer of our loop, and every wake-up ends in curl_multi_socket_action(). libcurl forbids to add or
 * remove transfers from inside its callbacks, and our users may do anything from theirs. So nothing is
 * removed on the spot: while `depth` is above zero, cancelling only marks a call, and client_leave()
 * ends all that are marked or finished once libcurl's frames are gone. A new call is added from a
 * deferred function for the same reason.
 *
 * Names are resolved by libcurl's resolver thread, which touches nothing of ours; numeric addresses
 * need none.
 */
#include "http/client.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "http/client_reply.h"

#define HTTP_CA_BUNDLE			"/etc/ssl/certs/ca-certificates.crt"
#define HTTP_REPLY_CAP_DEFAULT		((size_t)1 << 20)
#define HTTP_TIMEOUT_DEFAULT_MS		30000
#define HTTP_CONNECT_TIMEOUT_DEFAULT_MS 10000
#define HTTP_REDIRECTS_MAX		5L
#define HTTP_DOWNLOAD_BUFFER		((long)64 << 10)
#define HTTP_LABEL_MAX			160

struct http_client {
	struct loop *loop;
	CURLM *multi;
	CURL *blocking; /* kept over calls for its connections */
	char *user_agent, *ca_pem, *cert_pem, *key_pem;
	long connect_timeout_ms;
	struct timer timer;
	struct defer start;
	struct list calls, socks;
	int depth; /* frames of ours or libcurl's that hold calls */
	bool dead; /* freed while depth was above zero */
};

/* A socket of libcurl's that it wants watched */
struct http_sock {
	struct watch watch;
	struct http_client *client;
	struct list node;
};

struct http_call {
	struct list node; /* in client->calls */
	struct http_client *client;
	CURL *easy;
	struct curl_slist *headers;
	char *body;
	struct http_call_ops ops;
	void *arg;
	struct http_reply reply;
	bool follow, added, head_done, cancelled, finished;
	int abort_code;
	CURLcode result;
	char label[HTTP_LABEL_MAX]; /* method and URL without its query */
	char error[CURL_ERROR_SIZE];
};

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

/*
 * One transfer
 */

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
	struct curl_slist *more;

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

static void call_set_tls(struct http_call *call)
{
	const struct http_client *c = call->client;
	struct curl_blob blob = {.flags = CURL_BLOB_COPY};
	CURL *h = call->easy;

	curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (c->ca_pem) {
		blob.data = c->ca_pem;
		blob.len = strlen(c->ca_pem);
		curl_easy_setopt(h, CURLOPT_CAINFO_BLOB, &blob);
	} else {
		curl_easy_setopt(h, CURLOPT_CAINFO, HTTP_CA_BUNDLE);
	}
	if (!c->cert_pem || !c->key_pem)
		return;
	blob.data = c->cert_pem;
	blob.len = strlen(c->cert_pem);
	curl_easy_setopt(h, CURLOPT_SSLCERT_BLOB, &blob);
	/* libcurl hands the key to mbedTLS as it is, which wants the NUL behind PEM counted. */
	blob.data = c->key_pem;
	blob.len = strlen(c->key_pem) + 1;
	curl_easy_setopt(h, CURLOPT_SSLKEY_BLOB, &blob);
}

static void call_set_limits(struct http_call *call, const struct http_call_spec *spec)
{
	long timeout_ms = spec->timeout_ms ? spec->timeout_ms : HTTP_TIMEOUT_DEFAULT_MS;
	CURL *h = call->easy;

	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, MAX(timeout_ms, 0L));
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, call->client->connect_timeout_ms);
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

/* @call: zeroed, easy set */
static int call_prepare(struct http_call *call, const struct http_call_spec *spec,
			const struct http_call_ops *ops, void *arg, struct err *e)
{
	CURL *h = call->easy;
	int r;

	http_reply_init(&call->reply, spec->reply_cap);
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
	curl_easy_setopt(h, CURLOPT_USERAGENT, call->client->user_agent);
	curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, call_on_header);
	curl_easy_setopt(h, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, call_on_data);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, call);
	call_set_body(call, spec);
	call_set_tls(call);
	call_set_limits(call, spec);
	return 0;
}

/* Return: 0 when a complete answer came, else -errno with the reason */
static int call_outcome(const struct http_call *call, struct err *e)
{
	if (call->result == CURLE_OK)
		return 0;
	if (call->abort_code == -E2BIG && !call->ops.on_data)
		return err_set(e, -E2BIG, "%s: the answer is larger than %zu bytes", call->label,
			       call->reply.body.cap);
	if (call->abort_code)
		return err_sys(e, call->abort_code, "%s", call->label);
	return err_set(e, http_code(call->result), "%s: %s", call->label,
		       call->error[0] ? call->error : curl_easy_strerror(call->result));
}

static void call_done(struct http_call *call)
{
	curl_slist_free_all(call->headers);
	free(call->body);
}

static void call_free(struct http_call *call)
{
	curl_easy_cleanup(call->easy);
	call_done(call);
	http_reply_done(&call->reply);
#ifndef __clang_analyzer__ /* it does not see that the call was taken out of the list before */
	free(call);
#endif
}

/*
 * The client
 */

static void client_destroy(struct http_client *c)
{
	struct http_sock *s, *tmp;

	defer_cancel(&c->start);
	if (c->multi)
		curl_multi_cleanup(c->multi);
	curl_easy_cleanup(c->blocking);
	list_for_each_safe(s, tmp, &c->socks, node) {
		watch_del(&s->watch);
		free(s);
	}
	timer_cancel(&c->timer);
	free(c->user_agent);
	free(c->ca_pem);
	free(c->cert_pem);
	if (c->key_pem)
		mem_wipe(c->key_pem, strlen(c->key_pem));
	free(c->key_pem);
	free(c);
}

static void client_enter(struct http_client *c)
{
	c->depth++;
}

static struct http_call *client_next_ended(struct http_client *c)
{
	struct http_call *call;

	list_for_each(call, &c->calls, node)
		if (call->cancelled || call->finished)
			return call;
	return NULL;
}

static void client_end(struct http_client *c, struct http_call *call)
{
	struct err e = ERR_INIT;

	if (call->added)
		curl_multi_remove_handle(c->multi, call->easy);
	if (!call->cancelled && call->ops.on_done) {
		int r = call_outcome(call, &e);

		call->ops.on_done(call, &call->reply, r < 0 ? &e : NULL, call->arg);
	}
	call_free(call);
}

/* The outermost frame ends every call that is marked; @c may be gone afterwards */
static void client_leave(struct http_client *c)
{
	struct http_call *call;

	while (c->depth == 1 && (call = client_next_ended(c))) {
		list_del(&call->node);
		client_end(c, call);
	}
	if (--c->depth == 0 && c->dead)
		client_destroy(c);
}

static void client_collect(struct http_client *c)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(c->multi, &left))) {
		char *private = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &private);
		((struct http_call *)(void *)private)->result = msg->data.result;
		((struct http_call *)(void *)private)->finished = true;
	}
}

static void client_act(struct http_client *c, curl_socket_t fd, int events)
{
	int running;

	client_enter(c);
	curl_multi_socket_action(c->multi, fd, events, &running);
	client_collect(c);
	client_leave(c);
}

static void client_on_timer(struct timer *t)
{
	client_act(container_of(t, struct http_client, timer), CURL_SOCKET_TIMEOUT, 0);
}

static int client_set_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct http_client *c = arg;

	(void)multi;
	if (timeout_ms < 0)
		timer_cancel(&c->timer);
	else
		timer_set(&c->timer, (uint64_t)timeout_ms);
	return 0;
}

static void sock_ready(struct watch *w, uint32_t events)
{
	struct http_sock *s = container_of(w, struct http_sock, watch);

	client_act(s->client, w->fd,
		   (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
			   (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
			   (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0));
}

static int client_set_sock(CURL *easy, curl_socket_t fd, int what, void *arg, void *sock)
{
	struct http_client *c = arg;
	struct http_sock *s = sock;
	uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0) |
			  (what & CURL_POLL_OUT ? EPOLLOUT : 0);

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (!s)
			return 0;
		curl_multi_assign(c->multi, fd, NULL);
		watch_del(&s->watch);
		list_del(&s->node);
		free(s);
		return 0;
	}
	if (s)
		return watch_mod(&s->watch, events) < 0 ? -1 : 0;
	s = mem_alloc(sizeof(*s));
	s->client = c;
	list_init(&s->node);
	list_add(&c->socks, &s->node);
	curl_multi_assign(c->multi, fd, s);
	return watch_add(c->loop, &s->watch, fd, events, sock_ready) < 0 ? -1 : 0;
}

/* Adds what http_call_start() queued */
static void client_start(struct defer *d)
{
	struct http_client *c = container_of(d, struct http_client, start);
	struct http_call *call;

	client_enter(c);
	list_for_each(call, &c->calls, node) {
		if (call->added)
			continue;
		call->added = true;
		if (curl_multi_add_handle(c->multi, call->easy) != CURLM_OK) {
			call->added = false;
			call->finished = true;
			call->result = CURLE_FAILED_INIT;
		}
	}
	client_leave(c);
}

static char *text_or_null(const char *s)
{
	return s ? mem_strdup(s) : NULL;
}

int http_client_new(struct loop *loop, const struct http_client_config *config,
		    struct http_client **client, struct err *e)
{
	static bool ready;
	struct http_client *c;

	if (!ready && curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		return err_set(e, -ENOMEM, "libcurl cannot start");
	ready = true;
	c = mem_alloc(sizeof(*c));
	c->loop = loop;
	list_init(&c->calls);
	list_init(&c->socks);
	c->user_agent = mem_strdup(config->user_agent ? config->user_agent : "hypermetal");
	c->ca_pem = text_or_null(config->ca_pem);
	c->cert_pem = text_or_null(config->cert_pem);
	c->key_pem = text_or_null(config->key_pem);
	c->connect_timeout_ms = config->connect_timeout_ms ? config->connect_timeout_ms
							   : HTTP_CONNECT_TIMEOUT_DEFAULT_MS;
	c->multi = loop ? curl_multi_init() : NULL;
	if (loop && !c->multi) {
		client_destroy(c);
		return err_set(e, -ENOMEM, "libcurl cannot start");
	}
	if (loop) {
		timer_init(loop, &c->timer, client_on_timer);
		curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, client_set_sock);
		curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
		curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, client_set_timer);
		curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	}
	*client = c;
	return 0;
}

struct http_client *http_client_free(struct http_client *client)
{
	struct http_call *call;

	if (!client || client->dead)
		return NULL;
	client_enter(client);
	list_for_each(call, &client->calls, node)
		call->cancelled = true;
	client->dead = true;
	client_leave(client);
	return NULL;
}

struct http_call *http_call_start(struct http_client *client, const struct http_call_spec *spec,
				  const struct http_call_ops *ops, void *arg, struct err *e)
{
	struct http_call *call = mem_alloc(sizeof(*call));

	call->client = client;
	call->easy = curl_easy_init();
	if (!call->easy || client->dead || !client->multi) {
		err_set(e, -EINVAL, "%s: this client cannot start calls", spec->url);
		call_free(call);
		return NULL;
	}
	if (call_prepare(call, spec, ops, arg, e) < 0) {
		call_free(call);
		return NULL;
	}
	list_add(&client->calls, &call->node);
	loop_defer(client->loop, &client->start, client_start);
	return call;
}

void http_call_cancel(struct http_call *call)
{
	struct http_client *c = call->client;

	client_enter(c);
	call->cancelled = true;
	client_leave(c);
}

void http_call_pause(struct http_call *call, bool pause)
{
	struct http_client *c = call->client;

	client_enter(c); /* going on may deliver at once */
	curl_easy_pause(call->easy, pause ? CURLPAUSE_RECV : CURLPAUSE_CONT);
	client_leave(c);
}

int http_client_do(struct http_client *client, const struct http_call_spec *spec,
		   const struct http_call_ops *ops, void *arg, struct http_reply *reply,
		   struct err *e)
{
	struct http_call call = {.client = client};
	int r;

	http_reply_init(reply, 0);
	if (!client->blocking)
		client->blocking = curl_easy_init();
	if (!client->blocking)
		return err_set(e, -ENOMEM, "%s", spec->url);
	curl_easy_reset(client->blocking);
	call.easy = client->blocking;
	r = call_prepare(&call, spec, ops, arg, e);
	if (r == 0) {
		curl_easy_setopt(call.easy, CURLOPT_BUFFERSIZE, HTTP_DOWNLOAD_BUFFER);
		call.result = curl_easy_perform(call.easy);
		r = call_outcome(&call, e);
	}
	/* The handle outlives what its options point to. */
	curl_easy_reset(client->blocking);
	call_done(&call);
	*reply = call.reply;
	return r;
}
