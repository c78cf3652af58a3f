// SPDX-License-Identifier: Apache-2.0
/*
 * Plays hostd to one hyperstart, with hostd's own session code, and prints what it says.
 *
 * The pod is described on the command line; layers are concatenated into the disk image that the VM
 * then gets as its first disk. The guest is reached over vsock, or over a UNIX socket that
 * stands for its hyper_port.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "drive_exec.h"
#include "drive_life.h"
#include "drive_volume.h"
#include "vm/session.h"

#define DRIVE_CID      3
#define DRIVE_LINE     4096
#define DRIVE_ARGS     1024
#define DRIVE_ALIGN    4096
#define DRIVE_LIMIT_MS 300000
#define DRIVE_TRIES    200
#define DRIVE_PAUSE_US 50000

static struct loop loop;
static struct session *session;
static struct guest_run run;
static struct timer stop_timer, hang_up_timer, limit_timer, stats_timer;
static uint32_t stop_after_ms, hang_up_after_ms, stats_after_ms, grace_ms = 2000;
static bool over_socket, leave_done, discard_logs, done;
static int exit_code = 1;
static uint64_t log_seen[GUEST_STREAMS_MAX];

static const char *name_of(uint16_t container)
{
	return container < run.container_count ? run.containers[container].name : "pod";
}

static void print_backoff(uint32_t ms)
{
	if (ms == GUEST_BACKOFF_NEVER)
		puts(" backoff=never");
	else
		printf(" backoff=%u\n", ms);
}

static void *on_hello(void *arg, struct session *s, uint32_t cid, const struct guest_hello *hello)
{
	static const char *const states[] = {"waiting", "running", "ended"};
	struct err e = ERR_INIT;

	(void)cid;
	printf("hello state=%s uptime_ms=%llu kernel=%s\n", states[hello->state],
	       (unsigned long long)hello->uptime_ms, hello->build);
	session = s;
	if (hello->state == GUEST_STATE_WAITING)
		drive_volume_send(&loop, s, &run);
	if (hello->state == GUEST_STATE_WAITING && session_send_run(s, &run, &e) < 0) {
		printf("error %s\n", err_msg(&e));
		loop_stop(&loop, 1);
	}
	if (stop_after_ms)
		timer_set(&stop_timer, stop_after_ms);
	if (hang_up_after_ms) {
		timer_set(&hang_up_timer, hang_up_after_ms);
		hang_up_after_ms = 0;
	}
	return arg;
}

static void on_started(void *pod, const struct guest_started *m)
{
	(void)pod;
	printf("started %s restart=%u\n", name_of(m->container), m->restart_count);
	if (stats_after_ms)
		timer_set(&stats_timer, stats_after_ms);
	if (m->container == 0)
		drive_exec_begin(&loop, session, &stop_timer);
}

static void on_exit_(void *pod, const struct guest_exit *m)
{
	(void)pod;
	printf("exit %s code=%u signal=%u oom=%d restart=%u ran_ms=%llu", name_of(m->container),
	       m->code, m->signal, m->oom, m->restart_count,
	       (unsigned long long)(m->finished_ns - m->started_ns) / 1000000);
	if (m->message_len)
		printf(" termination='%.*s'", (int)m->message_len, (const char *)m->message);
	print_backoff(m->backoff_ms);
	exit_code = m->code;
}

static void on_failed(void *pod, const struct guest_failed *m)
{
	(void)pod;
	printf("failed %s code=%u reason=%s message='%s' restart=%u", name_of(m->container),
	       m->code, m->reason, m->message, m->restart_count);
	print_backoff(m->backoff_ms);
}

static void on_probed(void *pod, const struct guest_probed *m)
{
	(void)pod;
	drive_life_print(name_of(m->container), m);
}

/* Output comes in pieces; it is shown in lines. */
static void put_char(const struct guest_log *m, char c)
{
	static struct {
		char text[DRIVE_LINE];
		size_t len;
	} lines[GUEST_STREAMS_MAX];
	bool err = m->stream == GUEST_STREAM_STDERR;
	__typeof__(*lines) *l = &lines[m->container * 2 + err];

	if (c != '\n')
		l->text[l->len++] = c;
	if (c != '\n' && l->len < DRIVE_LINE)
		return;
	printf("%s %s: %.*s\n", err ? "err" : "out", name_of(m->container), (int)l->len, l->text);
	l->len = 0;
}

