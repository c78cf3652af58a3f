/* SPDX-License-Identifier: Apache-2.0 */
/* What a machine says of itself, checked; private to boot/. */
#ifndef BOOT_HOST_H
#define BOOT_HOST_H

#include "boot/boot.h"

/**
 * host_parse() - Take what iPXE sent
 * @mac: with dashes or colons, any case; @uuid, @serial: or NULL
 * Return: 0; -EINVAL when the MAC address is none. An odd uuid or serial counts as not said.
 */
int host_parse(const char *mac, const char *uuid, const char *serial, struct boot_host *h);

/** host_mac_dashes() - "52-54-00-12-34-56"; @out has 18 bytes. Return: @out */
char *host_mac_dashes(const struct boot_host *h, char *out);

/** host_set_name() - @name, or one made of the MAC. Return: 0; -EINVAL when it is no DNS name (RFC 1123) */
int host_set_name(struct boot_host *h, const char *name);

#endif
