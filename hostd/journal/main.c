// SPDX-License-Identifier: Apache-2.0
/*
 * hostd-journal: takes the kernel's messages and what hostd and its helpers say, and brings them to where they can be
 * read: the ring in memory and the console. And draws the page that a display shows.
 *
 * Init runs it beside hostd, so neither needs the other: the pipe between them holds what is said while this process is
 * away, and what hostd said last is here when hostd has gone. It opens what it needs as root, then gives up everything
 * else: the network, all files but the ring, its identity, and every system call that it does not need. Nothing polls:
 * the kernel's log, the pipe and the console wake it.
 *
 * Nobody waits for it. A writer whose pipe is full drops and counts; a console that takes nothing loses lines, counted;
 * a source that says too much is cut, counted; the kernel's own buffer overwrites what was not read in time, and the
 * gap in its numbers is told.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/sandbox.h"
#include "base/seccomp.h"
#include "base/str.h"
#include "journal/gate.h"
#include "journal/journal.h"
#include "journal/ring.h"
#include "journal/screen.h"
#include "journal/tty.h"

#define MAIN_FILES_MAX 32
#define MAIN_RECORD_MAX \
	8192 /* of the kernel: PRINTK_MESSAGE_MAX is 2048, with its words behind it */
#define MAIN_TOLD_MS  1000 /* what was cut or lost is told so often at most */
#define MAIN_PAUSE_MS 1000 /* a kernel that says too much is read so often */
#define MAIN_DRAW_MS  200 /* what changes together is drawn together */
#define MAIN_BATCH    256 /* lines or records before others have their turn */
#define MAIN_SEEN \
	"kernel" /* file: the number of the last record of the kernel that is in the ring */
#define MAIN_US_PER_S 1000000ULL

struct main_state {
	struct loop loop;
	struct ring ring;
	struct gate gate;
	struct tty console, display;
	struct screen screen;
	struct watch kmsg, pipe, changed;
	struct timer told, pause, draw;
	struct buf partial; /* of the pipe: a line without its end */
	int kmsg_fd, pipe_fd, seen_fd;
	int dir_fd, changed_fd; /* of RUN/journal; -1 */
	uint64_t kernel_next; /* number of the record that comes next */
	uint64_t kernel_lost;
};

static struct main_state state;

/* ---- the page ---- */

static void main_draw(struct timer *t)
{
	struct buf page = BUF_INIT(8192);

	(void)t;
	screen_draw(&state.screen, &page);
	if (screen_on_display(&state.screen))
		tty_put(&state.display, page.data, page.len);
	if (screen_on_serial(&state.screen))
		tty_put(&state.console, page.data, page.len);
	buf_done(&page);
}

static void main_draw_later(void)
{
	if (!timer_armed(&state.draw))
		timer_set(&state.draw, MAIN_DRAW_MS);
}

static void main_status_read(void)
{
	struct buf b = BUF_INIT(SCREEN_STATUS_MAX);

	if (file_read(state.dir_fd, JOURNAL_STATUS, &b, NULL) == 0)
		screen_parse(&state.screen, buf_str(&b), b.len);
	buf_done(&b);
	main_draw_later();
}

static void main_status_changed(struct watch *w, uint32_t events)
{
	char names[4096]; /* hostd replaces no other file here */

	(void)events;
	if (read(w->fd, names, sizeof(names)) > 0)
		main_status_read();
}

static void main_error(const struct line *l)
{
	char time[CLOCK_RFC3339_MAX];

	clock_rfc3339(time, (int64_t)(l->time_ns / 1000000000ULL));
	snprintf(state.screen.error, sizeof(state.screen.error), "%s %s: %s", time, l->source,
		 l->text);
	main_draw_later();
}

/* ---- where lines go ---- */

static void main_keep(const struct line *l)
{
	struct main_state *s = &state;

	if (ring_add(&s->ring, l) < 0) {
		/* Nowhere to say so but the console, where the line goes as well. */
	}
	if (l->level <= (l->kernel ? LINE_CRIT : LINE_ERROR))
		main_error(l);
}

