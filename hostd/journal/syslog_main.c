// SPDX-License-Identifier: Apache-2.0
/*
 * hostd-syslog: ships the host's log to a receiver of syslog.
 *
 * It reads the ring that hostd-journal writes, so nobody ever waits for it: the ring is the queue. While the receiver is
 * away or slow, lines stay there until newer ones take their place; how many went unsent is told in a message of its own
 * before the next one. How far it got is kept beside the ring, so that a restart of this process repeats little. When
 * a connection breaks, what the other machine had not acknowledged is sent again on the next one.
 *
 * Init keeps it running. Until hostd has written where to ship, and when that changes, it waits for the file and starts anew; a host
 * that ships nothing has it asleep. It has the host's network, and else nothing: an identity of its own, no files but the ring,
 * what names are looked up with and certificates of CAs, no system calls that this does not need.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/retry.h"
#include "base/sandbox.h"
#include "base/seccomp.h"
#include "base/str.h"
#include "journal/journal.h"
#include "journal/rfc5424.h"
#include "journal/ring.h"
#include "journal/ship.h"
#include "journal/tail.h"

#define MAIN_CA_MAX    ((size_t)1 << 20)
#define MAIN_BUNDLE    "/etc/ssl/certs/ca-certificates.crt"
#define MAIN_FILES_MAX 32
#define MAIN_RETRY_MS  1000
#define MAIN_RETRY_MAX 60000
#define MAIN_FRESH     8 /* attempts of one process */
#define MAIN_MARKS     256 /* lines under way that can be sent again */

/* The end of a line in what was sent */
struct main_mark {
	uint64_t sent_bytes;
	struct tail_at behind;
};

static struct {
	struct ship_config config;
	char *ca_pem;
	struct tail tail;
	struct link link;
	int dir_fd, ring_fd; /* of RUN/journal and the ring */
	int changed_fd; /* inotify on both */
	int at_fd; /* file: struct tail_at, of what is to be sent next */
	uint64_t lost;
	struct main_mark marks[MAIN_MARKS];
	size_t mark_first, mark_count;
	struct tail_at acked; /* all before it has been taken */
	bool told; /* that it cannot be reached */
} state;

/* ---- how far it got ---- */

static void main_acked(bool all)
{
	uint64_t acked = all ? UINT64_MAX : link_acked(&state.link);

	while (state.mark_count && state.marks[state.mark_first].sent_bytes <= acked) {
		state.acked = state.marks[state.mark_first].behind;
		state.mark_first = (state.mark_first + 1) % MAIN_MARKS;
		state.mark_count--;
	}
	if (pwrite(state.at_fd, &state.acked, sizeof(state.acked), 0) !=
	    (ssize_t)sizeof(state.acked)) {
		/* Then more is repeated after a restart. */
	}
}

static void main_mark(void)
{
	size_t place = (state.mark_first + state.mark_count) % MAIN_MARKS;

	if (state.mark_count == MAIN_MARKS) { /* the oldest counts as taken */
		state.acked = state.marks[place].behind;
		state.mark_first = (state.mark_first + 1) % MAIN_MARKS;
		state.mark_count--;
	}
	state.marks[place] = (struct main_mark){state.link.sent_bytes, state.tail.at};
	state.mark_count++;
}

/* ---- sending ---- */

static int main_send(const struct line *l, uint64_t number)
{
	char message[RFC5424_MAX];
	size_t len = rfc5424_format(l, state.config.name, state.config.version, number, message);

	return link_send(&state.link, message, MIN(len, sizeof(message) - 1));
}

static int main_send_lost(const struct line *before)
{
	static struct line l;
	int r;

	l = (struct line){.time_ns = before->time_ns, .level = LINE_WARN};
	(void)str_copy(l.source, sizeof(l.source), "hostd-syslog");
	snprintf(l.text, sizeof(l.text), "mod=syslog ev=syslog_lost lines=%llu",
		 (unsigned long long)state.lost);
	r = main_send(&l, state.tail.at.number);
	if (r == 0)
		state.lost = 0;
	return r;
}

/* All that there is. Return: 0 or -errno of the link */
static int main_send_all(void)
{
	static struct line l;
	int r;

	while ((r = tail_next(&state.tail, &l, &state.lost)) > 0) {
		r = state.lost ? main_send_lost(&l) : 0;
		if (r == 0)
			r = main_send(&l, state.tail.at.number - 1);
		if (r < 0)
			return r;
		main_mark();
	}
	main_acked(false);
	if (r < 0)
		log_warn("syslog", "ev=ring_unreadable error=\"%s\"", strerror(-r));
	return 0;
}

