// SPDX-License-Identifier: Apache-2.0
/*
 * A quantity is a decimal mantissa, a power of ten or of 1024, and a scale: all of it is kept in one
 * 128-bit integer and one power of ten, so that no rounding happens before the last division.
 */
#include "base/quantity.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

__extension__ typedef unsigned __int128 quantity_wide;

#define MANTISSA_DIGITS_MAX 17 /* mantissa * 2^60 * 1000 stays below 2^128 */

struct suffix {
	const char *text;
	int exp10, exp2;
};

static const struct suffix suffixes[] = {
	{"", 0, 0},    {"n", -9, 0},  {"u", -6, 0},  {"m", -3, 0},  {"k", 3, 0},   {"M", 6, 0},
	{"G", 9, 0},   {"T", 12, 0},  {"P", 15, 0},  {"E", 18, 0},  {"Ki", 0, 10}, {"Mi", 0, 20},
	{"Gi", 0, 30}, {"Ti", 0, 40}, {"Pi", 0, 50}, {"Ei", 0, 60},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The text behind the number: a suffix of the table, or e and a signed exponent. */
static int read_suffix(const char *s, int *exp10, int *exp2)
{
	bool negative = false;
	int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		if (strcmp(s, suffixes[i].text) == 0) {
			*exp10 += suffixes[i].exp10;
			*exp2 = suffixes[i].exp2;
			return 0;
		}
	}
	if (*s != 'e' && *s != 'E')
		return -EINVAL;
	s++;
	if (*s == '+' || *s == '-')
		negative = *s++ == '-';
	if (!is_digit(*s))
		return -EINVAL;
	for (; is_digit(*s); s++) {
		if (n < 1000)
			n = n * 10 + (*s - '0');
	}
	if (*s)
		return -EINVAL;
	*exp10 += negative ? -n : n;
	return 0;
}

int quantity_parse(const char *s, unsigned int scale, int64_t *value)
{
	int exp10 = 0, exp2 = 0, digits = 0, r;
	bool negative = false, fraction = false, any = false, rest = false;
	quantity_wide v = 0;

	if (*s == '+' || *s == '-')
		negative = *s++ == '-';
	for (; is_digit(*s) || (*s == '.' && !fraction); s++) {
		if (*s == '.') {
			fraction = true;
			continue;
		}
		any = true;
		if (digits < MANTISSA_DIGITS_MAX) {
			v = v * 10 + (quantity_wide)(*s - '0');
			digits += v != 0;
			exp10 -= fraction;
		} else {
			rest |= *s != '0';
			exp10 += !fraction;
		}
	}
	if (!any)
		return -EINVAL;
	r = read_suffix(s, &exp10, &exp2);
	if (r < 0)
		return r;
	v = (v << exp2) * scale;
	for (; exp10 > 0 && v && v <= INT64_MAX; exp10--)
		v *= 10;
	for (; exp10 < 0 && v; exp10++) {
		rest |= v % 10 != 0;
		v /= 10;
	}
	v += rest;
	if (v > INT64_MAX)
		v = INT64_MAX;
	*value = negative ? -(int64_t)v : (int64_t)v;
	return 0;
}

int64_t quantity_add(int64_t a, int64_t b)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return a < 0 ? INT64_MIN : INT64_MAX;
	return sum;
}
