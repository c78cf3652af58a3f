// SPDX-License-Identifier: Apache-2.0
/*
 * The only file that knows zlib and zstd. A stream may consist of several gzip members or zstd frames
 * one after another (RFC 1952 §2.2, RFC 8878 §3.1); it must end where one ends. The memory of a zstd
 * window is bounded by the library's default for streams (128 MiB).
 */
#include "oci/inflate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"

#define INFLATE_OUT_SIZE  ((size_t)128 << 10)
#define INFLATE_MAGIC_MAX 4

enum inflate_kind { INFLATE_UNKNOWN, INFLATE_PLAIN, INFLATE_GZIP, INFLATE_ZSTD };

struct oci_inflate {
	enum inflate_kind kind;
	unsigned char magic[INFLATE_MAGIC_MAX];
	size_t magic_len;
	uint64_t left_bytes, max_bytes;
	oci_sink sink;
	void *arg;
	z_stream gzip;
	ZSTD_DStream *zstd;
	bool whole; /* a member or frame has just ended */
	unsigned char out[INFLATE_OUT_SIZE];
};

struct oci_inflate *oci_inflate_new(uint64_t max_bytes, oci_sink sink, void *arg)
{
	struct oci_inflate *f = mem_alloc(sizeof(*f));

	f->max_bytes = f->left_bytes = max_bytes;
	f->sink = sink;
	f->arg = arg;
	return f;
}

struct oci_inflate *oci_inflate_free(struct oci_inflate *inflate)
{
	if (!inflate)
		return NULL;
	if (inflate->kind == INFLATE_GZIP)
		inflateEnd(&inflate->gzip);
	ZSTD_freeDStream(inflate->zstd);
	free(inflate);
	return NULL;
}

static int inflate_emit(struct oci_inflate *f, const void *data, size_t len, struct err *e)
{
	if (len > f->left_bytes)
		return err_set(e, -ENOSPC, "it unpacks to more than %llu bytes",
			       (unsigned long long)f->max_bytes);
	f->left_bytes -= len;
	return len ? f->sink(f->arg, data, len) : 0;
}

static int inflate_gzip(struct oci_inflate *f, const void *data, size_t len, struct err *e)
{
	f->gzip.next_in = (unsigned char *)(uintptr_t)data;
	f->gzip.avail_in = (uInt)len;
	do {
		int r, z;

		if (f->whole && f->gzip.avail_in) {
			inflateReset(&f->gzip);
			f->whole = false;
		}
		f->gzip.next_out = f->out;
		f->gzip.avail_out = sizeof(f->out);
		z = inflate(&f->gzip, Z_NO_FLUSH);
		if (z != Z_OK && z != Z_STREAM_END && z != Z_BUF_ERROR)
			return err_set(e, -EBADMSG, "damaged gzip data: %s",
				       f->gzip.msg ? f->gzip.msg : "unreadable");
		f->whole = z == Z_STREAM_END;
		r = inflate_emit(f, f->out, sizeof(f->out) - f->gzip.avail_out, e);
		if (r < 0)
			return r;
	} while (f->gzip.avail_in || (!f->gzip.avail_out && !f->whole));
	return 0;
}

static int inflate_zstd(struct oci_inflate *f, const void *data, size_t len, struct err *e)
{
	ZSTD_inBuffer in = {.src = data, .size = len};
	ZSTD_outBuffer out;

	do {
		size_t z;
		int r;

		out = (ZSTD_outBuffer){.dst = f->out, .size = sizeof(f->out)};
		z = ZSTD_decompressStream(f->zstd, &out, &in);
		if (ZSTD_isError(z))
			return err_set(e, -EBADMSG, "damaged zstd data: %s", ZSTD_getErrorName(z));
		f->whole = z == 0;
		r = inflate_emit(f, f->out, out.pos, e);
		if (r < 0)
			return r;
	} while (in.pos < in.size || (out.pos == out.size && !f->whole));
	return 0;
}

static int inflate_some(struct oci_inflate *f, const void *data, size_t len, struct err *e)
{
	switch (f->kind) {
	case INFLATE_GZIP:
		return inflate_gzip(f, data, len, e);
	case INFLATE_ZSTD:
		return inflate_zstd(f, data, len, e);
	case INFLATE_PLAIN:
	case INFLATE_UNKNOWN:
		break;
	}
	return inflate_emit(f, data, len, e);
}

static int inflate_start(struct oci_inflate *f, struct err *e)
{
	static const unsigned char gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};

	f->kind = INFLATE_PLAIN;
	f->whole = true;
	if (f->magic_len >= sizeof(gzip) && memcmp(f->magic, gzip, sizeof(gzip)) == 0) {
		if (inflateInit2(&f->gzip, 15 + 16) != Z_OK)
			return err_set(e, -ENOMEM, "gzip");
		f->kind = INFLATE_GZIP;
		f->whole = false;
	} else if (f->magic_len >= sizeof(zstd) && memcmp(f->magic, zstd, sizeof(zstd)) == 0) {
		f->zstd = ZSTD_createDStream();
		if (!f->zstd)
			return err_set(e, -ENOMEM, "zstd");
		f->kind = INFLATE_ZSTD;
		f->whole = false;
	}
	return inflate_some(f, f->magic, f->magic_len, e);
}

int oci_inflate_add(struct oci_inflate *inflate, const void *data, size_t len, struct err *e)
{
	const unsigned char *p = data;
	int r;

	if (inflate->kind == INFLATE_UNKNOWN) {
		while (len && inflate->magic_len < INFLATE_MAGIC_MAX) {
			inflate->magic[inflate->magic_len++] = *p++;
			len--;
		}
		if (inflate->magic_len < INFLATE_MAGIC_MAX)
			return 0;
		r = inflate_start(inflate, e);
		if (r < 0)
			return r;
	}
	return len ? inflate_some(inflate, p, len, e) : 0;
}

int oci_inflate_end(struct oci_inflate *inflate, struct err *e)
{
	int r = inflate->kind == INFLATE_UNKNOWN ? inflate_start(inflate, e) : 0;

	if (r < 0)
		return r;
	return inflate->whole ? 0 : err_set(e, -EBADMSG, "the compressed data is cut");
}
