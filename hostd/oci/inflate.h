/* SPDX-License-Identifier: Apache-2.0 */
/* Decompression of a stream: gzip, zstd, or nothing at all, as its first bytes tell. */
#ifndef OCI_INFLATE_H
#define OCI_INFLATE_H

#include <stdint.h>

#include "base/err.h"
#include "oci/registry.h"

struct oci_inflate;

/** oci_inflate_new() - What comes out goes to @sink, @max_bytes at most */
struct oci_inflate *oci_inflate_new(uint64_t max_bytes, oci_sink sink, void *arg);

/** oci_inflate_free() - Return: NULL; NULL is fine */
struct oci_inflate *oci_inflate_free(struct oci_inflate *inflate);

/**
 * oci_inflate_add() - Take in more
 * Return: 0; -EBADMSG for damaged data; -ENOSPC beyond @max_bytes; the sink's -errno, @e untouched.
 */
int oci_inflate_add(struct oci_inflate *inflate, const void *data, size_t len, struct err *e);

/** oci_inflate_end() - There is no more. Return: 0; -EBADMSG when the stream is cut; as oci_inflate_add() */
int oci_inflate_end(struct oci_inflate *inflate, struct err *e);

#endif
