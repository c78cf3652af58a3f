// SPDX-License-Identifier: Apache-2.0
#include "oci/challenge.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

static bool is_token(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *skip(const char *s, const char *set)
{
	return s + strspn(s, set);
}

static size_t token_length(const char *s)
{
	size_t len = 0;

	while (is_token(s[len]))
		len++;
	return len;
}

/* Reads a token or a quoted string behind '='. Return: the rest, NULL if it is malformed or too long */
static const char *take_value(const char *s, char *out, size_t size)
{
	size_t len = 0;

	if (*s != '"') {
		size_t n = token_length(s);

		if (n == 0 || n >= size)
			return NULL;
		memcpy(out, s, n);
		out[n] = '\0';
		return s + n;
	}
	for (s++; *s != '"'; s++) {
		if (*s == '\\')
			s++;
		if (!*s || (unsigned char)*s < 0x20 || len + 1 >= size)
			return NULL;
		out[len++] = *s;
	}
	out[len] = '\0';
	return s + 1;
}

static int challenge_keep(struct oci_challenge *c, const char *name, size_t len, const char *value)
{
	if (len == 5 && strncasecmp(name, "realm", len) == 0)
		return str_copy(c->realm, sizeof(c->realm), value);
	if (len == 7 && strncasecmp(name, "service", len) == 0)
		return str_copy(c->service, sizeof(c->service), value);
	if (len == 5 && strncasecmp(name, "scope", len) == 0)
		return str_copy(c->scope, sizeof(c->scope), value);
	return 0;
}

int oci_challenge_parse(const char *header, struct oci_challenge *challenge)
{
	bool bearer = false, found = false;
	const char *s = skip(header, " \t,");

	*challenge = (struct oci_challenge){0};
	while (*s) {
		char value[1024];
		size_t len = token_length(s);
		const char *after = skip(s + len, " \t");

		if (len == 0)
			return -EINVAL;
		if (*after == '=' && (after == s + len || found)) {
			/* A parameter of the present scheme */
			after = take_value(skip(after + 1, " \t"), value, sizeof(value));
			if (!after)
				return -EINVAL;
			if (bearer && challenge_keep(challenge, s, len, value) < 0)
				return -EINVAL;
		} else {
			/* A scheme; the first Bearer is taken */
			if (bearer)
				break;
			bearer = found = len == 6 && strncasecmp(s, "bearer", len) == 0;
		}
		s = skip(after, " \t,");
	}
	if (!found)
		return -ENOENT;
	return str_starts(challenge->realm, "https://") || str_starts(challenge->realm, "http://")
		       ? 0
		       : -EINVAL;
}

static int url_add(char *url, size_t size, const char *key, const char *value)
{
	_cleanup_free_ char *encoded = str_percent_encode(value);
	size_t len = strlen(url);
	int n;

	if (!*value)
		return 0;
	n = snprintf(url + len, size - len, "%c%s=%s", strchr(url, '?') ? '&' : '?', key, encoded);
	return n < 0 || (size_t)n >= size - len ? -E2BIG : 0;
}

int oci_challenge_url(const struct oci_challenge *challenge, char *url, size_t size)
{
	int r = str_copy(url, size, challenge->realm);

	if (r == 0)
		r = url_add(url, size, "service", challenge->service);
	if (r == 0)
		r = url_add(url, size, "scope", challenge->scope);
	return r < 0 ? -E2BIG : 0;
}
