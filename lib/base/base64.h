/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648 §4), with padding and without line breaks. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

#include "base/buf.h"

/** base64_encode() - Append the text of @len bytes. Return: 0 or as buf_reserve() */
int base64_encode(struct buf *out, const void *data, size_t len);

/**
 * base64_decode() - Append the bytes of a text; line breaks are skipped
 * Return: 0; -EBADMSG for other characters, wrong length or padding; as buf_reserve().
 */
int base64_decode(struct buf *out, const char *text);

/*
 * The same for names in URLs and tokens (RFC 4648 §5): '-' and '_', no padding, and exactly one text for
 * any bytes: line breaks and spare bits that are not 0 are refused.
 */
int base64url_encode(struct buf *out, const void *data, size_t len);
int base64url_decode(struct buf *out, const char *text, size_t len);

#endif
