// SPDX-License-Identifier: Apache-2.0
/*
 * How a container's run ended, with the termination message that goes with it. The message is the
 * container's own text: any bytes up to its cap, made fit for a status here; what is no UTF-8 in it
 * is replaced when the JSON is built.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "pod/impl.h"

/* As a kubelet has it for FallbackToLogsOnError */
#define ENDING_LOG_BYTES 2048
#define ENDING_LOG_LINES 80
/* What is read of a log: enough for that much, with what stands before each line */
#define ENDING_READ (2 * GUEST_LOG_DATA_MAX)

static size_t ending_cap(const struct pod *p)
{
	return MIN(GUEST_TERMINATION_MAX,
		   GUEST_TERMINATION_POD_MAX / MAX(p->spec->container_count, 1U));
}

void ending_set_message(struct pod *p, uint32_t index, const void *bytes, size_t len)
{
	struct pod_container *c = &p->containers[index];

	free(c->end_message);
	c->end_message = NULL;
	len = MIN(len, ending_cap(p));
	if (!len)
		return;
	c->end_message = mem_alloc(len + 1);
	memcpy(c->end_message, bytes, len);
	for (char *nul; (nul = memchr(c->end_message, '\0', len));)
		*nul = ' ';
}

bool ending_is_final(const struct pod *p, uint32_t index)
{
	const struct pod_container *c = &p->containers[index];

	return p->spec->restart == GUEST_RESTART_ON_FAILURE && !p->spec->containers[index].init &&
	       c->finished && c->end.is_set && !c->end.code;
}

void ending_keep_last(struct pod_container *c)
{
	if (!c->end.is_set)
		return;
	c->last = c->end;
	free(c->last_message);
	c->last_message = c->end_message ? mem_strdup(c->end_message) : NULL;
}

void ending_free(struct pod_container *c)
{
	free(c->end_message);
	free(c->last_message);
	c->end_message = c->last_message = NULL;
}

/* Takes the text out of entries: "2026-01-02T03:04:05.123456789Z stdout F text". Return: its length, in place */
static size_t ending_texts(char *data, size_t len)
{
	char *to = data, *end = data + len, *line = data, *next;

	for (; line < end; line = next) {
		char *stream = memchr(line, ' ', (size_t)(end - line));
		char *tag = stream ? memchr(stream + 1, ' ', (size_t)(end - stream - 1)) : NULL;
		char *nl = memchr(line, '\n', (size_t)(end - line));
		size_t n;

		next = nl ? nl + 1 : end;
		if (!nl || !tag || tag + 3 > nl)
			continue;
		n = (size_t)(nl - (tag + 3)) + (tag[1] == 'F');
		memmove(to, tag + 3, n);
		to += n;
	}
	return (size_t)(to - data);
}

static const char *ending_tail(const char *text, size_t *len)
{
	const char *end = text + *len, *begin = end;
	int lines = 0;

	while (begin > text && end - begin < ENDING_LOG_BYTES) {
		if (begin[-1] == '\n' && begin != end && ++lines == ENDING_LOG_LINES)
			break;
		begin--;
	}
	*len = (size_t)(end - begin);
	return begin;
}

void ending_take_log(struct pod *p, uint32_t index)
{
	_cleanup_free_ char *data = mem_alloc(ENDING_READ);
	_cleanup_fd_ int fd = -1;
	const char *text;
	char path[PATH_MAX], *line;
	struct stat st;
	ssize_t n = 0;
	size_t len;

	logs_path(p, p->spec->containers[index].name, ".log", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0)
		n = pread(fd, data, ENDING_READ, MAX(st.st_size - ENDING_READ, 0));
	if (n <= 0)
		return;
	line = data;
	if (st.st_size > ENDING_READ) {
		line = memchr(data, '\n', (size_t)n);
		line = line ? line + 1 : data + n;
	}
	len = ending_texts(line, (size_t)(data + n - line));
	text = ending_tail(line, &len);
	ending_set_message(p, index, text, len);
}
