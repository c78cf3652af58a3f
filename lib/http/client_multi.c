// SPDX-License-Identifier: Apache-2.0
/*
 * libcurl tells which sockets it wants watched and when it wants to be woken; both become a watch and a
 * timer of our loop. What a wake-up means is the owner's business.
 */
#include "http/client_multi.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

/* A socket of libcurl's that it wants watched */
struct multi_sock {
	struct watch watch;
	struct http_multi *multi;
	struct list node;
};

int http_curl_init(void)
{
	static bool ready;

	if (!ready && curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		return -ENOMEM;
	ready = true;
	return 0;
}

static void multi_on_timer(struct timer *t)
{
	struct http_multi *m = container_of(t, struct http_multi, timer);

	m->act(m, CURL_SOCKET_TIMEOUT, 0);
}

static int multi_set_timer(CURLM *handle, long timeout_ms, void *arg)
{
	struct http_multi *m = arg;

	(void)handle;
	if (timeout_ms < 0)
		timer_cancel(&m->timer);
	else
		timer_set(&m->timer, (uint64_t)timeout_ms);
	return 0;
}

static void sock_ready(struct watch *w, uint32_t events)
{
	struct http_multi *m = container_of(w, struct multi_sock, watch)->multi;

	m->act(m, w->fd,
	       (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
		       (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		       (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0));
}

static void sock_free(struct multi_sock *s)
{
	watch_del(&s->watch);
	list_del(&s->node);
	free(s);
}

static int multi_set_sock(CURL *easy, curl_socket_t fd, int what, void *arg, void *sock)
{
	struct http_multi *m = arg;
	struct multi_sock *s = sock;
	uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0) |
			  (what & CURL_POLL_OUT ? EPOLLOUT : 0);

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (!s)
			return 0;
		curl_multi_assign(m->handle, fd, NULL);
		sock_free(s);
		return 0;
	}
	if (s)
		return watch_mod(&s->watch, events) < 0 ? -1 : 0;
	s = mem_alloc(sizeof(*s));
	s->multi = m;
	list_init(&s->node);
	list_add(&m->socks, &s->node);
	curl_multi_assign(m->handle, fd, s);
	return watch_add(m->loop, &s->watch, fd, events, sock_ready) < 0 ? -1 : 0;
}

int http_multi_init(struct http_multi *m, struct loop *loop,
		    void (*act)(struct http_multi *m, int fd, int events))
{
	m->handle = http_curl_init() < 0 ? NULL : curl_multi_init();
	if (!m->handle)
		return -ENOMEM;
	m->loop = loop;
	m->act = act;
	list_init(&m->socks);
	timer_init(loop, &m->timer, multi_on_timer);
	curl_multi_setopt(m->handle, CURLMOPT_SOCKETFUNCTION, multi_set_sock);
	curl_multi_setopt(m->handle, CURLMOPT_SOCKETDATA, m);
	curl_multi_setopt(m->handle, CURLMOPT_TIMERFUNCTION, multi_set_timer);
	curl_multi_setopt(m->handle, CURLMOPT_TIMERDATA, m);
	return 0;
}

void http_multi_done(struct http_multi *m)
{
	struct multi_sock *s, *next;

	if (!m->handle)
		return;
	curl_multi_cleanup(m->handle);
	list_for_each_safe(s, next, &m->socks, node)
		sock_free(s);
	timer_cancel(&m->timer);
	m->handle = NULL;
}
