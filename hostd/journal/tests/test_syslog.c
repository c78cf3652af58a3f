// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "journal/link.h"
#include "journal/rfc5424.h"
#include "journal/ring.h"
#include "journal/ship.h"
#include "journal/tail.h"

#define NOW_NS 1767323045123456789ULL /* 2026-01-02T03:04:05.123456789Z */

static void test_message(void **state)
{
	char out[RFC5424_MAX], frame[16];
	struct line l = {.time_ns = NOW_NS, .level = LINE_WARN, .source = "hostd"};
	size_t len;

	(void)state;
	(void)str_copy(l.text, sizeof(l.text), "mod=main ev=pod_ended uid=7");
	len = rfc5424_format(&l, "host-0", "a\"b\\c]d", 7, out);
	assert_string_equal(out, "<28>1 2026-01-02T03:04:05.123456Z host-0 hostd - pod_ended "
				 "[meta sequenceId=\"7\"][origin software=\"HyperMetal\" "
				 "swVersion=\"a\\\"b\\\\c\\]d\"] mod=main ev=pod_ended uid=7");
	assert_int_equal(len, strlen(out));
	assert_int_equal(rfc5424_frame(len, frame), 4);
	/* Of the kernel; without a name; numbers begin again; no `ev=`, or one that is none */
	l = (struct line){
		.time_ns = NOW_NS, .kernel = true, .level = LINE_ERROR, .source = "kernel"};
	(void)str_copy(l.text, sizeof(l.text), "level=3 xev=no");
	rfc5424_format(&l, "", "", 2147483648ULL, out);
	assert_string_equal(out,
			    "<3>1 2026-01-02T03:04:05.123456Z - kernel - - [meta sequenceId=\"1\"]"
			    "[origin software=\"HyperMetal\" swVersion=\"\"] level=3 xev=no");
	(void)str_copy(l.text, sizeof(l.text), "ev=a-name-that-is-longer-than-a-msgid-may-be x");
	rfc5424_format(&l, "h", "", 1, out);
	assert_non_null(strstr(out, " kernel - - [meta"));
	/* The longest fits */
	memset(l.text, 'x', sizeof(l.text) - 1);
	assert_true(rfc5424_format(&l, "host-0", "1", 1, out) < sizeof(out));
}

static void test_url(void **state)
{
	static const struct {
		const char *url, *host, *port;
		enum link_protocol protocol;
	} good[] = {
		{"tls://logs.example.com", "logs.example.com", "6514", LINK_TLS},
		{"tcp://192.0.2.1:10514", "192.0.2.1", "10514", LINK_TCP},
		{"udp://[2001:db8::1]", "2001:db8::1", "514", LINK_UDP},
		{"tcp://[2001:db8::1]:601", "2001:db8::1", "601", LINK_TCP},
	};
	static const char *const bad[] = {
		"",
		"logs:514",
		"http://logs",
		"tcp://",
		"tcp://a:0",
		"tcp://a:b",
		"tcp://a:70000",
		"tcp://[::1",
		"tcp://[::1]x",
		"tcp://a b",
		"tcp://a/b:1",
		"tcp://a\"b",
	};
	struct link_target t;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(ship_parse_url(good[i].url, &t, &e), 0);
		assert_string_equal(t.host, good[i].host);
		assert_string_equal(t.port, good[i].port);
		assert_int_equal(t.protocol, good[i].protocol);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(ship_parse_url(bad[i], &t, &e), -EINVAL);
}

static int parse(const char *text, struct ship_config *c)
{
	return ship_parse(text, strlen(text), c, NULL);
}

static void test_config(void **state)
{
	struct ship_config c;

	(void)state;
	assert_int_equal(parse("", &c), -ENOENT);
	assert_int_equal(parse("name=host-0\n", &c), -ENOENT);
	assert_int_equal(parse("url=tcp://a\nname=host-0\nversion=1", &c), 0);
	assert_string_equal(c.name, "host-0");
	assert_string_equal(c.version, "1");
	assert_int_equal(c.trust, SHIP_FLEET);
	assert_int_equal(parse("url=tls://a\nca=public\n", &c), 0);
	assert_int_equal(c.trust, SHIP_PUBLIC);
	assert_int_equal(parse("url=tls://a\nca=sha256:0123456789abcdef0123456789abcdef"
			       "0123456789abcdef0123456789abcdef\n",
			       &c),
			 0);
	assert_int_equal(c.trust, SHIP_FINGERPRINT);
	assert_int_equal(c.target.fingerprint[1], 0x23);
	assert_int_equal(parse("url=tls://a\nca=sha256:01", &c), -EINVAL);
	assert_int_equal(parse("url=tls://a\nca=none", &c), -EINVAL);
}

