/* SPDX-License-Identifier: Apache-2.0 */
/* What vendors leave in a machine's tables when they forget to write the real value. */
#ifndef BASE_VENDOR_H
#define BASE_VENDOR_H

#include <stdbool.h>

/**
 * vendor_left_blank() - Whether a text of a firmware table stands for no value
 * @s: trimmed; "" counts as blank, as do a known filler in any case, and one character over and over (digits, X, F,
 *     dots ...), with blanks and dashes between; a single letter or digit but 0 is a value
 */
bool vendor_left_blank(const char *s);

/** vendor_uuid_blank() - The same for a UUID in its text form, in any case: all zeros, all ones, known examples */
bool vendor_uuid_blank(const char *uuid);

#endif
