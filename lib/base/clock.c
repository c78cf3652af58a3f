// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#define NS_PER_S 1000000000ULL

uint64_t clock_mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t clock_mono_ms(void)
{
	return clock_mono_ns() / 1000000;
}

uint64_t clock_real_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static size_t clock_seconds(char *out, int64_t epoch_s)
{
	time_t t = (time_t)epoch_s;
	struct tm tm;

	if (!gmtime_r(&t, &tm)) {
		t = 0;
		gmtime_r(&t, &tm);
	}
	return strftime(out, CLOCK_RFC3339_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
}

char *clock_rfc3339(char *out, int64_t epoch_s)
{
	size_t len = clock_seconds(out, epoch_s);

	snprintf(out + len, CLOCK_RFC3339_MAX - len, "Z");
	return out;
}

char *clock_rfc3339_micro(char *out, uint64_t epoch_ns)
{
	size_t len = clock_seconds(out, (int64_t)(epoch_ns / NS_PER_S));

	snprintf(out + len, CLOCK_RFC3339_MAX - len, ".%06uZ",
		 (unsigned int)(epoch_ns % NS_PER_S / 1000));
	return out;
}

char *clock_rfc3339_nano(char *out, uint64_t epoch_ns)
{
	size_t len = clock_seconds(out, (int64_t)(epoch_ns / NS_PER_S));

	snprintf(out + len, CLOCK_RFC3339_MAX - len, ".%09uZ", (unsigned int)(epoch_ns % NS_PER_S));
	return out;
}

static bool clock_digits(const char **s, int count, int *value)
{
	*value = 0;
	while (count--) {
		if (**s < '0' || **s > '9')
			return false;
		*value = *value * 10 + (*(*s)++ - '0');
	}
	return true;
}

static bool clock_literal(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

static uint64_t clock_fraction(const char **s)
{
	uint64_t ns = 0, unit = NS_PER_S / 10;

	while (**s >= '0' && **s <= '9') {
		ns += (uint64_t)(*(*s)++ - '0') * unit;
		unit /= 10;
	}
	return ns;
}

static bool clock_offset(const char **s, int *offset_s)
{
	int sign = **s == '-' ? -1 : 1, h, m;

	*offset_s = 0;
	if (clock_literal(s, 'Z'))
		return true;
	if (**s != '+' && **s != '-')
		return false;
	(*s)++;
	if (!clock_digits(s, 2, &h) || !clock_literal(s, ':') || !clock_digits(s, 2, &m))
		return false;
	*offset_s = sign * (h * 3600 + m * 60);
	return h < 24 && m < 60;
}

int clock_parse_rfc3339(const char *s, uint64_t *epoch_ns)
{
	struct tm tm = {0};
	uint64_t ns = 0;
	int offset_s;
	int64_t t;

	if (!clock_digits(&s, 4, &tm.tm_year) || !clock_literal(&s, '-') ||
	    !clock_digits(&s, 2, &tm.tm_mon) || !clock_literal(&s, '-') ||
	    !clock_digits(&s, 2, &tm.tm_mday) || !clock_literal(&s, 'T') ||
	    !clock_digits(&s, 2, &tm.tm_hour) || !clock_literal(&s, ':') ||
	    !clock_digits(&s, 2, &tm.tm_min) || !clock_literal(&s, ':') ||
	    !clock_digits(&s, 2, &tm.tm_sec))
		return -EINVAL;
	if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
	    tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return -EINVAL;
	if (clock_literal(&s, '.'))
		ns = clock_fraction(&s);
	if (!clock_offset(&s, &offset_s) || *s)
		return -EINVAL;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	t = (int64_t)timegm(&tm) - offset_s;
	if (t < 0)
		return -EINVAL;
	*epoch_ns = (uint64_t)t * NS_PER_S + ns;
	return 0;
}
