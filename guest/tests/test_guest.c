// SPDX-License-Identifier: Apache-2.0
/* The parts of hyperstart that need no kernel of their own: ring, users, signal names. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ring.h"
#include "signame.h"
#include "user.h"

#define WINDOW 16384

static void ring_keeps_until_credited(void **state)
{
	struct ring *r = mem_alloc(sizeof(*r));
	struct ring_record rec;
	char out[64];

	(void)state;
	assert_true(ring_put(r, 7, "hello ", 6));
	assert_true(ring_put(r, 8, "world", 5));
	assert_false(ring_put(r, 8, "", 0));
	assert_true(ring_next(r, WINDOW, &rec, out, sizeof(out)));
	assert_int_equal(rec.offset, 0);
	assert_int_equal(rec.time_ns, 7);
	assert_memory_equal(out, "hello ", rec.len);
	assert_true(ring_next(r, WINDOW, &rec, out, sizeof(out)));
	assert_int_equal(rec.offset, 6);
	assert_false(ring_next(r, WINDOW, &rec, out, sizeof(out)));
	assert_false(ring_empty(r));

	ring_credit(r, 6);
	ring_credit(r, 2); /* within a record: it stays */
	ring_rewind(r);
	assert_true(ring_next(r, WINDOW, &rec, out, sizeof(out)));
	assert_int_equal(rec.offset, 6);
	assert_memory_equal(out, "world", rec.len);
	ring_credit(r, 1000); /* no more than was sent */
	assert_true(ring_empty(r));
	assert_int_equal(r->credited, 11);
	free(r);
}

static void ring_respects_window(void **state)
{
	struct ring *r = mem_alloc(sizeof(*r));
	struct ring_record rec;
	char out[64];

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(ring_put(r, 0, "0123456789", 10));
	assert_true(ring_next(r, 25, &rec, out, sizeof(out)));
	assert_true(ring_next(r, 25, &rec, out, sizeof(out)));
	assert_false(ring_next(r, 25, &rec, out, sizeof(out)));
	ring_credit(r, 5);
	assert_true(ring_next(r, 25, &rec, out, sizeof(out)));
	assert_int_equal(rec.offset, 20);
	assert_false(ring_next(r, 25, &rec, out, 5));
	free(r);
}

/* Pseudo-random puts, sends, credits and breaks: the output arrives whole and in order. */
static void ring_wraps(void **state)
{
	struct ring *r = mem_alloc(sizeof(*r));
	static uint8_t in[8192], out[8192];
	uint64_t put = 0, kept = 0, seed = 1;
	struct ring_record rec;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t len;

		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		len = 1 + (seed >> 33) % sizeof(in);
		for (size_t i = 0; i < len; i++)
			in[i] = (uint8_t)((put + i) * 31);
		if (ring_put(r, put, in, len))
			put += len;
		else
			assert_true(len > ring_room(r));
		if ((seed >> 20) % 16 == 0)
			ring_rewind(r);
		if (!ring_next(r, WINDOW, &rec, out, sizeof(out)))
			continue;
		assert_int_equal(rec.time_ns, rec.offset);
		for (size_t i = 0; i < rec.len; i++)
			assert_int_equal(out[i], (uint8_t)((rec.offset + i) * 31));
		if (rec.offset == kept) {
			kept += rec.len;
			ring_credit(r, (uint32_t)rec.len);
		}
	}
	assert_true(kept > 50 * RING_BYTES);
	free(r);
}

static void ring_fills(void **state)
{
	struct ring *r = mem_alloc(sizeof(*r));
	static uint8_t data[4096];
	size_t total = 0;

	(void)state;
	while (ring_put(r, 0, data, sizeof(data)))
		total += sizeof(data);
	assert_true(total >= RING_BYTES - 2 * sizeof(data) && ring_room(r) < sizeof(data));
	assert_true(ring_put(r, 0, data, ring_room(r)));
	assert_int_equal(ring_room(r), 0);
	assert_false(ring_put(r, 0, data, 1));
	free(r);
}

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "# comment\n"
			     "broken:x\n"
			     "big:x:99999999999:0::/:/\n"
			     "nginx:x:101:102:nginx user,,,:/var/cache/nginx:/sbin/nologin\n"
			     "nohome:x:5:5\n"
			     "1000:x:7:8::/seven:/bin/sh";
