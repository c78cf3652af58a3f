/* SPDX-License-Identifier: Apache-2.0 */
/* `controller boot-config`: the dnsmasq configuration that leads machines to the boot service. */
#ifndef CONTROLLER_BOOT_CONFIG_H
#define CONTROLLER_BOOT_CONFIG_H

#include "base/buf.h"
#include "base/err.h"

/**
 * boot_config_print() - Read the words behind "controller", the first being "boot-config", and write what is asked for
 * @out: the configuration, or the help
 * Return: 0; -EINVAL with the reason in @e.
 */
int boot_config_print(int argc, char **argv, struct buf *out, struct err *e);

#endif
