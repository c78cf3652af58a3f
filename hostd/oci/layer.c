// SPDX-License-Identifier: Apache-2.0
/*
 * A layer passes through once and lies nowhere in between (mkfs.erofs writes files where they stay when
 * it need not sort them nor pack their ends, «--sort=none -E^inline_data»):
 *
 *	registry ─► SHA-256 of the blob ─► gzip/zstd ─► SHA-256 of the tar ─► mkfs.erofs
 *
 * Both digests are known at the end only, so the file counts for nothing until then. The same tar
 * always gives the same bytes: fixed UUID, the tar's own times, no compression, blocks of 4096 bytes
 * whatever the page size is. mkfs.erofs also turns the whiteouts of the layer into overlayfs's.
 */
#include "oci/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "oci/digest.h"
#include "oci/inflate.h"

#define LAYER_UUID  "6c617965-7200-4000-8000-000000000000"
#define LAYER_WORDS 160

struct layer {
	const struct oci_descriptor *blob;
	struct oci_hash *blob_hash, *tar_hash;
	struct oci_inflate *inflate;
	uint64_t blob_bytes;
	struct proc mkfs;
	int to_mkfs; /* -1: it has read enough */
	int from_mkfs; /* its words */
	struct err why; /* the first thing that went wrong, in better words than errno's */
};

static int layer_start_mkfs(struct layer *l, const char *path, const char *mkfs, struct err *e)
{
	const char *const argv[] = {
		mkfs,	  "--quiet", "--tar=f",	    "--aufs", "--sort=none", "-E^inline_data",
		"-b4096", "-T0",     "--mkfs-time", "-U",     LAYER_UUID,    path,
		NULL,
	};
	_cleanup_fd_ int tar_read = -1, tar_write = -1, words_read = -1, words_write = -1;
	int tar[2], words[2], fds[3], r;
	struct proc_spec spec = {.argv = argv, .fds = fds, .fd_count = 3, .cgroup_fd = -1};

	if (pipe2(tar, O_CLOEXEC) < 0)
		return err_sys(e, -errno, "pipe");
	tar_read = tar[0];
	tar_write = tar[1];
	if (pipe2(words, O_CLOEXEC) < 0)
		return err_sys(e, -errno, "pipe");
	words_read = words[0];
	words_write = words[1];
	fcntl(tar_write, F_SETPIPE_SZ, 1 << 20);
	/* Its words are read at its end: more than the pipe takes are lost, and it never waits for us. */
	fd_nonblock(words_write);
	fds[0] = tar_read;
	fds[1] = -1;
	fds[2] = words_write;
	r = proc_spawn(&spec, &l->mkfs, e);
	if (r < 0)
		return r;
	l->to_mkfs = take_fd(&tar_write);
	l->from_mkfs = take_fd(&words_read);
	return 0;
}

/* Waits for mkfs.erofs, @kill first. Return: 0, or -EBADMSG with what it said */
static int layer_end_mkfs(struct layer *l, bool kill)
{
	char words[LAYER_WORDS] = "", shown[LAYER_WORDS], *line;
	struct pollfd wait = {.fd = l->mkfs.pidfd, .events = POLLIN};
	int exit_code = 0;
	ssize_t n;

	if (l->mkfs.pidfd < 0)
		return 0;
	l->to_mkfs = fd_close(l->to_mkfs);
	if (kill)
		proc_kill(&l->mkfs, SIGKILL);
	n = read(l->from_mkfs, words, sizeof(words) - 1);
	words[n > 0 ? n : 0] = '\0';
	l->from_mkfs = fd_close(l->from_mkfs);
	while (proc_reap(&l->mkfs, &exit_code) == 0)
		poll(&wait, 1, -1);
	l->mkfs.pidfd = fd_close(l->mkfs.pidfd);
	if (kill || exit_code == 0)
		return 0;
	if (exit_code == 128 + SIGKILL)
		return err_set(&l->why, -ENOSPC, "mkfs.erofs was killed, it took too much memory");
	line = words;
	line[strcspn(line, "\n")] = '\0';
	return err_set(&l->why, strstr(words, "No space left") ? -ENOSPC : -EBADMSG,
		       "mkfs.erofs: %s (exit %d)", str_printable(shown, sizeof(shown), line),
		       exit_code);
}

static int layer_take_tar(void *arg, const void *data, size_t len)
{
	struct layer *l = arg;
	int r;

	oci_hash_add(l->tar_hash, data, len);
	if (l->to_mkfs < 0)
		return 0;
	r = fd_write_full(l->to_mkfs, data, len);
	if (r != -EPIPE)
		return r;
	/* The archive has ended before its padding; or mkfs.erofs could not read it, then that is the end. */
	return layer_end_mkfs(l, false);
}

static int layer_take_blob(void *arg, const void *data, size_t len)
{
	struct layer *l = arg;
	int r;

	l->blob_bytes += len;
	if (l->blob_bytes > l->blob->size_bytes)
		return err_set(&l->why, -EBADMSG,
			       "it is larger than the manifest says (%llu bytes)",
			       (unsigned long long)l->blob->size_bytes);
	oci_hash_add(l->blob_hash, data, len);
	if (l->why.code)
		return 0;
	r = oci_inflate_add(l->inflate, data, len, &l->why);
	if (r < 0 && !l->why.code)
		err_sys(&l->why, r, "give it to mkfs.erofs");
	/* Damage may have come on the way: that is known at the end, when the digest is. */
	return r == -EBADMSG ? 0 : r;
}

static int layer_run(struct layer *l, struct oci_registry *registry, const char *diff_id,
		     struct err *e)
{
	char digest[OCI_DIGEST_MAX];
	int r = oci_registry_blob(registry, l->blob->digest, layer_take_blob, l, e);

	if (r < 0)
		return l->why.code ? err_set(e, l->why.code, "%s", err_msg(&l->why)) : r;
	oci_hash_end(l->blob_hash, digest);
	if (!str_eq(digest, l->blob->digest))
		return err_set(e, -EBADMSG, "the content's digest is %.19s…", digest);
	if (!l->why.code)
		oci_inflate_end(l->inflate, &l->why);
	if (l->why.code)
		return err_set(e, l->why.code, "%s", err_msg(&l->why));
	oci_hash_end(l->tar_hash, digest);
	if (!str_eq(digest, diff_id))
		return err_set(e, -EBADMSG, "it unpacks to %.19s…, the configuration says %.19s…",
			       digest, diff_id);
	return 0;
}

int oci_layer_make(struct oci_registry *registry, const struct oci_descriptor *blob,
		   const char *diff_id, const char *path, const char *mkfs, uint64_t max_bytes,
		   struct err *e)
{
	struct layer l = {
		.blob = blob,
		.mkfs.pidfd = -1,
		.to_mkfs = -1,
		.from_mkfs = -1,
	};
	int r = layer_start_mkfs(&l, path, mkfs, e);

	if (r == 0) {
		l.blob_hash = oci_hash_new();
		l.tar_hash = oci_hash_new();
		l.inflate = oci_inflate_new(max_bytes, layer_take_tar, &l);
		r = layer_run(&l, registry, diff_id, e);
	}
	if (layer_end_mkfs(&l, r < 0) < 0 && r == 0)
		r = err_set(e, l.why.code, "%s", err_msg(&l.why));
	oci_inflate_free(l.inflate);
	oci_hash_free(l.blob_hash);
	oci_hash_free(l.tar_hash);
	if (r < 0) {
		unlink(path);
		return err_wrap(e, r, "layer %s", blob->digest);
	}
	return 0;
}