static const char group[] = "root:x:0:\nnginx:x:102:\nlog:x:4:syslog,nginx\n"
			    "adm:x:4:nginx\nother:x:9:nginxx,xnginx\nwww:x:33:root,nginx\n";

static void user_cases(void **state)
{
	static const struct {
		const char *spec;
		uint32_t uid, gid;
		size_t groups;
		const char *home;
	} cases[] = {
		{"", 0, 0, 1, "/root"},
		{"root", 0, 0, 1, "/root"},
		{"nginx", 101, 102, 2, "/var/cache/nginx"},
		{"101", 101, 102, 2, "/var/cache/nginx"},
		{"nginx:www", 101, 33, 0, "/var/cache/nginx"},
		{"nginx:7", 101, 7, 0, "/var/cache/nginx"},
		{"4242", 4242, 0, 0, "/"},
		{"4242:4243", 4242, 4243, 0, "/"},
		{"nohome", 5, 5, 0, "/"},
		{"1000", 7, 8, 0, "/seven"}, /* a name wins over a number */
		{":33", 0, 33, 0, "/root"},
	};
	struct user u;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(user_resolve(passwd, group, cases[i].spec, &u, NULL), 0);
		assert_int_equal(u.uid, cases[i].uid);
		assert_int_equal(u.gid, cases[i].gid);
		assert_int_equal(u.group_count, cases[i].groups);
		assert_string_equal(u.home, cases[i].home);
	}
	assert_int_equal(user_resolve("", "", "", &u, NULL), 0);
	assert_int_equal(u.uid, 0);
	assert_string_equal(u.home, "/");
}

static void user_unknown(void **state)
{
	struct err e = ERR_INIT;
	struct user u;

	(void)state;
	assert_int_equal(user_resolve(passwd, group, "ghost", &u, &e), -ENOENT);
	assert_non_null(strstr(err_msg(&e), "unable to find user ghost"));
	err_clear(&e);
	assert_int_equal(user_resolve(passwd, group, "root:ghosts", &u, &e), -ENOENT);
	assert_non_null(strstr(err_msg(&e), "unable to find group ghosts"));
	assert_int_equal(user_resolve(passwd, group, "big", &u, NULL), -ENOENT);
	assert_int_equal(user_resolve(passwd, group, "4294967295", &u, NULL), -ENOENT);
	assert_int_equal(user_resolve(passwd, group, "-1", &u, NULL), -ENOENT);
}

static void signal_names(void **state)
{
	(void)state;
	assert_int_equal(signame_parse("SIGTERM"), SIGTERM);
	assert_int_equal(signame_parse("QUIT"), SIGQUIT);
	assert_int_equal(signame_parse("9"), SIGKILL);
	assert_int_equal(signame_parse("SIGRTMIN+3"), 37);
	assert_int_equal(signame_parse("RTMAX-1"), 63);
	assert_int_equal(signame_parse("SIGRTMIN+31"), -EINVAL);
	assert_int_equal(signame_parse("0"), -EINVAL);
	assert_int_equal(signame_parse("65"), -EINVAL);
	assert_int_equal(signame_parse("SIG"), -EINVAL);
	assert_int_equal(signame_parse(""), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ring_keeps_until_credited),
		cmocka_unit_test(ring_respects_window),
		cmocka_unit_test(ring_wraps),
		cmocka_unit_test(ring_fills),
		cmocka_unit_test(user_cases),
		cmocka_unit_test(user_unknown),
		cmocka_unit_test(signal_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
