// SPDX-License-Identifier: Apache-2.0
/*
 * A container's log, or the host's own, which has the same form (journal/ring.h). A log request asks hostd for descriptors, then copies file to client through the filter: as fast as
 * the client takes it, waiting for the drain call when it is slow, and for inotify when it follows.
 * A follower ends when the file is complete (no write permission left). A file that was moved but is not complete
 * was rotated: then it is read to its end, and hostd asked for the one in its place. Of the host's log, all of which is
 * shown, the file before the newest comes along with it.
 */
#include "api/logs.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/cri.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define LOGS_REQUESTS_MAX 256
#define LOGS_CHUNK	  65536
#define LOGS_MATCH_MAX	  128

struct logs {
	struct loop *loop;
	struct asker *asker;
	unsigned int count;
};

struct log_request {
	struct logs *logs;
	struct http_request *http;
	struct ask ask;
	struct api_log_query query;
	struct cri_filter filter;
	struct buf out; /* refused by the stream, waits for drain */
	struct watch changed;
	int log_fd, events_fd;
	int older_fd; /* of the host's log: comes before log_fd; -1 */
	uint64_t inode;
	bool host;
	char match[LOGS_MATCH_MAX];
	bool begun;
	bool moved; /* the file has another name now */
};

static void log_request_close_files(struct log_request *q)
{
	watch_del(&q->changed);
	q->log_fd = fd_close(q->log_fd);
	q->events_fd = fd_close(q->events_fd);
	q->older_fd = fd_close(q->older_fd);
}

static void log_request_closed(struct http_request *r, void *arg)
{
	struct log_request *q = arg;

	(void)r;
	log_request_close_files(q);
	cri_filter_done(&q->filter);
	buf_done(&q->out);
	ask_cancel(&q->ask);
	q->logs->count--;
	free(q);
}

static void log_request_fail(struct log_request *q, int status, const char *msg)
{
	log_request_close_files(q);
	if (q->begun)
		http_stream_end(q->http);
	else
		http_reply_text(q->http, status, "%s\n", msg);
}

static int log_request_ask(struct log_request *q)
{
	static struct api_wire_ask m;

	m.kind = q->host ? API_WIRE_HOST_LOG : API_WIRE_LOG;
	m.query = q->query;
	m.after_inode = q->begun ? q->inode : 0;
	m.arg_count = m.arg_bytes = 0;
	return ask_send(q->logs->asker, &q->ask, &m);
}

static bool log_request_complete(const struct log_request *q)
{
	struct stat st;

	return fstat(q->log_fd, &st) < 0 || !(st.st_mode & 0222) || (st.st_nlink == 0 && !q->moved);
}

/* Takes note of what happened to the file. */
static void log_request_events(struct log_request *q)
{
	union {
		struct inotify_event first;
		char data[4096];
	} events;
	ssize_t n;

	while (q->events_fd >= 0 && (n = read(q->events_fd, &events, sizeof(events))) > 0) {
		for (ssize_t at = 0; at + (ssize_t)sizeof(events.first) <= n;) {
			struct inotify_event ev;

			memcpy(&ev, events.data + at, sizeof(ev));
			q->moved |= (ev.mask & IN_MOVE_SELF) != 0;
			at += (ssize_t)(sizeof(ev) + ev.len);
		}
	}
}

/* The file has no more. Return: whether there may be more later. */
static bool log_request_at_end(struct log_request *q)
{
	if (!q->filter.options.follow) {
		log_request_close_files(q);
		http_stream_end(q->http);
		return false;
	}
	if (!log_request_complete(q) && !q->moved)
		return true;
	if (log_request_complete(q)) {
		log_request_close_files(q);
		http_stream_end(q->http);
		return false;
	}
	log_request_close_files(q);
	if (log_request_ask(q) < 0)
		http_stream_end(q->http);
	return false;
}

static int log_request_flush(struct log_request *q)
{
	int r = q->out.len ? http_stream_write(q->http, q->out.data, q->out.len) : 0;

	if (r == 0)
		buf_clear(&q->out);
	return r;
}

static void log_request_pump(struct log_request *q)
{
	_cleanup_free_ char *chunk = mem_alloc(LOGS_CHUNK);
	bool settled;
	ssize_t n;

	while (q->log_fd >= 0) {
		if (log_request_flush(q) < 0)
			return; /* the drain call goes on, or the close call ends it */
		if (q->filter.done) {
			log_request_close_files(q);
			http_stream_end(q->http);
			return;
		}
		log_request_events(q);
		settled = q->moved || log_request_complete(q);
		n = read(q->older_fd >= 0 ? q->older_fd : q->log_fd, chunk, LOGS_CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || cri_filter_feed(&q->filter, chunk, (size_t)MAX(n, 0), &q->out) < 0) {
			log_request_fail(q, 500, "the log cannot be read");
			return;
		}
		if (n)
			continue;
		if (q->older_fd >= 0) {
			q->older_fd = fd_close(q->older_fd);
			continue;
		}
		/* What was written before it was moved or complete must have been read: look again. */
		log_request_events(q);
		if (!settled && (q->moved || log_request_complete(q)))
			continue;
		if (log_request_at_end(q))
			return;
	}
}

static void log_request_changed(struct watch *w, uint32_t events)
{
	struct log_request *q = container_of(w, struct log_request, changed);

	(void)events;
	log_request_events(q); /* also when the client takes nothing */
	log_request_pump(q);
}

