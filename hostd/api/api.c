// SPDX-License-Identifier: Apache-2.0
/*
 * hostd's side: keeps the port open across restarts of hostd-api, so that a connection made in
 * between waits in the backlog, and answers its questions.
 */
#include "api/api.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/wire.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "json/json.h"

#define API_BACKLOG	   128
#define API_RESTART_MIN_MS 500
#define API_RESTART_MAX_MS 30000

#define API_LATER	INT_MAX /* the answer is not there yet */
#define API_ROTATED	1 /* a log that goes on in another file */
#define API_ALLOW_WORDS 3 /* user, verb, subresource; groups follow */
#define API_WAITERS_MAX 64
#define API_FRESH_MS	1000
#define API_TEXT_MAX	((size_t)16 << 20) /* of a summary or a PodList */

struct api {
	struct loop *loop;
	const struct api_ops *ops;
	void *arg;
	char *program, *host_log;
	unsigned int uid, gid;
	int cgroup_fd;
	char *cert_pem, *key_pem, *client_ca_pem;
	int listen_fd, control_fd;
	struct proc proc; /* pidfd -1: not running */
	struct watch control, ended;
	struct timer restart;
	uint64_t restart_ms;
	uint32_t waiters[API_WAITERS_MAX]; /* questions that wait for api_measured() */
	size_t waiter_count;
	uint32_t generation; /* of hostd-api */
	int summary_fd; /* the last one, -1 */
	uint64_t summary_ms;
};

static void api_stop(struct api *a)
{
	int code;

	watch_del(&a->control);
	watch_del(&a->ended);
	a->control_fd = fd_close(a->control_fd);
	a->waiter_count = 0;
	a->generation++;
	if (a->proc.pidfd < 0)
		return;
	proc_kill(&a->proc, SIGKILL);
	while (proc_reap(&a->proc, &code) == 0)
		usleep(1000);
	a->proc.pidfd = fd_close(a->proc.pidfd);
}

/*
 * A follower that was slow may have seen two rotations: then the file behind the one that it had is not the
 * newest, but CONTAINER.log.1.
 */
static bool api_log_is_older(const char *path, const char *older, uint64_t after_inode)
{
	struct stat newest, old;

	return after_inode && stat(path, &newest) == 0 && stat(older, &old) == 0 &&
	       newest.st_ino != after_inode && old.st_ino != after_inode;
}

