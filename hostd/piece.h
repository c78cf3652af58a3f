/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that are this host's own: CA certificate, one-time token, settings. iPXE brings them with the initramfs. A
 * host that was booted from a disk, an ISO or one signed EFI file comes without; the kernel's command line then names
 * the boot service (hyper.boot=http://ADDR:PORT), or else DHCP does, by the boot file it names; and hostd asks there as
 * iPXE would have done.
 */
#ifndef HOSTD_PIECE_H
#define HOSTD_PIECE_H

#include "hostd.h"

/**
 * piece_url() - The boot service that a kernel command line names
 * @url: HOST_URL_MAX bytes: "http://HOST[:PORT]" or https, no slash at the end
 * Return: 0; -ENOENT when it names none; -EINVAL.
 */
int piece_url(const char *cmdline, char *url);

/**
 * piece_lease_url() - The boot service that a DHCP lease names
 * @lease: lines KEY=VALUE; the boot file (RFC 2132 option 67 or BOOTP's field), if it is a URL, is one of the boot
 *         service's or just its address
 * @url:   as above
 * Return: 0; -ENOENT when it names none; -EINVAL.
 */
int piece_lease_url(const char *lease, char *url);

/**
 * piece_start() - Bring the network up and ask for the files until they are there
 *
 * They go to RUN/boot, settings last: whoever finds settings finds all. Then the loop is stopped, and the next hostd
 * starts with them.
 *
 * Return: 0 or -errno when it could not begin.
 */
int piece_start(struct hostd *h, struct err *e);

/**
 * piece_write() - Check the boot service's answer and write its files
 * @dir:  RUN/boot
 * @text: JSON, an object with "ca.crt", "token" and "settings", each a text
 * Return: 0; -EBADMSG for an answer that is none; -errno.
 */
int piece_write(const char *dir, const char *text, size_t len, struct err *e);

#endif
