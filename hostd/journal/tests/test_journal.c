// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "journal/gate.h"
#include "journal/journal.h"
#include "journal/ring.h"
#include "journal/screen.h"
#include "journal/tty.h"

#define NOW_NS 1767323045000000000ULL /* 2026-01-02T03:04:05Z */

static void test_kmsg(void **state)
{
	static const char *const bad[] = {
		"",
		";",
		"6,339,5140900",
		"6,339;no time",
		"x,1,2,-;",
		"6,,5140900,-;a",
		"9999,1,2,-;text",
		"6,339,99999999999999999999999,-;a",
	};
	const char *record =
		"30,339,5140900,-,caller=T1;usb 1-1: Product: \x1b[2J\xc2\x9b\tX\n SUBSYSTEM=usb\n";
	struct line_kmsg k;
	struct line l;

	(void)state;
	assert_int_equal(line_from_kmsg(record, strlen(record), NOW_NS, 6140900, &l, &k), 0);
	assert_int_equal(k.number, 339);
	assert_int_equal(k.facility, 3);
	assert_int_equal(l.level, LINE_INFO);
	assert_true(l.time_ns == NOW_NS - 1000000000ULL);
	assert_string_equal(l.source, "kernel");
	assert_string_equal(l.text, "usb 1-1: Product: \\x1b[2J\\xc2\\x9b X");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(line_from_kmsg(bad[i], strlen(bad[i]), NOW_NS, 0, &l, &k),
				 -EBADMSG);
}

static void program_is(const char *text, const char *source, enum line_level level,
		       const char *expected)
{
	struct line l;

	line_from_program(text, strlen(text), NOW_NS, &l);
	assert_string_equal(l.source, source);
	assert_int_equal(l.level, level);
	assert_string_equal(l.text, expected);
}

static void test_program(void **state)
{
	static char *long_text;
	struct line l;

	(void)state;
	program_is("t=1.234 level=warn prog=hostd-api mod=api ev=x", "hostd-api", LINE_WARN,
		   "mod=api ev=x");
	program_is("udhcpc: sending discover", "host", LINE_INFO, "udhcpc: sending discover");
	/* A name that is none is no source */
	program_is("t=1 level=info prog=A/../b mod=x y", "host", LINE_INFO,
		   "t=1 level=info prog=A/../b mod=x y");
	program_is("t=1 level=loud prog=hostd x", "host", LINE_INFO, "t=1 level=loud prog=hostd x");
	program_is("t=1 level=info", "host", LINE_INFO, "t=1 level=info");
	long_text = mem_alloc(5000);
	memset(long_text, '\a', 4999);
	line_from_program(long_text, 4999, NOW_NS, &l);
	assert_true(strlen(l.text) < LINE_TEXT_MAX && strlen(l.text) % 4 == 0);
	free(long_text);
}

