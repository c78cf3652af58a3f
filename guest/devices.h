/* SPDX-License-Identifier: Apache-2.0 */
/* The devices of the VM, for privileged containers. */
#ifndef GUEST_DEVICES_H
#define GUEST_DEVICES_H

#include "base/err.h"

/**
 * devices_copy() - Make a node for each device of our own /dev, with its mode
 * @to: an empty folder on a mount without nodev
 * Return: 0 or -errno.
 */
int devices_copy(int to, struct err *e);

#endif
