/* SPDX-License-Identifier: Apache-2.0 */
/* Strings: bounded copies, strict numbers, hex, query strings, and text that is safe to print. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool str_eq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/** str_starts() - The rest of @s behind @prefix, or NULL */
static inline const char *str_starts(const char *s, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(s, prefix, len) == 0 ? s + len : NULL;
}

/** str_ends() - Whether @s ends with @suffix */
bool str_ends(const char *s, const char *suffix);

/**
 * str_copy() - Copy into a fixed array, always NUL-terminated
 * Return: 0; -ENAMETOOLONG when it was cut.
 */
int str_copy(char *dst, size_t size, const char *src);

/**
 * str_u64() - Parse a whole string as an unsigned decimal number
 * Return: 0; -EINVAL for empty, signs, spaces, other characters; -ERANGE above @max.
 */
int str_u64(const char *s, uint64_t max, uint64_t *value);

/** str_hex() - Lower-case hex of @len bytes; @out has 2 * @len + 1 bytes. Return: @out */
char *str_hex(char *out, const void *data, size_t len);

/**
 * str_word() - What follows @prefix in the first word of a text that begins with it
 *
 * Words are separated by blanks, tabs and line ends, as on a kernel command line.
 *
 * Return: into @text, or NULL when there is no such word.
 */
const char *str_word(const char *text, const char *prefix);

/** str_has_word() - Whether a text has this word */
bool str_has_word(const char *text, const char *word);

/**
 * str_percent_decode() - Undo percent-encoding in place (RFC 3986 §2.1)
 * @plus: '+' is a blank
 * Return: 0; -EINVAL when it is malformed, or encodes a NUL: texts end there.
 */
int str_percent_decode(char *s, bool plus);

/**
 * str_percent_encode() - Percent-encode a path segment or a query's value
 *
 * Everything but what is unreserved (RFC 3986 §2.3) is encoded.
 *
 * Return: to be freed.
 */
char *str_percent_encode(const char *s);

/**
 * str_query_next() - The next pair of a query string, decoded in place
 * @rest:  moves on; empty pairs are passed over
 * @value: "" when there is none
 * Return: 1; 0 at the end; -EINVAL.
 */
int str_query_next(char **rest, const char **key, const char **value);

/**
 * str_query_flag() - Whether a flag in a query of the Kubernetes API is set
 * @value: NULL when it is not there; all but "0" and "false", in any case, sets it
 */
bool str_query_flag(const char *value);

/** str_unhex() - Exactly @len bytes from 2 * @len hex digits and nothing after. Return: 0 or -EINVAL */
int str_unhex(void *out, size_t len, const char *hex);

/**
 * str_printable() - Make foreign text safe inside a quoted value of a log line
 * @out:  receives @in with control characters, quotes and backslashes as \xNN, cut to fit
 * Return: @out.
 */
char *str_printable(char *out, size_t size, const char *in);

/**
 * str_visible() - Make foreign text safe for a terminal
 * @out:  receives @in with control characters as \xNN, cut to fit
 * Return: @out.
 */
char *str_visible(char *out, size_t size, const char *in);

/** str_trim() - Cut white space at both ends, in place. Return: the first character kept */
char *str_trim(char *s);

#endif
