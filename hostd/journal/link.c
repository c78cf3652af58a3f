// SPDX-License-Identifier: Apache-2.0
#include "journal/link.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "journal/rfc5424.h"

#define LINK_WAIT_MS	 20000
#define LINK_DEAD_MS	 30000 /* without an acknowledgement */
#define LINK_KEEPALIVE_S 60

int link_wait(const struct link *l, bool to_write)
{
	struct pollfd p = {.fd = l->fd, .events = to_write ? POLLOUT : POLLIN};
	int r;

	do
		r = poll(&p, 1, LINK_WAIT_MS);
	while (r < 0 && errno == EINTR);
	return r > 0 ? 0 : r < 0 ? -errno : -ETIMEDOUT;
}

int link_write(struct link *l, const void *data, size_t len)
{
	ssize_t n;
	int r;

	for (;;) {
		n = send(l->fd, data, len, MSG_NOSIGNAL);
		if (n >= 0) {
			l->sent_bytes += (uint64_t)n;
			return (int)n;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		r = link_wait(l, true);
		if (r < 0)
			return r;
	}
}

static int link_connected(struct link *l)
{
	socklen_t size = sizeof(int);
	int error = 0, r = link_wait(l, true);

	if (r == 0 && getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		r = -errno;
	return r < 0 ? r : -error;
}

static int link_try(struct link *l, const struct addrinfo *a)
{
	unsigned int dead_ms = LINK_DEAD_MS;
	int on = 1, idle_s = LINK_KEEPALIVE_S, r;

	l->fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
	if (l->fd < 0)
		return -errno;
	if (a->ai_socktype == SOCK_STREAM) {
		(void)setsockopt(l->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
		(void)setsockopt(l->fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
		(void)setsockopt(l->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_ms, sizeof(dead_ms));
	}
	r = connect(l->fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : -errno;
	if (r == -EINPROGRESS)
		r = link_connected(l);
	if (r < 0)
		l->fd = fd_close(l->fd);
	return r;
}

int link_open(struct link *l, const struct link_target *target, struct err *e)
{
	const struct addrinfo hints = {.ai_socktype = target->protocol == LINK_UDP ? SOCK_DGRAM
										   : SOCK_STREAM};
	struct addrinfo *list = NULL;
	int r;

	*l = (struct link){.protocol = target->protocol, .fd = -1};
	r = getaddrinfo(target->host, target->port, &hints, &list);
	if (r != 0)
		return err_set(e, -EHOSTUNREACH, "%s: %s", target->host, gai_strerror(r));
	r = -EHOSTUNREACH;
	for (const struct addrinfo *a = list; a && l->fd < 0; a = a->ai_next)
		r = link_try(l, a);
	freeaddrinfo(list);
	if (r < 0)
		return err_sys(e, r, "%s port %s", target->host, target->port);
	if (target->protocol == LINK_TLS) {
		r = link_tls_open(l, target, e);
		if (r < 0)
			link_close(l);
	}
	return r;
}

void link_close(struct link *l)
{
	link_tls_close(l);
	l->fd = fd_close(l->fd);
}

int link_send(struct link *l, const char *message, size_t len)
{
	char frame[RFC5424_MAX + 16];
	size_t head = l->protocol == LINK_UDP ? 0 : rfc5424_frame(len, frame), done = 0;
	int r = 0;

	if (len > RFC5424_MAX)
		return -EMSGSIZE;
	memcpy(frame + head, message, len);
	len += head;
	if (l->tls)
		return link_tls_send(l, frame, len);
	while (r >= 0 && done < len) {
		r = link_write(l, frame + done, len - done);
		done += (size_t)MAX(r, 0);
	}
	return l->protocol == LINK_UDP || r >= 0 ? 0
						 : r; /* nobody knows whether a datagram arrives */
}

bool link_alive(struct link *l)
{
	char data[512];
	ssize_t n;

	if (l->protocol == LINK_UDP)
		return true;
	if (l->tls)
		return link_tls_drain(l) == 0;
	while ((n = recv(l->fd, data, sizeof(data), MSG_DONTWAIT)) > 0)
		;
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

uint64_t link_acked(const struct link *l)
{
	/* tcpi_bytes_acked of Linux' struct tcp_info, which libcs have shorter (RFC 4898 tcpEStatsAppHCThruOctetsAcked) */
	const size_t at = 120;
	char info[256];
	socklen_t size = sizeof(info);
	uint64_t acked;

	if (l->protocol == LINK_UDP || l->fd < 0)
		return l->sent_bytes;
	if (getsockopt(l->fd, IPPROTO_TCP, TCP_INFO, info, &size) < 0 || size < at + sizeof(acked))
		return l->sent_bytes;
	memcpy(&acked, info + at, sizeof(acked));
	return acked ? acked - 1 : 0; /* it counts the SYN */
}
