/* SPDX-License-Identifier: Apache-2.0 */
/* The pod's network by rtnetlink: loopback, one address on eth0, one default route. */
#ifndef GUEST_NET_H
#define GUEST_NET_H

#include "base/err.h"
#include "proto/guest_msg.h"

/** net_set_up() - Bring up lo and, if the pod has an address, eth0. Return: 0 or -errno */
int net_set_up(const struct guest_net *n, struct err *e);

/** net_sysctl() - Write /proc/sys/@name; what the kernel does not have is skipped */
void net_sysctl(const char *name, const char *value);

#endif
