// SPDX-License-Identifier: Apache-2.0
#include "api/ask.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"

struct asker {
	struct watch control;
	struct list open;
	uint32_t last_id;
	void (*on_lost)(void *arg);
	void *arg;
};

static void asker_answer(struct asker *asker, const struct api_wire_answer *answer, int *fds,
			 size_t count)
{
	struct ask *a;

	list_for_each(a, &asker->open, node) {
		if (a->id != answer->id)
			continue;
		ask_cancel(a);
		a->answered(a, answer, fds, count);
		return;
	}
	/* Whoever asked has gone meanwhile. */
	for (size_t i = 0; i < count; i++)
		fd_close(fds[i]);
}

static void asker_ready(struct watch *w, uint32_t events)
{
	struct asker *asker = container_of(w, struct asker, control);
	struct api_wire_answer answer;
	int fds[API_WIRE_FDS_MAX];
	size_t count = 0;
	ssize_t n = fd_recv(w->fd, &answer, sizeof(answer), fds, API_WIRE_FDS_MAX, &count);

	(void)events;
	if (n == (ssize_t)sizeof(answer)) {
		answer.msg[sizeof(answer.msg) - 1] = '\0';
		asker_answer(asker, &answer, fds, count);
		return;
	}
	for (size_t i = 0; n > 0 && i < count; i++)
		fd_close(fds[i]);
	if (n == 0 || (n < 0 && n != -EAGAIN)) {
		watch_del(w);
		asker->on_lost(asker->arg);
	}
}

int asker_new(struct loop *loop, int control_fd, void (*on_lost)(void *arg), void *arg,
	      struct asker **out)
{
	struct asker *asker = mem_alloc(sizeof(*asker));
	int r = watch_add(loop, &asker->control, control_fd, EPOLLIN, asker_ready);

	if (r < 0) {
		free(asker);
		return r;
	}
	asker->on_lost = on_lost;
	asker->arg = arg;
	list_init(&asker->open);
	*out = asker;
	return 0;
}

int ask_send(struct asker *asker, struct ask *a, struct api_wire_ask *m)
{
	int r;

	do
		m->id = ++asker->last_id;
	while (!m->id);
	r = fd_send(asker->control.fd, m, offsetof(struct api_wire_ask, args) + m->arg_bytes, NULL,
		    0);
	if (r < 0)
		return r;
	a->id = m->id;
	list_add(&asker->open, &a->node);
	return 0;
}

void ask_cancel(struct ask *a)
{
	if (!a->id)
		return;
	a->id = 0;
	list_del(&a->node);
}

int ask_status(int code)
{
	switch (code) {
	case -ENOENT:
		return 404;
	case -EAGAIN:
	case -EINVAL:
		return 400;
	case -EBUSY:
		return 429;
	default:
		return 500;
	}
}

int ask_path(const char *rest, struct api_log_query *q)
{
	char parts[4][API_NAME_MAX];
	size_t count = 0;

	for (;;) {
		size_t len = strcspn(rest, "/");

		if (len == 0 || len >= API_NAME_MAX || count == ARRAY_SIZE(parts))
			return -EINVAL;
		memcpy(parts[count], rest, len);
		parts[count++][len] = '\0';
		rest += len;
		if (!*rest)
			break;
		rest++;
	}
	if (count < 3)
		return -EINVAL;
	memcpy(q->ns, parts[0], sizeof(q->ns));
	memcpy(q->pod, parts[1], sizeof(q->pod));
	memcpy(q->container, parts[count - 1], sizeof(q->container));
	return 0;
}
