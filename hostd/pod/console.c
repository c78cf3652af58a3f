// SPDX-License-Identifier: Apache-2.0
/*
 * What the guest's kernel said last is the only witness of a panic. The end of it goes to hostd's log, the
 * panic and what led to it into the pod's message.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "pod/impl.h"

#define CONSOLE_SHOWN_BYTES  2000
#define CONSOLE_BEFORE_BYTES 240

/* "panic: Kernel panic - not syncing: …; before that: LINE | LINE" from text with '\n' between the lines */
static void console_words(struct pod *p, const char *text)
{
	const char *panic = strstr(text, "Kernel panic"), *start, *from;
	char before[CONSOLE_BEFORE_BYTES + 1];
	size_t n = 0;

	if (!panic)
		return;
	for (start = panic; start > text && start[-1] != '\n';)
		start--;
	from = start - text > CONSOLE_BEFORE_BYTES ? start - CONSOLE_BEFORE_BYTES : text;
	while (from > text && from < start && from[-1] != '\n')
		from++;
	for (; from < start; from++)
		before[n++] = *from == '\n' ? '|' : *from;
	before[n] = '\0';
	snprintf(p->vm_words, sizeof(p->vm_words), "panic: %.*s%s%s", (int)strcspn(panic, "\n"),
		 panic, n ? "; before that: " : "", before);
}

void console_show(struct pod *p)
{
	struct buf b = BUF_INIT(VM_CONSOLE_MAX_BYTES + 1), shown = BUF_INIT(0);
	char path[PATH_MAX], safe[POD_MESSAGE_MAX], *line, *save = NULL;
	int r;

	snprintf(path, sizeof(path), "%s/vm/console.log", p->dir);
	r = file_read(AT_FDCWD, path, &b, NULL);
	if (r == 0 && b.len) {
		line = b.data + (b.len > CONSOLE_SHOWN_BYTES ? b.len - CONSOLE_SHOWN_BYTES : 0);
		for (line = strtok_r(line, "\r\n", &save); line && r == 0;
		     line = strtok_r(NULL, "\r\n", &save)) {
			str_printable(safe, sizeof(safe), line);
			log_warn("pod", "ev=vm_console uid=%s text=\"%s\"", p->meta.uid, safe);
			r = buf_printf(&shown, "%s\n", safe);
		}
		if (!*p->vm_words && shown.len)
			console_words(p, shown.data);
	}
	buf_done(&b);
	buf_done(&shown);
}
