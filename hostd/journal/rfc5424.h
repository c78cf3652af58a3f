/* SPDX-License-Identifier: Apache-2.0 */
/* A line as a message of syslog. */
#ifndef JOURNAL_RFC5424_H
#define JOURNAL_RFC5424_H

#include <stddef.h>
#include <stdint.h>

#include "journal/line.h"

#define RFC5424_MAX (LINE_TEXT_MAX + 1024)

/**
 * rfc5424_format() - Write a message
 * @hostname: RFC 1123; ""
 * @version:  of the image, "" unknown
 * @number:   of the line since boot; told as sequenceId, which begins again after 2147483647
 * @out:      RFC5424_MAX bytes
 *
 * Facility 0 is the kernel's, 3 that of programs. MSGID is the value of the text's `ev=`. The text is ASCII, so it
 * needs no byte order mark.
 *
 * Return: the length.
 * Source: RFC 5424 §6, §7.2, §7.3.1.
 */
size_t rfc5424_format(const struct line *l, const char *hostname, const char *version,
		      uint64_t number, char *out);

/** rfc5424_frame() - The octet count before a message on a stream (RFC 6587 §3.4.1, RFC 5425 §4.3). Return: its length */
size_t rfc5424_frame(size_t len, char out[16]);

#endif
