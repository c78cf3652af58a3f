// SPDX-License-Identifier: Apache-2.0
/*
 * hostd-lease: what udhcpc and udhcpc6 run when something happened. It writes down what they say in their environment,
 * whole and in one step; hostd, which watches the folder, judges and applies it.
 *
 * A lost lease is not written down: the address was given for a time, which hostd tells the kernel, and until then it
 * is kept, so that a server that is away for a moment, or a client that is started again, cuts no connection.
 *
 * ntpd runs it, too, and it says what became of the clock.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#include <fcntl.h>

#define LEASE_FILE_MAX 4096 /* as hostd reads it */
#define LEASE_FOR_EVER UINT32_MAX /* RFC 2131, 3.3 */

static int lease_usage(void)
{
	return puts("usage: HYPER_LEASE=FILE hostd-lease deconfig|bound|renew|…\n"
		    "Started by udhcpc and udhcpc6 with a lease in the environment: writes it to FILE, a line KEY=VALUE\n"
		    "each, for hostd. Events that bring no lease are passed over. Started by ntpd, it logs what became\n"
		    "of the clock.") < 0;
}

/* Values come from the network: what does not belong into a line of words becomes '?', which no reader takes */
static int lease_put(struct buf *b, const char *key)
{
	const char *value = getenv(key);
	int r;

	if (!value || !*value)
		return 0;
	r = buf_printf(b, "%s=", key);
	for (; r == 0 && *value; value++) {
		char c = *value;

		if (c < ' ' || c > '~')
			c = '?';
		r = buf_append(b, &c, 1);
	}
	return r < 0 ? r : buf_append(b, "\n", 1);
}

static int lease_write(const char *path, struct err *e)
{
	static const char *const keys[] = {"ip",	   "ipv6",     "mask",	   "router",
					   "staticroutes", "dns",      "mtu",	   "ntpsrv",
					   "domain",	   "bootfile", "boot_file"};
	const char *life = getenv("lease");
	struct buf b = BUF_INIT(LEASE_FILE_MAX);
	uint64_t seconds;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(keys); i++)
		r = lease_put(&b, keys[i]);
	if (r == 0 && life && str_u64(life, UINT32_MAX, &seconds) == 0 && seconds < LEASE_FOR_EVER)
		r = buf_printf(&b, "until=%llu\n",
			       (unsigned long long)(clock_mono_ms() / 1000 + seconds));
	r = r < 0 ? err_sys(e, r, "lease") : file_write(AT_FDCWD, path, b.data, b.len, 0644, e);
	buf_done(&b);
	return r;
}

/* Whether it was ntpd's */
static bool lease_clock(const char *event)
{
	const char *offset = getenv("offset"), *stratum = getenv("stratum");
	char safe[2][32];

	if (!offset || !stratum)
		return false;
	if (!str_eq(event, "periodic"))
		log_info("clock", "ev=clock_ntp event=%s offset_s=%s stratum=%s",
			 str_eq(event, "step") ? "step" : "slew",
			 str_printable(safe[0], sizeof(safe[0]), offset),
			 str_printable(safe[1], sizeof(safe[1]), stratum));
	return true;
}

int main(int argc, char **argv)
{
	const char *path = getenv("HYPER_LEASE");
	struct err e = ERR_INIT;

	log_init("hostd-lease");
	if (argc == 2 && str_eq(argv[1], "--help"))
		return lease_usage();
	if (argc == 2 && !path && lease_clock(argv[1]))
		return 0;
	if (argc < 2 || !path) {
		fprintf(stderr, "hostd-lease: no event, or no HYPER_LEASE; see --help\n");
		return 2;
	}
	if (!str_eq(argv[1], "bound") && !str_eq(argv[1], "renew"))
		return 0;
	if (lease_write(path, &e) < 0) {
		fprintf(stderr, "hostd-lease: %s\n", err_msg(&e));
		return 1;
	}
	return 0;
}
