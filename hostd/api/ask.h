/* SPDX-License-Identifier: Apache-2.0 */
/* Questions of hostd-api to hostd, any number at a time, over one socket (wire.h). */
#ifndef API_ASK_H
#define API_ASK_H

#include "api/wire.h"
#include "base/list.h"
#include "base/loop.h"

struct asker;

/* One question, embedded in whoever asks. All zero at first. */
struct ask {
	struct list node; /* while it is open */
	uint32_t id; /* 0: nothing asked */
	/*
	 * The answer. @fds: the ones that came along, @count of them; owned by the callee. Called once;
	 * another question may be asked from it.
	 */
	void (*answered)(struct ask *a, const struct api_wire_answer *answer, int *fds,
			 size_t count);
};

/**
 * asker_new() - Start asking over @control_fd
 * @on_lost: hostd has gone: the process should end, and is started again by the next hostd
 * @out:     set on success
 * Return: 0 or -errno.
 */
int asker_new(struct loop *loop, int control_fd, void (*on_lost)(void *arg), void *arg,
	      struct asker **out);

/** ask_send() - Ask; @m's id is set here. Return: 0 or -errno */
int ask_send(struct asker *asker, struct ask *a, struct api_wire_ask *m);

/** ask_cancel() - Forget a question; may be repeated */
void ask_cancel(struct ask *a);

/** ask_status() - The HTTP status that an answer's code stands for */
int ask_status(int code);

/**
 * ask_path() - Read NAMESPACE/POD/CONTAINER or NAMESPACE/POD/UID/CONTAINER, nothing missing or behind
 * Return: 0 or -EINVAL.
 */
int ask_path(const char *rest, struct api_log_query *q);

#endif
