// SPDX-License-Identifier: Apache-2.0
/*
 * Each request asks hostd, which answers with a file: one measurement serves all who ask within a second. A
 * rate needs two of them, so the first /stats/summary after a silence waits for a second one; nothing is
 * measured while nobody asks.
 */
#include "api/stats.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "api/metrics.h"
#include "api/rates.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "json/json.h"

#define STATS_REQUESTS_MAX 64
#define STATS_AGAIN_MS	   1100 /* what hostd has is a second old at most, and then measured anew */
#define STATS_TEXT_MAX	   ((size_t)16 << 20)

enum stats_kind {
	STATS_METRICS,
	STATS_RESOURCE,
	STATS_SUMMARY,
	STATS_PODS,
};

struct stats {
	struct loop *loop;
	struct asker *asker;
	unsigned int count;
	struct rates rates;
	uint64_t served[STATS_PODS + 1];
};

struct stats_request {
	struct stats *stats;
	struct http_request *http;
	enum stats_kind kind;
	struct ask ask;
	struct timer again;
	bool second; /* it was asked again */
};

static void stats_closed(struct http_request *r, void *arg)
{
	struct stats_request *q = arg;

	(void)r;
	timer_cancel(&q->again);
	ask_cancel(&q->ask);
	q->stats->count--;
	free(q);
}

static void stats_fail(struct stats_request *q, const char *why)
{
	http_reply_text(q->http, 500, "%s\n", why);
}

static void stats_ask(struct stats_request *q)
{
	static struct api_wire_ask m;

	m.kind = q->kind == STATS_PODS ? API_WIRE_PODS : API_WIRE_STATS;
	if (ask_send(q->stats->asker, &q->ask, &m) < 0)
		http_reply_text(q->http, 503, "hostd does not answer\n");
}

static void stats_again(struct timer *t)
{
	stats_ask(container_of(t, struct stats_request, again));
}

static int stats_read(int fd, struct buf *text)
{
	struct stat st;
	ssize_t n = 0;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < 0)
		return -EBADMSG;
	if (buf_reserve(text, (size_t)st.st_size) < 0)
		return -E2BIG;
	while ((off_t)text->len < st.st_size &&
	       (n = pread(fd, text->data + text->len, (size_t)st.st_size - text->len,
			  (off_t)text->len)) > 0)
		text->len += (size_t)n;
	if (n < 0 || (off_t)text->len != st.st_size)
		return -EIO;
	if (text->data)
		text->data[text->len] = '\0';
	return 0;
}

/* What this process itself has done: with the host's figures, for they come from the same scrape. */
static int stats_own(const struct stats *s, struct buf *out)
{
	static const char *const names[] = {"metrics", "metrics/resource", "stats/summary", "pods"};
	int r = buf_puts(out, "# HELP hypermetal_api_scrapes_total Answers of this endpoint\n"
			      "# TYPE hypermetal_api_scrapes_total counter\n");

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(names); i++)
		r = buf_printf(out, "hypermetal_api_scrapes_total{path=\"/%s\"} %llu\n", names[i],
			       (unsigned long long)s->served[i]);
	return r;
}

static void stats_summary(struct stats_request *q, struct json_doc *doc)
{
	struct stats *s = q->stats;
	const struct json *summary = rates_add(&s->rates, doc);
	struct buf out = BUF_INIT(STATS_TEXT_MAX);
	bool json = q->kind == STATS_SUMMARY;
	int r;

	if (json && !rates_known(&s->rates) && !q->second) {
		q->second = true;
		timer_set(&q->again, STATS_AGAIN_MS);
		return;
	}
	if (json)
		r = json_write(summary, &out);
	else
		r = q->kind == STATS_RESOURCE ? metrics_resource(summary, &out)
					      : metrics_all(summary, &out);
	if (r == 0 && q->kind == STATS_METRICS)
		r = stats_own(s, &out);
	if (r < 0)
		stats_fail(q, "the figures are too long");
	else
		http_reply(q->http, 200, json ? "application/json" : METRICS_CONTENT_TYPE, out.data,
			   out.len, NULL);
	buf_done(&out);
}

static void stats_text(struct stats_request *q, int fd)
{
	struct buf text = BUF_INIT(STATS_TEXT_MAX);
	struct json_doc *doc = NULL;
	struct err e = ERR_INIT;

	q->stats->served[q->kind]++;
	if (stats_read(fd, &text) < 0) {
		stats_fail(q, "the answer of hostd cannot be read");
	} else if (q->kind == STATS_PODS) {
		http_reply(q->http, 200, "application/json", text.data, text.len, NULL);
	} else if (json_parse(buf_str(&text), text.len, &doc, &e) < 0) {
		log_error("api", "ev=bad_summary error=\"%s\"", err_msg(&e));
		stats_fail(q, "the answer of hostd cannot be read");
	} else {
		stats_summary(q, doc);
	}
	buf_done(&text);
}

static void stats_answered(struct ask *a, const struct api_wire_answer *answer, int *fds,
			   size_t count)
{
	struct stats_request *q = container_of(a, struct stats_request, ask);

	if (answer->code == 0 && count == 1)
		stats_text(q, fds[0]);
	else
		http_reply_text(q->http, ask_status(answer->code), "%s\n", answer->msg);
	for (size_t i = 0; i < count; i++)
		fd_close(fds[i]);
}

struct stats *stats_new(struct loop *loop, struct asker *asker)
{
	struct stats *s = mem_alloc(sizeof(*s));

	s->loop = loop;
	s->asker = asker;
	return s;
}

bool stats_serve(struct stats *s, struct http_request *r)
{
	static const struct {
		const char *path;
		enum stats_kind kind;
	} paths[] = {
		{"/metrics", STATS_METRICS},
		{"/metrics/resource", STATS_RESOURCE},
		{"/stats/summary", STATS_SUMMARY},
		{"/stats/summary/", STATS_SUMMARY},
		{"/pods", STATS_PODS},
		{"/pods/", STATS_PODS},
	};
	struct stats_request *q;
	size_t i = 0;

	while (i < ARRAY_SIZE(paths) && !str_eq(http_request_path(r), paths[i].path))
		i++;
	if (i == ARRAY_SIZE(paths))
		return false;
	if (s->count >= STATS_REQUESTS_MAX) {
		http_reply_text(r, 503, "too many requests\n");
		return true;
	}
	q = mem_alloc(sizeof(*q));
	*q = (struct stats_request){.stats = s, .http = r, .kind = paths[i].kind};
	q->ask.answered = stats_answered;
	timer_init(s->loop, &q->again, stats_again);
	s->count++;
	http_request_on_close(r, stats_closed, q);
	stats_ask(q);
	return true;
}
