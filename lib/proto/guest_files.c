// SPDX-License-Identifier: Apache-2.0
/*
 * FILES: the contents of one volume. As with RUN, the encoder has the decoder check what it made: both
 * ends keep the same rules, and a guest never has to refuse what its own host sent.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "proto/guest_frame.h"

#define FILES_MODE_MAX 0777

bool guest_path_valid(const char *path)
{
	for (;;) {
		size_t len = strcspn(path, "/");

		if (!len || len > GUEST_NAME_MAX || (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (!path[len])
			return true;
		path += len + 1;
	}
}

static void put_files(struct wire_writer *w, const struct guest_files *m)
{
	wire_put_u16(w, m->volume);
	wire_put_u64(w, m->generation);
	wire_put_u32(w, m->group);
	wire_put_u32(w, m->count);
	for (uint32_t i = 0; i < m->count && i <= GUEST_FILES_MAX; i++) {
		const struct guest_file *f = &m->files[i];

		wire_put_str(w, f->path);
		wire_put_u16(w, f->mode);
		wire_put_u32(w, f->uid);
		wire_put_u32(w, f->len);
		wire_put_bytes(w, f->data, f->len);
	}
}

/* Return: bytes of the payload, or -E2BIG */
static long files_count(const struct guest_files *m, struct err *e)
{
	struct wire_writer w;

	if (m->count > GUEST_FILES_MAX)
		return err_set(e, -E2BIG, "more than %d files in a volume", GUEST_FILES_MAX);
	wire_write(&w, NULL, GUEST_FILES_PAYLOAD_MAX);
	put_files(&w, m);
	return w.failed ? err_set(e, -E2BIG, "the volume's files exceed %d MiB",
				  GUEST_FILES_BYTES_MAX >> 20)
			: (long)w.len;
}

long guest_files_room(const struct guest_files *m, struct err *e)
{
	long len = files_count(m, e);

	return len < 0 ? len : (long)GUEST_FRAMES_BYTES((size_t)len);
}

long guest_files_encode(const struct guest_files *m, void *out, size_t size, struct err *e)
{
	_cleanup_free_ struct guest_file *store = NULL;
	long len = files_count(m, e);
	struct guest_files check;
	struct wire_writer w;
	int r;

	if (len < 0)
		return len;
	if (size < GUEST_FRAMES_BYTES((size_t)len))
		return err_set(e, -ENOBUFS, "files: no room");
	wire_write(&w, (uint8_t *)out + frame_heads((size_t)len), (size_t)len);
	put_files(&w, m);
	store = mem_array(GUEST_FILES_MAX, sizeof(*store));
	r = guest_files_decode(w.data, w.len, &check, store, e);
	return r < 0 ? r : frame_split(out, w.data, w.len, GUEST_MSG_FILES);
}

static int check_file(const struct guest_file *f, uint32_t i, struct err *e)
{
	if (!guest_path_valid(f->path) || strncmp(f->path, "..", 2) == 0)
		return err_set(e, -EINVAL, "file %u: bad path", i);
	if (f->mode > FILES_MODE_MAX)
		return err_set(e, -EINVAL, "file %u: bad mode", i);
	return 0;
}

int guest_files_decode(const void *data, size_t len, struct guest_files *m,
		       struct guest_file *store, struct err *e)
{
	struct wire_reader r;
	size_t total = 0;
	int result = 0;

	wire_read(&r, data, len);
	*m = (struct guest_files){.volume = wire_u16(&r)};
	m->generation = wire_u64(&r);
	m->group = wire_u32(&r);
	m->count = wire_count(&r, GUEST_FILES_MAX);
	m->files = store;
	for (uint32_t i = 0; i < m->count; i++) {
		store[i].path = wire_str(&r, GUEST_PATH_LEN_MAX);
		store[i].mode = wire_u16(&r);
		store[i].uid = wire_u32(&r);
		store[i].len = wire_u32(&r);
		store[i].data = wire_bytes(&r, store[i].len);
		total += store[i].len;
	}
	if (!wire_ok(&r))
		return err_set(e, -EBADMSG, "files: cut short, or a field beyond its limit");
	if (m->volume >= GUEST_VOLUMES_MAX)
		return err_set(e, -EINVAL, "files: no volume %u", (unsigned int)m->volume);
	if (total > GUEST_FILES_BYTES_MAX)
		return err_set(e, -EINVAL, "the volume's files exceed %d MiB",
			       GUEST_FILES_BYTES_MAX >> 20);
	for (uint32_t i = 0; i < m->count && result == 0; i++)
		result = check_file(&store[i], i, e);
	return result;
}
