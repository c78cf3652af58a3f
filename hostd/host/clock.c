// SPDX-License-Identifier: Apache-2.0
/*
 * A lower bound for the clock, so that certificates are valid on a machine whose battery is dead: the
 * image cannot run before it was built, and the boot service knows the time of day.
 */
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define CLOCK_AHEAD_S 86400 /* so far ahead no certificate of a day is valid any more */
#define CLOCK_SLACK_S 2 /* a network answer is late; less is not worth a step */

int host_clock_floor(uint64_t epoch_s, const char *source)
{
	struct timespec now = {.tv_sec = (time_t)epoch_s};
	uint64_t is_s = clock_real_ns() / 1000000000ULL;

	if (epoch_s <= is_s + CLOCK_SLACK_S)
		return 0;
	if (clock_settime(CLOCK_REALTIME, &now) < 0) {
		int r = -errno;

		log_warn("host", "ev=clock_failed source=%s error=\"%s\"", source, strerror(-r));
		return r;
	}
	log_info("host", "ev=clock_set source=%s seconds=%llu by=%llu", source,
		 (unsigned long long)epoch_s, (unsigned long long)(epoch_s - is_s));
	return 1;
}

int host_clock_boot(uint64_t epoch_s, const char *marker)
{
	struct timespec then = {.tv_sec = (time_t)epoch_s};
	uint64_t is_s = clock_real_ns() / 1000000000ULL;
	_cleanup_fd_ int fd = open(marker, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	/* Once a boot: later the time is an old one, and the clock ntpd's */
	if (fd < 0 || !epoch_s || is_s <= epoch_s + CLOCK_AHEAD_S)
		return host_clock_floor(epoch_s, "boot");
	if (clock_settime(CLOCK_REALTIME, &then) < 0)
		return -errno;
	log_warn("host", "ev=clock_set source=boot seconds=%llu by=-%llu",
		 (unsigned long long)epoch_s, (unsigned long long)(is_s - epoch_s));
	return 1;
}

uint64_t host_clock_image(void)
{
	struct stat st;

	/* The image's files carry the time of the commit that it was built from. */
	return stat("/etc/os-release", &st) == 0 && st.st_mtime > 0 ? (uint64_t)st.st_mtime : 0;
}

uint64_t host_clock_http_date(const char *date)
{
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	char weekday[4], month[4], zone[4];
	struct tm tm = {0};

	if (sscanf(date, "%3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %3[A-Z]", weekday, &tm.tm_mday,
		   month, &tm.tm_year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, zone) != 8 ||
	    !str_eq(zone, "GMT") || tm.tm_year < 2000)
		return 0;
	tm.tm_mon = -1;
	for (int i = 0; i < (int)ARRAY_SIZE(months); i++)
		if (str_eq(months[i], month))
			tm.tm_mon = i;
	if (tm.tm_mon < 0 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
	    tm.tm_min > 59 || tm.tm_sec > 60)
		return 0;
	tm.tm_year -= 1900;
	return (uint64_t)timegm(&tm);
}
