// SPDX-License-Identifier: Apache-2.0
/*
 * A message is as large as the volume, so it is only there while it comes, and a pod without such volumes
 * never has a page of it.
 */
#include "files.h"

#include <errno.h>

#include "atomic.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "volume.h"

#define FILES_MOD "files"

static struct buf files_in = {.cap = GUEST_FILES_PAYLOAD_MAX, .secret = true};
static bool files_dropped; /* the rest of a message that is too long is passed over */

void files_reset(void)
{
	buf_done(&files_in);
	files_dropped = false;
}

static int files_write(const struct guest_files *m, struct err *e)
{
	_cleanup_fd_ int dir = volume_make_files(m->volume, e);
	int r = dir < 0 ? dir : atomic_write(dir, m, e);

	if (r < 0)
		return err_wrap(e, r, "volume %u", (unsigned int)m->volume);
	log_info(FILES_MOD, "ev=files volume=%u generation=%llx count=%u", (unsigned int)m->volume,
		 (unsigned long long)m->generation, m->count);
	return 0;
}

int files_frame(const struct guest_frame *f, struct err *e)
{
	_cleanup_free_ struct guest_file *store = NULL;
	struct guest_files m;
	int r = 0;

	if (!files_dropped)
		r = buf_append(&files_in, f->payload, f->len);
	if (r < 0) {
		buf_done(&files_in);
		files_dropped = f->stream;
		return err_sys(e, r, "take the files of a volume");
	}
	if (f->stream)
		return 0;
	if (files_dropped) {
		files_dropped = false;
		return 0;
	}
	store = mem_array(GUEST_FILES_MAX, sizeof(*store));
	r = guest_files_decode(files_in.data, files_in.len, &m, store, e);
	if (r == 0)
		r = files_write(&m, e);
	buf_done(&files_in);
	return r;
}