static void log_request_drained(struct http_request *r, void *arg)
{
	(void)r;
	log_request_pump(arg);
}

/* Sets where to begin in both files, newest first. Return: 0 or -errno */
static int log_request_seek(struct log_request *q)
{
	struct cri_options o = q->filter.options;
	int64_t offset = 0, found;

	if (!q->begun && o.tail_lines >= 0) {
		offset = cri_tail_offset(q->log_fd, &o, &found);
		if (offset < 0)
			return (int)offset;
		o.tail_lines -= found;
		if (!o.tail_lines)
			q->older_fd = fd_close(q->older_fd);
	}
	if (lseek(q->log_fd, offset, SEEK_SET) < 0)
		return -errno;
	if (q->older_fd < 0)
		return 0;
	offset = o.tail_lines > 0 ? cri_tail_offset(q->older_fd, &o, &found) : 0;
	return offset < 0 || lseek(q->older_fd, offset, SEEK_SET) < 0 ? -EIO : 0;
}

static void log_request_begin(struct log_request *q, const int *fds, size_t count, bool rotated)
{
	struct stat st;

	q->log_fd = fds[0];
	q->events_fd = fds[1];
	q->older_fd = count > 2 ? fds[2] : -1;
	if (fstat(q->log_fd, &st) < 0) {
		log_request_fail(q, 500, "the log cannot be read");
		return;
	}
	if (q->begun && st.st_ino == q->inode) {
		log_request_close_files(q); /* asked again, and it is the same: the end */
		http_stream_end(q->http);
		return;
	}
	q->inode = st.st_ino;
	q->moved = rotated;
	if (log_request_seek(q) < 0 ||
	    watch_add(q->logs->loop, &q->changed, q->events_fd, EPOLLIN, log_request_changed) < 0) {
		log_request_fail(q, 500, "the log cannot be read");
		return;
	}
	if (!q->begun) {
		q->begun = true;
		http_stream_on_drain(q->http, log_request_drained, q);
		http_stream_begin(q->http, 200, "text/plain");
	}
	log_request_pump(q);
}

static void log_request_answered(struct ask *a, const struct api_wire_answer *answer, int *fds,
				 size_t count)
{
	struct log_request *q = container_of(a, struct log_request, ask);

	if (answer->code == 0 && count >= 2) {
		log_request_begin(q, fds, count, answer->rotated);
		return;
	}
	for (size_t i = 0; i < count; i++)
		fd_close(fds[i]);
	log_request_fail(q, ask_status(answer->code), answer->msg);
}

struct logs *logs_new(struct loop *loop, struct asker *asker)
{
	struct logs *l = mem_alloc(sizeof(*l));

	l->loop = loop;
	l->asker = asker;
	return l;
}

static const char *logs_query_get(const char *key, const void *arg)
{
	return http_request_query(arg, key);
}

/* A request whose query is good. Return: NULL when it was answered */
static struct log_request *log_request_new(struct logs *l, struct http_request *r)
{
	int status;
	struct cri_options options;
	struct err e = ERR_INIT;
	struct log_request *q;

	if (l->count >= LOGS_REQUESTS_MAX) {
		http_reply_text(r, 503, "too many log requests\n");
		return NULL;
	}
	status = cri_options_parse(logs_query_get, r, clock_real_ns(), &options, &e);
	if (status < 0) {
		/* A kubelet's words; what is wrong is told behind them. */
		http_reply_text(r, status == -EBADMSG ? 400 : 422, "{\"message\": \"%s\"}\n%s\n",
				status == -EBADMSG ? "Unable to decode query." : "Invalid request.",
				err_msg(&e));
		return NULL;
	}
	q = mem_alloc(sizeof(*q));
	*q = (struct log_request){
		.logs = l, .http = r, .log_fd = -1, .events_fd = -1, .older_fd = -1};
	cri_filter_init(&q->filter, &options);
	buf_init(&q->out, 0);
	q->ask.answered = log_request_answered;
	l->count++;
	http_request_on_close(r, log_request_closed, q);
	q->query.previous = options.previous;
	return q;
}

void logs_serve(struct logs *l, struct http_request *r, const char *rest)
{
	struct log_request *q = log_request_new(l, r);

	if (!q)
		return;
	if (ask_path(rest, &q->query) < 0)
		log_request_fail(q, 404, "expected /containerLogs/NAMESPACE/POD/CONTAINER");
	else if (log_request_ask(q) < 0)
		log_request_fail(q, 503, "hostd does not answer");
}

void logs_serve_host(struct logs *l, struct http_request *r, const char *name)
{
	const char *match = http_request_query(r, "pattern");
	bool kernel = str_eq(name, "kernel"), programs = str_eq(name, "programs");
	struct log_request *q;

	if (!*name) {
		http_reply_text(r, 200, "host\nkernel\nprograms\n");
		return;
	}
	if (!kernel && !programs && !str_eq(name, "host")) {
		http_reply_text(r, 404, "no such log; there are host, kernel and programs\n");
		return;
	}
	q = log_request_new(l, r);
	if (!q)
		return;
	q->host = true;
	q->filter.options.timestamps = true;
	q->filter.options.want_stderr = !programs;
	q->filter.options.want_stdout = !kernel;
	q->filter.options.match = match ? q->match : NULL;
	if (match && str_copy(q->match, sizeof(q->match), match) < 0)
		log_request_fail(q, 400, "the pattern is too long");
	else if (log_request_ask(q) < 0)
		log_request_fail(q, 503, "hostd does not answer");
}
