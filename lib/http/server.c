// SPDX-License-Identifier: Apache-2.0
/*
 * The listening socket. Connections are counted: at the limit the longest idle one makes room, and if
 * none is idle the socket is not watched for a while or until one goes: the kernel's backlog holds the
 * rest.
 */
#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/mem.h"
#include "server_conn.h"

#define SERVER_BODY_CAP_DEFAULT	  ((size_t)1 << 20)
#define SERVER_STREAM_CAP_DEFAULT ((size_t)1 << 20)
#define SERVER_CONN_MAX_DEFAULT	  1024
#define SERVER_IDLE_DEFAULT_S	  60
#define SERVER_BACKLOG		  1024
#define SERVER_ACCEPT_BATCH	  16
#define SERVER_RESUME_MS	  200

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int address_parse(union address *a, socklen_t *len, const char *text, uint16_t port)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, text, &a->v4.sin_addr) == 1) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(port);
		*len = sizeof(a->v4);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &a->v6.sin6_addr) == 1) {
		a->v6.sin6_family = AF_INET6;
		a->v6.sin6_port = htons(port);
		*len = sizeof(a->v6);
		return 0;
	}
	return -EINVAL;
}

static void address_print(const union address *a, char *text)
{
	const uint8_t *v4 = a->v6.sin6_addr.s6_addr + 12;

	*text = '\0';
	if (a->any.sa_family == AF_INET)
		inet_ntop(AF_INET, &a->v4.sin_addr, text, INET6_ADDRSTRLEN);
	else if (a->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr))
		inet_ntop(AF_INET, v4, text, INET6_ADDRSTRLEN);
	else if (a->any.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &a->v6.sin6_addr, text, INET6_ADDRSTRLEN);
}

static int server_listen(const struct http_server_config *config, struct err *e)
{
	_cleanup_fd_ int fd = -1;
	union address a;
	socklen_t len;
	int one = 1;

	if (config->listen_fd >= 0)
		return config->listen_fd;
	if (!config->address || address_parse(&a, &len, config->address, config->port) < 0)
		return err_set(e, -EINVAL, "listen on %s: not a numeric address",
			       config->address ? config->address : "(none)");
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, &a.any, len) < 0 || listen(fd, SERVER_BACKLOG) < 0)
		return err_sys(e, -errno, "listen on %s port %u", config->address, config->port);
	return take_fd(&fd);
}

static void server_pause(struct http_server *s)
{
	s->full = true;
	watch_mod(&s->listen, 0);
}

void server_conn_gone(struct http_server *server)
{
	if (!server->full)
		return;
	server->full = false;
	watch_mod(&server->listen, EPOLLIN);
}

static void server_resume(struct timer *t)
{
	server_conn_gone(container_of(t, struct http_server, resume));
}

static bool server_make_room(struct http_server *s)
{
	struct http_conn *conn;

	if (s->conn_count < s->conn_max)
		return true;
	list_for_each(conn, &s->conns, node)
		if (conn_is_idle(conn)) {
			conn_close(conn);
			return true;
		}
	return false;
}

/* One connection an event: the listening socket stays readable while more wait */
static void server_accept(struct watch *w, uint32_t events)
{
	struct http_server *s = container_of(w, struct http_server, listen);
	char text[INET6_ADDRSTRLEN];
	union address a = {.any.sa_family = AF_UNSPEC};
	socklen_t len = sizeof(a);
	int fd = -1;

	(void)events;
	if (server_make_room(s)) {
		fd = accept4(w->fd, &a.any, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		/* Without descriptors or memory, trying again at once would spin. */
		if (fd < 0 && errno != EMFILE && errno != ENFILE && errno != ENOBUFS &&
		    errno != ENOMEM)
			return;
	}
	if (fd < 0) {
		server_pause(s);
		timer_set(&s->resume, SERVER_RESUME_MS);
		return;
	}
	address_print(&a, text);
	conn_new(s, fd, text);
}

int http_server_new(struct loop *loop, const struct http_server_config *config,
		    const struct http_server_ops *ops, void *arg, struct http_server **server,
		    struct err *e)
{
	struct http_server *s = mem_alloc(sizeof(*s));
	int fd, r = 0;

	s->loop = loop;
	s->ops = *ops;
	s->arg = arg;
	s->conn_max = config->connections_max ? config->connections_max : SERVER_CONN_MAX_DEFAULT;
	s->body_cap = config->body_cap ? config->body_cap : SERVER_BODY_CAP_DEFAULT;
	s->stream_cap = config->stream_cap ? config->stream_cap : SERVER_STREAM_CAP_DEFAULT;
	s->idle_ms = 1000 * (uint64_t)(config->idle_timeout_s > 0 ? config->idle_timeout_s
								  : SERVER_IDLE_DEFAULT_S);
	list_init(&s->conns);
	timer_init(loop, &s->resume, server_resume);
	if (config->cert_pem)
		r = tls_server_new(config, &s->tls, e);
	fd = r < 0 ? r : server_listen(config, e);
	if (fd >= 0) {
		fd_nonblock(fd);
		r = watch_add(loop, &s->listen, fd, EPOLLIN, server_accept);
		if (r < 0) {
			err_sys(e, r, "watch the listening socket");
			fd_close(fd);
		}
	} else {
		r = fd;
	}
	if (r < 0) {
		tls_server_free(s->tls);
		free(s);
		return r;
	}
	*server = s;
	return 0;
}

struct http_server *http_server_free(struct http_server *server)
{
	if (!server)
		return NULL;
	while (!list_empty(&server->conns))
		conn_close(list_entry(server->conns.next, struct http_conn, node));
	watch_del(&server->listen);
	fd_close(server->listen.fd);
	timer_cancel(&server->resume);
	tls_server_free(server->tls);
	free(server);
	return NULL;
}

uint16_t http_server_port(const struct http_server *server)
{
	union address a = {.any.sa_family = AF_UNSPEC};
	socklen_t len = sizeof(a);

	if (getsockname(server->listen.fd, &a.any, &len) < 0)
		return 0;
	return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}