static int test_dir(char *path)
{
	int fd;

	assert_non_null(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	return fd;
}

static void add(struct ring *r, int number)
{
	char text[64];
	struct line l;

	snprintf(text, sizeof(text), "t=1 level=info prog=hostd number=%d", number);
	line_from_program(text, strlen(text), NOW_NS + (uint64_t)number, &l);
	assert_int_equal(ring_add(r, &l), 0);
}

/* The lines of a file; @first, @last: their numbers, checked to follow each other and the file's head */
static int lines_of(int dir, const char *name, int *first, int *last)
{
	struct buf b = BUF_INIT(65536);
	int count = 0, number;
	char *line, *save = NULL;
	unsigned long long head;

	assert_int_equal(file_read(dir, name, &b, NULL), 0);
	line = strtok_r(b.data, "\n", &save);
	assert_int_equal(sscanf(line, "# %llu", &head), 1);
	while ((line = strtok_r(NULL, "\n", &save)) != NULL) {
		struct line l;

		assert_int_equal(ring_parse(line, strlen(line), &l), 0);
		assert_int_equal(sscanf(l.text, "number=%d", &number), 1);
		assert_int_equal(number, (int)head + count - 1);
		*first = count ? *first : number;
		*last = number;
		count++;
	}
	buf_done(&b);
	return count;
}

static void test_ring(void **state)
{
	char path[] = "/tmp/test-journal-XXXXXX";
	int dir = test_dir(path), first = -1, last = -1, older_first = -1, older_last = -1;
	struct err e = ERR_INIT;
	struct ring r;
	struct stat st;

	(void)state;
	assert_int_equal(ring_open(&r, dir, 4096, &e), 0);
	for (int i = 0; i < 100; i++)
		add(&r, i);
	/* Neither file is larger than it may be; they follow each other and end with the last line */
	assert_int_equal(fstatat(dir, RING_OLDER, &st, 0), 0);
	assert_true(st.st_size <= 4096 && st.st_size > 3500);
	assert_true(lines_of(dir, RING_OLDER, &older_first, &older_last) > 30);
	lines_of(dir, RING_NAME, &first, &last);
	assert_int_equal(first, older_last + 1);
	assert_int_equal(last, 99);
	/* Another writer goes on behind, without the half line that the first one left */
	assert_int_equal(write(r.fd, "2026-01-02T03:0", 15), 15);
	ring_close(&r);
	assert_int_equal(ring_open(&r, dir, 4096, &e), 0);
	assert_int_equal(r.next, 101);
	add(&r, 100);
	lines_of(dir, RING_NAME, &first, &last);
	assert_int_equal(last, 100);
	ring_close(&r);
	/* What cannot be read is put out of the way */
	assert_int_equal(unlinkat(dir, RING_NAME, 0), 0);
	assert_int_equal(mkdirat(dir, RING_NAME, 0700), 0);
	assert_int_equal(unlinkat(dir, RING_OLDER, 0), 0);
	assert_int_equal(ring_open(&r, dir, 4096, &e), 0);
	ring_close(&r);
	close(dir);
	assert_int_equal(file_remove_tree(AT_FDCWD, path), 0);
}

static void test_ring_entries(void **state)
{
	static const char *const bad[] = {
		"",
		"# 12",
		"2026-01-02T03:04:05Z stdout F hostd info", /* no text, no blank */
		"yesterday stdout F hostd info text",
		"2026-01-02T03:04:05Z stdout F hostd loud text",
		"2026-01-02T03:04:05Z stdout F a-name-that-is-longer-than-one info text",
	};
	struct line l;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(ring_parse(bad[i], strlen(bad[i]), &l), -EBADMSG);
}

static void test_gate(void **state)
{
	struct gate g = {.count = 0};
	uint64_t cut = 0;
	char name[8];
	int kept = 0;

	(void)state;
	for (int i = 0; i < 2 * GATE_BURST; i++)
		kept += gate_pass(&g, "kernel", 1000);
	assert_int_equal(kept, GATE_BURST);
	assert_true(gate_pass(&g, "hostd", 1000)); /* another source has its own */
	assert_true(gate_pending(&g));
	assert_null(gate_cut(&g, 1000, &cut)); /* not before it may speak again */
	assert_string_equal(gate_cut(&g, 1000 + GATE_EACH_MS, &cut), "kernel");
	assert_int_equal(cut, GATE_BURST);
	assert_false(gate_pending(&g));
	for (int i = 0; i < 100; i++) { /* names that come without end share one place */
		snprintf(name, sizeof(name), "p%d", i);
		(void)gate_pass(&g, name, 1000);
	}
	assert_int_equal(g.count, GATE_SOURCES_MAX);
}

/* A terminal that takes nothing: a pipe that nobody reads */
static void test_blocked_terminal(void **state)
{
	static char piece[1000];
	struct loop loop;
	struct tty t;
	int pair[2], pieces = 0;
	uint64_t dropped;
	size_t got = 0;
	ssize_t n;

	(void)state;
	memset(piece, 'x', sizeof(piece));
	assert_int_equal(loop_init(&loop), 0);
	assert_int_equal(pipe2(pair, O_NONBLOCK | O_CLOEXEC), 0);
	tty_init(&t, &loop, pair[1]);
	for (; pieces < 500; pieces++)
		tty_put(&t, piece, sizeof(piece));
	assert_true(t.waiting.len <= TTY_WAITING_MAX);
	assert_int_equal(tty_dropped(&t), 0); /* no room to say so yet */
	for (int i = 0; i < 500; i++) {
		while ((n = read(pair[0], piece, sizeof(piece))) > 0)
			got += (size_t)n;
		assert_int_equal(loop_once(&loop, 0), 0);
	}
	/* Whole pieces came, and the others were counted */
	dropped = tty_dropped(&t);
	assert_true(dropped > 0);
	assert_int_equal(got, ((size_t)pieces - dropped) * sizeof(piece));
	assert_int_equal(tty_dropped(&t), 0);
	tty_done(&t);
	close(pair[0]);
	loop_done(&loop);
}

/* What hostd says while nobody empties the pipe is dropped at once, and counted when there is room again */
static void test_full_pipe(void **state)
{
	char path[] = "/tmp/test-journal-XXXXXX", data[65536];
	int dir = test_dir(path), from = -1, to = -1, saved = dup(STDERR_FILENO);
	_cleanup_free_ char *name = mem_printf("%s/pipe", path);
	struct buf all = BUF_INIT(0);
	struct err e = ERR_INIT;
	uint64_t start_ms;
	ssize_t n;

	(void)state;
	assert_int_equal(journal_pipe(name, &from, &to, &e), 0);
	start_ms = clock_mono_ms();
	assert_true(dup2(to, STDERR_FILENO) >= 0);
	for (int i = 0; i < 5000; i++)
		log_info("test", "text=\"%0200d\"", i);
	while ((n = read(from, data, sizeof(data))) > 0)
		assert_int_equal(buf_append(&all, data, (size_t)n), 0);
	log_info("test", "ev=after");
	log_flush(); /* nobody reads: it does not wait for ever */
	n = read(from, data, sizeof(data) - 1);
	dup2(saved, STDERR_FILENO);
	assert_true(clock_mono_ms() - start_ms < 5000);
	assert_true(n > 0);
	data[n] = '\0';
	assert_true(all.data[all.len - 1] == '\n'); /* no half line */
	assert_non_null(strstr(data, "ev=log_lost lines="));
	assert_non_null(strstr(data, "ev=after"));
	assert_true(strstr(data, "ev=after") > strstr(data, "ev=log_lost"));
	buf_done(&all);
	close(saved);
	close(from);
	close(to);
	close(dir);
	assert_int_equal(file_remove_tree(AT_FDCWD, path), 0);
}

static void drawn(const struct screen *s, struct buf *b)
{
	int rows = 0;

	buf_clear(b);
	screen_draw(s, b);
	for (char *line = b->data, *end; (end = strchr(line, '\n')) != NULL;
	     line = end + 1, rows++) {
		const char *text = rows == 0 ? strstr(line, "  HyperMetal") : line;

		assert_non_null(text);
		assert_true(end - text < SCREEN_COLUMNS);
		for (; text < end; text++)
			assert_true(*text >= 0x20 && *text < 0x7f);
	}
	assert_true(rows < SCREEN_ROWS);
}

static void test_screen(void **state)
{
	static const char text[] =
		"state=Ready\nname=host-0\naddresses=10.0.2.15 fec0::1\n"
		"nobody=knows\nimage=a\033[2J\npods=2 running, 3 in all\nno equals\n";
	struct buf b = BUF_INIT(0), long_text = BUF_INIT(0);
	struct screen s;

	(void)state;
	screen_init(&s);
	drawn(&s, &b);
	assert_non_null(strstr(b.data, "State        Booting\n"));
	assert_true(screen_on_display(&s) && !screen_on_serial(&s));
	screen_parse(&s, text, sizeof(text) - 1);
	drawn(&s, &b);
	assert_non_null(strstr(b.data, "State        Ready\n"));
	assert_non_null(strstr(b.data, " host-0\n"));
	assert_non_null(strstr(b.data, "Address      10.0.2.15 fec0::1\n"));
	assert_non_null(strstr(b.data, "Image        a?[2J\n"));
	assert_non_null(strstr(b.data, "Pods         2 running, 3 in all\n"));
	assert_null(strstr(b.data, "Last error"));
	/* The longest values there can be fit the page */
	for (size_t i = 0; i < SCREEN_FIELD_MAX; i++) {
		buf_printf(&long_text, "%s=", screen_field_name(i));
		for (int k = 0; k < 400; k++)
			buf_puts(&long_text, k % 9 ? "x" : " ");
		buf_puts(&long_text, "\n");
	}
	screen_parse(&s, long_text.data, long_text.len);
	memset(s.error, 'e', sizeof(s.error) - 1);
	drawn(&s, &b);
	assert_non_null(strstr(b.data, "Last error"));
	screen_parse(&s, "screen=both", strlen("screen=both"));
	assert_true(screen_on_display(&s) && screen_on_serial(&s));
	screen_parse(&s, "screen=off", strlen("screen=off"));
	assert_false(screen_on_display(&s) || screen_on_serial(&s));
	buf_done(&b);
	buf_done(&long_text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kmsg),	  cmocka_unit_test(test_program),
		cmocka_unit_test(test_ring),	  cmocka_unit_test(test_ring_entries),
		cmocka_unit_test(test_gate),	  cmocka_unit_test(test_blocked_terminal),
		cmocka_unit_test(test_full_pipe), cmocka_unit_test(test_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
