// SPDX-License-Identifier: Apache-2.0
/*
 * All transfers of a client on the event loop, through libcurl's multi interface.
 *
 * Every wake-up (client_multi.c) ends in curl_multi_socket_action(). libcurl forbids to add or remove
 * transfers from inside its callbacks, and our users may do anything from theirs. So nothing is
 * removed on the spot: while `depth` is above zero, cancelling only marks a call, and client_leave()
 * ends all that are marked or finished once libcurl's frames are gone. A new call is added from a
 * deferred function for the same reason.
 *
 * Names are resolved by libcurl's resolver thread, which touches nothing of ours; numeric addresses
 * need none.
 */
#include "http/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http/client_call.h"
#include "http/client_multi.h"
#include "http/client_reply.h"

#define HTTP_CONNECT_TIMEOUT_MS 10000
#define HTTP_DOWNLOAD_BUFFER	((long)64 << 10)

struct http_client {
	struct loop *loop;
	struct http_multi multi;
	CURL *blocking; /* kept over calls for its connections */
	struct http_origin origin;
	struct defer start;
	struct list calls;
	int depth; /* frames of ours or libcurl's that hold calls */
	bool dead; /* freed while depth was above zero */
};

static void call_free(struct http_call *call)
{
	curl_easy_cleanup(call->easy);
	http_call_done(call);
	http_reply_done(&call->reply);
#ifndef __clang_analyzer__ /* it does not see that the call was taken out of the list before */
	free(call);
#endif
}

static void client_destroy(struct http_client *c)
{
	defer_cancel(&c->start);
	http_multi_done(&c->multi);
	curl_easy_cleanup(c->blocking);
	free(c->origin.user_agent);
	free(c->origin.ca_pem);
	free(c->origin.cert_pem);
	mem_free_secret(c->origin.key_pem);
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
		curl_multi_remove_handle(c->multi.handle, call->easy);
	if (!call->cancelled && call->ops.on_done) {
		int r = http_call_outcome(call, &e);

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

	while ((msg = curl_multi_info_read(c->multi.handle, &left))) {
		char *private = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &private);
		((struct http_call *)(void *)private)->result = (int)msg->data.result;
		((struct http_call *)(void *)private)->finished = true;
	}
}

static void client_act(struct http_multi *m, int fd, int events)
{
	struct http_client *c = container_of(m, struct http_client, multi);
	int running;

	client_enter(c);
	curl_multi_socket_action(m->handle, fd, events, &running);
	client_collect(c);
	client_leave(c);
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
		if (curl_multi_add_handle(c->multi.handle, call->easy) != CURLM_OK) {
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
	struct http_client *c;

	if (http_curl_init() < 0)
		return err_set(e, -ENOMEM, "libcurl cannot start");
	c = mem_alloc(sizeof(*c));
	c->loop = loop;
	list_init(&c->calls);
	c->origin = (struct http_origin){
		.user_agent = mem_strdup(config->user_agent ? config->user_agent : "hypermetal"),
		.ca_pem = text_or_null(config->ca_pem),
		.cert_pem = text_or_null(config->cert_pem),
		.key_pem = text_or_null(config->key_pem),
		.connect_timeout_ms = config->connect_timeout_ms ? config->connect_timeout_ms
								 : HTTP_CONNECT_TIMEOUT_MS,
	};
	if (loop && http_multi_init(&c->multi, loop, client_act) < 0) {
		client_destroy(c);
		return err_set(e, -ENOMEM, "libcurl cannot start");
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
	call->origin = &client->origin;
	call->easy = curl_easy_init();
	if (!call->easy || client->dead || !client->multi.handle) {
		err_set(e, -EINVAL, "%s: this client cannot start calls", spec->url);
		call_free(call);
		return NULL;
	}
	if (http_call_prepare(call, spec, ops, arg, e) < 0) {
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
	struct http_call call = {.client = client, .origin = &client->origin};
	int r;

	http_reply_init(reply, 0);
	if (!client->blocking)
		client->blocking = curl_easy_init();
	if (!client->blocking)
		return err_set(e, -ENOMEM, "%s", spec->url);
	curl_easy_reset(client->blocking);
	call.easy = client->blocking;
	r = http_call_prepare(&call, spec, ops, arg, e);
	if (r == 0) {
		curl_easy_setopt(call.easy, CURLOPT_BUFFERSIZE, HTTP_DOWNLOAD_BUFFER);
		call.result = (int)curl_easy_perform(call.easy);
		r = http_call_outcome(&call, e);
	}
	/* The handle outlives what its options point to. */
	curl_easy_reset(client->blocking);
	http_call_done(&call);
	*reply = call.reply;
	return r;
}