static void add(struct ring *r, int number)
{
	struct line l = {.time_ns = NOW_NS, .level = LINE_INFO, .source = "hostd"};

	snprintf(l.text, sizeof(l.text), "number=%d", number);
	assert_int_equal(ring_add(r, &l), 0);
}

/* The next line's number, -1 when there is none */
static int next(struct tail *t, uint64_t *lost)
{
	struct line l;
	int r = tail_next(t, &l, lost);

	assert_true(r >= 0);
	return r ? atoi(l.text + strlen("number=")) : -1;
}

/* A reader gets every line in order, over turns of the ring; one that is too slow is told how many it missed */
static void test_tail(void **state)
{
	char path[] = "/tmp/test-syslog-XXXXXX";
	struct tail_at from = {0}, kept;
	struct tail t;
	struct ring r;
	uint64_t lost = 0;
	int dir, n, i;

	(void)state;
	assert_non_null(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY);
	tail_open(&t, dir, &from);
	assert_int_equal(next(&t, &lost), -1); /* no ring yet */
	assert_int_equal(ring_open(&r, dir, 4096, NULL), 0);
	assert_int_equal(next(&t, &lost), -1);
	for (i = 0; i < 500; i++) {
		add(&r, i);
		if (i % 7)
			continue;
		for (n = MAX(i - 6, 0); n <= i; n++)
			assert_int_equal(next(&t, &lost), n);
		assert_int_equal(next(&t, &lost), -1);
	}
	assert_int_equal(lost, 0);
	while (next(&t, &lost) >= 0)
		;
	/* Again from a place that was kept, by another reader */
	kept = t.at;
	add(&r, 500);
	assert_int_equal(next(&t, &lost), 500);
	tail_go(&t, &kept);
	assert_int_equal(next(&t, &lost), 500);
	tail_close(&t);
	tail_open(&t, dir, &kept);
	assert_int_equal(next(&t, &lost), 500);
	/* Overrun: the next one is the oldest there is, and what is missing was counted */
	for (i = 501; i < 1500; i++)
		add(&r, i);
	n = next(&t, &lost);
	while ((i = next(&t, &lost)) >= 0)
		n = i;
	assert_int_equal(n, 1499);
	assert_true(lost > 700 && lost < 1000);
	tail_close(&t);
	tail_open(&t, dir, &kept);
	lost = 0;
	i = next(&t, &lost);
	assert_int_equal(lost, i - 500);
	tail_close(&t);
	ring_close(&r);
	close(dir);
	assert_int_equal(file_remove_tree(AT_FDCWD, path), 0);
}

/* Frames on a stream, what of them was acknowledged, and the end of the other side */
static void test_link(void **state)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(a);
	int server = socket(AF_INET, SOCK_STREAM, 0), client;
	struct link_target target = {.protocol = LINK_TCP, .host = "127.0.0.1"};
	struct err e = ERR_INIT;
	char data[64] = "";
	struct link l;

	(void)state;
	assert_int_equal(bind(server, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(server, (struct sockaddr *)&a, &size), 0);
	snprintf(target.port, sizeof(target.port), "%u", ntohs(a.sin_port));
	assert_true(link_open(&l, &target, &e) < 0); /* nobody listens */
	assert_int_equal(listen(server, 1), 0);
	assert_int_equal(link_open(&l, &target, &e), 0);
	client = accept(server, NULL, NULL);
	assert_int_equal(link_send(&l, "<14>1 - message", 15), 0);
	assert_int_equal(link_send(&l, "x", 1), 0);
	assert_int_equal(fd_read_full(client, data, 21), 0);
	assert_string_equal(data, "15 <14>1 - message1 x");
	assert_true(link_alive(&l));
	for (int i = 0; i < 100 && link_acked(&l) < 21; i++)
		usleep(10000);
	assert_int_equal(link_acked(&l), 21);
	close(client);
	for (int i = 0; i < 100 && link_alive(&l); i++)
		usleep(10000);
	assert_false(link_alive(&l));
	link_close(&l);
	close(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message), cmocka_unit_test(test_url),
		cmocka_unit_test(test_config),	cmocka_unit_test(test_tail),
		cmocka_unit_test(test_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
