// SPDX-License-Identifier: Apache-2.0
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "base/mem.h"

bool str_ends(const char *s, const char *suffix)
{
	size_t len = strlen(s), n = strlen(suffix);

	return len >= n && memcmp(s + len - n, suffix, n) == 0;
}

int str_copy(char *dst, size_t size, const char *src)
{
	size_t len = strnlen(src, size);

	if (len == size) {
		memcpy(dst, src, size - 1);
		dst[size - 1] = '\0';
		return -ENAMETOOLONG;
	}
	memcpy(dst, src, len + 1);
	return 0;
}

int str_u64(const char *s, uint64_t max, uint64_t *value)
{
	uint64_t v = 0;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		unsigned int digit = (unsigned int)(*s - '0');

		if (*s < '0' || *s > '9')
			return -EINVAL;
		if (v > (max - MIN(digit, max)) / 10 || digit > max)
			return -ERANGE;
		v = v * 10 + digit;
	}
	*value = v;
	return 0;
}

char *str_hex(char *out, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = data;
	char *o = out;

	while (len--) {
		*o++ = digits[*p >> 4];
		*o++ = digits[*p++ & 15];
	}
	*o = '\0';
	return out;
}

static int str_nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int str_percent_decode(char *s, bool plus)
{
	char *out = s;

	for (; *s; s++) {
		int high, low;

		if (*s != '%') {
			*out++ = *s == '+' && plus ? ' ' : *s;
			continue;
		}
		high = str_nibble(s[1]);
		low = high < 0 ? -1 : str_nibble(s[2]);
		if (low < 0 || (high == 0 && low == 0))
			return -EINVAL;
		*out++ = (char)(high << 4 | low);
		s += 2;
	}
	*out = '\0';
	return 0;
}

const char *str_word(const char *text, const char *prefix)
{
	static const char between[] = " \t\n";

	for (text += strspn(text, between); *text; text += strspn(text, between)) {
		const char *rest = str_starts(text, prefix);

		if (rest)
			return rest;
		text += strcspn(text, between);
	}
	return NULL;
}

bool str_has_word(const char *text, const char *word)
{
	while ((text = str_word(text, word))) {
		if (!*text || strchr(" \t\n", *text))
			return true;
		text += strcspn(text, " \t\n");
	}
	return false;
}

char *str_percent_encode(const char *s)
{
	char *out = mem_array(strlen(s) * 3 + 1, 1), *o = out;

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    strchr("-._~", c))
			*o++ = (char)c;
		else
			o += sprintf(o, "%%%02X", c);
	}
	return out;
}

int str_query_next(char **rest, const char **key, const char **value)
{
	char *pair, *text;

	do
		pair = strsep(rest, "&");
	while (pair && !*pair);
	if (!pair)
		return 0;
	text = strchr(pair, '=');
	if (text)
		*text++ = '\0';
	if (str_percent_decode(pair, true) < 0 || (text && str_percent_decode(text, true) < 0))
		return -EINVAL;
	*key = pair;
	*value = text ? text : "";
	return 1;
}

bool str_query_flag(const char *value)
{
	return value && !str_eq(value, "0") && strcasecmp(value, "false") != 0;
}

int str_unhex(void *out, size_t len, const char *hex)
{
	unsigned char *o = out;

	while (len--) {
		int high = str_nibble(hex[0]);
		int low = high < 0 ? -1 : str_nibble(hex[1]);

		if (low < 0)
			return -EINVAL;
		*o++ = (unsigned char)(high << 4 | low);
		hex += 2;
	}
	return *hex ? -EINVAL : 0;
}

static char *str_escape(char *out, size_t size, const char *in, const char *also)
{
	size_t n = 0;

	for (; *in; in++) {
		unsigned char c = (unsigned char)*in;
		bool plain = c >= 0x20 && c != 0x7f && !strchr(also, c);

		if (n + (plain ? 1 : 4) >= size)
			break;
		if (plain)
			out[n++] = (char)c;
		else
			n += (size_t)snprintf(out + n, size - n, "\\x%02x", c);
	}
	out[n] = '\0';
	return out;
}

char *str_printable(char *out, size_t size, const char *in)
{
	return str_escape(out, size, in, "\"\\");
}

char *str_visible(char *out, size_t size, const char *in)
{
	return str_escape(out, size, in, "");
}

char *str_trim(char *s)
{
	size_t len;

	while (isspace((unsigned char)*s))
		s++;
	len = strlen(s);
	while (len && isspace((unsigned char)s[len - 1]))
		len--;
	s[len] = '\0';
	return s;
}