/* Until something happened. Where to ship may be another place now: then a new process begins with that. */
static void main_changes(void)
{
	union {
		struct inotify_event first;
		char data[4096];
	} events;
	ssize_t n = read(state.changed_fd, &events, sizeof(events));

	for (ssize_t at = 0; at + (ssize_t)sizeof(events.first) <= n;) {
		struct inotify_event ev;

		memcpy(&ev, events.data + at, sizeof(ev));
		if (ev.len && str_eq(events.data + at + sizeof(ev), JOURNAL_SYSLOG)) {
			main_acked(false);
			exit(0);
		}
		at += (ssize_t)(sizeof(ev) + ev.len);
	}
}

/* Until there is more to send. Return: whether the link is still good */
static bool main_wait(void)
{
	struct pollfd p[] = {{.fd = state.changed_fd, .events = POLLIN},
			     {.fd = state.link.fd, .events = POLLIN | POLLRDHUP}};

	if (poll(p, state.link.protocol == LINK_UDP ? 1 : 2, -1) > 0 && p[0].revents)
		main_changes();
	return link_alive(&state.link);
}

/* Until it is time to try again, however much is logged meanwhile */
static void main_rest(unsigned int attempt)
{
	const struct retry r = {
		.base_ms = MAIN_RETRY_MS, .max_ms = MAIN_RETRY_MAX, .attempt = attempt};
	uint64_t now_ms = clock_mono_ms(), until_ms = now_ms + retry_delay(&r, retry_random());
	struct pollfd p = {.fd = state.changed_fd, .events = POLLIN};

	for (; now_ms < until_ms; now_ms = clock_mono_ms())
		if (poll(&p, 1, (int)(until_ms - now_ms)) > 0)
			main_changes();
}

/* What is not known to have been taken comes again */
static void main_back(void)
{
	main_acked(false);
	link_close(&state.link);
	state.mark_first = state.mark_count = 0;
	tail_go(&state.tail, &state.acked);
}

static void main_ship(void)
{
	unsigned int attempt = 0;

	for (;;) {
		struct err e = ERR_INIT;

		if (link_open(&state.link, &state.config.target, &e) < 0) {
			if (!state.told)
				log_warn("syslog", "ev=syslog_away error=\"%s\"", err_msg(&e));
			state.told = true;
			main_rest(attempt++);
			if (attempt == MAIN_FRESH)
				exit(0); /* the next one looks at files that may be others now: resolv.conf, a CA */
			continue;
		}
		log_info("syslog", "ev=syslog_connected host=%s port=%s", state.config.target.host,
			 state.config.target.port);
		state.told = false;
		attempt = 0;
		while (main_send_all() == 0 && main_wait())
			;
		log_warn("syslog", "ev=syslog_broken");
		main_back();
	}
}

/* ---- start ---- */

/* Waits for a file that says where to. Return: 0 or -errno */
static int main_configure(struct err *e)
{
	for (;;) {
		struct buf b = BUF_INIT(SHIP_FILE_MAX);
		int r = file_read(state.dir_fd, JOURNAL_SYSLOG, &b, NULL);

		if (r == 0)
			r = ship_parse(buf_str(&b), b.len, &state.config, e);
		buf_done(&b);
		if (r == 0)
			return 0;
		if (r != -ENOENT)
			log_error("syslog", "ev=syslog_refused error=\"%s\"", err_msg(e));
		if (read(state.changed_fd, (char[4096]){0}, 4096) < 0 && errno != EINTR)
			return err_sys(e, -errno, "wait for the settings");
	}
}

static int main_trust(const char *run, struct err *e)
{
	_cleanup_free_ char *fleet = mem_printf("%s/boot/ca.crt", run);
	struct buf b = BUF_INIT(MAIN_CA_MAX);
	int r;

	if (state.config.target.protocol != LINK_TLS || state.config.trust == SHIP_FINGERPRINT)
		return 0;
	r = file_read(AT_FDCWD, state.config.trust == SHIP_FLEET ? fleet : MAIN_BUNDLE, &b, e);
	state.ca_pem = buf_take(&b);
	state.config.target.ca_pem = state.ca_pem;
	return r;
}

