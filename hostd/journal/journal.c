// SPDX-License-Identifier: Apache-2.0
#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

int journal_pipe(const char *path, int *read_fd, int *write_fd, struct err *e)
{
	const int flags = O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC;
	_cleanup_fd_ int from = -1, to = -1;
	struct stat st;

	if (mkfifo(path, 0600) < 0 && errno != EEXIST)
		return err_sys(e, -errno, "make %s", path);
	from = open(path, O_RDONLY | flags);
	if (from < 0 || fstat(from, &st) < 0)
		return err_sys(e, -errno, "open %s", path);
	if (!S_ISFIFO(st.st_mode))
		return err_set(e, -EINVAL, "%s is no pipe", path);
	to = open(path, O_WRONLY | flags);
	if (to < 0)
		return err_sys(e, -errno, "open %s", path);
	(void)fcntl(from, F_SETPIPE_SZ, JOURNAL_PIPE_BYTES); /* less is fine, too */
	*read_fd = take_fd(&from);
	*write_fd = take_fd(&to);
	return 0;
}

int journal_start(const char *run_dir, struct err *e)
{
	_cleanup_free_ char *path = mem_printf("%s/" JOURNAL_DIR "/" JOURNAL_PIPE, run_dir);
	int from,
		r; /* the end to read stays open: without a reader a write would be an error, and a signal */
	_cleanup_fd_ int to = -1;

	r = journal_pipe(path, &from, &to, e);
	if (r < 0)
		return r;
	if (dup2(to, STDOUT_FILENO) < 0 || dup2(to, STDERR_FILENO) < 0)
		return err_sys(e, -errno, "standard error");
	return 0;
}

int journal_tell(const char *run_dir, const char *name, const char *text, struct err *e)
{
	_cleanup_free_ char *path = mem_printf("%s/" JOURNAL_DIR "/%s", run_dir, name);
	struct buf is = BUF_INIT(0);
	int r = file_read(AT_FDCWD, path, &is, NULL);

	if (r < 0 || !str_eq(buf_str(&is), text))
		r = file_write(AT_FDCWD, path, text, strlen(text), 0644, e);
	buf_done(&is);
	return r;
}