/* What is said of the journal itself; it comes back through the pipe as everybody's lines do */
static void main_tell(struct timer *t)
{
	uint64_t lines, now_ms = clock_mono_ms();
	struct main_state *s = &state;
	const char *name;

	(void)t;
	while ((name = gate_cut(&s->gate, now_ms, &lines)) != NULL)
		log_warn("journal", "ev=log_cut source=%s lines=%llu", name,
			 (unsigned long long)lines);
	if (s->kernel_lost)
		log_warn("journal", "ev=kernel_lines_lost lines=%llu",
			 (unsigned long long)s->kernel_lost);
	s->kernel_lost = 0;
	lines = tty_dropped(&s->console);
	if (lines)
		log_warn("journal", "ev=console_lost lines=%llu", (unsigned long long)lines);
	if (gate_pending(&s->gate) || s->console.dropped)
		timer_set(&s->told, MAIN_TOLD_MS);
}

static void main_tell_later(void)
{
	if (!timer_armed(&state.told))
		timer_set(&state.told, MAIN_TOLD_MS);
}

/* ---- the kernel ---- */

static void main_kernel_seen(uint64_t number)
{
	if (state.seen_fd >= 0 &&
	    pwrite(state.seen_fd, &number, sizeof(number), 0) != (ssize_t)sizeof(number)) {
		/* Then a hostd-journal that is started again repeats some lines. */
	}
}

/* Return: whether more may be read now */
static bool main_kernel_record(const char *record, size_t len, uint64_t now_ns, uint64_t mono_us)
{
	struct main_state *s = &state;
	static struct line line;
	struct line_kmsg k;

	if (line_from_kmsg(record, len, now_ns, mono_us, &line, &k) < 0 ||
	    k.number < s->kernel_next)
		return true;
	s->kernel_lost += k.number - s->kernel_next;
	s->kernel_next = k.number + 1;
	if (!gate_pass(&s->gate, line.source, clock_mono_ms())) {
		main_tell_later();
		return false;
	}
	main_keep(&line);
	return true;
}

static void main_kernel_ready(struct watch *w, uint32_t events)
{
	uint64_t before = state.kernel_next, now_ns = clock_real_ns(), mono_us;
	char record[MAIN_RECORD_MAX];
	struct timespec now;
	bool more = true;

	(void)events;
	clock_gettime(CLOCK_MONOTONIC, &now);
	mono_us = (uint64_t)now.tv_sec * MAIN_US_PER_S + (uint64_t)now.tv_nsec / 1000;
	for (int i = 0; more && i < MAIN_BATCH; i++) {
		ssize_t n = read(w->fd, record, sizeof(record));

		if (n > 0)
			more = main_kernel_record(record, (size_t)n, now_ns, mono_us);
		else if (n < 0 && errno != EPIPE && errno != EINVAL && errno != EINTR)
			break; /* all is read; EPIPE: some was overwritten, which the numbers tell */
	}
	if (state.kernel_next != before)
		main_kernel_seen(state.kernel_next);
	if (state.kernel_lost)
		main_tell_later();
	if (more)
		return;
	/* Not read for a while: what it says meanwhile it overwrites by itself. */
	watch_del(w);
	timer_set(&state.pause, MAIN_PAUSE_MS);
}

static void main_kernel_again(struct timer *t)
{
	(void)t;
	if (watch_add(&state.loop, &state.kmsg, state.kmsg_fd, EPOLLIN, main_kernel_ready) < 0)
		log_error("journal", "ev=no_kernel_log");
}

/* ---- programs ---- */