static int main_open(const char *run, unsigned int uid, struct err *e)
{
	_cleanup_free_ char *dir = mem_printf("%s/" JOURNAL_DIR, run);
	_cleanup_free_ char *ring = mem_printf("%s/" JOURNAL_RING, dir);
	_cleanup_free_ char *at = mem_printf("%s/shipped", dir);
	struct tail_at from = {0};

	state.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	state.changed_fd = inotify_init1(IN_CLOEXEC);
	if (state.dir_fd < 0 || state.changed_fd < 0 ||
	    inotify_add_watch(state.changed_fd, dir, IN_MOVED_TO) < 0)
		return err_sys(e, -errno, "watch %s", dir);
	if (main_configure(e) < 0 || main_trust(run, e) < 0)
		return -EINVAL;
	/* hostd-journal has made it by now: somebody has written where to ship */
	state.ring_fd = open(ring, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state.ring_fd < 0 || inotify_add_watch(state.changed_fd, ring, IN_MODIFY) < 0)
		return err_sys(e, -errno, "watch %s", ring);
	state.at_fd = open(at, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (state.at_fd < 0 || (uid && fchown(state.at_fd, uid, uid) < 0))
		return err_sys(e, -errno, "open %s", at);
	if (pread(state.at_fd, &from, sizeof(from), 0) != (ssize_t)sizeof(from))
		from = (struct tail_at){0};
	state.acked = from;
	tail_open(&state.tail, state.ring_fd, &from);
	return 0;
}

static int main_give_up(unsigned int uid, unsigned int gid)
{
	static const struct sandbox_bind binds[] = {{"/etc/resolv.conf", false, true},
						    {"/etc/hosts", false, true}};
	int flags = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
	int r = unshare(flags) < 0 ? -errno : 0;

	if (r == 0)
		r = sandbox_root(binds, ARRAY_SIZE(binds));
	if (r == 0)
		r = sandbox_limit(RLIMIT_NOFILE, MAIN_FILES_MAX);
	if (r == 0)
		r = sandbox_limit(RLIMIT_CORE, 0);
	if (r == 0)
		r = sandbox_identity(uid, gid);
	if (r == 0)
		r = sandbox_limit(RLIMIT_NPROC, 0);
	return r;
}

static int main_filter(void)
{
	static const int allowed[] = {
		SYS_read,	SYS_write,	    SYS_readv,	      SYS_writev,
		SYS_pread64,	SYS_pwrite64,	    SYS_close,	      SYS_lseek,
		SYS_fstat,	SYS_newfstatat,	    SYS_open,	      SYS_openat,
		SYS_poll,	SYS_ppoll,	    SYS_connect,      SYS_bind,
		SYS_sendto,	SYS_sendmsg,	    SYS_recvfrom,     SYS_recvmsg,
		SYS_getsockopt, SYS_setsockopt,	    SYS_getsockname,  SYS_getpeername,
		SYS_shutdown,	SYS_munmap,	    SYS_mremap,	      SYS_madvise,
		SYS_brk,	SYS_clock_gettime,  SYS_gettimeofday, SYS_getrandom,
		SYS_futex,	SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_restart_syscall,
		SYS_getpid,	SYS_gettid,	    SYS_exit,	      SYS_exit_group,
	};
	static const uint32_t memory[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE};
	static const uint32_t flags[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL};
	static const uint32_t families[] = {AF_INET, AF_INET6};
	struct seccomp s;

	seccomp_begin(&s, SECCOMP_RET_KILL_PROCESS);
	seccomp_allow(&s, allowed, ARRAY_SIZE(allowed));
	seccomp_allow_if(&s, SYS_mmap, 2, memory, ARRAY_SIZE(memory));
	seccomp_allow_if(&s, SYS_mprotect, 2, memory, ARRAY_SIZE(memory));
	seccomp_allow_if(&s, SYS_fcntl, 1, flags, ARRAY_SIZE(flags));
	seccomp_refuse_unless(&s, SYS_socket, 0, families, ARRAY_SIZE(families),
			      SECCOMP_RET_ERRNO | EAFNOSUPPORT);
	return seccomp_apply(&s);
}

static void main_usage(FILE *out)
{
	fputs("usage: hostd-syslog [--uid UID] [--gid GID] [--run-dir DIR]\n"
	      "Ships the host's log (DIR/journal/log) to the receiver of syslog that DIR/journal/syslog names, as RFC 5424.\n\n"
	      "  --uid UID       become that user when all is open (default: stay)\n"
	      "  --gid GID       and that group, which may read the log\n"
	      "  --run-dir DIR   (/run/hyper)\n",
	      out);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"uid", required_argument, NULL, 'u'},
						{"gid", required_argument, NULL, 'g'},
						{"run-dir", required_argument, NULL, 'r'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	const char *run = "/run/hyper";
	struct err e = ERR_INIT;
	uint64_t uid = 0, gid = 0;
	int c, r;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'r') {
			run = optarg;
		} else if ((c != 'u' && c != 'g') ||
			   str_u64(optarg, 65535, c == 'u' ? &uid : &gid) < 0) {
			main_usage(c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : 2;
		}
	}
	log_init("hostd-syslog");
	signal(SIGPIPE, SIG_IGN);
	if (journal_start(run, &e) < 0)
		err_clear(&e);
	r = main_open(run, (unsigned int)uid, &e);
	if (r == 0 && uid)
		r = main_give_up((unsigned int)uid, (unsigned int)gid);
	if (r == 0 && uid)
		r = main_filter();
	if (r < 0) {
		log_error("syslog", "ev=failed error=\"%s\"", e.code ? err_msg(&e) : strerror(-r));
		sleep(MAIN_RETRY_MAX / 1000); /* init starts the next one at once */
		return 1;
	}
	main_ship();
}