static bool on_log(void *pod, const struct guest_log *m)
{
	uint64_t *seen = &log_seen[m->container * 2 + (m->stream == GUEST_STREAM_STDERR)];
	const char *p = m->data, *end = p + m->len;

	(void)pod;
	/* After a new connection bytes may come again. */
	p += m->offset < *seen ? MIN(*seen - m->offset, (uint64_t)m->len) : 0;
	*seen = MAX(*seen, m->offset + m->len);
	for (; p < end && !discard_logs; p++)
		put_char(m, *p);
	return true;
}

static void on_stats(void *pod, const struct guest_stats *m)
{
	(void)pod;
	printf("stats ask=%u memory_kib=%llu available_kib=%llu rx=%llu tx=%llu scratch_kib=%llu free_kib=%llu\n",
	       m->ask, (unsigned long long)m->memory_bytes / 1024,
	       (unsigned long long)m->memory_available_bytes / 1024,
	       (unsigned long long)m->net.rx_packets, (unsigned long long)m->net.tx_packets,
	       (unsigned long long)m->scratch_bytes / 1024,
	       (unsigned long long)m->scratch_free_bytes / 1024);
	for (uint32_t i = 0; i < m->container_count; i++) {
		const struct guest_stats_container *c = &m->containers[i];

		printf("stats %s cpu_ms=%llu user_ms=%llu throttled=%llu memory_kib=%llu set_kib=%llu rss_kib=%llu pids=%u oom=%u started=%d\n",
		       name_of(c->container), (unsigned long long)c->cpu_ns / 1000000,
		       (unsigned long long)c->cpu_user_ns / 1000000,
		       (unsigned long long)c->throttled, (unsigned long long)c->memory_bytes / 1024,
		       (unsigned long long)c->working_set_bytes / 1024,
		       (unsigned long long)c->rss_bytes / 1024, c->pids, c->oom_kills,
		       c->started_ns > 0);
	}
}

static void on_done(void *pod)
{
	(void)pod;
	puts("done");
	done = true;
	if (discard_logs)
		for (uint32_t i = 0; i < 2 * run.container_count; i++)
			printf("bytes %s %llu\n", name_of((uint16_t)(i / 2)),
			       (unsigned long long)log_seen[i]);
	if (!leave_done)
		session_stop(session, 0);
}

static void on_closed(void *pod, struct session *s, const struct err *why)
{
	(void)pod;
	(void)s;
	printf("closed %s\n", err_msg(why));
	session = NULL;
	if (over_socket || done)
		loop_stop(&loop, exit_code);
}

static const struct session_events events = {
	.on_hello = on_hello,
	.on_started = on_started,
	.on_exit = on_exit_,
	.on_failed = on_failed,
	.on_probed = on_probed,
	.on_log = on_log,
	.on_stats = on_stats,
	.on_done = on_done,
	.on_closed = on_closed,
};

static void stop_now(struct timer *t)
{
	(void)t;
	puts("stop");
	if (session)
		session_stop(session, grace_ms);
}

static void ask_stats(struct timer *t)
{
	(void)t;
	if (session)
		session_ask_stats(session, stats_after_ms);
}

static void give_up(struct timer *t)
{
	(void)t;
	puts("time_limit");
	loop_stop(&loop, 1);
}

