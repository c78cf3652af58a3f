// SPDX-License-Identifier: Apache-2.0
/*
 * The names come from a certificate that the handshake has verified. What the API said is kept under the words of
 * the question, in a table that is overwritten in turns: it is a saving, and nothing depends on it.
 */
#include "api/allow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

#define ALLOW_MASTERS	   "system:masters"
#define ALLOW_KNOWN_MAX	   64
#define ALLOW_WORDS_MAX	   (HTTP_PEER_GROUPS_MAX + 4) /* user, verb, subresource, the group of all */
#define ALLOW_WORDS_BYTES  (ALLOW_WORDS_MAX * HTTP_PEER_NAME_MAX)
#define ALLOW_YES_MS	   300000
#define ALLOW_NO_MS	   30000
#define ALLOW_REQUESTS_MAX 64

struct allow_known {
	char words[ALLOW_WORDS_BYTES];
	uint32_t bytes; /* 0: free */
	bool yes;
	uint64_t until_ms; /* clock_mono_ms() */
};

struct allow {
	struct asker *asker;
	void (*serve)(struct http_request *r, void *arg);
	void *arg;
	unsigned int count, turn;
	struct allow_known known[ALLOW_KNOWN_MAX];
};

struct allow_question {
	struct allow *allow;
	struct http_request *http;
	struct ask ask;
	char words[ALLOW_WORDS_BYTES];
	uint32_t bytes;
};

void allow_attributes(const char *method, const char *path, const char **verb,
		      const char **subresource)
{
	static const struct {
		const char *path, *subresource;
	} special[] = {{"/stats", "stats"}, {"/metrics", "metrics"}, {"/logs", "log"}};
	bool runs = str_starts(path, "/exec/") || str_starts(path, "/attach/");

	*verb = runs || str_eq(method, "POST")			  ? "create"
		: str_eq(method, "GET") || str_eq(method, "HEAD") ? "get"
		: str_eq(method, "PUT")				  ? "update"
		: str_eq(method, "PATCH")			  ? "patch"
		: str_eq(method, "DELETE")			  ? "delete"
								  : "";
	*subresource = "proxy";
	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		const char *rest = str_starts(path, special[i].path);

		if (rest && (!*rest || *rest == '/'))
			*subresource = special[i].subresource;
	}
}

static bool allow_master(const struct http_peer *peer)
{
	for (size_t i = 0; i < peer->group_count; i++)
		if (str_eq(peer->groups[i], ALLOW_MASTERS))
			return true;
	return false;
}

static void allow_refuse(struct http_request *r)
{
	const struct http_peer *peer = http_request_peer(r);
	const char *verb, *sub;

	allow_attributes(http_request_method(r), http_request_path(r), &verb, &sub);
	http_reply_text(r, 403, "Forbidden (user=%s, verb=%s, resource=nodes, subresource=%s)\n",
			peer->common_name, verb, sub);
}

/* The question's words, each with its NUL, into @m */
static void allow_words(struct http_request *r, struct api_wire_ask *m)
{
	const struct http_peer *peer = http_request_peer(r);
	const char *words[ALLOW_WORDS_MAX] = {peer->common_name};
	size_t count = 3;

	allow_attributes(http_request_method(r), http_request_path(r), &words[1], &words[2]);
	for (size_t i = 0; i < peer->group_count; i++)
		words[count++] = peer->groups[i];
	words[count++] = "system:authenticated";
	m->kind = API_WIRE_ALLOW;
	m->arg_count = m->arg_bytes = 0;
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(words[i]) + 1;

		memcpy(m->args + m->arg_bytes, words[i], len);
		m->arg_bytes += (uint32_t)len;
		m->arg_count++;
	}
}

static const struct allow_known *allow_find(const struct allow *a, const struct api_wire_ask *m)
{
	uint64_t now_ms = clock_mono_ms();

	for (size_t i = 0; i < ALLOW_KNOWN_MAX; i++) {
		const struct allow_known *k = &a->known[i];

		if (k->bytes && k->bytes == m->arg_bytes && now_ms < k->until_ms &&
		    memcmp(k->words, m->args, k->bytes) == 0)
			return k;
	}
	return NULL;
}

static void allow_keep(struct allow *a, const struct allow_question *q, bool yes)
{
	struct allow_known *k = &a->known[a->turn++ % ALLOW_KNOWN_MAX];

	memcpy(k->words, q->words, q->bytes);
	k->bytes = q->bytes;
	k->yes = yes;
	k->until_ms = clock_mono_ms() + (yes ? ALLOW_YES_MS : ALLOW_NO_MS);
}

static void allow_forget(struct allow_question *q)
{
	ask_cancel(&q->ask);
	q->allow->count--;
	free(q);
}

static void allow_closed(struct http_request *r, void *arg)
{
	(void)r;
	allow_forget(arg);
}

static void allow_answered(struct ask *ask, const struct api_wire_answer *answer, int *fds,
			   size_t count)
{
	struct allow_question *q = container_of(ask, struct allow_question, ask);
	struct http_request *r = q->http;
	struct allow *a = q->allow;
	int code = answer->code;

	(void)fds;
	(void)count;
	if (code == 0 || code == -EACCES)
		allow_keep(a, q, code == 0);
	http_request_on_close(r, NULL, NULL);
	allow_forget(q);
	if (code == 0)
		a->serve(r, a->arg);
	else if (code == -EACCES)
		allow_refuse(r);
	else
		http_reply_text(r, 500, "Authorization error: %s\n", answer->msg);
}

struct allow *allow_new(struct asker *asker, void (*serve)(struct http_request *r, void *arg),
			void *arg)
{
	struct allow *a = mem_alloc(sizeof(*a));

	a->asker = asker;
	a->serve = serve;
	a->arg = arg;
	return a;
}

static void allow_ask(struct allow *a, struct http_request *r)
{
	static struct api_wire_ask m; /* large; what of it is needed later is copied */
	const struct allow_known *known;
	struct allow_question *q;

	allow_words(r, &m);
	known = allow_find(a, &m);
	if (known || a->count >= ALLOW_REQUESTS_MAX) {
		if (!known)
			http_reply_text(r, 503, "too many requests\n");
		else if (known->yes)
			a->serve(r, a->arg);
		else
			allow_refuse(r);
		return;
	}
	q = mem_alloc(sizeof(*q));
	memcpy(q->words, m.args, m.arg_bytes);
	q->bytes = m.arg_bytes;
	q->allow = a;
	q->http = r;
	q->ask.answered = allow_answered;
	a->count++;
	http_request_on_close(r, allow_closed, q);
	if (ask_send(a->asker, &q->ask, &m) < 0)
		http_reply_text(r, 503, "hostd does not answer\n");
}

void allow_request(struct allow *a, struct http_request *r)
{
	const struct http_peer *peer = http_request_peer(r);

	if (!peer->verified || !*peer->common_name)
		http_reply_text(r, 401, "Unauthorized\n");
	else if (allow_master(peer))
		a->serve(r, a->arg);
	else
		allow_ask(a, r);
}
