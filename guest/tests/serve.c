// SPDX-License-Identifier: Apache-2.0
/*
 * The server that probes of the tests find: serve {PORT ANSWER}...
 * Each answer is sent whatever is asked, "|" standing for the end of a line; "" is never sent.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVE_PORTS_MAX 16

static int listen_on(const char *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 64) < 0) {
		perror(port);
		exit(1);
	}
	return fd;
}

static void answer(int fd, const char *port, const char *text)
{
	char request[4096], out[1024];
	ssize_t n = recv(fd, request, sizeof(request) - 1, 0);
	size_t len = 0;

	if (n > 0) {
		request[n] = '\0';
		request[strcspn(request, "\r\n")] = '\0';
		printf("%s %s\n", port, request);
		for (; *text && len + 2 < sizeof(out); text++) {
			if (*text == '|')
				out[len++] = '\r';
			out[len++] = *text == '|' ? '\n' : *text;
		}
		if (!len) /* let the other side wait */
			recv(fd, request, 1, MSG_WAITALL);
		send(fd, out, len, MSG_NOSIGNAL);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	struct pollfd fds[SERVE_PORTS_MAX];
	nfds_t count = 0;

	if (argc < 3) {
		puts("serve {PORT ANSWER}...");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i + 1 < argc && count < SERVE_PORTS_MAX; i += 2)
		fds[count++] = (struct pollfd){.fd = listen_on(argv[i]), .events = POLLIN};
	for (;;) {
		if (poll(fds, count, -1) < 0)
			return 1;
		for (nfds_t i = 0; i < count; i++)
			if (fds[i].revents & POLLIN)
				answer(accept(fds[i].fd, NULL, NULL), argv[1 + 2 * i],
				       argv[2 + 2 * i]);
	}
}