static void hang_up(struct timer *t)
{
	(void)t;
	puts("hang_up");
	if (session)
		session_close(session);
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "drive: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void add_layer(const char *file, const char *disk)
{
	static char data[1 << 16];
	int in = open(file, O_RDONLY), out = open(disk, O_WRONLY | O_CREAT, 0644);
	struct guest_layer *l = &run.layers[run.layer_count];
	ssize_t n;

	if (in < 0 || out < 0)
		die(file);
	if (run.layer_count)
		l->offset_bytes = l[-1].offset_bytes + l[-1].size_bytes;
	if (lseek(out, (off_t)l->offset_bytes, SEEK_SET) < 0)
		die(disk);
	while ((n = read(in, data, sizeof(data))) > 0) {
		if (fd_write_full(out, data, (size_t)n) < 0)
			die(disk);
		l->size_bytes += (uint64_t)n;
	}
	l->size_bytes = (l->size_bytes + DRIVE_ALIGN - 1) / DRIVE_ALIGN * DRIVE_ALIGN;
	if (ftruncate(out, (off_t)(l->offset_bytes + l->size_bytes)) < 0)
		die(disk);
	close(in);
	close(out);
	run.layer_count++;
}

static uint64_t number(const char *s)
{
	uint64_t v;

	if (str_u64(s, UINT64_MAX, &v) < 0) {
		errno = EINVAL;
		die(s);
	}
	return v;
}

static uint32_t address(const char *s)
{
	struct in_addr a;

	if (inet_pton(AF_INET, s, &a) != 1)
		die(s);
	return ntohl(a.s_addr);
}

void drive_add_string(struct guest_strings *list, const char *s)
{
	static const char *store[DRIVE_ARGS];
	static size_t used;

	if (!list->count)
		list->at = &store[used];
	store[used++] = s;
	list->count++;
}

/* Options of the pod. Return: how many words were taken, 0 if it is none of them. */
static int pod_option(char **argv, const char **socket_path, const char **disk)
{
	if (str_eq(argv[0], "--socket"))
		*socket_path = argv[1];
	else if (str_eq(argv[0], "--disk"))
		*disk = argv[1];
	else if (str_eq(argv[0], "--layer"))
		add_layer(argv[1], *disk);
	else if (str_eq(argv[0], "--hostname"))
		run.hostname = argv[1];
	else if (str_eq(argv[0], "--address"))
		run.net.address = address(argv[1]);
	else if (str_eq(argv[0], "--prefix"))
		run.net.prefix = (uint8_t)number(argv[1]);
	else if (str_eq(argv[0], "--gateway"))
		run.net.gateway = address(argv[1]);
	else if (str_eq(argv[0], "--dns"))
		drive_add_string(&run.net.dns_servers, argv[1]);
	else if (str_eq(argv[0], "--restart"))
		run.restart = (enum guest_restart)number(argv[1]);
	else if (str_eq(argv[0], "--stop-after-ms"))
		stop_after_ms = (uint32_t)number(argv[1]);
	else if (str_eq(argv[0], "--hang-up-after-ms"))
		hang_up_after_ms = (uint32_t)number(argv[1]);
	else if (str_eq(argv[0], "--stats-after-ms"))
		stats_after_ms = (uint32_t)number(argv[1]);
	else if (str_eq(argv[0], "--grace-ms"))
		grace_ms = run.grace_ms = (uint32_t)number(argv[1]);
	else
		return 0;
	return 2;
}

/* Options of the last --container. */
static int container_option(char **argv, struct guest_container *c)
{
	int n = 2;

	if (str_eq(argv[0], "--env"))
		drive_add_string(&c->env, argv[1]);
	else if (str_eq(argv[0], "--user"))
		c->user = argv[1];
	else if (str_eq(argv[0], "--cwd"))
		c->cwd = argv[1];
	else if (str_eq(argv[0], "--cap"))
		c->caps_add |= 1ULL << number(argv[1]);
	else if (str_eq(argv[0], "--stop-signal"))
		c->stop_signal = argv[1];
	else if (str_eq(argv[0], "--memory"))
		c->memory_bytes = number(argv[1]);
	else if (str_eq(argv[0], "--again")) /* put a layer on top once more */
		c->layers[c->layer_count++] = (uint16_t)number(argv[1]);
	else if (str_eq(argv[0], "--pids"))
		c->pids = (uint32_t)number(argv[1]);
	else if (str_eq(argv[0], "--cpu-millis"))
		c->cpu_millis = (uint32_t)number(argv[1]);
	else
		n = 1;
	if (n == 2)
		return n;
	if (str_eq(argv[0], "--init"))
		c->init = true;
	else if (str_eq(argv[0], "--over"))
		c->over = true;
	else if (str_eq(argv[0], "--sidecar"))
		c->init = c->sidecar = true;
	else if (str_eq(argv[0], "--seccomp"))
		c->default_seccomp = true;
	else if (str_eq(argv[0], "--no-new-privs"))
		c->no_new_privs = true;
	else if (str_eq(argv[0], "--tty"))
		c->tty = true;
	else if (str_eq(argv[0], "--stdin"))
		c->open_stdin = c->stdin_once = true;
	else if (str_eq(argv[0], "--read-only"))
		c->read_only_root = true;
	else if (str_eq(argv[0], "--not-root"))
		c->must_not_be_root = true;
	else if (str_eq(argv[0], "--privileged"))
		c->privileged = true, c->caps_add = UINT64_MAX;
	else if (str_eq(argv[0], "--drop-all"))
		c->caps_drop = UINT64_MAX;
	else if (str_eq(argv[0], "--run"))
		for (; argv[n] && !str_eq(argv[n], ";"); n++)
			drive_add_string(&c->args, argv[n]);
	else
		n = 0;
	return n;
}

static void parse(char **argv, const char **socket_path)
{
	const char *disk = "disk.img";
	struct guest_container *c = NULL;
	int n;

	run.restart = GUEST_RESTART_NEVER;
	run.fs_group = GUEST_NO_ID;
	run.grace_ms = grace_ms;
	for (; *argv; argv += n) {
		n = argv[1] ? pod_option(argv, socket_path, &disk) : 0;
		if (!n && argv[1] && str_eq(argv[0], "--container")) {
			c = &run.containers[run.container_count++];
			c->name = argv[1];
			for (; c->layer_count < run.layer_count; c->layer_count++)
				c->layers[c->layer_count] = (uint16_t)c->layer_count;
			n = 2;
		}
		if (!n)
			n = drive_volume_option(argv, &run, c);
		if (!n && c)
			n = container_option(argv, c);
		if (!n && c)
			n = drive_life_option(argv, &c->life);
		if (!n)
			n = drive_exec_option(argv);
		if (!n && str_eq(argv[0], ";"))
			n = 1;
		if (!n && str_eq(argv[0], "--discard"))
			n = 1, discard_logs = true;
		if (!n && str_eq(argv[0], "--share-pids"))
			n = 1, run.share_pids = true;
		if (!n && str_eq(argv[0], "--leave"))
			n = 1, leave_done = true;
		if (!n) {
			fprintf(stderr, "drive: unknown option %s\n", argv[0]);
			exit(2);
		}
	}
}

static int connect_to(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	str_copy(addr.sun_path, sizeof(addr.sun_path), path);
	for (int i = 0; i < DRIVE_TRIES; i++) {
		if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
			return fd;
		usleep(DRIVE_PAUSE_US);
	}
	die(path);
}

int main(int argc, char **argv)
{
	struct session_server *server = NULL;
	const char *socket_path = NULL;
	struct err e = ERR_INIT;

	if (argc < 2 || str_eq(argv[1], "--help")) {
		puts("drive [--socket PATH] [--disk IMAGE --layer FILE...] [pod options]\n"
		     "      {--container NAME [options] --run ARG... ;}...\n"
		     "Plays hostd to one hyperstart and prints what it says.");
		return argc < 2 ? 2 : 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	log_init("drive");
	parse(argv + 1, &socket_path);
	if (loop_init(&loop) < 0)
		die("loop");
	timer_init(&loop, &stop_timer, stop_now);
	timer_init(&loop, &hang_up_timer, hang_up);
	timer_init(&loop, &stats_timer, ask_stats);
	timer_init(&loop, &limit_timer, give_up);
	timer_set(&limit_timer, DRIVE_LIMIT_MS);
	over_socket = socket_path != NULL;
	if (over_socket) {
		server = session_server_new(&loop, &events, &run);
		if (session_accept(server, connect_to(socket_path), DRIVE_CID, &e) < 0)
			die("session");
	} else if (session_listen(&loop, &events, &run, &server, &e) < 0) {
		fprintf(stderr, "drive: %s\n", err_msg(&e));
		return 1;
	}
	puts("listening");
	loop_run(&loop);
	session_server_free(server);
	return exit_code;
}