static void main_program_line(const char *text, size_t len)
{
	struct main_state *s = &state;
	char out[RING_ENTRY_MAX];
	static struct line line;

	line_from_program(text, len, clock_real_ns(), &line);
	if (!gate_pass(&s->gate, line.source, clock_mono_ms())) {
		main_tell_later();
		return;
	}
	main_keep(&line);
	if (screen_on_serial(&s->screen))
		return;
	/* On the console it is as it was written, but for what a terminal might take for orders. */
	len = MIN(len, sizeof(out) - 1);
	for (size_t i = 0; i < len; i++)
		out[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : text[i] == '\t' ? ' ' : '?';
	out[len] = '\n';
	tty_put(&s->console, out, len + 1);
	if (s->console.dropped)
		main_tell_later();
}

/* Cuts what was read into lines; one that is too long becomes several */
static void main_pipe_feed(const char *data, size_t len)
{
	struct buf *partial = &state.partial;

	while (len) {
		const char *newline = memchr(data, '\n', len);
		size_t n =
			MIN(newline ? (size_t)(newline - data) : len, partial->cap - partial->len);
		bool ends;

		if (buf_append(partial, data, n) < 0)
			return; /* no memory: lost */
		data += n;
		len -= n;
		ends = len && *data == '\n';
		data += ends;
		len -= ends;
		if (!ends && partial->len < partial->cap)
			continue;
		if (partial->len)
			main_program_line(buf_str(partial), partial->len);
		buf_clear(partial);
	}
}

static void main_pipe_ready(struct watch *w, uint32_t events)
{
	static char data[65536];
	ssize_t n = read(w->fd, data, sizeof(data));

	(void)events;
	if (n > 0)
		main_pipe_feed(data, (size_t)n);
}

/* ---- start ---- */

static int main_open_ring(const char *dir, unsigned int uid, struct err *e)
{
	_cleanup_free_ char *path = mem_printf("%s/" JOURNAL_RING, dir);
	struct main_state *s = &state;
	ssize_t n;
	int fd, r;

	r = file_mkdirs(path, 0750);
	if (r < 0)
		return err_sys(e, r, "make %s", path);
	if (uid && chown(path, uid, uid) < 0)
		return err_sys(e, -errno, "give %s away", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, -errno, "open %s", path);
	s->seen_fd = openat(fd, MAIN_SEEN, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	n = pread(s->seen_fd, &s->kernel_next, sizeof(s->kernel_next), 0);
	if (n != (ssize_t)sizeof(s->kernel_next))
		s->kernel_next = 0;
	r = ring_open(&s->ring, fd, RING_FILE_BYTES,
		      e); /* the folder stays open for as long as we are */
	if (r == 0 && uid && (fchown(s->ring.fd, uid, uid) < 0 || fchown(s->seen_fd, uid, uid) < 0))
		r = err_sys(e, -errno, "give the ring away");
	return r;
}

/* A host without a display shows nothing, and one whose status cannot be watched shows less. */
static void main_open_screen(const char *dir, const char *display)
{
	struct main_state *s = &state;

	screen_init(&s->screen);
	tty_init(&s->display, &s->loop,
		 open(display, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
	s->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->changed_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (s->dir_fd < 0 || s->changed_fd < 0 ||
	    inotify_add_watch(s->changed_fd, dir, IN_MOVED_TO) < 0)
		log_warn("journal", "ev=no_status errno=%d", errno);
}

static int main_open(const char *run, const char *console, const char *display, unsigned int uid,
		     struct err *e)
{
	_cleanup_free_ char *dir = mem_printf("%s/" JOURNAL_DIR, run);
	_cleanup_free_ char *path = mem_printf("%s/" JOURNAL_PIPE, dir);
	struct main_state *s = &state;
	_cleanup_fd_ int to = -1;
	int r = file_mkdirs(dir, 0755);

	if (r < 0)
		return err_sys(e, r, "make %s", dir);
	r = main_open_ring(dir, uid, e);
	if (r == 0)
		r = journal_pipe(path, &s->pipe_fd, &to, e);
	if (r < 0)
		return r;
	s->kmsg_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (s->kmsg_fd < 0)
		log_warn("journal", "ev=no_kernel_log errno=%d", errno);
	tty_init(&s->console, &s->loop,
		 open(console, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
	main_open_screen(dir, display);
	/* From here on we speak through the pipe, too */
	if (dup2(to, STDERR_FILENO) < 0 || dup2(to, STDOUT_FILENO) < 0)
		return err_sys(e, -errno, "standard error");
	return 0;
}

/* Nobody, nowhere, with what is open */
static int main_give_up(unsigned int uid)
{
	int flags = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP;
	int r = unshare(flags) < 0 ? -errno : 0;

	if (r == 0)
		r = sandbox_empty_root();
	if (r == 0)
		r = sandbox_limit(RLIMIT_NOFILE, MAIN_FILES_MAX);
	if (r == 0)
		r = sandbox_limit(RLIMIT_CORE, 0);
	if (r == 0)
		r = sandbox_identity(uid, uid);
	if (r == 0)
		r = sandbox_limit(RLIMIT_NPROC, 0);
	return r;
}

static int main_filter(void)
{
	static const int allowed[] = {
		SYS_read,	    SYS_write,	      SYS_writev,
		SYS_pwrite64,	    SYS_pread64,      SYS_close,
		SYS_lseek,	    SYS_fstat,	      SYS_openat,
		SYS_renameat,	    SYS_renameat2,    SYS_epoll_wait,
		SYS_epoll_pwait,    SYS_epoll_ctl,    SYS_munmap,
		SYS_mremap,	    SYS_madvise,      SYS_brk,
		SYS_clock_gettime,  SYS_getrandom,    SYS_futex,
		SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_restart_syscall,
		SYS_exit,	    SYS_exit_group,
	};
	static const uint32_t memory[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE};
	static const uint32_t flags[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL};
	struct seccomp s;

	seccomp_begin(&s, SECCOMP_RET_KILL_PROCESS);
	seccomp_allow(&s, allowed, ARRAY_SIZE(allowed));
	seccomp_allow_if(&s, SYS_mmap, 2, memory, ARRAY_SIZE(memory));
	seccomp_allow_if(&s, SYS_mprotect, 2, memory, ARRAY_SIZE(memory));
	seccomp_allow_if(&s, SYS_fcntl, 1, flags, ARRAY_SIZE(flags));
	return seccomp_apply(&s);
}

/* Init's shutdown: what is in the pipe is still brought to the console */
static void main_stop(int signo, void *arg)
{
	(void)signo;
	(void)arg;
	main_pipe_ready(&state.pipe, EPOLLIN);
	loop_stop(&state.loop, 0);
}

static int main_start(unsigned int uid, struct err *e)
{
	static const int signals[] = {SIGTERM, SIGINT, 0};
	struct main_state *s = &state;
	int r = watch_add(&s->loop, &s->pipe, s->pipe_fd, EPOLLIN, main_pipe_ready);

	buf_init(&s->partial, LINE_TEXT_MAX);
	timer_init(&s->loop, &s->told, main_tell);
	timer_init(&s->loop, &s->pause, main_kernel_again);
	timer_init(&s->loop, &s->draw, main_draw);
	if (r == 0 && s->changed_fd >= 0)
		r = watch_add(&s->loop, &s->changed, s->changed_fd, EPOLLIN, main_status_changed);
	main_status_read();
	if (r == 0 && s->kmsg_fd >= 0)
		r = watch_add(&s->loop, &s->kmsg, s->kmsg_fd, EPOLLIN, main_kernel_ready);
	if (r == 0)
		r = loop_signals(&s->loop, signals, main_stop, NULL);
	if (r == 0 && uid)
		r = main_give_up(uid);
	if (r == 0 && uid)
		r = main_filter();
	return r < 0 ? err_sys(e, r, "start") : 0;
}

static void main_usage(FILE *out)
{
	fputs("usage: hostd-journal [--uid UID] [--run-dir DIR] [--console FILE] [--display FILE]\n"
	      "Keeps the host's log: what the kernel says, and what hostd and its helpers write to DIR/journal/pipe, goes to\n"
	      "a ring in DIR/journal/log and, but for the kernel's, to the console. A page that says how the host is is drawn\n"
	      "on the display.\n\n"
	      "  --uid UID       become that user and group when all is open (default: stay)\n"
	      "  --run-dir DIR   (/run/hyper)\n"
	      "  --console FILE  (/dev/console)\n"
	      "  --display FILE  (/dev/tty1)\n",
	      out);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"uid", required_argument, NULL, 'u'},
						{"run-dir", required_argument, NULL, 'r'},
						{"console", required_argument, NULL, 'c'},
						{"display", required_argument, NULL, 'd'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	const char *run = "/run/hyper", *console = "/dev/console", *display = "/dev/tty1";
	struct err e = ERR_INIT;
	uint64_t uid = 0;
	int c, r;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'r') {
			run = optarg;
		} else if (c == 'c') {
			console = optarg;
		} else if (c == 'd') {
			display = optarg;
		} else if (c != 'u' || str_u64(optarg, 65535, &uid) < 0) {
			main_usage(c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : 2;
		}
	}
	log_init("hostd-journal");
	signal(SIGPIPE, SIG_IGN);
	r = loop_init(&state.loop);
	if (r == 0)
		r = main_open(run, console, display, (unsigned int)uid, &e);
	if (r == 0)
		r = main_start((unsigned int)uid, &e);
	if (r < 0) {
		log_error("journal", "ev=failed error=\"%s\"", err_msg(&e));
		return 1;
	}
	log_info("journal", "ev=journal_started next=%llu kernel_next=%llu",
		 (unsigned long long)state.ring.next, (unsigned long long)state.kernel_next);
	return loop_run(&state.loop) < 0;
}