static int api_open_log(const char *path, int fds[2], struct err *e)
{
	_cleanup_fd_ int log = -1, events = -1;
	struct stat st;

	log = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (log < 0)
		return err_sys(e, -errno, "open the log");
	if (fstat(log, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "the log is not a regular file");
	events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (events < 0 ||
	    inotify_add_watch(events, path, IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF) <
		    0)
		return err_sys(e, -errno, "watch the log");
	fds[0] = take_fd(&log);
	fds[1] = take_fd(&events);
	return 0;
}

/* The host's own log, by a reader who begins: what was before it, too. Return: 0 or -errno */
static int api_open_host_log(const char *path, const char *older, int *fds, struct err *e)
{
	struct stat newest, before;
	int r = api_open_log(path, fds, e);

	if (r < 0)
		return r;
	fds[2] = open(older, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	/* It may have been renamed between the two */
	if (fds[2] >= 0 && (fstat(fds[0], &newest) < 0 || fstat(fds[2], &before) < 0 ||
			    newest.st_ino == before.st_ino))
		fds[2] = fd_close(fds[2]);
	return 0;
}

static bool api_query_terminated(const struct api_log_query *q)
{
	return memchr(q->ns, '\0', sizeof(q->ns)) && memchr(q->pod, '\0', sizeof(q->pod)) &&
	       memchr(q->container, '\0', sizeof(q->container));
}

/* The arguments as strings; what hostd-api says is checked. Return: 0 or -EINVAL */
static int api_exec_args(const struct api_wire_ask *ask, struct api_exec_query *q)
{
	const char *at = ask->args, *end = at + ask->arg_bytes;

	if (ask->arg_count > API_ARGS_MAX)
		return -EINVAL;
	for (; q->arg_count < ask->arg_count; q->arg_count++) {
		const char *nul = memchr(at, '\0', (size_t)(end - at));

		if (!nul)
			return -EINVAL;
		q->args[q->arg_count] = at;
		at = nul + 1;
	}
	return at == end ? 0 : -EINVAL;
}

static int api_exec(struct api *a, const struct api_wire_ask *ask, struct err *e)
{
	struct api_exec_query q = {
		.attach = ask->kind == API_WIRE_ATTACH,
		.tty = ask->tty,
		.with_stdin = ask->with_stdin,
	};

	memcpy(q.ns, ask->query.ns, sizeof(q.ns));
	memcpy(q.pod, ask->query.pod, sizeof(q.pod));
	memcpy(q.container, ask->query.container, sizeof(q.container));
	if (api_exec_args(ask, &q) < 0)
		return err_set(e, -EINVAL, "malformed question");
	return a->ops->exec(&q, e, a->arg);
}

/* A text as a file that nobody can change any more. Return: a descriptor or -errno */
static int api_text_file(const struct buf *text, struct err *e)
{
	_cleanup_fd_ int fd = memfd_create("text", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r = fd < 0 ? -errno : fd_write_full(fd, buf_str(text), text->len);

	if (r == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		r = -errno;
	return r < 0 ? err_sys(e, r, "make a file") : take_fd(&fd);
}

static int api_pods(struct api *a, struct err *e)
{
	struct buf text = BUF_INIT(API_TEXT_MAX);
	int r = a->ops->pods(&text, a->arg);

	r = r < 0 ? err_sys(e, r, "list the pods") : api_text_file(&text, e);
	buf_done(&text);
	return r;
}

/* Return: a descriptor; API_LATER: the answer waits for api_measured(); -EBUSY */
static int api_stats(struct api *a, const struct api_wire_ask *ask, struct err *e)
{
	if (a->summary_fd >= 0 && clock_mono_ms() - a->summary_ms < API_FRESH_MS) {
		int fd = fcntl(a->summary_fd, F_DUPFD_CLOEXEC, 0);

		return fd < 0 ? err_sys(e, -errno, "duplicate the summary") : fd;
	}
	if (a->waiter_count == API_WAITERS_MAX)
		return err_set(e, -EBUSY, "too many questions");
	a->waiters[a->waiter_count++] = ask->id;
	if (a->waiter_count == 1)
		a->ops->measure(a->arg);
	return API_LATER;
}

/* Return: API_LATER, or -EINVAL */
static int api_allow(struct api *a, const struct api_wire_ask *ask, struct err *e)
{
	struct api_exec_query words = {.arg_count = 0};
	struct api_allow_query q;

	if (api_exec_args(ask, &words) < 0 || words.arg_count < API_ALLOW_WORDS)
		return err_set(e, -EINVAL, "malformed question");
	q = (struct api_allow_query){.user = words.args[0],
				     .verb = words.args[1],
				     .subresource = words.args[2],
				     .groups = words.args + API_ALLOW_WORDS,
				     .group_count = words.arg_count - API_ALLOW_WORDS};
	a->ops->allow(&q, (uint64_t)a->generation << 32 | ask->id, a->arg);
	return API_LATER;
}

void api_allowed(struct api *a, uint64_t id, int result)
{
	struct api_wire_answer answer = {.id = (uint32_t)id, .code = result};

	/* A hostd-api that was started since has questions of its own under the same numbers. */
	if (a->control_fd < 0 || id >> 32 != a->generation)
		return;
	if (result < 0 && result != -EACCES)
		(void)str_copy(answer.msg, sizeof(answer.msg), "the API does not answer");
	if (fd_send(a->control_fd, &answer, sizeof(answer), NULL, 0) < 0)
		log_warn("api", "msg=\"answer to hostd-api lost\"");
}

static int api_open(struct api *a, const struct api_wire_ask *ask, int *fds, struct err *e)
{
	char path[PATH_MAX], older[PATH_MAX + 2];
	int r;

	if (ask->kind == API_WIRE_STATS || ask->kind == API_WIRE_PODS) {
		r = ask->kind == API_WIRE_PODS ? api_pods(a, e) : api_stats(a, ask, e);
		fds[0] = r == API_LATER ? -1 : r;
		return r == API_LATER ? r : MIN(r, 0);
	}

	if (ask->kind == API_WIRE_EXEC || ask->kind == API_WIRE_ATTACH) {
		fds[0] = api_exec(a, ask, e);
		return MIN(fds[0], 0);
	}
	if (ask->kind == API_WIRE_ALLOW)
		return api_allow(a, ask, e);
	if (ask->kind == API_WIRE_HOST_LOG)
		r = a->host_log ? str_copy(path, sizeof(path), a->host_log)
				: err_set(e, -ENOENT, "this host keeps no log of its own");
	else
		r = a->ops->log_path(&ask->query, path, e, a->arg);
	if (r < 0)
		return r;
	snprintf(older, sizeof(older), "%s.1", path);
	if (ask->kind == API_WIRE_HOST_LOG && !ask->after_inode)
		return api_open_host_log(path, older, fds, e);
	if (!api_log_is_older(path, older, ask->after_inode))
		return api_open_log(path, fds, e);
	r = api_open_log(older, fds, e);
	return r == 0 ? API_ROTATED : r;
}

static void api_answer(struct api *a, const struct api_wire_ask *ask)
{
	struct api_wire_answer answer = {.id = ask->id};
	struct err e = ERR_INIT;
	int fds[API_WIRE_FDS_MAX] = {-1, -1, -1};
	size_t count = 0;
	int r;

	if (!api_query_terminated(&ask->query))
		r = err_set(&e, -EINVAL, "malformed question");
	else
		r = api_open(a, ask, fds, &e);
	if (r == API_LATER)
		return;
	answer.rotated = r == API_ROTATED;
	answer.code = MIN(r, 0);
	if (r < 0)
		str_copy(answer.msg, sizeof(answer.msg), err_msg(&e));
	while (count < API_WIRE_FDS_MAX && fds[count] >= 0)
		count++;
	r = fd_send(a->control_fd, &answer, sizeof(answer), fds, count);
	while (count)
		fd_close(fds[--count]);
	if (r < 0)
		log_warn("api", "msg=\"answer to hostd-api lost\" code=%d", r);
}

void api_measured(struct api *a, const struct json *summary)
{
	struct buf text = BUF_INIT(API_TEXT_MAX);
	struct err e = ERR_INIT;
	int r = json_write(summary, &text);

	fd_close(a->summary_fd);
	a->summary_fd = r < 0 ? err_sys(&e, r, "write the summary") : api_text_file(&text, &e);
	a->summary_ms = clock_mono_ms();
	buf_done(&text);
	for (size_t i = 0; i < a->waiter_count; i++) {
		struct api_wire_answer answer = {.id = a->waiters[i],
						 .code = MIN(a->summary_fd, 0)};

		(void)str_copy(answer.msg, sizeof(answer.msg), err_msg(&e));
		r = fd_send(a->control_fd, &answer, sizeof(answer), &a->summary_fd,
			    a->summary_fd >= 0);
		if (r < 0)
			log_warn("api", "msg=\"answer to hostd-api lost\" code=%d", r);
	}
	a->waiter_count = 0;
	if (a->summary_fd < 0)
		a->summary_fd = -1;
}

static void api_control_ready(struct watch *w, uint32_t events)
{
	static struct api_wire_ask ask;
	const size_t head = offsetof(struct api_wire_ask, args);
	struct api *a = container_of(w, struct api, control);
	ssize_t n = recv(w->fd, &ask, sizeof(ask), MSG_DONTWAIT | MSG_TRUNC);

	if (n >= (ssize_t)head && (size_t)n == head + ask.arg_bytes && (size_t)n <= sizeof(ask)) {
		api_answer(a, &ask);
		return;
	}
	/* The end of the process is what restarts it; a broken socket only stops being watched. */
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || (events & EPOLLERR))
		watch_del(w);
}

static void api_ended(struct watch *w, uint32_t events)
{
	struct api *a = container_of(w, struct api, ended);
	int code = -1;

	(void)events;
	if (proc_reap(&a->proc, &code) == 0)
		return;
	log_error("api", "ev=api_ended exit_code=%d restart_ms=%llu", code,
		  (unsigned long long)a->restart_ms);
	watch_del(&a->ended);
	a->proc.pidfd = fd_close(a->proc.pidfd);
	timer_set(&a->restart, a->restart_ms);
	a->restart_ms = MIN(a->restart_ms * 2, (uint64_t)API_RESTART_MAX_MS);
}

static int api_pem_file(const struct api *a)
{
	const char *const parts[] = {a->cert_pem, a->key_pem, a->client_ca_pem};
	_cleanup_fd_ int fd = memfd_create("hostd-api", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int r = fd_write_full(fd, parts[i], strlen(parts[i]) + 1);

		if (r < 0)
			return r;
	}
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : take_fd(&fd);
}

static int api_spawn(struct api *a, int control, int pem, struct err *e)
{
	char uid[16], gid[16];
	const char *const argv[] = {a->program, "--uid", uid, "--gid", gid, NULL};
	const int fds[API_FD_COUNT] = {-1,
				       -1,
				       STDERR_FILENO,
				       [API_FD_CONTROL] = control,
				       [API_FD_LISTEN] = a->listen_fd,
				       [API_FD_PEM] = pem};
	const struct proc_spec spec = {
		.argv = argv, .fds = fds, .fd_count = API_FD_COUNT, .cgroup_fd = a->cgroup_fd};

	snprintf(uid, sizeof(uid), "%u", a->uid);
	snprintf(gid, sizeof(gid), "%u", a->gid);
	return proc_spawn(&spec, &a->proc, e);
}

static int api_start(struct api *a, struct err *e)
{
	_cleanup_fd_ int pem = api_pem_file(a), theirs = -1;
	int pair[2], r;

	if (pem < 0)
		return err_sys(e, pem, "certificate for hostd-api");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, -errno, "socket to hostd-api");
	a->control_fd = pair[0];
	theirs = pair[1];
	r = api_spawn(a, theirs, pem, e);
	if (r == 0)
		r = watch_add(a->loop, &a->control, a->control_fd, EPOLLIN, api_control_ready);
	if (r == 0)
		r = watch_add(a->loop, &a->ended, a->proc.pidfd, EPOLLIN, api_ended);
	if (r < 0)
		api_stop(a);
	else
		log_info("api", "ev=api_started pid=%d", a->proc.pid);
	return r;
}

static void api_restart(struct timer *t)
{
	struct api *a = container_of(t, struct api, restart);
	struct err e = ERR_INIT;

	api_stop(a);
	if (api_start(a, &e) < 0) {
		log_error("api", "msg=\"%s\"", err_msg(&e));
		timer_set(t, API_RESTART_MAX_MS);
	}
}

static int api_listen(uint16_t port, struct err *e)
{
	struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, on = 1, off = 0, r;
	_cleanup_fd_ int fd = socket(AF_INET6, type, 0);

	if (fd >= 0) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	} else {
		fd = socket(AF_INET, type, 0);
		if (fd < 0)
			return err_sys(e, -errno, "socket");
		any6.sin6_family = AF_INET;
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (any6.sin6_family == AF_INET6)
		r = bind(fd, (const struct sockaddr *)&any6, sizeof(any6));
	else
		r = bind(fd, (const struct sockaddr *)&any4, sizeof(any4));
	if (r < 0 || listen(fd, API_BACKLOG) < 0)
		return err_sys(e, -errno, "listen on port %u", port);
	return take_fd(&fd);
}

int api_new(struct loop *loop, const struct api_config *config, const struct api_ops *ops,
	    void *arg, struct api **api, struct err *e)
{
	int fd = api_listen(config->port, e);
	struct api *a;

	if (fd < 0)
		return fd;
	a = mem_alloc(sizeof(*a));
	*a = (struct api){.loop = loop,
			  .ops = ops,
			  .arg = arg,
			  .program = mem_strdup(config->program),
			  .host_log = config->host_log ? mem_strdup(config->host_log) : NULL,
			  .uid = config->uid,
			  .gid = config->gid,
			  .cgroup_fd = config->cgroup_fd,
			  .listen_fd = fd,
			  .control_fd = -1,
			  .summary_fd = -1,
			  .proc = {.pidfd = -1},
			  .restart_ms = API_RESTART_MIN_MS};
	timer_init(loop, &a->restart, api_restart);
	*api = a;
	return 0;
}

static void api_replace(char **text, const char *with)
{
	mem_free_secret(*text);
	*text = with ? mem_strdup(with) : NULL;
}

int api_set_certificate(struct api *a, const char *cert_pem, const char *key_pem,
			const char *client_ca_pem, struct err *e)
{
	if (strlen(cert_pem) + strlen(key_pem) + strlen(client_ca_pem) + 3 > API_PEM_MAX)
		return err_set(e, -E2BIG, "certificates are too large");
	api_replace(&a->cert_pem, cert_pem);
	api_replace(&a->key_pem, key_pem);
	api_replace(&a->client_ca_pem, client_ca_pem);
	timer_cancel(&a->restart);
	a->restart_ms = API_RESTART_MIN_MS;
	api_stop(a);
	return api_start(a, e);
}

struct api *api_free(struct api *a)
{
	if (!a)
		return NULL;
	timer_cancel(&a->restart);
	api_stop(a);
	fd_close(a->listen_fd);
	fd_close(a->summary_fd);
	api_replace(&a->cert_pem, NULL);
	api_replace(&a->key_pem, NULL);
	api_replace(&a->client_ca_pem, NULL);
	free(a->program);
	free(a->host_log);
	free(a);
	return NULL;
}
