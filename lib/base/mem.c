// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void *mem_array(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);

	if (!p)
		abort();
	return p;
}

void *mem_alloc(size_t size)
{
	return mem_array(1, size);
}

char *mem_strndup(const char *s, size_t len)
{
	char *p;

	len = strnlen(s, len);
	p = mem_array(len + 1, 1);
	memcpy(p, s, len);
	return p;
}

char *mem_strdup(const char *s)
{
	return mem_strndup(s, strlen(s));
}

char *mem_printf(const char *fmt, ...)
{
	char *p = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&p, fmt, ap);
	va_end(ap);
	if (len < 0)
		abort();
	return p;
}

void mem_wipe(void *p, size_t len)
{
	explicit_bzero(p, len);
}

char *mem_free_secret(char *s)
{
	if (s)
		mem_wipe(s, strlen(s));
	free(s);
	return NULL;
}
